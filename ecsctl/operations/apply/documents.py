"""What is to be applied: the requests in documents, each with the place it stands at."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ecsctl.model.api.clusters import CreateClusterRequest
from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.near import near
from ecsctl.model.record import Record, decode
from ecsctl.model.schedule import ScheduleTaskRequest
from ecsctl.operations.definition_document import check_shape, definition_request

if TYPE_CHECKING:
    from collections.abc import Iterator

R = TypeVar("R", bound=Record)
Placed = list[tuple[str, R]]
"""Requests, each behind the place it stands at, e.g. `site.yaml: services[0]`."""

KINDS = ("clusters", "taskDefinitions", "services", "schedules")


class Documents(NamedTuple):
    """All that several files say."""

    clusters: Placed[CreateClusterRequest]
    task_definitions: Placed[RegisterTaskDefinitionRequest]
    services: Placed[CreateServiceRequest]
    schedules: Placed[ScheduleTaskRequest]


@contextmanager
def at(where: str) -> Iterator[None]:
    """An error within it is InputError, one line that begins with the place."""
    try:
        yield
    except (ApiError, InputError) as error:
        raise InputError(f"{where}: {error}") from None


def note_place(places: dict[str, str], arn: str, where: str) -> None:
    """Remember where a resource is asked for. Raises InputError for one that two places ask for."""
    if arn in places:
        raise InputError(f"{where}: {arn.rpartition(':')[2]} is given twice, first at {places[arn]}")
    places[arn] = where


def documents_of(files: Iterable[tuple[str, object]]) -> Documents:
    """The requests in the data of files, each given with its name.

    Raises InputError, which begins with file and place, for what is no such request.
    """
    found = Documents([], [], [], [])
    for name, data in files:
        _gather(found, name, data)
    return found


def _gather(found: Documents, name: str, data: object) -> None:
    if not isinstance(data, dict):
        raise InputError(f"{name}: the top level must be an object, with {', '.join(KINDS)} in it")
    kind = _plain_kind(data)
    if kind is not None:
        _add(found, kind, name, data)
        return
    if isinstance(data.get("services"), dict) or not set(data) & set(KINDS):
        with at(name):
            check_shape(data)
        raise InputError(
            f"{name}: nothing to apply: give {', '.join(KINDS)}, or one task definition, service, schedule or cluster"
        )
    for key, items in data.items():
        if key not in KINDS:
            meant = near(key, KINDS)
            hint = f'did you mean "{meant[0]}"?' if meant else f"expected {', '.join(KINDS)}"
            raise InputError(f"{name}: {key}: unknown field; {hint}")
        if not isinstance(items, list):
            raise InputError(f"{name}: {key}: expected a list")
        for index, item in enumerate(items):
            _add(found, key, f"{name}: {key}[{index}]", item)


def _plain_kind(data: dict[str, Any]) -> str | None:
    """What a document that is a single request asks for."""
    if "containerDefinitions" in data or "family" in data:
        return "taskDefinitions"
    if "serviceName" in data:
        return "services"
    if "scheduleExpression" in data:
        return "schedules"
    return "clusters" if "clusterName" in data else None


def _add(found: Documents, kind: str, where: str, data: object) -> None:
    match kind:
        case "clusters":
            found.clusters.append((where, _decoded(CreateClusterRequest, data, where)))
        case "taskDefinitions":
            found.task_definitions.append((where, definition_request(data, where)))
        case "services":
            found.services.append((where, _decoded(CreateServiceRequest, data, where)))
        case "schedules":
            found.schedules.append((where, _decoded(ScheduleTaskRequest, data, where)))


def _decoded(kind: type[R], data: object, where: str) -> R:
    with at(where):
        return decode(kind, data)
