"""DAEMON services over several real engines: one task on each container instance, whatever becomes of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.dockerd import Dockerd
from tests.scenarios.conftest import HOSTS, Cli, Watch, register, set_status
from tests.scenarios.test_services import HEALTHY

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("nothing_left")]
File = Callable[..., str]


def serve(cli: Cli, definition: str, *more: str) -> None:
    cli("register-task-definition", definition)
    cli(
        *("create-service", "--service-name", "web", "--task-definition", "app"),
        *("--scheduling-strategy", "DAEMON", *more),
    )


def each(hosts: list[Dockerd]) -> list[list[str]]:
    """What runs on each host."""
    return [host.containers() for host in hosts]


def until_one_on(cli: Cli, hosts: list[Dockerd]) -> list[list[str]]:
    """What runs on each host, once that is one container on each, and no task is elsewhere."""
    cli.until_service("web", lambda s: s["runningCount"] == len(hosts) and all(len(one) == 1 for one in each(hosts)))
    return each(hosts)


def healthy_on(hosts: list[Dockerd]) -> int:
    def counted() -> int:
        return sum(len(host.containers("--filter", "health=healthy")) for host in hosts)

    # Asked one after the other, the first may have got its new task when the next has lost its old one. What was lost
    # too early is missed for as long as a health check takes, and the second time too.
    return max(counted(), counted())


def test_a_daemon_is_on_each_host_there_is(cli: Cli, file: File, hosts: list[Dockerd]) -> None:
    first, second, third = hosts
    for host, name in ((first, "first"), (second, "second")):
        register(cli, host, name)
    serve(cli, file(HEALTHY, networkMode="none"))
    before = until_one_on(cli, [first, second])
    assert each([third]) == [[]]

    instance = register(cli, third, "third")
    after = until_one_on(cli, hosts)
    assert after[:2] == before, "a new host is nothing to those that have their task"

    (killed,) = second.containers()
    second.docker("kill", killed)
    cli.until_service("web", lambda s: s["runningCount"] == HOSTS and killed not in second.containers())
    healed = until_one_on(cli, hosts)
    assert (healed[0], healed[2]) == (after[0], after[2])

    set_status(cli, instance, "DRAINING")
    cli.until_service("web", lambda s: s["desiredCount"] == 2 and each([third]) == [[]])
    assert each([first, second]) == healed[:2]
    set_status(cli, instance, "ACTIVE")
    assert until_one_on(cli, hosts)[:2] == healed[:2]
    cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED")
    assert "nothing to do" in cli("reconcile", "--detailed-exitcode").stderr


def test_daemons_are_replaced_host_by_host(cli: Cli, file: File, hosts: list[Dockerd]) -> None:
    for number, host in enumerate(hosts):
        register(cli, host, f"host{number}")
    # Of three, two have to stay: one host at a time.
    serve(cli, file(HEALTHY, networkMode="none"), "--deployment-configuration", "minimumHealthyPercent=50")
    cli.until_service("web", lambda s: s["deployments"][0]["rolloutState"] == "COMPLETED")
    old = each(hosts)
    assert [len(one) for one in old] == [1] * HOSTS

    newer = {**HEALTHY, "environment": [{"name": "RELEASE", "value": "2"}]}
    cli("register-task-definition", file(newer, networkMode="none"))
    with Watch(lambda: healthy_on(hosts)) as healthy, Watch(lambda: max(map(len, each(hosts)))) as on_a_host:
        cli("update-service", "--service", "web", "--task-definition", "app")
        cli.until_service("web", lambda s: [d["rolloutState"] for d in s["deployments"]] == ["COMPLETED"])
    assert healthy.least == 2
    assert on_a_host.most == 1
    assert all(before != after for before, after in zip(old, until_one_on(cli, hosts), strict=True))
    assert cli.service("web")["taskDefinition"].endswith("app:2")
