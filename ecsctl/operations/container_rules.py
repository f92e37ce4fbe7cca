"""What ECS asks of one container definition. Each rule yields what is wrong: the field's path and a sentence.

Where AWS's own sentence is known it is used, so that what people search for finds the same answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ecsctl.model import loss
from ecsctl.model.container_definition import ContainerDefinition, LinuxParameters, PortMapping
from ecsctl.model.identity import RESERVED_PREFIXES
from ecsctl.model.sizes import container_size_problems
from ecsctl.scheduler.field_support import AWSLOGS

Problem = tuple[str, str]
"""The path below the container ("" is the container itself) and the sentence."""

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:#+-]*(?:@sha256:[0-9a-fA-F]{64})?", re.ASCII)
_PORT_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}", re.ASCII)
_S3_OBJECT = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9.-]+/.+\.env")
_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9])?", re.ASCII)
_ADDRESS = re.compile(r"[0-9A-Za-z.:-]{1,253}", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.$\\-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?", re.ASCII)
_CAPABILITY = re.compile(
    "ALL|AUDIT_CONTROL|AUDIT_WRITE|BLOCK_SUSPEND|CHOWN|DAC_OVERRIDE|DAC_READ_SEARCH|FOWNER|FSETID|IPC_LOCK|IPC_OWNER|"
    "KILL|LEASE|LINUX_IMMUTABLE|MAC_ADMIN|MAC_OVERRIDE|MKNOD|NET_ADMIN|NET_BIND_SERVICE|NET_BROADCAST|NET_RAW|SETFCAP|"
    "SETGID|SETPCAP|SETUID|SYS_ADMIN|SYS_BOOT|SYS_CHROOT|SYS_MODULE|SYS_NICE|SYS_PACCT|SYS_PTRACE|SYS_RAWIO|"
    "SYS_RESOURCE|SYS_TIME|SYS_TTY_CONFIG|SYSLOG|WAKE_ALARM"
)
_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{|<[A-Z0-9_]+>")


class Setting(NamedTuple):
    """What a container's rules need to know of its task."""

    network_mode: str
    task_memory: int | None
    windows: bool


def container_problems(container: ContainerDefinition, setting: Setting) -> Iterator[Problem]:
    """Everything wrong with `container`, in the order of its fields."""
    for rule in _RULES:
        yield from rule(container, setting)


def template_hint(text: str) -> str:
    """What to add when a value that is refused was to be filled in by a template."""
    return "; it looks like an unrendered template: render it first" if _TEMPLATE.search(text) else ""


def shown(text: str) -> str:
    """A value for a message: quoted, on one line, not endless."""
    return repr(text if len(text) <= 60 else text[:60] + "…")


def path_problem(path: str | None, windows: bool, what: str) -> str | None:
    """Why `path` is not an absolute path without `..`; None when it is."""
    if not path:
        return f"{what} should not be blank."
    if any(not character.isprintable() for character in path):
        return f"{what} {shown(path)} contains invalid characters."
    if windows:
        return None
    if not path.startswith("/"):
        return f"{what} {shown(path)} must be an absolute path{template_hint(path)}."
    if ".." in path.split("/"):
        return f"{what} {shown(path)} must not contain '..'."
    return None


def _image(container: ContainerDefinition, _: Setting) -> Iterator[Problem]:
    image = container.image
    if not image:
        yield "image", "Container.image should not be null or empty."
    elif not _IMAGE.fullmatch(image):
        yield "image", f"Container.image contains invalid characters: {shown(image)}{template_hint(image)}."
    elif len(image.partition("@")[0]) > 255:
        yield "image", "Container.image is longer than 255 characters."


def _size(container: ContainerDefinition, setting: Setting) -> Iterator[Problem]:
    yield from container_size_problems(container, setting.task_memory)


def _ports(container: ContainerDefinition, setting: Setting) -> Iterator[Problem]:
    mappings = container.port_mappings or []
    if mappings and setting.network_mode == "none":
        yield "portMappings", "Port mappings are not supported when networkMode=none."
    for index, mapping in enumerate(mappings):
        for field, sentence in _port(mapping, container.name or "", setting.network_mode):
            yield f"portMappings[{index}]{field}", sentence


