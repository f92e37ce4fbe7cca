"""Acting: one action, one engine call, and its answer as an outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from ecsctl.controller.together import PARALLEL, next_of
from ecsctl.engine.port import CreateBody, Engine
from ecsctl.model import identity
from ecsctl.model.errors import (
    Conflict,
    EngineRefused,
    EngineTimeout,
    EngineUnreachable,
    ImageNotFound,
    NetworkNotFound,
    NotFound,
    SecretUnavailable,
    VolumeUnavailable,
)
from ecsctl.scheduler.plan import Action, Outcome

C = TypeVar("C", bound="tuple[Action, object, object]")


def perform(
    engine: Engine,
    action: Action,
    body: Callable[[], CreateBody],
    key: bytes,
    fetch: Callable[[str], object],
    offer: Callable[[], str] = lambda: "",
    prepare: Callable[[], object] = lambda: None,
    network: Callable[[], object] = lambda: None,
) -> Outcome:
    """Make the call. `body` gives the create body; `key` tells our containers from others; `fetch` pulls an image;
    `offer` says what an endpoint offers; `prepare` is done before a start; `network` sees to networks and names."""
    try:
        value = offer() if action.op == "endpoint" else _call(engine, action, body, key, fetch, prepare, network)
    except SecretUnavailable as error:
        return Outcome(action.op, action.container, "no_secret", str(error))
    except VolumeUnavailable as error:
        return Outcome(action.op, action.container, "no_volume", str(error))
    except EngineUnreachable as error:
        return Outcome(action.op, action.container, "unsent", str(error))
    except EngineTimeout as error:
        return Outcome(action.op, action.container, "unknown", str(error))
    except ImageNotFound as error:
        return Outcome(action.op, action.container, "no_image", error.message, error.status)
    except NetworkNotFound as error:
        return Outcome(action.op, action.container, "no_network", error.message, error.status)
    except NotFound as error:
        if action.op == "create":  # the name was taken, and then its holder was gone: the next pass will see
            return Outcome(action.op, action.container, "unknown", error.message)
        return Outcome(action.op, action.container, "gone", error.message, error.status)
    except EngineRefused as error:
        return Outcome(action.op, action.container, "refused", error.message, error.status)
    if value is None:
        return Outcome(action.op, action.container, "foreign")
    return Outcome(action.op, action.container, "ok", value)


def _call(
    engine: Engine,
    action: Action,
    body: Callable[[], CreateBody],
    key: bytes,
    fetch: Callable[[str], object],
    prepare: Callable[[], object],
    network: Callable[[], object],
) -> str | None:
    if action.op == "create":
        return _create(engine, action.target, body(), key)
    if action.op == "pull":
        fetch(action.target)
    elif action.op in ("network", "name", "unname"):
        network()
    elif action.op == "start":
        prepare()
        engine.start(action.target)
    elif action.op == "stop":
        engine.stop(action.target, action.timeout)
    elif action.op == "rename":
        engine.rename(action.target, action.new_name)
    else:
        _remove(engine, action.target, key)
    return ""


def _create(engine: Engine, name: str, body: CreateBody, key: bytes) -> str | None:
    """Create, or find that an earlier try did. None: the name is held by a container that is not ours."""
    try:
        return engine.create(name, body)
    except Conflict:
        found = engine.inspect(name)
    same = all(
        found.labels.get(label) == body["Labels"][label]
        for label in (identity.INSTALL, identity.TASK, identity.CONTAINER)
    )
    return found.id if same and identity.is_genuine(found, key) else None


def _remove(engine: Engine, name: str, key: bytes) -> None:
    """Remove what has the name if it is ours; a stranger that has taken the name is left alone, and keeps us out."""
    found = engine.inspect(name)
    if identity.is_genuine(found, key):
        engine.remove(found.id)


class Calls(Generic[C]):
    """Calls in flight for the containers of one task, at most PARALLEL at once; their outcomes as they come.

    A call that outlives its caller's patience goes on in its thread and does not keep the process from ending.
    """

    def __init__(self, call: Callable[[C], Outcome]) -> None:
        self._call = call
        self._waiting: list[C] = []
        self._running: dict[str, str] = {}  # a container's name to its call's op
        self._answers: SimpleQueue[tuple[str, Outcome | BaseException]] = SimpleQueue()  # by the container's name

    @property
    def busy(self) -> frozenset[str]:
        """The containers whose calls are not answered."""
        return frozenset(self._running) | {call[0].container for call in self._waiting}

    @property
    def is_starting(self) -> bool:
        """Whether a container is being created or started, which takes a moment and is not to be left alone: a start
        that is asked for once more may start again what has ended already."""
        return any(op in ("create", "start") for op in self._running.values())

    def add(self, calls: Sequence[C]) -> None:
        self._waiting.extend(calls)
        self._fill()

    def drop(self) -> list[Outcome]:
        """Make no further calls: what becomes of those that were not made yet."""
        dropped = [Outcome(action.op, action.container, "unsent") for action, *_ in self._waiting]
        self._waiting.clear()
        return dropped

    def abandon(self) -> None:
        """Make no further calls, and wait for those that are not to be left alone; what is answered is not heard."""
        self.drop()
        while self.is_starting:
            container, _ = next_of(self._answers)
            del self._running[container]

    def answers(self, seconds: float | None) -> list[Outcome]:
        """At least one outcome, and all that are there; none when there was none within `seconds`."""
        found: list[Outcome] = []
        try:
            found.append(self._take(next_of(self._answers, seconds)))
            while True:
                found.append(self._take(self._answers.get_nowait()))
        except Empty:
            return found

    def _take(self, answered: tuple[str, Outcome | BaseException]) -> Outcome:
        container, answer = answered
        del self._running[container]
        if isinstance(answer, BaseException):
            raise answer
        self._fill()
        return answer

    def _fill(self) -> None:
        for call in list(self._waiting):
            action = call[0]
            # One create at a time, so that starts follow each other: those that begin together hold each other up
            # in the engine and the kernel (measured: three take 636 ms together, 517 ms one create apart).
            if len(self._running) < PARALLEL and not (action.op == "create" and "create" in self._running.values()):
                self._waiting.remove(call)
                self._running[action.container] = action.op
                self._launch(call)

    def _launch(self, call: C) -> None:
        Thread(target=self._make, args=(call,), daemon=True).start()

    def _make(self, call: C) -> None:
        container = call[0].container
        try:
            self._answers.put((container, self._call(call)))
        except BaseException as error:  # raised again in the caller's thread, by _take
            self._answers.put((container, error))
