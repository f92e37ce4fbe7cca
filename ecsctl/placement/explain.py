"""Why a task goes where it goes: of each host whether it fits, what the strategies say of it, and what would have to
change. Pure.

The search (`ecsctl.placement.search`) finds the best host without looking at all; this looks at all, and says why.
"""

from __future__ import annotations

from typing import NamedTuple

from ecsctl.placement.fleet import DISTINCT, MEMBER_OF, OTHER_PROVIDER, Fleet, Rejection, Requirements
from ecsctl.placement.host import TASK_LIMIT, ZONE, Host
from ecsctl.placement.priority import Weighing


class Score(NamedTuple):
    """What one strategy says of a host: the smaller the better. `text` says it to people."""

    strategy: str
    value: float
    text: str


class Verdict(NamedTuple):
    """A host: its place among those that fit, 1 the best, equals alike; or why it does not fit, and what would help."""

    host: Host
    scores: tuple[Score, ...]
    rank: int | None = None
    rejection: Rejection | None = None
    advice: str = ""


def explain(fleet: Fleet, asked: Requirements, tasks: int = 1) -> list[Verdict]:
    """The verdict on each host for one more task, of so many that come: those that fit first, the best of them in
    front."""
    counts = _Counts(fleet, asked, tasks)
    fitting, others = [], []
    for number, host in enumerate(fleet.hosts):
        scores = counts.scores(number)
        rejection = fleet.rejection(number, asked)
        if rejection is None:
            fitting.append(Verdict(host, scores))
        else:
            others.append(Verdict(host, scores, rejection=rejection, advice=_advice(fleet, number, asked, rejection)))
    fitting.sort(key=lambda verdict: [score.value for score in verdict.scores])
    ranked: list[Verdict] = []
    for verdict in fitting:
        is_equal = ranked and [s.value for s in ranked[-1].scores] == [s.value for s in verdict.scores]
        ranked.append(verdict._replace(rank=ranked[-1].rank if is_equal else len(ranked) + 1))
    return [*ranked, *others]


class _Counts:
    """The tasks of the group per host, and per value of the attributes that are spread over."""

    def __init__(self, fleet: Fleet, asked: Requirements, tasks: int) -> None:
        self._fleet = fleet
        self._asked = asked
        members = fleet.groups.get(asked.group, {})
        self._per_host = [members.get(number, 0) for number in range(len(fleet))]
        self._weighing = None
        attributes = [ZONE]
        if asked.availability is None:
            attributes = [a for s in asked.strategies if (a := (s.field or "").removeprefix("attribute:")) != s.field]
        else:
            self._weighing = Weighing(fleet, asked, self._per_host, fleet.fitting(asked), tasks)
            self._is_priced = any(host.price is not None for host in fleet.hosts)
        self._values = list(zip(*map(fleet.values, attributes), strict=True)) or [()] * len(fleet)
        self._per_value: dict[tuple[str | None, ...], int] = {}
        for number, count in members.items():
            for level in range(len(attributes)):
                value = self._values[number][: level + 1]
                self._per_value[value] = self._per_value.get(value, 0) + count

    def scores(self, number: int) -> tuple[Score, ...]:
        """What each strategy of the chain says of a host, in the order in which they decide."""
        if self._weighing:
            return self._weighed(self._weighing, number)
        found, level, fleet = list[Score](), 0, self._fleet
        for strategy in self._asked.strategies:
            field = strategy.field or ""
            if strategy.type == "random":
                break  # it leaves nothing to those after it
            if strategy.type == "spread" and field.startswith("attribute:"):
                level += 1
                value = self._values[number][:level]
                count = self._per_value.get(value, 0)
                found.append(Score(f"spread {field}", count, f"{value[-1]}: {_tasks(count)}"))
            elif strategy.type == "spread":
                found.append(Score(f"spread {field}", self._per_host[number], _tasks(self._per_host[number])))
            elif field.lower() == "cpu":
                found.append(Score("binpack cpu", fleet.cpu[number], f"{fleet.cpu[number]} CPU units free"))
            else:
                found.append(Score("binpack memory", fleet.memory[number], f"{fleet.memory[number]} MiB free"))
        return tuple(found)

    def _weighed(self, weighing: Weighing, number: int) -> tuple[Score, ...]:
        """The weight, and what it is made of."""
        host = self._fleet.hosts[number]
        tasks = self._per_value.get(self._values[number], 0)
        is_open = host.tasks or self._fleet.added[number]
        price = "" if host.price is None else f" at {host.price:g} an hour"
        if host.price is None and self._is_priced:
            price = " that has no price, and counts as the dearest"
        cost = "in use already" if is_open else f"opens a host{price}"
        if weighing.is_spare(number):
            cost += ", which costs more for all of the tasks"
        text = f"{cost}; {_tasks(tasks)} in {host.attribute(ZONE)}, {self._per_host[number]} here"
        return (Score("priority", weighing.verdict(tasks, number), text),)


def _tasks(count: int) -> str:
    return f"{count} task{'' if count == 1 else 's'} of the group"


_HELP = {
    "INACTIVE": "update-container-instances-state --status ACTIVE",
    "AGENT": "make its engine answer; `ecsctl reconcile` says what is wrong",
    "ATTRIBUTE": "take an image and a runtimePlatform for this host",
    "RESOURCE:GPU": "stop a task that has one, or register the host with its GPUs (--gpus)",
    "RESOURCE:PORTS": "stop what holds the port, or leave hostPort out",
    "RESOURCE:TASKS": f"stop a task, or put-attributes with a higher {TASK_LIMIT}",
    DISTINCT: "stop its task of the group, or add a host",
    MEMBER_OF: "put-attributes, or change the constraint",
    OTHER_PROVIDER: "register it with --capacity-provider",
}


def _advice(fleet: Fleet, number: int, asked: Requirements, rejection: Rejection) -> str:
    """What would have to change for a host to take the task."""
    host, demand = fleet.hosts[number], asked.demand
    if rejection.reason == "RESOURCE:MEMORY":
        if demand.memory > host.memory_total:
            return f"never: it has {host.memory_total} MiB in all; ask for less, or add a larger host"
        return f"free {demand.memory - fleet.memory[number]} MiB"
    if rejection.reason == "RESOURCE:CPU":
        if demand.cpu > host.cpu_total:
            return f"never: it has {host.cpu_total} CPU units in all; ask for less, or add a larger host"
        return f"free {demand.cpu - fleet.cpu[number]} CPU units"
    return _HELP.get(rejection.reason, "")
