"""`schedule-task`, `scheduled-tasks`, `unschedule-task`: what they take, print and refuse. No run is due here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Runner, process
from tests.cli.test_startup import loaded

CRON = "cron(30 4 1 1 ? 2150)"


@pytest.fixture
def ecsctl(ecsctl: Runner, tmp_path: Path) -> Runner:
    """With a cluster that needs no engine, and a definition `app` in app.json."""
    assert ecsctl("create-cluster", "--cluster-name", "blue").code == 0
    definition = {"family": "app", "containerDefinitions": [{"name": "main", "image": "busybox", "memory": 16}]}
    (tmp_path / "app.json").write_text(json.dumps(definition))
    return ecsctl


def words(tmp_path: Path, *more: str) -> list[str]:
    file = str(tmp_path / "app.json")
    return [
        "schedule-task",
        *("--cluster", "blue", "--name", "job", "--schedule-expression", CRON, "--task-definition", file),
        *more,
    ]


def test_a_schedule_is_made_replaced_shown_and_deleted(ecsctl: Runner, tmp_path: Path) -> None:
    made = ecsctl(*words(tmp_path, "--schedule-expression-timezone", "Europe/Zurich"))
    assert (made.code, made.err) == (0, "schedule job created\n")
    head, row = made.out.splitlines()
    assert " ".join(head.split()) == "NAME DEFINITION EXPRESSION ZONE STATE NEXT RUN LAST RUN OUTCOME REASON"
    assert row.split("  ")[:1] == ["job"]
    assert f"app         {CRON}  Europe/Zurich  ENABLED  2150-01-01 04:30:00+01:00" in row
    assert ecsctl("scheduled-tasks", "--cluster", "blue").out == made.out
    assert ecsctl("scheduled-tasks").out.count("\n") == 1
    again = ecsctl(*words(tmp_path, "--schedule-state", "DISABLED", "--output", "text", "--query", "scheduleState"))
    assert (again.out, again.err) == ("DISABLED\n", "schedule job replaced\n")
    gone = ecsctl("unschedule-task", "job", "--cluster", "blue")
    assert (gone.code, gone.out, gone.err) == (0, "", "schedule job deleted\n")
    assert ecsctl("scheduled-tasks", "--cluster", "blue", "--output", "json").out == '{\n    "schedules": []\n}\n'


def test_it_takes_what_run_task_takes(ecsctl: Runner, tmp_path: Path) -> None:
    overrides = '{"containerOverrides": [{"name": "main", "command": ["x"]}]}'
    more = [
        *("--count", "2", "--overrides", overrides, "--group", "g", "--launch-type", "EC2", "--tags", "key=k,value=v"),
        *("--placement-strategy", "type=binpack,field=memory", "--placement-constraints", "type=distinctInstance"),
        *("--missed", "skip", "--overlap", "allow", "--propagate-tags", "TASK_DEFINITION"),
    ]
    shown = json.loads(ecsctl(*words(tmp_path, *more, "--output", "json")).out)
    assert {key: shown[key] for key in shown if key not in ("createdAt", "scheduleArn", "clusterArn", "nextRunAt")} == {
        "name": "job",
        "scheduleExpression": CRON,
        "scheduleExpressionTimezone": "UTC",
        "scheduleState": "ENABLED",
        "missed": "skip",
        "overlap": "allow",
        "taskDefinition": "app",
        "cluster": "blue",
        "count": 2,
        "group": "g",
        "launchType": "EC2",
        "overrides": json.loads(overrides),
        "placementConstraints": [{"type": "distinctInstance"}],
        "placementStrategy": [{"field": "memory", "type": "binpack"}],
        "propagateTags": "TASK_DEFINITION",
        "tags": [{"key": "k", "value": "v"}],
    }
    assert shown["scheduleArn"] == "arn:aws:ecs:us-east-1:000000000000:schedule/blue/job"
    assert shown["nextRunAt"].startswith("2150-01-01T04:30:00")


def test_a_run_that_is_due_or_never_comes_is_said(ecsctl: Runner, tmp_path: Path) -> None:
    past = ["--schedule-expression", "at(2020-01-02T03:04:05)"]
    assert ecsctl(*words(tmp_path, *past)).err.splitlines()[1] == "a run is due: the next reconcile starts it"
    skipped = ecsctl(*words(tmp_path, *past, "--missed", "skip"))
    assert skipped.err.splitlines()[1] == "its time is over: nothing will run"


@pytest.mark.parametrize(
    ("more", "code", "line"),
    [
        (
            ["--schedule-expression", "rate(5 minute)"],
            2,
            "argument --schedule-expression: rate(5 minute): more than one",
        ),
        (["--schedule-expression", "cron(0 0 1 1 ? 2020)"], 1, "there is no such time from now on"),
        (["--schedule-expression-timezone", "Zurich"], 2, "argument --schedule-expression-timezone: 'Zurich' is not"),
        (["--missed", "later"], 2, "missed: 'later' is not one of run-once, skip"),
        (["--overlap", "no"], 2, "overlap: 'no' is not one of forbid, allow"),
        (["--schedule-state", "ON"], 2, "scheduleState: 'ON' is not one of ENABLED, DISABLED"),
        (["--state", "DISABLED"], 2, "--state names the state file; write --schedule-state DISABLED"),
        (["--count", "x"], 2, "expected a whole number, got 'x'"),
        (["--started-by", "me"], 2, "Unknown options: --started-by, me"),
        (["--name", "a b"], 1, "name: 'a b': use 1 to 64 letters"),
        (["--task-definition", "nope"], 1, "there is none of that name. (ClientException)"),
        (["--task-definition", "nope.json"], 1, "nope.json: no such file"),
        (["--cluster", "nope"], 1, "(ClusterNotFoundException)"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_code(
    ecsctl: Runner, tmp_path: Path, more: list[str], code: int, line: str
) -> None:
    ran = ecsctl(*words(tmp_path, *more))
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("ecsctl: ")
    assert line in ran.err
    assert ran.err.count("\n") == 1
    assert json.loads(ecsctl("scheduled-tasks", "--cluster", "blue", "--output", "json").out) == {"schedules": []}


def test_the_rest_too(ecsctl: Runner) -> None:
    ran = ecsctl("schedule-task")
    assert (ran.code, ran.out) == (2, "")
    assert "required: --task-definition, --name, --schedule-expression" in ran.err
    ran = ecsctl("unschedule-task", "job", "--cluster", "blue")
    assert (ran.code, ran.err) == (1, "ecsctl: there is no schedule 'job': see `ecsctl scheduled-tasks`\n")
    ran = ecsctl("scheduled-tasks", "--cluster", "nope")
    assert (ran.code, "(ClusterNotFoundException)" in ran.err) == (1, True)


def test_the_calendar_is_loaded_only_when_a_schedule_is_due(ecsctl: Runner, tmp_path: Path) -> None:
    state = ["--state", str(tmp_path / "state.db")]
    assert process(tmp_path, *words(tmp_path), *state).returncode == 0
    assert "croniter" not in loaded(tmp_path, "reconcile", "--cluster", "blue", *state)
    past = ["--schedule-expression", "cron(0 * * * ? *)", *state]
    assert "croniter" in loaded(tmp_path, *words(tmp_path), *past)
