"""The controller: the only part that creates, starts, stops or removes anything on a host.

What decides and acts is imported where it is called: it takes longer to load than a quiet pass takes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from ecsctl.controller.chance import Chance
from ecsctl.controller.claims import Claimant
from ecsctl.controller.clock import Clock
from ecsctl.controller.contact import Losses, give_up, has_losses, note
from ecsctl.controller.limits import POLL, Limits, Retention
from ecsctl.controller.look import Home, Sight, is_settled, look_at, recognise
from ecsctl.controller.passes import Pass
from ecsctl.controller.sources import Sources
from ecsctl.controller.together import PARALLEL, together
from ecsctl.controller.turns import in_turn
from ecsctl.model.arn import last_part
from ecsctl.model.errors import EngineError, EngineTimeout, EngineUnreachable, OtherEngine
from ecsctl.model.file_system import FileSystem
from ecsctl.model.identity import INSTALL, SHARED, Signature
from ecsctl.model.image import ImagePolicy
from ecsctl.model.loss import Grace
from ecsctl.model.record import evolve
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.scheduler.rollout import SETTLE
from ecsctl.store.store import Store, View, prepare_to_read
from ecsctl.store.tables import INSTANCES, SERVICES, TASK_DEFINITIONS, TASKS

if TYPE_CHECKING:
    from ecsctl.controller.drive import Drive, Driver
    from ecsctl.controller.endpoints import Endpoints
    from ecsctl.controller.hosts import KnownHosts
    from ecsctl.controller.leadership import Leadership
    from ecsctl.controller.secrets import Secrets
    from ecsctl.controller.services import Advance
    from ecsctl.engine.port import Engine, PullProgress

HOSTS_AT_ONCE = 64
"""So that a zone that hangs, each host for its time limit, does not keep the others waiting."""
MOST_STEPS = 50
"""Decisions about a service in a row; it takes a few. What is not settled then waits for the next pass."""


class Controller:
    """Looks, decides, records and acts. `connect` gives the engine behind an address."""

    def __init__(
        self,
        store: Store,
        connect: Callable[[str], Engine],
        clock: Clock,
        retention: Retention | None = None,
        claimant: Claimant | None = None,
        chance: Chance | None = None,
        settle: timedelta = SETTLE,
        sources: Sources = Sources(),  # noqa: B008 it holds nothing that changes
        images: ImagePolicy = ImagePolicy(),  # noqa: B008 the same
        grace: Grace = Grace(),  # noqa: B008 the same
    ) -> None:
        self._store = store
        self._connect = connect
        self.clock = clock
        self._retention = retention or Retention()
        self._claimant = claimant or Claimant(clock, store)
        self.chance = chance or Chance()
        self._settle = settle
        self._sources = sources
        self.images = images
        self._grace = grace
        self._secrets: Secrets | None = None
        self._endpoints: Endpoints | None = None
        self._known: KnownHosts | None = None
        self._engines: dict[str, Engine] = {}
        self._recognised: set[str] = set()
        self._connecting = Lock()
        self.ending: Callable[[str], object] = lambda _: None
        """Told of a task, by ARN, as soon as it is to stop, while its containers still end."""
        self.pulling: Callable[[str, str, PullProgress | None], object] = lambda *_: None
        """Told of a host, by name, and an image how far its pull is; None when it is over. By several threads."""

    def lead(self, leadership: Leadership) -> None:
        """From here on act only while it holds."""
        self._claimant.leadership = leadership

    @property
    def is_leading(self) -> bool:
        """Whether there is something to keep; always so where nobody leads."""
        return self._claimant.leadership is None or bool(self._claimant.leadership.led)

    # Engines

    def engine(self, address: str) -> Engine:
        """The engine at an address; one connection for all callers."""
        with self._connecting:
            if address not in self._engines:
                self._engines[address] = self._connect(address)
            return self._engines[address]

    def _engine_of(self, instance: InstanceRecord) -> Engine:
        """The engine of a container instance. Of a state that several machines share it is asked first, once, who it
        is: what an address means may differ between them."""
        engine = self.engine(instance.address)
        if self._store.is_shared and instance.arn not in self._recognised:
            if engine.info().id != instance.engine_id:
                raise OtherEngine(
                    f"another engine than that of {instance.name} answers at {instance.address} on this machine: "
                    "register it by an address that means the same on every machine of this state (ssh://, tcp://)"
                )
            self._recognised.add(instance.arn)
        return engine

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()

    def probe(self, instances: Sequence[InstanceRecord]) -> dict[str, str]:
        """Ask hosts whether they answer; of those that do not, ARN → why. agentConnected is kept up to date."""

        def ask(instance: InstanceRecord) -> tuple[InstanceRecord, str | None]:
            try:
                self.engine(instance.address).ping()
            except EngineError as error:
                return instance, str(error)
            return instance, None

        answers = together([partial(ask, instance) for instance in instances], HOSTS_AT_ONCE)
        silent = {}
        for answer in answers:
            if answer is not None:
                self._note_contact(answer[0], answer[1])
                if answer[1] is not None:
                    silent[answer[0].arn] = answer[1]
        return silent

    def published(self, instances: Sequence[InstanceRecord]) -> dict[str, frozenset[tuple[int, str]]]:
        """The ports that containers hold on hosts, whoever made them, by the ARN of the host; none of a host that does
        not say."""

        def ask(instance: InstanceRecord) -> frozenset[tuple[int, str]]:
            try:
                return frozenset(self.engine(instance.address).published())
            except EngineError:
                return frozenset()

        answers = together([partial(ask, instance) for instance in instances], HOSTS_AT_ONCE)
        return {one.arn: found or frozenset() for one, found in zip(instances, answers, strict=True)}

    @property
    def file_systems(self) -> Mapping[str, FileSystem]:
        """What stands for file systems of Amazon's, by their ids."""
        return self._sources.storage.file_systems

    @property
    def registry(self) -> tuple[str, str] | None:
        """What stands for ECR, if something does: its address, and the secret that has its login."""
        address, login = self._sources.registry, self._sources.registry_login
        return (address, login) if address and login else None

    def secrets(self) -> Secrets:
        """Where the values come from that task definitions refer to."""
        from ecsctl.controller.secrets import Secrets  # most tasks need none

        with self._connecting:
            if self._secrets is None:
                self._secrets = Secrets(self._store, self._sources)
            return self._secrets

    @property
    def has_endpoints(self) -> bool:
        """Whether something answers tasks on their hosts, by the configuration."""
        return self._sources.endpoint_image is not None

    def endpoints(self) -> Endpoints:
        """What answers tasks on their hosts."""
        from ecsctl.controller.endpoints import Endpoints  # a quiet pass has no need of it

        with self._connecting:
            if self._endpoints is None:
                self._endpoints = Endpoints(self._store, self._sources, self.clock)
            return self._endpoints

    # Converging

    def begin(self, arns: Iterable[str], limits: Limits) -> Pass:
        """Bring tasks as far as the limits allow by what is recorded of them, without a look at their hosts first."""
        with self._store.read() as view:
            records = [record for arn in arns if (record := view.get(TASKS, arn))]
            instances = _instances_of(view, records)
        return self._on_hosts([partial(self._begin_host, i, group, limits) for i, group in instances])

    def attend(self, arn: str, limits: Limits) -> Pass:
        """Look at the containers of one task, nothing else, and bring it as far as the limits allow."""
        with self._store.read() as view:
            record, sequence = view.get(TASKS, arn), view.sequence
            instance = view.get(INSTANCES, str(record.task.container_instance_arn)) if record else None
        result = Pass()
        if record is None or instance is None:
            return result
        try:
            sight = look_at(record, self._engine_of(instance), self._signature(), sequence)
        except EngineError as error:
            self._note_error(instance, error, result)
            result.unfinished.append(arn)
        else:
            self._drive(instance, [arn], sight, limits, result)
        return result

    def converge(self, arns: Iterable[str], limits: Limits, *, dry_run: bool = False) -> Pass:
        """Look at the hosts of these tasks and bring the tasks as far as the limits allow."""
        with self._store.read() as view:
            records = [r for arn in arns if (r := view.get(TASKS, arn)) and not r.is_stopped]
            records.sort(key=lambda record: record.is_wanted)  # what is to stop may make room for what is to start
            instances = _instances_of(view, records)
        return self._on_hosts([partial(self._converge_host, i, group, limits, dry_run) for i, group in instances])

    def reconcile(self, clusters: Sequence[str], limits: Limits, *, dry_run: bool = False) -> Pass:
        """Everything: every unfinished task of these clusters, their services, what is over, and what is old.

        With `wait` it goes on until all that is under way has arrived.
        """
        now = evolve(limits, wait=False)
        hosts = self.hosts(clusters)
        sights: dict[str, Sight] = {}
        for host in hosts:
            self.engine(host.address)  # loads what asks, before what waits for the answer
        passes = [partial(self._reconcile_host, i, now, sights, dry_run) for i in hosts]
        result = self._on_hosts(passes, meanwhile=_load_the_rest)
        with self._store.read() as view:
            services = [service.arn for service in in_turn(view, clusters)]
        losses = self.give_up([i.arn for i in hosts], sights, dry_run=dry_run)
        result.add(Pass(losses.lines))
        result.planned |= losses.planned
        self._record(self.run_schedules(clusters, dry_run=dry_run), now, result)
        self._keep(services, now, result, dry_run=dry_run)
        pause = POLL[0]
        while limits.wait and not dry_run and not self._is_late(limits) and (waiting := self._under_way(result)):
            self.clock.sleep(pause)
            one = self.converge(waiting, now)
            self._keep(services, now, one)
            pause = POLL[0] if one.changed else min(pause * 1.5, POLL[1])
            result.unfinished = []
            result.add(one)
        result.add(self._forget(sights, dry_run=dry_run))
        return result

    def hosts(self, clusters: Sequence[str]) -> list[InstanceRecord]:
        """The container instances of these clusters that are in use: registered, or with tasks not yet STOPPED."""
        with self._store.read() as view:
            found = [i for cluster in clusters for i in view.find(INSTANCES, cluster=cluster)]
            return [i for i in found if i.instance.status in ("ACTIVE", "DRAINING") or view.unfinished(instance=i.arn)]

    def look_after(self, arn: str, limits: Limits) -> Pass:
        """Everything on one host (by ARN): its unfinished tasks, what is over, and what is old."""
        with self._store.read() as view:
            instance = view.get(INSTANCES, arn)
        if instance is None:
            return Pass()
        sights: dict[str, Sight] = {}
        result = self._reconcile_host(instance, limits, sights, dry_run=False)
        result.add(self._forget(sights))
        return result

    def _under_way(self, result: Pass) -> list[str]:
        """The unfinished tasks on hosts that answer: of those on others nothing more can be known now."""
        with self._store.read() as view:
            tasks = [task for arn in result.unfinished if (task := view.get(TASKS, arn))]
        return [t.arn for t in tasks if not t.is_stopped and t.task.container_instance_arn not in result.unreachable]

    def converge_services(self, arns: Sequence[str], limits: Limits, *, dry_run: bool = False) -> Pass:
        """Bring services as far as the limits allow; with `wait` until each has what was asked of it."""
        from ecsctl.controller.services import needs_more, unfinished_of

        result = Pass()
        pause = POLL[0]
        while True:
            with self._store.read() as view:
                tasks = [task.arn for task in unfinished_of(view, arns)]
            one = self.converge(tasks, evolve(limits, wait=False), dry_run=dry_run)
            self._keep(arns, evolve(limits, wait=False), one, dry_run=dry_run)
            result.add(one)
            with self._store.read() as view:
                waiting = [arn for arn in arns if needs_more(view.get(SERVICES, arn))]
            if not waiting or dry_run or not limits.wait or self._is_late(limits):
                result.unfinished = sorted({*one.unfinished, *waiting})
                return result
            pause = POLL[0] if one.changed else min(pause * 1.5, POLL[1])
            self.clock.sleep(pause)

    def _keep(self, services: Sequence[str], limits: Limits, result: Pass, *, dry_run: bool = False) -> None:
        """Decide about services and do it, until there is nothing to do now."""
        waiting = list(services)
        for _ in range(MOST_STEPS):
            if not waiting or self._is_late(limits):
                return
            steps = {arn: self.advance(arn, planned=result.planned if dry_run else None) for arn in waiting}
            waiting = [arn for arn, step in steps.items() if step.changed and not dry_run]
            self._record(steps.values(), limits, result)

    def _record(self, steps: Iterable[Advance], limits: Limits, result: Pass) -> None:
        """Note what was decided, and begin with it."""
        touched: list[str] = []
        for step in steps:
            result.lines += step.lines
            result.changed = result.changed or step.changed
            touched += (*step.begun, *step.stopping)
        result.add(self.begin(touched, limits))

    def hear(self, task: str, container_id: str) -> list[str]:
        """Note that a container of a task has ended, as its engine tells; what that means, line by line."""
        from ecsctl.controller.hear import hear

        return hear(self._store, self.clock, task, container_id)

    def give_up(self, hosts: Sequence[str], answering: Collection[str], *, dry_run: bool = False) -> Losses:
        """Decide what becomes of the tasks on hosts that are lost, and record it."""
        return give_up(self._store, self.clock, self.chance, hosts, answering, self._grace, dry_run=dry_run)

    def has_losses(self, hosts: Sequence[str], answering: Collection[str]) -> bool:
        """Whether there is something to decide about hosts (ARNs) that are lost, if those answer that did so last."""
        return has_losses(self._store, self.clock, hosts, answering, self._grace)

    def lose(self, hosts: Sequence[str]) -> Pass:
        """Decide what becomes of the tasks on those of the hosts (ARNs) that are lost, when each was asked once more:
        nobody may have asked for as long as this process was paused, or its network was down."""
        with self._store.read() as view:
            instances = [found for arn in hosts if (found := view.get(INSTANCES, arn))]
        together([partial(self._look, instance, tuple, Pass()) for instance in instances], HOSTS_AT_ONCE)
        with self._store.read() as view:
            asked = [found for arn in hosts if (found := view.get(INSTANCES, arn))]
        answering = [instance.arn for instance in asked if instance.instance.agent_connected]
        return Pass(self.give_up(hosts, answering).lines)

    def run_schedules(self, clusters: Sequence[str], *, dry_run: bool = False) -> list[Advance]:
        """Decide about the schedules that are due, and record it. Their new tasks are to begin."""
        with self._store.read() as view:
            if not view.has_schedules:
                return []
        from ecsctl.controller.schedules import run_due  # most states have none

        return run_due(self._store, clusters, self.clock.now(), self.chance, dry_run=dry_run)

    def advance(self, service: str, *, planned: Mapping[str, TaskRecord] | None = None) -> Advance:
        """Decide about a service once, and record it; but in a dry run, where its tasks are to be as planned. Its new
        tasks are to begin, others to stop."""
        from ecsctl.controller.hosts import KnownHosts
        from ecsctl.controller.services import advance

        self._known = self._known or KnownHosts()
        return advance(self._store, service, self.clock.now(), self.chance, self._settle, self._known, planned)

    def _is_late(self, limits: Limits) -> bool:
        return limits.until is not None and self.clock.since_boot() >= limits.until

    def _on_hosts(self, calls: Sequence[Callable[[], Pass]], meanwhile: Callable[[], object] | None = None) -> Pass:
        result = Pass()
        for one in together(calls, HOSTS_AT_ONCE, meanwhile=meanwhile) if calls else []:
            result.add(one or Pass())
        return result

    def _look(self, instance: InstanceRecord, known: Callable[[], Sequence[TaskRecord]], result: Pass) -> Sight | None:
        """One listing of a host's containers. What is `known` of its tasks is read when the engine has answered."""
        with self._store.read() as view:
            sequence = view.sequence
        try:
            listed = self._engine_of(instance).list(self._store.install, shared=True)
        except EngineError as error:
            self._note_error(instance, error, result)
            return None
        self._note_contact(instance, None)
        return recognise(listed, self._signature(), sequence, known(), Home(self._store, instance))

    def _note_contact(self, instance: InstanceRecord, trouble: str | None) -> None:
        note(self._store, self.clock, instance, trouble, self._grace)

    def _note_error(self, instance: InstanceRecord, error: EngineError, result: Pass) -> None:
        if isinstance(error, (EngineUnreachable, EngineTimeout)):
            result.unreachable[instance.arn] = str(error)
            self._note_contact(instance, str(error))
        else:
            result.errors.append(f"host {instance.name}: {error}")

    def _begin_host(self, instance: InstanceRecord, group: list[TaskRecord], limits: Limits) -> Pass:
        result, arns = Pass(), [record.arn for record in group]
        try:
            self._engine_of(instance)
        except EngineError as error:
            self._note_error(instance, error, result)
            result.unfinished += arns
        else:
            self._drive(instance, arns, None, limits, result)
        return result

    def _converge_host(self, instance: InstanceRecord, group: list[TaskRecord], limits: Limits, dry_run: bool) -> Pass:
        result = Pass()
        sight = self._look(instance, lambda: group, result)
        if sight is None:
            result.unfinished += [record.arn for record in group]
        else:
            self._bring(instance, group, sight, limits, dry_run, result)
        return result

    def _bring(
        self,
        instance: InstanceRecord,
        group: list[TaskRecord],
        sight: Sight,
        limits: Limits,
        dry_run: bool,
        result: Pass,
    ) -> None:
        # Most of what is looked at is as it should be: that is found out without reading it again, one by one.
        now = self.clock.now()
        arns = [record.arn for record in group if not is_settled(sight, record, now)]
        if not dry_run:
            self._drive(instance, arns, sight, limits, result)
            return
        driver = self._driver(instance)
        for arn in arns:
            if (step := driver.plan(arn, sight)) is not None:
                result.lines += step.lines
                result.planned[arn] = step.record
        result.changed = bool(result.lines)

    def _reconcile_host(
        self,
        instance: InstanceRecord,
        limits: Limits,
        sights: dict[str, Sight],
        dry_run: bool,
    ) -> Pass:
        result = Pass()
        group: list[TaskRecord] = []

        def known() -> list[TaskRecord]:
            with self._store.read() as view:
                group.extend(view.unfinished(instance=instance.arn))
            return group

        sight = self._look(instance, known, result)
        if sight is None:
            return result
        sights[instance.arn] = sight
        if self.has_endpoints and sight.endpoint and any(record.service for record in group):
            result.endpoints[instance.arn] = sight.endpoint
        engine = self.engine(instance.address)
        self._bring(instance, group, sight, limits, dry_run, result)
        from ecsctl.controller.collect import collect

        try:
            found = collect(
                self._store,
                engine,
                sight,
                {last_part(record.arn) for record in group},
                instance.arn,
                self._retention,
                self.clock.now(),
                dry_run=dry_run,
            )
            result.add(Pass(found.lines, found.left_alone))
            if self.images.cleans_up:
                from ecsctl.controller.clean_up import clean_up

                now = self.clock.now()
                result.add(Pass(clean_up(self._store, engine, instance.arn, self.images, now, dry_run=dry_run)))
        except EngineError as error:
            self._note_error(instance, error, result)
            return result
        if sight.endpoint and not group and (not sight.tasks or found.lines):
            self._withdraw_endpoint(instance, result, dry_run=dry_run)
        return result

    def _withdraw_endpoint(self, instance: InstanceRecord, result: Pass, *, dry_run: bool) -> None:
        """Remove what answers a host's tasks when there are none, of whatever state."""
        engine = self.engine(instance.address)
        try:
            if all(found.labels[INSTALL] == SHARED for found in engine.list(None)):
                result.lines.append(f"remove the metadata endpoint of host {instance.name}: it has no containers")
                result.changed = True
                if not dry_run:
                    self.endpoints().withdraw(engine)
        except EngineError as error:
            self._note_error(instance, error, result)

    def _drive(
        self, instance: InstanceRecord, arns: list[str], sight: Sight | None, limits: Limits, result: Pass
    ) -> None:
        silence: list[str] = []

        def drive(arn: str) -> Drive:
            if silence:  # it has cost its time limit already, and would cost it again for each task
                from ecsctl.controller.drive import put_off

                return put_off(arn, silence[0])
            one = self._driver(instance).drive(arn, sight, limits)
            if one.trouble and one.is_silent:
                silence.append(one.trouble)
            return one

        for one in together([partial(drive, arn) for arn in arns], PARALLEL) if arns else []:
            if one is not None:
                self._note(instance, one, result)

    def _note(self, instance: InstanceRecord, drive: Drive, result: Pass) -> None:
        result.lines += drive.lines
        result.changed = result.changed or drive.changed
        if drive.unfinished:
            result.unfinished.append(drive.arn)
        if drive.trouble:
            result.unreachable[instance.arn] = drive.trouble

    def _forget(self, sights: dict[str, Sight], *, dry_run: bool = False) -> Pass:
        from ecsctl.controller.collect import forget

        return Pass(forget(self._store, sights, self._retention, self.clock.now(), dry_run=dry_run))

    def _driver(self, instance: InstanceRecord) -> Driver:
        from ecsctl.controller.drive import Driver
        from ecsctl.controller.task_networks import TaskNetworks

        engine = self.engine(instance.address)
        return Driver(
            self._store,
            engine,
            self._claimant.another(),
            self.clock,
            self._signature(),
            self.ending,
            self.secrets,
            self._sources.storage,
            self.images,
            partial(self.pulling, instance.name),
            self.endpoints if self.has_endpoints or self._sources.roles else None,
            TaskNetworks(self._store, engine, instance.arn, self.engine, self._sources.is_private),
        )

    def _signature(self) -> Signature:
        return Signature(self._store.install, lambda: self._store.key)


def _load_the_rest() -> None:
    """While the engines make their listings: what is done with these takes about as long to load."""
    import ecsctl.controller.collect
    import ecsctl.controller.services  # noqa: F401

    prepare_to_read(TASKS, SERVICES, TASK_DEFINITIONS)


def _instances_of(view: View, records: list[TaskRecord]) -> list[tuple[InstanceRecord, list[TaskRecord]]]:
    groups: dict[str, list[TaskRecord]] = {}
    for record in records:
        groups.setdefault(str(record.task.container_instance_arn), []).append(record)
    return [(found, group) for arn, group in sorted(groups.items()) if (found := view.get(INSTANCES, arn))]
