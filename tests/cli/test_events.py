"""`events` as it is typed: lines for people, data for scripts, and following until Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ecsctl.store.store import Store, add_event
from tests.cli.running import Runner, environment, process

SHORT = "arn:aws:ecs:us-east-1:000000000000:cluster/short"


def note(state: Path, resource: str, kind: str, message: str) -> None:
    store = Store.open(state)
    with store.write() as tx:
        add_event(tx, datetime.now(timezone.utc), SHORT, SHORT.replace("cluster/short", resource), kind, message)
    store.close()


@pytest.fixture
def state(ecsctl: Runner, tmp_path: Path) -> Path:
    """A state whose cluster `short` was just created."""
    assert ecsctl("create-cluster", "--cluster-name", "short").code == 0
    return tmp_path / "state.db"


def test_a_line_has_the_time_what_it_is_about_the_kind_and_the_message(ecsctl: Runner, state: Path) -> None:
    note(state, f"task/short/{'1a2b' * 8}", "TaskPlaced", "on host")
    ran = ecsctl("events", "--cluster", "short")
    assert (ran.code, ran.err) == (0, "")
    first, second = (re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", "", line) for line in ran.out.splitlines())
    assert first == "cluster short      ClusterCreated"
    assert second == "task 1a2b1a2b1a2b  TaskPlaced      on host"


def test_a_message_cannot_steer_the_terminal(ecsctl: Runner, state: Path) -> None:
    note(state, "service/short/web", "ServiceEvent", "a\x1b[2Jb\nc")
    assert ecsctl("events", "--cluster", "short", "-n", "1").out.endswith(r"ServiceEvent  a\x1b[2Jb\nc" + "\n")


def test_for_scripts_it_is_a_list(ecsctl: Runner, state: Path) -> None:
    note(state, "service/short/web", "ServiceEvent", "x")
    entries = json.loads(ecsctl("events", "--cluster", "short", "--output", "json").out)
    assert [entry["kind"] for entry in entries] == ["ClusterCreated", "ServiceEvent"]
    assert entries[1]["resourceArn"].endswith(":service/short/web")
    assert ecsctl("events", "--cluster", "short", "--query", "[].name", "--output", "text").out == "short\tweb\n"
    assert ecsctl("events", "--since", "2020-01-01", "-n", "0", "--output", "json").out == "[]\n"


def test_one_schedule_is_chosen_by_its_name(ecsctl: Runner, state: Path) -> None:
    note(state, "schedule/short/job", "ScheduleCreated", "rate(5 minutes) UTC: app")
    note(state, "schedule/short/other", "ScheduleCreated", "rate(1 day) UTC: app")
    ran = ecsctl("events", "--cluster", "short", "--schedule", "job")
    assert (ran.code, ran.err, ran.out.count("\n")) == (0, "", 1)
    assert ran.out.endswith("  schedule job  ScheduleCreated  rate(5 minutes) UTC: app\n")


def test_fifty_lines_are_shown_unless_it_is_said_since_when(ecsctl: Runner, state: Path) -> None:
    for number in range(60):
        note(state, "cluster/short", "Kind", str(number))
    assert len(ecsctl("events", "--cluster", "short").out.splitlines()) == 50
    assert len(ecsctl("events", "--cluster", "short", "--since", "1h").out.splitlines()) == 61
    assert len(ecsctl("events", "--cluster", "short", "--since", "1h", "-n", "3").out.splitlines()) == 3


@pytest.mark.parametrize("output", ["json", "yaml", "text"])
def test_following_prints_what_others_write_at_once_and_ctrl_c_is_130(tmp_path: Path, output: str) -> None:
    process(tmp_path, "create-cluster", "--cluster-name", "short")
    following = subprocess.Popen(
        [sys.executable, "-m", "ecsctl", "events", "-f", "--cluster", "short", "--output", output, "-n", "1"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    lines = [following.stdout.readline()]
    began = time.monotonic()
    process(tmp_path, "delete-cluster", "--cluster", "short")
    while "ClusterDeleted" not in lines[-1]:
        lines.append(following.stdout.readline())
    assert time.monotonic() - began < 10
    following.send_signal(signal.SIGINT)
    rest, err = following.communicate(timeout=10)
    assert (following.returncode, err) == (130, "")
    if output == "json":
        assert [json.loads(line)["kind"] for line in lines] == ["ClusterCreated", "ClusterDeleted"]
    elif output == "yaml":
        import yaml

        entries = yaml.safe_load("".join(lines) + rest)
        assert [entry["kind"] for entry in entries] == ["ClusterCreated", "ClusterDeleted"]
