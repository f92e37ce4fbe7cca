"""What this release does with each field of a task definition: honoured, mapped to something else, or refused.

One table for every field, so that nothing is accepted and ignored (a test walks the records and asks for
each). A path ends at the field that is judged; what lies below it is judged with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.file_system import FileSystem
from ecsctl.model.record import Record
from ecsctl.model.task import TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.volumes import problems

Judgement = Literal["honoured", "mapped", "refused"]


class Verdict(NamedTuple):
    """What happens to one field that is present: its path, e.g. `containerDefinitions[1].secrets`, and why."""

    path: str
    verdict: Judgement
    note: str


class Support(NamedTuple):
    """An entry of the table, before a path is put to it."""

    verdict: Judgement
    note: str = ""


Rule = Support | Callable[[Any, Record], Support] | None
"""Fixed, or a function of the value and of the record it is in; None: filled in by ecsctl, never judged."""


def review(
    definition: TaskDefinition | RegisterTaskDefinitionRequest,
    overrides: TaskOverride | None = None,
    file_systems: Mapping[str, FileSystem] | None = None,
) -> list[Verdict]:
    """One verdict for each field that is present, in the order of the definition, then of the overrides.

    `file_systems` are those that something stands for; what is of others is refused, unless it is None.
    """
    verdicts = list(_record(definition, "", ""))
    if file_systems is not None:
        for path, why in problems(definition, file_systems):
            verdicts = [v._replace(verdict="refused", note=why) if v.path == path else v for v in verdicts]
    if overrides is not None:
        verdicts += _record(overrides, "overrides", "overrides")
    return verdicts


def refusals(
    definition: TaskDefinition | RegisterTaskDefinitionRequest,
    overrides: TaskOverride | None = None,
    file_systems: Mapping[str, FileSystem] | None = None,
) -> list[Verdict]:
    """The verdicts that keep the definition from being run."""
    return [verdict for verdict in review(definition, overrides, file_systems) if verdict.verdict == "refused"]


def _record(record: Record, path: str, pattern: str) -> Iterator[Verdict]:
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        if value is not None:
            name = field.encode_name
            inner_path, inner_pattern = (f"{path}.{name}", f"{pattern}.{name}") if path else (name, name)
            yield from _value(value, record, inner_path, inner_pattern)


def _value(value: Any, parent: Record, path: str, pattern: str) -> Iterator[Verdict]:
    if pattern in TABLE:
        rule = TABLE[pattern]
        if rule is not None:
            yield Verdict(path, *_judge(rule, value, parent))
    elif isinstance(value, Record):
        inner = list(_record(value, path, pattern))
        yield from inner or [Verdict(path, "honoured", "empty")]
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _value(item, parent, f"{path}[{index}]", f"{pattern}[]")
    elif isinstance(value, list):
        yield Verdict(path, "honoured", "empty")
    else:
        # Not in the table: the test forbids it. If it happens all the same, better refused than ignored.
        yield Verdict(path, "refused", "not known to this release")


def _judge(rule: Support | Callable[[Any, Record], Support], value: Any, parent: Record) -> Support:
    if isinstance(rule, Support):
        # An empty list or object asks for nothing.
        return _EMPTY if value in ([], {}) else rule
    return rule(value, parent)


_EMPTY = Support("honoured", "empty")
_YES = Support("honoured")


def _no(why: str) -> Support:
    return Support("refused", why)


def _maps(to: str) -> Support:
    return Support("mapped", to)


def _compatibilities(value: Any, _: Record) -> Support:
    others = [kind for kind in value if kind not in ("EC2", "EXTERNAL")]
    return _maps(f"{', '.join(others)}: any registered host serves") if others else _YES


def _operating_system(value: Any, _: Record) -> Support:
    return _YES if value == "LINUX" else _no("only Linux containers run here")


def _log_driver(value: Any, _: Record) -> Support:
    if value == "awslogs":
        return _maps("kept by the engine, and beside the state when the container has ended: `ecsctl logs GROUP`")
    return Support("honoured", "by the engine; ECS itself refuses this driver") if value == "local" else _YES


_EACH_LINE = "recorded; each line stays an event of its own"
AWSLOGS = {
    "awslogs-group": "names the log",
    "awslogs-stream-prefix": "names the log",
    "awslogs-stream": "names the log, where there is no prefix",
    "awslogs-region": "recorded; there is one store for all regions",
    "awslogs-create-group": "recorded; a group is there with its first log",
    "awslogs-datetime-format": _EACH_LINE,
    "awslogs-multiline-pattern": _EACH_LINE,
    "mode": "how the engine takes lines over",
    "max-buffer-size": "how the engine takes lines over",
}
"""Option of the driver awslogs → what becomes of it. They are those of ECS, which refuses others of Docker's, and
Docker's name of a stream."""


