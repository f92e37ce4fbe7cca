"""`schedule` as it is typed: one schedule per state, put there, shown, replaced and taken away; or nothing is done."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ecsctl.cli.schedule import systemd
from tests.cli.running import Runner
from tests.cli.schedule.conftest import Machine

MINE = "MAILTO=me\n0 5 * * * backup 100\\% \r\n"


def unit(machine: Machine) -> str:
    """The name of the state's units."""
    (name,) = {Path(name).stem for name in machine.units()}
    return name


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["schedule"], 2, "schedule: expected install, remove or show, got nothing"),
        (["schedule", "stop"], 2, "schedule: expected install, remove or show, got 'stop'"),
        (["schedule", "install", "--using", "at"], 2, "argument --using: 'at' is none of systemd, crontab"),
        (["schedule", "install", "--every", "x"], 2, "argument --every: 'x' is not a duration"),
        (["schedule", "install", "--every", "0"], 2, "argument --every: expected 1s to 1d, got 0"),
        (["schedule", "install", "--every", "999999999w"], 2, "argument --every: expected 1s to 1d"),
        (["schedule", "install", "--every", "90s"], 2, "argument --every: cron takes 1m"),
        (["schedule", "install", "--watch"], 2, "--watch needs systemd"),
        (["schedule", "install", "x"], 2, "Got unexpected extra argument"),
        (["schedule", "show", "--state", "/tmp/a\nb"], 0, "nothing is installed"),
        (["schedule", "install", "--state", "/tmp/a\nb"], 1, "ECSCTL_STATE cannot be scheduled"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_code(
    ecsctl: Runner, machine: Machine, words: list[str], code: int, line: str
) -> None:
    ran = ecsctl(*words)
    assert (ran.code, ran.out) == (code, "")
    assert line in ran.err
    assert ran.err.count("\n") == 1


def test_the_crontab_has_one_line_of_ours_beside_those_that_were_there(ecsctl: Runner, machine: Machine) -> None:
    machine.crontab = MINE
    for every in ("1m", "5m"):
        assert ecsctl("schedule", "install", "--every", every).code == 0
    line = machine.crontab.removeprefix(MINE)
    assert line.startswith(f"*/5 * * * * ECSCTL_STATE={machine.home}/state.db HOME={machine.home} ")
    assert line.endswith(f" -m ecsctl reconcile >/dev/null 2>&1 # ecsctl: {machine.home}/state.db\n")
    assert line.count("\n") == 1
    assert (machine.calls(), machine.units()) == ([], [])
    ran = ecsctl("schedule", "remove")
    assert (ran.code, ran.out, ran.err) == (0, "", "removed: crontab\n")
    assert machine.crontab == MINE


def test_another_state_has_a_schedule_of_its_own(ecsctl: Runner, machine: Machine) -> None:
    other = str(machine.home / "other.db")
    assert ecsctl("schedule", "install").code == 0
    assert ecsctl("schedule", "install", "--state", other).code == 0
    assert machine.crontab.count("\n") == 2
    assert ecsctl("schedule", "remove").code == 0
    assert f"# ecsctl: {other}\n" in machine.crontab
    assert machine.crontab.count("\n") == 1
    for state in (str(machine.home / "a.db"), str(machine.home / "b.db")):
        assert ecsctl("schedule", "install", "--using", "systemd", "--state", state).code == 0
    assert len(machine.units()) == 4


def test_a_users_timer_is_written_enabled_shown_and_removed(
    ecsctl: Runner, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "RUNS", machine.home)
    ran = ecsctl("schedule", "install", "--every", "30s")
    assert ran.code == 0
    assert "loginctl enable-linger" in ran.err
    name = unit(machine)
    assert machine.units() == [f"{name}.service", f"{name}.timer"]
    assert machine.calls() == ["--user daemon-reload", f"--user enable --now {name}.timer"]
    (shown,) = json.loads(ecsctl("schedule", "show", "--output", "json").out)["schedules"]
    assert (shown["using"], shown["every"], shown["active"]) == ("systemd --user", 30, "active")
    assert shown["where"] == [str(machine.user_units / f"{name}.{kind}") for kind in ("service", "timer")]
    assert (shown["lastResult"], shown["lastRun"]) == ("exit-code 5", "2026-01-02T03:04:05+00:00")
    ahead = datetime.fromisoformat(shown["nextRun"]) - datetime.now(timezone.utc)
    assert timedelta(seconds=10) < ahead <= timedelta(seconds=51)
    assert "result    exit-code 5\n" in ecsctl("schedule", "show").out
    assert ecsctl("schedule", "remove").code == 0
    assert machine.units() == []
    assert machine.calls() == [
        f"--user disable --now {name}.timer",
        f"--user stop {name}.service",
        f"--user reset-failed {name}.service",
        "--user daemon-reload",
    ]


def test_root_has_units_of_the_system(ecsctl: Runner, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    ran = ecsctl("schedule", "install", "--using", "systemd", "--watch", "--every", "20s")
    assert (ran.code, ran.err) == (0, "")
    (service,) = machine.units(machine.system_units)
    assert machine.units() == []
    assert machine.calls() == ["daemon-reload", f"enable --now {service}"]
    content = (machine.system_units / service).read_text()
    assert "reconcile --watch --interval 20s\n" in content
    assert "WantedBy=multi-user.target\n" in content
    assert "runs      for good\n" in ecsctl("schedule", "show").out


def test_a_controller_takes_the_place_of_a_timer_and_its_file(ecsctl: Runner, machine: Machine) -> None:
    assert ecsctl("schedule", "install", "--using", "systemd").code == 0
    machine.calls()
    assert ecsctl("schedule", "install", "--using", "systemd", "--watch").code == 0
    name = unit(machine)
    assert machine.units() == [f"{name}.service"]
    assert machine.calls()[0] == f"--user disable --now {name}.timer"


def test_there_is_never_a_schedule_of_both_kinds(ecsctl: Runner, machine: Machine) -> None:
    machine.crontab = MINE
    assert ecsctl("schedule", "install").code == 0
    ran = ecsctl("schedule", "install", "--using", "systemd")
    assert (ran.code, machine.crontab) == (0, MINE)
    assert "replaced: what was scheduled by crontab\n" in ran.err
    ran = ecsctl("schedule", "install", "--using", "crontab")
    assert (ran.code, machine.units()) == (0, [])
    assert machine.crontab != MINE
    assert ecsctl("schedule", "show", "--query", "schedules[].using", "--output", "text").out == "crontab\n"


def test_removing_nothing_is_no_error(ecsctl: Runner, machine: Machine) -> None:
    for program in ("crontab", "systemctl"):
        for verb in ("remove", "show"):
            ran = ecsctl("schedule", verb)
            assert (ran.code, ran.out, ran.err) == (0, "", "nothing is installed\n")
        (machine.bin / program).unlink()
    assert ecsctl("schedule", "show", "--output", "json").out == '{\n    "schedules": []\n}\n'


@pytest.mark.parametrize("using", ["systemd", "crontab"])
def test_a_program_that_is_not_there_is_said_and_nothing_is_done(ecsctl: Runner, machine: Machine, using: str) -> None:
    (machine.bin / {"systemd": "systemctl"}.get(using, using)).unlink()
    ran = ecsctl("schedule", "install", "--using", using)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "there is no program" in ran.err
    assert f"give --using {'crontab' if using == 'systemd' else 'systemd'}" in ran.err
    assert (machine.units(), machine.crontab) == ([], "")


@pytest.mark.parametrize("step", ["daemon-reload", "enable"])
def test_when_systemd_refuses_all_is_as_it_was(ecsctl: Runner, machine: Machine, step: str) -> None:
    machine.crontab = MINE
    assert ecsctl("schedule", "install").code == 0
    before = machine.crontab
    machine.fails(step)
    ran = ecsctl("schedule", "install", "--using", "systemd")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "Failed to do it: no bus" in ran.err
    assert (machine.units(), machine.crontab) == ([], before)


def test_when_a_controller_does_not_start_the_timer_goes_on(ecsctl: Runner, machine: Machine) -> None:
    assert ecsctl("schedule", "install", "--using", "systemd").code == 0
    before = machine.units()
    name = unit(machine)
    machine.calls()
    machine.fails(f"enable --now {name}.service")
    assert ecsctl("schedule", "install", "--using", "systemd", "--watch").code == 1
    assert machine.units() == before
    assert machine.calls()[-2:] == ["--user daemon-reload", f"--user enable --now {name}.timer"]


def test_a_crontab_that_cannot_be_read_is_never_overwritten(ecsctl: Runner, machine: Machine) -> None:
    machine.crontab = MINE
    (machine.home / "crontab.denied").touch()
    for verb in ("install", "remove", "show"):
        ran = ecsctl("schedule", verb)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == "ecsctl: crontab -l: You (me) are not allowed to use this program (crontab)\n"
    assert machine.crontab == MINE
    assert ecsctl("schedule", "install", "--using", "systemd").code == 0


def test_when_the_crontab_cannot_be_written_the_units_stay(ecsctl: Runner, machine: Machine) -> None:
    assert ecsctl("schedule", "install", "--using", "systemd").code == 0
    before = machine.units()
    (machine.home / "crontab.broken").touch()
    ran = ecsctl("schedule", "install", "--using", "crontab")
    assert (ran.code, ran.err) == (1, "ecsctl: crontab -: crontab.txt: No space left on device\n")
    assert (machine.units(), machine.crontab) == (before, "")


def test_units_of_somebody_else_are_left_alone(ecsctl: Runner, machine: Machine) -> None:
    assert ecsctl("schedule", "install", "--using", "systemd").code == 0
    path = machine.user_units / machine.units()[0]
    path.write_text("[Service]\nExecStart=/bin/true\n")
    for words in (["install", "--using", "systemd"], ["remove"], ["show"]):
        ran = ecsctl("schedule", *words)
        assert (ran.code, ran.out) == (1, "")
        assert "was not written by ecsctl: move it away first" in ran.err
    assert path.read_text() == "[Service]\nExecStart=/bin/true\n"


def test_a_directory_that_cannot_be_written_is_said(ecsctl: Runner, machine: Machine) -> None:
    (machine.home / ".config").write_text("a file")
    ran = ecsctl("schedule", "install", "--using", "systemd")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "cannot be " in ran.err


@pytest.mark.parametrize("using", ["systemd", "crontab"])
def test_a_dry_run_writes_nothing_and_prints_it(ecsctl: Runner, machine: Machine, using: str) -> None:
    ran = ecsctl("schedule", "install", "--dry-run", "--using", using)
    assert (ran.code, ran.err, machine.units(), machine.crontab, machine.calls()) == (0, "", [], "", [])
    assert ecsctl("schedule", "install", "--using", using).code == 0
    if using == "crontab":
        assert ran.out == f"# crontab\n{machine.crontab}"
    else:
        written = "".join(f"# {path}\n{path.read_text()}" for path in sorted(machine.user_units.iterdir()))
        assert ran.out == written


def test_what_the_shell_has_is_kept_and_no_secret(
    ecsctl: Runner, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.home / "c.toml").write_text("[profile.p]\nreserved_memory = 1\n")
    monkeypatch.chdir(machine.home)
    more = {
        "PATH": f"{machine.bin}:relative::/bin:/bin",
        "ECSCTL_STATE": "state.db",
        "ECSCTL_CONFIG": "c.toml",
        "AWS_REGION": "eu-west-1",
        "ECSCTL_ACCOUNT": "123456789012",
        "DOCKER_CONFIG": "docker",
        "DOCKER_HOST": "tcp://host:2376",
        "DOCKER_CONTEXT": "far",
        "SSH_AUTH_SOCK": "/tmp/agent",
        "AWS_SECRET_ACCESS_KEY": "hidden",
        "DOCKER_AUTH_CONFIG": "hidden",
        "HTTPS_PROXY": "http://me:hidden@proxy",
    }
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    ran = ecsctl("schedule", "install", "--using", "systemd", "--profile", "p", "--watch")
    assert ran.code == 0
    assert "ssh agent" in ran.err
    (service,) = machine.user_units.iterdir()
    lines = service.read_text().splitlines()
    kept = dict(line.removeprefix("Environment=").split("=", 1) for line in lines if line.startswith("Environment="))
    home = str(machine.home)
    assert {name: value for name, value in kept.items() if not name.startswith("PYTHON")} == {
        "HOME": home,
        "PATH": f"{machine.bin}:/bin",
        "ECSCTL_STATE": f"{home}/state.db",
        "ECSCTL_CONFIG": f"{home}/c.toml",
        "ECSCTL_REGION": "eu-west-1",
        "ECSCTL_ACCOUNT": "123456789012",
        "DOCKER_CONFIG": f"{home}/docker",
        "DOCKER_HOST": "tcp://host:2376",
        "DOCKER_CONTEXT": "far",
    }
    assert any(line.endswith(" -m ecsctl --profile p reconcile --watch") for line in lines)
    monkeypatch.setenv("DOCKER_HOST", "tcp://me:hidden@host:2376")
    ran = ecsctl("schedule", "install")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "DOCKER_HOST has a password" in ran.err
    assert "hidden" not in ran.err


def test_the_installed_program_is_called_by_its_path(
    ecsctl: Runner, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = machine.bin / "ecsctl"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.chdir(machine.home)
    monkeypatch.setattr("sys.argv", ["bin/ecsctl"])
    assert ecsctl("schedule", "install").code == 0
    assert f" {program} reconcile >" in machine.crontab
    assert "PYTHON" not in machine.crontab
