"""What conditions of policies may ask of a request: the values of its keys, those of ECS and our own.

Source: Service Authorization Reference, "Condition keys for Amazon Elastic Container Service".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ecsctl.model.errors import ApiError
from ecsctl.model.image import parse_image
from ecsctl.model.sizes import task_cpu_units, task_memory_mib
from ecsctl.operations.authorization_resources import RESOURCES, Asked, cluster_of, service_of
from ecsctl.operations.lookup import find_task

Value = str | list[str] | None
"""Of a key: one, several, or none."""


def _flag(value: object) -> str:
    return "true" if value else "false"


def _has(*names: str) -> Callable[[Asked, str], Value]:
    """Whether a switch is on. What an update leaves out stays as it is: then there is no such key."""

    def find(asked: Asked, _: str) -> Value:
        given = asked.member(*names)
        return None if given is None and asked.action.startswith("Update") else _flag(given)

    return find


def _cluster(asked: Asked, arn: str) -> Value:
    named_by_arn = ("service_deployment_arns", "service_deployment_arn", "service_revision_arns")
    return cluster_of(arn) if asked.member(*named_by_arn) else asked.cluster


def _service(asked: Asked, arn: str) -> Value:
    return asked.service or service_of(arn)


def _definition(asked: Asked, _: str) -> Value:
    found: str | None = asked.definition.task_definition_arn if asked.definition is not None else None
    return found


def _providers(asked: Asked, _: str) -> Value:
    strategy = asked.member("capacity_provider_strategy") or []
    names = [*(item.capacity_provider for item in strategy), *(asked.member("capacity_providers") or [])]
    return [name if name.startswith("arn:") else asked.ctx.scope.capacity_provider(name) for name in names]


def _task(asked: Asked, _: str) -> Value:
    return RESOURCES["task"](asked)[0].arn


def _container(asked: Asked, _: str) -> Value:
    """The one that is named, else the task's only one: in that the command would be executed."""
    given: str | None = asked.member("container")
    if given is not None or asked.found_cluster is None:
        return given
    task = find_task(asked.view, asked.found_cluster, asked.member("task"))
    names = [state.name for state in task.own_containers] if task is not None else []
    return names[0] if len(names) == 1 else None


def _instances(asked: Asked, _: str) -> Value:
    return [resource.arn for resource in RESOURCES["container-instance"](asked)]


def _ebs(asked: Asked, _: str) -> Value:
    volumes = asked.member("volume_configurations")
    if volumes is None and asked.action.startswith("Update"):
        return None
    return _flag(any(volume.managed_ebs_volume for volume in volumes or []))


def _connects(asked: Asked, _: str) -> Value:
    connect = asked.member("service_connect_configuration")
    if connect is None and asked.action.startswith("Update"):
        return None
    return _flag(connect is not None and connect.enabled)


def _namespace(asked: Asked, _: str) -> Value:
    connect = asked.member("service_connect_configuration")
    named: str | None = connect.namespace if connect is not None else asked.member("namespace")
    return named


def _network(asked: Asked) -> Any:
    network = asked.member("network_configuration")
    return network.awsvpc_configuration if network is not None else None


def _public_ip(asked: Asked, _: str) -> Value:
    network = _network(asked)
    if network is None and asked.action.startswith("Update"):
        return None
    return _flag(network is not None and network.assign_public_ip == "ENABLED")


def _subnets(asked: Asked, _: str) -> Value:
    network = _network(asked)
    return network.subnets if network is not None else None


def _propagates(asked: Asked, _: str) -> Value:
    given: str | None = asked.member("propagate_tags")
    return given or (None if asked.action.startswith("Update") else "NONE")


def _size(name: str, read: Callable[[str], int]) -> Callable[[Asked, str], Value]:
    def find(asked: Asked, _: str) -> Value:
        given = getattr(asked.definition, name, None)
        try:
            return str(read(given)) if given is not None else None
        except ApiError:  # the operation says so
            return None

    return find


def _containers(asked: Asked) -> list[Any]:
    return (asked.definition.container_definitions or []) if asked.definition is not None else []


def _privileged(asked: Asked, _: str) -> Value:
    return _flag(any(container.privileged for container in _containers(asked)))


def _on_host_network(asked: Asked, _: str) -> Value:
    return _flag(asked.definition is not None and asked.definition.network_mode == "host")


def _host_paths(asked: Asked, _: str) -> Value:
    volumes = (asked.definition.volumes or []) if asked.definition is not None else []
    return [volume.host.source_path for volume in volumes if volume.host is not None and volume.host.source_path]


def _registries(asked: Asked, _: str) -> Value:
    return [parse_image(container.image).registry for container in _containers(asked) if container.image]


def _devices(asked: Asked, _: str) -> Value:
    asked_for = [c.linux_parameters for c in _containers(asked) if c.linux_parameters is not None]
    return [device.host_path for parameters in asked_for for device in parameters.devices or []]


def _of(name: str) -> Callable[[Asked, str], Value]:
    """A member as it is."""
    return lambda asked, _: asked.member(name)


KEYS: dict[str, Callable[[Asked, str], Value]] = {
    "ecs:account-setting": _of("name"),
    "ecs:auto-assign-public-ip": _public_ip,
    "ecs:capacity-provider": _providers,
    "ecs:cluster": _cluster,
    "ecs:compute-compatibility": _of("requires_compatibilities"),
    "ecs:container-instances": _instances,
    "ecs:container-name": _container,
    "ecs:enable-ebs-volumes": _ebs,
    "ecs:enable-ecs-managed-tags": _has("enable_ecs_managed_tags"),
    "ecs:enable-execute-command": _has("enable_execute_command"),
    "ecs:enable-service-connect": _connects,
    "ecs:enable-vpc-lattice": _has("vpc_lattice_configurations"),
    "ecs:namespace": _namespace,
    "ecs:privileged": _privileged,
    "ecs:propagate-tags": _propagates,
    "ecs:service": _service,
    "ecs:subnet": _subnets,
    "ecs:task": _task,
    "ecs:task-cpu": _size("cpu", task_cpu_units),
    "ecs:task-definition": _definition,
    "ecs:task-memory": _size("memory", task_memory_mib),
    "ecsctl:device": _devices,
    "ecsctl:host-network": _on_host_network,
    "ecsctl:host-path": _host_paths,
    "ecsctl:image-registry": _registries,
}
"""How the value of a key is found, given the resource that is evaluated."""


def tag_keys(asked: Asked) -> Iterator[tuple[str, Value]]:
    """The keys of the tags that a request sets, or takes away."""
    tags = asked.member("tags") or []
    for tag in tags:
        yield f"aws:RequestTag/{tag.key}", tag.value or ""
    yield "aws:TagKeys", [str(tag.key) for tag in tags] or asked.member("tag_keys") or []
