"""What ECS checks when a task definition is registered, and the one line that says what to change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.arn import check_name
from ecsctl.model.common import Tag
from ecsctl.model.errors import client_exception
from ecsctl.model.record import Record
from ecsctl.model.sizes import task_memory_mib, task_size_problems
from ecsctl.model.tag_text import may_be_in_tag
from ecsctl.model.task_definition import Volume
from ecsctl.operations.container_rules import (
    Problem,
    Setting,
    container_problems,
    path_problem,
    shown,
    template_hint,
)
from ecsctl.operations.definition_graph import graph_problems
from ecsctl.operations.fargate_rules import fargate_problems
from ecsctl.operations.log_router_rules import log_router_problems
from ecsctl.operations.strict_json import has_surrogate
from ecsctl.operations.task_rules import expression_problem

MAX_BYTES = 64 << 10
MAX_CONTAINERS = 10
MAX_CONSTRAINTS = 10
MAX_TAGS = 50
_INT32 = 1 << 31
_MAY_BE_ODD = re.compile(rb"\\u0000|[0-9]{10}")
"""In JSON. It takes a tenth of the time to look for than the values themselves."""
_ROLE = re.compile(r"[\w+=,.@:/*<>-]{1,2048}", re.ASCII)
_DRIVER = re.compile(r"[A-Za-z0-9][\w./:-]{0,254}", re.ASCII)


def validate(request: RegisterTaskDefinitionRequest) -> None:
    """Raises ClientException, with the field's path and ECS's sentence, for the first thing ECS would refuse."""
    check_name(request.family, "family")
    for path, sentence in _problems(request):
        raise client_exception(f"{path}: {sentence}")


def check_tags(tags: Iterable[Tag] | None, path: str = "tags") -> None:
    """The rules of every resource's tags. Raises ClientException."""
    for place, sentence in _tag_problems(list(tags or []), path):
        raise client_exception(f"{place}: {sentence}")


def _problems(request: RegisterTaskDefinitionRequest) -> Iterator[Problem]:
    # size first: whatever comes after may then look at everything without thought for its cost
    text = _text(request)
    yield from _too_large(request, len(text))
    if not text or _MAY_BE_ODD.search(text):
        yield from _odd_values(request, "")
    yield from _containers(request)
    yield from _task(request)
    yield from _volumes(request)
    yield from graph_problems(request.container_definitions, request.network_mode or "bridge")
    yield from log_router_problems(request.container_definitions)
    if "FARGATE" in (request.requires_compatibilities or []):
        yield from fargate_problems(request)
    yield from _tag_problems(request.tags or [], "tags")


def _text(request: RegisterTaskDefinitionRequest) -> bytes:
    """The request as JSON; empty where it is none, for something in it that is no character."""
    try:
        return msgspec.json.encode(request)
    except UnicodeEncodeError:
        return b""


def _too_large(request: RegisterTaskDefinitionRequest, size: int) -> Iterator[Problem]:
    if len(request.container_definitions) > MAX_CONTAINERS:
        yield "containerDefinitions", f"Too many containers. A task definition has at most {MAX_CONTAINERS}."
    if size > MAX_BYTES:
        yield (
            request.family,
            f"the task definition is {size / 1024:.0f} KiB; ECS takes at most {MAX_BYTES >> 10} KiB. "
            "Large environments belong in a file on a volume.",
        )


def _odd_values(value: object, path: str) -> Iterator[Problem]:
    """What no field takes: NUL, half a surrogate pair, and integers beyond the API's 32 bits."""
    if isinstance(value, Record):
        for name, wire_name in _names(type(value)):
            item = getattr(value, name)
            if item is not None:
                yield from _odd_values(item, f"{path}.{wire_name}" if path else wire_name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _odd_values(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _odd_values(key, path)
            yield from _odd_values(item, f"{path}.{key}" if key.isprintable() else path)
    elif isinstance(value, str):
        if "\0" in value:
            yield path, "must not contain a NUL character."
        elif has_surrogate(value):
            yield path, "contains half of a surrogate pair, which is not a character."
    elif isinstance(value, int) and not -_INT32 <= value < _INT32:
        yield path, f"{value} is out of range: integers have 32 bits."


@cache
def _names(kind: type[Record]) -> tuple[tuple[str, str], ...]:
    """The fields of a record in Python and on the wire: msgspec works them out anew each time."""
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind))


