"""From the words of an option to plain data of the right types: scalars, lists, shorthand, JSON, files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from ecsctl.cli.problems import UsageError
from ecsctl.model.errors import InputError
from ecsctl.model.near import near
from ecsctl.model.record import Record, fields_of

MAX_FILE = 1 << 20

_INTEGER = r"[+-]?[0-9]{1,19}"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"


def is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)


def is_json(kind: Any) -> bool:
    """Whether values of this kind are written as shorthand or JSON: structures, maps, and lists of them."""
    if get_origin(kind) is list:
        return is_json(get_args(kind)[0])
    return is_record(kind) or get_origin(kind) is dict


def from_words(name: str, kind: Any, given: Any) -> Any:
    """Plain data of `kind` for option `name`; `given` is a word, a list of words, or the value of a switch."""
    try:
        if get_origin(kind) is list:
            return _list(kind, [given] if isinstance(given, str) else given, name)
        if isinstance(given, str):
            return _one(kind, load(given, name), name)
    except UsageError:
        raise
    except InputError as error:
        raise UsageError(f"Error parsing parameter '{name}': {error}") from None
    return given


def load(text: str, name: str) -> str:
    """What the word stands for: the text of the file when it says `file://`, else the word."""
    prefix = next((prefix for prefix in ("file://", "fileb://") if text.startswith(prefix)), None)
    if prefix is None:
        return text
    path = Path(os.path.expandvars(os.path.expanduser(text[len(prefix) :])))
    problem = f"Error parsing parameter '{name}': Unable to load paramfile {text}: "
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise UsageError(f"{problem}larger than {MAX_FILE >> 20} MiB")
        return content.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{problem}not UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UsageError(f"{problem}{getattr(error, 'strerror', None) or error}") from None


def _list(kind: Any, words: list[str], name: str) -> Any:
    """A list is one JSON list, or one item per word: each a scalar, shorthand, or JSON."""
    item = get_args(kind)[0]
    if len(words) == 1:
        words = [load(words[0], name)]
        if words[0].lstrip().startswith("["):
            return _json(words[0])
    return [_one(item, word, name) for word in words]


def _one(kind: Any, text: str, name: str) -> Any:
    if not is_json(kind):
        return _scalar(kind, text)
    if not text.strip():
        raise InputError("expected JSON or shorthand, got nothing")
    if text.lstrip()[0] in "{[":
        return _json(text)
    from ecsctl.cli.shorthand import parse_shorthand

    return typed(kind, parse_shorthand(text, lambda word: load(word, name)))


def _json(text: str) -> Any:
    from ecsctl.operations.strict_json import parse_json

    return parse_json(text, "JSON")


def typed(kind: Any, value: Any, where: str = "") -> Any:
    """Shorthand's strings in the types of `kind`. A lone value for a list is a list of one, as in the AWS CLI."""
    if is_record(kind):
        return _structure(kind, value, where)
    origin = get_origin(kind)
    if origin is list:
        item = get_args(kind)[0]
        values = value if isinstance(value, list) else [value]
        return [typed(item, entry, f"{where}[{index}]") for index, entry in enumerate(values)]
    if origin is dict:
        if not isinstance(value, dict):
            raise InputError(f"{where or 'the value'}: expected key=value pairs in braces, like {{key=value}}")
        return {key: typed(get_args(kind)[1], entry, f"{where}.{key}") for key, entry in value.items()}
    if not isinstance(value, str):
        shown = ",".join(map(str, value)) if isinstance(value, list) else "a structure"
        raise InputError(f"{where}: expected one value, got {shown}; put a value with commas in quotes")
    return _scalar(kind, value, f"{where}: ")


def _structure(kind: type[Record], value: Any, where: str) -> Any:
    members = fields_of(kind)
    if not isinstance(value, dict):
        if len(members) == 1:  # a list of structures with one member may be written as a list of its values
            (only,) = members
            return {only: typed(members[only], value, f"{where}.{only}")}
        raise InputError(f"{where}: expected a structure in braces, like {{{next(iter(members))}=…}}")
    found = {}
    for key, entry in value.items():
        if key not in members:
            meant = near(key, members)
            hint = f'; did you mean "{meant[0]}"?' if meant else f"; the keys are {', '.join(members)}"
            raise InputError(f"unknown key {_path(where, key)!r}{hint}")
        found[key] = typed(members[key], entry, _path(where, key))
    return found


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _scalar(kind: Any, text: str, where: str = "") -> Any:
    convert: dict[Any, Callable[[str], Any]] = {int: _integer, float: _number, bool: _boolean, datetime: _moment}
    if kind not in convert or get_origin(kind) is Literal:
        return text
    try:
        return convert[kind](text)
    except InputError as error:
        raise InputError(f"{where}{error}") from None


def _integer(text: str) -> int:
    if not re.fullmatch(_INTEGER, text.strip()):
        raise InputError(f"expected a whole number, got {_cut(text)!r}")
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(_NUMBER, text.strip()):
        raise InputError(f"expected a number, got {_cut(text)!r}")
    return float(text)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise InputError(f"expected true or false, got {_cut(text)!r}")
    return text.lower() == "true"


def _moment(text: str) -> datetime:
    """As the AWS CLI reads times: seconds since 1970, or ISO 8601, in the local zone where it names none."""
    try:
        if re.fullmatch(_NUMBER, text):
            return datetime.fromtimestamp(float(text), timezone.utc)
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    except (ValueError, OverflowError, OSError):
        raise InputError(f"expected a time, like 2026-01-31T08:00:00Z or 1769846400, got {_cut(text)!r}") from None


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
