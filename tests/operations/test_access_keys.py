"""Access keys are honoured as long as they should be, and no longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecsctl.operations.access import Key, find_key
from ecsctl.operations.context import Context
from ecsctl.operations.secrets import rotate_keys
from ecsctl.store.iam_tables import ACCESS_KEYS
from ecsctl.store.restore import restore
from tests.controller.world import World
from tests.operations.iam_calls import iam


@pytest.fixture
def ctx(world: World) -> Context:
    return world.process()


def key_of(ctx: Context, name: str = "ann") -> str:
    made: str = iam(ctx, "CreateAccessKey", UserName=name)["AccessKey"]["AccessKeyId"]
    return made


def test_a_key_that_is_unknown_inactive_deleted_or_of_another_account_is_none(ctx: Context) -> None:
    iam(ctx, "CreateUser", UserName="ann")
    one, two = key_of(ctx), key_of(ctx)
    assert find_key(ctx, "AKIA" + "A" * 16) is None
    found = find_key(ctx, one)
    assert isinstance(found, Key)
    assert (found.access_key_id, found.principal.name, found.token, found.expires_at) == (one, "ann", None, None)
    assert str(found.secret) not in repr(found)
    iam(ctx, "UpdateAccessKey", AccessKeyId=one, Status="Inactive")
    assert find_key(ctx, one) is None
    assert find_key(ctx, two) is not None
    iam(ctx, "UpdateAccessKey", AccessKeyId=one, Status="Active")
    assert find_key(ctx, one) == found
    iam(ctx, "DeleteAccessKey", AccessKeyId=one)
    assert find_key(ctx, one) is None
    with ctx.store.write() as tx:
        record = tx.get(ACCESS_KEYS, two)
        assert record is not None
        record.account = "111111111111"
        tx.put(ACCESS_KEYS, record)
    assert find_key(ctx, two) is None


def test_keys_are_opened_after_the_keys_of_secrets_were_rotated(ctx: Context) -> None:
    iam(ctx, "CreateUser", UserName="ann")
    found = find_key(ctx, one := key_of(ctx))
    assert rotate_keys(ctx) == 1
    assert find_key(ctx, one) == found


def status(ctx: Context) -> list[str]:
    return [one["Status"] for one in iam(ctx, "ListAccessKeys", UserName="ann")["AccessKeyMetadata"]]


def test_a48_a_backup_that_is_put_back_does_not_revive_a_revoked_key(world: World, tmp_path: Path) -> None:
    ctx = world.process()
    iam(ctx, "CreateUser", UserName="ann")
    kept, revoked = key_of(ctx), key_of(ctx)
    ctx.store.back_up(tmp_path / "backup")
    iam(ctx, "DeleteAccessKey", AccessKeyId=revoked)
    assert find_key(ctx, kept) is not None
    path = ctx.store.path
    restore(path, tmp_path / "backup")
    ctx = world.process()
    assert status(ctx) == ["Inactive", "Inactive"]
    assert (find_key(ctx, kept), find_key(ctx, revoked)) == (None, None)
    iam(ctx, "UpdateAccessKey", AccessKeyId=kept, Status="Active")
    assert find_key(ctx, kept) is not None
    assert find_key(ctx, revoked) is None
    iam(ctx, "DeleteAccessKey", AccessKeyId=revoked)
    assert find_key(ctx, kept) is not None
