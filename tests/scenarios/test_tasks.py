"""What a task does on a real engine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import SLEEP, Cli, fetched, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]


def run(cli: Cli, *arguments: str) -> Any:
    """The only task that run-task started."""
    answer = cli.json("run-task", *arguments)
    assert answer["failures"] == []
    (task,) = answer["tasks"]
    return task


def test_the_very_first_command_runs_a_task_from_a_file(cli: Cli, file: File) -> None:
    done = cli("run-task", "--task-definition", file(shell("echo hello; echo oops >&2")), "--wait", "--logs")
    assert (done.stdout, done.stderr) == ("hello\n", "oops\n")


@pytest.mark.parametrize("code", [1, 3, 77])
def test_wait_logs_exits_as_the_essential_container(cli: Cli, file: File, code: int) -> None:
    done = cli("run-task", "--task-definition", file(shell(f"echo bye; exit {code}")), "--wait", "--logs", code=code)
    assert done.stdout == "bye\n"
    assert f"exited with {code}" in done.stderr


def test_an_exit_is_seen_and_told_in_ecs_words(cli: Cli, file: File) -> None:
    task = run(cli, "--task-definition", file(shell("exit 3")))
    stopped = cli.until(task["taskArn"], lambda t: t["lastStatus"] == "STOPPED")
    assert stopped["stopCode"] == "EssentialContainerExited"
    assert stopped["stoppedReason"] == "Essential container in task exited"
    assert stopped["desiredStatus"] == "STOPPED"
    assert stopped["containers"][0]["exitCode"] == 3
    assert stopped["containers"][0]["lastStatus"] == "STOPPED"


def test_a_task_has_the_agents_labels(cli: Cli, file: File) -> None:
    task = run(cli, "--task-definition", file(SLEEP))
    labels = json.loads(cli.docker("inspect", "-f", "{{json .Config.Labels}}", task["containers"][0]["runtimeId"]))
    assert labels["com.amazonaws.ecs.cluster"] == "default"
    assert labels["com.amazonaws.ecs.task-arn"] == task["taskArn"]
    assert labels["com.amazonaws.ecs.container-name"] == "main"
    assert labels["com.amazonaws.ecs.task-definition-family"] == "app"
    assert labels["com.amazonaws.ecs.task-definition-version"] == "1"


def test_a_file_is_registered_once_and_again_when_it_changed(cli: Cli, file: File) -> None:
    containers = (shell("exit 0"), shell("exit 0"), shell("true"))
    files = (file(container, family="shop") for container in containers)
    ran = [run(cli, "--task-definition", path)["taskDefinitionArn"] for path in files]
    assert [arn.rpartition("/")[2] for arn in ran] == ["shop:1", "shop:1", "shop:2"]


def test_dynamic_ports_are_published_and_shown(cli: Cli, file: File) -> None:
    web = shell("mkdir /www; echo it works > /www/index.html; exec httpd -f -p 80 -h /www")
    task = run(cli, "--task-definition", file({**web, "portMappings": [{"containerPort": 80}]}))
    (binding,) = task["containers"][0]["networkBindings"]
    assert (binding["containerPort"], binding["protocol"], binding["bindIP"]) == (80, "tcp", "0.0.0.0")
    assert fetched(f"127.0.0.1:{binding['hostPort']}/") == b"it works\n"


def test_environment_command_and_overrides(cli: Cli, file: File) -> None:
    container = {
        "entryPoint": ["sh", "-c", 'echo "$A-$B-$C $0 $@"'],
        "command": ["one"],
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    }
    overrides = {
        "containerOverrides": [
            {
                "name": "main",
                "command": ["two", "three"],
                "environment": [{"name": "B", "value": "x"}, {"name": "C", "value": "3"}],
            }
        ]
    }
    done = cli(
        "run-task", "--task-definition", file(container), "--overrides", json.dumps(overrides), "--wait", "--logs"
    )
    assert done.stdout == "1-x-3 two three\n"


def test_limits_are_applied_as_ecs_applies_them(cli: Cli, file: File) -> None:
    task = run(cli, "--task-definition", file({**SLEEP, "memory": 32, "memoryReservation": 16, "cpu": 256}, cpu="512"))
    config = json.loads(cli.docker("inspect", "-f", "{{json .HostConfig}}", task["containers"][0]["runtimeId"]))
    assert config["Memory"] == 32 * 1024 * 1024
    assert config["MemoryReservation"] == 16 * 1024 * 1024
    assert config["CpuShares"] == 256
    assert config["NanoCpus"] == 500_000_000
    assert config["RestartPolicy"]["Name"] in ("", "no")
    assert config["AutoRemove"] is False


def test_out_of_memory_is_137_and_said(cli: Cli, file: File) -> None:
    eater = shell("exec tail /dev/zero")
    done = cli("run-task", "--task-definition", file(eater), "--wait", "--logs", code=137)
    assert "OutOfMemoryError: Container killed due to memory usage" in done.stderr


def test_host_and_docker_volumes(cli: Cli, file: File, tmp_path: Path) -> None:
    (tmp_path / "given").write_text("from the host")
    container = shell(
        "cat /host/given; cp /host/given /scratch/kept; touch /host/x 2>/dev/null || echo ' ro'",
        mountPoints=[
            {"sourceVolume": "host", "containerPath": "/host", "readOnly": True},
            {"sourceVolume": "scratch", "containerPath": "/scratch"},
        ],
    )
    reader = shell(
        "cat /scratch/kept",
        name="reader",
        dependsOn=[{"containerName": "main", "condition": "SUCCESS"}],
        mountPoints=[{"sourceVolume": "scratch", "containerPath": "/scratch"}],
    )
    volumes = [{"name": "host", "host": {"sourcePath": str(tmp_path)}}, {"name": "scratch"}]
    definition = file({**container, "essential": False}, reader, volumes=volumes)
    done = cli("run-task", "--task-definition", definition, "--wait", "--logs")
    # Each container's output has its own connection: which of two lines comes first is not promised.
    assert sorted(done.stdout.splitlines()) == ["main   | from the host ro", "reader | from the host"]


@pytest.mark.parametrize(("mode", "interfaces"), [("none", "lo"), ("bridge", "eth0 lo")])
def test_network_modes(cli: Cli, file: File, mode: str, interfaces: str) -> None:
    definition = file(shell("echo $(ls /sys/class/net | grep -e lo -e eth | sort)"), networkMode=mode)
    assert cli("run-task", "--task-definition", definition, "--wait", "--logs").stdout == f"{interfaces}\n"


def test_host_mode_shares_the_hosts_network(cli: Cli, file: File) -> None:
    task = run(cli, "--task-definition", file(SLEEP, networkMode="host"))
    assert cli.docker("inspect", "-f", "{{.HostConfig.NetworkMode}}", task["containers"][0]["runtimeId"]) == "host"


@pytest.mark.parametrize(
    ("script", "code"),
    [("trap 'exit 5' TERM; while :; do sleep 0.1; done", 5), ("trap '' TERM; while :; do sleep 0.1; done", 137)],
)
def test_a_stop_is_sigterm_then_sigkill_after_stop_timeout(cli: Cli, file: File, script: str, code: int) -> None:
    task = run(cli, "--task-definition", file({**shell(script), "stopTimeout": 6}))["taskArn"]
    time.sleep(0.3)
    begin = time.monotonic()
    answer = cli.json("stop-task", "--task", task, "--reason", "enough")["task"]
    assert time.monotonic() - begin < 6  # before it is killed
    assert answer["desiredStatus"] == "STOPPED"
    cli("wait", "tasks-stopped", "--tasks", task)
    stopped = cli.task(task)
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    assert stopped["containers"][0]["exitCode"] == code


def test_a_pod_starts_in_the_order_of_its_dependencies(cli: Cli, file: File, tmp_path: Path) -> None:
    def say(name: str, then: str, **more: Any) -> dict[str, Any]:
        mounts = [{"sourceVolume": "log", "containerPath": "/log"}]
        return {**shell(f"echo {name} >> /log/order; {then}"), "name": name, "mountPoints": mounts, **more}

    wait = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
    log = tmp_path / "log"
    log.mkdir()
    definition = file(
        say("last", wait, dependsOn=[{"containerName": "healthy", "condition": "HEALTHY"}]),
        say(
            "healthy",
            "sleep 0.5; touch /tmp/ok; " + wait,
            dependsOn=[{"containerName": "success", "condition": "SUCCESS"}],
            healthCheck={"command": ["CMD-SHELL", "test -f /tmp/ok"], "interval": 5, "timeout": 2, "retries": 3},
        ),
        say("success", "sleep 0.3", essential=False, dependsOn=[{"containerName": "done", "condition": "COMPLETE"}]),
        say("done", "sleep 0.3; exit 9", essential=False),
        volumes=[{"name": "log", "host": {"sourcePath": str(log)}}],
    )
    task = run(cli, "--task-definition", definition)["taskArn"]
    assert cli.task(task)["lastStatus"] in ("PENDING", "ACTIVATING")
    cli("wait", "tasks-running", "--tasks", task)
    assert (log / "order").read_text().split() == ["done", "success", "healthy", "last"]
    cli.until(task, lambda t: t["healthStatus"] == "HEALTHY")


def test_the_background_goes_on_when_the_command_has_answered(cli: Cli, file: File) -> None:
    second = shell("exit 0", name="second", dependsOn=[{"containerName": "main", "condition": "SUCCESS"}])
    task = run(cli, "--task-definition", file({**shell("sleep 1"), "essential": False}, second))["taskArn"]
    end = time.monotonic() + 20
    while len(cli.containers("--filter", "status=exited")) < 2:  # the engine is asked, ecsctl is not
        assert time.monotonic() < end, cli.task(task)
        time.sleep(0.2)


def test_count_group_started_by_and_tags(cli: Cli, file: File) -> None:
    arguments = ["--count", "2", "--group", "batch", "--started-by", "me", "--tags", "key=team,value=a"]
    answer = cli.json("run-task", "--task-definition", file(SLEEP), *arguments)
    assert len(answer["tasks"]) == 2
    for task in answer["tasks"]:
        assert (task["group"], task["startedBy"]) == ("batch", "me")
        assert task["tags"] == [{"key": "team", "value": "a"}]
    arns = sorted(task["taskArn"] for task in answer["tasks"])
    for wanted in (["--started-by", "me"], ["--family", "app"], ["--desired-status", "RUNNING"], []):
        assert sorted(cli.json("list-tasks", *wanted)["taskArns"]) == arns
    for other in (["--started-by", "you"], ["--family", "x"], ["--desired-status", "STOPPED"]):
        assert cli.json("list-tasks", *other)["taskArns"] == []


def test_a_client_token_is_idempotent(cli: Cli, file: File) -> None:
    definition = file(SLEEP)
    first = run(cli, "--task-definition", definition, "--client-token", "once")
    again = run(cli, "--task-definition", definition, "--client-token", "once")
    assert first["taskArn"] == again["taskArn"]
    assert len(cli.containers()) == 1
    said = cli.error("run-task", "--task-definition", definition, "--client-token", "once", "--count", "2", code=254)
    assert "ConflictException" in said


def test_start_task_goes_where_it_is_told(cli: Cli, file: File) -> None:
    (instance,) = cli.json("list-container-instances")["containerInstanceArns"]
    cli("register-task-definition", file(SLEEP))
    answer = cli.json("start-task", "--task-definition", "app", "--container-instances", instance, "nowhere")
    assert [task["containerInstanceArn"] for task in answer["tasks"]] == [instance]
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]


def test_a_draining_host_takes_no_new_tasks(cli: Cli, file: File) -> None:
    (instance,) = cli.json("list-container-instances")["containerInstanceArns"]
    cli("update-container-instances-state", "--container-instances", instance, "--status", "DRAINING")
    answer = cli.json("run-task", "--task-definition", file(SLEEP))
    assert (answer["tasks"], [f["reason"] for f in answer["failures"]]) == ([], ["INACTIVE"])
    cli("update-container-instances-state", "--container-instances", instance, "--status", "ACTIVE")
    run(cli, "--task-definition", "app")


def test_what_a_host_has_left(cli: Cli, file: File) -> None:
    run(cli, "--task-definition", file({**SLEEP, "cpu": 10, "portMappings": [{"containerPort": 1, "hostPort": 18099}]}))
    (arn,) = cli.json("list-container-instances")["containerInstanceArns"]
    (host,) = cli.json("describe-container-instances", "--container-instances", arn)["containerInstances"]
    left, all_of_it = ({r["name"]: r for r in host[k]} for k in ("remainingResources", "registeredResources"))
    assert all_of_it["MEMORY"]["integerValue"] - left["MEMORY"]["integerValue"] == 16
    assert all_of_it["CPU"]["integerValue"] - left["CPU"]["integerValue"] == 10
    assert "18099" in left["PORTS"]["stringSetValue"]
    assert (host["runningTasksCount"], host["status"], host["agentConnected"]) == (1, "ACTIVE", True)


def test_logs_of_one_or_all_containers(cli: Cli, file: File) -> None:
    second = {**SLEEP, "name": "other", "command": ["echo there; exec sleep 100"]}
    task = run(cli, "--task-definition", file(shell("echo here; exec sleep 100"), second))["taskArn"]
    assert sorted(cli.until_logged(task, lines=2).splitlines()) == ["main  | here", "other | there"]
    assert cli("logs", task[-32:], "--container", "other").stdout == "there\n"
    assert cli("logs", task[-32:][:8], "--container", "main", "--since", "1h").stdout == "here\n"
    assert "no container 'x'" in cli.error("logs", task, "--container", "x", code=1)


def test_following_logs_ends_with_the_task(cli: Cli, file: File) -> None:
    task = run(cli, "--task-definition", file(shell("for i in 1 2 3; do echo $i; sleep 0.4; done")))["taskArn"]
    assert cli("logs", "-f", task).stdout == "1\n2\n3\n"


def test_output_stays_after_the_task_has_stopped(cli: Cli, file: File) -> None:
    task = run(cli, "--task-definition", file(shell("echo kept")))["taskArn"]
    cli("wait", "tasks-stopped", "--tasks", task)
    assert cli("logs", task).stdout == "kept\n"


def test_an_interrupt_stops_the_waiting_and_not_the_task(cli: Cli, file: File) -> None:
    process = cli.start("run-task", "--task-definition", file(SLEEP), "--logs", "--wait")
    end = time.monotonic() + 20
    while not cli.state.exists() or not cli.containers("--filter", "status=running"):
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(2)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err
    (task,) = cli.json("list-tasks")["taskArns"]
    assert cli.task(task)["lastStatus"] == "RUNNING"


def test_wait_has_an_end(cli: Cli, file: File) -> None:
    blocked = shell("exit 0", name="second", dependsOn=[{"containerName": "main", "condition": "COMPLETE"}])
    definition = file({**SLEEP, "essential": False}, blocked)
    assert "timed out" in cli("run-task", "--task-definition", definition, "--wait", "1s", code=124).stderr


def test_privileges_and_linux_parameters_reach_the_engine(cli: Cli, file: File) -> None:
    container = {
        **SLEEP,
        "hostname": "named",
        "user": "nobody",
        "workingDirectory": "/tmp",
        "readonlyRootFilesystem": True,
        "linuxParameters": {
            "initProcessEnabled": True,
            "capabilities": {"drop": ["NET_RAW"]},
            "tmpfs": [{"containerPath": "/t", "size": 8}],
            "sharedMemorySize": 16,
        },
        "ulimits": [{"name": "nofile", "softLimit": 64, "hardLimit": 128}],
        "extraHosts": [{"hostname": "there", "ipAddress": "10.0.0.1"}],
        "dockerLabels": {"mine": "1"},
    }
    task = run(cli, "--task-definition", file(container))
    container_id = task["containers"][0]["runtimeId"]

    def inside(script: str) -> str:
        return cli.docker("exec", container_id, "sh", "-c", script)

    assert inside("hostname; id -u; pwd; ulimit -n") == "named\n65534\n/tmp\n64"
    assert "10.0.0.1\tthere" in inside("cat /etc/hosts")
    assert inside("touch /x 2>/dev/null || echo read-only") == "read-only"
    assert "size=8192k" in inside("grep ' /t ' /proc/mounts")
    assert cli.docker("inspect", "-f", '{{index .Config.Labels "mine"}}', container_id) == "1"


def test_what_is_not_honoured_never_gets_that_far(cli: Cli, file: File) -> None:
    definition = file({**SLEEP, "credentialSpecs": ["credentialspec:file://x"]})
    cli("register-task-definition", definition)
    said = cli.error("run-task", "--task-definition", "app", code=254)
    assert "containerDefinitions[0].credentialSpecs" in said
    assert cli.containers() == []


def test_all_or_nothing_starts_none_where_there_is_no_room_for_each(cli: Cli, file: File) -> None:
    definition = file({**SLEEP, "portMappings": [{"containerPort": 1, "hostPort": 18097}]})
    both = ("run-task", "--task-definition", definition, "--count", "2", "--client-token", "both")
    nothing = json.loads(cli(*both, "--all-or-nothing", code=1).stdout)
    assert nothing["tasks"] == []
    assert [failure["reason"] for failure in nothing["failures"]] == ["RESOURCE:PORTS"]
    assert cli.json("list-tasks")["taskArns"] == []
    some = cli.json(*both)  # the token was not used up
    assert (len(some["tasks"]), len(some["failures"])) == (1, 1)


def test_a_dry_run_says_where_and_why_and_starts_nothing(cli: Cli, file: File) -> None:
    definition = file({**SLEEP, "portMappings": [{"containerPort": 1, "hostPort": 18098}]})
    dry = ("run-task", "--task-definition", definition, "--dry-run")
    assert "1 of 1 would start; nothing was started" in cli(*dry).stdout
    plan = json.loads(cli(*dry, "--count", "2", "--output", "json", code=1).stdout)
    assert (len(plan["tasks"]), plan["hosts"][0]["rank"]) == (1, 1)
    assert plan["failures"][0]["reason"] == "RESOURCE:PORTS"
    assert cli.json("list-tasks")["taskArns"] == cli.json("list-task-definitions")["taskDefinitionArns"] == []
    assert cli.containers() == []
    cli("run-task", "--task-definition", definition)
    shown = cli(*dry, code=1).stdout
    assert "RESOURCE:PORTS: taken: 18098/tcp" in shown
    assert "stop what holds the port" in shown
    told = cli("explain", cli.json("list-tasks")["taskArns"][0]).stdout
    assert " is RUNNING on " in told
    assert "TaskPlaced" in told
    assert "there is no task and no service 'nobody'" in cli.error("explain", "nobody", code=1)
