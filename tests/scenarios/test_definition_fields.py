"""Fields of a task definition, and of the overrides of a task, and what they do on a real engine."""

from __future__ import annotations

import json
import platform
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, fetched, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]
MIB = 1 << 20


def run(cli: Cli, definition: str, *more: str) -> Any:
    """The only task of run-task, when it runs."""
    answer = cli.json("run-task", "--task-definition", definition, *more)
    assert answer["failures"] == []
    (task,) = answer["tasks"]
    return cli.until(task["taskArn"], lambda found: found["lastStatus"] == "RUNNING")


def output(cli: Cli, definition: str, *more: str) -> str:
    """What the only task of run-task writes until it ends well."""
    return cli("run-task", "--task-definition", definition, "--wait", "--logs", *more).stdout


def cgroup(cli: Cli, task: Any, container: str, *names: str) -> list[str]:
    """Files of a container's cgroup, as it sees them: of version 1, or else of version 2."""
    inside = cli.container_of(task["taskArn"], container)
    found = [name for name in names if cli.docker("exec", inside, "sh", "-c", f"ls /sys/fs/cgroup/{name}", check=False)]
    return [cli.docker("exec", inside, "cat", f"/sys/fs/cgroup/{name}") for name in found]


def limits(cli: Cli, task: Any, container: str = "main") -> tuple[int, ...]:
    """Of memory in MiB, the hard and the soft one, and the share of CPUs in units of ECS."""
    hard, soft = (
        int(cgroup(cli, task, container, *names)[0]) // MIB
        for names in (
            ("memory/memory.limit_in_bytes", "memory.max"),
            ("memory/memory.soft_limit_in_bytes", "memory.low"),
        )
    )
    if shares := cgroup(cli, task, container, "cpu/cpu.shares"):
        return hard, soft, int(shares[0])
    # As runc converts shares to the weight of a cgroup of version 2.
    weight = int(cgroup(cli, task, container, "cpu.weight")[0])
    return hard, soft, next(units for units in range(2, 1 << 18) if 1 + ((units - 2) * 9999) // 262142 == weight)


def quota(cli: Cli, task: Any) -> float:
    """How many CPUs the container `main` may use."""
    found = cgroup(cli, task, "main", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "cpu.max")
    used, period = " ".join(found).split()
    return int(used) / int(period)


def test_a_container_is_limited_by_its_cgroup(cli: Cli, file: File) -> None:
    task = run(cli, file(SLEEP | {"memory": 48, "memoryReservation": 24, "cpu": 300}, networkMode="none"))
    assert limits(cli, task)[:2] == (48, 24)
    assert limits(cli, task)[2] == pytest.approx(300, abs=27)  # a weight stands for 26 shares
    shown = task["containers"][0]
    assert (shown["memory"], shown["memoryReservation"], shown["cpu"]) == ("48", "24", "300")


def test_the_size_of_a_task_limits_its_container(cli: Cli, file: File) -> None:
    definition = file(SLEEP | {"memory": None}, networkMode="none", cpu="256", memory="64")
    task = run(cli, definition)
    assert (limits(cli, task)[0], quota(cli, task)) == (64, 0.25)
    task = run(cli, "app", "--overrides", json.dumps({"cpu": ".5 vCPU", "memory": "96"}))
    assert (limits(cli, task)[0], quota(cli, task)) == (96, 0.5)
    assert (task["cpu"], task["memory"]) == ("512", "96")


def test_each_member_of_an_override_is_in_place_of_the_definitions(cli: Cli, file: File) -> None:
    for name, colour in (("first", "red"), ("second", "blue")):
        (cli.home / f"{name}.env").write_text(f"COLOUR={colour}\n")
    cli.configure('[buckets]\nconfig = "."\n')
    container = SLEEP | {
        "command": ["exit 1"],
        "memory": 48,
        "memoryReservation": 24,
        "cpu": 300,
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "environmentFiles": [{"value": "arn:aws:s3:::config/first.env", "type": "s3"}],
    }
    definition = file(container, {**SLEEP, "name": "other"}, networkMode="none")
    override = {
        "name": "main",
        "command": ["echo $A $B $C $COLOUR; exec sleep 100"],
        "environment": [{"name": "B", "value": "x"}, {"name": "C", "value": "3"}],
        "environmentFiles": [{"value": "arn:aws:s3:::config/second.env", "type": "s3"}],
        "cpu": 600,
        "memory": 64,
        "memoryReservation": 32,
    }
    task = run(cli, definition, "--overrides", json.dumps({"containerOverrides": [override]}))
    assert limits(cli, task)[:2] == (64, 32)
    assert limits(cli, task)[2] == pytest.approx(600, abs=27)
    assert limits(cli, task, "other")[0] == 16
    assert cli.until_logged(task["taskArn"], "--container", "main") == "1 x 3 blue\n"
    assert task["overrides"]["containerOverrides"] == [override, {"name": "other"}]


def test_each_member_of_a_health_check(cli: Cli, file: File) -> None:
    def checked(command: list[str], **more: int) -> dict[str, Any]:
        return {"healthCheck": {"command": command, "interval": 5, "timeout": 2, "retries": 1, **more}}

    definition = file(
        SLEEP | checked(["CMD", "true"]),
        {**SLEEP, "name": "ill", "essential": False} | checked(["CMD-SHELL", "date >> /tmp/n; exit 1"], retries=2),
        {**SLEEP, "name": "slow", "essential": False} | checked(["CMD-SHELL", "exec sleep 20"]),
        {**SLEEP, "name": "young", "essential": False} | checked(["CMD-SHELL", "exit 1"], startPeriod=300),
        {**SLEEP, "name": "unasked", "essential": False} | {"healthCheck": {"command": ["NONE"]}},
        networkMode="none",
    )
    task = run(cli, definition)
    expected = {"main": "HEALTHY", "ill": "UNHEALTHY", "slow": "UNHEALTHY", "young": "UNKNOWN", "unasked": "UNKNOWN"}

    def healths(found: Any) -> dict[str, str]:
        return {container["name"]: container["healthStatus"] for container in found["containers"]}

    task = cli.until(task["taskArn"], lambda found: healths(found) == expected)
    assert task["healthStatus"] == "HEALTHY"  # that of the essential ones
    ill = cli.container_of(task["taskArn"], "ill")
    assert len(cli.docker("exec", ill, "cat", "/tmp/n").splitlines()) >= 2  # one failure was not enough
    states = json.loads(cli.docker("inspect", "--format", "{{json .State.Health.Log}}", ill))
    begins = [time.mktime(time.strptime(state["Start"][:19], "%Y-%m-%dT%H:%M:%S")) for state in states]
    # The engine's own interval is 30 seconds; a check counts from the end of the one before, which may take some.
    assert 4 <= begins[1] - begins[0] < 20
    slow = json.loads(
        cli.docker("inspect", "-f", "{{json .State.Health.Log}}", cli.container_of(task["taskArn"], "slow"))
    )
    assert "exceeded timeout (2s)" in slow[0]["Output"]


def test_the_end_of_a_container_ends_its_task_if_it_is_essential(cli: Cli, file: File) -> None:
    helper = shell("exit 4", name="helper", essential=False)
    task = run(cli, file(SLEEP, helper, networkMode="none"))["taskArn"]
    found = cli.until(task, lambda t: {c["name"]: c["lastStatus"] for c in t["containers"]}["helper"] == "STOPPED")
    assert (found["lastStatus"], found["desiredStatus"]) == ("RUNNING", "RUNNING")
    cli.docker("kill", cli.container_of(task, "main"))
    cli("reconcile")
    found = cli.until(task, lambda t: t["lastStatus"] == "STOPPED")
    assert found["stopCode"] == "EssentialContainerExited"
    assert {c["name"]: c["exitCode"] for c in found["containers"]} == {"main": 137, "helper": 4}


def test_an_exit_code_that_is_ignored_is_no_reason_to_restart(cli: Cli, file: File) -> None:
    policy = {"enabled": True, "ignoredExitCodes": [3], "restartAttemptPeriod": 60}
    task = cli.json("run-task", "--task-definition", file(shell("exit 3", restartPolicy=policy), networkMode="none"))
    arn = task["tasks"][0]["taskArn"]
    cli("reconcile")
    found = cli.until(arn, lambda t: t["lastStatus"] == "STOPPED")
    assert found["containers"][0]["exitCode"] == 3
    assert cli.docker("inspect", "--format", "{{.RestartCount}}", *cli.containers()) == "0"


def test_the_constraints_of_a_definition_say_where_its_tasks_may_be(cli: Cli, file: File) -> None:
    constraint = {"type": "memberOf", "expression": "attribute:rack == 7"}
    definition = file(SLEEP, networkMode="none", placementConstraints=[constraint])
    answer = cli.json("run-task", "--task-definition", definition)
    assert (answer["tasks"], len(answer["failures"])) == ([], 1)
    (instance,) = cli.json("list-container-instances")["containerInstanceArns"]
    cli("put-attributes", "--attributes", f"name=rack,value=7,targetType=container-instance,targetId={instance}")
    run(cli, "app")


def test_a_definition_for_a_launch_type(cli: Cli, file: File) -> None:
    definition = file(SLEEP, networkMode="none", requiresCompatibilities=["EC2", "EXTERNAL"])
    assert run(cli, definition)["launchType"] == "EC2"
    assert run(cli, "app", "--launch-type", "EXTERNAL")["launchType"] == "EXTERNAL"
    error = cli.error("run-task", "--task-definition", "app", "--launch-type", "FARGATE", code=254)
    assert "does not support launch_type FARGATE" in error


def test_a_definition_for_another_platform_finds_no_host(cli: Cli, file: File) -> None:
    here, other = ("ARM64", "X86_64") if platform.machine() in ("aarch64", "arm64") else ("X86_64", "ARM64")
    run(
        cli,
        file(SLEEP, networkMode="none", runtimePlatform={"operatingSystemFamily": "LINUX", "cpuArchitecture": here}),
    )
    definition = file(SLEEP | {"image": "none.invalid/x"}, family="other", runtimePlatform={"cpuArchitecture": other})
    answer = cli.json("run-task", "--task-definition", definition)
    assert (answer["tasks"], [failure["reason"] for failure in answer["failures"]]) == ([], ["ATTRIBUTE"])


def test_ports_that_are_fixed_chosen_and_of_udp(cli: Cli, file: File) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        fixed = probe.getsockname()[1]
    script = "mkdir /tmp/w; echo hello > /tmp/w/index.html; httpd -p 80 -h /tmp/w; exec httpd -f -p 81 -h /tmp/w"
    mappings = [
        {"containerPort": 80, "hostPort": fixed, "name": "web", "appProtocol": "http"},
        {"containerPort": 81, "hostPort": 0},
        {"containerPort": 53, "protocol": "udp"},
    ]
    task = run(cli, file(shell(script, portMappings=mappings)))
    bound = {b["containerPort"]: (b["hostPort"], b["protocol"]) for b in task["containers"][0]["networkBindings"]}
    assert bound[80] == (fixed, "tcp")
    assert bound[81][0] not in (0, 81, fixed)
    assert bound[53][1] == "udp"
    for port in (fixed, bound[81][0]):
        assert fetched(f"127.0.0.1:{port}/") == b"hello\n"
    inside = cli.container_of(task["taskArn"], "main")
    before = unclaimed(cli, inside)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"this", ("127.0.0.1", bound[53][0]))
    end = time.monotonic() + 10
    while unclaimed(cli, inside) == before:
        assert time.monotonic() < end