def _log_options(value: Any, parent: Record) -> Support:
    if not value or getattr(parent, "log_driver", None) != "awslogs":
        return _YES if value else _EMPTY
    if unknown := sorted(value.keys() - AWSLOGS.keys()):
        return _no(f"{', '.join(unknown)}: awslogs has no such option")
    names: dict[str, list[str]] = {}
    for name in value:
        names.setdefault(AWSLOGS[name], []).append(name)
    return _maps("; ".join(f"{', '.join(of_it)}: {what}" for what, of_it in names.items()))


def _router_options(value: Any, parent: Record) -> Support:
    if unknown := sorted(set(value) - {"enable-ecs-log-metadata", "config-file-type", "config-file-value"}):
        return _no(f"{', '.join(unknown)}: FireLens has no such option")
    if value.get("enable-ecs-log-metadata", "true") not in ("true", "false"):
        return _no("enable-ecs-log-metadata is true or false")
    path = value.get("config-file-value", "").lower()
    if getattr(parent, "type", None) == "fluentbit" and path.endswith((".yaml", ".yml")):
        return _no("a configuration in YAML cannot be included; write it in Fluent Bit's classic format")
    if value.get("config-file-type") == "s3":
        return _maps("a file of the directory that stands for the bucket: [buckets] in the configuration")
    return _YES if value else _EMPTY


def _host_volume(value: Any, _: Record) -> Support:
    if value.source_path is None:
        return _YES
    return _maps("a path that is there already: where it is missing, the task fails to start; nothing is created")


def _at_launch(value: Any, _: Record) -> Support:
    if not value:
        return Support("honoured", "off")
    return _maps(
        "a volume of the task's own, by the driver that [file_systems] ebs names; what it is to be is recorded"
    )


def _only_if_true(why: str) -> Callable[[Any, Record], Support]:
    return lambda value, _: _no(why) if value else Support("honoured", "off")


def _security_options(value: Any, _: Record) -> Support:
    if any(option.startswith("credentialspec") for option in value):
        return _no("credential specs are for Windows and Active Directory")
    return _YES if value else _EMPTY


def _task_size(_: Any, parent: Record) -> Support:
    """An engine knows no limit of several containers together; the ECS agent makes a cgroup for each task."""
    if len(getattr(parent, "container_definitions", None) or ()) == 1:
        return _YES
    return _maps("reserved for the task; each of its containers may use all of it, unless its own limit is lower")


def _disable_networking(value: Any, parent: Record) -> Support:
    lost = [name for name in ("links", "port_mappings") if value and getattr(parent, name)]
    return _maps("links and portMappings are ignored with it, as on ECS") if lost else _YES


def _ipc_mode(value: Any, parent: Record) -> Support:
    containers = getattr(parent, "container_definitions", None) or ()
    if value != "task" and any(c.linux_parameters and c.linux_parameters.shared_memory_size for c in containers):
        return _maps("linuxParameters.sharedMemorySize is ignored with it, as on ECS: /dev/shm is not the container's")
    return _YES


def _swappiness(_: Any, parent: Record) -> Support:
    return _YES if getattr(parent, "max_swap", None) is not None else _maps("ignored without maxSwap, as ECS does")


