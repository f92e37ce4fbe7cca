"""The day a host dies, on machines that really do."""

from __future__ import annotations

import time

import pytest

from tests.lab.conftest import GRACE, File, Fleet
from tests.scenarios.conftest import Watch
from tests.scenarios.test_watch import until, watching

pytestmark = [pytest.mark.docker, pytest.mark.lab, pytest.mark.xdist_group("lab")]
PATIENCE = 20.0
"""Seconds that replacing may take, beside the grace."""


def all_up(fleet: Fleet) -> int:
    return sum(fleet.ups().values())


def test_tasks_are_spread_over_three_zones(fleet: Fleet, file: File) -> None:
    fleet.register("ssh")
    fleet.serve(file(), 6)
    assert fleet.ups() == {"host1": 2, "host2": 2, "host3": 2}
    tasks = fleet.json("describe-tasks", "--tasks", *fleet.json("list-tasks")["taskArns"])["tasks"]
    assert sorted(task["availabilityZone"][-1] for task in tasks) == ["a", "a", "b", "b", "c", "c"]


def test_the_tasks_of_a_killed_host_are_replaced_elsewhere_after_its_grace(fleet: Fleet, file: File) -> None:
    fleet.register("unix")
    fleet.serve(file(), 3)
    fleet["host2"].kill()
    seconds = fleet.until(lambda: all_up(fleet) == 3)
    assert GRACE <= seconds < GRACE + PATIENCE
    assert set(fleet.ups().values()) == {1, 2}
    assert any("host2 is lost" in message for message in fleet.events("HostLost"))
    fleet["host2"].boot()
    fleet.until(fleet.is_steady)
    assert all_up(fleet) == 3
    assert fleet.ups()["host2"] == 0, "nothing of it runs twice"


def test_a_host_that_was_off_for_a_moment_gets_its_tasks_again(fleet: Fleet, file: File) -> None:
    fleet.configure('healthy_after = "1s"\n')
    fleet.register("unix")
    fleet.serve(file(), 3)
    fleet["host2"].kill()
    fleet["host2"].boot()
    fleet.until(lambda: fleet.ups() == {"host1": 1, "host2": 1, "host3": 1})
    assert fleet.events("HostLost") == []


def test_a_partition_that_heals_in_time_changes_nothing(fleet: Fleet, file: File) -> None:
    fleet.configure('healthy_after = "1s"\n')
    fleet.register("ssh")
    fleet.serve(file(), 3)
    before = fleet["host2"].containers()
    fleet["host2"].partition()
    assert "does not answer" in fleet("reconcile", code=5).stderr
    fleet["host2"].heal()
    fleet("reconcile")
    assert fleet["host2"].containers() == before
    assert fleet.ups() == {"host1": 1, "host2": 1, "host3": 1}


def test_a_partition_that_heals_late_loses_no_task_and_leaves_none_twice(fleet: Fleet, file: File) -> None:
    fleet.register("ssh")
    fleet.serve(file(), 3)
    fleet["host2"].partition()
    fleet.until(lambda: fleet.ups()["host1"] + fleet.ups()["host3"] == 3, seconds=60)
    assert fleet.ups()["host2"] == 1, "it runs on where nobody can see it"
    fleet["host2"].heal()
    fleet.until(lambda: fleet.ups()["host2"] == 0)
    assert all_up(fleet) == 3
    fleet("reconcile")


def test_what_may_never_run_twice_waits_for_its_host_or_for_a_person(fleet: Fleet, file: File) -> None:
    fleet.register("unix")
    fleet.serve(file(), 3, "--loss-policy", "never-double-run")
    with Watch(lambda: all_up(fleet)) as running:
        fleet.cut(fleet["host2"])
        fleet.until(lambda: fleet.events("HostLost"), seconds=60)
        fleet("reconcile", code=5)
        message = fleet.service("web")["events"][0]["message"]
        assert "ecsctl host fence host2 --confirmed-down" in message
        fleet.mend(fleet["host2"])
        fleet("reconcile")
    assert (running.least, running.most) == (3, 3), "adopted"
    assert "answers: it is not down" in fleet("host", "fence", "host2", "--confirmed-down", code=1).stderr
    assert "nobody but you can know" in fleet("host", "fence", "host2", code=2).stderr
    fleet["host2"].kill()
    fleet("host", "fence", "host2", "--confirmed-down")
    fleet.until(lambda: all_up(fleet) == 3)
    fleet["host2"].boot()
    fleet("reconcile")
    assert all_up(fleet) == 3


def test_an_engine_that_hangs_does_not_hold_up_the_others(fleet: Fleet, file: File) -> None:
    fleet.configure('healthy_after = "1s"\n')
    fleet.register("unix")
    fleet.serve(file(), 3)
    fleet["host2"].pause()
    with watching(fleet):
        time.sleep(1.0)  # it has asked the engine that hangs
        (victim,) = fleet["host1"].containers()
        fleet["host1"].docker("kill", victim)
        begin = time.monotonic()
        until(lambda: len(fleet["host1"].containers()) + len(fleet["host3"].containers()) == 2)
        assert time.monotonic() - begin < 8.0, "less than the limit of a call"
    begin = time.monotonic()
    assert "host host2 does not answer" in fleet("reconcile", code=5).stderr
    assert time.monotonic() - begin < 15.0, "it costs its own limit, once"
    fleet["host2"].resume()
    fleet("reconcile")
    assert fleet.ups()["host2"] == 1


