"""The controller as a process that stays: it hears what happens on the hosts and in the state, and acts at once.

It does what `reconcile` does, by the same means, for the tasks and services that something happened to. What no event
told is found by looking at each host now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import NamedTuple

from ecsctl.controller.controller import HOSTS_AT_ONCE, MOST_STEPS, Controller
from ecsctl.controller.crew import Crew, Done
from ecsctl.controller.limits import Limits
from ecsctl.controller.listen import Happened, Listener, Look
from ecsctl.controller.passes import Pass
from ecsctl.controller.request_listener import RequestListener
from ecsctl.controller.requests import Request
from ecsctl.controller.services import Advance
from ecsctl.controller.turns import in_turn
from ecsctl.engine.port import Engine
from ecsctl.model.arn import last_part, task_beside
from ecsctl.model.errors import EcsctlError, EngineError, StateUnreachable
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.store.store import Store
from ecsctl.store.tables import INSTANCES, TASKS

POLL = 0.2
"""Seconds between looks at whether another process has written to the state."""
TICK = 1.0
"""Seconds between looks at what becomes due by time alone."""
RETRY = (0.2, 5.0)
"""Seconds until a task is tried again that could not be brought further: the first time, and the most."""
HEAD_START = 0.5
"""Seconds that the replacement of a service's task which has ended begins before the ended one is put away: the engine
and the endpoint of the host serve one after the other, and most containers have started by then."""
SUBSCRIBED = 1.0
"""Seconds after which a host that began to tell is looked at once more: Docker answers before it begins to listen, and
what happens in between is neither told nor, perhaps, seen by the look that follows the answer."""
LAST_WAIT = 10.0
"""Seconds that calls which are under way get at the end. What is not done then, the next controller does."""
STARTING, STOPPING, PULLING, ANSWERS = 8, 64, 4, 8
"""Tasks, or answers, at once. A stop takes as long as the container does, a pull as long as the registry."""

LOST = "lost hosts"
"""The key of the job that decides about them."""
QUICKLY = Limits(pull=False, wait=False)
PATIENTLY = Limits(wait=False)


class Ending(NamedTuple):
    """A task (by ARN) is to stop: another may take its place already."""

    task: str


class Asked(NamedTuple):
    """A container on a host (by ARN) asks something."""

    host: str
    request: Request


class Left(NamedTuple):
    """Others in this process have written to the state, and leave tasks and services (by ARN) for the controller."""

    arns: Sequence[str]


Message = Happened | Look | Ending | Asked | Left | Done[Pass] | None


class Watch:
    """Keeps the clusters whose ARNs `clusters` gives. `told` is given each line of what was done, and of trouble."""

    def __init__(
        self,
        controller: Controller,
        store: Store,
        clusters: Callable[[], Sequence[str]],
        told: Callable[[str], object],
        interval: float = 30.0,
        answer: Callable[[str, Request], list[str]] | None = None,
    ) -> None:
        """`answer` is asked what containers ask on a host (by ARN), and says what it did."""
        self._controller = controller
        self._store = store
        self._clusters = clusters
        self._told = told
        self._interval = interval
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        self._hosts = Crew[Pass](HOSTS_AT_ONCE, self._inbox.put)
        self._starts = Crew[Pass](STARTING, self._inbox.put)
        self._stops = Crew[Pass](STOPPING, self._inbox.put)
        self._pulls = Crew[Pass](PULLING, self._inbox.put)
        self._answers = Crew[Pass](ANSWERS, self._inbox.put)
        self._answer = answer
        self._listeners: dict[str, Listener] = {}
        self._request_listeners: dict[str, RequestListener] = {}
        self._due: dict[str, float] = {}  # hosts and tasks by ARN: when, in seconds since boot
        self._pauses: dict[str, float] = {}  # how long was waited last before a task was tried again
        self._began: set[str] = set()  # hosts by ARN that began to tell, and were not looked at since
        self._services: dict[str, None] = {}  # those to decide about, in order
        self._again: set[str] = set()
        self._trouble: dict[str, str] = {}
        self._strangers: set[str] = set()
        self._written: int | None = 0
        self._ticked = 0.0
        self._ended = False
        self._is_new = True  # nothing is known of what there is to do
        self._is_blind = False  # the state does not answer

    def stop(self) -> None:
        """End soon. May be called by a signal handler."""
        self._ended = True
        self._inbox.put(None)

    def fail(self, error: Exception) -> None:
        """End, run() by that error: what this process needs is gone. May be called by any thread."""
        self._inbox.put(Done("", None, error))

    def go_on_with(self, arns: Sequence[str] = ()) -> None:
        """This process has written to the state; bring these tasks and services (by ARN) further. May be called by any
        thread."""
        self._inbox.put(Left(arns))

    def begin_anew(self) -> None:
        """The clusters to keep are others. May be called by any thread."""
        self._is_new = True
        self._inbox.put(None)

    def run(self) -> None:
        """Until stop() is called."""
        self._controller.ending = lambda task: self._inbox.put(Ending(task))
        while not self._ended:
            try:
                self._turn()
            except StateUnreachable as error:  # noqa: PERF203 it goes on
                self._go_blind(error)
        for listener in self._listeners.values():
            listener.end()
        for requests in self._request_listeners.values():
            requests.end()
        end = self._now() + LAST_WAIT
        while (
            any(crew.busy for crew in (self._hosts, self._starts, self._stops, self._pulls, self._answers))
            and self._now() < end
        ):
            self._controller.clock.sleep(0.05)
        with suppress(StateUnreachable):
            for message in self._messages():
                if isinstance(message, Done):
                    self._note(message)

    def _turn(self) -> None:
        for message in self._messages():
            self._take(message)
        if not self._controller.is_leading:
            # What was to do is for others to find, until there is something to keep again.
            self._due.clear()
            self._services.clear()
        self._look_around()
        self._do_what_is_due()
        self._decide()

    def _go_blind(self, error: StateUnreachable) -> None:
        """Wait for the state; what was heard meanwhile, and lost, is found by a look at every host."""
        if not self._is_blind:
            self._told(str(error))
        self._is_blind = self._is_new = True
        self._controller.clock.sleep(POLL)

    def _now(self) -> float:
        return self._controller.clock.since_boot()

    # What came

    def _messages(self) -> list[Message]:
        """At least one, and all that are there; none when there was none for a moment."""
        now = self._now()
        wait = min([POLL, *(when - now for when in self._due.values())])
        found: list[Message] = []
        try:
            found.append(self._inbox.get(timeout=max(0.0, wait)) if wait > 0 else self._inbox.get_nowait())
            while True:
                found.append(self._inbox.get_nowait())
        except Empty:
            return found

    def _take(self, message: Message) -> None:
        if message is None:
            pass  # it only wakes
        elif isinstance(message, Look):
            self._due[message.host] = self._now()
            self._began.add(message.host)
        elif isinstance(message, Ending):
            self._wake_service_of(message.task)
        elif isinstance(message, Left):
            self._written = None  # as if another process had: the database does not tell of what this one writes
            for arn in message.arns:
                if ":service/" in arn:
                    self._services[arn] = None
                else:
                    self._due[arn] = self._now()
        elif isinstance(message, Asked):
            self._answers.take(message.request.number, partial(self._reply, message))
        elif isinstance(message, Happened):
            task = task_beside(message.host, message.task)
            lines = self._controller.hear(task, message.ended) if message.ended else []
            for line in lines:
                self._told(line)
            is_replaced = bool(lines) and self._wake_service_of(task)
            self._due[task] = self._now() + (HEAD_START if is_replaced else 0)
        else:
            self._note(message)

    def _reply(self, asked: Asked) -> Pass:
        try:
            return Pass(self._answer(asked.host, asked.request) if self._answer else [])
        except EngineError:  # who asked is told so when the time is up
            return Pass()

    def _note(self, done: Done[Pass]) -> None:
        """What became of a job."""
        key = done.key
        if done.error is not None and not isinstance(done.error, EcsctlError):
            raise done.error
        result = done.result or Pass()
        for line in result.lines:
            self._told(line)
        problems = [str(done.error)] if done.error else list(result.errors)
        if key in self._listeners:
            problems += result.unreachable.values()
        self._tell_trouble(key, "; ".join(problems))
        for stranger in result.left_alone:
            if stranger not in self._strangers:
                self._strangers.add(stranger)
                self._told(f"left alone: {stranger}")
        if key in self._again:
            self._again.discard(key)
            self._due[key] = self._now()
        elif key in result.unfinished or done.error:
            before = self._pauses.get(key)
            pause = self._pauses[key] = RETRY[0] if before is None else min(before * 1.5, RETRY[1])
            self._due.setdefault(key, self._now() + pause)
        else:
            self._pauses.pop(key, None)
        if key in self._listeners:
            self._due.setdefault(key, self._now() + (SUBSCRIBED if key in self._began else self._interval))
            self._began.discard(key)
            for unfinished in result.unfinished:
                self._due.setdefault(unfinished, self._now())
        if key == LOST or key in self._listeners:
            if result.changed:
                self._wake_services()
        else:
            self._wake_service_of(key)

    def _tell_trouble(self, key: str, trouble: str) -> None:
        if trouble and self._trouble.get(key) != trouble:
            self._told(f"{self._name(key)}: {trouble}")
        if trouble:
            self._trouble[key] = trouble
        elif self._trouble.pop(key, None) and key in self._listeners:
            self._told(f"{self._name(key)} answers again")

    def _name(self, key: str) -> str:
        if key == LOST:
            return key
        with self._store.read() as view:
            instance = view.get(INSTANCES, key)
        return f"host {instance.name}" if instance else f"task {last_part(key)[:12]}"

    # What time and other processes bring

    def _look_around(self) -> None:
        written = self._store.written_by_others()
        if self._is_new:
            self._is_new = False
            heard = list(self._listeners)  # a new one asks for a look by itself
            self._refresh()
            self._wake_services()
            self._due = dict.fromkeys(heard, self._now())
            if self._is_blind:
                self._is_blind = False
                self._told("the state answers again")
        ticks = self._now() - self._ticked >= TICK
        if written == self._written and not ticks:
            return
        if ticks:
            self._ticked = self._now()
            hosts = self._refresh()
            answering = [host.arn for host in hosts if host.instance.agent_connected]
            if self._controller.has_losses(list(self._listeners), answering):
                self._hosts.take(LOST, partial(self._controller.lose, list(self._listeners)))
            self._wake_services(unsteady=True)
            self._run_schedules()
        if written != self._written:
            self._written = written
            self._refresh()
            self._wake_services()

    def _run_schedules(self) -> None:
        for step in self._controller.run_schedules(self._clusters()):
            self._carry_out(step)

    def _refresh(self) -> list[InstanceRecord]:
        """Listen to the hosts there are."""
        hosts = self._controller.hosts(self._clusters())
        for host in hosts:
            if host.arn not in self._listeners:
                connect = partial(self._controller.engine, host.address)
                self._listeners[host.arn] = Listener(host.arn, connect, self._store.install, self._inbox.put)
                if self._answer:
                    self._request_listeners[host.arn] = self._listen_to_requests(host.arn, connect)
        for arn in self._listeners.keys() - {host.arn for host in hosts}:
            self._listeners.pop(arn).end()
            self._due.pop(arn, None)
            if arn in self._request_listeners:
                self._request_listeners.pop(arn).end()
        return hosts

    def _listen_to_requests(self, host: str, connect: Callable[[], Engine]) -> RequestListener:
        def tell(request: Request) -> None:
            self._inbox.put(Asked(host, request))

        return RequestListener(connect, self._controller.clock, tell, lambda: self._inbox.put(Look(host)))

    def _wake_service_of(self, arn: str) -> bool:
        """Whether there is one: the task may be replaced."""
        if (task := self._task(arn)) is None or not task.service:
            return False
        self._services[task.service] = None
        return True

    def _wake_services(self, *, unsteady: bool = False) -> None:
        with self._store.read() as view:
            for record in in_turn(view, self._clusters()):
                if not unsteady or not record.steady:
                    self._services[record.arn] = None

    # What to do

    def _do_what_is_due(self) -> None:
        now = self._now()
        for key in [key for key, when in self._due.items() if when <= now]:
            del self._due[key]
            if key in self._listeners:
                self._give(self._hosts, key, partial(self._controller.look_after, key, QUICKLY))
            elif (task := self._task(key)) is not None:
                self._converge(task)

    def _converge(self, task: TaskRecord) -> None:
        if task.is_stopped:
            if task.service and not task.tallied:
                self._services[task.service] = None
            return
        crew, limits = self._starts, QUICKLY
        if task.task.desired_status == "STOPPED":
            crew = self._stops
        elif any(state.intent and state.intent.op == "pull" for state in task.containers):
            crew, limits = self._pulls, PATIENTLY
        self._give(crew, task.arn, partial(self._controller.attend, task.arn, limits))

    def _give(self, crew: Crew[Pass], key: str, job: Callable[[], Pass]) -> None:
        if not crew.take(key, job):
            self._again.add(key)

    def _decide(self) -> None:
        """Decide about the services that something happened to, until there is nothing to do now."""
        steps: dict[str, int] = {}
        while self._services:
            arn = next(iter(self._services))
            del self._services[arn]
            step = self._controller.advance(arn)
            self._carry_out(step)
            steps[arn] = steps.get(arn, 0) + 1
            if step.changed and steps[arn] < MOST_STEPS:
                self._services[arn] = None

    def _carry_out(self, step: Advance) -> None:
        for line in step.lines:
            self._told(line)
        for task in step.begun:
            self._give(self._starts, task, partial(self._controller.begin, [task], QUICKLY))
        for task in step.stopping:
            self._due[task] = self._now()

    def _task(self, arn: str) -> TaskRecord | None:
        with self._store.read() as view:
            return view.get(TASKS, arn)
