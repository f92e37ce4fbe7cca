"""The table of secrets: apart, as only what reads or writes a value asks it."""

from __future__ import annotations

from ecsctl.model.secret import SecretRecord
from ecsctl.store.tables import Table

SECRETS = Table("secret", SecretRecord, ("name",), lambda s: (s.name,))