def _port(mapping: PortMapping, name: str, mode: str) -> Iterator[Problem]:
    if mapping.container_port_range is not None:
        yield from _port_range(mapping, mode)
    elif mapping.container_port is None or not 1 <= mapping.container_port <= 65535:
        yield ".containerPort", f"Invalid 'containerPort' setting for container '{name}': write 1 to 65535."
    if mapping.host_port is not None:
        if not 0 <= mapping.host_port <= 65535:
            yield ".hostPort", f"Invalid 'hostPort' setting for container '{name}': write 0 (any) to 65535."
        elif mode in ("host", "awsvpc") and mapping.host_port != mapping.container_port:
            yield (
                ".hostPort",
                f"When networkMode={mode}, the host ports and container ports in port mappings must match: "
                f"{mapping.host_port} is not {mapping.container_port}. Leave hostPort out, or make it equal.",
            )
    if mapping.name is not None and not _PORT_NAME.fullmatch(mapping.name):
        yield ".name", f"{shown(mapping.name)} is not a port name: up to 64 of a-z, 0-9, _ and -, not starting with -."


def _port_range(mapping: PortMapping, mode: str) -> Iterator[Problem]:
    first, dash, last = (mapping.container_port_range or "").partition("-")
    if mapping.container_port is not None or mapping.host_port is not None:
        yield ".containerPortRange", "cannot be used together with containerPort or hostPort."
    elif mode not in ("bridge", "awsvpc"):
        yield ".containerPortRange", f"is not supported when networkMode={mode}."
    elif not (dash and _is_port(first) and _is_port(last) and int(first) < int(last)):
        yield ".containerPortRange", f"{shown(mapping.container_port_range or '')} is not a range such as '8000-8010'."


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535


def _environment(container: ContainerDefinition, _: Setting) -> Iterator[Problem]:
    for index, pair in enumerate(container.environment or []):
        if problem := _variable(pair.name):
            yield f"environment[{index}].name", problem
    plain = {pair.name for pair in container.environment or []}
    for index, secret in enumerate(container.secrets or []):
        if problem := _variable(secret.name):
            yield f"secrets[{index}].name", problem
        elif secret.name in plain:
            yield (
                f"secrets[{index}].name",
                "The secret name must be unique and not shared with any new or existing environment variables "
                f"set on the container, such as '{secret.name}'.",
            )
        plain.add(secret.name)


def _environment_files(container: ContainerDefinition, _: Setting) -> Iterator[Problem]:
    files = container.environment_files or []
    if len(files) > 10:
        yield "environmentFiles", "A maximum of 10 environment files can be specified."
    for index, file in enumerate(files):
        if not _S3_OBJECT.fullmatch(file.value):
            yield (
                f"environmentFiles[{index}].value",
                f"{shown(file.value)} is not the ARN of a file in Amazon S3, such as 'arn:aws:s3:::bucket/web.env'.",
            )


def _variable(name: str | None) -> str | None:
    if not name:
        return "the name of an environment variable should not be blank."
    if "=" in name or not name.isprintable():
        return f"{shown(name)} is not a name for an environment variable."
    return None


def _mounts(container: ContainerDefinition, setting: Setting) -> Iterator[Problem]:
    taken: set[str] = set()
    for index, mount in enumerate(container.mount_points or []):
        place = f"mountPoints[{index}].containerPath"
        target = (mount.container_path or "").rstrip("/") or "/"
        if problem := path_problem(mount.container_path, setting.windows, "containerPath"):
            yield place, problem
        elif ":" in target and not setting.windows:
            yield place, f"containerPath {shown(target)} must not contain ':'."
        elif target == "/":
            yield place, "containerPath must not be '/', the container's own root."
        elif target in taken:
            yield place, f"Duplicate mount point: {target}."
        taken.add(target)


