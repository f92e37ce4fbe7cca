"""What clients of ECS ask its neighbours, on a real engine: the logs of a task, as workflow engines read them."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import Any

import pytest

from ecsctl.model.arn import last_part
from tests.scenarios.conftest import Cli, shell
from tests.scenarios.test_logs import AWSLOGS, OPTIONS
from tests.scenarios.test_serve import serving
from tests.server.running import client

pytestmark = pytest.mark.docker
LINES = 60


def run(ecs: Any, image: str, script: str) -> dict[str, str]:
    """Its group and stream; it runs."""
    container = {"name": "main", "image": image, "memory": 16, "logConfiguration": AWSLOGS, **shell(script)}
    ecs.register_task_definition(family="app", containerDefinitions=[container])
    (task,) = ecs.run_task(taskDefinition="app")["tasks"]
    ecs.get_waiter("tasks_running").wait(tasks=[task["taskArn"]], WaiterConfig={"Delay": 1})
    stream = f"{OPTIONS['awslogs-stream-prefix']}/main/{last_part(task['taskArn'])}"
    return {"logGroupName": OPTIONS["awslogs-group"], "logStreamName": stream}


def fetch(logs: Any, stream: dict[str, str], token: str | None, size: int) -> tuple[list[str], str]:
    """All from a token on, page by page, and the last token: as Airflow's EcsRunTaskOperator does it."""
    lines: list[str] = []
    while True:
        more = {"nextToken": token} if token else {}
        answer = logs.get_log_events(**stream, startFromHead=True, limit=size, **more)
        lines += [event["message"] for event in answer["events"]]
        if token and answer["nextForwardToken"] == token:
            return lines, token
        token = answer["nextForwardToken"]


def test_the_log_of_a_task_is_fetched_while_it_runs_and_after_its_end(cli: Cli, engine_image: str) -> None:
    # Both streams at once, faster than the milliseconds that events have.
    script = f"for n in $(seq 1 {LINES}); do echo out $n; echo err $n >&2; done; read x < /go; echo end; sleep 1"
    script = f"mkfifo /go; {script}"
    with serving(cli) as process, client(process.path) as ecs, client(process.path, "logs") as logs:
        stream = run(ecs, engine_image, script)
        task = stream["logStreamName"].rpartition("/")[2]
        running, token = fetch(logs, stream, None, 7)
        cli.docker("exec", cli.container_of(task, "main"), "sh", "-c", "echo > /go")
        ecs.get_waiter("tasks_stopped").wait(tasks=[task], WaiterConfig={"Delay": 1})
        later, _ = fetch(logs, stream, token, 7)
        for name in ("out", "err"):
            assert [line for line in running + later if line.startswith(name)] == [
                f"{name} {n + 1}" for n in range(LINES)
            ]
        assert later[-1] == "end"
        cli.docker("rm", cli.container_of(task, "main"))
        kept, _ = fetch(logs, stream, None, 11)
        assert sorted(kept) == sorted(running + later)
        found = logs.filter_log_events(logGroupName=stream["logGroupName"], filterPattern='"out 6" -"60"')
        assert [event["message"] for event in found["events"]] == ["out 6"]


def test_a_live_tail_hears_a_task_that_begins_later(cli: Cli, engine_image: str) -> None:
    group, heard = OPTIONS["awslogs-group"], []
    with (
        serving(cli) as process,
        client(process.path) as ecs,
        client(process.path, "logs", inject_host_prefix=False) as logs,
    ):
        logs.create_log_group(logGroupName=group)
        with closing(logs.start_live_tail(logGroupIdentifiers=[group])["responseStream"]) as events:
            run(ecs, engine_image, "for n in 1 2 3; do echo $n; sleep 1; done; sleep 60")
            for event in islice(events, 30):
                heard += [one["message"] for one in event.get("sessionUpdate", {}).get("sessionResults", [])]
                if len(heard) >= 3:
                    break
    assert heard == ["1", "2", "3"]
