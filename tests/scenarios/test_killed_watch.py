"""`reconcile --watch` killed again and again in the middle of a deployment, on a real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.scenarios.conftest import Cli, Watch
from tests.scenarios.test_services import HEALTHY, release, serve, up
from tests.scenarios.test_watch import until, watching

pytestmark = pytest.mark.docker
File = Callable[..., str]

ROLLING = "minimumHealthyPercent=100,maximumPercent=150"
BLUE_GREEN = "strategy=BLUE_GREEN,bakeTimeInMinutes=0"


@pytest.fixture(autouse=True)
def no_leftovers(cli: Cli) -> Iterator[None]:
    yield
    cli("delete-service", "--service", "web", "--force", code=None)


def healthy(cli: Cli) -> list[str]:
    return cli.containers("--filter", "health=healthy")


@pytest.mark.parametrize(("configuration", "most"), [(ROLLING, 3), (BLUE_GREEN, 4)])
def test_a_deployment_ends_well_however_often_its_controller_is_killed(
    cli: Cli, file: File, configuration: str, most: int
) -> None:
    serve(cli, file(HEALTHY), 2, "--deployment-configuration", configuration)
    cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED")
    old = set(up(cli))
    cli.kill_background()  # else it would be the one that goes on

    def is_over() -> bool:
        return len(found := up(cli)) == 2 and not old & set(found)

    def killed_at_the_next_change() -> None:
        before = up(cli), healthy(cli)
        with watching(cli):  # which ends with SIGKILL
            # The last step may be over before the look that the next is compared with.
            until(lambda: is_over() or (up(cli), healthy(cli)) != before, seconds=40)

    kills = 0
    with Watch(lambda: len(healthy(cli))) as serving, Watch(lambda: len(up(cli))) as there:
        release(cli, file({**HEALTHY, "environment": [{"name": "RELEASE", "value": "2"}]}))
        cli.kill_background()
        while not is_over():
            killed_at_the_next_change()
            kills += 1
        with watching(cli):
            until(lambda: len(cli.service("web")["deployments"]) == 1, seconds=40)
            cli("wait", "services-stable", "--services", "web")
    assert kills >= 2  # two steps may be over at one look
    assert serving.least >= 2
    assert 2 < there.most <= most
    service = cli.service("web")
    assert service["taskDefinition"].endswith("app:2")
    assert [deployment["rolloutState"] for deployment in service["deployments"]] == ["COMPLETED"]
    assert len(up(cli)) == service["runningCount"] == 2
    assert "nothing to do" in cli("reconcile", "--detailed-exitcode").stderr
