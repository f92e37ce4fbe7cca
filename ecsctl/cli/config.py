"""The configuration: options, then ECSCTL_* and AWS_REGION, then a TOML file, then what holds without any.

    region = "eu-central-1"            # --region, ECSCTL_REGION, AWS_REGION, AWS_DEFAULT_REGION
    account = "123456789012"           # --account, ECSCTL_ACCOUNT
    state = "/srv/ecs/state.db"        # --state, ECSCTL_STATE; or "postgresql://user@host/database"
    keys = "/srv/ecs/keys"             # where the keys of a state in PostgreSQL are; ECSCTL_KEYS
    key_store = "keyring"              # where new keys of the secrets go: or "file"; ECSCTL_KEY_STORE
    output = "yaml"                    # --output, AWS_DEFAULT_OUTPUT
    history = "7d"                     # how long stopped tasks are remembered
    stopped_container_retention = "3h" # how long their containers stay on the hosts
    log_retention = "30d"              # how long logs (awslogs) outlive their containers
    reserved_memory = 256              # MiB of each host that tasks do not get
    ephemeral_storage = "limited"      # "recorded": tasks that ask for some run where engines cannot limit it
    healthy_after = "40s"              # when a task without a health check is healthy; an end before is a failed start
    loss_grace = "60s"                 # how long a host has to be silent before it is lost
    loss_contacts = 3                  # … and how often it has to have been asked in that time
    metadata_endpoint = true           # whether containers find the task metadata endpoint
    endpoint_image = "busybox:stable"  # what it is made of on each host: an image with busybox
    image_pull_behavior = "default"    # or always, once, prefer-cached: as the ECS agent's; without it prefer-cached
    image_cleanup = true               # without it: as the ECS agent, not with prefer-cached
    image_minimum_cleanup_age = "1h"   # since an image was pulled
    image_cleanup_interval = "30m"     # per host
    images_deleted_per_cycle = 5
    throttle = 100                     # `serve`, by TCP: how many times the request rates of ECS; 0: any
    registry = "registry.example:5000" # what stands for ECR: GetAuthorizationToken gives its login, which the secret …
    registry_login = "prod/registry"   # … has: {"username": "AWS", "password": "…"}

    [image_map]                        # what takes the place of images, by name or pattern
    "public.ecr.aws/*" = "registry.example/*"

    [secrets]                          # what prints secrets that are not in the state, by how their names begin
    "prod/" = ["pass", "show", "{name}"]

    [buckets]                          # the directories that stand for S3 buckets, for environmentFiles
    configuration = "/srv/env"

    [roles]                            # what prints credentials of task roles, by name or how their ARNs begin
    app = { profile = "dev" }          # those of a profile of the AWS CLI; or the words of a command, as for secrets

    [file_systems]                     # what stands for EFS, FSx and S3 Files by their ids, and for EBS volumes
    fs-0123abcd = {nfs = "10.0.0.5:/export"}        # and mount_options = "nfsvers=4"
    fsap-4567ef = {path = "/mnt/efs/app"}           # of the host
    fs-89abcdef = {volume = "shared"}
    ebs = {driver = "local"}                        # and driver_options = {type = "tmpfs", device = "tmpfs"}

    [subnets]                          # what the networks are like that are made for subnets, by name or pattern
    "private-*" = "private"            # no way out; else "public"

    [profile.staging]                  # --profile staging: the same keys, put before those above
    state = "/srv/ecs/staging.db"

The file is `--config`, `$ECSCTL_CONFIG`, or `ecsctl/config.toml` under `$XDG_CONFIG_HOME` (`~/.config`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from msgspec import Struct

from ecsctl.cli.durations import parse_duration
from ecsctl.cli.global_flags import OUTPUTS
from ecsctl.model.arn import REGION
from ecsctl.model.errors import ConfigError, InputError
from ecsctl.model.file_system import FileSystem
from ecsctl.model.image import BEHAVIORS, PullBehavior
from ecsctl.model.key_store import KeyStore
from ecsctl.model.near import near
from ecsctl.model.state_place import SCHEMES, StatePlace, shared_state

_FORMS = {
    "region": (REGION, "a region; write it like us-east-1"),
    "account": (r"[0-9]{12}", "an account: it has twelve digits"),
    "registry": (r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", "the address of a registry; write registry.example:5000"),
}
VARIABLES = {
    "region": ("ECSCTL_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
    "account": ("ECSCTL_ACCOUNT",),
    "state": ("ECSCTL_STATE",),
    "keys": ("ECSCTL_KEYS",),
    "key_store": ("ECSCTL_KEY_STORE",),
    "output": ("AWS_DEFAULT_OUTPUT",),
}
_KINDS: dict[str, type] = {
    "region": str,
    "account": str,
    "state": str,
    "keys": str,
    "key_store": str,
    "output": str,
    "history": str,
    "stopped_container_retention": str,
    "log_retention": str,
    "reserved_memory": int,
    "healthy_after": str,
    "loss_grace": str,
    "loss_contacts": int,
    "image_pull_behavior": str,
    "image_cleanup": bool,
    "image_minimum_cleanup_age": str,
    "image_cleanup_interval": str,
    "images_deleted_per_cycle": int,
    "image_map": dict,
    "metadata_endpoint": bool,
    "endpoint_image": str,
    "secrets": dict,
    "buckets": dict,
    "roles": dict,
    "file_systems": dict,
    "subnets": dict,
    "ephemeral_storage": str,
    "throttle": int,
    "registry": str,
    "registry_login": str,
}
EPHEMERAL_STORAGE = ("limited", "recorded")
_WORDS: dict[str, Sequence[str]] = {
    "output": OUTPUTS,
    "key_store": get_args(KeyStore),
    "ephemeral_storage": EPHEMERAL_STORAGE,
    "image_pull_behavior": BEHAVIORS,
}
_DURATIONS = (
    "history",
    "stopped_container_retention",
    "log_retention",
    "healthy_after",
    "loss_grace",
    "image_minimum_cleanup_age",
    "image_cleanup_interval",
)


class Config(Struct, frozen=True):
    """Where the state is and what new ARNs say.

    Durations are seconds. `chosen` are the words of a command line that reads the same file.
    """

    state: StatePlace
    region: str = "us-east-1"
    account: str = "000000000000"
    output: str = "json"
    history: float = 7 * 86400.0
    stopped_container_retention: float = 3 * 3600.0
    reserved_memory: int = 256
    healthy_after: float = 40.0
    loss_grace: float = 60.0
    loss_contacts: int = 3
    log_retention: float = 30 * 86400.0
    image_pull_behavior: PullBehavior = "prefer-cached"
    image_cleanup: bool | None = None
    image_minimum_cleanup_age: float = 3600.0
    image_cleanup_interval: float = 1800.0
    images_deleted_per_cycle: int = 5
    image_map: Mapping[str, str] = {}
    secrets: Mapping[str, Sequence[str]] = {}
    buckets: Mapping[str, Path] = {}
    file_systems: Mapping[str, FileSystem] = {}
    ephemeral_storage: str = EPHEMERAL_STORAGE[0]
    roles: Mapping[str, Sequence[str]] = {}
    subnets: Mapping[str, str] = {}
    metadata_endpoint: bool = True
    endpoint_image: str = "busybox:stable"
    throttle: int = 100
    registry: str | None = None
    registry_login: str | None = None
    key_store: KeyStore | None = None
    chosen: tuple[str, ...] = ()


def load_config(options: Mapping[str, Any], environment: Mapping[str, str]) -> Config:
    """The configuration for these options. Raises ConfigError, one line, for whatever in it cannot be used."""
    values = _file(options, environment)
    for key, names in VARIABLES.items():
        name = next((name for name in names if environment.get(name)), None)
        if name:
            values[key] = (environment[name], name)
    values |= {key: (options[key], f"--{key}") for key in VARIABLES if key in options}
    return Config(
        state=_state(values.pop("state", ("", "")), values.pop("keys", None), environment),
        chosen=tuple(word for key in ("config", "profile") if options.get(key) for word in (f"--{key}", options[key])),
        **{key: _value(key, value, source) for key, (value, source) in values.items()},
    )


def _state(given: tuple[str, str], keys: tuple[str, str] | None, environment: Mapping[str, str]) -> StatePlace:
    state, source = given
    if not state.startswith(SCHEMES):
        if "://" in state:
            raise ConfigError(f"{source}: a state is the path of a file, or postgresql://user@host/database")
        return Path(os.path.expanduser(state)) if state else _data_home(environment) / "state.db"
    folder = Path(os.path.expanduser(keys[0])) if keys and keys[0] else _data_home(environment)
    return shared_state(state, folder, source)


def _value(key: str, value: Any, source: str) -> Any:
    """The value of a key, checked; `source` is where it was written."""
    if key in _FORMS and not re.fullmatch(_FORMS[key][0], value):
        raise ConfigError(f"{source}: {value!r} is not {_FORMS[key][1]}")
    if key in _WORDS and value not in _WORDS[key]:
        raise ConfigError(f"{source}: {value!r} is none of {', '.join(_WORDS[key])}")
    if key == "reserved_memory" and value < 0:
        raise ConfigError(f"{source}: {value} MiB cannot be kept back; write 0 or more")
    if key == "throttle" and value < 0:
        raise ConfigError(f"{source}: {value} times the rates of ECS cannot be; write 0, for no limit, or more")
    if key == "images_deleted_per_cycle" and value < 1:
        raise ConfigError(f"{source}: {value} images cannot be deleted at once; write 1 or more")
    if key == "loss_contacts" and value < 1:
        raise ConfigError(f"{source}: a host is not lost after {value} contacts; write 1 or more")
    if key in _DURATIONS:
        try:
            return parse_duration(value)
        except InputError as error:
            raise ConfigError(f"{source}: {error}") from None
    return value


def _file(options: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    """Key → value and where it was written."""
    named = options.get("config") or environment.get("ECSCTL_CONFIG")
    path = Path(os.path.expanduser(named)) if named else _config_home(environment) / "config.toml"
    profile = options.get("profile")
    if not named and not path.exists():
        if profile:
            raise ConfigError(f"The config profile ({profile}) could not be found: there is no {path}")
        return {}
    table = _read(path)
    profiles = table.pop("profile", {})
    found = _checked(table, path, "")
    if profile:
        if not isinstance(profiles, dict) or not isinstance(profiles.get(profile), dict):
            raise ConfigError(f"The config profile ({profile}) could not be found: {path} has no [profile.{profile}]")
        found |= _checked(profiles[profile], path, f"profile.{profile}.")
    return found


def _checked(table: dict[str, Any], path: Path, prefix: str) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    for key, value in table.items():
        kind = _KINDS.get(key)
        if kind is None:
            meant = near(key, _KINDS)
            hint = f'; did you mean "{meant[0]}"?' if meant else f"; the keys are {', '.join(_KINDS)}"
            raise ConfigError(f"{path}: unknown key {prefix + key!r}{hint}")
        if type(value) is not kind:
            wanted = {int: "a whole number", dict: "a table", bool: "true or false"}.get(kind, "a string, in quotes")
            raise ConfigError(f"{path}: {prefix}{key}: expected {wanted}")
        found[key] = (_resolved(key, value, path, prefix), f"{path}: {prefix}{key}")
    return found


def _resolved(key: str, value: Any, path: Path, prefix: str) -> Any:
    """A value of the file; paths in it are relative to the file."""
    if key == "keys" or (key == "state" and "://" not in value):
        return str(path.parent / os.path.expanduser(value))
    if isinstance(value, dict):
        from ecsctl.cli.config_tables import TABLES  # most have no such file

        return {
            name: TABLES[key](name, entry, path.parent, f"{path}: {prefix}{key}.{name}")
            for name, entry in value.items()
        }
    return value


def _read(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the configuration {path} cannot be read: {error.strerror}") from None
    if not content:  # /dev/null, say, for none
        return {}
    from ecsctl.cli.documents import parse_toml

    try:
        table: dict[str, Any] = parse_toml(content.decode(), str(path))
    except UnicodeDecodeError:
        raise ConfigError(f"the configuration {path} is not UTF-8 text") from None
    except InputError as error:
        raise ConfigError(str(error)) from None
    return table


def _config_home(environment: Mapping[str, str]) -> Path:
    return _home(environment, "XDG_CONFIG_HOME", ".config") / "ecsctl"


def _data_home(environment: Mapping[str, str]) -> Path:
    return _home(environment, "XDG_DATA_HOME", ".local/share") / "ecsctl"


def _home(environment: Mapping[str, str], variable: str, default: str) -> Path:
    given = environment.get(variable, "")
    if given.startswith("/"):  # the XDG specification: a relative path is ignored
        return Path(given)
    return Path(environment.get("HOME") or os.path.expanduser("~")) / default
