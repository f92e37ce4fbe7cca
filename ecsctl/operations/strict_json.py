"""Strict JSON, for whoever brings it: a file, an argument, a request.

What two readers may understand differently (a key given twice, NaN) is refused with the place where it stands, and
nothing here takes long or grows large.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, NoReturn

from ecsctl.model.errors import InputError

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_DIGITS = 19

_TEMPLATE = re.compile(r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)|<%.*?(?:%>|$)|\$\{[^}\s]*(?:\}|$)")
# An unclosed string matches up to the end: a pattern that can fail there tries again from every quote.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?')
_NUMBER = re.compile(r"-?[0-9]")


def parse_json(text: str, where: str) -> Any:
    """Strict JSON: no key twice, no NaN, no lone surrogate, no number out of range, not deeper than 50."""
    if len(text) > MAX_BYTES:
        raise InputError(f"{where}: larger than {MAX_BYTES >> 20} MiB")
    with suppress(ValueError):  # why not, and where, is found out by going through it token by token
        return _plain(text)
    _check_depth(text, where)
    try:
        data = json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as error:
        problem = _common_slip(text, error.pos) or error.msg
        syntax(text, where, error.lineno, error.colno, f"not valid JSON: {problem}")
    _check_tokens(text, where)
    return data


def _plain(text: str) -> Any:
    """Most JSON, without a look at each of its tokens; ValueError for what may not be as strict as it has to be."""
    if "\\u" in text or text.count("{") + text.count("[") > MAX_DEPTH or not text.isascii():
        raise ValueError
    return json.loads(
        text, parse_int=_short, parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=_each_once
    )


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _short(digits: str) -> int:
    if _is_long(digits):
        raise ValueError
    return int(digits)


def _is_long(digits: str) -> bool:
    return len(digits.removeprefix("-")) > MAX_DIGITS


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _common_slip(text: str, position: int) -> str | None:
    """In plain words, what people most often get wrong; the parser stands at it or right after it."""
    before, after = text[:position].rstrip(), text[position:].lstrip(" \t\r\n,")
    if after[:1] in ("}", "]") and (before.endswith(",") or text[position : position + 1] == ","):
        return f"a comma before the closing {after[0]}: remove the comma"
    if after.startswith(("//", "/*", "#")):
        return "JSON has no comments: remove it"
    return "strings and names stand in double quotes" if after.startswith("'") else None


def _whole(digits: str) -> int:
    # a longer one is refused by _check_tokens, which knows where it stands
    return 0 if _is_long(digits) else int(digits)


def _check_depth(text: str, where: str) -> None:
    depth = 0
    for match in _TOKEN.finditer(text):
        if match[0] in ("{", "["):
            depth += 1
            if depth > MAX_DEPTH:
                _refuse(text, where, match.start(), f"nested deeper than {MAX_DEPTH} levels")
        elif match[0] in ("}", "]"):
            depth -= 1


def _check_tokens(text: str, where: str) -> None:
    """What JSON's grammar lets pass and we do not; `text` is known to be JSON, so tokens are exact."""
    open_objects: list[set[str] | None] = []
    expects_key = False
    for match in _TOKEN.finditer(text):
        part = match[0]
        if part == "{":
            open_objects.append(set())
            expects_key = True
        elif part == "[":
            open_objects.append(None)
        elif part in ("}", "]"):
            open_objects.pop()
            expects_key = False
        elif part == ",":
            expects_key = open_objects[-1] is not None
        elif part[0] == '"':
            value = _check_string(text, where, match)
            keys = open_objects[-1] if open_objects else None
            if expects_key and keys is not None:
                if value in keys:
                    _refuse(text, where, match.start(), f"the key {_quoted(value)} is given twice in one object")
                keys.add(value)
            expects_key = False
        elif part != ":":
            _check_scalar(text, where, match)


def _check_string(text: str, where: str, match: re.Match[str]) -> str:
    value: str = json.loads(match[0])
    if has_surrogate(value):
        _refuse(text, where, match.start(), "half of a surrogate pair (\\ud800 … \\udfff): not a character")
    return value


def _check_scalar(text: str, where: str, match: re.Match[str]) -> None:
    part = match[0]
    if part in ("NaN", "Infinity", "-Infinity"):
        _refuse(text, where, match.start(), f"{part} is not JSON: write a number")
    if _NUMBER.match(part):
        too_long = _is_long(part) and part.removeprefix("-").isdigit()
        if too_long or float(part) in (float("inf"), float("-inf")):
            _refuse(text, where, match.start(), "the number is out of range")


def _refuse(text: str, where: str, position: int, problem: str) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    raise InputError(f"{where}:{line}:{column}: {problem}")


def syntax(text: str, where: str, line: int, column: int, problem: str) -> NoReturn:
    """Refuse with the place; a template that was not rendered is named as what it is."""
    lines = text.split("\n")
    for number in (line, line - 1):  # a parser often notices one line late
        shown = _template(lines[number - 1]) if 0 < number <= len(lines) else None
        if shown:
            raise InputError(f"{where}: line {number} looks like an unrendered template (`{shown}`): render it first")
    place = f"{where}:{line}:{column}" if line else where
    raise InputError(f"{place}: {problem}")


def _template(line: str) -> str | None:
    """The template expression that breaks this line; one inside a string breaks it only by quotes of its own."""
    outside = _TEMPLATE.search(_STRING.sub('""', line))
    inside = next((match for match in _TEMPLATE.finditer(line) if '"' in match[0]), None)
    found = outside or inside
    return _cut(found[0]) if found else None


def has_surrogate(text: str) -> bool:
    """Whether there is half of a surrogate pair in it, which is no character."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _quoted(text: str) -> str:
    return json.dumps(_cut(text), ensure_ascii=not text.isprintable())


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
