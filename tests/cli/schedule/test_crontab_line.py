"""The line of a crontab: as cron and its shell read it, and among the lines of others."""

from __future__ import annotations

import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ecsctl.cli.problems import UsageError
from ecsctl.cli.schedule.crontab_line import LONGEST, crontab_line, edited, line_of, next_run
from ecsctl.cli.schedule.job import Job
from ecsctl.model.errors import EcsctlError

STATE = Path("/srv/ecs/state.db")
JOB = Job(STATE, ("/usr/bin/ecsctl", "reconcile"), {"PATH": "/usr/bin", "ECSCTL_STATE": str(STATE)}, 60.0)
LINE = (
    "* * * * * ECSCTL_STATE=/srv/ecs/state.db PATH=/usr/bin /usr/bin/ecsctl reconcile"
    " 2>&1 | /usr/bin/logger -t ecsctl # ecsctl: /srv/ecs/state.db"
)
NASTY = [
    "a b",
    "50%",
    "a'b",
    'a"b',
    "a\\b",
    "a\\%b",
    "a\\\\%b\\",
    "%\\\\\\%",
    "$HOME `id` $(id)",
    "#;&|<>*?[]~!ü",
    "-",
    "",
]


def as_cron(command: str, *, both: bool) -> tuple[str, str]:
    """What cron gives the shell, and on its input: `%` ends the command. `both`: this cron reads `\\\\` as `\\` too."""
    read, rest = "", command
    while rest:
        if rest[0] == "\\" and (rest[1:2] == "%" or (both and rest[1:2] == "\\")):
            read, rest = read + rest[1], rest[2:]
        elif rest[0] == "\\":
            read, rest = read + rest[:2], rest[2:]
        elif rest[0] == "%":
            return read, rest[1:]
        else:
            read, rest = read + rest[0], rest[1:]
    return read, ""


def test_the_line_word_for_word() -> None:
    assert crontab_line(JOB, "/usr/bin/logger") == LINE
    assert " reconcile >/dev/null 2>&1 # ecsctl: " in crontab_line(JOB, "")


@pytest.mark.parametrize("word", NASTY)
@pytest.mark.parametrize("both", [False, True])
def test_every_word_arrives_as_it_was(tmp_path: Path, word: str, both: bool) -> None:
    program = tmp_path / f"p{word.replace('/', '')}"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$1" "$X" >"$OUT"\n')
    program.chmod(0o755)
    out = tmp_path / "out"
    job = Job(Path(f"/{word}.db"), (str(program), word), {"X": word, "OUT": str(out), "PATH": "/bin"}, 60.0)
    command, stdin = as_cron(crontab_line(job, "").split(" ", 5)[5], both=both)
    assert stdin == ""
    ran = subprocess.run(["/bin/sh", "-c", command], env={}, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert out.read_text() == f"{word}\n{word}\n"


@pytest.mark.parametrize(("minutes", "when"), [(1, "*"), (2, "*/2"), (5, "*/5"), (30, "*/30"), (60, "0")])
def test_minutes_that_divide_an_hour(minutes: int, when: str) -> None:
    assert crontab_line(JOB._replace(every=minutes * 60.0), "").startswith(f"{when} * * * * ECSCTL_STATE=")


@pytest.mark.parametrize("seconds", [1.0, 30.0, 90.0, 7 * 60.0, 45 * 60.0, 120 * 60.0])
def test_what_cron_has_no_words_for_is_refused(seconds: float) -> None:
    with pytest.raises(UsageError, match=r"argument --every: cron takes 1m, 2m, .* or 60m"):
        crontab_line(JOB._replace(every=seconds), "")


def test_a_controller_is_refused() -> None:
    with pytest.raises(UsageError, match="--watch needs systemd"):
        crontab_line(JOB._replace(every=None), "")


def test_what_cron_would_cut_off_is_refused() -> None:
    fitting = LONGEST - len(crontab_line(JOB, "").split(" ", 5)[5]) + len("/usr/bin")
    line = crontab_line(JOB._replace(environment={**JOB.environment, "PATH": "/" * fitting}), "")
    assert len(line.split(" ", 5)[5]) == LONGEST
    with pytest.raises(EcsctlError, match="cron takes 998"):
        crontab_line(JOB._replace(environment={**JOB.environment, "PATH": "/" * (fitting + 1)}), "")


@pytest.mark.parametrize(
    "others",
    [
        "",
        "# mine\n",
        "MAILTO=me\n\n0 5 * * * true %a\r\n\t# x \x0c\n",
        "no newline at the end",
        "\n\n",
        "\u2028 \x85\n",
    ],
)
def test_the_lines_of_others_stay_as_they_are(others: str) -> None:
    put = edited(others, STATE, LINE)
    assert put == (others if others.endswith("\n") or not others else others + "\n") + LINE + "\n"
    assert edited(put, STATE, LINE) == put
    assert edited(put, STATE, None).rstrip("\n") == others.rstrip("\n")
    assert line_of(put, STATE) == LINE
    assert line_of(others, STATE) is None


def test_a_line_is_replaced_where_it_is_and_is_there_once() -> None:
    old = "*/5 * * * * old # ecsctl: /srv/ecs/state.db\n"
    assert edited(f"a\n{old}b\n{old}c\n", STATE, LINE) == f"a\n{LINE}\nb\nc\n"
    assert edited(f"a\n{old}b\n{old}c\n", STATE, None) == "a\nb\nc\n"


@pytest.mark.parametrize(
    "other",
    [
        "* * * * * x # ecsctl: /srv/ecs/other.db",
        "* * * * * x # ecsctl: '/srv/ecs/state.db # ecsctl: /srv/ecs/state.db'",
        "#* * * * * x # ecsctl: /srv/ecs/state.db",
        "* * * * * x # ecsctl: /srv/ecs/state.db.old",
    ],
)
def test_lines_of_other_states_and_comments_are_not_ours(other: str) -> None:
    assert line_of(other, STATE) is None
    assert edited(other, STATE, None) == other


@pytest.mark.parametrize(("every", "then"), [(60.0, "03:05"), (300.0, "03:05"), (1800.0, "03:30"), (3600.0, "04:00")])
def test_the_next_run(every: float, then: str) -> None:
    line = crontab_line(JOB._replace(every=every), "")
    assert f"{next_run(line, datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)):%H:%M}" == then
