"""What the labels of containers say: tasks, and the task definitions that they were made from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from ecsctl.model import identity
from ecsctl.model.arn import instance_beside, parse_arn
from ecsctl.model.common import KeyValuePair
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.errors import ApiError
from ecsctl.model.observed import Observed
from ecsctl.model.record import evolve
from ecsctl.model.task import ContainerOverride, TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.model.timestamps import unix_time
from ecsctl.operations.recover.survey import Sighting, SurveyedHost
from ecsctl.scheduler.firelens import DRIVER, told_names
from ecsctl.scheduler.labels import About, about_in, definition_in


class FoundTask(NamedTuple):
    """A task, by its containers on one host. `is_told`: its labels are of this release or one like it."""

    arn: str
    host: SurveyedHost
    containers: dict[str, Sighting]
    definition: TaskDefinition
    about: About
    is_told: bool
    seq: int

    @property
    def cluster(self) -> str:
        """The ARN of its cluster."""
        return self.arn.rpartition("/")[0].replace(":task/", ":cluster/")

    @property
    def instance(self) -> str:
        """The ARN of its container instance."""
        return instance_beside(self.arn, next(iter(self.containers.values())).seen.labels[identity.INSTANCE])

    @property
    def is_up(self) -> bool:
        return any(one.seen.is_up for one in self.containers.values())

    @property
    def is_over(self) -> bool:
        """Whether it had come to its end, or had not begun, when the state was lost: what ended later still has the
        name that it was created with."""
        return all(
            one.seen.state == "created" or (one.seen.has_ended and _is_buried(one.seen.name))
            for one in self.containers.values()
        )


class Unread(NamedTuple):
    """A container whose labels do not say enough, or were made for another, and why."""

    name: str
    why: str


def tasks_of(host: SurveyedHost, sightings: Iterable[Sighting]) -> tuple[list[FoundTask], list[Unread]]:
    """The tasks that containers on a host are of, in the order of their making."""
    groups: dict[str, list[Sighting]] = {}
    unread = []
    for one in sightings:
        arn = one.seen.labels.get(f"{identity.AGENT}task-arn", "")
        if why := _why_unread(arn, one.seen):
            unread.append(Unread(one.seen.name, why))
        else:
            groups.setdefault(arn, []).append(one)
    found = [_task(arn, host, group) for arn, group in groups.items()]
    return sorted(found, key=lambda task: (task.seq, task.arn)), unread


def _why_unread(arn: str, seen: Observed) -> str:
    labels = seen.labels
    try:
        parsed = parse_arn(arn)
    except ApiError:
        return "its labels name no task"
    if parsed.kind != "task" or len(parsed.path) != 2:
        return "its labels name no task"
    if any(not labels.get(label) for label in (identity.CONTAINER, identity.INSTANCE)):
        return "its labels do not say whose it is"
    definition = definition_in(labels)
    if definition is None or not definition.task_definition_arn:
        return "its labels have no task definition that can be read"
    names = {container.name for container in definition.container_definitions or []}
    if labels[identity.CONTAINER] not in {identity.PAUSE, *names}:
        return "its task definition has no container of that name"
    if not identity.has_its_name(seen):
        return f"it has the labels of {identity.name_in(labels)}, and may be a copy; if it is not, rename it so"
    return ""


def _task(arn: str, host: SurveyedHost, group: list[Sighting]) -> FoundTask:
    containers: dict[str, Sighting] = {}
    # Of one container there may be two, when a call came late: the one that runs is it.
    for one in sorted(group, key=lambda one: (one.seen.is_up, not _is_buried(one.seen.name))):
        containers[one.seen.labels[identity.CONTAINER]] = one
    labels = [one.seen.labels for one in containers.values()]
    abouts = [about for found in labels if (about := about_in(found))]
    definition = next(found for found in map(definition_in, labels) if found)
    return FoundTask(
        arn,
        host,
        containers,
        definition,
        _filled_overrides(abouts[0], containers) if abouts else About(created_at=_began(containers)),
        bool(abouts),
        max((int(found[identity.SEQ]) for found in labels if found.get(identity.SEQ, "").isdigit()), default=0),
    )


def filled(tasks: Sequence[FoundTask]) -> TaskDefinition:
    """The task definition of some tasks, with what its labels leave out taken from their containers."""
    definition = tasks[-1].definition
    containers = [_filled(container, tasks) for container in definition.container_definitions or []]
    return evolve(definition, container_definitions=containers)


def time_of(timestamp: str | None) -> datetime | None:
    """An engine's time, to the microsecond."""
    return datetime.fromtimestamp(float(unix_time(timestamp)), timezone.utc) if timestamp else None


def _filled(container: ContainerDefinition, tasks: Sequence[FoundTask]) -> ContainerDefinition:
    environment, logs = container.environment, container.log_configuration
    told = told_names(tasks[-1].definition, container)
    for task in tasks:
        one = task.containers.get(str(container.name))
        if one is None:
            continue
        given = _override(task.about.overrides, str(container.name))
        changed = {*told, *(pair.name for pair in (given.environment if given else None) or [])}
        environment = environment and [
            pair if pair.value is not None or pair.name in changed else _with_value(pair, one) for pair in environment
        ]
        # Of what uses a log router, the engine has the options of the driver that hands its output on.
        is_told = logs is not None and logs.log_driver not in ("awslogs", DRIVER)
        if logs is not None and logs.options is None and is_told and one.settings.log_options:
            secret = {option.name for option in logs.secret_options or []}
            options = {name: value for name, value in one.settings.log_options.items() if name not in secret}
            logs = evolve(logs, options=options)
    return evolve(container, environment=environment, log_configuration=logs)


def _filled_overrides(about: About, containers: dict[str, Sighting]) -> About:
    overrides = about.overrides
    if overrides is None or overrides.container_overrides is None:
        return about
    given = [
        evolve(one, environment=[_with_value(pair, containers[str(one.name)]) for pair in one.environment])
        if one.environment and str(one.name) in containers
        else one
        for one in overrides.container_overrides
    ]
    return evolve(about, overrides=evolve(overrides, container_overrides=given))


def _with_value(pair: KeyValuePair, one: Sighting) -> KeyValuePair:
    return evolve(pair, value=one.settings.environment.get(str(pair.name)))


def _override(overrides: TaskOverride | None, name: str) -> ContainerOverride | None:
    given = (overrides.container_overrides if overrides else None) or []
    return next((one for one in given if one.name == name), None)


def _began(containers: dict[str, Sighting]) -> datetime | None:
    times = [begin for one in containers.values() if (begin := time_of(one.seen.started_at))]
    return min(times, default=None)


def _is_buried(name: str) -> bool:
    return name.endswith(identity.dead_name(""))