def _health_check(container: ContainerDefinition, _: Setting) -> Iterator[Problem]:
    check = container.health_check
    if check is None:
        return
    kind, rest = (check.command[0] if check.command else ""), check.command[1:]
    if kind not in ("CMD", "CMD-SHELL", "NONE"):
        hint = ", and each word is a string of its own" if kind.startswith("CMD") else ""
        yield "healthCheck.command", f"must begin with CMD or CMD-SHELL, not {shown(kind)}{hint}."
    elif kind != "NONE" and not any(rest):
        yield "healthCheck.command", f"{kind} needs a command after it."
    yield from _range("healthCheck.interval", check.interval, 5, 300, "seconds")
    yield from _range("healthCheck.timeout", check.timeout, 2, 60, "seconds")
    yield from _range("healthCheck.retries", check.retries, 1, 10, "times")
    yield from _range("healthCheck.startPeriod", check.start_period, 0, 300, "seconds")


def _lifetime(container: ContainerDefinition, _: Setting) -> Iterator[Problem]:
    yield from _range("startTimeout", container.start_timeout, 0, None, "seconds")
    yield from _range("stopTimeout", container.stop_timeout, 0, None, "seconds")
    policy = container.restart_policy
    if policy is not None:
        yield from _range("restartPolicy.restartAttemptPeriod", policy.restart_attempt_period, 60, 1800, "seconds")
        if len(policy.ignored_exit_codes or []) > 50:
            yield "restartPolicy.ignoredExitCodes", "A maximum of 50 exit codes can be specified."


def _range(path: str, value: int | None, least: int, most: int | None, unit: str) -> Iterator[Problem]:
    if value is not None and (value < least or (most is not None and value > most)):
        limits = f"{least} to {most}" if most is not None else f"{least} or more"
        yield path, f"{value} is out of range: write {limits} {unit}".rstrip() + "."


def _network_names(container: ContainerDefinition, setting: Setting) -> Iterator[Problem]:
    if container.hostname and not _HOSTNAME.fullmatch(container.hostname):
        yield "hostname", f"{shown(container.hostname)} is not a host name."
    if setting.network_mode == "awsvpc":
        if container.hostname:
            yield "hostname", "Hostname is not supported on container when networkMode=awsvpc."
        if container.extra_hosts:
            yield "extraHosts", "Extra hosts are not supported on container when networkMode=awsvpc."
    for index, host in enumerate(container.extra_hosts or []):
        if not _HOSTNAME.fullmatch(host.hostname):
            yield f"extraHosts[{index}].hostname", f"{shown(host.hostname)} is not a host name."
        if not _ADDRESS.fullmatch(host.ip_address):
            yield f"extraHosts[{index}].ipAddress", f"{shown(host.ip_address)} is not an IP address."
    for index, server in enumerate(container.dns_servers or []):
        if not _ADDRESS.fullmatch(server):
            yield f"dnsServers[{index}]", f"{shown(server)} is not an IP address."
    for index, domain in enumerate(container.dns_search_domains or []):
        if not _HOSTNAME.fullmatch(domain):
            yield f"dnsSearchDomains[{index}]", f"{shown(domain)} is not a domain name."


def _user_and_labels(container: ContainerDefinition, _: Setting) -> Iterator[Problem]:
    if container.user and not _USER.fullmatch(container.user):
        yield "user", f"{shown(container.user)} is not a user: write user, user:group, uid or uid:gid."
    for label, value in (container.docker_labels or {}).items():
        if not label or not label.isprintable():
            yield "dockerLabels", f"{shown(label)} is not a name for a label."
        elif label == loss.LABEL:
            if value not in loss.POLICIES:
                yield "dockerLabels", f"{label}: {shown(value)} is none of {', '.join(loss.POLICIES)}."
        elif label.lower().startswith(RESERVED_PREFIXES):
            prefixes = " and ".join(RESERVED_PREFIXES)
            yield "dockerLabels", f"the label {shown(label)} is reserved: {prefixes} are the agent's own."