def _resources(value: Any, _: Record) -> Support:
    if others := sorted({one.type for one in value if one.type != "GPU"}):
        return _no(f"{', '.join(others)} is not honoured: only GPU is")
    if any(one.sharing_strategy for one in value):
        return _no("GPUs are not shared by containers in this release")
    if not all((text := one.value or "").isdecimal() and text.isascii() and 0 < int(text) < 1000 for one in value):
        return _no('the value says how many GPUs, like "1"')
    return Support("honoured", "of the GPUs that the host was registered with") if value else _EMPTY


def _secret(value: Any, _: Record) -> Support:
    from ecsctl.model.secret import parse_reference  # most definitions have none

    try:
        parse_reference(value)
    except ValueError as error:
        return _no(str(error))
    return Support("honoured", "whoever may use the host's Docker can read it there, as on ECS")


def _environment_file(value: Any, _: Record) -> Support:
    if ":s3:::" not in value:
        return _no("expected the ARN of a file in Amazon S3, such as arn:aws:s3:::bucket/web.env")
    return _maps("a file of the directory that stands for the bucket: [buckets] in the configuration")


def _log_secrets(value: Any, parent: Record) -> Support:
    if value and getattr(parent, "log_driver", None) == "awslogs":
        return _no("awslogs takes no options from secrets")
    return _YES if value else _EMPTY


_TASK_SIZE = Support("honoured", "in place of the definition's, and as that")
_NO_PROXY = _maps("recorded; Service Connect has no proxy here, which would have to know it")
_ROLE = _maps("containers find its credentials where [roles] in the configuration says where they come from, else none")
_EXECUTION_ROLE = _maps("recorded; images and secrets are fetched with what this machine is configured with")
_NO_DEVICES = _no("Elastic Inference accelerators are Amazon's")
_OWN_SIZE = Support(
    "honoured",
    "each container's own file system may grow to it; an engine that cannot limit it (overlay2 has to be on xfs with "
    'pquota) refuses, unless the configuration says ephemeral_storage = "recorded"',
)
_STANDS = _maps("what stands for it in the configuration: [file_systems]")
_MOUNTED = _maps("whatever stands for the file system is mounted as the configuration says")

_CONTAINER: dict[str, Rule] = {
    "name": _YES,
    "image": _YES,
    "repositoryCredentials.credentialsParameter": _secret,
    "cpu": _YES,
    "memory": _YES,
    "memoryReservation": _YES,
    "links": _YES,
    "portMappings[].containerPort": _YES,
    "portMappings[].hostPort": _YES,
    "portMappings[].protocol": _YES,
    "portMappings[].name": Support("honoured", "Service Connect finds the port by it"),
    "portMappings[].appProtocol": _NO_PROXY,
    "portMappings[].containerPortRange": Support("honoured", "by as many ports of the host in a row, from 61000 on"),
    "essential": _YES,
    "restartPolicy": _YES,
    "entryPoint": _YES,
    "command": _YES,
    "environment": _YES,
    "environmentFiles[].value": _environment_file,
    "environmentFiles[].type": _YES,
    "mountPoints": _YES,
    "volumesFrom": _YES,
    "linuxParameters.capabilities": _YES,
    "linuxParameters.devices": _YES,
    "linuxParameters.initProcessEnabled": _YES,
    "linuxParameters.sharedMemorySize": _YES,
    "linuxParameters.tmpfs": _YES,
    "linuxParameters.maxSwap": Support("honoured", "added to the memory of the container, or else of its task"),
    "linuxParameters.swappiness": _swappiness,
    "secrets[].name": _YES,
    "secrets[].valueFrom": _secret,
    "dependsOn": _YES,
    "startTimeout": _YES,
    "stopTimeout": _YES,
    "versionConsistency": _YES,
    "hostname": _YES,
    "user": _YES,
    "workingDirectory": _YES,
    "disableNetworking": _disable_networking,
    "privileged": _YES,
    "readonlyRootFilesystem": _YES,
    "dnsServers": _YES,
    "dnsSearchDomains": _YES,
    "extraHosts": _YES,
    "dockerSecurityOptions": _security_options,
    "interactive": _YES,
    "pseudoTerminal": _YES,
    "dockerLabels": _YES,
    "ulimits": _YES,
    "logConfiguration.logDriver": _log_driver,
    "logConfiguration.options": _log_options,
    "logConfiguration.secretOptions": _log_secrets,
    "healthCheck": _YES,
    "systemControls": _YES,
    "resourceRequirements": _resources,
    "firelensConfiguration.type": _YES,
    "firelensConfiguration.options": _router_options,
    "credentialSpecs": _no("credential specs are for Windows and Active Directory"),
}

