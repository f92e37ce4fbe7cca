"""What explains a placement: a plan of where tasks would go, and the story of a task or a service."""

from datetime import datetime

from ecsctl.model.common import Failure
from ecsctl.model.record import Record


class PlacementScore(Record):
    """What one strategy says of a host, in the order in which they decide."""

    strategy: str
    text: str


class HostVerdict(Record):
    """Whether a container instance takes one more task. `rank`: 1 is where it goes, equals have the same; without one,
    `reason` is why not, in ECS's word, and `advice` what would have to change."""

    container_instance_arn: str
    name: str
    availability_zone: str | None = None
    fits: bool = False
    rank: int | None = None
    scores: list[PlacementScore] | None = None
    reason: str | None = None
    detail: str | None = None
    advice: str | None = None


class PlannedTask(Record):
    """Where a copy of a task would go, and the tasks (ARNs) that would be stopped to make room for it."""

    container_instance_arn: str
    name: str
    availability_zone: str | None = None
    capacity_provider: str | None = None
    instead_of: list[str] | None = None


class PlacementPlan(Record):
    """Where the copies of a task would go if they were started now, and the verdict on each host for the first of
    them. `image_map`: what would take the place of its images."""

    task_definition: str
    group: str
    count: int
    tasks: list[PlannedTask]
    failures: list[Failure]
    hosts: list[HostVerdict]
    image_map: dict[str, str] | None = None


class Happening(Record):
    """What happened, and when."""

    at: datetime
    what: str


class Explanation(Record):
    """Why a task or a service is as it is: in a sentence, in facts, and what happened to it; and where one more task of
    it would go."""

    resource_arn: str
    summary: str
    facts: list[str]
    happened: list[Happening]
    next: PlacementPlan | None = None
