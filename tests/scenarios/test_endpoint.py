"""What containers learn of themselves, and ask for, on a real engine: as unmodified SDKs and agents do it."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import ContainerProvider

from ecsctl.model.identity import ENDPOINT_NAME
from tests.engine.dockerd import Dockerd
from tests.images import IMAGE
from tests.scenarios.conftest import SLEEP, Cli, register, shell
from tests.scenarios.test_networks import run as run_in
from tests.scenarios.test_watch import watching

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("examples")]
File = Callable[..., str]


@pytest.fixture
def cli(cli: Cli) -> Cli:
    """As configured by default: with the metadata endpoint."""
    cli.configure(endpoint=True)
    return cli


ASK = """
for what in "" /task /taskWithTags; do
    wget -q -O- "$ECS_CONTAINER_METADATA_URI_V4$what" || echo failed
    echo
done
wget -q -O- "$ECS_CONTAINER_METADATA_URI/task"
echo
trap 'exit 0' TERM
while :; do sleep 0.1; done
"""
KEY, SECRET, TOKEN = "AKIACANARY", "canary-5cf0a2-secret", "canary-77e1-token"
PRINTED = {"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET, "SessionToken": TOKEN}


def start(cli: Cli, definition: str, *more: str) -> str:
    """The ARN of a task that runs."""
    answer = cli.json("run-task", "--task-definition", definition, "--wait", *more)
    assert answer["failures"] == []
    return str(answer["tasks"][0]["taskArn"])


def said(cli: Cli, task: str, lines: int) -> list[Any]:
    """What a container printed, as soon as there are so many lines: each a JSON document."""
    end = time.monotonic() + 20
    while len(found := cli("logs", task).stdout.splitlines()) < lines:
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return [json.loads(line) for line in found if line]


def environment_of(cli: Cli, task: str, container: str = "main") -> dict[str, str]:
    found = cli.docker("inspect", "-f", "{{json .Config.Env}}", cli.container_of(task, container))
    return dict(pair.split("=", 1) for pair in json.loads(found))


def inside(cli: Cli, task: str, script: str, container: str = "main") -> str:
    return cli.docker("exec", cli.container_of(task, container), "sh", "-c", script, check=False)


def ask(cli: Cli, task: str, what: str = "", container: str = "main") -> Any:
    """What the metadata endpoint tells a container."""
    return json.loads(inside(cli, task, f"wget -q -O- $ECS_CONTAINER_METADATA_URI_V4{what}", container))


@pytest.fixture
def roles(cli: Cli) -> Path:
    """A file whose content is what the command for the role `app` prints."""
    printed = cli.home / "printed.json"
    printed.write_text(json.dumps(PRINTED))
    (cli.home / "config.toml").write_text(f'endpoint_image = "{IMAGE}"\n[roles]\napp = ["cat", "{printed}"]\n')
    return printed


def test_a_container_learns_of_itself_and_its_task(cli: Cli, file: File) -> None:
    labels = {"team": "blue"}
    task = start(cli, file(shell(ASK, dockerLabels=labels, cpu=64)), "--tags", "key=stage,value=test")
    one, whole, tagged, old = said(cli, task, 4)
    found = cli.task(task)
    assert one["DockerId"] == found["containers"][0]["runtimeId"]
    assert one["ContainerARN"] == found["containers"][0]["containerArn"]
    assert (one["Name"], one["Image"], one["Type"]) == ("main", IMAGE, "NORMAL")
    assert one["Limits"] == {"CPU": 64, "Memory": 16}
    assert one["Labels"]["team"] == "blue"
    assert one["Labels"]["com.amazonaws.ecs.task-arn"] == task
    assert not [name for name in one["Labels"] if name.startswith("ecsctl.")]
    assert (whole["TaskARN"], whole["Family"], whole["Revision"], whole["Cluster"]) == (task, "app", "1", "default")
    assert (whole["LaunchType"], whole["DesiredStatus"]) == ("EC2", "RUNNING")
    assert [container["Name"] for container in whole["Containers"]] == ["main"]
    assert tagged["TaskTags"] == {"stage": "test"}
    assert "LaunchType" not in old
    assert old["TaskARN"] == task
    later = ask(cli, task)
    assert later["KnownStatus"] == "RUNNING"
    address = cli.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", one["DockerId"])
    assert later["Networks"] == [{"NetworkMode": "bridge", "IPv4Addresses": [address]}]
    assert environment_of(cli, task)["AWS_EXECUTION_ENV"] == "AWS_ECS_EC2"


def test_a_container_in_the_network_of_the_host_learns_of_itself(cli: Cli, file: File) -> None:
    task = start(cli, file(SLEEP, networkMode="host"))
    assert ask(cli, task)["Networks"] == [{"NetworkMode": "host"}]


def test_a_container_without_a_network_is_told_nothing(cli: Cli, file: File) -> None:
    task = start(cli, file(SLEEP, networkMode="none"))
    assert not [name for name in environment_of(cli, task) if name.startswith("ECS_")]


def test_containers_that_share_namespaces_learn_of_themselves(cli: Cli, file: File) -> None:
    task = start(cli, file(SLEEP, {**SLEEP, "name": "side"}, pidMode="task", ipcMode="task"))
    assert ask(cli, task)["Name"] == "main"
    assert ask(cli, task, container="side")["Name"] == "side"
    kinds = {container["Name"]: container["Type"] for container in ask(cli, task, "/task")["Containers"]}
    assert kinds == {"~internal~ecs~pause": "CNI_PAUSE", "main": "NORMAL", "side": "NORMAL"}


@pytest.mark.parametrize("internal", [False, True])
def test_a_task_with_a_network_interface_learns_of_itself(cli: Cli, file: File, subnet: str, internal: bool) -> None:
    if internal:
        cli.docker("network", "create", "--internal", subnet)
    task = run_in(cli, file(SLEEP, networkMode="awsvpc"), subnet)["taskArn"]
    (network,) = ask(cli, task)["Networks"]
    shown = cli.task(task)["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert (network["NetworkMode"], network["IPv4Addresses"]) == ("awsvpc", [shown])
    in_subnet = f'{{{{(index .NetworkSettings.Networks "{subnet}").IPAddress}}}}'
    pause = next(c["DockerId"] for c in ask(cli, task, "/task")["Containers"] if c["Type"] == "CNI_PAUSE")
    assert cli.docker("inspect", "-f", in_subnet, pause) == shown


def test_an_sdk_finds_the_credentials_of_the_role_and_nobody_else_does(cli: Cli, file: File, roles: Path) -> None:
    task = start(cli, file(SLEEP, taskRoleArn="app"))
    variables = environment_of(cli, task)
    # The host has the same way there as a container in its network.
    found = ContainerProvider(variables).load().get_frozen_credentials()
    assert (found.access_key, found.secret_key, found.token) == (KEY, SECRET, TOKEN)
    told = json.loads(inside(cli, task, "wget -q -O- http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"))
    assert told["RoleArn"] == "arn:aws:iam::000000000000:role/app"

    other = start(cli, file(SLEEP, family="other"))
    assert "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" not in environment_of(cli, other)
    everything = "".join(
        [
            *(path.read_bytes().decode("latin-1") for path in cli.home.iterdir() if path != roles),
            *(cli(*words.split()).stdout for words in ("events", "ps --all", f"describe-tasks --tasks {task}")),
            cli.docker("inspect", cli.container_of(task, "main"), ENDPOINT_NAME),
            cli.docker("logs", ENDPOINT_NAME),
            cli("reconcile", "--dry-run").stdout,
        ]
    )
    assert not [canary for canary in (SECRET, TOKEN) if canary in everything]

    cli("stop-task", "--task", task)
    cli.until(task, lambda t: t["lastStatus"] == "STOPPED")
    left = cli.docker(
        "exec", ENDPOINT_NAME, "cat", f"/data/c/{variables['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'][16:]}"
    )
    assert left == "gone"


def test_credentials_that_end_soon_are_renewed_by_the_next_pass(cli: Cli, file: File, roles: Path) -> None:
    end = time.time() + 2
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    roles.write_text(json.dumps({**PRINTED, "Expiration": soon}))
    task = start(cli, file(SLEEP, taskRoleArn="app"))
    roles.write_text(json.dumps({**PRINTED, "AccessKeyId": "AKIANEXT"}))
    time.sleep(max(0.0, end - time.time()))  # a fast engine is here before they are due
    cli("reconcile")
    assert ContainerProvider(environment_of(cli, task)).load().get_frozen_credentials().access_key == "AKIANEXT"


def test_a_role_whose_credentials_cannot_be_had_keeps_its_task_from_starting(cli: Cli, file: File, roles: Path) -> None:
    roles.write_text(f'{{"Version": 1, "SecretAccessKey": "{SECRET}"')
    done = cli("run-task", "--task-definition", file(SLEEP, taskRoleArn="app"), "--wait", code=1)
    (arn,) = cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"]
    reason = cli.task(arn)["stoppedReason"]
    assert reason.startswith("ResourceInitializationError: unable to get the credentials of the task's role")
    assert SECRET not in done.stdout + done.stderr + reason


def test_on_fargate_the_region_is_in_the_environment(cli: Cli, file: File, subnet: str) -> None:
    fargate = {"networkMode": "awsvpc", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"]}
    definition = file({**SLEEP, "memory": 64}, **fargate)
    variables = environment_of(cli, run_in(cli, definition, subnet, "DISABLED", "--launch-type", "FARGATE")["taskArn"])
    assert variables["AWS_EXECUTION_ENV"] == "AWS_ECS_FARGATE"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"


PUT = (
    """printf 'PUT %s HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: {length}\\r\\n\\r\\n{body}' """
    """"${{ECS_AGENT_URI#http://169.254.170.2}}/task-protection/v1/state" | nc 169.254.170.2 80 | tail -n 1"""
)


def protect(cli: Cli, task: str, body: str) -> Any:
    """What a container gets when it PUTs its protection."""
    return json.loads(inside(cli, task, PUT.format(length=len(body), body=body)))


@pytest.fixture
def service_task(cli: Cli, file: File) -> str:
    (cli.home / "config.toml").write_text(f'endpoint_image = "{IMAGE}"\nhealthy_after = "0s"\n')
    cli("register-task-definition", file(SLEEP))
    cli("create-service", "--service-name", "web", "--task-definition", "app", "--desired-count", "1")
    cli("reconcile", "--service", "web")
    cli.kill_background()
    return str(cli.json("list-tasks")["taskArns"][0])


def test_a_task_protects_itself_while_a_controller_stays(cli: Cli, service_task: str) -> None:
    with watching(cli):
        began = time.monotonic()
        found = protect(cli, service_task, '{"ProtectionEnabled":true,"ExpiresInMinutes":60}')
        assert time.monotonic() - began < 30  # the next look at every host is minutes away
        assert found["protection"]["ProtectionEnabled"] is True
        assert found["protection"]["TaskArn"] == service_task
        assert re.fullmatch(r"[0-9-]+T[0-9:]+Z", found["protection"]["ExpirationDate"])
        (shown,) = cli.json("get-task-protection", "--cluster", "default", "--tasks", service_task)["protectedTasks"]
        assert shown["protectionEnabled"] is True
        state = json.loads(inside(cli, service_task, "wget -q -O- $ECS_AGENT_URI/task-protection/v1/state"))
        assert state == found
        wrong = protect(cli, service_task, '{"ProtectionEnabled":true,"ExpiresInMinutes":99999}')
        assert wrong["error"]["Code"] == "InvalidParameterException"
        assert wrong["requestID"]
        used = ask(cli, service_task, "/stats")
        assert used["id"] == cli.container_of(service_task, "main")
        assert used["memory_stats"]["usage"] > 0
        assert list(ask(cli, service_task, "/task/stats")) == [used["id"]]


def test_a_task_protects_itself_when_a_pass_comes_along(cli: Cli, service_task: str) -> None:
    container = cli.container_of(service_task, "main")
    body = '{"ProtectionEnabled":true}'
    script = PUT.format(length=len(body), body=body)
    asking = subprocess.Popen(["docker", "exec", container, "sh", "-c", script], stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 20
    while f"PUT protection {base64.b64encode(body.encode()).decode()}" not in cli.docker("logs", ENDPOINT_NAME):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert "asked for protection: 200" in cli("reconcile").stdout
    answer, _ = asking.communicate(timeout=20)
    assert json.loads(answer)["protection"]["ProtectionEnabled"] is True
    assert "asked for protection" not in cli("reconcile").stdout


def test_an_endpoint_that_somebody_ended_or_removed_is_made_anew(cli: Cli, file: File, roles: Path) -> None:
    task = start(cli, file(SLEEP, taskRoleArn="app"))
    for harm in (["kill"], ["rm", "-f"], ["restart", "-t", "0"]):
        cli.docker(*harm, ENDPOINT_NAME)
        cli("reconcile")
        assert ask(cli, task)["Name"] == "main"
        assert ContainerProvider(environment_of(cli, task)).load().get_frozen_credentials().secret_key == SECRET
    quiet = cli("reconcile").stdout
    assert quiet == cli("reconcile").stdout


def test_who_knows_no_id_learns_nothing(cli: Cli, file: File) -> None:
    task = start(cli, file(SLEEP))
    known = environment_of(cli, task)["ECS_CONTAINER_METADATA_URI_V4"].rpartition("/")[2]
    tried = {
        **dict.fromkeys(("/", "/v4", "/v4/", "/v4/*", "/v4/.", "/v4/..", "/v2/credentials/", "/data", "//"), "404"),
        **dict.fromkeys((f"/v4/../m/{known}", f"/v4/{known}/../../c/x", f"/v4/%2e%2e/m/{known}", "/v4/x"), "404"),
        **dict.fromkeys((f"/v4/{known}/tasks", f"/v9/{known}", f"/v4/{'a' * 50}", "/v4/$(id)"), "404"),
        f"/v4/{'0' * 32}": "404",
        f"/v2/credentials/{known}": "404",
    }
    for path, expected in tried.items():
        request = f"printf 'GET %s HTTP/1.1\\r\\n\\r\\n' '{path}' | nc 169.254.170.2 80 | head -n 1"
        assert expected in inside(cli, task, request), path
    # What is closed unread may take its answer with it.
    long = inside(cli, task, f"printf 'GET /%s HTTP/1.1\\r\\n\\r\\n' {'a' * 3000} | nc 169.254.170.2 80 | head -n 1")
    assert "400" in long or not long
    for method, expected in (("POST", "405"), ("DELETE", "405"), ("PUT", "404")):
        request = f"printf '{method} /v4/{known} HTTP/1.1\\r\\n\\r\\n' | nc 169.254.170.2 80 | head -n 1"
        assert expected in inside(cli, task, request), method
    assert ask(cli, task)["Name"] == "main"


@pytest.mark.usefixtures("nothing_left")
def test_where_there_can_be_no_endpoint_a_task_runs_and_is_told_nothing(
    cli: Cli, file: File, hosts: list[Dockerd]
) -> None:
    told = []
    # The engine of one's own has no network `bridge`, and no registry.
    cli("update-container-instances-state", "--container-instances", first_instance(cli), "--status", "DRAINING")
    register(cli, hosts[0], "bare")
    config = cli.home / "config.toml"
    for image, why in (("ecsctl/not-there:none", "CannotPullContainerError"), (IMAGE, "bridge")):
        config.write_text(f'endpoint_image = "{image}"\n[roles]\napp = ["echo", \'{json.dumps(PRINTED)}\']\n')
        task = start(cli, file(SLEEP, networkMode="host"))
        start(cli, file(SLEEP, networkMode="host"))
        found = json.loads(hosts[0].docker("inspect", "-f", "{{json .Config.Env}}", cli.container_of(task, "main")))
        assert not [pair for pair in found if pair.startswith("ECS_")]
        events = [line for line in cli("events").stdout.splitlines() if "MetadataEndpoint" in line]
        assert why in events[-1]
        told.append(len(events))
    assert told == [1, 2]
    definition = file(SLEEP, family="with-role", taskRoleArn="app", networkMode="host")
    cli("run-task", "--task-definition", definition, "--wait", code=1)
    (arn,) = cli.json("list-tasks", "--desired-status", "STOPPED")["taskArns"]
    assert cli.task(arn)["stoppedReason"].startswith("ResourceInitializationError")


def others(cli: Cli) -> str:
    """Containers of other tests' tasks, which go on beside."""
    return cli.docker("ps", "-aq", "--filter", "label=ecsctl.task")


def test_what_answers_tasks_goes_when_there_are_none(cli: Cli, file: File) -> None:
    task = start(cli, file(SLEEP))
    cli("stop-task", "--task", task)
    cli.until(task, lambda t: t["lastStatus"] == "STOPPED")
    (cli.home / "config.toml").write_text('stopped_container_retention = "0s"\n')
    cli("reconcile")
    while cli.docker("ps", "-aq", "--filter", f"name={ENDPOINT_NAME}"):
        if others(cli):
            return
        removed = "remove the metadata endpoint" in cli("reconcile").stdout
        assert removed or others(cli)  # that have begun meanwhile
    assert cli.docker("volume", "ls", "-q", "--filter", f"name={ENDPOINT_NAME}") == ""
    assert cli.docker("network", "ls", "-q", "--filter", f"name={ENDPOINT_NAME}") == ""


def first_instance(cli: Cli) -> str:
    return str(cli.json("list-container-instances")["containerInstanceArns"][0])
