"""`apply` as it is typed: files and directories, asking, exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from ecsctl.cli.documents import read_stream
from ecsctl.model.errors import InputError
from tests.cli.running import Runner, environment, process

DEFINITION = '{"family": "app", "containerDefinitions": [{"name": "main", "image": "up", "memory": 16}]}'
SCHEDULE = """
cluster = "one"
name = "nightly"
taskDefinition = "app"
scheduleExpression = "cron(0 3 * * ? 2150)"
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory with a file of each kind, and one that is none."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "a.json").write_text(DEFINITION)
    (folder / "b.yaml").write_text("clusterName: one\n---\n---\nclusterName: two\n")
    (folder / "c.toml").write_text('[[clusters]]\nclusterName = "three"\n')
    (folder / "e.toml").write_text(SCHEDULE)
    (folder / "notes.txt").write_text("none of it")
    (folder / "d.json").mkdir()
    return folder


def test_a_directory_is_applied_and_a_second_time_changes_nothing(ecsctl: Runner, site: Path) -> None:
    words = ["apply", "-f", str(site), "--yes", "--detailed-exitcode"]
    ran = ecsctl(*words)
    assert [line for line in ran.out.splitlines() if line[0] != " "] == [
        "+ cluster one",
        "+ cluster two",
        "+ cluster three",
        "+ task definition app:1",
        "+ schedule one/nightly",
    ]
    assert (ran.code, ran.err.splitlines()[0]) == (2, "5 to create")
    assert ran.err.splitlines()[-1] == "schedule one/nightly: created"
    assert "2150-01-01 03:00:00" in ecsctl("scheduled-tasks", "--cluster", "one").out
    again = ecsctl(*words)
    assert (again.code, again.out, again.err) == (0, "", "nothing to do\n")


def test_a_dry_run_says_what_and_does_nothing(ecsctl: Runner, site: Path) -> None:
    assert ecsctl("apply", "-f", str(site), "--dry-run").code == 0
    ran = ecsctl("apply", "-f", str(site / "a.json"), str(site / "b.yaml"), "--dry-run", "--detailed-exitcode")
    assert (ran.code, ran.err) == (2, "3 to create\n")
    assert ecsctl("list-task-definitions", "--query", "length(taskDefinitionArns)").out == "0\n"


def test_data_for_scripts(ecsctl: Runner, site: Path) -> None:
    ran = ecsctl("apply", "-f", str(site / "a.json"), "--dry-run", "--output", "json")
    data = json.loads(ran.out)
    assert data["changed"] is True
    (change,) = data["changes"]
    assert (change["action"], change["kind"], change["name"]) == ("create", "task definition", "app:1")
    assert {"field": "containerDefinitions[main].image", "old": None, "new": "up"} in change["differences"]


def test_standard_input_is_a_file_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ecsctl", "apply", "-f", "-", "--yes"]
    ran = subprocess.run(command, env=environment(tmp_path), input=DEFINITION, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (0, "+ task definition app:1")


def test_prune_deletes_what_the_files_no_longer_have(ecsctl: Runner, site: Path) -> None:
    ecsctl("apply", "-f", str(site), "--yes")
    (site / "a.json").unlink()
    (site / "e.toml").unlink()
    ran = ecsctl("apply", "-f", str(site), "--yes", "--prune")
    assert (ran.code, ran.out) == (0, "- schedule one/nightly\n- task definition app:1\n")
    assert "app:1: deleted" in ran.err


def test_an_empty_directory_is_no_set(ecsctl: Runner, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    ran = ecsctl("apply", "-f", str(tmp_path / "none"), "--yes", "--prune")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "no file in it ends with .json, .yaml, .yml or .toml" in ran.err


class Asked:
    """`apply -f app.json` on a terminal, as far as its question."""

    def __init__(self, home: Path) -> None:
        (home / "app.json").write_text(DEFINITION)
        self._outer, inner = pty.openpty()
        command = [sys.executable, "-m", "ecsctl", "apply", "-f", "app.json"]
        self._running = subprocess.Popen(
            command, env=environment(home), cwd=home, stdin=inner, stdout=inner, stderr=inner
        )
        os.close(inner)
        self.shown = b""
        while b"Apply? [y/N] " not in self.shown:
            self.shown += os.read(self._outer, 1000)

    def answer(self, words: str) -> int:
        """The exit code."""
        os.write(self._outer, f"{words}\n".encode())
        code = self._running.wait(timeout=30)
        self.shown += os.read(self._outer, 4000)
        os.close(self._outer)
        return code


@pytest.mark.parametrize(("answer", "code", "made"), [("y", 0, "1"), ("n", 1, "0"), ("", 1, "0")])
def test_on_a_terminal_it_asks(tmp_path: Path, answer: str, code: int, made: str) -> None:
    asked = Asked(tmp_path)
    assert b"\x1b[32m+ task definition app:1\x1b[0m" in asked.shown
    assert asked.answer(answer) == code
    assert process(tmp_path, "list-task-definitions", "--query", "length(taskDefinitionArns)").stdout == f"{made}\n"


def test_what_was_not_shown_is_not_applied(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    other = DEFINITION.replace("16", "17")
    assert process(tmp_path, "register-task-definition", "--cli-input-json", other).returncode == 0
    assert asked.answer("y") == 1
    assert b"the state has changed meanwhile, and nothing was applied" in asked.shown


def test_yaml_is_a_stream_only_where_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("a: 1\n---\nb: [2]\n...\n---\n")
    assert read_stream(path) == [{"a": 1}, {"b": [2]}]
    path.write_text("# nothing\n---\n")
    with pytest.raises(InputError, match="there is nothing in it"):  # or a slip would prune all there is
        read_stream(path)
    path.write_text("a: 1\n---\nb: *x\n")
    with pytest.raises(InputError, match=r"two\.yaml:3:4: .*alias"):
        read_stream(path)
