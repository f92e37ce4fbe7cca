"""FireLens: a container of a task routes the output of others, by a configuration that is made of their log options.

As the ECS agent does it: the engine's fluentd driver writes to a socket that the router listens on, under a tag of
the container's; the router starts first and stops last; values of `secretOptions` are variables of the router. Pure.

Source: ECS developer guide, "Send Amazon ECS logs to an AWS service or AWS Partner", and the ECS agent's
taskresource/firelens (the configuration) and engine/docker_task_engine.go (the driver's options).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ecsctl.model.arn import last_part, parse_arn
from ecsctl.model.common import KeyValuePair
from ecsctl.model.container_definition import (
    ContainerDefinition,
    ContainerDependency,
    FirelensConfigurationType,
    Secret,
)
from ecsctl.model.record import evolve
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_definition import TaskDefinition

DRIVER = "awsfirelens"
SOCKETS = "/var/run"
"""The directory of the router that the socket is in; a volume of the task's."""
PORT = "24224"
PLUGIN = {"fluentbit": "Name", "fluentd": "@type"}
"""The option that names the output plugin, by the router's type."""
DIRECTORY = {"fluentbit": "/fluent-bit/etc", "fluentd": "/fluentd/etc"}
"""Where the router's configuration is, by its type."""
FILE = {"fluentbit": "fluent-bit.conf", "fluentd": "fluent.conf"}
EXTERNAL = "external.conf"
"""What is taken from a bucket is put beside the configuration by this name."""
INCLUDED, EXCLUDED, BUFFER_LIMIT = "include-pattern", "exclude-pattern", "log-driver-buffer-limit"
"""Log options that are not the output plugin's."""

_TOLD = ("FLUENT_HOST", "FLUENT_PORT")
Section = tuple[str, list[tuple[str, str]]]


class Router(NamedTuple):
    """The container of a task that routes the output of others. `is_first`: it waits for none of them."""

    name: str
    kind: FirelensConfigurationType
    options: Mapping[str, str]
    is_first: bool
    is_read_only: bool

    @property
    def directory(self) -> str:
        """Where its image looks for its configuration."""
        return DIRECTORY[self.kind]

    @property
    def s3_object(self) -> str | None:
        """The ARN of the file in a bucket that its configuration includes, if it does."""
        return self.options.get("config-file-value") if self.options.get("config-file-type") == "s3" else None

    @property
    def included(self) -> str | None:
        """The path of the user's own configuration that its configuration includes, if it does."""
        if self.s3_object is not None:
            return f"{self.directory}/{EXTERNAL}"
        return self.options.get("config-file-value") if self.options.get("config-file-type") == "file" else None


def uses_router(container: ContainerDefinition) -> bool:
    """Whether its output goes through FireLens."""
    return container.log_configuration is not None and container.log_configuration.log_driver == DRIVER


def router_of(definition: TaskDefinition) -> Router | None:
    """The one of a task, if it has one."""
    for container in definition.container_definitions or []:
        if (found := container.firelens_configuration) is not None:
            is_first = not (container.depends_on or container.links or container.volumes_from)
            is_read_only = bool(container.readonly_root_filesystem)
            return Router(str(container.name), found.type, found.options or {}, is_first, is_read_only)
    return None


def settled(record: TaskRecord, definition: TaskDefinition, container: ContainerDefinition) -> ContainerDefinition:
    """A container of the definition with what FireLens adds to it."""
    router, logs = router_of(definition), container.log_configuration
    if router is not None and container.name == router.name:
        if logs is not None and uses_router(container):  # its own
            logs = evolve(logs, secret_options=None)
        secrets = [*(container.secrets or []), *_values(definition)] or None
        return evolve(container, secrets=secrets, log_configuration=logs)
    if router is None or logs is None:
        return container
    added = dict(_address(record, definition, router)) if not container.disable_networking else {}
    environment = [pair for pair in container.environment or [] if pair.name not in added]
    environment += [KeyValuePair(name=name, value=value) for name, value in added.items()]
    depends_on = container.depends_on or []
    # Where the router waits for others itself, nothing else is asked of the order.
    if router.is_first and not any(dependency.container_name == router.name for dependency in depends_on):
        depends_on = [*depends_on, ContainerDependency(container_name=router.name, condition="START")]
    logs = evolve(logs, secret_options=None)
    return evolve(container, environment=environment, depends_on=depends_on, log_configuration=logs)