def unclaimed(cli: Cli, container: str) -> int:
    """How many datagrams a container got for ports that nothing in it listens to; busybox has no server for UDP."""
    names, values = (
        line.split() for line in cli.docker("exec", container, "grep", "^Udp:", "/proc/net/snmp").splitlines()
    )
    return int(dict(zip(names, values, strict=True))["NoPorts"])


def test_a_container_without_a_network(cli: Cli, file: File) -> None:
    show = shell("ls /sys/class/net | grep -e lo -e eth | sort | xargs")
    assert output(cli, file(show)) == "eth0 lo\n"
    alone = show | {"disableNetworking": True, "portMappings": [{"containerPort": 80}]}
    definition = file(alone, networkMode="bridge", family="alone")
    assert "links and portMappings are ignored with it" in cli("check", definition).stdout
    assert output(cli, definition) == "lo\n"


def test_memory_that_containers_share_is_as_large_as_one_of_them_asks_for(cli: Cli, file: File) -> None:
    asking = {**SLEEP, "name": "asking", "linuxParameters": {"sharedMemorySize": 128}}
    task = run(cli, file(SLEEP, asking, networkMode="none", ipcMode="task"))
    size = cli.docker("exec", cli.container_of(task["taskArn"], "main"), "df", "-m", "/dev/shm").split()[-5]
    assert size == "128"


