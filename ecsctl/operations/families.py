"""Families of task definitions, and the numbers that they have given: none is given twice."""

from __future__ import annotations

from ecsctl.model.account_records import Family, family_key
from ecsctl.store.account_tables import FAMILIES
from ecsctl.store.store import Transaction, View


def last_revision(view: View, scope: str, name: str) -> int:
    """The highest number that a family of a scope (region/account) has given, 0 where there is none."""
    known = view.get(FAMILIES, family_key(scope, name))
    return known.last_revision if known else 0


def note_last(tx: Transaction, scope: str, name: str, revision: int) -> None:
    """Write down the highest number that a family has given."""
    tx.put(FAMILIES, Family(key=family_key(scope, name), name=name, last_revision=revision))


def note_given(tx: Transaction, scope: str, name: str, revision: int) -> None:
    """Write down that a family has given a number, which may be one from before."""
    note_last(tx, scope, name, max(last_revision(tx, scope, name), revision))