_VOLUME: dict[str, Rule] = {
    "name": _YES,
    "host": _host_volume,
    "dockerVolumeConfiguration": _YES,
    "efsVolumeConfiguration.fileSystemId": _STANDS,
    "efsVolumeConfiguration.rootDirectory": _YES,
    "efsVolumeConfiguration.transitEncryption": _MOUNTED,
    "efsVolumeConfiguration.transitEncryptionPort": _MOUNTED,
    "efsVolumeConfiguration.authorizationConfig.accessPointId": _STANDS,
    "efsVolumeConfiguration.authorizationConfig.iam": _MOUNTED,
    "s3filesVolumeConfiguration.fileSystemArn": _STANDS,
    "s3filesVolumeConfiguration.rootDirectory": _YES,
    "s3filesVolumeConfiguration.transitEncryptionPort": _MOUNTED,
    "s3filesVolumeConfiguration.accessPointArn": _STANDS,
    "fsxWindowsFileServerVolumeConfiguration.fileSystemId": _STANDS,
    "fsxWindowsFileServerVolumeConfiguration.rootDirectory": _YES,
    "fsxWindowsFileServerVolumeConfiguration.authorizationConfig": _MOUNTED,
    "configuredAtLaunch": _at_launch,
}

_OVERRIDE: dict[str, Rule] = {
    "name": _YES,
    "command": _YES,
    "environment": _YES,
    "environmentFiles[].value": _environment_file,
    "environmentFiles[].type": _YES,
    "cpu": _YES,
    "memory": _YES,
    "memoryReservation": _YES,
    "resourceRequirements": _resources,
}


def _under(prefix: str, table: dict[str, Rule]) -> dict[str, Rule]:
    return {f"{prefix}.{path}": rule for path, rule in table.items()}


TABLE: dict[str, Rule] = {
    "family": _YES,
    "taskRoleArn": _ROLE,
    "executionRoleArn": _EXECUTION_ROLE,
    "networkMode": _YES,
    **_under("containerDefinitions[]", _CONTAINER),
    **_under("volumes[]", _VOLUME),
    "placementConstraints": _YES,
    "runtimePlatform.cpuArchitecture": Support("honoured", "checked against the host"),
    "runtimePlatform.operatingSystemFamily": _operating_system,
    "requiresCompatibilities": _compatibilities,
    "cpu": _task_size,
    "memory": _task_size,
    "tags": _YES,
    "inferenceAccelerators": _NO_DEVICES,
    "pidMode": _YES,
    "ipcMode": _ipc_mode,
    "proxyConfiguration": _no("App Mesh is Amazon's; its proxy is not set up here"),
    "ephemeralStorage": _OWN_SIZE,
    "enableFaultInjection": _only_if_true("fault injection is not in this release"),
    "trustedExecutionConfiguration": _no("sandboxes with attestation are Amazon's"),
    # what a registered definition carries besides
    "taskDefinitionArn": None,
    "revision": None,
    "status": None,
    "requiresAttributes": None,
    "compatibilities": None,
    "registeredAt": None,
    "deregisteredAt": None,
    "deleteRequestedAt": None,
    "registeredBy": None,
    **_under("overrides.containerOverrides[]", _OVERRIDE),
    "overrides.cpu": _TASK_SIZE,
    "overrides.memory": _TASK_SIZE,
    "overrides.inferenceAcceleratorOverrides": _NO_DEVICES,
    "overrides.executionRoleArn": _EXECUTION_ROLE,
    "overrides.taskRoleArn": _ROLE,
    "overrides.ephemeralStorage": _OWN_SIZE,
}
"""Path pattern → rule. `[]` stands for every item of a list."""