def _containers(request: RegisterTaskDefinitionRequest) -> Iterator[Problem]:
    if not request.container_definitions:
        yield "containerDefinitions", "Container list cannot be empty."
    names: set[str] = set()
    for index, container in enumerate(request.container_definitions):
        path = f"containerDefinitions[{index}].name"
        if not container.name:
            yield path, "Container.name should not be null or empty."
            continue
        check_name(container.name, f"{path}: name")
        if container.name in names:
            yield path, f"Duplicate container name '{container.name}': each container needs a name of its own."
        names.add(container.name)
    setting = Setting(
        network_mode=request.network_mode or "bridge",
        task_memory=task_memory_mib(request.memory) if request.memory else None,
        windows=is_windows(request),
    )
    for index, container in enumerate(request.container_definitions):
        for field, sentence in container_problems(container, setting):
            yield f"containerDefinitions[{index}].{field}", sentence
    if all(container.essential is False for container in request.container_definitions):
        yield (
            "containerDefinitions",
            "At least one container must be essential: leave essential out, or set it to true.",
        )
    yield from _host_ports(request)


def _host_ports(request: RegisterTaskDefinitionRequest) -> Iterator[Problem]:
    shared = (request.network_mode or "bridge") != "bridge"
    taken: dict[tuple[int, str], int] = {}
    for index, container in enumerate(request.container_definitions):
        for number, mapping in enumerate(container.port_mappings or []):
            port = (mapping.container_port if shared else mapping.host_port) or 0
            key = (port, mapping.protocol or "tcp")
            # Where containers share one network, one container may name its port twice (once per port name).
            if port and key in taken and not (shared and taken[key] == index):
                other = request.container_definitions[taken[key]].name
                yield (
                    f"containerDefinitions[{index}].portMappings[{number}]",
                    f"port {port}/{key[1]} is already taken by container '{other}' of this task.",
                )
            taken.setdefault(key, index)


def _constraints(request: RegisterTaskDefinitionRequest) -> Iterator[Problem]:
    constraints = request.placement_constraints or []
    if len(constraints) > MAX_CONSTRAINTS:
        yield "placementConstraints", f"A maximum of {MAX_CONSTRAINTS} constraints can be specified."
    for index, constraint in enumerate(constraints):
        if constraint.type is None:
            yield f"placementConstraints[{index}].type", "is required: memberOf."
        elif wrong := expression_problem(constraint.expression):
            yield f"placementConstraints[{index}].expression", f"{wrong}."


def _task(request: RegisterTaskDefinitionRequest) -> Iterator[Problem]:
    for field, role in (("taskRoleArn", request.task_role_arn), ("executionRoleArn", request.execution_role_arn)):
        if role and not _ROLE.fullmatch(role):
            yield field, f"Role is not valid: {shown(role)}{template_hint(role)}."
    yield from task_size_problems(request.cpu, request.memory, request.container_definitions)
    yield from _constraints(request)
    if request.ephemeral_storage is not None and not 21 <= request.ephemeral_storage.size_in_gib <= 200:
        yield (
            "ephemeralStorage.sizeInGiB",
            f"{request.ephemeral_storage.size_in_gib} is out of range: write 21 to 200 GiB.",
        )
    proxy = request.proxy_configuration
    if proxy is not None and proxy.container_name not in [c.name for c in request.container_definitions]:
        yield (
            "proxyConfiguration.containerName",
            f"container {shown(proxy.container_name)} does not exist in this task definition.",
        )


