"""What answers tasks on their hosts: that it is there, and that it knows of each task what there is to say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from threading import Lock

from ecsctl.controller.clock import Clock
from ecsctl.controller.endpoint_container import present, put, raise_up, withdraw
from ecsctl.controller.look import knows
from ecsctl.controller.roles import Roles
from ecsctl.controller.sources import Sources
from ecsctl.engine.port import Engine
from ecsctl.model.errors import Conflict, EngineRefused, ImageNotFound, NotFound, SecretUnavailable
from ecsctl.model.record import evolve
from ecsctl.model.stored import Endpoint, InstanceRecord, TagSet, TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.container_spec import effective
from ecsctl.scheduler.metadata import Surroundings, credentials_id, digest_of, documents, metadata_id, role_of
from ecsctl.scheduler.observe import OFFERED, WITH_CREDENTIALS
from ecsctl.store.store import Store, add_event
from ecsctl.store.tables import INSTANCES, TAGS

TRIED_AGAIN = timedelta(hours=1)
"""After this a host that could not be given an endpoint is tried again; only what takes no time, sooner."""
SEEN_LATELY = 5.0
"""Seconds for which an endpoint that was seen is taken to be there: who gives it something finds out."""
_GONE = "gone\n"


class Endpoints:
    """The endpoints of hosts, for the tasks of one state."""

    def __init__(self, store: Store, sources: Sources, clock: Clock) -> None:
        self._store = store
        self._image = sources.endpoint_image
        self._roles = Roles(sources.roles, clock)
        self._clock = clock
        # The endpoint that was last seen of a container instance, and when, in seconds since boot.
        self._seen: dict[str, tuple[str, float]] = {}
        self._raising: defaultdict[str, Lock] = defaultdict(Lock)  # by container instance: one may take long

    def offer(self, engine: Engine, record: TaskRecord, definition: TaskDefinition) -> str:
        """What the containers of a new task are to be told of; empty where the host cannot have an endpoint.

        SecretUnavailable: its role has credentials by the configuration, and they cannot be had.
        """
        role = role_of(record, definition)
        has_credentials = self._roles.command(role) is not None
        if self._image is None and not has_credentials:
            return ""
        problem = "metadata_endpoint is false" if self._image is None else self._find(engine, record, self._image)
        if problem and has_credentials:
            raise SecretUnavailable(f"role {role}: {problem}")
        if has_credentials:
            self._roles.credentials(str(role))
        return "" if problem else WITH_CREDENTIALS if has_credentials else OFFERED

    def publish(
        self, engine: Engine, record: TaskRecord, definition: TaskDefinition, key: bytes, run: str | None
    ) -> Endpoint | None:
        """Let the endpoint know what there is to say of a task; what is to be noted of it, None for nothing new.

        `run`: the endpoint that is there, empty where there is none, None where that is not known.
        """
        known = record.endpoint
        if known is None or not known.offered or self._image is None:
            return None
        if not record.is_wanted and not any(state.stage in ("created", "started") for state in record.containers):
            return self._forget(engine, record, known, key)
        files = self._files(record, definition, key)
        digest = digest_of(files)
        if run is None:
            seen = self._seen.get(str(record.task.container_instance_arn))
            run = seen[0] if seen else known.run
        if digest == known.digest and knows(known, run, self._clock.now()):
            return None
        renew_at = None
        if known.credentials:
            credentials = self._roles.credentials(str(role_of(record, definition)))
            files = {**files, f"c/{credentials_id(record, key)}": credentials.file}
            renew_at = credentials.renew_at
        run = self._put(engine, record, run, files)
        return evolve(known, run=run, digest=digest, renew_at=renew_at) if run else None

    def withdraw(self, engine: Engine) -> None:
        """Nothing on its host needs it any more."""
        withdraw(engine, self._clock.sleep)

    def _files(self, record: TaskRecord, definition: TaskDefinition, key: bytes) -> dict[str, str]:
        with self._store.read() as view:
            tags = [view.get(TAGS, arn) for arn in (record.arn, str(record.task.container_instance_arn))]
        about = Surroundings(*(found.tags if isinstance(found, TagSet) else () for found in tags))
        containers = {state.name: effective(record, definition, state.name) for state in record.containers}
        found = documents(record, definition, containers, about)
        return {f"m/{metadata_id(record, name, key)}": file for name, file in found.items()}

    def _forget(self, engine: Engine, record: TaskRecord, known: Endpoint, key: bytes) -> Endpoint | None:
        """Of a task that is over nothing stays."""
        if not known.run:
            return None
        files = {f"m/{metadata_id(record, state.name, key)}": _GONE for state in record.own_containers}
        if known.credentials:
            files[f"c/{credentials_id(record, key)}"] = _GONE
        with suppress(NotFound, Conflict):  # it forgot when it ended
            put(engine, known.run, files)
        return evolve(known, run="", digest="", renew_at=None)

    def _put(self, engine: Engine, record: TaskRecord, run: str, files: Mapping[str, str]) -> str:
        """Put files into the endpoint, which is made anew where it is gone; which one that was, empty for none."""
        if run:
            try:
                put(engine, run, files)
            except (NotFound, Conflict):
                pass
            else:
                return run
        if self._image is None or self._raise(engine, record, self._image):
            return ""
        run, _ = self._seen[str(record.task.container_instance_arn)]
        put(engine, run, files)
        return run

    def _find(self, engine: Engine, record: TaskRecord, image: str) -> str:
        """See to it that the host has an endpoint, if it was not seen lately; why it cannot, if so."""
        seen = self._seen.get(str(record.task.container_instance_arn))
        is_there = seen is not None and self._clock.since_boot() - seen[1] < SEEN_LATELY
        return "" if is_there else self._raise(engine, record, image)

    def _raise(self, engine: Engine, record: TaskRecord, image: str) -> str:
        """See to it that the host has an endpoint; why it cannot, if so."""
        host = str(record.task.container_instance_arn)
        with self._raising[host]:
            with self._store.read() as view:
                instance = view.get(INSTANCES, host)
            failed_at = instance.endpoint_failed_at if instance else None
            is_recent = failed_at is not None and self._clock.now() - failed_at < TRIED_AGAIN
            needs_image = instance is not None and instance.endpoint_failure.startswith("CannotPull")
            try:
                if is_recent and not needs_image:
                    run = present(engine)
                else:
                    run = raise_up(engine, image, self._clock.sleep, pull=not is_recent)
            except EngineRefused as error:
                is_told = instance is not None and error.message == instance.endpoint_failure
                if not (is_recent and (is_told or isinstance(error, ImageNotFound))):
                    self._note(instance, error.message)
                return error.message
            if run is None:
                return instance.endpoint_failure if instance else ""
            self._seen[host] = run, self._clock.since_boot()
            if failed_at is not None:
                self._note(instance, "")
            return ""

    def _note(self, instance: InstanceRecord | None, failure: str) -> None:
        if instance is None:
            return
        with self._store.write() as tx:
            current = tx.get(INSTANCES, instance.arn)
            if current is None:
                return
            now = self._clock.now()
            tx.put(INSTANCES, evolve(current, endpoint_failed_at=now if failure else None, endpoint_failure=failure))
            what = f"no metadata endpoint: {failure}" if failure else "has a metadata endpoint again"
            add_event(tx, now, current.cluster_arn, current.arn, "MetadataEndpoint", f"host {current.name}: {what}")
