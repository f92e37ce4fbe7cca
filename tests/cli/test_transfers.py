"""How far images are: a line that changes on a terminal, a line at the beginning elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from ecsctl.cli.image_map import image_map
from ecsctl.cli.problems import UsageError
from ecsctl.cli.transfers import Transfers
from ecsctl.engine.port import PullProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_a_transfer_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", out := io.StringIO())
    transfers = Transfers()
    for progress in (PullProgress(), PullProgress(1, 2, 5, 10), None, PullProgress(), None):
        transfers.pulling("host1", "nginx", progress)
    transfers.sending("app", "host2", 1, 10)
    assert out.getvalue() == "pulling nginx on host1\nsending app to host2\n"


def test_on_a_terminal_a_line_shows_layers_and_bytes_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", out := Terminal())
    monkeypatch.setattr("ecsctl.cli.transfers.REFRESH", 0.0)
    monkeypatch.setenv("COLUMNS", "200")
    transfers = Transfers()
    transfers.pulling("host1", "ngi\x1bnx", PullProgress(1, 3, 1_500_000, 4_000_000))
    transfers.sending("app", "host2", 0, 2_000_000)
    shown = out.getvalue().split("\r\x1b[K")
    assert shown[1] == r"pulling ngi\x1bnx on host1: 1 of 3 layers, 1.5 of 4.0 MB"
    assert shown[2] == shown[1] + "; sending app to host2: 0.0 of 2.0 MB"
    transfers.pulling("host1", "ngi\x1bnx", None)
    transfers.sending("app", "host2", 2_000_000, 2_000_000)
    assert out.getvalue().endswith("\r\x1b[K")


def test_what_is_no_map_is_refused() -> None:
    assert image_map(["a=b", "c:1=d@sha256:0=1"]) == {"a": "b", "c:1": "d@sha256:0=1"}
    for word in ("a", "=b", "a="):
        with pytest.raises(UsageError, match="write FROM=TO"):
            image_map([word])