def _volumes(request: RegisterTaskDefinitionRequest) -> Iterator[Problem]:
    names: set[str] = set()
    for index, volume in enumerate(request.volumes or []):
        path = f"volumes[{index}]"
        if not volume.name:
            yield f"{path}.name", "Volume.name should not be null or empty."
            continue
        check_name(volume.name, f"{path}.name: volume")
        if volume.name in names:
            yield f"{path}.name", f"Duplicate volume name '{volume.name}'."
        names.add(volume.name)
        for field, sentence in _volume(volume, is_windows(request)):
            yield f"{path}.{field}", sentence
    at_launch = [volume.name for volume in request.volumes or [] if volume.configured_at_launch]
    if len(at_launch) > 1:
        yield "volumes", f"only one volume can be configured at launch: {', '.join(map(str, at_launch))}."
    for index, container in enumerate(request.container_definitions):
        for number, mount in enumerate(container.mount_points or []):
            if mount.source_volume not in names:
                yield (
                    f"containerDefinitions[{index}].mountPoints[{number}].sourceVolume",
                    f"Unknown volume {shown(mount.source_volume or '')}.",
                )


def _volume(volume: Volume, windows: bool) -> Iterator[Problem]:
    docker = volume.docker_volume_configuration
    kinds = [
        volume.host if volume.host is not None and volume.host.source_path is not None else None,
        docker,
        volume.efs_volume_configuration,
        volume.s3files_volume_configuration,
        volume.fsx_windows_file_server_volume_configuration,
        volume.configured_at_launch or None,
    ]
    if sum(kind is not None for kind in kinds) > 1:
        yield "name", "When the volume parameter is specified, only one volume configuration type should be used."
    if volume.host is not None and volume.host.source_path is not None:
        source = volume.host.source_path
        if problem := path_problem(source, windows, "host.sourcePath"):
            yield "host.sourcePath", problem
        elif ":" in source and not windows:
            yield "host.sourcePath", f"host.sourcePath {shown(source)} must not contain ':'."
    yield from _file_system(volume)
    if docker is not None and docker.driver is not None and not _DRIVER.fullmatch(docker.driver):
        yield "dockerVolumeConfiguration.driver", f"{shown(docker.driver)} is not the name of a volume driver."


def _file_system(volume: Volume) -> Iterator[Problem]:
    """What is asked of a directory, which an access point has already, of a file system of Amazon's."""
    efs, files = volume.efs_volume_configuration, volume.s3files_volume_configuration
    authorization = efs.authorization_config if efs else None
    asked = (
        ("efsVolumeConfiguration", efs, authorization and authorization.access_point_id),
        ("s3filesVolumeConfiguration", files, files and files.access_point_arn),
    )
    for field, found, access_point in asked:
        root = found.root_directory if found else None
        if root and (problem := path_problem(root, windows=False, what="rootDirectory")):
            yield f"{field}.rootDirectory", problem
        elif access_point and root not in (None, "/"):
            yield f"{field}.rootDirectory", "with an access point, the root directory is left out, or '/'."
    needs_encryption = authorization and (authorization.iam == "ENABLED" or authorization.access_point_id)
    if efs and needs_encryption and efs.transit_encryption != "ENABLED":
        path = "efsVolumeConfiguration.transitEncryption"
        yield path, "has to be ENABLED with an access point or IAM authorization."


def _tag_problems(tags: list[Tag], path: str) -> Iterator[Problem]:
    if len(tags) > MAX_TAGS:
        yield path, f"A resource has at most {MAX_TAGS} tags."
    keys: set[str] = set()
    for index, tag in enumerate(tags):
        place = f"{path}[{index}]"
        if not tag.key or len(tag.key) > 128:
            yield f"{place}.key", "a tag's key has 1 to 128 characters."
        elif tag.key.lower().startswith("aws:"):
            yield f"{place}.key", "keys that begin with 'aws:' are reserved."
        elif tag.key in keys:
            yield f"{place}.key", f"the key {shown(tag.key)} is given twice."
        if len(tag.value or "") > 256:
            yield f"{place}.value", "a tag's value has at most 256 characters."
        if not may_be_in_tag((tag.key or "") + (tag.value or "")):
            yield place, "a tag has letters, digits, spaces and _ . : / = + - @ only."
        keys.add(tag.key or "")


def is_windows(request: RegisterTaskDefinitionRequest) -> bool:
    """Whether the definition is for Windows hosts, whose paths look otherwise."""
    platform = request.runtime_platform
    return platform is not None and (platform.operating_system_family or "LINUX") != "LINUX"
