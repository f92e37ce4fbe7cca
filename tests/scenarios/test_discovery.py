"""Tasks that find each other by name, on a real engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecsctl.model.identity import namespace_network
from ecsctl.store.store import Store
from tests.scenarios.conftest import Cli, shell

pytestmark = pytest.mark.docker
File = Callable[..., str]

CONNECT = {"enabled": True, "services": [{"portName": "http", "clientAliases": [{"port": 80, "dnsName": "web"}]}]}
SERVER = "mkdir -p /tmp/w; hostname > /tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w"
WEB = shell(SERVER, name="web", portMappings=[{"name": "http", "containerPort": 80}])
CLIENT = shell("exec sleep 1000", name="client", stopTimeout=0)


@pytest.fixture
def shop(cli: Cli) -> Iterator[str]:
    """The namespace of the default cluster; its network is removed at the end."""
    cli("update-cluster", "--cluster", "default", "--service-connect-defaults", "namespace=shop")
    yield "shop"
    cli.kill_background()
    if left := cli.containers():
        cli.docker("rm", "-fv", *left, check=False)
    cli.docker("network", "rm", network_of(cli, "shop"), check=False)


def network_of(cli: Cli, namespace: str) -> str:
    store = Store.open(cli.state)
    try:
        return namespace_network(namespace, store.install)
    finally:
        store.close()


def serve(cli: Cli, definition: str, desired: int, *more: str) -> None:
    cli("register-task-definition", definition)
    words = ["--service-name", "web", "--task-definition", "app", "--desired-count", str(desired)]
    cli("create-service", *words, *more)
    cli("wait", "services-stable", "--services", "web")


def client(cli: Cli, file: File, *more: str, **fields: Any) -> str:
    """The engine's id of the container of a task of its own."""
    definition = file(CLIENT, family="client", **fields)
    task = cli.json("run-task", "--task-definition", definition, *more)["tasks"][0]["taskArn"]
    found = cli.until(task, lambda task: task["lastStatus"] == "RUNNING")
    return str(found["containers"][0]["runtimeId"])


def asked(cli: Cli, container: str, url: str, times: int = 12) -> set[str]:
    """Who answers; empty where the name leads nowhere."""
    script = f"for n in $(seq {times}); do wget -qO- {url} || exit 0; done"
    return {*cli.docker("exec", container, "sh", "-c", script).split()}


def hostnames(cli: Cli, family: str = "app") -> set[str]:
    """Of the containers named `web` that run."""
    tasks = cli.json("list-tasks", "--family", family)["taskArns"]
    return {cli.docker("exec", cli.container_of(task, "web"), "hostname") for task in tasks}


@pytest.mark.usefixtures("shop")
def test_service_connect_leads_to_the_tasks_that_there_are(cli: Cli, file: File) -> None:
    side = shell("exec sleep 1000", name="side", stopTimeout=0)
    serve(cli, file(WEB, side), 2, "--service-connect-configuration", json.dumps(CONNECT))
    found = hostnames(cli)
    assert len(found) == 2
    inside = client(cli, file)
    for url in ("http://web/", "http://http/", "http://http.shop/"):
        assert asked(cli, inside, url, 30) == found, url
    task = cli.json("list-tasks", "--family", "app")["taskArns"][0]
    assert asked(cli, cli.container_of(task, "side"), "http://web/", 30) == found, "of the same service"

    cli("update-service", "--service", "web", "--desired-count", "1")
    cli.until_service("web", lambda _: len(cli.containers("--filter", "status=running")) == 3)
    assert asked(cli, inside, "http://web/") == hostnames(cli)
    assert len(hostnames(cli)) == 1
    cli("delete-service", "--service", "web", "--force")
    cli("wait", "services-inactive", "--services", "web")
    assert asked(cli, inside, "http://web/") == set()