def _ulimits(container: ContainerDefinition, _: Setting) -> Iterator[Problem]:
    taken: set[str] = set()
    for index, limit in enumerate(container.ulimits or []):
        unlimited = limit.hard_limit == -1
        if limit.soft_limit < -1 or limit.hard_limit < -1:
            yield f"ulimits[{index}]", f"the limits of {limit.name} should not be negative."
        elif not unlimited and (limit.soft_limit > limit.hard_limit or limit.soft_limit == -1):
            yield f"ulimits[{index}].softLimit", f"the soft limit of {limit.name} is greater than its hard limit."
        if limit.name in taken:
            yield f"ulimits[{index}].name", f"{limit.name} is given twice."
        taken.add(limit.name)


def _log(container: ContainerDefinition, _: Setting) -> Iterator[Problem]:
    log = container.log_configuration
    if log is not None and log.log_driver == "awslogs":
        options = log.options or {}
        missing = [name for name in ("awslogs-region", "awslogs-group") if not options.get(name)]
        if missing:
            yield "logConfiguration.options", f"Log driver awslogs requires options: {', '.join(missing)}"
        if unknown := sorted(options.keys() - AWSLOGS.keys()):
            yield "logConfiguration.options", f"Log driver awslogs disallows options: {', '.join(map(shown, unknown))}"


def _system_controls(container: ContainerDefinition, _: Setting) -> Iterator[Problem]:
    for index, control in enumerate(container.system_controls or []):
        if not control.namespace or not re.fullmatch(r"[a-z][\w.*/-]*", control.namespace, re.ASCII):
            yield f"systemControls[{index}].namespace", "needs the name of a kernel parameter, e.g. net.core.somaxconn."
        if control.value is None:
            yield f"systemControls[{index}].value", "should not be null."


def _linux(container: ContainerDefinition, setting: Setting) -> Iterator[Problem]:
    linux = container.linux_parameters
    if linux is None:
        return
    if linux.capabilities is not None:
        for field, names in (("add", linux.capabilities.add), ("drop", linux.capabilities.drop)):
            for name in names or []:
                if not _CAPABILITY.fullmatch(name):
                    yield f"linuxParameters.capabilities.{field}", f"{shown(name)} is not a Linux capability."
    yield from _range("linuxParameters.sharedMemorySize", linux.shared_memory_size, 1, None, "MiB")
    yield from _range("linuxParameters.maxSwap", linux.max_swap, 0, None, "MiB")
    if linux.max_swap is not None and container.memory is None and setting.task_memory is None:
        # ECS would have the engine refuse it when the task starts.
        yield (
            "linuxParameters.maxSwap",
            f"is added to the limit of memory, which container '{container.name}' has none of: give it 'memory', "
            "or give that to the task.",
        )
    yield from _range("linuxParameters.swappiness", linux.swappiness, 0, 100, "")


def _devices(container: ContainerDefinition, setting: Setting) -> Iterator[Problem]:
    linux = container.linux_parameters or LinuxParameters()
    for index, device in enumerate(linux.devices or []):
        if problem := path_problem(device.host_path, setting.windows, "hostPath"):
            yield f"linuxParameters.devices[{index}].hostPath", problem
        if device.container_path and (problem := path_problem(device.container_path, setting.windows, "containerPath")):
            yield f"linuxParameters.devices[{index}].containerPath", problem
    for index, tmpfs in enumerate(linux.tmpfs or []):
        if problem := path_problem(tmpfs.container_path, setting.windows, "containerPath"):
            yield f"linuxParameters.tmpfs[{index}].containerPath", problem
        yield from _range(f"linuxParameters.tmpfs[{index}].size", tmpfs.size, 1, None, "MiB")
        for option in tmpfs.mount_options or []:
            if not re.fullmatch(r"[a-z_]+(=[\w:%-]+)?", option, re.ASCII):
                yield f"linuxParameters.tmpfs[{index}].mountOptions", f"{shown(option)} is not a mount option."


_RULES: tuple[Callable[[ContainerDefinition, Setting], Iterator[Problem]], ...] = (
    _image,
    _size,
    _ports,
    _environment,
    _environment_files,
    _mounts,
    _linux,
    _devices,
    _lifetime,
    _network_names,
    _user_and_labels,
    _ulimits,
    _log,
    _health_check,
    _system_controls,
)
