"""YAML as JSON has it: objects, lists, strings, numbers, true, false, null, and nothing else.

Built from the parser's events, which come one by one: a bomb of aliases or of nesting is refused at its
first event, before anything has grown. Plain scalars follow YAML 1.2's core schema, so that `no`, `22:22`
and `2024-01-01` are strings, and digits with a leading zero keep it (account ids).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import yaml

T = TypeVar("T")
Refuse = Callable[[int, int, str], NoReturn]
"""Raises, given line, column and problem."""

_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)?(?:\.[0-9]+|[0-9]\.)(?:[eE][-+]?[0-9]{1,2})?")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def parse(text: str, refuse: Refuse, max_depth: int) -> Any:
    """The one document in `text`; `refuse` is called with the place of whatever is not understood."""
    return _read(text, refuse, max_depth, _Builder.document)


def parse_stream(text: str, refuse: Refuse, max_depth: int) -> list[Any]:
    """Each document in `text`, None for an empty one; otherwise as `parse`."""
    return _read(text, refuse, max_depth, _Builder.stream)


def _read(text: str, refuse: Refuse, max_depth: int, how: Callable[[_Builder], T]) -> T:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return how(_Builder(yaml.parse(text, Loader=loader), refuse, max_depth))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        refuse(*place, f"not valid YAML: {error.problem or error.context or 'it cannot be parsed'}")
    except yaml.YAMLError as error:
        refuse(0, 0, f"not valid YAML: {str(error).splitlines()[0]}")
    except ValueError as error:  # the C parser's word for a character it does not take
        refuse(0, 0, f"not valid YAML: {error}")


class _Builder:
    def __init__(self, events: Iterator[yaml.Event], refuse: Refuse, max_depth: int) -> None:
        self._events = events
        self._refuse_at = refuse
        self._max_depth = max_depth

    def document(self) -> Any:
        event = self._next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            self._refuse(event, "there is nothing but comments")
        value = self._value(event, 1)
        self._next()  # the end of the document
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document begins: give one a file")
        return value

    def stream(self) -> list[Any]:
        self._next()  # the beginning of the stream
        documents = []
        while not isinstance(self._next(), yaml.StreamEndEvent):  # the beginning of a document
            documents.append(self._value(self._next(), 1))
            self._next()  # its end
        return documents

    def _next(self) -> yaml.Event:
        event = next(self._events)
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"the alias *{event.anchor} is not taken: write the value out")
        if getattr(event, "anchor", None):
            self._refuse(event, f"the anchor &{getattr(event, 'anchor', '')} is not taken: write each value out")
        tag = getattr(event, "tag", None)
        if tag and tag != "!" and tag not in _PLAIN_TAGS:
            shown = tag.replace(_TAG, "!!")
            self._refuse(event, f"the tag {shown} is not taken: write the plain value")
        return event

    def _value(self, event: yaml.Event, depth: int) -> Any:
        if depth > self._max_depth:
            self._refuse(event, f"nested deeper than {self._max_depth} levels")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := self._next(), yaml.SequenceEndEvent):
                items.append(self._value(event, depth + 1))
            return items
        return self._scalar(event)

    def _mapping(self, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(event, "a key must be a plain name")
            key: str = event.value
            if key == "<<" and event.implicit[0]:
                self._refuse(event, "the merge key << is not taken: write the values out")
            if key in items:
                self._refuse(event, f'the key "{key[:40]}" is given twice in one object')
            items[key] = self._value(self._next(), depth + 1)
        return items

    def _scalar(self, event: yaml.Event) -> Any:
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, "a value is missing")
        text: str = event.value
        if event.implicit[0] or event.tag in _PLAIN_TAGS - {f"{_TAG}str"}:
            return self._plain(event, text)
        return text

    def _plain(self, event: yaml.Event, text: str) -> Any:
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if text.lower().lstrip("-+") in (".inf", ".nan"):
            self._refuse(event, f"{text} is no number of ECS: write a number")
        return text

    def _refuse(self, event: yaml.Event, problem: str) -> NoReturn:
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        self._refuse_at(line, column, problem)
