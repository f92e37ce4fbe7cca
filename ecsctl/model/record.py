"""Record: the base of every ECS shape, and the one decoder that turns foreign data into records.

On the wire names are camelCase, in Python snake_case. A field that is None is absent on the wire,
as in ECS; an empty list that was given stays.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from ecsctl.model.errors import InputError, UnknownWord, WrongType
from ecsctl.model.near import near


class Record(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """Base of every ECS shape."""


R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=msgspec.Struct)

_BAD_WORD = "Invalid enum value"
"""How msgspec begins to say that a word is not among those of its Literal."""
_BAD_TYPE = "Expected `"
"""How it begins to say that a value is of another type."""


def decode(kind: type[R], data: object, where: str = "") -> R:
    """Turn plain data (dicts, lists, scalars) into a record of `kind`.

    Raises InputError with the path of the first thing that does not fit, e.g.
    `containerDefinitions[0].cpus: unknown field; did you mean "cpu"?`. `where` is put in front of the path.
    """
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        kinds = {_BAD_WORD: UnknownWord, _BAD_TYPE: WrongType}
        kind_of_error = next((kinds[words] for words in kinds if str(error).startswith(words)), InputError)
        raise kind_of_error(_explain(kind, data, str(error), where)) from None


def to_wire(record: msgspec.Struct) -> dict[str, Any]:
    """Plain data with wire names; datetimes stay datetimes, for the output to format."""
    plain: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(datetime,))
    return plain


def evolve(record: S, **changes: Any) -> S:
    """A copy of a record, or of another value, with some fields replaced."""
    return msgspec.structs.replace(record, **changes)


def fields_of(kind: type[Record]) -> dict[str, Any]:
    """Wire name → type, optionality removed."""
    hints = typing.get_type_hints(kind)
    return {field.encode_name: unwrap(hints[field.name]) for field in msgspec.structs.fields(kind)}


def unwrap(kind: Any) -> Any:
    """The type without its `| None`."""
    if get_origin(kind) in (Union, types.UnionType):
        rest = [arg for arg in get_args(kind) if arg is not type(None)]
        return rest[0]
    return kind


_STEP = r"\.([A-Za-z0-9_]+)|\[(\d+|\.\.\.)\]"


def _explain(kind: type[Record], data: object, message: str, where: str) -> str:
    problem, _, path = message.partition(" - at `")
    path = path.rstrip("`")
    target, value = _follow(kind, data, path)
    name = where + path.removeprefix("$").removeprefix(".")
    if match := re.match(r"Object contains unknown field `(.*)`$", problem):
        field = match[1]
        meant = near(field, fields_of(target)) or _same_letters(field, target)
        hint = f'; did you mean "{meant[0]}"?' if meant else ""
        return f"{_join(name, field)}: unknown field{hint}"
    if match := re.match(r"Object missing required field `(.*)`$", problem):
        return f"{_join(name, match[1])}: is required but missing"
    if problem.startswith(_BAD_WORD):
        return f"{name}: {value!r} is not one of {', '.join(get_args(target))}"
    if match := re.match(r"Expected `(.*)`, got `(.*)`$", problem):
        expected = match[1].removesuffix(" | null")
        is_meant = expected == "str" and isinstance(value, int)
        quoted = f'; write "{msgspec.json.encode(value).decode()}", in quotes' if is_meant else ""
        wanted, got = _KINDS.get(expected, expected), _KINDS.get(match[2], match[2])
        return f"{name or 'the input'}: expected {wanted}, got {got}{quoted}"
    return f"{name}: {problem}"


_KINDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def _same_letters(field: str, target: type[Record]) -> list[str]:
    plain = re.sub(r"[^a-z0-9]", "", field.lower())
    return [name for name in fields_of(target) if name.lower() == plain]


def _join(path: str, field: str) -> str:
    return path + field if path[-1:] in ("", " ", ".") else f"{path}.{field}"  # `hosts.toml: ` is no part of the path


def _follow(kind: Any, data: Any, path: str) -> tuple[Any, Any]:
    """The type and the value at a msgspec path like `$.containerDefinitions[0].cpu`."""
    for name, index in _steps(path):
        kind = unwrap(kind)
        if name:
            kind = fields_of(kind)[name] if isinstance(kind, type) and issubclass(kind, Record) else Any
            data = data.get(name) if isinstance(data, dict) else None
        else:
            kind = get_args(kind)[-1] if get_args(kind) else Any
            data = data[int(index)] if index.isdigit() and isinstance(data, list) else None
    return unwrap(kind), data


def _steps(path: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(_STEP, path):
        yield match[1] or "", match[2] or ""
