"""The tables of an account besides its clusters and what is in them: a pass of the controller asks none of them."""

from __future__ import annotations

from ecsctl.model.account_records import AccountSetting, CapacityProviderRecord, Family
from ecsctl.store.tables import Table, scope_of

FAMILIES = Table("family", Family, ("key", "scope", "name"), lambda f: (f.key, f.key.rpartition("/")[0], f.name))
CAPACITY_PROVIDERS = Table(
    "capacity_provider",
    CapacityProviderRecord,
    ("arn", "scope", "name"),
    lambda p: (p.arn, scope_of(p.arn), p.name),
)
ACCOUNT_SETTINGS = Table(
    "account_setting", AccountSetting, ("key", "scope", "principal"), lambda s: (s.key, s.scope, s.principal_arn)
)
