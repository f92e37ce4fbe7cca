"""The keys of the secrets in a keyring of the package `keyring`: put there, found there, and never lost in silence."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail, null

from ecsctl.model.errors import StateError
from ecsctl.model.key_store import KeyStore
from ecsctl.model.record import evolve
from ecsctl.operations.secrets import get_secret, list_secrets, put_secrets, rotate_keys
from ecsctl.store.backup import copy_keys
from ecsctl.store.check import check
from ecsctl.store.restore import restore
from tests.cli.running import process
from tests.controller.world import World, world_in
from tests.store.drawer import Drawer


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as made:
        yield made


@pytest.fixture
def drawer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawer]:
    monkeypatch.setenv("DRAWER", str(tmp_path / "drawer"))
    before = keyring.get_keyring()
    made = Drawer()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def put(world: World, value: str, store: KeyStore | None = None) -> None:
    put_secrets(evolve(world.process(), key_store=store), {"a": value})


def rotate(world: World, store: KeyStore | None) -> None:
    assert rotate_keys(evolve(world.process(), key_store=store)) == 1


def line(act: Callable[[], object]) -> str:
    with pytest.raises(StateError) as raised:
        act()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_first_key_goes_where_it_is_to_be_and_is_found_without_being_told(world: World, drawer: Drawer) -> None:
    put(world, "1", "keyring")
    ((name, key),) = drawer.entries().items()
    path = world.store.secrets_key_path
    assert (path.read_text(), path.stat().st_mode & 0o777) == (f"keyring {name.removeprefix('ecsctl/')}\n", 0o600)
    put(world, "2")
    assert get_secret(world.process(), "a") == "2"
    assert drawer.entries() == {name: key}


def test_rotating_takes_keys_to_the_keyring_and_back_and_leaves_them_where_they_are_otherwise(
    world: World, drawer: Drawer
) -> None:
    path = world.store.secrets_key_path
    put(world, "1")
    before = path.read_bytes()
    rotate(world, "keyring")
    (name,) = drawer.entries()
    assert path.read_text().split() == ["keyring", name.removeprefix("ecsctl/")]
    kept = drawer.entries()[name]
    rotate(world, None)
    assert [*drawer.entries()] == [name]
    assert drawer.entries()[name] != kept
    assert len(drawer.entries()[name].split()) == 1
    rotate(world, "file")
    assert drawer.entries() == {}
    assert len(path.read_bytes().split()) == 1
    assert path.read_bytes() != before
    assert get_secret(world.process(), "a") == "1"


def test_who_lacks_the_package_a_keyring_or_the_entry_is_told_where_the_keys_are(
    world: World, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, "1", "keyring")
    (name,) = drawer.entries()
    where = f"the keys of {world.store.secrets_key_path} are in the keyring, {name}: "
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "keyring", None)
        assert (
            line(lambda: get_secret(world.process(), "a"))
            == f"{where}install ecsctl-hosts[keyring], or the package keyring"
        )
    keyring.set_keyring(fail.Keyring())
    for act in (lambda: get_secret(world.process(), "a"), lambda: put(world, "2"), lambda: rotate(world, "file")):
        assert line(act).startswith(f"{where}it does not answer: No recommended backend was available")
    assert [(finding.what, finding.advice[:18]) for finding in check(world.store.path)] == [
        (where.removesuffix(": "), "it does not answer")
    ]
    keyring.set_keyring(drawer)
    drawer.delete_password("ecsctl", name.removeprefix("ecsctl/"))
    lost = f"the keys of {world.store.secrets_key_path} are not in this keyring, {name}: restore it from the backup"
    for act in (lambda: get_secret(world.process(), "a"), lambda: put(world, "2"), lambda: rotate(world, "keyring")):
        assert line(act).startswith(lost)


def test_a_keyring_that_keeps_nothing_gets_no_key(world: World, drawer: Drawer) -> None:
    """And what was there before stays."""
    refused = f"the keys of {world.store.secrets_key_path} cannot be put into the keyring: "
    for backend, why in (
        (null.Keyring(), "it does not keep what it is given"),
        (fail.Keyring(), "it does not answer: "),
    ):
        keyring.set_keyring(backend)
        assert line(lambda: put(world, "1", "keyring")).startswith(refused + why)
        assert list_secrets(world.process()) == []
        assert not world.store.secrets_key_path.exists()
    put(world, "1")
    before = world.store.secrets_key_path.read_bytes()
    assert line(lambda: rotate(world, "keyring")).startswith(refused)
    assert world.store.secrets_key_path.read_bytes() == before
    assert get_secret(world.process(), "a") == "1"


def test_a_backup_with_keys_has_them_and_not_where_they_are(world: World, drawer: Drawer, tmp_path: Path) -> None:
    put(world, "1", "keyring")
    world.store.back_up(tmp_path / "b")
    copy_keys(world.store.path, tmp_path / "b")
    ((name, keys),) = drawer.entries().items()
    assert (tmp_path / "b.secrets-key").read_text() == keys
    rotate(world, None)
    restore(world.store.path, tmp_path / "b")
    assert get_secret(world.process(), "a") == "1"
    assert [*drawer.entries()] == [name]


def test_it_is_a_line_of_the_configuration_and_the_package_is_loaded_for_it_alone(tmp_path: Path) -> None:
    chosen = {"DRAWER": str(tmp_path / "drawer"), "PYTHON_KEYRING_BACKEND": "tests.store.drawer.Drawer", "A": "of a"}
    loaded = "import sys; from ecsctl.cli.main import run; run(sys.argv[1:]); print('keyring' in sys.modules)"
    assert process(tmp_path, "secret", "put", "a", "--env", "A", code=loaded, **chosen).stdout == "False\n"
    (tmp_path / "config.toml").write_text('key_store = "keyring"\n')
    moved = process(tmp_path, "--config", "config.toml", "secret", "rotate", code=loaded, **chosen)
    assert (moved.stdout, moved.stderr) == ("True\n", "1 secrets sealed with a new key\n")
    assert process(tmp_path, "secret", "get", "a", **chosen).stdout == "of a"
    (name,) = json.loads((tmp_path / "drawer").read_text())
    backup = process(tmp_path, "state", "backup", "b", **chosen)
    assert f"secrets-key and {name} of the keyring too; --with-keys copies" in backup.stderr
