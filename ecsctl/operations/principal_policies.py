"""The policies that apply to a user, a group or a role, and what conditions may ask of who asks."""

from __future__ import annotations

from datetime import datetime

from ecsctl.model.iam import GroupRecord, Holder, RoleRecord, UserRecord, key_of
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import managed_policy
from ecsctl.operations.policy_documents import kept_policy
from ecsctl.policy.evaluate import Policies
from ecsctl.store.iam_tables import GROUPS
from ecsctl.store.store import View


def policies_of(view: View, holder: UserRecord | GroupRecord | RoleRecord, session: str | None = None) -> Policies:
    """Its own and those that are attached to it; of a user also those of its groups. `session`: the text of a policy
    that limits a session of a role."""
    names = holder.groups if isinstance(holder, UserRecord) else []
    groups = [group for name in names if (group := view.get(GROUPS, key_of(holder.account, name))) is not None]
    holders: list[Holder] = [holder, *groups]
    texts = [text for one in holders for text in one.inline.values()]
    managed = [managed_policy(view, arn) for one in holders for arn in one.attached]
    texts += [policy.document for policy in managed if policy is not None]
    boundary = None
    if not isinstance(holder, GroupRecord) and holder.boundary is not None:
        limit = managed_policy(view, holder.boundary)
        boundary = (kept_policy(limit.document),) if limit is not None else ()  # one that is not there allows nothing
    return Policies(tuple(map(kept_policy, texts)), boundary, (kept_policy(session),) if session is not None else None)


def keys_of_user(ctx: Context, user: UserRecord) -> dict[str, str | list[str]]:
    """What conditions may ask of each request of a user (IAM user guide, "AWS global condition context keys")."""
    return {
        **keys_of_now(ctx),
        "aws:PrincipalAccount": user.account,
        "aws:PrincipalArn": user.arn,
        "aws:PrincipalType": "User",
        "aws:userid": user.id,
        "aws:username": user.name,
        **{f"aws:PrincipalTag/{tag.key}": tag.value for tag in user.tags},
    }


def keys_of_session(
    ctx: Context, role: RoleRecord, session: str, began: datetime | None = None
) -> dict[str, str | list[str]]:
    """The same of a session of a role; when it began, where that is known."""
    return {
        **keys_of_now(ctx),
        "aws:PrincipalAccount": role.account,
        "aws:PrincipalArn": role.arn,
        "aws:PrincipalType": "AssumedRole",
        **({"aws:TokenIssueTime": began.isoformat()} if began is not None else {}),
        "aws:userid": f"{role.id}:{session}",
        **{f"aws:PrincipalTag/{tag.key}": tag.value for tag in role.tags},
    }


def keys_of_now(ctx: Context) -> dict[str, str | list[str]]:
    """What conditions may ask of each request, whoever makes it."""
    now = ctx.now()
    return {
        "aws:CurrentTime": now.isoformat(),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:RequestedRegion": ctx.scope.region,
    }