@pytest.mark.usefixtures("shop")
def test_a_registry_leads_to_the_network_interface_of_a_task_in_whichever_subnet(
    cli: Cli, file: File, subnet: str
) -> None:
    network = "awsvpcConfiguration={subnets=[%s]}"
    registry = (
        "registryArn=arn:aws:servicediscovery:us-east-1:000000000000:service/api,containerPort=80,containerName=web"
    )
    words = ["--service-registries", registry, "--network-configuration", network % subnet]
    serve(cli, file(WEB, networkMode="awsvpc"), 1, *words)
    assert cli.service("web")["serviceRegistries"][0]["containerPort"] == 80
    task = cli.task(cli.json("list-tasks")["taskArns"][0])
    address = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert address in cli.docker("network", "inspect", subnet), "its address is still that of its subnet"
    inside = client(cli, file, "--network-configuration", network % "bridge", networkMode="awsvpc")
    assert asked(cli, inside, "http://api.shop/") == hostnames(cli)
    assert asked(cli, inside, "http://api/") == hostnames(cli)


@pytest.mark.usefixtures("shop")
def test_what_is_unhealthy_is_not_found_and_when_it_is_well_again_it_is(cli: Cli, file: File) -> None:
    check = {"command": ["CMD-SHELL", "test ! -e /tmp/sick"], "interval": 5, "retries": 1}
    grace = ["--health-check-grace-period-seconds", "3600"]  # else it would be replaced
    serve(cli, file({**WEB, "healthCheck": check}), 1, "--service-connect-configuration", json.dumps(CONNECT), *grace)
    cli.kill_background()
    inside = client(cli, file)
    (name,) = hostnames(cli)
    assert asked(cli, inside, "http://web/") == {name}
    (task,) = cli.json("list-tasks", "--family", "app")["taskArns"]
    web = cli.container_of(task, "web")
    cli.docker("exec", web, "touch", "/tmp/sick")
    cli.until_service("web", lambda _: cli.task(task)["healthStatus"] == "UNHEALTHY")
    assert asked(cli, inside, "http://web/") == set()
    assert cli("reconcile").stdout == ""
    cli.docker("exec", web, "rm", "/tmp/sick")
    cli.until_service("web", lambda _: cli.task(task)["healthStatus"] == "HEALTHY")
    assert asked(cli, inside, "http://web/") == {name}


def test_a_namespace_is_no_way_out_and_none_into_another(cli: Cli, file: File, shop: str) -> None:
    serve(cli, file(WEB), 1, "--service-connect-configuration", json.dumps({**CONNECT, "namespace": "other"}))
    inside = client(cli, file)
    assert asked(cli, inside, "http://web/") == set()
    for namespace in (shop, "other"):
        assert cli.docker("network", "inspect", "-f", "{{.Internal}}", network_of(cli, namespace)) == "true"
    cli("delete-service", "--service", "web", "--force")
    cli("wait", "services-inactive", "--services", "web")
    cli.docker("network", "rm", network_of(cli, "other"))


@pytest.mark.usefixtures("shop")
def test_what_ecs_shows_of_names(cli: Cli, file: File) -> None:
    serve(cli, file(WEB), 1, "--service-connect-configuration", json.dumps(CONNECT))
    (deployment,) = cli.service("web")["deployments"]
    assert deployment["serviceConnectConfiguration"] == {**CONNECT, "namespace": "shop"}
    (resource,) = deployment["serviceConnectResources"]
    assert resource["discoveryName"] == "http"
    assert resource["discoveryArn"].startswith("arn:aws:servicediscovery:")
    assert cli.json("list-services-by-namespace", "--namespace", "shop")["serviceArns"] == [
        cli.service("web")["serviceArn"]
    ]
    assert cli.json("list-services-by-namespace", "--namespace", "other")["serviceArns"] == []
    (cluster,) = cli.json("describe-clusters")["clusters"]
    assert cluster["serviceConnectDefaults"] == {"namespace": "shop"}