def test_an_ssh_that_is_cut_in_the_middle_of_a_call_leaves_nothing_half_done(fleet: Fleet, file: File) -> None:
    fleet.register("ssh")
    stubborn = file(command=["trap '' TERM; while :; do sleep 0.1; done"], stopTimeout=3)
    answer = fleet.json("run-task", "--task-definition", stubborn, "--count", "3", "--wait")
    arns = [task["taskArn"] for task in answer["tasks"]]
    for arn in arns:
        fleet("stop-task", "--task", arn)
    passing = fleet.start("reconcile")
    time.sleep(1.0)  # the stops take three seconds
    fleet.cut_ssh()
    passing.communicate(timeout=60)
    fleet("wait", "tasks-stopped", "--tasks", *arns)
    assert all_up(fleet) == 0
    codes = [fleet.task(arn)["containers"][0].get("exitCode") for arn in arns]
    assert codes == [137, 137, 137], "each ended once, as it was asked"


def test_a_host_that_drains_is_left_without_a_gap(fleet: Fleet, file: File) -> None:
    fleet.register("unix")
    fleet.serve(file(), 6)
    # Asked one after the other, one may not have its new task yet when the next has lost its old one: what was there
    # all the time is there the second time.
    with Watch(lambda: max(all_up(fleet), all_up(fleet))) as running:
        words = ["update-container-instances-state", "--container-instances", "host2", "--status", "DRAINING"]
        fleet(*words, "--wait", "60s")
    assert fleet.ups() == {"host1": 3, "host2": 0, "host3": 3}
    assert running.least >= 6
    fleet("deregister-container-instance", "--container-instance", "host2")
    fleet.register("unix", only="host2")
    fleet("update-service", "--service", "web", "--desired-count", "9")
    fleet.until(lambda: fleet.ups() == {"host1": 3, "host2": 3, "host3": 3})


def test_a_lost_host_that_is_deregistered_by_force_may_return(fleet: Fleet, file: File) -> None:
    fleet.register("unix")
    fleet.serve(file(), 3, "--loss-policy", "ecs")
    fleet.cut(fleet["host2"])
    fleet.until(lambda: fleet.events("HostLost"), seconds=60)
    assert fleet.ups() == {"host1": 1, "host2": 1, "host3": 1}, "as on ECS nothing is replaced"
    refused = fleet("deregister-container-instance", "--container-instance", "host2", code=254).stderr
    assert "--force" in refused
    fleet("deregister-container-instance", "--container-instance", "host2", "--force")
    fleet.until(lambda: fleet.ups()["host1"] + fleet.ups()["host3"] == 3)
    fleet.mend(fleet["host2"])
    fleet.register("unix", only="host2")
    fleet.until(lambda: fleet.ups()["host2"] == 0)
    assert all_up(fleet) == 3


def test_a_release_gets_through_while_a_host_dies(fleet: Fleet, file: File) -> None:
    fleet.register("unix")
    fleet.serve(file(), 6)
    with watching(fleet):
        fleet("register-task-definition", file(environment=[{"name": "RELEASE", "value": "2"}]))
        fleet("update-service", "--service", "web", "--task-definition", "app")
        fleet["host2"].kill()
        until(lambda: len(fleet.service("web")["deployments"]) == 1)
        fleet("wait", "services-stable", "--services", "web")
    assert all_up(fleet) == 6
    tasks = fleet.json("describe-tasks", "--tasks", *fleet.json("list-tasks")["taskArns"])["tasks"]
    assert {task["taskDefinitionArn"].rpartition("/")[2] for task in tasks} == {"app:2"}


def test_a_lost_state_is_rebuilt_from_the_hosts(fleet: Fleet, file: File) -> None:
    fleet.register("ssh")
    fleet.serve(file(), 3)
    running = sorted(container for machine in fleet.machines for container in machine.containers())
    for left in fleet.home.glob("state.db*"):
        if not left.name.endswith("key"):
            left.unlink()
    hosts = [word for machine in fleet.machines for word in ("--host", machine.ssh)]
    fleet("recover", *hosts, "--yes")
    fleet("recover", "--confirm")
    fleet("reconcile")
    assert sorted(c for machine in fleet.machines for c in machine.containers()) == running
    assert fleet.service("web")["runningCount"] == 3


def test_of_two_controllers_one_takes_over_when_the_other_is_killed(fleet: Fleet, file: File) -> None:
    fleet.register("unix")
    fleet.serve(file(), 3)
    with watching(fleet) as first, watching(fleet), Watch(lambda: all_up(fleet)) as running:
        first.kill()
        first.wait()
        (victim,) = fleet["host2"].containers()
        begin = time.monotonic()
        fleet["host2"].docker("kill", victim)
        until(lambda: victim not in fleet["host2"].containers() and all_up(fleet) == 3)
        assert time.monotonic() - begin < 10.0
        time.sleep(1.0)
    assert running.most == 3, "nothing is done twice"
