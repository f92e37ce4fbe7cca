"""The tables of who may do what. They are apart from the others: a pass of the controller asks none of them, and their
records take longer to define than it has."""

from __future__ import annotations

from ecsctl.model.iam import AccessKeyRecord, GroupRecord, PolicyRecord, RoleRecord, UserRecord
from ecsctl.store.tables import Table

USERS = Table("iam_user", UserRecord, ("key", "account"), lambda u: (u.key, u.account))
GROUPS = Table("iam_group", GroupRecord, ("key", "account"), lambda g: (g.key, g.account))
ROLES = Table("iam_role", RoleRecord, ("key", "account"), lambda r: (r.key, r.account))
POLICIES = Table("iam_policy", PolicyRecord, ("arn", "account"), lambda p: (p.arn, p.account))
ACCESS_KEYS = Table("access_key", AccessKeyRecord, ("id", "owner"), lambda k: (k.id, k.owner))
