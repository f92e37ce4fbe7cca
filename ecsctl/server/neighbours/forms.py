"""Requests of AWS's query protocols: a form whose keys are paths, `Filter.1.Value.2=x`, becomes a record.

Source: Smithy, "AWS Query protocol" and "AWS EC2 Query protocol". A list is `Names.member.1`; of EC2 it is named in the
singular, and has no `member`.
"""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin
from urllib.parse import parse_qsl

from ecsctl.model.errors import InputError
from ecsctl.model.record import R, Record, decode, fields_of, unwrap

_MOST_KEYS = 1000
_DEEPEST = 10
_KEY = re.compile(r"[A-Za-z0-9]{1,100}(\.[A-Za-z0-9]{1,100}){0,9}")
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_WORDS = {"true": True, "false": False}

Tree = dict[str, Any]


def parse_form(body: bytes) -> dict[str, str]:
    """The fields of a form. InputError for what is none, or has one twice."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_KEYS, errors="strict")
    except UnicodeDecodeError:
        raise InputError("The request is not UTF-8 text.") from None
    except ValueError:
        raise InputError(f"The request has more than {_MOST_KEYS} parameters.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise InputError("The request has a parameter twice.")
    return form


def record_in(kind: type[R], form: dict[str, str], *, ec2: bool) -> R:
    """A request; InputError for what is wrong with it, with its path."""
    return decode(kind, _structure(kind, _tree(form), "", ec2=ec2))


def _tree(form: dict[str, str]) -> Tree:
    tree: Tree = {}
    for key, value in form.items():
        if not _KEY.fullmatch(key):
            raise InputError(f"{key[:100]!r} is not the name of a parameter.")
        *path, last = key.split(".")
        place = tree
        for step in path:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise _unfit(key)
        if last in place:
            raise _unfit(key)
        place[last] = value
    return tree


def _structure(kind: type[Record], found: Tree, where: str, *, ec2: bool) -> Tree:
    fields = {_key(name, member, ec2=ec2): (name, member) for name, member in fields_of(kind).items()}
    plain: Tree = {}
    for key, value in found.items():
        if key not in fields:
            raise InputError(f"The parameter {where}{key} is not recognized.")
        name, member = fields[key]
        plain[name] = _value(member, value, f"{where}{key}", ec2=ec2)
    return plain


def _key(name: str, kind: Any, *, ec2: bool) -> str:
    return name.removesuffix("s") if ec2 and get_origin(kind) is list else name


def _value(kind: Any, value: str | Tree, where: str, *, ec2: bool) -> Any:
    if get_origin(kind) is list:
        return _list(unwrap(get_args(kind)[0]), value, where, ec2=ec2)
    if isinstance(kind, type) and issubclass(kind, Record):
        if not isinstance(value, dict):
            raise _unfit(where)
        return _structure(kind, value, f"{where}.", ec2=ec2)
    if not isinstance(value, str):
        raise _unfit(where)
    if kind is bool:
        if value.lower() not in _WORDS:
            raise InputError(f"The parameter {where} is true or false, not {value[:100]!r}.")
        return _WORDS[value.lower()]
    if kind is int:
        if not _NUMBER.fullmatch(value):
            raise InputError(f"The parameter {where} is a whole number, not {value[:100]!r}.")
        return int(value)
    return value


def _list(kind: Any, value: str | Tree, where: str, *, ec2: bool) -> list[Any]:
    if value == "":  # how an empty list is said
        return []
    items = value if ec2 or isinstance(value, str) else value.get("member")
    if not isinstance(items, dict) or (not ec2 and len(value) > 1):
        raise _unfit(where)
    if not all(_NUMBER.fullmatch(number) for number in items):
        raise _unfit(where)
    numbered = sorted(items.items(), key=lambda pair: int(pair[0]))
    return [_value(kind, item, f"{where}.{number}", ec2=ec2) for number, item in numbered]


def _unfit(where: str) -> InputError:
    return InputError(f"The parameter {where[:200]} is not of the kind that belongs there.")
