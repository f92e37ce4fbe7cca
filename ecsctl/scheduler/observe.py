"""Folding what was seen and what calls answered into a task's record. Pure: a new record comes back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from ecsctl.model import identity
from ecsctl.model.observed import Observed
from ecsctl.model.record import evolve
from ecsctl.model.stored import ContainerState, Endpoint, Intent, TaskAddress, TaskRecord
from ecsctl.model.task import NetworkBinding

if TYPE_CHECKING:
    from ecsctl.scheduler.plan import Outcome

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
OFFERED, WITH_CREDENTIALS = "offered", "with credentials"
"""What the answer about the endpoint of a task is, but for none."""
MAX_STARTS = 2
"""A start that fails for no reason of the container's own is tried this often, on a new container each time."""


def copy_of(record: TaskRecord) -> TaskRecord:
    """A record that may be changed without the original noticing."""
    return evolve(record, task=evolve(record.task), containers=[evolve(state) for state in record.containers])


def fold_seen(record: TaskRecord, seen: Mapping[str, Observed], now: datetime, *, asked: Collection[str]) -> TaskRecord:
    """The record after a look at the task's containers, by container name.

    `asked`: the containers that were looked for; one of them that is not in `seen` is not on the host.
    """
    record = copy_of(record)
    for state in record.containers:
        found = seen.get(state.name)
        if found is not None:
            _fold_container(state, found, now)
        elif state.name in asked:
            _fold_absence(state, now)
    return record


def is_as_known(state: ContainerState, found: Observed | None) -> bool:
    """Whether a container runs, as it is known to, and nothing about it is new."""
    if found is None or not found.is_up or state.stage != "started" or state.intent is not None:
        return False
    if found.ports and state.bindings != _bindings(found):
        return False
    return state.health == found.health and state.address == (_address(found) or state.address)


def _fold_container(state: ContainerState, found: Observed, now: datetime) -> None:
    if state.stage == "fenced":
        return
    if state.stage == "none":
        state.stage, state.engine_id, state.intent, state.image_digest = "created", found.id, None, None
        state.created_at = now
    state.image_id = found.image_id
    if found.is_up:
        _begin(state, now)
    elif found.has_ended:
        if state.stage != "exited":
            _begin(state, now)
            _end(state, now, found.exit_code, OUT_OF_MEMORY if found.oom_killed else None)
            state.ran = found.ran
        if found.name == identity.dead_name(state.engine_name):
            state.stage, state.intent = "fenced", None
    state.health = found.health
    if found.ports:
        state.bindings = _bindings(found)
    state.address = _address(found) or state.address


def _fold_absence(state: ContainerState, now: datetime) -> None:
    if state.stage == "created":
        state.stage, state.engine_id, state.intent = "none", None, None
    elif state.stage == "started":
        _end(state, now, None, "ContainerVanishedError: the container was removed from its host by somebody else")
        state.engine_id = None
    elif state.stage == "exited":
        state.engine_id = None


def _begin(state: ContainerState, now: datetime) -> None:
    if state.stage == "exited":  # started again: by its restart policy, or by hand
        state.exit_code = state.exited_at = state.reason = state.ran = None
        state.restarts += state.intent is not None
    if state.stage != "started":
        state.stage, state.intent = "started", None
        state.started_at = state.started_at or now


def _end(state: ContainerState, now: datetime, exit_code: int | None, reason: str | None) -> None:
    state.stage, state.intent = "exited", None
    state.exit_code = exit_code
    state.reason = state.reason or reason
    state.exited_at = state.exited_at or now
    state.health = None


def _address(found: Observed) -> TaskAddress | None:
    own = (one for one in found.addresses if not identity.is_beside(one.network))
    return next((TaskAddress(ipv4=one.ipv4, ipv6=one.ipv6, mac=one.mac) for one in own), None)


def _bindings(found: Observed) -> list[NetworkBinding]:
    """One binding per container port; where the engine binds IPv4 and IPv6 alike, the IPv4 one."""
    chosen: dict[tuple[int, str, int], NetworkBinding] = {}
    for port in sorted(found.ports, key=lambda p: (p.container_port, p.protocol, ":" in p.host_ip, p.host_port)):
        family_key = (port.container_port, port.protocol, port.host_port)
        if ":" in port.host_ip and any(key[:2] == family_key[:2] for key in chosen):
            continue
        chosen[family_key] = NetworkBinding(
            bind_ip=port.host_ip,
            container_port=port.container_port,
            host_port=port.host_port,
            protocol="udp" if port.protocol == "udp" else "tcp",
        )
    return list(chosen.values())


def fold_outcomes(record: TaskRecord, outcomes: Iterable[Outcome], now: datetime) -> TaskRecord:
    """The record after calls were answered. Of an unknown outcome the intent stays: it may be carried out late."""
    record = copy_of(record)
    states = {state.name: state for state in record.containers}
    for outcome in outcomes:
        state = states[outcome.container]
        if outcome.result == "unsent":
            if outcome.op == "stop":  # no signal was sent: nothing is waited for
                state.intent, state.stops = None, state.stops - 1
        elif outcome.result != "unknown":
            _fold_answer(record, state, outcome, now)
        elif outcome.op == "start":
            state.late_start = True
    return record


