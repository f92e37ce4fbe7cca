"""Whether policies allow an action on a resource. Pure; what cannot be evaluated is denied.

Source: IAM user guide, "Policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from msgspec import Struct

from ecsctl.policy import pattern
from ecsctl.policy.conditions import holds
from ecsctl.policy.document import Policy, Statement
from ecsctl.policy.pattern import Context, NoValue

Kind = Literal["identity-based policy", "permissions boundary", "session policy"]


class Policies(Struct, frozen=True):
    """All that applies to who asks. `identity`: of the user and its groups, or of the role. None: there is none of the
    kind, so it denies nothing."""

    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None = None
    session: tuple[Policy, ...] | None = None


class Decision(Struct, frozen=True):
    """What became of it, and what kind of policy decided; `explicit`: by a Deny."""

    allowed: bool
    explicit: bool = False
    by: Kind = "identity-based policy"


def context_of(values: Mapping[str, str | Iterable[str]]) -> Context:
    """The keys of a request as they are looked up. Those that differ in case only are one, with all their values."""
    found: dict[str, tuple[str, ...]] = {}
    for key, one in values.items():
        found[key.lower()] = (*found.get(key.lower(), ()), *((one,) if isinstance(one, str) else one))
    return found


def narrowed(policies: Policies, action: str) -> Policies:
    """Those that are about an action, without what is about others alone: the same decisions for it, and sooner."""

    def about(given: tuple[Policy, ...]) -> tuple[Policy, ...]:
        name = action.lower()
        return tuple(Policy(tuple(one for one in each.statements if _is_named(one, name))) for each in given)

    return Policies(
        about(policies.identity),
        about(policies.boundary) if policies.boundary is not None else None,
        about(policies.session) if policies.session is not None else None,
    )


def evaluate(policies: Policies, action: str, resource: str, context: Context) -> Decision:
    """Whether `action` (`ecs:RunTask`) is allowed on the resource: an ARN, or `*` for an action that has none."""
    kinds: list[tuple[Kind, tuple[Policy, ...]]] = [("identity-based policy", policies.identity)]
    if policies.boundary is not None:
        kinds.append(("permissions boundary", policies.boundary))
    if policies.session is not None:
        kinds.append(("session policy", policies.session))
    effects = [(kind, _effects(of_kind, action, resource, context)) for kind, of_kind in kinds]
    for kind, found in effects:
        if "Deny" in found:
            return Decision(allowed=False, explicit=True, by=kind)
    for kind, found in effects:
        if "Allow" not in found:
            return Decision(allowed=False, by=kind)
    return Decision(allowed=True)


def _effects(policies: Iterable[Policy], action: str, resource: str, context: Context) -> set[str]:
    return {
        statement.effect
        for policy in policies
        for statement in policy.statements
        if is_meant(statement, action, resource, context)
    }


def is_meant(statement: Statement, action: str, resource: str, context: Context) -> bool:
    """Whether a statement is about this request. Where that cannot be said, a Deny is and an Allow is not."""
    if not _is_named(statement, action.lower()):
        return False
    try:
        named = [pattern.matches_arn(one, resource, context) for one in statement.resources]
        if any(named) == statement.but_resources:
            return False
    except NoValue:
        return False
    return _is_fulfilled(statement, context)


def trusts(policy: Policy, names: Collection[str], action: str, context: Context) -> bool:
    """Whether a role's trust policy lets somebody do that (sts:AssumeRole) who goes by these ARNs: its own, that of its
    account's root, of its role."""
    known = {"*", *names}
    effects = {
        one.effect
        for one in policy.statements
        if _is_named(one, action.lower()) and not known.isdisjoint(one.principals) and _is_fulfilled(one, context)
    }
    return effects == {"Allow"}


def _is_fulfilled(statement: Statement, context: Context) -> bool:
    """Whether all its conditions hold. Where that cannot be said, those of a Deny do and those of an Allow do not."""
    try:
        found = [holds(condition, context) for condition in statement.conditions]
    except NoValue:
        return False
    if False in found:
        return False
    return statement.effect == "Deny" if None in found else True


def _is_named(statement: Statement, action: str) -> bool:
    """Whether a statement is about an action, given in small letters."""
    return any(pattern.matches(one, action, {}) for one in statement.actions) != statement.but_actions
