"""Service Connect and service registries: what is kept, shown and rolled out, and what is refused in which words."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.operations.export import export_state
from ecsctl.operations.reconcile import reconcile
from ecsctl.store.deployment_tables import SERVICE_REVISIONS
from ecsctl.store.tables import TASKS
from tests.controller.world import World
from tests.operations.conftest import refused

WEB = {"name": "web", "portMappings": [{"name": "http", "containerPort": 80}]}
CONNECT = {"enabled": True, "namespace": "shop", "services": [{"portName": "http"}]}


def create(call: Any, world: World, name: str = "web", definition: str | None = None, **more: Any) -> Any:
    words = {"serviceName": name, "taskDefinition": definition or world.define(WEB), "desiredCount": 1, **more}
    return call("CreateService", **words)["service"]


def with_service(**more: Any) -> dict[str, Any]:
    return {**CONNECT, "services": [{"portName": "http", **more}]}


def alias(**more: Any) -> dict[str, Any]:
    return with_service(clientAliases=[{"port": 80, **more}])


@pytest.mark.parametrize(
    ("connect", "words"),
    [
        (with_service(portName="grpc"), "services[0].portName: app:1 has no port mapping of the name 'grpc'"),
        (with_service(discoveryName="a.b"), "services[0].discoveryName: 'a.b' is not a name"),
        (with_service(discoveryName="Web"), "services[0].discoveryName: 'Web' is not a name"),
        (alias(dnsName="Web"), "clientAliases[0].dnsName: 'Web' is not a name of a host, of a-z"),
        (with_service(clientAliases=[{"port": 1}, {"port": 2}]), "services[0].clientAliases: one at most"),
        (alias(dnsName="-x"), "clientAliases[0].dnsName: '-x' is not a name of a host"),
        ({**CONNECT, "namespace": "a b"}, "namespace: 'a b' cannot be a namespace"),
        ({"enabled": True}, "namespace: is needed, as the cluster default has no default"),
        ({**CONNECT, "services": [{"portName": "http"}] * 2}, "services[1]: http is named twice"),
    ],
)
def test_what_cannot_be_is_refused(call: Any, world: World, connect: dict[str, Any], words: str) -> None:
    wanted = {"serviceName": "web", "taskDefinition": world.define(WEB), "desiredCount": 1}
    said = refused(call, "InvalidParameterException", "CreateService", **wanted, serviceConnectConfiguration=connect)
    assert words in said


@pytest.mark.parametrize(
    ("connect", "words"),
    [
        (alias(port=8080), "clientAliases[0].port: 8080 is not where the container listens, 80, and another is not"),
        (with_service(ingressPortOverride=9), "services[0].ingressPortOverride is not honoured: there is no proxy"),
        (with_service(timeout={"idleTimeoutSeconds": 3}), "services[0].timeout is not honoured: there is no proxy"),
        (with_service(tls={"issuerCertificateAuthority": {}}), "services[0].tls is not honoured: there is no proxy"),
        (alias(testTrafficRules={"header": {"name": "x"}}), "clientAliases[0].testTrafficRules is not honoured"),
        ({**CONNECT, "accessLogConfiguration": {"format": "TEXT"}}, "accessLogConfiguration is not honoured"),
    ],
)
def test_what_takes_a_proxy_is_refused_by_name(call: Any, world: World, connect: dict[str, Any], words: str) -> None:
    wanted = {"serviceName": "web", "taskDefinition": world.define(WEB), "desiredCount": 1}
    assert words in refused(call, "ClientException", "CreateService", **wanted, serviceConnectConfiguration=connect)


@pytest.mark.parametrize(
    ("registries", "words"),
    [
        ([{}], "registryArn: None names no service"),
        ([{"registryArn": "web"}] * 2, "one at most"),
        ([{"registryArn": "web", "containerName": "x"}], "containerName: there is no container x"),
        ([{"registryArn": "web", "containerPort": 81}], "containerPort: 81 is no port of the task definition"),
        ([{"registryArn": "web.a b"}], "registryArn: 'a b' cannot be a namespace"),
        ([{"registryArn": "arn:aws:servicediscovery:us-east-1:1:namespace/ns-1"}], "names no service"),
        ([{"registryArn": "web", "port": 80, "containerPort": 80}], "either 'port' or the 'containerName' and"),
        ([{"registryArn": "web", "port": 81}], "port: 81 is no port of the task definition"),
    ],
)
def test_what_a_registry_cannot_be(call: Any, world: World, registries: Any, words: str) -> None:
    wanted = {"serviceName": "web", "taskDefinition": world.define(WEB), "desiredCount": 1}
    assert words in refused(call, "InvalidParameterException", "CreateService", **wanted, serviceRegistries=registries)


def test_of_several_containers_a_registry_has_to_name_one(call: Any, world: World) -> None:
    several = world.define(WEB, {"name": "side"})
    registry = [{"registryArn": "web"}]
    wanted = {"serviceName": "web", "desiredCount": 1, "serviceRegistries": registry}
    said = refused(call, "InvalidParameterException", "CreateService", **wanted, taskDefinition=several)
    assert "containerName: is needed where a task has several containers" in said


@pytest.mark.parametrize(
    "more", [{"serviceConnectConfiguration": CONNECT}, {"serviceRegistries": [{"registryArn": "a"}]}]
)
def test_containers_without_an_address_of_their_own_have_no_names(call: Any, world: World, more: Any) -> None:
    definition = world.define(WEB, networkMode="host")
    wanted = {"serviceName": "web", "taskDefinition": definition, "desiredCount": 1, **more}
    assert "of the networkMode host have no address" in refused(call, "ClientException", "CreateService", **wanted)


def test_a_name_is_one_services_alone_in_its_namespace(call: Any, world: World) -> None:
    create(call, world, serviceConnectConfiguration=CONNECT)
    other = {"serviceName": "other", "taskDefinition": "app", "desiredCount": 1}
    said = refused(call, "InvalidParameterException", "CreateService", **other, serviceConnectConfiguration=CONNECT)
    assert "http is the service web's in the namespace shop already" in said
    create(call, world, "other", "app", serviceConnectConfiguration={**CONNECT, "namespace": "elsewhere"})


def test_an_alias_leads_to_no_two_services_of_a_namespace(call: Any, world: World) -> None:
    create(call, world, serviceConnectConfiguration=alias(dnsName="db"))
    other = {"serviceName": "other", "taskDefinition": "app", "desiredCount": 1}
    for name, dns_name in (("b", "db"), ("db", "x"), ("b", "http"), ("b", "http.shop")):
        connect = with_service(discoveryName=name, clientAliases=[{"port": 80, "dnsName": dns_name}])
        said = refused(call, "InvalidParameterException", "CreateService", **other, serviceConnectConfiguration=connect)
        assert "is the service web's in the namespace shop already" in said
    call("UpdateService", service="web", serviceConnectConfiguration=alias(dnsName="db"))


def test_a_name_leads_to_one_container_of_a_task(call: Any, world: World) -> None:
    side = {"name": "side", "portMappings": [{"name": "admin", "containerPort": 81}]}
    services = [
        {"portName": name, "clientAliases": [{"port": port, "dnsName": "app"}]}
        for name, port in (("http", 80), ("admin", 81))
    ]
    wanted = {"serviceName": "web", "desiredCount": 1}
    wanted |= {"serviceConnectConfiguration": {**CONNECT, "services": services}}
    several = world.define(WEB, side, networkMode="bridge")
    said = refused(call, "ClientException", "CreateService", **wanted, taskDefinition=several)
    assert "app for several containers is not honoured: there is no proxy" in said
    one_address = world.define(WEB, side, networkMode="awsvpc")
    network = {"awsvpcConfiguration": {"subnets": ["net-a"]}}
    call("CreateService", **wanted, taskDefinition=one_address, networkConfiguration=network)


def test_the_clusters_namespace_is_filled_in(call: Any, world: World) -> None:
    call("UpdateCluster", cluster="default", serviceConnectDefaults={"namespace": "shop"})
    connect = {"enabled": True, "services": [{"portName": "http"}]}
    (deployment,) = create(call, world, serviceConnectConfiguration=connect)["deployments"]
    assert deployment["serviceConnectConfiguration"]["namespace"] == "shop"
    call("UpdateCluster", cluster="default", serviceConnectDefaults={"namespace": ""})
    (cluster,) = call("DescribeClusters")["clusters"]
    assert "serviceConnectDefaults" not in cluster


def test_other_names_are_rolled_out_and_rolled_back(call: Any, world: World) -> None:
    made = create(call, world, serviceRegistries=[{"registryArn": "web"}])
    assert made["serviceRegistries"] == [{"registryArn": "web"}]
    updated = call("UpdateService", service="web", serviceConnectConfiguration=CONNECT)["service"]
    assert [one.get("serviceConnectConfiguration") for one in updated["deployments"]] == [CONNECT, None]
    same = call("UpdateService", service="web", serviceConnectConfiguration=CONNECT)["service"]
    assert len(same["deployments"]) == 2
    gone = call("UpdateService", service="web", serviceRegistries=[])["service"]
    assert gone["serviceRegistries"] == []
    with world.store.read() as view:
        revisions = view.find(SERVICE_REVISIONS, service=made["serviceArn"])
    said = {(bool(one.service_connect_configuration), bool(one.service_registries)) for one in revisions}
    assert said == {(False, True), (True, True), (True, False)}


def test_a_new_task_definition_has_to_have_the_port(call: Any, world: World) -> None:
    create(call, world, serviceConnectConfiguration=CONNECT)
    world.define({"name": "web"})
    said = refused(call, "InvalidParameterException", "UpdateService", service="web", taskDefinition="app:2")
    assert "app:2 has no port mapping of the name 'http'" in said


def test_task_sets_have_registries_of_their_own(call: Any, world: World) -> None:
    external = {"deploymentController": {"type": "EXTERNAL"}, "desiredCount": 1, "serviceName": "web"}
    registry = [{"registryArn": "web"}]
    assert "task sets have it" in refused(
        call, "InvalidParameterException", "CreateService", **external, serviceRegistries=registry
    )
    assert "EXTERNAL" in refused(
        call, "ClientException", "CreateService", **external, serviceConnectConfiguration=CONNECT
    )
    call("CreateService", **external)
    words = {"service": "web", "cluster": "default", "taskDefinition": world.define(WEB), "launchType": "EC2"}
    made = call("CreateTaskSet", **words, serviceRegistries=registry, scale={"value": 100, "unit": "PERCENT"})[
        "taskSet"
    ]
    assert made["serviceRegistries"] == registry
    reconcile(world.process())
    (task,) = world.tasks()
    assert task.discovery is not None
    assert task.discovery.names == {"web": ["web", "web.default"]}


def test_the_services_of_a_namespace_are_listed_whatever_their_cluster(call: Any, world: World) -> None:
    call("CreateCluster", clusterName="blue", serviceConnectDefaults={"namespace": "shop"})
    first = create(call, world, serviceConnectConfiguration=CONNECT)["serviceArn"]
    second = create(call, world, "api", "app", cluster="blue", serviceRegistries=[{"registryArn": "api"}])["serviceArn"]
    create(call, world, "plain", "app")
    assert call("ListServicesByNamespace", namespace="shop")["serviceArns"] == sorted([first, second])
    arn = "arn:aws:servicediscovery:us-east-1:000000000000:namespace/shop"
    assert call("ListServicesByNamespace", namespace=arn)["serviceArns"] == sorted([first, second])
    page = call("ListServicesByNamespace", namespace="shop", maxResults=1)
    rest = call("ListServicesByNamespace", namespace="shop", maxResults=1, nextToken=page["nextToken"])
    assert page["serviceArns"] + rest["serviceArns"] == sorted([first, second])
    assert "nextToken" not in rest


def test_an_export_says_the_names(call: Any, world: World) -> None:
    call("UpdateCluster", cluster="default", serviceConnectDefaults={"namespace": "shop"})
    create(call, world, serviceConnectConfiguration=CONNECT, serviceRegistries=[{"registryArn": "web"}])
    document = export_state(world.process())
    (cluster,), (service,) = document.clusters, document.services
    assert cluster.service_connect_defaults is not None
    assert cluster.service_connect_defaults.namespace == "shop"
    assert service.service_connect_configuration is not None
    assert [one.registry_arn for one in service.service_registries or []] == ["web"]


def test_where_nothing_is_said_of_names_there_is_nothing_more_to_do(call: Any, world: World) -> None:
    create(call, world)
    reconcile(world.process())
    with world.store.read() as view:
        assert [task.discovery for task in view.find(TASKS)] == [None]
    calls = [call for engine in world.engines.values() for call in engine.calls_of("connect_network", "swarm")]
    assert calls == []
