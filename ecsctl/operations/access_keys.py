"""Access keys: made here, told once, sealed in the state, looked up by the endpoint.

Source: IAM API CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey.
"""

from __future__ import annotations

from ecsctl.model.api.access_keys import (
    AccessKey,
    AccessKeyMetadata,
    CreateAccessKeyRequest,
    CreateAccessKeyResponse,
    DeleteAccessKeyRequest,
    DeleteAccessKeyResponse,
    ListAccessKeysRequest,
    ListAccessKeysResponse,
    UpdateAccessKeyRequest,
    UpdateAccessKeyResponse,
)
from ecsctl.model.iam import AccessKeyRecord, KeyStatus
from ecsctl.model.record import evolve
from ecsctl.operations.context import Context
from ecsctl.operations.iam_lookup import limit_exceeded, new_iam_id, no_such, the_user
from ecsctl.operations.secrets import seal_in
from ecsctl.store.generation import begin_next, current
from ecsctl.store.iam_tables import ACCESS_KEYS
from ecsctl.store.store import Transaction

KEYS_OF_A_USER = 2


def create_access_key(ctx: Context, request: CreateAccessKeyRequest) -> CreateAccessKeyResponse:
    """A key of a user. Its secret is in the answer, and nowhere else but sealed."""
    from base64 import b64encode
    from secrets import token_bytes

    with ctx.store.write() as tx:
        user = the_user(tx, ctx, request.user_name)
        if tx.count(ACCESS_KEYS, owner=user.key) >= KEYS_OF_A_USER:
            raise limit_exceeded(f"Cannot exceed quota for AccessKeysPerUser: {KEYS_OF_A_USER}")
        secret = b64encode(token_bytes(30)).decode()
        made = AccessKeyRecord(
            id=new_iam_id(ctx, "AKIA", 16),
            account=user.account,
            user=user.name,
            sealed=seal_in(ctx, tx).seal(secret),
            status="Active",
            created_at=ctx.now(),
            generation=current(ctx.store, tx),
        )
        tx.put(ACCESS_KEYS, made)
    return CreateAccessKeyResponse(
        access_key=AccessKey(
            user_name=user.name,
            access_key_id=made.id,
            status=made.status,
            secret_access_key=secret,
            create_date=made.created_at,
        )
    )


def list_access_keys(ctx: Context, request: ListAccessKeysRequest) -> ListAccessKeysResponse:
    """The keys of a user, without their secrets."""
    with ctx.store.read() as view:
        user = the_user(view, ctx, request.user_name)
        generation = current(ctx.store, view)
        return ListAccessKeysResponse(
            access_key_metadata=[
                AccessKeyMetadata(
                    user_name=user.name,
                    access_key_id=key.id,
                    status=status_of(key, generation),
                    create_date=key.created_at,
                )
                for key in view.find(ACCESS_KEYS, owner=user.key)
            ]
        )


def update_access_key(ctx: Context, request: UpdateAccessKeyRequest) -> UpdateAccessKeyResponse:
    """Revoke a key, or take it back in: also one that a backup brought."""
    with ctx.store.write() as tx:
        key = _the_key(tx, ctx, request.access_key_id, request.user_name)
        if request.status == "Active":
            tx.put(ACCESS_KEYS, evolve(key, status="Active", generation=current(ctx.store, tx)))
        else:
            tx.put(ACCESS_KEYS, evolve(key, status="Inactive"))
            begin_next(ctx.store, tx)
    _note_generation(ctx)
    return UpdateAccessKeyResponse()


def delete_access_key(ctx: Context, request: DeleteAccessKeyRequest) -> DeleteAccessKeyResponse:
    """Revoke a key for good."""
    with ctx.store.write() as tx:
        tx.delete(ACCESS_KEYS, id=_the_key(tx, ctx, request.access_key_id, request.user_name).id)
        begin_next(ctx.store, tx)
    _note_generation(ctx)
    return DeleteAccessKeyResponse()


def status_of(key: AccessKeyRecord, generation: int) -> KeyStatus:
    """Whether a key is honoured in this generation."""
    return "Active" if key.status == "Active" and key.generation >= generation else "Inactive"


def _the_key(tx: Transaction, ctx: Context, key_id: str, user: str | None) -> AccessKeyRecord:
    found = tx.get(ACCESS_KEYS, key_id)
    owner = the_user(tx, ctx, user).name if user is not None else None
    if found is None or found.session or found.account != ctx.scope.account or owner not in (None, found.user):
        raise no_such(f"The Access Key with id {key_id} cannot be found.")
    return found


def _note_generation(ctx: Context) -> None:
    with ctx.store.read() as view:
        current(ctx.store, view)