def told_names(definition: TaskDefinition, container: ContainerDefinition) -> Collection[str]:
    """The variables that tell a container where the router listens, whatever its definition says of them."""
    is_routed = uses_router(container) and container.firelens_configuration is None
    return _TOLD if is_routed and not container.disable_networking and _listens(definition) is not None else ()


def driver_options(record: TaskRecord, container: ContainerDefinition, socket: str) -> dict[str, str]:
    """Those of the engine's fluentd driver, for a container that uses the router; `socket` is its path on the host."""
    given = (container.log_configuration and container.log_configuration.options) or {}
    options = {
        "tag": f"{container.name}-firelens-{last_part(record.arn)}",
        "fluentd-address": f"unix://{socket}",
        "fluentd-async": "true",
        "fluentd-sub-second-precision": "true",
    }
    if BUFFER_LIMIT in given:
        options["fluentd-buffer-limit"] = given[BUFFER_LIMIT]
    return options


def files(record: TaskRecord, definition: TaskDefinition, router: Router, external: bytes | None) -> dict[str, bytes]:
    """What is to be in the directory of the router's configuration; `external` is the file of the bucket."""
    found = {FILE[router.kind]: configuration(record, definition, router).encode()}
    return found if external is None else {**found, EXTERNAL: external}


def configuration(record: TaskRecord, definition: TaskDefinition, router: Router) -> str:
    """The router's, in its own words."""
    return (_fluentd if router.kind == "fluentd" else _fluent_bit)(record, definition, router)


def _fluent_bit(record: TaskRecord, definition: TaskDefinition, router: Router) -> str:
    sections: list[Section] = [("INPUT", [("Name", "forward"), ("unix_path", f"{SOCKETS}/fluent.sock")])]
    networked = (listens := _listens(definition)) is not None
    if listens is not None:
        check = [("Name", "tcp"), ("Tag", "firelens-healthcheck"), ("Listen", "127.0.0.1"), ("Port", "8877")]
        sections += [("INPUT", [("Name", "forward"), ("Listen", listens), ("Port", PORT)]), ("INPUT", check)]
    sources = list(_sources(definition, router))
    for option, word in ((INCLUDED, "Regex"), (EXCLUDED, "Exclude")):
        for name, options in sources:
            if option in options:
                grep = [("Name", "grep"), ("Match", f"{name}-firelens*"), (word, f"log {options[option]}")]
                sections.append(("FILTER", grep))
    if metadata := _metadata(record, definition, router):
        records = [("Record", f"{key} {value}") for key, value in metadata]
        sections.append(("FILTER", [("Name", "record_modifier"), ("Match", "*"), *records]))
    if path := router.included:
        sections.append((f"@INCLUDE {path}", []))
    if networked:
        sections.append(("OUTPUT", [("Name", "null"), ("Match", "firelens-healthcheck")]))
    for name, options in sources:
        if "Name" in options:
            output = [("Name", options["Name"]), ("Match", f"{name}-firelens*"), *_of_plugin(options, "Name")]
            sections.append(("OUTPUT", output))
    return "\n".join(
        (f"[{title}]\n" if lines else f"{title}\n") + "".join(f"    {key} {value}\n" for key, value in lines)
        for title, lines in sections
    )


