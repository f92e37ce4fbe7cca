"""Finding users, groups, roles and policies by name, and the names that they may have.

Source: IAM user guide, "IAM and AWS STS quotas"; IAM API reference, CommonErrors and each action's Errors.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from ecsctl.model.errors import ApiError
from ecsctl.model.iam import GroupRecord, Holder, IamTag, PolicyRecord, RoleRecord, UserRecord, key_of
from ecsctl.operations.aws_policies import AWS_POLICIES, OF_AWS
from ecsctl.operations.context import Context
from ecsctl.store.iam_tables import GROUPS, POLICIES, ROLES, USERS
from ecsctl.store.store import View
from ecsctl.store.tables import Table

Kind = Literal["user", "group", "role"]

_NAME = r"[A-Za-z0-9+=,.@_-]+"
_PATH = r"/|/[!-.0-~]+(/[!-.0-~]+)*/"
_PREFIX = r"/[!-~]*"
_ID = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""The letters of IAM's ids."""


def new_iam_id(ctx: Context, prefix: str, letters: int = 17) -> str:
    """An id as IAM makes them, e.g. AIDA… of a user."""
    return prefix + "".join(_ID[ctx.draw(len(_ID))] for _ in range(letters))


def no_such(message: str) -> ApiError:
    return ApiError("NoSuchEntity", message)


def exists(message: str) -> ApiError:
    return ApiError("EntityAlreadyExists", message)


def conflict(message: str) -> ApiError:
    return ApiError("DeleteConflict", message)


def limit_exceeded(message: str) -> ApiError:
    return ApiError("LimitExceeded", message)


def invalid(message: str) -> ApiError:
    return ApiError("ValidationError", message)


def iam_name(text: str, what: str, longest: int) -> str:
    """A name that IAM takes for `what`, e.g. userName; ValidationError."""
    if not re.fullmatch(_NAME, text):
        raise invalid(
            f"The specified value for {what} is invalid. It must contain only alphanumeric characters and/or the "
            "following: +=,.@_-"
        )
    if len(text) > longest:
        raise invalid(f"The specified value for {what} is invalid. It must have at most {longest} characters.")
    return text


def iam_path(text: str | None) -> str:
    """A path, `/` where none is given; ValidationError."""
    if text is not None and not (re.fullmatch(_PATH, text) and len(text) <= 512):
        raise invalid(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
            "characters and/or / characters."
        )
    return text or "/"


def prefix_of(text: str | None) -> str:
    """What paths begin with of what is to be listed; ValidationError."""
    if text is not None and not re.fullmatch(_PREFIX, text):
        raise invalid("The specified value for pathPrefix is invalid. It must begin with /.")
    return text or "/"


def the_user(view: View, ctx: Context, name: str) -> UserRecord:
    found = view.get(USERS, key_of(ctx.scope.account, name))
    if found is None or found.name != name:
        raise no_such(f"The user with name {name} cannot be found.")
    return found


def the_group(view: View, ctx: Context, name: str) -> GroupRecord:
    found = view.get(GROUPS, key_of(ctx.scope.account, name))
    if found is None or found.name != name:
        raise no_such(f"The group with name {name} cannot be found.")
    return found


def the_role(view: View, ctx: Context, name: str) -> RoleRecord:
    found = view.get(ROLES, key_of(ctx.scope.account, name))
    if found is None or found.name != name:
        raise no_such(f"The role with name {name} cannot be found.")
    return found


def the_holder(view: View, ctx: Context, kind: Kind, name: str) -> tuple[Holder, Table[Any]]:
    """A user, a group or a role by name, and where it is kept."""
    if kind == "user":
        return the_user(view, ctx, name), USERS
    return (the_group(view, ctx, name), GROUPS) if kind == "group" else (the_role(view, ctx, name), ROLES)


def the_policy(view: View, ctx: Context, arn: str, missing: str = "") -> PolicyRecord:
    """A managed policy of this account, or one of AWS's."""
    found = managed_policy(view, arn)
    if found is None or found.account not in (ctx.scope.account, OF_AWS):
        raise no_such(missing or f"Policy {arn} was not found.")
    return found


def managed_policy(view: View, arn: str) -> PolicyRecord | None:
    """The managed policy of an ARN."""
    return AWS_POLICIES.get(arn) or view.get(POLICIES, arn)


def the_boundary(view: View, ctx: Context, arn: str | None) -> str | None:
    """The ARN of the managed policy that is to be a boundary."""
    return the_policy(view, ctx, arn).arn if arn is not None else None


def iam_tags(tags: list[IamTag] | None) -> list[IamTag]:
    """Tags as IAM takes them: at most 50, keys that differ in more than case; ValidationError."""
    given = tags or []
    if len(given) > 50:
        raise limit_exceeded("Cannot exceed quota for TagsPerResource: 50")
    for tag in given:
        if not 1 <= len(tag.key) <= 128 or len(tag.value) > 256:
            raise invalid(f"The tag {tag.key[:128]!r}: keys have 1 to 128 characters, values up to 256.")
        if tag.key.lower().startswith("aws:"):
            raise invalid(f"The tag {tag.key!r}: the prefix aws: is reserved.")
    if len({tag.key.lower() for tag in given}) < len(given):
        raise invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    return given


def check_empty(holder: Holder, *more: tuple[str, bool]) -> None:
    """DeleteConflict for what still has something: policies, or what `more` says has to be done before."""
    for what, is_there in (
        *more,
        ("delete policies", bool(holder.inline)),
        ("detach all policies", bool(holder.attached)),
    ):
        if is_there:
            raise conflict(f"Cannot delete entity, must {what} first.")


def members_of(view: View, ctx: Context, group: str) -> list[UserRecord]:
    """The users of a group."""
    return [user for user in view.find(USERS, account=ctx.scope.account) if group in user.groups]
