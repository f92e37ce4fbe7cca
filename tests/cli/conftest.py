"""Fixtures of the command line's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.running import Runner


@pytest.fixture
def ecsctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runner:
    """`ecsctl …` with nothing of the machine's own configuration, and a new state."""
    for name in list(os.environ):
        if name.startswith(("ECSCTL_", "AWS_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ECSCTL_STATE", str(tmp_path / "state.db"))
    monkeypatch.setenv("TZ", "UTC")
    return Runner(capsys)
