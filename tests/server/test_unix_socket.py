"""The socket is its owner's alone; what a dead process left is replaced, and nothing else is."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from ecsctl.model.errors import InputError
from ecsctl.server.unix_socket import listening


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught, listening(path):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_only_its_owner_may_open_it_and_it_is_gone_at_the_end(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with listening(tmp_path / "s"):
            assert stat.S_IMODE((tmp_path / "s").lstat().st_mode) == 0o600
            assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert not (tmp_path / "s").exists()


def test_one_in_use_is_refused_and_left_alone(tmp_path: Path) -> None:
    with listening(tmp_path / "s") as listener:
        assert "s is in use by another process: end that one" in refused(tmp_path / "s")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "s"))
            listener.accept()[0].close()


def test_one_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
        other.listen()
        assert "is in use by another process" in refused(tmp_path / "s")
        assert (tmp_path / "s").exists()


def test_one_that_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
        dead.listen()
    with listening(tmp_path / "s"), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "s"))


def test_another_thing_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("precious")
    assert "is there and is no socket" in refused(tmp_path / "s")
    assert (tmp_path / "s").read_text() == "precious"
    (tmp_path / "link").symlink_to(tmp_path / "s")
    assert "is there and is no socket" in refused(tmp_path / "link")
    assert {path.name for path in tmp_path.iterdir()} == {"s", "link"}, "no lock is left beside it"


def test_a_path_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    assert "longer than 100 bytes" in refused(tmp_path / ("a" * 120))
    assert "No such file or directory" in refused(tmp_path / "nowhere" / "s")


def test_what_took_its_place_is_left_at_the_end(tmp_path: Path) -> None:
    with listening(tmp_path / "s"):
        (tmp_path / "s").unlink()
        (tmp_path / "s").write_text("another's")
    assert (tmp_path / "s").read_text() == "another's"
