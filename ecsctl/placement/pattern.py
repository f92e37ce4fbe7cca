"""Regular expressions as the cluster query language has them, matched in a time that is known beforehand. Pure.

Source: as `pattern_syntax`, which has their grammar. Like Java's `matches`, a pattern has to fit a value from its
beginning to its end: `g2.*`, not `g2`.

They are not given to Python's `re`: its syntax is another one, and what it takes for `(a+)+b` doubles with every
character, which nothing can stop. Here all ways through a pattern are followed at once, so that a match takes at most
as many moves as the value has characters, times the steps of the pattern; and those are limited to `LARGEST`.
"""

from __future__ import annotations

from ecsctl.placement.pattern_syntax import (
    LARGEST,
    WORD,
    Characters,
    Choice,
    Edge,
    Look,
    Node,
    PatternError,
    Repeat,
    Row,
    Take,
    parse_pattern,
)

_REMEMBERED = 4096
"""How many values' answers a pattern keeps: hosts share few zones, types and racks."""
_FINAL = ("", "\n", "\r\n", "\r", "\u0085", "\u2028", "\u2029")
"""What may stand behind `$`."""


class Pattern:
    """A regular expression. Raises PatternError where it is none, is not served or is too large."""

    def __init__(self, text: str) -> None:
        self._program = _Program(parse_pattern(text), _Budget(), backwards=False)
        self._known: dict[str, bool] = {}

    def fits(self, value: str) -> bool:
        """Whether the whole value is as the pattern says."""
        known = self._known.get(value)
        if known is None:
            known = self._program.sweep(value, anywhere=False)[-1]
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[value] = known
        return known


class _Budget:
    """Counts the steps of a pattern while its counts are written out."""

    def __init__(self) -> None:
        self._spent = 0

    def spend(self) -> None:
        self._spent += 1
        if self._spent > LARGEST:
            raise PatternError(f"the pattern has more than {LARGEST} steps when its counts are written out", 0)


class _Program:
    """What may come next at each step: a character, a place to be at, or steps to go on at; the last step is the end.

    Backwards it reads a text from its end, which is how a look ahead is known for all places in one sweep.
    """

    def __init__(self, node: Node, budget: _Budget, backwards: bool) -> None:
        self._backwards = backwards
        self._budget = budget
        self._takes: list[Characters | None] = []
        self._edges: dict[int, str] = {}
        self._looks: dict[int, tuple[_Program, bool]] = {}
        self._ways: dict[int, list[int]] = {}
        self._emit(node)

    def _step(self) -> int:
        self._takes.append(None)
        return len(self._takes) - 1

    def _emit(self, node: Node) -> None:
        self._budget.spend()
        if isinstance(node, Take):
            self._takes[self._step()] = node.takes
        elif isinstance(node, Edge):
            self._edges[self._step()] = node.kind
        elif isinstance(node, Look):
            program = _Program(node.part, self._budget, backwards=node.ahead)
            self._looks[self._step()] = (program, node.wanted)
        elif isinstance(node, Row):
            for part in reversed(node.parts) if self._backwards else node.parts:
                self._emit(part)
        elif isinstance(node, Choice):
            self._emit_choice(node)
        else:
            self._emit_repeat(node)

    def _emit_choice(self, node: Choice) -> None:
        ways = self._ways[self._step()] = []
        ends = []
        for option in node.options:
            ways.append(len(self._takes))
            self._emit(option)
            ends.append(self._step())
        for end in ends:
            self._ways[end] = [len(self._takes)]

    def _emit_repeat(self, node: Repeat) -> None:
        for _ in range(node.low):
            self._emit(node.part)
        if node.high is None:
            start = self._step()
            self._emit(node.part)
            self._ways[self._step()] = [start]
            self._ways[start] = [start + 1, len(self._takes)]
            return
        starts = []
        for _ in range(node.high - node.low):
            starts.append(self._step())
            self._emit(node.part)
        for start in starts:
            self._ways[start] = [start + 1, len(self._takes)]

    def sweep(self, text: str, anywhere: bool) -> list[bool]:
        """For each place in the text whether the program can end there, begun at its first place, or at any."""
        size = len(text)
        looks = {
            step: [seen == wanted for seen in program.sweep(text, anywhere=True)]
            for step, (program, wanted) in self._looks.items()
        }
        found = [False] * (size + 1)
        ready = [0]
        for place in range(size, -1, -1) if self._backwards else range(size + 1):
            if anywhere:
                ready.append(0)
            reached = self._reach(ready, text, place, looks)
            found[place] = len(self._takes) in reached
            at = place - 1 if self._backwards else place
            if not 0 <= at < size or not (reached or anywhere):
                break
            character = text[at]
            ready = [
                step + 1
                for step in reached
                if step < len(self._takes) and (takes := self._takes[step]) and takes(character)
            ]
        return found

    def _reach(self, ready: list[int], text: str, place: int, looks: dict[int, list[bool]]) -> set[int]:
        """The steps that can be reached from these without a character."""
        reached: set[int] = set()
        waiting = ready
        while waiting:
            step = waiting.pop()
            if step in reached:
                continue
            reached.add(step)
            if (ways := self._ways.get(step)) is not None:
                waiting += ways
            elif step in looks:
                if looks[step][place]:
                    waiting.append(step + 1)
            elif (kind := self._edges.get(step)) is not None and _is_at(kind, text, place):
                waiting.append(step + 1)
        return reached


def _is_at(kind: str, text: str, place: int) -> bool:
    if kind in "^A":
        return place == 0
    if kind == "z":
        return place == len(text)
    if kind in "$Z":
        return text[place:] in _FINAL
    before = place > 0 and text[place - 1] in WORD
    after = place < len(text) and text[place] in WORD
    return (before != after) == (kind == "b")
