"""Conditions of policies: operators, what they take, and whether a request fulfils one. Pure.

Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context
keys".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address, ip_network
from typing import Any, Literal

from msgspec import Struct

from ecsctl.policy.pattern import Context, matches, matches_arn, matches_ignoring_case, parse, segments

_Test = Callable[[Any, str, Context], bool]
"""Whether a value of the policy is that of a request. ValueError for a value of the request that cannot be one."""
_Reader = Callable[[str, bool], Any]
"""What a value of the policy is, given whether there are variables. ValueError for what is none."""


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not found.is_finite():
        raise ValueError(f"{text!r} is not a number")
    return found


def _moment(text: str) -> datetime:
    """ISO 8601, or seconds since 1970."""
    try:
        if re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", text) and not re.fullmatch(r"[0-9]{4}", text):
            return datetime.fromtimestamp(float(text), timezone.utc)
        padded = text + "-01-01"[len(text) - 4 :] if re.fullmatch(r"[0-9]{4}(-[0-9]{2})?", text) else text
        found = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", padded))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a date like 2026-01-31T00:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _word(text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{text!r} is not true or false")
    return text.lower()


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{text!r} is not in base64") from None


def _plain(text: str, variables: bool) -> Any:
    return parse(text, wildcards=False, variables=variables)


def _like(text: str, variables: bool) -> Any:
    return parse(text, wildcards=True, variables=variables)


def _arn(text: str, variables: bool) -> Any:
    found = parse(text, wildcards=True, variables=variables)
    if text != "*" and len(segments(found)) != 6:
        raise ValueError(f"{text!r} is not an ARN of six parts")
    return found


def _bool(text: str, variables: bool) -> Any:
    if not (variables and "${" in text):
        _word(text)
    return _plain(text, variables)


def _network(text: str, _: bool) -> Any:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not an address or a network like 203.0.113.0/24") from None


def _in_network(value: Any, given: str, _: Context) -> bool:
    return ip_address(given) in value


def _compares(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> tuple[_Reader, _Test]:
    return lambda text, _: read(text), lambda value, given, _: compare(read(given), value)


_STRING = {
    "Equals": (_plain, matches),
    "EqualsIgnoreCase": (_plain, matches_ignoring_case),
    "Like": (_like, matches),
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda a, b: bool(a == b),
    "LessThan": lambda a, b: bool(a < b),
    "LessThanEquals": lambda a, b: bool(a <= b),
    "GreaterThan": lambda a, b: bool(a > b),
    "GreaterThanEquals": lambda a, b: bool(a >= b),
}
_TESTS: dict[str, tuple[_Reader, _Test]] = {
    **{f"String{name}": test for name, test in _STRING.items()},
    **{f"Numeric{name}": _compares(_number, compare) for name, compare in _ORDER.items()},
    **{f"Date{name}": _compares(_moment, compare) for name, compare in _ORDER.items()},
    "Bool": (_bool, lambda value, given, context: matches_ignoring_case(value, _word(given), context)),
    "BinaryEquals": _compares(_binary, _ORDER["Equals"]),
    "IpAddress": (_network, _in_network),
    "ArnEquals": (_arn, matches_arn),
    "ArnLike": (_arn, matches_arn),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
OPERATORS = (*_TESTS, *_NEGATED, "Null")
SETS: dict[str, Literal["all", "any"]] = {"ForAllValues": "all", "ForAnyValue": "any"}


class Operator(Struct, frozen=True):
    """`ForAllValues:StringNotEqualsIfExists` in its parts; `base` is the one that it negates, or itself."""

    name: str
    base: str
    negated: bool = False
    of: Literal["one", "all", "any"] = "one"
    if_exists: bool = False


class Condition(Struct, frozen=True):
    """An operator, a key in small letters, and the values, as the operator reads them."""

    operator: Operator
    key: str
    values: tuple[Any, ...]


def operator_of(name: str) -> Operator:
    """ValueError for what is none."""
    prefix, colon, rest = name.rpartition(":")
    if colon and prefix not in SETS:
        raise ValueError(f"{prefix!r} is not ForAllValues or ForAnyValue")
    base = rest.removesuffix("IfExists")
    if base not in OPERATORS:
        raise ValueError(f"{name!r} is not a condition operator")
    if base == "Null" and name != base:
        raise ValueError(f"{name!r}: Null takes neither ForAllValues, ForAnyValue nor IfExists")
    return Operator(name, _NEGATED.get(base, base), base in _NEGATED, SETS.get(prefix, "one"), base != rest)


def value_of(operator: Operator, text: str, *, variables: bool) -> Any:
    """What a value of a policy is for that operator. ValueError for what is none."""
    return _word(text) if operator.base == "Null" else _TESTS[operator.base][0](text, variables)


def holds(condition: Condition, context: Context) -> bool | None:
    """Whether a request fulfils the condition. None where that cannot be said: several values for an operator of one,
    a value that is no number. NoValue."""
    operator, given = condition.operator, context.get(condition.key, ())
    if operator.base == "Null":
        return ("false" if given else "true") in condition.values
    if not given:
        return operator.if_exists or (operator.of == "all" if operator.of != "one" else operator.negated)
    try:
        found = [_is_among(condition, value, context) != operator.negated for value in given]
    except ValueError:
        return None
    if operator.of == "all":
        return all(found)
    if operator.of == "any":
        return any(found)
    return found[0] if len(set(found)) == 1 else None


def _is_among(condition: Condition, given: str, context: Context) -> bool:
    test = _TESTS[condition.operator.base][1]
    found = [test(value, given, context) for value in condition.values]  # each: one may have a variable without value
    return any(found)
