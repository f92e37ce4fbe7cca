"""The ECS actions over simulated hosts: what they answer, in which shape, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.record import decode
from ecsctl.operations.explain import plan_tasks
from ecsctl.operations.tasks import run_task
from ecsctl.scheduler.decide import request_stop
from ecsctl.store.tables import TASKS
from tests.controller.world import Life, World
from tests.operations.conftest import refused


def container(**more: Any) -> dict[str, Any]:
    return {"name": "main", "image": "up", "memory": 16, **more}


def registered(call: Any, family: str = "app", **more: Any) -> str:
    answer = call("RegisterTaskDefinition", family=family, containerDefinitions=[container(**more)])
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def test_clusters_come_and_go(call: Any) -> None:
    made = call("CreateCluster", clusterName="blue", tags=[{"key": "a", "value": "b"}])["cluster"]
    assert (made["status"], made["runningTasksCount"]) == ("ACTIVE", 0)
    assert made["capacityProviders"] == made["defaultCapacityProviderStrategy"] == []
    assert call("CreateCluster", clusterName="blue")["cluster"]["clusterArn"] == made["clusterArn"]
    assert len(call("ListClusters")["clusterArns"]) == 2
    described = call("DescribeClusters", clusters=["blue", "nowhere"], include=["TAGS", "STATISTICS", "SETTINGS"])
    assert described["clusters"][0]["tags"] == [{"key": "a", "value": "b"}]
    assert [failure["reason"] for failure in described["failures"]] == ["MISSING"]
    call("UpdateClusterSettings", cluster="blue", settings=[{"name": "containerInsights", "value": "enabled"}])
    changed = call("DescribeClusters", clusters=["blue"], include=["SETTINGS"])["clusters"][0]
    assert changed["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert call("DeleteCluster", cluster="blue")["cluster"]["status"] == "INACTIVE"
    assert len(call("ListClusters")["clusterArns"]) == 1
    refused(call, "ClusterNotFoundException", "ListTasks", cluster="blue")
    assert call("CreateCluster", clusterName="blue")["cluster"]["status"] == "ACTIVE"


def test_a_cluster_in_use_is_not_deleted(call: Any, world: World) -> None:
    refused(call, "ClusterContainsContainerInstancesException", "DeleteCluster", cluster="default")


def test_revisions_are_numbered_and_never_given_twice(call: Any) -> None:
    first = registered(call)
    assert first.endswith(":task-definition/app:1")
    second = registered(call, cpu=5)
    call("DeregisterTaskDefinition", taskDefinition=second)
    call("DeleteTaskDefinitions", taskDefinitions=[second])
    assert registered(call).endswith("app:3")
    assert call("ListTaskDefinitions")["taskDefinitionArns"] == [first, first[:-1] + "3"]
    assert call("ListTaskDefinitions", sort="DESC")["taskDefinitionArns"][0].endswith("app:3")
    assert call("ListTaskDefinitionFamilies")["families"] == ["app"]
    assert call("DescribeTaskDefinition", taskDefinition="app")["taskDefinition"]["revision"] == 3


@pytest.mark.parametrize("revision", ["x", "-1", "\u00b2", "\u0661", "9" * 5000], ids=range(5))
def test_a_revision_is_a_number_of_plain_digits(revision: str, call: Any) -> None:
    call("RegisterTaskDefinition", family="app", containerDefinitions=[{"name": "a", "image": "up", "memory": 16}])
    said = refused(call, "ClientException", "DescribeTaskDefinition", taskDefinition=f"app:{revision}")
    assert said.startswith("Invalid revision number.")


def test_an_inactive_revision_runs_nothing_new(call: Any) -> None:
    registered(call)
    call("DeregisterTaskDefinition", taskDefinition="app:1")
    assert "inactive" in refused(call, "ClientException", "RunTask", taskDefinition="app:1")
    refused(call, "ClientException", "RunTask", taskDefinition="app")
    assert call("ListTaskDefinitionFamilies", status="ACTIVE")["families"] == []
    assert call("ListTaskDefinitionFamilies", status="INACTIVE")["families"] == ["app"]


def test_an_active_revision_is_not_deleted_and_one_in_use_stays(call: Any) -> None:
    arn = registered(call)
    assert call("DeleteTaskDefinitions", taskDefinitions=[arn, "none:1"])["failures"][0]["arn"] == arn
    task = call("RunTask", taskDefinition="app")["tasks"][0]["taskArn"]
    call("DeregisterTaskDefinition", taskDefinition="app:1")
    deleted = call("DeleteTaskDefinitions", taskDefinitions=[arn])["taskDefinitions"]
    assert deleted[0]["status"] == "DELETE_IN_PROGRESS"
    call("StopTask", task=task)
    assert call("DescribeTasks", tasks=[task])["tasks"][0]["lastStatus"] == "STOPPED"


def test_the_life_of_a_task(call: Any) -> None:
    registered(call)
    (task,) = call("RunTask", taskDefinition="app", group="g", startedBy="me", tags=[{"key": "k", "value": "v"}])[
        "tasks"
    ]
    assert (task["lastStatus"], task["desiredStatus"], task["launchType"]) == ("RUNNING", "RUNNING", "EC2")
    assert task["overrides"]["containerOverrides"] == [{"name": "main"}]
    assert (task["group"], task["startedBy"], task["tags"]) == ("g", "me", [{"key": "k", "value": "v"}])
    stopped = call("StopTask", task=task["taskArn"], reason="enough")["task"]
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    again = call("StopTask", task=task["taskArn"], reason="other")["task"]
    assert again["stoppedReason"] == "enough"
    answer = call("DescribeTasks", tasks=[task["taskArn"], "f" * 32])
    assert answer["tasks"][0]["lastStatus"] == "STOPPED"
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    assert "tags" in call("DescribeTasks", tasks=[task["taskArn"]], include=["TAGS"])["tasks"][0]


def test_tasks_are_listed_by_every_filter(call: Any, world: World) -> None:
    registered(call)
    registered(call, "other")
    mine = call("RunTask", taskDefinition="app", startedBy="me")["tasks"][0]
    theirs = call("RunTask", taskDefinition="other", launchType="EXTERNAL")["tasks"][0]

    def listed(**filters: Any) -> list[str]:
        return sorted(call("ListTasks", **filters)["taskArns"])

    assert listed() == sorted([mine["taskArn"], theirs["taskArn"]])
    assert listed(family="app") == listed(startedBy="me") == listed(launchType="EC2") == [mine["taskArn"]]
    assert mine["taskArn"] in listed(containerInstance=mine["containerInstanceArn"])
    assert listed(desiredStatus="STOPPED") == []
    call("StopTask", task=mine["taskArn"])
    assert (listed(desiredStatus="STOPPED"), listed()) == ([mine["taskArn"]], [theirs["taskArn"]])
    page = call("ListTasks", maxResults=1)
    assert len(page["taskArns"]) == 1
    assert "nextToken" not in page


def ran(call: Any, **more: Any) -> list[str]:
    return [task["taskArn"] for task in call("RunTask", taskDefinition="app", clientToken="t", **more)["tasks"]]


def test_a_client_token_is_over_an_hour_after_the_last_of_its_tasks(call: Any, world: World) -> None:
    registered(call)
    first, second = made = ran(call, count=2)
    call("StopTask", task=first)
    world.clock.seconds += 2 * 3600
    assert ran(call, count=2) == made
    call("StopTask", task=second)
    world.clock.seconds += 3590
    assert ran(call, count=2) == made
    assert refused(call, "ConflictException", "RunTask", taskDefinition="app", clientToken="t", count=3)
    world.clock.seconds += 10
    again = ran(call)
    assert not {*again} & {*made}
    assert ran(call) == again


def test_a_client_token_is_over_after_a_day_whoever_has_cleaned_up_or_not(call: Any, world: World) -> None:
    registered(call)
    made = ran(call)
    world.clock.seconds += 24 * 3600 - 1
    assert ran(call) == made
    world.clock.seconds += 1
    assert ran(call) != made
    assert len(call("ListTasks")["taskArns"]) == 2


def test_a_client_token_whose_tasks_are_forgotten_runs_them_anew(call: Any, world: World) -> None:
    registered(call)
    first, second = ran(call, count=2)
    for arn, left in ((first, [second]), (second, [])):
        call("StopTask", task=arn)
        with world.store.write() as tx:
            tx.delete(TASKS, arn=arn)
        if left:
            assert ran(call, count=2) == left
    assert len({*ran(call, count=2)} - {first, second}) == 2


def test_as_many_as_fit_are_placed_and_the_rest_are_failures(call: Any, world: World) -> None:
    registered(call, memory=3000)
    answer = call("RunTask", taskDefinition="app", count=10)
    assert len(answer["tasks"]) == 4
    assert {failure["reason"] for failure in answer["failures"]} == {"RESOURCE:MEMORY"}
    assert len(answer["failures"]) == 2
    answer = call("RunTask", taskDefinition=registered(call, memory=99999))
    assert {failure["reason"] for failure in answer["failures"]} == {"RESOURCE:MEMORY"}


def test_fixed_ports_are_held_until_the_task_has_stopped(call: Any) -> None:
    registered(call, portMappings=[{"containerPort": 80, "hostPort": 8080}])
    ran = call("RunTask", taskDefinition="app", count=3)
    assert len(ran["tasks"]) == 2
    assert {failure["reason"] for failure in ran["failures"]} == {"RESOURCE:PORTS"}
    call("StopTask", task=ran["tasks"][0]["taskArn"])
    assert len(call("RunTask", taskDefinition="app")["tasks"]) == 1


def test_placement_is_by_strategy_and_constraint(call: Any) -> None:
    registered(call)
    spread = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]
    hosts = [
        t["containerInstanceArn"]
        for t in call("RunTask", taskDefinition="app", count=4, placementStrategy=spread)["tasks"]
    ]
    assert sorted(hosts.count(host) for host in set(hosts)) == [2, 2]
    distinct = call(
        "RunTask", taskDefinition="app", group="d", count=3, placementConstraints=[{"type": "distinctInstance"}]
    )
    assert len({task["containerInstanceArn"] for task in distinct["tasks"]}) == 2
    assert len(distinct["failures"]) == 2
    zone = distinct["tasks"][0]["availabilityZone"]
    member = {"type": "memberOf", "expression": f"attribute:ecs.availability-zone != {zone}"}
    (task,) = call("RunTask", taskDefinition="app", placementConstraints=[member])["tasks"]
    assert task["availabilityZone"] != zone
    nowhere = {"type": "memberOf", "expression": "attribute:rack exists"}
    nothing = call("RunTask", taskDefinition="app", placementConstraints=[nowhere])
    assert nothing["tasks"] == []
    assert {failure["reason"] for failure in nothing["failures"]} == {"MemberOf placement constraint unsatisfied."}


def test_the_constraints_of_a_definition_hold_for_all_its_tasks(call: Any) -> None:
    expression = "attribute:rack == 7"
    constraint = {"type": "memberOf", "expression": expression}
    container = {"name": "main", "image": "busybox", "memory": 16}
    call("RegisterTaskDefinition", family="app", containerDefinitions=[container], placementConstraints=[constraint])
    first, second = call("ListContainerInstances")["containerInstanceArns"]
    call("PutAttributes", attributes=[{"name": "rack", "value": "7", "targetId": second}])
    ran = call("RunTask", taskDefinition="app", count=2)
    assert {task["containerInstanceArn"] for task in ran["tasks"]} == {second}
    (failure,) = call("StartTask", taskDefinition="app", containerInstances=[first])["failures"]
    assert failure["reason"] == "MemberOf placement constraint unsatisfied."


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ({"type": "memberOf", "expression": "attribute:x = y"}, "expected an operator after attribute:x"),
        ({"type": "memberOf"}, "is required with memberOf"),
        ({"type": "distinctInstance", "expression": "attribute:x exists"}, "only memberOf has one"),
    ],
)
def test_an_expression_that_cannot_be_read_is_said_at_once(call: Any, constraint: dict[str, str], words: str) -> None:
    registered(call)
    said = refused(
        call, "InvalidParameterException", "RunTask", taskDefinition="app", placementConstraints=[constraint]
    )
    assert f"placementConstraints[0].expression: {words}" in said
    if constraint["type"] == "memberOf" and "expression" in constraint:
        container = {"name": "main", "image": "busybox", "memory": 16}
        more = {"family": "app", "containerDefinitions": [container], "placementConstraints": [constraint]}
        assert words in refused(call, "ClientException", "RegisterTaskDefinition", **more)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            {"containerOverrides": [{"name": "main", "cpu": -900}]},
            "containerOverrides[main].cpu: Invalid",
        ),
        ({"containerOverrides": [{"name": "main", "memory": -500}]}, "no less than 6 MiB"),
        ({"containerOverrides": [{"name": "main", "memory": 0}]}, "no less than 6 MiB"),
        ({"containerOverrides": [{"name": "main", "memoryReservation": -1}]}, "no less than 6 MiB"),
        ({"containerOverrides": [{"name": "main", "memory": 8}]}, "greater than or equal to 'memoryReservation'"),
        ({"containerOverrides": [{"name": "main", "memoryReservation": 20}]}, "greater than or equal to"),
        ({"memory": "14"}, "'memory' setting for container 'main' is greater than for the task"),
        ({"memory": "16", "containerOverrides": [{"name": "side", "memoryReservation": 8}]}, "The sum of all"),
        ({"cpu": "128", "containerOverrides": [{"name": "main", "cpu": 129}]}, "overrides.cpu: The sum of all"),
        ({"cpu": "1"}, "Write 128 (0.125 vCPU)"),
    ],
)
def test_overrides_keep_to_what_a_definition_may_say(
    call: Any, world: World, overrides: dict[str, Any], words: str
) -> None:
    sizes = {"memory": 16, "memoryReservation": 10}
    definition = world.define(sizes, {**sizes, "name": "side"})
    for action in ("RunTask", "StartTask"):
        where = {"containerInstances": ["host0"]} if action == "StartTask" else {}
        request = {"taskDefinition": definition, "overrides": overrides, **where}
        assert words in refused(call, "InvalidParameterException", action, **request)
    assert world.tasks() == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"overrides": {"containerOverrides": [{"name": "nobody"}]}}, "nobody"),
        ({"startedBy": "a" * 129}, "startedBy"),
        ({"startedBy": "a\n"}, "startedBy"),
        ({"group": "service:web"}, "group"),
        ({"count": 0}, "count"),
        ({"count": 11}, "count"),
        ({"clientToken": "a b"}, "clientToken"),
        ({"tags": [{"key": "aws:x", "value": "y"}]}, "aws:"),
        ({"placementStrategy": [{"type": "binpack", "field": "height"}]}, "height"),
        ({"placementStrategy": [{"type": "spread", "field": "colour"}]}, "colour"),
        ({"priority": "cheap"}, "priority: 'cheap' is none of cost"),
        ({"priority": "cost", "placementStrategy": [{"type": "random"}]}, "give one of them"),
    ],
)
def test_requests_that_make_no_sense(call: Any, more: dict[str, Any], words: str) -> None:
    registered(call)
    assert words in refused(call, "InvalidParameterException", "RunTask", taskDefinition="app", **more)
    assert call("ListTasks")["taskArns"] == []


def test_tags_are_passed_on_when_asked(call: Any) -> None:
    call(
        "RegisterTaskDefinition", family="app", containerDefinitions=[container()], tags=[{"key": "team", "value": "a"}]
    )
    plain = call("RunTask", taskDefinition="app")["tasks"][0]
    assert plain["tags"] == []
    task = call("RunTask", taskDefinition="app", propagateTags="TASK_DEFINITION", enableECSManagedTags=True)["tasks"][0]
    assert {tag["key"] for tag in task["tags"]} == {"team", "aws:ecs:clusterName"}


def test_container_instances(call: Any, world: World) -> None:
    arns = call("ListContainerInstances")["containerInstanceArns"]
    assert len(arns) == 2
    answer = call("DescribeContainerInstances", containerInstances=[*arns, "f" * 32])
    first = answer["containerInstances"][0]
    assert {a["name"] for a in first["attributes"]} >= {"ecs.availability-zone", "ecs.cpu-architecture", "ecs.os-type"}
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    changed = call("UpdateContainerInstancesState", containerInstances=[arns[0], "f" * 32], status="DRAINING")
    assert changed["containerInstances"][0]["status"] == "DRAINING"
    assert [failure["reason"] for failure in changed["failures"]] == ["MISSING"]
    assert call("ListContainerInstances", status="DRAINING")["containerInstanceArns"] == [arns[0]]
    registered(call)
    ran = call("RunTask", taskDefinition="app", count=3)["tasks"]
    assert {task["containerInstanceArn"] for task in ran} == {arns[1]}
    refused(call, "InvalidParameterException", "DeregisterContainerInstance", containerInstance=arns[1])
    gone = call("DeregisterContainerInstance", containerInstance=arns[1], force=True)["containerInstance"]
    assert gone["status"] == "INACTIVE"
    for task in call("DescribeTasks", tasks=[task["taskArn"] for task in ran])["tasks"]:
        assert task["stoppedReason"] == "Container instance deregistration forced by user"
        assert task["lastStatus"] == "STOPPED"
    assert not [found for found in world.containers() if found.is_up]
    assert call("ListContainerInstances")["containerInstanceArns"] == [arns[0]]


def test_attributes(call: Any) -> None:
    arn = call("ListContainerInstances")["containerInstanceArns"][0]
    call("PutAttributes", attributes=[{"name": "rack", "value": "7", "targetId": arn}])
    call("PutAttributes", attributes=[{"name": "rack", "value": "8", "targetId": arn.rpartition("/")[2]}])
    found = call("ListAttributes", targetType="container-instance", attributeName="rack")["attributes"]
    assert found == [{"name": "rack", "value": "8", "targetId": arn}]
    call("DeleteAttributes", attributes=[{"name": "rack", "targetId": arn}])
    assert call("ListAttributes", targetType="container-instance", attributeName="rack")["attributes"] == []
    refused(call, "TargetNotFoundException", "PutAttributes", attributes=[{"name": "a", "targetId": "f" * 32}])


def test_tags(call: Any) -> None:
    arn = registered(call)
    call("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    call("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "3"}])
    call("UntagResource", resourceArn=arn, tagKeys=["b"])
    assert call("ListTagsForResource", resourceArn=arn)["tags"] == [{"key": "a", "value": "3"}]
    refused(call, "ResourceNotFoundException", "ListTagsForResource", resourceArn=arn + "9")
    refused(call, "InvalidParameterException", "ListTagsForResource", resourceArn="nonsense")


def test_the_journal_tells_what_happened_and_why(call: Any, world: World) -> None:
    from ecsctl.store.tables import EVENTS

    registered(call, image="once")
    task = call("RunTask", taskDefinition="app")["tasks"][0]["taskArn"]
    call("DescribeTasks", tasks=[task])
    with world.store.read() as view:
        kinds = [(event.kind, event.message) for event in view.find(EVENTS, resource=task)]
    assert [kind for kind, _ in kinds][:1] == ["TaskPlaced"]
    assert ("TaskToStop", "EssentialContainerExited: Essential container in task exited") in kinds
    assert kinds[-1][0] == "TaskStopped"


def test_the_constraints_of_a_definition_count_too(call: Any, world: World) -> None:
    """ECS API_RunTask: at most 10 constraints, with those in the task definition."""
    constraint = {"type": "memberOf", "expression": "runningTasksCount >= 0"}
    definition = world.define({}, placementConstraints=[constraint] * 6)
    fits, more = ([constraint] * number for number in (4, 5))
    assert call("RunTask", taskDefinition=definition, placementConstraints=fits)["tasks"]
    service = {"serviceName": "web", "desiredCount": 1, "taskDefinition": definition}
    asked = {"taskDefinition": definition, "placementConstraints": more}
    assert "with the 6" in refused(call, "InvalidParameterException", "RunTask", **asked)
    assert "with the 6" in refused(call, "InvalidParameterException", "CreateService", **{**service, **asked})
    call("CreateService", **service, placementConstraints=fits)
    said = refused(call, "InvalidParameterException", "UpdateService", service="web", placementConstraints=more)
    assert "with the 6" in said


def test_a_port_that_a_foreign_container_holds_is_taken(call: Any, world: World) -> None:
    """The next host is tried; where there is none it is a failure, and a dry run says so too."""
    ports = {"portMappings": [{"containerPort": 80, "hostPort": 8080}]}
    request = {"taskDefinition": world.define(ports), "count": 2}
    foreign = {"Image": "up", "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}}
    engine = world.engines["host0"]
    engine.start(engine.create("foreign", foreign))
    planned = plan_tasks(world.process(), decode(RunTaskRequest, request))
    assert [task.name for task in planned.tasks] == ["host1"]
    assert [(host.name, host.reason) for host in planned.hosts] == [("host1", None), ("host0", "RESOURCE:PORTS")]
    answer = call("RunTask", **request)
    assert [task["lastStatus"] for task in answer["tasks"]] == ["RUNNING"]
    assert {failure["reason"] for failure in answer["failures"]} == {"RESOURCE:PORTS"}
    before = len(engine.calls_of("published"))
    call("RunTask", taskDefinition=world.define({}))
    assert len(engine.calls_of("published")) == before  # nobody asks who does not want to know


def test_ports_of_the_host_are_reserved(call: Any, world: World) -> None:
    arns = call("ListContainerInstances")["containerInstanceArns"]
    for host in call("DescribeContainerInstances", containerInstances=arns)["containerInstances"]:
        for resources in (host["registeredResources"], host["remainingResources"]):
            (ports,) = [resource["stringSetValue"] for resource in resources if resource["name"] == "PORTS"]
            assert ports == ["22", "2375", "2376", "51678", "51679", "51680"]
    definition = world.define({"portMappings": [{"containerPort": 22, "hostPort": 22}]})
    assert {f["reason"] for f in call("RunTask", taskDefinition=definition)["failures"]} == {"RESOURCE:PORTS"}


def test_a_task_that_is_to_stop_does_not_keep_another_of_its_group_away(call: Any, world: World) -> None:
    """ECS developer guide, "Example Amazon ECS task placement constraints": what is desired of tasks is what placement
    goes by. What such a task has, it has until it is STOPPED."""
    constraints = [{"type": "distinctInstance"}]
    request = {"taskDefinition": world.define({"memory": 1600}), "count": 2, "placementConstraints": constraints}
    assert len(call("RunTask", **request)["tasks"]) == 2
    assert [f["reason"] for f in call("RunTask", **request)["failures"]] == [
        "distinctInstance placement constraint unsatisfied."
    ] * 2
    with world.store.write() as tx:
        for record in tx.find(TASKS):
            tx.put(TASKS, request_stop(record, "UserInitiated", "enough", world.clock.now()))
    before = remaining(call)
    assert len(call("RunTask", **request)["tasks"]) == 2
    assert remaining(call) == [memory - 1600 for memory in before]
    assert {record.task.last_status for record in world.tasks()} == {"RUNNING"}


def test_what_another_takes_while_hosts_are_asked_is_not_given_twice(call: Any, world: World) -> None:
    """Where the tasks go is decided before the hosts are asked, and again only where something has changed since."""
    definition = world.define({"memory": remaining(call)[0] - 100})
    request = decode(RunTaskRequest, {"taskDefinition": definition, "count": 2})
    others: list[Any] = []

    def meanwhile() -> None:
        if not others:
            others.append(None)
            others.extend(run_task(world.process(), request).tasks or [])

    answer = run_task(world.process(Life(meanwhile=meanwhile)), request)
    assert (len(others) - 1, answer.tasks) == (2, [])
    assert [failure.reason for failure in answer.failures or []] == ["RESOURCE:MEMORY"] * 2


def remaining(call: Any) -> list[int]:
    arns = call("ListContainerInstances")["containerInstanceArns"]
    found = call("DescribeContainerInstances", containerInstances=arns)["containerInstances"]
    return [next(r["integerValue"] for r in one["remainingResources"] if r["name"] == "MEMORY") for one in found]