def test_the_tags_of_a_definition_are_its_own_and_may_be_passed_on(cli: Cli, file: File) -> None:
    tags = [{"key": "team", "value": "a"}]
    cli("register-task-definition", file(SLEEP, networkMode="none", tags=tags))
    assert cli.json("describe-task-definition", "--task-definition", "app", "--include", "TAGS")["tags"] == tags
    passed = run(cli, "app", "--propagate-tags", "TASK_DEFINITION")["taskArn"]
    kept = run(cli, "app")["taskArn"]
    found = cli.json("describe-tasks", "--include", "TAGS", "--tasks", passed, kept)["tasks"]
    assert {task["taskArn"]: task["tags"] for task in found} == {passed: tags, kept: []}


def test_a_gpu_is_asked_of_the_engine(cli: Cli, file: File) -> None:
    cli("register-container-instance", "--gpus", "GPU-1,GPU-2")
    one, both = ([{"type": "GPU", "value": number}] for number in ("1", "2"))
    definition = file(SLEEP | {"resourceRequirements": one}, networkMode="none")
    overrides = {"containerOverrides": [{"name": "main", "resourceRequirements": both}]}
    for more, gpus in (((), ["GPU-1"]), (("--overrides", json.dumps(overrides)), ["GPU-1", "GPU-2"])):
        (task,) = cli.json("run-task", "--task-definition", definition, *more)["tasks"]
        assert task["containers"][0]["gpuIds"] == gpus
        # No engine of these tests has any: that it says so is that it was asked.
        task = cli.until(task["taskArn"], lambda found: found["lastStatus"] == "STOPPED")
        assert task["stopCode"] == "TaskFailedToStart"
        assert 'could not select device driver "nvidia" with capabilities: [[gpu]]' in task["stoppedReason"]
