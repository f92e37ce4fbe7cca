"""What the store remembers beyond the ECS shapes: a host's address, a task's containers on their engine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.common import Tag
from ecsctl.model.container_instance import ContainerInstance
from ecsctl.model.deployment_lifecycle import DeploymentLifecycleHookDetail, ServiceDeploymentLifecycleStage
from ecsctl.model.identity import PAUSE
from ecsctl.model.record import Record
from ecsctl.model.service import (
    DeploymentRolloutState,
    Service,
    ServiceEvent,
    ServiceVolumeConfiguration,
    StabilityStatus,
    is_external,
)
from ecsctl.model.service_network import ServiceConnectConfiguration, ServiceRegistry
from ecsctl.model.task import LaunchType, NetworkBinding, Task
from ecsctl.model.task_launch import (
    AwsVpcConfiguration,
    NetworkConfiguration,
    PlacementConstraint,
    PlacementStrategy,
    TaskVolumeConfiguration,
)

Stage = Literal["none", "created", "started", "exited", "fenced"]
"""How far a container has come on its engine. `fenced`: no container holds its name, and none will."""

Operation = Literal["create", "pull", "start", "stop", "rename", "remove", "network", "endpoint", "name", "unname"]
"""`network` creates the networks that the container is to be in; `unname` takes the names away by which others find it,
`name` gives them back; `endpoint` sees to what answers the task on its host,
before its first container is created."""

Pull = Literal["missing", "try", "must"]
"""Whether an image is pulled only where it is missing, or before anything else: when that fails, it is used as it is on
the host, or the task fails."""


class Intent(Record):
    """An engine call that was decided. It is committed before the call, and stays until the answer is."""

    op: Operation
    at: datetime
    tries: int = 1


class TaskAddress(Record):
    """Where a container is in its network: IPv4, IPv6 (empty if none) and MAC address."""

    ipv4: str
    ipv6: str
    mac: str


class ContainerState(Record):
    """One container of a task, on its engine.

    `starts` and `stops` count the calls; `late_start`: one got no answer, and may yet be carried out; `failed`: it
    could not be pulled, created or started, for `reason`. `restarts`: how often its restart policy has started it
    again; `ran`: how long it ran, in seconds by its host's clock, when it ended last. `address`: where it is in the
    network of its own that it has, if any. `image`: what it is created from, once that is settled; `pulled`: it was, or
    `pull_failed` says why not; `image_digest`: empty where it has none. `nameless`: its names were taken away.
    """

    name: str
    engine_name: str
    stage: Stage = "none"
    engine_id: str | None = None
    intent: Intent | None = None
    image: str | None = None
    pull: Pull = "missing"
    pulled: bool = False
    pull_failed: str | None = None
    networked: bool = False
    nameless: bool = False
    starts: int = 0
    stops: int = 0
    late_start: bool = False
    failed: bool = False
    restarts: int = 0
    ran: float | None = None
    exit_code: int | None = None
    reason: str | None = None
    health: Literal["starting", "healthy", "unhealthy"] | None = None
    image_id: str | None = None
    image_digest: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    exited_at: datetime | None = None
    bindings: list[NetworkBinding] = msgspec.field(default_factory=list)
    address: TaskAddress | None = None


class Discovery(Record):
    """Where a task finds others, and by which names of its containers it is found: those of the engine's DNS in the
    network of a namespace."""

    namespace: str
    names: dict[str, list[str]] = msgspec.field(default_factory=dict)


class Endpoint(Record):
    """What a task has of the endpoint on its host. `offered`: its containers were told where it is, `credentials`: also
    where those of the task's role are.

    `run` is the engine's id of the container that was given the task's documents, `digest` is of those, and empty when
    the task has changed since; `renew_at`: when the credentials that it was given are to be replaced.
    """

    offered: bool
    credentials: bool = False
    run: str = ""
    digest: str = ""
    renew_at: datetime | None = None


class Claim(Record):
    """Who works on a task. Void when its process is gone, else when `until` has passed: seconds since boot, of a state
    that several machines share by its server's clock. `controller`: the id of the one that claims, if it stays; void
    also when that has not said lately that it is there."""

    boot_id: str
    pid_namespace: str
    pid: int
    process_start: int
    token: str
    until: float
    controller: str = ""


class Controlling(Record):
    """A `reconcile --watch` that leads clusters or would. It counts as gone when its process is, or `until` has passed.

    `host` and the rest are of its process. `clusters` (ARNs): those that it would lead, None: any.
    """

    id: str
    until: float
    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    process_start: int
    clusters: list[str] | None = None


class Leading(Record):
    """That a controller (by id) leads a cluster (by ARN)."""

    cluster: str
    controller: str


class PlacementRules(Record):
    """What a request asked of where its tasks go, beyond their task definition."""

    strategy: list[PlacementStrategy] = msgspec.field(default_factory=list)
    constraints: list[PlacementConstraint] = msgspec.field(default_factory=list)
    priority: str | None = None


class TaskRecord(Record):
    """A task: its ECS shape, its containers on their engine, and who is at work on it.

    `seq` is the store's sequence at the last change: an engine listing begun before it proves nothing.
    `cpu` (units) and `memory` (MiB) are what the task takes from its container instance. `collected`: it is STOPPED,
    and nothing of it is left on its host. `service` is the ARN of the service it belongs to, `tallied`: its end is
    accounted for there. `settled`: it has counted as healthy. It may not be scaled in before `protected_until`.
    `endpoint` is None while it is not decided whether it has one.
    `network`: what was asked of its network interface, with the one subnet that it is in. `rank`: it makes room for
    tasks of a higher one. `waits_for`: the tasks (ARNs) that make room for it, and have to be STOPPED before it begins.
    `rules`: what RunTask was asked of where it goes.
    `volume`: what was asked of the volume that is configured at launch. `port_rows`: the first ports of the host that
    serve the port ranges of the task definition, in its order. `image_map`: what was asked to take the place of its
    images, before what is configured. `discovery` is None where it is in no namespace.
    `log_mode`: the account's, for those logs whose definition has none.
    """

    task: Task
    containers: list[ContainerState]
    cpu: int
    memory: int
    seq: int = 0
    claim: Claim | None = None
    collected: bool = False
    service: str | None = None
    tallied: bool = False
    settled: bool = False
    protected_until: datetime | None = None
    network: AwsVpcConfiguration | None = None
    rank: int = 0
    waits_for: list[str] = msgspec.field(default_factory=list)
    rules: PlacementRules | None = None
    volume: TaskVolumeConfiguration | None = None
    port_rows: list[int] = msgspec.field(default_factory=list)
    image_map: dict[str, str] = msgspec.field(default_factory=dict)
    endpoint: Endpoint | None = None
    discovery: Discovery | None = None
    log_mode: str = ""

    @property
    def arn(self) -> str:
        return self.task.task_arn or ""

    @property
    def own_containers(self) -> list[ContainerState]:
        """Those of its task definition."""
        return [state for state in self.containers if state.name != PAUSE]

    @property
    def is_stopped(self) -> bool:
        return self.task.last_status == "STOPPED"

    @property
    def is_running(self) -> bool:
        """As ECS counts the running tasks of a service."""
        return self.task.last_status == "RUNNING"

    @property
    def is_wanted(self) -> bool:
        return self.task.desired_status == "RUNNING"

    @property
    def is_pending(self) -> bool:
        """As ECS counts the pending tasks of a service."""
        return self.is_wanted and not self.is_running

    def is_protected(self, now: datetime) -> bool:
        """Whether scale-in and deployments have to leave it alone."""
        return self.protected_until is not None and self.protected_until > now


class InstanceRecord(Record):
    """A container instance: its ECS shape and how to reach the engine behind it.

    `silent_since` and `failed_contacts`: since when, and how often, it has not answered. `given_up_at`: when its tasks
    were last given up, as it was lost; `held`: what was told of those that are not. `endpoint_failed_at` and
    `endpoint_failure`: when, and why, it could last not be given what answers its tasks.
    """

    instance: ContainerInstance
    cluster_arn: str
    name: str
    address: str
    engine_id: str
    seq: int = 0
    silent_since: datetime | None = None
    failed_contacts: int = 0
    given_up_at: datetime | None = None
    held: str = ""
    endpoint_failed_at: datetime | None = None
    endpoint_failure: str = ""

    @property
    def arn(self) -> str:
        return self.instance.container_instance_arn or ""

    def is_on(self, engine_id: str, address: str) -> bool:
        """Whether it is that engine, or was: an engine may get another id, and is then registered anew."""
        return self.engine_id == engine_id or self.address == address


class Starter(Record):
    """What a service's tasks are started for, and name in `startedBy`: a deployment, or a task set.

    `failures` in a row are what the circuit breaker counts, `start_failures` in a row what the throttle goes by; the
    last of these was noted at `failed_at`. `obstacle`: what was last told of why it does not get on.
    `network`, `volumes`, `image_map`, `connect` and `registries`: what its tasks are to have of them.
    """

    id: str
    task_definition_arn: str
    created_at: datetime
    updated_at: datetime
    failures: int = 0
    start_failures: int = 0
    failed_at: datetime | None = None
    next_attempt_at: datetime | None = None
    obstacle: str = ""
    network: NetworkConfiguration | None = None
    volumes: list[ServiceVolumeConfiguration] | None = None
    image_map: dict[str, str] = msgspec.field(default_factory=dict)
    connect: ServiceConnectConfiguration | None = None
    registries: list[ServiceRegistry] = msgspec.field(default_factory=list)


class DeploymentRecord(Starter):
    """One deployment of a service: which tasks it is to have, and how it is getting on.

    `completed`: it can be rolled back to. `keeps`: of one that another takes the place of, how many of its tasks are
    replaced by their like where they end, as long as that one is on its way; None: as many as are missing. `ready_at`:
    since when it has been baking. `stage` and `hooks` are of blue/green deployments: how far it is, and what it has
    waited for.
    """

    status: Literal["PRIMARY", "ACTIVE"] = "PRIMARY"
    rollout_state: DeploymentRolloutState = "IN_PROGRESS"
    rollout_state_reason: str = ""
    completed: bool = False
    keeps: int | None = None
    stage: ServiceDeploymentLifecycleStage | None = None
    ready_at: datetime | None = None
    hooks: list[DeploymentLifecycleHookDetail] = msgspec.field(default_factory=list)


class TaskSetRecord(Starter):
    """One task set of a service: what was asked, and whether it has all its tasks, and since when that is so.

    `scale` is a percentage of the service's desired count. With capacity providers there is no launch type.
    """

    scale: float = 0.0
    status: Literal["PRIMARY", "ACTIVE", "DRAINING"] = "ACTIVE"
    external_id: str | None = None
    launch_type: LaunchType | None = "EC2"
    platform_version: str | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] = msgspec.field(default_factory=list)
    stability: StabilityStatus = "STABILIZING"
    stability_at: datetime | None = None


class ServiceRecord(Record):
    """A service: what was asked, and its deployments or task sets, the newest first.

    Counts, deployments and task sets of the ECS shape are filled in when it is shown. `events` are the last 100,
    newest first. `inactive_at`: since when it has been INACTIVE. `rebalancing`: a task of it is being moved to another
    zone.
    """

    service: Service
    deployments: list[DeploymentRecord] = msgspec.field(default_factory=list)
    task_sets: list[TaskSetRecord] = msgspec.field(default_factory=list)
    events: list[ServiceEvent] = msgspec.field(default_factory=list)
    steady: bool = False
    seq: int = 0
    inactive_at: datetime | None = None
    rebalancing: bool = False

    @property
    def arn(self) -> str:
        return self.service.service_arn or ""

    @property
    def definition(self) -> str:
        """`family:revision` of what is being rolled out; empty where nothing is."""
        return (self.service.task_definition or "").rpartition("/")[2]

    @property
    def is_external(self) -> bool:
        """Whether something else deploys it, by task sets."""
        return is_external(self.service)

    @property
    def is_daemon(self) -> bool:
        return self.service.scheduling_strategy == "DAEMON"

    @property
    def starters(self) -> Sequence[Starter]:
        """All that it starts tasks for."""
        return self.task_sets if self.is_external else self.deployments

    @property
    def primary(self) -> DeploymentRecord:
        return next(deployment for deployment in self.deployments if deployment.status == "PRIMARY")

    @property
    def volumes(self) -> list[ServiceVolumeConfiguration] | None:
        """What is asked of the volumes of new tasks, which ECS shows of each deployment."""
        return self.primary.volumes if self.deployments else None


class TagSet(Record):
    """The tags of one resource, in the order they were given."""

    arn: str
    tags: list[Tag]


class PortReservation(Record):
    """A host port that a task holds on a container instance. The key is instance, port and protocol."""

    instance_arn: str
    port: int
    protocol: str
    task_arn: str

    @property
    def key(self) -> str:
        return f"{self.instance_arn}|{self.port}/{self.protocol}"


class ImageRecord(Record):
    """An image that was pulled, or pushed, to a container instance, by the id that it has there and everywhere.

    `names`: as which it came. `ours`: it was not there before. `pushed`: it did not come from a registry.
    `looked_at`: when it was last found that it has to stay.
    """

    instance_arn: str
    image_id: str
    names: list[str]
    came_at: datetime
    ours: bool
    pushed: bool = False
    looked_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.instance_arn}|{self.image_id}"


class Event(Record):
    """One line of the journal: what happened, to what, and why."""

    at: datetime
    cluster_arn: str
    resource_arn: str
    kind: str
    message: str


class IdempotentCall(Record):
    """What a client token was given (ECS: "Ensuring idempotency"), or which calls had a signature (`server.taken`)."""

    key: str
    parameters: str
    result: dict[str, Any]
    expires_at: datetime
