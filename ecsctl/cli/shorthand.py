"""The AWS CLI's shorthand: `type=spread,field=attribute:ecs.availability-zone`, into plain data.

    parameter = keyval *("," keyval)
    keyval    = key "=" [values]  /  key "@=" (value that is read from a file when it starts with file://)
    values    = value *("," value)  /  "[" values "]"  /  "{" keyval *("," keyval) "}"
    value     = unquoted (a comma in it written "\\,")  /  'single quoted'  /  "double quoted"

`a=b,c` is a list, `a=b,c=d` are two keys: a comma is followed by a key when what comes next has an equals
sign. (AWS CLI user guide, "Using shorthand syntax"; everything here is a string, types come later.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ecsctl.model.errors import InputError

MAX_DEPTH = 50

_KEY = re.compile(r"[A-Za-z0-9\-_.#/:]*")
_SINGLE = re.compile(r"'(?:\\\\|\\'|[^'\\]|\\(?![\\']))*'")
_DOUBLE = re.compile(r'"(?:\\\\|\\"|[^"\\]|\\(?![\\"]))*"')
_FIRST = re.compile(r"(?:\\,|[^\s\"',=\[{}\]])(?:\\,|[^\"',\]}])*")
_NEXT = re.compile(r"(?:\\,|[^\s\"',=\[{])(?:\\,|[^\"',=])*")
_SPACE = re.compile(r"\s*")


def parse_shorthand(text: str, load: Callable[[str], str] | None = None) -> dict[str, Any]:
    """Raises InputError that shows the place. `load` reads the file of a `key@=file://…`."""
    return _Reader(text, load).parameter()


class _Reader:
    def __init__(self, text: str, load: Callable[[str], str] | None) -> None:
        self._text = text
        self._load = load
        self._at = 0
        self._depth = 0

    def parameter(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._skip()
        self._pair(found, self._values)
        while not self._ended:
            self._expect(",")
            self._pair(found, self._values)
        return found

    def _pair(self, found: dict[str, Any], values: Callable[[], Any]) -> None:
        start = self._at
        key = self._match(_KEY) or ""
        if not key:
            raise self._error("a key")
        if key in found:
            self._at = start
            raise self._problem(
                f'the key "{key}" is given twice; separate the items of a list by a space, not by a comma'
            )
        self._skip()
        if from_file := self._next == "@":
            self._at += 1
        self._expect("=")
        value = values()
        found[key] = self._from_file(value) if from_file else value

    def _from_file(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._from_file(item) for item in value]
        return self._load(value) if self._load and isinstance(value, str) else value

    def _values(self) -> Any:
        if self._next in ("[", "{"):
            return self._nested()
        first = self._value(_FIRST)
        self._skip()
        if self._next != ",":
            return first
        found = [first]
        while self._next == ",":
            comma = self._at
            self._expect(",")
            value = None if self._ended else self._value(_NEXT, needed=True)
            self._skip()
            if value is None or not (self._ended or self._next == ","):
                if self._ended:
                    raise self._error("a value")
                self._at = comma  # what follows is the next key
                break
            found.append(value)
        return first if len(found) == 1 else found

    def _nested(self) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._problem(f"nested deeper than {MAX_DEPTH} levels")
        value = self._list() if self._next == "[" else self._object()
        self._depth -= 1
        return value

    def _list(self) -> list[Any]:
        self._expect("[")
        found = []
        while self._next != "]":
            found.append(self._inner())
            self._separator("]")
        self._at += 1
        return found

    def _object(self) -> dict[str, Any]:
        self._expect("{")
        found: dict[str, Any] = {}
        while self._next != "}":
            self._pair(found, self._inner)
            self._separator("}")
        self._at += 1
        return found

    def _inner(self) -> Any:
        return self._nested() if self._next in ("[", "{") else self._value(_FIRST)

    def _separator(self, end: str) -> None:
        self._skip()
        if self._next != end:
            self._expect(",", end)

    def _value(self, unquoted: re.Pattern[str], needed: bool = False) -> str | None:
        """A value. An unquoted one may be empty, unless it is `needed`: then None says there is none."""
        if self._next in ("'", '"'):
            quote = self._next
            start = self._at
            quoted = self._match(_SINGLE if quote == "'" else _DOUBLE)
            if quoted is None:
                self._at = start
                raise self._error(f"a closing {quote}", "the end")
            return quoted[1:-1].replace(f"\\{quote}", quote).replace("\\\\", "\\")
        found = self._match(unquoted)
        if found is None:
            return None if needed else ""
        return found.replace("\\,", ",").rstrip()

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return match[0]

    def _expect(self, character: str, otherwise: str = "") -> None:
        self._skip()
        if self._next != character:
            raise self._error(f"'{character}'" + (f" or '{otherwise}'" if otherwise else ""))
        self._at += 1
        self._skip()

    def _skip(self) -> None:
        self._match(_SPACE)

    @property
    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    @property
    def _ended(self) -> bool:
        return self._at >= len(self._text)

    def _error(self, expected: str, received: str = "") -> InputError:
        received = received or (f"'{self._next}'" if self._next else "the end")
        return self._problem(f"expected {expected}, received {received}")

    def _problem(self, problem: str) -> InputError:
        before, after = self._text[max(0, self._at - 40) : self._at], self._text[self._at : self._at + 40]
        return InputError(f"{problem}, at character {self._at + 1}: {before}⟨here⟩{after}")