def _fold_answer(record: TaskRecord, state: ContainerState, outcome: Outcome, now: datetime) -> None:
    if outcome.op == "create":
        _created(state, outcome, now)
    elif outcome.op == "pull":
        _pulled(record, state, outcome, now)
    elif outcome.op == "start":
        _started(state, outcome, now)
    elif outcome.op == "stop":
        _stopped(state, outcome, now)
    elif outcome.op == "rename":
        _renamed(state, outcome)
    elif outcome.op == "network":
        _networked(state, outcome)
    elif outcome.op in ("name", "unname"):
        _named(state, outcome)
    elif outcome.op == "endpoint":
        _offered(record, state, outcome)
    else:
        _removed(record, state, outcome, now)


def _created(state: ContainerState, outcome: Outcome, now: datetime) -> None:
    if outcome.result == "ok":
        state.stage, state.engine_id, state.intent, state.image_digest = "created", outcome.value, None, None
        state.created_at, state.nameless = now, False
    elif outcome.result == "no_image" and state.pull_failed is not None:
        _fail(state, f"CannotPullContainerError: {state.pull_failed}")
    elif outcome.result == "no_image" and not state.pulled:
        state.intent, state.pull = Intent(op="pull", at=now, tries=0), "missing"
    elif outcome.result == "no_network" and not state.networked:
        state.intent = Intent(op="network", at=now, tries=0)
    elif outcome.result == "no_secret":
        _lack(state, outcome)
    elif outcome.result == "no_volume":
        _fail(state, f"CannotCreateVolumeError: {outcome.value}")
    elif outcome.result == "foreign":
        _fail(state, "CannotCreateContainerError: name in use by a container that is not ours")
    elif outcome.result != "gone":
        _fail(state, f"CannotCreateContainerError: {outcome.value}")


def _pulled(record: TaskRecord, state: ContainerState, outcome: Outcome, now: datetime) -> None:
    record.task.pull_stopped_at = now
    if outcome.result == "ok":
        images = {container.name: container.image for container in record.task.containers or []}
        image = state.image or images.get(state.name)
        for other in record.containers:
            if (other.image or images.get(other.name)) == image:
                other.pulled = True
                other.intent = None if other.intent and other.intent.op == "pull" else other.intent
    elif outcome.result == "no_secret":
        _lack(state, outcome)
    elif state.pull == "try":
        state.pull_failed, state.intent = outcome.value, None
    else:
        _fail(state, f"CannotPullContainerError: {outcome.value}")


def _started(state: ContainerState, outcome: Outcome, now: datetime) -> None:
    if outcome.result == "ok":
        _begin(state, now)
    elif outcome.result == "gone" and state.stage == "exited":
        _fold_absence(state, now)
        state.intent = None
    elif outcome.result == "gone":
        state.stage, state.engine_id, state.intent = "none", None, None
    elif outcome.result == "no_network" and not state.networked:
        state.intent = Intent(op="network", at=now, tries=0)
    elif outcome.result == "no_secret":
        _lack(state, outcome)
    elif _is_the_engines_fault(outcome) and state.starts < MAX_STARTS:
        state.intent = Intent(op="remove", at=now, tries=0)
    else:
        _fail(state, f"CannotStartContainerError: {outcome.value}")


def _networked(state: ContainerState, outcome: Outcome) -> None:
    if outcome.result == "ok":
        state.networked, state.intent = True, None
    else:
        _fail(state, f"ResourceInitializationError: the network could not be created: {outcome.value}")


def _named(state: ContainerState, outcome: Outcome) -> None:
    """One that was refused stays, to be tried again after a while."""
    if outcome.result in ("ok", "gone"):
        state.nameless, state.intent = outcome.op == "unname", None


def _offered(record: TaskRecord, state: ContainerState, outcome: Outcome) -> None:
    state.intent = None
    if outcome.result == "ok":
        record.endpoint = Endpoint(offered=outcome.value != "", credentials=outcome.value == WITH_CREDENTIALS)
    else:
        _fail(state, f"ResourceInitializationError: unable to get the credentials of the task's role: {outcome.value}")


def _is_the_engines_fault(outcome: Outcome) -> bool:
    """A start that failed on what an engine crash left behind; a new container under the same name cures it."""
    return outcome.status >= 500 and "failed to start shim" in outcome.value


def _stopped(state: ContainerState, outcome: Outcome, now: datetime) -> None:
    state.intent = None
    if outcome.result == "refused":
        state.reason = f"CannotStopContainerError: {outcome.value}"
    elif outcome.result == "gone":
        _fold_absence(state, now)


def _renamed(state: ContainerState, outcome: Outcome) -> None:
    state.intent = None
    if outcome.result in ("ok", "gone"):
        state.stage = "fenced"
    else:  # the name for the dead is taken as well: then it is removed
        state.engine_id = None


def _removed(record: TaskRecord, state: ContainerState, outcome: Outcome, now: datetime) -> None:
    if outcome.result not in ("ok", "gone"):
        return
    state.intent = state.engine_id = None
    if record.task.desired_status == "STOPPED":
        if state.stage == "started":
            _end(state, now, None, None)
        state.stage = "fenced"
    else:
        state.stage = "none"


def _lack(state: ContainerState, outcome: Outcome) -> None:
    _fail(state, f"ResourceInitializationError: unable to pull secrets or registry auth: {outcome.value}")


def _fail(state: ContainerState, reason: str) -> None:
    state.reason = " ".join(reason.split())
    state.failed = True
    state.intent = None
