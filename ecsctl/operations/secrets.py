"""The secrets in the state: sealed there, opened for a container that needs one, and for who asks.

Source: Secrets Manager API PutSecretValue, GetSecretValue (versions and stages).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ecsctl.model.errors import InputError
from ecsctl.model.near import near
from ecsctl.model.record import Record, evolve
from ecsctl.model.secret import CURRENT, LONGEST, PREVIOUS, SecretRecord, SecretVersion, secret_name
from ecsctl.operations.context import Context
from ecsctl.store.iam_tables import ACCESS_KEYS
from ecsctl.store.sealing import Seal
from ecsctl.store.secret_table import SECRETS
from ecsctl.store.store import Transaction, View

VERSIONS = 10
"""How many versions of a secret are kept."""


class SecretSummary(Record):
    """A secret without its value."""

    name: str
    created_at: datetime
    changed_at: datetime
    version_id: str
    versions: int


def put_secrets(ctx: Context, values: Mapping[str, str]) -> None:
    """Give secrets new values, all or none. The last one stays as AWSPREVIOUS; one that has the value already is left
    as it is. InputError for a name or a value that cannot be one."""
    named = {_checked(name): _checked_value(name, value) for name, value in values.items()}
    with ctx.store.write() as tx:
        seal = seal_in(ctx, tx)
        for name, value in named.items():
            _put(ctx, tx, seal, name, value)


def get_secret(ctx: Context, name: str, stage: str = CURRENT) -> str:
    """The value of a version. InputError where there is none."""
    with ctx.store.read() as view:
        secret = _the_secret(view, name)
    for version in secret.versions:
        if stage in (version.id, *version.stages):
            return ctx.store.seal().open(version.sealed)
    known = ", ".join(stage for version in secret.versions for stage in version.stages)
    raise InputError(f"the secret {secret.name} has no version {stage}; it has {known}")


def list_secrets(ctx: Context) -> list[SecretSummary]:
    """All of them, by name."""
    with ctx.store.read() as view:
        return [
            SecretSummary(
                name=secret.name,
                created_at=secret.created_at,
                changed_at=secret.versions[0].created_at,
                version_id=secret.versions[0].id,
                versions=len(secret.versions),
            )
            for secret in view.find(SECRETS, order="name")
        ]


def delete_secret(ctx: Context, name: str) -> None:
    """Forget a secret and all its versions. Containers that have its value keep it."""
    with ctx.store.write() as tx:
        tx.delete(SECRETS, name=_the_secret(tx, name).name)


def rotate_keys(ctx: Context) -> int:
    """Seal every secret with a new key, those of access keys too, and forget the older ones; how many there are.

    Killed at any moment, the keys on the disk open what is in the state.
    """
    with ctx.store.write() as tx:
        secrets, keys = tx.find(SECRETS), tx.find(ACCESS_KEYS)
        if not secrets and not keys:
            return 0
        seal = ctx.store.seal(ctx.key_store)
        opened = [[seal.open(version.sealed) for version in secret.versions] for secret in secrets]
        of_keys = [seal.open(key.sealed) for key in keys]
        seal.add_key()
        for key, value in zip(keys, of_keys, strict=True):
            tx.put(ACCESS_KEYS, evolve(key, sealed=seal.seal(value)))
        for secret, values in zip(secrets, opened, strict=True):
            versions = [
                evolve(version, sealed=seal.seal(value)) for version, value in zip(secret.versions, values, strict=True)
            ]
            tx.put(SECRETS, evolve(secret, versions=versions))
    with ctx.store.write():  # nobody seals meanwhile
        seal.forget_older_keys()
    return len(secrets) + len(keys)


def _put(ctx: Context, tx: Transaction, seal: Seal, name: str, value: str) -> None:
    secret = tx.get(SECRETS, name)
    now, older = ctx.now(), secret.versions if secret else []
    if older and seal.open(older[0].sealed) == value:
        return
    new = SecretVersion(id=ctx.new_id(), created_at=now, sealed=seal.seal(value), stages=[CURRENT])
    kept = [evolve(version, stages=[] if index else [PREVIOUS]) for index, version in enumerate(older[: VERSIONS - 1])]
    tx.put(SECRETS, SecretRecord(name=name, created_at=secret.created_at if secret else now, versions=[new, *kept]))


def seal_in(ctx: Context, tx: Transaction) -> Seal:
    """What seals. With the first secret comes the first key; a key that is missing later is not made anew."""
    seal = ctx.store.seal(ctx.key_store)
    if not seal.exists and not tx.count(SECRETS) and not tx.count(ACCESS_KEYS):
        seal.add_key()
    return seal


def _the_secret(view: View, name: str) -> SecretRecord:
    found = view.get(SECRETS, _checked(name))
    if found is None:
        meant = near(name, [secret.name for secret in view.find(SECRETS)])
        hint = f"; did you mean {meant[0]}?" if meant else ": see `ecsctl secret list`"
        raise InputError(f"there is no secret {name}{hint}")
    return found


def _checked(name: str) -> str:
    try:
        return secret_name(name)
    except ValueError as error:
        raise InputError(str(error)) from None


def _checked_value(name: str, value: str) -> str:
    """InputError does not repeat the value."""
    if not value:
        raise InputError(f"the value of {name} is empty")
    if "\0" in value:
        raise InputError(f"the value of {name} has a NUL in it: it has to be text")
    if len(value.encode()) > LONGEST:
        raise InputError(f"the value of {name} is longer than {LONGEST} bytes")
    return value
