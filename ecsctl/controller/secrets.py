"""Values that task definitions only refer to, at the moment a container needs them: secrets, environment files, and the
log-ins of registries. They go into the engine's request and nowhere else.

Source: ECS developer guide, "Pass sensitive data to an Amazon ECS container", "Pass environment variables to an Amazon
ECS container" and "Using non-AWS container images in Amazon ECS".
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import NamedTuple

import msgspec

from ecsctl.controller.commands import printed_by
from ecsctl.controller.sources import Sources
from ecsctl.engine.port import CreateBody, RegistryLogin
from ecsctl.model.container_definition import ContainerDefinition, EnvironmentFile
from ecsctl.model.env_file import parse_env_file
from ecsctl.model.errors import SecretUnavailable
from ecsctl.model.secret import Reference, SecretRecord, parse_reference
from ecsctl.store.secret_table import SECRETS
from ecsctl.store.store import Store

KEPT_SECONDS = 30.0
"""How long what it printed holds: in memory, for the tasks that begin together."""


class Confidential(NamedTuple):
    """What a container gets that is not in its definition."""

    environment: Mapping[str, str] = {}
    log_options: Mapping[str, str] = {}

    def added_to(self, body: CreateBody) -> CreateBody:
        """A create body with them in it."""
        added = {**body, "Env": [*body["Env"], *(f"{name}={value}" for name, value in self.environment.items())]}
        if self.log_options:
            logs = body["HostConfig"]["LogConfig"]
            logs = {**logs, "Config": {**logs["Config"], **self.log_options}}
            added["HostConfig"] = {**body["HostConfig"], "LogConfig": logs}
        return added

    def redact(self, text: str) -> str:
        """A text for people, without the values."""
        for value in sorted({*self.environment.values(), *self.log_options.values()}, key=len, reverse=True):
            if len(value) > 3:  # a shorter one is everywhere
                text = text.replace(value, "***")
        return text


class Secrets:
    """Finds values: first in the state, then by the commands."""

    def __init__(self, store: Store, sources: Sources) -> None:
        self._store = store
        self._sources = sources
        self._printed: dict[str, tuple[float, str]] = {}
        self._printing = Lock()

    def of_container(self, container: ContainerDefinition) -> Confidential:
        """SecretUnavailable names the first value that cannot be had."""
        logs = container.log_configuration
        options = (logs.secret_options if logs else None) or []
        plain = {str(pair.name) for pair in container.environment or []}
        variables: dict[str, str] = {}
        for file in container.environment_files or []:
            for name, value in self._file(file).items():
                if name not in plain:
                    variables.setdefault(name, value)
        variables |= {secret.name: self.value(secret.value_from) for secret in container.secrets or []}
        return Confidential(variables, {option.name: self.value(option.value_from) for option in options})

    def login(self, container: ContainerDefinition) -> RegistryLogin | None:
        """What `repositoryCredentials` refer to: a JSON object with a username and a password."""
        credentials = container.repository_credentials
        if credentials is None or not credentials.credentials_parameter:
            return None
        return self.login_in(credentials.credentials_parameter)

    def login_in(self, reference: str) -> RegistryLogin:
        """What a secret has of a registry: a JSON object with a username and a password; SecretUnavailable."""
        try:
            found = msgspec.json.decode(self.value(reference), type=dict[str, str])
            return RegistryLogin(found["username"], found["password"])
        except (msgspec.DecodeError, KeyError):
            raise SecretUnavailable(f'{reference}: expected {{"username": "…", "password": "…"}}') from None

    def value(self, value_from: str) -> str:
        """The value that a `valueFrom` refers to; SecretUnavailable."""
        try:
            reference = parse_reference(value_from)
        except ValueError as error:
            raise SecretUnavailable(str(error)) from None
        with self._store.read() as view:
            found = next((secret for name in reference.names if (secret := view.get(SECRETS, name))), None)
        value = self._stored(found, reference) if found else self._by_command(reference)
        return value if reference.key is None else _part(value, reference)

    def _stored(self, secret: SecretRecord, reference: Reference) -> str:
        for version in secret.versions:
            if version.id == reference.version or (reference.version is None and reference.stage in version.stages):
                return self._store.seal().open(version.sealed)
        which = reference.version or reference.stage
        raise SecretUnavailable(f"the secret {secret.name} has no version {which}")

    def _by_command(self, reference: Reference) -> str:
        for name in reference.names:
            prefixes = [prefix for prefix in self._sources.commands if name.startswith(prefix)]
            if prefixes:
                command = self._sources.commands[max(prefixes, key=len)]
                with self._printing:  # a secret of many tasks is asked for once
                    when, value = self._printed.get(name, (-KEPT_SECONDS, ""))
                    if time.monotonic() - when > KEPT_SECONDS:
                        value = _printed_by([word.replace("{name}", name) for word in command], name)
                        self._printed[name] = time.monotonic(), value
                    return value
        raise SecretUnavailable(f"there is no secret {reference}: `ecsctl secret put {reference.names[-1]}` adds it")

    def of_bucket(self, arn: str) -> bytes:
        """A file (by its ARN) of the directory that stands for its S3 bucket; SecretUnavailable."""
        bucket, _, key = arn.rpartition(":::")[2].partition("/")
        directory = self._sources.buckets.get(bucket)
        if directory is None:
            raise SecretUnavailable(
                f"{arn}: no directory stands for the bucket {bucket}; "
                f'name one in the configuration: [buckets] "{bucket}" = "/path"'
            )
        path = directory / key
        if not path.resolve().is_relative_to(directory.resolve()):
            raise SecretUnavailable(f"{arn} is not in the directory that stands for the bucket, {directory}")
        try:
            return path.read_bytes()
        except OSError as error:
            raise SecretUnavailable(f"{arn}: {path}: {error.strerror}") from None

    def _file(self, file: EnvironmentFile) -> dict[str, str]:
        content = self.of_bucket(file.value)
        try:
            return parse_env_file(content.decode(), file.value)
        except UnicodeDecodeError:
            raise SecretUnavailable(f"{file.value} is not UTF-8 text") from None
        except ValueError as error:
            raise SecretUnavailable(str(error)) from None


def _part(value: str, reference: Reference) -> str:
    """A key of the JSON object that a value is."""
    try:
        part = msgspec.json.decode(value, type=dict)[reference.key]
    except msgspec.DecodeError:
        raise SecretUnavailable(f"the secret {reference} is not a JSON object: it has no key {reference.key}") from None
    except KeyError:
        raise SecretUnavailable(f"the secret {reference} has no key {reference.key}") from None
    return part if isinstance(part, str) else msgspec.json.encode(part).decode()


def _printed_by(command: Sequence[str], name: str) -> str:
    """What a command prints, without the line end."""
    output = printed_by(command, f"the secret {name}")
    try:
        return output.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretUnavailable(f"the secret {name}: what {command[0]} prints is not UTF-8 text") from None
