"""What ECS and its agent ask of FireLens: one log router in a task, and what the log options of others lack.

Source: ECS API_FirelensConfiguration, and the ECS agent's taskresource/firelens, which says the same later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.operations.container_rules import Problem, shown
from ecsctl.scheduler.firelens import BUFFER_LIMIT, EXCLUDED, INCLUDED, PLUGIN, uses_router

_OBJECT = "arn:aws:s3:::bucket/fluent-bit.conf"


def log_router_problems(containers: Sequence[ContainerDefinition]) -> Iterator[Problem]:
    """Everything wrong with a task's log router and those that use it; paths begin with containerDefinitions."""
    routers = [index for index, container in enumerate(containers) if container.firelens_configuration is not None]
    for index in routers[1:]:
        path = f"containerDefinitions[{index}].firelensConfiguration"
        yield path, f"container '{containers[routers[0]].name}' is the task's log router already: a task has one."
    for index in routers:
        for field, sentence in _options(containers[index]):
            yield f"containerDefinitions[{index}].firelensConfiguration.options{field}", sentence
    for index, container in enumerate(containers):
        if uses_router(container):
            path = f"containerDefinitions[{index}].logConfiguration"
            if routers:
                yield from _plugin(containers[routers[0]], container, path)
            else:
                yield (
                    f"{path}.logDriver",
                    "awsfirelens needs a log router: give one container of the task a firelensConfiguration.",
                )


def _options(router: ContainerDefinition) -> Iterator[Problem]:
    options = (router.firelens_configuration and router.firelens_configuration.options) or {}
    kind, value = options.get("config-file-type"), options.get("config-file-value")
    if kind not in (None, "s3", "file"):
        yield "", f"config-file-type is s3 or file, not {shown(kind)}."
    elif kind and not value:
        yield "", "config-file-type is specified but config-file-value is not."
    elif kind == "s3" and (":s3:::" not in str(value) or "/" not in str(value)):
        yield "", f"config-file-value {shown(str(value))} is not the ARN of a file in Amazon S3, such as '{_OBJECT}'."
    elif kind == "file" and not str(value).startswith("/"):
        yield "", f"config-file-value {shown(str(value))} must be an absolute path in the container."


def _plugin(router: ContainerDefinition, container: ContainerDefinition, path: str) -> Iterator[Problem]:
    """Options for an output plugin need one."""
    logs, configuration = container.log_configuration, router.firelens_configuration
    if logs is None or configuration is None:
        return
    key = PLUGIN[configuration.type]
    given = {*(logs.options or {}), *(secret.name for secret in logs.secret_options or [])}
    if given - {INCLUDED, EXCLUDED, BUFFER_LIMIT} and key not in given:
        yield (
            f"{path}.options",
            f"missing output key {key} which is required for firelens configuration of type {configuration.type}.",
        )
