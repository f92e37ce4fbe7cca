"""What a cluster query says of a container instance, and whether it is so. Pure; `query` reads it from text.

Source: ECS developer guide, "Create expressions to define container instances for Amazon ECS tasks" and "Define which
container instances Amazon ECS uses for tasks".

A clause is met when some value of its subject meets it. What has no value meets no clause but `not_exists`: the guide
says that `attribute:stack != prod` lists "the instances with the custom attribute", unless it is prod, and keeps away
from a group of tasks by `not(task:group == database)`. `task:group != a` asks for a task of another group than `a`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ecsctl.placement.query_subjects import (
    ATTRIBUTE,
    EXISTENCE,
    KINDS,
    LISTS,
    ORDERS,
    PATTERNS,
    Kind,
    Subject,
    compare_text,
    shown,
)

if TYPE_CHECKING:
    from ecsctl.placement.pattern import Pattern


class Query:
    """A query: whether it matches, and why not. Its text has one spelling for all, and is read as an equal query again.

    That text may be longer than the one it was read from, even than what is read.
    """

    def matches(self, subject: Subject) -> bool:
        """Whether the instance is among those that are meant."""
        raise NotImplementedError

    def reason(self, subject: Subject) -> str | None:
        """The first part that the instance does not meet, and what it has; None when it meets all."""
        raise NotImplementedError

    @property
    def clauses(self) -> Iterator[Clause]:
        """Its single expressions, from left to right."""
        raise NotImplementedError

    @property
    def is_static(self) -> bool:
        """Whether it reads nothing but what stays as it is while tasks are placed."""
        return all(clause.kind.is_static for clause in self.clauses)

    @property
    def subjects(self) -> frozenset[str]:
        """What it reads, as it names it: `attribute:rack`, `task:group`."""
        return frozenset(clause.subject for clause in self.clauses)

    def _parts(self) -> object:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Query) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((type(self), self._parts()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class Clause(Query):
    """`subject operator [argument]`. `wanted` are the arguments as they are compared."""

    def __init__(self, subject: str, operator: str, arguments: Sequence[str] = (), wanted: Sequence[Any] = ()) -> None:
        self.subject = subject
        self.operator = operator
        self.arguments = tuple(arguments)
        self.kind = KINDS[ATTRIBUTE if subject.startswith(ATTRIBUTE) else subject]
        self._name = subject.removeprefix(ATTRIBUTE)
        self._meets = _test(self.kind, operator, wanted)

    def matches(self, subject: Subject) -> bool:
        values = self.kind.values(subject, self._name)
        if self.operator == "not_exists":
            return not values
        return any(map(self._meets, values))

    def reason(self, subject: Subject) -> str | None:
        return None if self.matches(subject) else f"needs {self}, has {self.found(subject)}"

    def found(self, subject: Subject) -> str:
        """What the instance has of it, in words."""
        values = sorted(shown(value) for value in self.kind.values(subject, self._name))
        return f"{self.kind.prefix}{' and '.join(values)}" if values else self.kind.nothing

    @property
    def clauses(self) -> Iterator[Clause]:
        yield self

    def _parts(self) -> object:
        return self.subject, self.operator, self.arguments

    def __str__(self) -> str:
        end = bare_pattern_end if self.operator in PATTERNS else bare_end
        written = [text if text and end(text, 0) == len(text) else quoted(text) for text in self.arguments]
        if self.operator in LISTS:
            written = [f"[{', '.join(written)}]"]
        return " ".join((self.subject, self.operator, *written))


class Not(Query):
    """What the query in it does not match."""

    def __init__(self, query: Query) -> None:
        self.query = query

    def matches(self, subject: Subject) -> bool:
        return not self.query.matches(subject)

    def reason(self, subject: Subject) -> str | None:
        if self.matches(subject):
            return None
        inner = list(dict.fromkeys(self.clauses))
        found = [clause.found(subject) for clause in inner]
        if len(inner) > 1:
            found = [f"{clause.subject} {text}" for clause, text in zip(inner, found, strict=True)]
        return f"needs {self}, has {', '.join(dict.fromkeys(found))}"

    @property
    def clauses(self) -> Iterator[Clause]:
        return self.query.clauses

    def _parts(self) -> object:
        return self.query

    def __str__(self) -> str:
        return f"not({self.query})"


class Every(Query):
    """`and`: all of two or more. None of them is an `and` itself."""

    def __init__(self, queries: Sequence[Query]) -> None:
        self.queries = tuple(queries)

    def matches(self, subject: Subject) -> bool:
        return all(query.matches(subject) for query in self.queries)

    def reason(self, subject: Subject) -> str | None:
        return next((reason for query in self.queries if (reason := query.reason(subject))), None)

    @property
    def clauses(self) -> Iterator[Clause]:
        for query in self.queries:
            yield from query.clauses

    def _parts(self) -> object:
        return self.queries

    def __str__(self) -> str:
        return " and ".join(f"({query})" if isinstance(query, Either) else str(query) for query in self.queries)


class Either(Every):
    """`or`: one of two or more at least. None of them is an `or` itself."""

    def matches(self, subject: Subject) -> bool:
        return any(query.matches(subject) for query in self.queries)

    def reason(self, subject: Subject) -> str | None:
        reasons = [query.reason(subject) for query in self.queries]
        return None if None in reasons else "; or ".join(filter(None, reasons))

    def __str__(self) -> str:
        return " or ".join(map(str, self.queries))


def bare_end(text: str, start: int) -> int:
    """Where a word or a value that is not quoted ends."""
    while start < len(text) and text[start] not in "()[],'\"&|=<>!~" and not text[start].isspace():
        start += 1
    return start


def bare_pattern_end(text: str, start: int) -> int:
    """Where a regular expression that is not quoted ends: it may have brackets, in pairs, and what is in them."""
    groups = classes = 0
    while start < len(text):
        character = text[start]
        is_open = not groups and not classes
        if character.isspace() or character in "'\"" or (is_open and text[start : start + 2] in ("&&", "||")):
            break
        if character == "\\" and text[start + 1 : start + 2].strip("'\" \t\r\n"):
            start += 1
        elif character in "[]":
            classes = max(0, classes + (1 if character == "[" else -1))
        elif character in "()" and not classes:
            if is_open and character == ")":
                break
            groups += 1 if character == "(" else -1
        start += 1
    return start


def quoted(text: str) -> str:
    """A value in quotes. There is no value with both kinds: no quote can be written within its own."""
    return f'"{text}"' if "'" in text else f"'{text}'"


def _test(kind: Kind, operator: str, wanted: Sequence[Any]) -> Callable[[Any], bool]:
    """Whether one value meets the operator and its arguments."""
    if operator in EXISTENCE:
        return lambda _: True
    first = wanted[0]
    if operator in PATTERNS:
        pattern: Pattern = first
        return lambda value: pattern.fits(value) == (operator == "=~")
    if order := ORDERS.get(operator):
        return lambda value: (result := kind.compare(value, first)) is not None and order(result)
    if kind.compare is compare_text:  # equal texts are the same, which numbers are not: 1.0 is not 1
        known = frozenset(wanted)
        return lambda value: (value in known) == (operator in ("==", "in"))
    return lambda value: (kind.compare(value, first) == 0) == (operator == "==")
