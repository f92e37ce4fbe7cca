"""Policy documents: read strictly, so that none is kept that means less, or more, than its author thinks. Pure.

Source: IAM user guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Literal

from msgspec import Struct

from ecsctl.policy.conditions import Condition, operator_of, value_of
from ecsctl.policy.pattern import Pattern, Wild, is_all, matches, parse, segments

WITH_VARIABLES, WITHOUT = "2012-10-17", "2008-10-17"
"""The versions of the language; what says none is of the older one."""

_VENDOR = re.compile(r"[A-Za-z0-9-]+|\*")
_SERVICE = re.compile(r"[A-Za-z0-9-]*")
_CONDITION_KEY = re.compile(r"[A-Za-z0-9-]+:\S+")
_SID = re.compile(r"[A-Za-z0-9]*")
_PRINCIPAL = re.compile(
    r"[0-9]{12}|arn:aws:(iam::[0-9]{12}:(root|(user|role)/[!-)+-~]+)|sts::[0-9]{12}:assumed-role/[!-)+-~]+)"
)
_ARRAYS = re.compile(r"aws:tagkeys|ecs:(capacity-provider|container-instances|compute-compatibility|subnet)|ecsctl:\S+")
"""Keys that have several values."""


class PolicyProblem(ValueError):
    """What is wrong with a document, and where; one line."""


class Statement(Struct, frozen=True):
    """One statement. With `but_actions` (NotAction) and `but_resources` (NotResource), the patterns say what is not
    meant. Patterns of actions are in small letters."""

    effect: Literal["Allow", "Deny"]
    actions: tuple[Pattern, ...]
    resources: tuple[Pattern, ...]
    conditions: tuple[Condition, ...] = ()
    but_actions: bool = False
    but_resources: bool = False
    principals: tuple[str, ...] = ()
    """In a trust policy: `*`, or the ARNs of who is meant; a root stands for all of its account."""


class Policy(Struct, frozen=True):
    """What a document says."""

    statements: tuple[Statement, ...]


def parse_policy(data: object, *, trust: bool = False) -> Policy:
    """A policy of who has it; or `trust`: of a role, which says who may assume it. PolicyProblem."""
    document = _object(data, "the policy", {"Version", "Id", "Statement"})
    version = document.get("Version", WITHOUT)
    if version not in (WITH_VARIABLES, WITHOUT):
        raise PolicyProblem(f"Version: expected {WITH_VARIABLES}, or the older {WITHOUT}")
    if not isinstance(document.get("Id", ""), str):
        raise PolicyProblem("Id: expected a string")
    given = document.get("Statement")
    statements = given if isinstance(given, list) else [given]
    if given is None or not statements:
        raise PolicyProblem("Statement: is required, and has at least one statement")
    sids: set[str] = set()
    read = []
    for index, one in enumerate(statements):
        where = f"Statement[{index}]"
        read.append(_statement(one, where, trust, version == WITH_VARIABLES))
        sid = one.get("Sid", "")
        if not isinstance(sid, str) or not _SID.fullmatch(sid):
            raise PolicyProblem(f"{where}.Sid: expected letters and digits")
        if sid and sid in sids:
            raise PolicyProblem(f"{where}.Sid: {sid} is that of another statement too")
        sids.add(sid)
    return Policy(tuple(read))


def warnings(policy: Policy) -> Iterator[str]:
    """What a policy says that its author may not mean."""
    for index, statement in enumerate(policy.statements):
        where = f"Statement[{index}]"
        if statement.effect == "Allow" and statement.but_actions:
            yield f"{where}: NotAction with Allow allows all other actions of all services, also those to come"
        if statement.effect == "Allow" and statement.but_resources:
            yield f"{where}: NotResource with Allow allows all other resources, also those to come"
        present = {one.key for one in statement.conditions if one.operator.base == "Null" and one.values == ("false",)}
        for condition in statement.conditions:
            name, key = condition.operator.name, condition.key
            if condition.operator.of == "all" and statement.effect == "Allow" and key not in present:
                yield f'{where}: {name} is true where {key} is absent: add "Null": {{"{key}": "false"}}'
            if condition.operator.of == "one" and condition.operator.base != "Null" and _ARRAYS.fullmatch(key):
                yield f"{where}: {key} may have several values: use ForAnyValue or ForAllValues"
            if condition.operator.of != "one" and key.startswith("ecs:") and not _ARRAYS.fullmatch(key):
                yield f"{where}: {key} has one value: {name} is for keys that have several"


def unknown_actions(policy: Policy, known: Collection[str]) -> Iterator[str]:
    """The actions that no action of a service is, of which `known` (`ecs:RunTask`) are all there are."""
    services = {action.partition(":")[0].lower() for action in known}
    names = [action.lower() for action in known]
    for index, statement in enumerate(policy.statements):
        for one in statement.actions:
            text = "".join(item.value if isinstance(item, Wild) else str(item) for item in one)
            if text.partition(":")[0] in services and not any(matches(one, name, {}) for name in names):
                yield f"Statement[{index}]: there is no action {text}"


def unknown_keys(policy: Policy, known: Collection[str]) -> Iterator[str]:
    """The keys of conditions that no request has, of which `known` are all there are of their services. One that ends
    with a slash (`ecs:ResourceTag/`) is how those of tags begin."""
    services = {key.partition(":")[0] for key in known}
    names = {key.lower() for key in known}
    for index, statement in enumerate(policy.statements):
        for key in (condition.key for condition in statement.conditions):
            head, slash, _ = key.partition("/")
            if key.partition(":")[0] in services and names.isdisjoint({key, head + slash}):
                yield f"Statement[{index}]: there is no key {key}"


def _statement(data: object, where: str, trust: bool, variables: bool) -> Statement:
    known = {"Sid", "Effect", "Action", "NotAction", "Condition"}
    statement = _object(data, where, known | {"Principal", "NotPrincipal", "Resource", "NotResource"})
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise PolicyProblem(f"{where}.Effect: expected Allow or Deny")
    if trust and not {"Resource", "NotResource"}.isdisjoint(statement):
        raise PolicyProblem(f"{where}: a role's trust policy has no Resource")
    if trust and ("Principal" not in statement or "NotPrincipal" in statement):
        raise PolicyProblem(f"{where}.Principal: is required in a role's trust policy, which has no NotPrincipal")
    if not trust and not {"Principal", "NotPrincipal"}.isdisjoint(statement):
        raise PolicyProblem(f"{where}: a policy of users, groups and roles has no Principal")
    actions, but_actions = _one_of(statement, "Action", where, _action)
    resources: tuple[Pattern, ...] = ()
    but_resources = False
    if not trust:
        resources, but_resources = _one_of(statement, "Resource", where, lambda text: _resource(text, variables))
    return Statement(
        effect=statement["Effect"],
        actions=actions,
        resources=resources,
        conditions=tuple(_conditions(statement.get("Condition", {}), f"{where}.Condition", variables)),
        but_actions=but_actions,
        but_resources=but_resources,
        principals=tuple(_principals(statement["Principal"], f"{where}.Principal")) if trust else (),
    )


def _principals(given: Any, where: str) -> Iterator[str]:
    """`*` and ARNs; an account is its root. Services and federated ones are none that could ask here."""
    if given == "*":
        yield "*"
        return
    kinds = _object(given, where, {"AWS", "Service", "Federated", "CanonicalUser"})
    if not kinds:
        raise PolicyProblem(f"{where}: expected who is meant, e.g. AWS")
    for kind, names in kinds.items():
        try:
            texts = _strings(names)
        except ValueError as error:
            raise PolicyProblem(f"{where}.{kind}: {error}") from None
        for text in texts if kind == "AWS" else ():
            if text != "*" and not _PRINCIPAL.fullmatch(text):
                raise PolicyProblem(f"{where}.AWS: {text!r} is neither an account nor the ARN of a user or a role")
            yield f"arn:aws:iam::{text}:root" if text.isdecimal() else text


def _object(data: object, where: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise PolicyProblem(f"{where}: expected an object")
    for name in data:
        if name not in known:
            meant = next((one for one in known if one.lower() == str(name).lower()), None)
            raise PolicyProblem(f"{where}: unknown element {name!r}" + (f"; did you mean {meant}?" if meant else ""))
    return data


def _one_of(
    statement: dict[str, Any], name: str, where: str, read: Callable[[str], Pattern]
) -> tuple[tuple[Pattern, ...], bool]:
    """The patterns of `Action` or `NotAction`, and which of them it was."""
    given = [one for one in (name, f"Not{name}") if one in statement]
    if len(given) != 1:
        problem = "not both" if given else "one of them is required"
        raise PolicyProblem(f"{where}: {name} or Not{name}, {problem}")
    place = f"{where}.{given[0]}"
    try:
        return tuple(map(read, _strings(statement[given[0]]))), given[0] != name
    except ValueError as error:
        raise PolicyProblem(f"{place}: {error}") from None


def _strings(value: Any) -> list[str]:
    texts: list[str] = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("expected a string, or a list of at least one")
    return texts


def _action(text: str) -> Pattern:
    vendor, colon, name = text.partition(":")
    if text != "*" and not (colon and _VENDOR.fullmatch(vendor) and re.fullmatch(r"[A-Za-z0-9*?]+", name)):
        raise ValueError(f"{text!r} is not an action like ecs:RunTask or ecs:Describe*")
    return parse(text.lower(), wildcards=True, variables=False)


def _resource(text: str, variables: bool) -> Pattern:
    pattern = parse(text, wildcards=True, variables=variables)
    if is_all(pattern):
        return pattern
    parts = segments(pattern)
    if len(parts) != 6 or parts[0] != tuple("arn") or not parts[5]:
        raise ValueError(f'{text!r} must be in ARN format, arn:aws:ecs:REGION:ACCOUNT:RESOURCE, or "*"')
    service = parts[2]
    if not all(isinstance(item, str) for item in service) or not _SERVICE.fullmatch("".join(map(str, service))):
        raise ValueError(f"{text!r}: the service of an ARN is a word, without wildcards")
    return pattern


def _conditions(data: object, where: str, variables: bool) -> Iterator[Condition]:
    if not isinstance(data, dict):
        raise PolicyProblem(f"{where}: expected an object of operators")
    for name, keys in data.items():
        try:
            operator = operator_of(name)
        except ValueError as error:
            raise PolicyProblem(f"{where}: {error}") from None
        if not isinstance(keys, dict) or not keys:
            raise PolicyProblem(f"{where}.{name}: expected an object of condition keys")
        seen: set[str] = set()
        for key, values in keys.items():
            place = f"{where}.{name}.{key}"
            if not _CONDITION_KEY.fullmatch(key):
                raise PolicyProblem(f"{place}: is not a condition key like ecs:cluster")
            if key.lower() in seen:
                raise PolicyProblem(f"{place}: the key is there twice: case does not matter")
            seen.add(key.lower())
            yield Condition(operator, key.lower(), tuple(_values(operator, values, place, variables)))


def _values(operator: Any, values: object, where: str, variables: bool) -> Iterator[Any]:
    given = values if isinstance(values, list) else [values]
    if not given:
        raise PolicyProblem(f"{where}: expected at least one value")
    for value in given:
        if not isinstance(value, str | bool | int | float):
            raise PolicyProblem(f"{where}: expected a string, a number, true or false, or a list of such")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        try:
            yield value_of(operator, text, variables=variables)
        except ValueError as error:
            raise PolicyProblem(f"{where}: {error}") from None