def _fluentd(record: TaskRecord, definition: TaskDefinition, router: Router) -> str:
    parts = [_directive("source", "", [("@type", "unix"), ("path", f"{SOCKETS}/fluent.sock")])]
    if (listens := _listens(definition)) is not None:
        parts.append(_directive("source", "", [("@type", "forward"), ("bind", listens), ("port", PORT)]))
    sources = list(_sources(definition, router))
    for option, word in ((INCLUDED, "regexp"), (EXCLUDED, "exclude")):
        for name, options in sources:
            if option in options:
                inner = _directive(word, "", [("key", "log"), ("pattern", f"/{options[option]}/")])
                parts.append(_directive("filter", f"{name}-firelens**", [("@type", "grep")], inner))
    if metadata := _metadata(record, definition, router):
        inner = _directive("record", "", metadata)
        parts.append(_directive("filter", "**", [("@type", "record_transformer")], inner))
    if path := router.included:
        parts.append(f"@include {path}\n")
    for name, options in sources:
        if "@type" in options:
            output = [("@type", options["@type"]), *_of_plugin(options, "@type")]
            parts.append(_directive("match", f"{name}-firelens**", output))
    return "\n".join(parts)


def _directive(name: str, argument: str, parameters: Iterable[tuple[str, str]], inner: str = "") -> str:
    head = f"{name} {argument}".rstrip()
    lines = [f"{key} {value}" for key, value in parameters] + inner.splitlines()
    return f"<{head}>\n" + "".join(f"    {line}\n" for line in lines) + f"</{name}>\n"


def _sources(definition: TaskDefinition, router: Router) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The containers whose output is routed, with their log options; those that are secrets refer to a variable."""
    for index, container in enumerate(definition.container_definitions or []):
        logs = container.log_configuration
        if logs is not None and logs.log_driver == DRIVER:
            names = {secret.name: _variable(secret.name, index) for secret in logs.secret_options or []}
            said = {k: f"\"#{{ENV['{v}']}}\"" if router.kind == "fluentd" else f"${{{v}}}" for k, v in names.items()}
            yield str(container.name), {**(logs.options or {}), **said}


def _values(definition: TaskDefinition) -> list[Secret]:
    """The secrets that the router gets, of the log options of others."""
    return [
        Secret(name=_variable(secret.name, index), value_from=secret.value_from)
        for index, container in enumerate(definition.container_definitions or [])
        if uses_router(container) and container.log_configuration
        for secret in container.log_configuration.secret_options or []
    ]


def _variable(option: str, index: int) -> str:
    return f"{option}_{index}"


def _of_plugin(options: Mapping[str, str], plugin: str) -> list[tuple[str, str]]:
    ours = (plugin, INCLUDED, EXCLUDED, BUFFER_LIMIT)
    return sorted((key, value) for key, value in options.items() if key not in ours)


def _metadata(record: TaskRecord, definition: TaskDefinition, router: Router) -> list[tuple[str, str]]:
    """What each record of the output is to say of the task."""
    if router.options.get("enable-ecs-log-metadata", "true").lower() not in _TRUE:
        return []
    return [
        ("ecs_cluster", parse_arn(str(record.task.cluster_arn)).path[-1]),
        ("ecs_task_arn", record.arn),
        ("ecs_task_definition", f"{definition.family}:{definition.revision}"),
    ]


_TRUE = ("true", "t", "1")


def _listens(definition: TaskDefinition) -> str | None:
    """The address that the router listens on for what comes over the network; None where it does not."""
    return {"bridge": "0.0.0.0", "awsvpc": "127.0.0.1"}.get(definition.network_mode or "bridge")  # noqa: S104


def _address(record: TaskRecord, definition: TaskDefinition, router: Router) -> Iterator[tuple[str, str]]:
    """The variables that tell a container where the router listens."""
    listens = _listens(definition)
    if listens is None:
        return
    found = next((state.address for state in record.containers if state.name == router.name), None)
    host = listens if definition.network_mode == "awsvpc" else found and found.ipv4
    if host:
        yield from zip(_TOLD, (host, PORT), strict=True)
