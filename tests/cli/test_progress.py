"""What is shown while services are waited for, and how long that may take."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ecsctl.cli.progress import Progress, patience
from ecsctl.model.record import decode
from ecsctl.model.service import Service


def service(name: str = "web", running: int = 0, **more: Any) -> Service:
    primary = {
        "status": "PRIMARY",
        "taskDefinition": "arn:aws:ecs:us-east-1:000000000000:task-definition/app:1",
        "runningCount": running,
        "desiredCount": 2,
    }
    return decode(
        Service, {"serviceArn": f"arn:{name}", "serviceName": name, "deployments": [primary], "events": [], **more}
    )


@pytest.mark.parametrize(
    ("configuration", "seconds"),
    [
        (None, 600),
        ({"bakeTimeInMinutes": 5}, 900),
        (
            {
                "lifecycleHooks": [
                    {
                        "targetType": "PAUSE",
                        "lifecycleStages": ["PRE_SCALE_UP", "POST_SCALE_UP"],
                        "timeoutConfiguration": {"timeoutInMinutes": 10},
                    }
                ]
            },
            1800,
        ),
        ({"lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}]}, 600 + 86400),
    ],
)
def test_what_bakes_and_pauses_is_given_its_time(configuration: Any, seconds: float) -> None:
    more = {"deploymentConfiguration": configuration} if configuration else {}
    assert patience(None, [service(), service(**more)]) == seconds
    assert patience(0.0, [service(**more)]) == 0.0


def test_only_what_is_new_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = ({"id": name, "message": f"(service web) {name}."} for name in ("old", "new"))
    progress = Progress([service(events=[old])])
    progress.show(service(events=[old]))
    progress.show(service(events=[new, old], running=1))
    progress.show(service(events=[new, old], running=1))
    assert capsys.readouterr().err == "(service web) new.\napp:1: 1 of 2 running\n"


@pytest.mark.parametrize(("minute", "told"), [(1, "(service web) no room.\n"), (0, "")])
def test_what_is_in_the_way_of_this_deployment_is_told_again(
    capsys: pytest.CaptureFixture[str], minute: int, told: str
) -> None:
    event = {"id": "a", "message": "(service web) no room.", "createdAt": f"2026-01-01T00:0{minute}:00Z"}
    stuck = service(events=[event])
    assert stuck.deployments is not None
    stuck.deployments[0].created_at = datetime(2026, 1, 1, 0, 1, tzinfo=timezone.utc)
    progress = Progress([stuck])
    progress.begin(stuck)
    progress.show(stuck)
    assert capsys.readouterr().err == "app:1: 0 of 2 running\n" + told


def test_several_services_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    sets: Any = {"deployments": [], "desiredCount": 2, "deploymentController": {"type": "EXTERNAL"}}
    progress = Progress([service(), service("other", **sets, runningCount=0)])
    progress.show(service(running=2))
    progress.show(service("other", **sets, runningCount=1))
    assert capsys.readouterr().err == "web: app:1: 2 of 2 running\nother: 1 of 2 running\n"
