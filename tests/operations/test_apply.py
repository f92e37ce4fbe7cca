"""Plans of apply: what they say, that a second one is empty, what prune takes, and what is refused where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecsctl.cli.documents import read_data
from ecsctl.model.errors import InputError
from ecsctl.model.record import decode, evolve, to_wire
from ecsctl.model.schedule import ScheduleTaskRequest
from ecsctl.operations.apply.carry_out import carry_out
from ecsctl.operations.apply.documents import documents_of
from ecsctl.operations.apply.mark import MARK
from ecsctl.operations.apply.plan import Plan, make_plan
from ecsctl.operations.schedules import schedule_task
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.tables import CLUSTERS, SERVICES, TAGS, TASK_DEFINITIONS
from tests.controller.world import World
from tests.operations.test_corpus import CORPUS, REGISTERS

WEB = "arn:aws:ecs:us-east-1:000000000000:service/default/web"
APP = {"name": "main", "image": "up", "memory": 16}
DEFINITION = {"family": "app", "containerDefinitions": [APP]}
SERVICE = {"serviceName": "web", "taskDefinition": "app", "desiredCount": 1}
SCHEDULE = {"name": "job", "scheduleExpression": "rate(5 minutes)", "taskDefinition": "app"}
OF_GOOD = {**SCHEDULE, "taskDefinition": "good"}
JOB = WEB.replace("service/default/web", "schedule/default/job")

FULL_CONTAINER = {
    **APP,
    "essential": True,
    "command": ["a", "b"],
    "environment": [{"name": "B", "value": "1"}, {"name": "A", "value": "2"}],
    "portMappings": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 8081, "protocol": "udp"}],
    "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
    "healthCheck": {"command": ["CMD", "true"], "startPeriod": 5},
    "ulimits": [{"name": "nofile", "softLimit": 10, "hardLimit": 20}],
    "logConfiguration": {"logDriver": "json-file", "options": {"max-size": "1m"}},
    "linuxParameters": {"initProcessEnabled": True, "tmpfs": [{"containerPath": "/t", "size": 4}]},
}
FULL_DEFINITION = {
    "family": "app",
    "containerDefinitions": [FULL_CONTAINER, {"name": "side", "image": "up", "memory": 8, "essential": False}],
    "cpu": ".25 vCPU",
    "memory": "0.5GB",
    "networkMode": "bridge",
    "requiresCompatibilities": ["EC2"],
    "volumes": [{"name": "data"}],
    "tags": [{"key": "team", "value": "a"}],
}
FULL_SERVICE = {
    **SERVICE,
    "cluster": "default",
    "desiredCount": 3,
    "launchType": "EC2",
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "deploymentConfiguration": {
        "minimumHealthyPercent": 50,
        "maximumPercent": 150,
        "deploymentCircuitBreaker": {
            "enable": True,
            "rollback": True,
            "thresholdConfiguration": {"type": "COUNT", "value": 4},
        },
    },
    "placementConstraints": [{"type": "distinctInstance"}],
    "placementStrategy": [{"type": "spread", "field": "host"}, {"type": "binpack", "field": "memory"}],
    "healthCheckGracePeriodSeconds": 9,
    "enableECSManagedTags": True,
    "propagateTags": "SERVICE",
    "clientToken": "once",
    "tags": [{"key": "team", "value": "a"}],
}

FULL_SCHEDULE = {
    **SCHEDULE,
    "scheduleExpression": "cron(0 3 * * ? *)",
    "scheduleExpressionTimezone": "Europe/Zurich",
    "scheduleState": "DISABLED",
    "missed": "skip",
    "overlap": "allow",
    "count": 2,
    "cluster": "default",
    "group": "g",
    "launchType": "EC2",
    "overrides": {"containerOverrides": [{"name": "main", "command": ["x"]}]},
    "placementConstraints": [{"type": "distinctInstance"}],
    "placementStrategy": [],
    "propagateTags": "TASK_DEFINITION",
    "tags": [{"key": "team", "value": "a"}],
}


def plan(world: World, *data: Any, set_name: str = "default", prune: bool = False) -> Plan:
    documents = documents_of((f"file{n}", one) for n, one in enumerate(data))
    return make_plan(world.process(), documents, set_name, prune=prune)


def apply(world: World, *data: Any, **more: Any) -> list[str]:
    """Plans and carries out; what was done."""
    made = plan(world, *data, **more)
    carry_out(world.process(), made, lambda _: None)
    return shown(made)


def shown(made: Plan) -> list[str]:
    return [line.strip() for change in made.pending for line in change.lines]


def problem(world: World, *data: Any, **more: Any) -> str:
    with pytest.raises(InputError) as caught:
        plan(world, *data, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_not_there_is_created_in_order(world: World) -> None:
    made = plan(world, {"services": [{**SERVICE, "cluster": "new"}], "taskDefinitions": [DEFINITION]}, CLUSTER)
    assert [change.lines[0] for change in made.changes] == [
        "+ cluster new",
        "+ task definition app:1",
        "+ service new/web",
    ]
    assert "    taskDefinition: app:1" in made.changes[2].lines
    assert made.changes[0].lines == ["+ cluster new"]  # of which nothing but the name is said
    assert made.summary == "3 to create"
    with world.store.read() as view:
        assert view.find(SERVICES) == []  # a plan changes nothing
    carry_out(world.process(), made, lambda _: None)
    with world.store.read() as view:
        (service,) = view.find(SERVICES)
    assert service.definition == "app:1"
    assert service.service.cluster_arn == "arn:aws:ecs:us-east-1:000000000000:cluster/new"
    assert world.handed_over == [service.arn]


CLUSTER = {"clusterName": "new"}


@pytest.mark.parametrize(
    "data",
    [
        [DEFINITION, SERVICE],
        [FULL_DEFINITION, FULL_SERVICE],
        [DEFINITION, {**SERVICE, "schedulingStrategy": "DAEMON", "desiredCount": None}],
        [
            {
                "clusters": [
                    {
                        "clusterName": "new",
                        "settings": [{"name": "containerInsights", "value": "enabled"}],
                        "configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}},
                        "tags": [{"key": "team", "value": "a"}],
                    },
                    {},
                ]
            }
        ],
        [
            DEFINITION,
            {**SERVICE, "deploymentConfiguration": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1}},
        ],
        [{"services": [{**SERVICE, "taskDefinition": "app:1"}], "taskDefinitions": [DEFINITION]}],
        [{"serviceName": "web", "desiredCount": 2, "deploymentController": {"type": "EXTERNAL"}}],
        [{"schedules": [SCHEDULE, {**FULL_SCHEDULE, "name": "full"}], "taskDefinitions": [DEFINITION]}],
    ],
    ids=["small", "full", "daemon", "clusters", "blue/green", "by revision", "external", "schedules"],
)
def test_applying_twice_changes_nothing(world: World, data: list[Any]) -> None:
    data = [{key: value for key, value in one.items() if value is not None} for one in data]
    assert apply(world, *data)
    world.process().controller.reconcile([], _limits())
    again = plan(world, *data, prune=True)
    assert shown(again) == []
    assert {change.action for change in again.changes} == {"unchanged"}
    with world.store.read() as view:
        sequence = view.sequence
    carry_out(world.process(), again, lambda _: None)
    with world.store.read() as view:
        assert view.sequence == sequence


def _limits() -> Any:
    from ecsctl.controller.limits import Limits

    return Limits()


@pytest.mark.parametrize("name", sorted(REGISTERS))
def test_every_definition_of_the_corpus_is_unchanged_the_second_time(world: World, name: str) -> None:
    data = read_data(CORPUS / name)
    assert apply(world, data)[0].startswith("+ task definition")
    assert shown(plan(world, data)) == []


def test_only_what_differs_is_updated(world: World) -> None:
    apply(world, DEFINITION, FULL_SERVICE)
    changed = {**FULL_SERVICE, "desiredCount": 5, "healthCheckGracePeriodSeconds": 0}
    wanted = {**DEFINITION, "containerDefinitions": [{**APP, "image": "up:2"}]}
    assert apply(world, wanted, changed) == [
        "~ task definition app:2",
        "revision: 1 -> 2",
        "containerDefinitions[main].image: up -> up:2",
        "~ service default/web",
        "desiredCount: 3 -> 5",
        "healthCheckGracePeriodSeconds: 9 -> 0",
        "taskDefinition: app:1 -> app:2",
    ]
    with world.store.read() as view:
        (service,) = view.find(SERVICES)
    assert (service.definition, service.service.desired_count) == ("app:2", 5)


def test_what_is_no_longer_said_gets_its_default(world: World) -> None:
    apply(world, FULL_DEFINITION, FULL_SERVICE)
    small = {**SERVICE, "desiredCount": 3, "tags": []}
    assert apply(world, DEFINITION, small)
    with world.store.read() as view:
        (record,) = view.find(SERVICES)
    service = record.service
    assert (service.placement_strategy, service.placement_constraints) == ([], [])
    assert (service.health_check_grace_period_seconds, service.propagate_tags) == (0, "NONE")
    assert service.deployment_configuration is not None
    assert service.deployment_configuration.maximum_percent == 200
    assert shown(plan(world, DEFINITION, small)) == []


def test_blue_green_is_taken_back_when_it_is_no_longer_said(world: World) -> None:
    configuration = {
        "strategy": "BLUE_GREEN",
        "bakeTimeInMinutes": 2,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True, "resetOnHealthyTask": False},
    }
    apply(world, DEFINITION, {**SERVICE, "deploymentConfiguration": configuration})
    assert "deploymentConfiguration.strategy: BLUE_GREEN -> ROLLING" in apply(world, DEFINITION, SERVICE)
    assert shown(plan(world, DEFINITION, SERVICE)) == []


def test_hooks_and_early_success_are_taken_back_when_they_are_no_longer_said(world: World) -> None:
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
    early = {"enable": True, "healthyPercent": 100, "sourceServiceRevisionCleanup": "DEFERRED"}
    for configuration in ({"strategy": "BLUE_GREEN", "lifecycleHooks": [hook]}, {"earlySuccessCriteria": early}):
        apply(world, DEFINITION, {**SERVICE, "deploymentConfiguration": configuration})
        assert apply(world, DEFINITION, SERVICE) != []
        assert apply(world, DEFINITION, SERVICE) == []


def test_a_desired_count_that_is_not_said_stays(world: World, call: Any) -> None:
    apply(world, DEFINITION, SERVICE)
    call("UpdateService", service="web", desiredCount=4)
    scaled = {key: value for key, value in SERVICE.items() if key != "desiredCount"}
    assert shown(plan(world, DEFINITION, scaled)) == []
    assert "desiredCount: 4 -> 1" in shown(plan(world, DEFINITION, SERVICE))
    assert "desiredCount: is needed" in problem(world, DEFINITION, {**scaled, "serviceName": "other"})


def test_tags_are_changed_without_a_new_revision(world: World, call: Any) -> None:
    apply(world, FULL_DEFINITION, FULL_SERVICE)
    tags = [{"key": "owner", "value": "b"}]
    said = apply(world, {**FULL_DEFINITION, "tags": tags}, {**FULL_SERVICE, "tags": tags})
    assert said == [
        "~ task definition app:1",
        "tags[owner]: b",
        "tags[team]: a -> none",
        "~ service default/web",
        "tags[owner]: b",
        "tags[team]: a -> none",
    ]
    found = call("DescribeServices", services=["web"], include=["TAGS"])["services"][0]["tags"]
    assert {tag["key"]: tag["value"] for tag in found} == {MARK: "default", "owner": "b"}
    untold = {key: value for key, value in FULL_SERVICE.items() if key != "tags"}
    assert shown(plan(world, untold)) == []


def test_a_new_revision_keeps_the_tags_that_are_not_said(world: World, call: Any) -> None:
    apply(world, {**DEFINITION, "tags": [{"key": "team", "value": "a"}]})
    apply(world, {**DEFINITION, "containerDefinitions": [{**APP, "memory": 17}]})
    found = call("DescribeTaskDefinition", taskDefinition="app:2", include=["TAGS"])["tags"]
    assert {tag["key"]: tag["value"] for tag in found} == {"team": "a", MARK: "default"}


def test_a_cluster_is_updated(world: World, call: Any) -> None:
    apply(world, CLUSTER)
    wanted = {**CLUSTER, "settings": [{"name": "containerInsights", "value": "enabled"}]}
    assert apply(world, wanted) == ["~ cluster new", "settings[containerInsights]: disabled -> enabled"]
    found = call("DescribeClusters", clusters=["new"], include=["SETTINGS"])["clusters"][0]
    assert found["settings"] == wanted["settings"]


def test_names_are_applied_and_taken_back(world: World, call: Any) -> None:
    named = {**CLUSTER, "serviceConnectDefaults": {"namespace": "shop"}}
    ports = [{"name": "http", "containerPort": 80}]
    definition = {"family": "app", "containerDefinitions": [{**APP, "portMappings": ports}]}
    connect = {"enabled": True, "services": [{"portName": "http"}]}
    service = {
        **SERVICE,
        "cluster": "new",
        "serviceConnectConfiguration": connect,
        "serviceRegistries": [{"registryArn": "x"}],
    }
    apply(world, named, definition, service)
    assert apply(world, named, definition, service) == []
    (found,) = call("DescribeServices", cluster="new", services=["web"])["services"]
    assert found["deployments"][0]["serviceConnectConfiguration"] == {**connect, "namespace": "shop"}
    plain = {**SERVICE, "cluster": "new"}
    assert apply(world, CLUSTER, definition, plain) != []
    assert apply(world, CLUSTER, definition, plain) == []
    (found,) = call("DescribeServices", cluster="new", services=["web"])["services"]
    assert found["serviceRegistries"] == []
    assert found["deployments"][0]["serviceConnectConfiguration"] == {"enabled": False}
    assert "serviceConnectDefaults" not in call("DescribeClusters", clusters=["new"])["clusters"][0]
    wrong = {**plain, "serviceConnectConfiguration": {"enabled": True, "services": [{"portName": "x"}]}}
    assert "portName: app:1 has no port mapping of the name 'x'" in problem(world, named, definition, wrong)


def test_killed_at_any_moment_the_next_apply_finishes(world: World) -> None:
    data = (
        {
            "clusters": [CLUSTER],
            "taskDefinitions": [DEFINITION],
            "services": [{**SERVICE, "cluster": "new"}],
            "schedules": [{**SCHEDULE, "cluster": "new"}],
        },
    )
    steps = 0
    while world.dies(steps, lambda ctx: carry_out(ctx, make_plan(ctx, _named(data), "default"), lambda _: None)):
        steps += 1
        assert steps < 50
    assert steps > 3
    assert shown(plan(world, *data)) == []
    with world.store.read() as view:
        assert view.count(TASK_DEFINITIONS) == 1
    assert apply(world, {"clusters": []}, prune=True)[0] == "- schedule new/job"  # it bears the mark


def _named(data: Any) -> Any:
    return documents_of((f"file{n}", one) for n, one in enumerate(data))


def test_prune_deletes_what_apply_made_and_nothing_else(world: World, call: Any) -> None:
    call("CreateCluster", clusterName="by-hand")
    world.define({}, family="by-hand")
    call("CreateService", serviceName="by-hand", taskDefinition="by-hand", desiredCount=1)
    apply(world, {"clusters": [CLUSTER], "taskDefinitions": [DEFINITION], "services": [SERVICE]})
    apply(world, {**DEFINITION, "family": "other"}, set_name="other")
    everything = {"clusters": [{"clusterName": "by-hand"}], "services": [{**SERVICE, "serviceName": "by-hand"}]}
    world.define({"memory": 20}, family="app")  # a revision by hand of a family that apply manages
    apply(world, {**everything, "services": [{**SERVICE, "serviceName": "by-hand", "taskDefinition": "by-hand"}]})
    assert plan(world, {"clusters": []}).pending == []  # not without --prune
    pruned = apply(world, {"clusters": []}, prune=True)
    assert pruned == ["- service default/web", "- task definition app:1", "- cluster new"]
    assert shown(plan(world, {"clusters": []}, prune=True)) == []
    with world.store.read() as view:
        assert {c.cluster_name for c in view.find(CLUSTERS, status="ACTIVE")} == {"default", "by-hand"}
        left = {f"{d.family}:{d.revision}" for d in view.find(TASK_DEFINITIONS, status="ACTIVE")}
        assert left == {"app:2", "by-hand:1", "other:1"}
        assert {record.service.service_name for record in view.find(SERVICES, status="ACTIVE")} == {"by-hand"}


def test_a_cluster_is_deleted_after_its_services_have_stopped(world: World) -> None:
    apply(world, {"clusters": [CLUSTER], "taskDefinitions": [DEFINITION], "services": [{**SERVICE, "cluster": "new"}]})
    assert apply(world, {"clusters": []}, prune=True)[-1] == "- cluster new"
    with world.store.read() as view:
        assert [c.cluster_name for c in view.find(CLUSTERS, status="ACTIVE")] == ["default"]


def test_a_service_with_a_client_token_can_be_made_again(world: World) -> None:
    apply(world, FULL_DEFINITION, FULL_SERVICE)
    apply(world, FULL_DEFINITION, prune=True)
    world.process().controller.converge_services([WEB], _limits())
    assert apply(world, FULL_DEFINITION, FULL_SERVICE)[0] == "+ service default/web"
    with world.store.read() as view:
        assert [record.service.status for record in view.find(SERVICES)] == ["ACTIVE"]


def test_prune_spares_what_is_still_used(world: World, call: Any) -> None:
    apply(world, {"clusters": [CLUSTER], "taskDefinitions": [DEFINITION]})
    call("CreateService", serviceName="by-hand", cluster="new", taskDefinition="app", desiredCount=1)
    made = plan(world, {"clusters": []}, prune=True)
    assert made.pending == []
    assert made.notes == (
        "task definition app:1 is kept: a service uses it",
        "cluster new is kept: it has services",
    )


def test_prune_stays_in_its_region(world: World) -> None:
    apply(world, {"clusters": [CLUSTER], "taskDefinitions": [DEFINITION], "services": [SERVICE]})
    elsewhere = world.process()
    elsewhere = evolve(elsewhere, scope=evolve(elsewhere.scope, region="eu-west-1"))
    assert make_plan(elsewhere, documents_of([("f", {"services": []})]), "default", prune=True).pending == []


def test_two_sets_do_not_fight_over_a_resource(world: World, call: Any) -> None:
    apply(world, DEFINITION, SERVICE, set_name="a")
    said = problem(world, {**DEFINITION, "family": "b"}, {**SERVICE, "taskDefinition": "b"}, set_name="b")
    assert "file1: it was made by apply --set a; to move it: ecsctl tag-resource" in said
    call("TagResource", resourceArn=WEB, tags=[{"key": MARK, "value": "b"}])
    assert "taskDefinition: app:1 -> b:1" in shown(
        plan(world, {**DEFINITION, "family": "b"}, {**SERVICE, "taskDefinition": "b"}, set_name="b")
    )


def test_a_plan_that_is_out_of_date_is_not_carried_out(world: World) -> None:
    made = plan(world, DEFINITION, SERVICE)
    world.define({"memory": 20})
    with pytest.raises(Exception, match="app has a new revision since the plan was made: apply again"):
        carry_out(world.process(), made, lambda _: None)
    with world.store.read() as view:
        assert view.find(SERVICES) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({**SERVICE, "taskDefinition": "nosuch"}, "file0: Unable to describe task definition nosuch"),
        ({"services": [{**SERVICE, "desiredCount": "1"}]}, "file0: services[0]: desiredCount: expected a whole number"),
        ({"services": [SERVICE, {"desiredCount": 1}]}, "file0: services[1]: serviceName: is required but missing"),
        (
            {"service": [SERVICE]},
            "file0: nothing to apply: give clusters, taskDefinitions, services, schedules, or one",
        ),
        ({"clusters": [], "service": []}, 'file0: service: unknown field; did you mean "services"?'),
        ({"services": {"web": {"image": "x"}}}, "file0: this looks like a Compose file"),
        ({"kind": "Deployment"}, "file0: this looks like a Kubernetes manifest"),
        ([], "file0: the top level must be an object"),
        ({"clusters": {}}, "file0: clusters: expected a list"),
        ({"clusters": [1]}, "file0: clusters[0]: the input: expected an object"),
        ({"clusterName": "a b"}, "file0: Cluster name 'a b' is not a valid name"),
        ({"family": "app"}, "file0: containerDefinitions: is required but missing"),
        ({"taskDefinitions": [{**DEFINITION, "cpus": 1}]}, "file0: taskDefinitions[0]: cpus: unknown field; did you"),
        ({**DEFINITION, "cpu": "fast"}, "file0: cpu: "),
        ({"services": [{**SERVICE, "loadBalancers": [{}]}]}, "file0: services[0]: loadBalancers"),
        ({"taskDefinitions": [DEFINITION], "services": [{**SERVICE, "cluster": "nope"}]}, "services[0]: Cluster not"),
        (
            {"taskDefinitions": [DEFINITION, DEFINITION]},
            "taskDefinitions[1]: task-definition/app is given twice",
        ),
        ({**DEFINITION, "tags": [{"key": MARK, "value": "x"}]}, "file0: tags: ecsctl:applied is set by apply itself"),
        ({**SCHEDULE, "taskDefinition": "nosuch"}, "file0: Unable to describe task definition nosuch"),
        (
            {"schedules": [{"name": "job", "taskDefinition": "good"}]},
            "file0: schedules[0]: scheduleExpression: is required but missing",
        ),
        (
            {"schedules": [{**OF_GOOD, "overlaps": 1}]},
            'schedules[0]: overlaps: unknown field; did you mean "overlap"?',
        ),
        ({"schedules": [{**OF_GOOD, "missed": "all"}]}, "schedules[0]: missed: 'all' is not one of run-once, skip"),
        ({**OF_GOOD, "name": "a b"}, "file0: name: 'a b': use 1 to 64 letters"),
        ({**OF_GOOD, "scheduleExpression": "rate(5 minute)"}, "file0: scheduleExpression: rate(5 minute): more than"),
        ({**OF_GOOD, "scheduleExpressionTimezone": "Bern"}, "file0: scheduleExpressionTimezone: 'Bern' is not a"),
        ({**OF_GOOD, "scheduleExpression": "cron(0 0 1 1 ? 2020)"}, "there is no such time from now on"),
        ({**OF_GOOD, "startedBy": "me"}, "file0: startedBy: each run of a schedule has its own: leave it out"),
        ({**OF_GOOD, "cluster": "nope"}, "file0: Cluster not found"),
        ({"schedules": [OF_GOOD, OF_GOOD]}, "schedules[1]: schedule/default/job is given twice, first at file0"),
        ({"schedules": {"job": OF_GOOD}}, "file0: schedules: expected a list"),
        (
            {**OF_GOOD, "overrides": {"containerOverrides": [{"name": "other"}]}},
            "file0: Override for container named other is not a container",
        ),
    ],
)
def test_bad_input_is_one_line_with_its_place(world: World, data: Any, words: str) -> None:
    good = {**DEFINITION, "family": "good"}
    assert words in problem(world, data, good)
    with world.store.read() as view:
        assert view.count(TASK_DEFINITIONS) == 0


def test_what_cannot_be_updated_is_refused_by_name(world: World) -> None:
    apply(world, DEFINITION, SERVICE)
    daemon = {"serviceName": "web", "taskDefinition": "app", "schedulingStrategy": "DAEMON"}
    assert "file0: schedulingStrategy: REPLICA -> DAEMON: cannot be updated: delete the service first" in problem(
        world, daemon
    )


def test_what_cannot_run_is_refused_before_anything_is_written(world: World) -> None:
    windows = {**APP, "credentialSpecs": ["credentialspec:file://x"]}
    definition = {**DEFINITION, "containerDefinitions": [windows]}
    said = problem(world, {"taskDefinitions": [definition], "services": [SERVICE]})
    assert "services[0]: app:1 uses what this release does not honour: containerDefinitions[0].credentialSpecs" in said


def test_a_service_that_is_being_deleted_is_told(world: World, call: Any) -> None:
    apply(world, DEFINITION, SERVICE)
    call("DeleteService", service="web", force=True)
    assert "being deleted: apply again" in problem(world, SERVICE)


def test_a_plan_as_data_has_no_secret(world: World) -> None:
    environment = [{"name": "A", "value": "swordfish"}]
    made = plan(world, {**DEFINITION, "containerDefinitions": [{**APP, "environment": environment}]})
    assert "swordfish" not in json.dumps(made.to_wire()) + "".join(shown(made))
    carry_out(world.process(), made, lambda _: None)
    made = plan(world, DEFINITION)
    assert "containerDefinitions[main].environment[A]: (hidden) -> none" in shown(made)
    assert "swordfish" not in json.dumps(made.to_wire())


def test_what_task_sets_run_is_not_applied(world: World, call: Any) -> None:
    service = {"serviceName": "web", "desiredCount": 2, "deploymentController": {"type": "EXTERNAL"}}
    assert apply(world, service)
    serving = {"cluster": "default", "service": "web"}
    registries = [{"registryArn": "web.shop"}]
    made = call("CreateTaskSet", taskDefinition=world.define({}), serviceRegistries=registries, **serving)["taskSet"]
    call("UpdateServicePrimaryTaskSet", primaryTaskSet=made["id"], **serving)
    assert shown(plan(world, service)) == []
    assert shown(plan(world, {**service, "desiredCount": 3})) == ["~ service default/web", "desiredCount: 2 -> 3"]
    assert "deploymentController" in problem(world, DEFINITION, SERVICE)


def test_a_schedule_may_name_what_the_same_files_bring(world: World) -> None:
    made = plan(world, {**SCHEDULE, "cluster": "new", "overrides": OVERRIDES}, CLUSTER, DEFINITION)
    assert [change.lines[0] for change in made.changes] == [
        "+ cluster new",
        "+ task definition app:1",
        "+ schedule new/job",
    ]
    assert made.changes[2].lines[1:] == [
        "    taskDefinition: app",
        "    overrides.containerOverrides[main].environment[A]: (hidden)",
        '    scheduleExpression: "rate(5 minutes)"',
    ]
    carry_out(world.process(), made, lambda _: None)
    with world.store.read() as view:
        (record,) = view.find(SCHEDULES)
    assert (record.name, record.cluster_arn.rpartition("/")[2], record.next_run_at) == ("job", "new", world.clock.now())


OVERRIDES = {"containerOverrides": [{"name": "main", "environment": [{"name": "A", "value": "swordfish"}]}]}


def test_only_what_differs_of_a_schedule_is_shown_and_what_was_due_stays_due(world: World) -> None:
    apply(world, DEFINITION, FULL_SCHEDULE)
    apply(world, DEFINITION, {**SCHEDULE, "count": 2})
    with world.store.read() as view:
        due = view.find(SCHEDULES)[0].next_run_at
    world.clock.seconds += 60
    assert apply(world, {**SCHEDULE, "count": 3}) == ["~ schedule default/job", "count: 2 -> 3"]
    assert apply(world, {**SCHEDULE, "tags": [{"key": "team", "value": "b"}]}) == [
        "~ schedule default/job",
        "count: 3 -> 1",
        "tags[team]: b",
    ]
    with world.store.read() as view:
        assert view.find(SCHEDULES)[0].next_run_at == due


def test_a_new_revision_is_nothing_new_to_a_schedule_of_its_family(world: World) -> None:
    apply(world, DEFINITION, SCHEDULE)
    assert apply(world, {**DEFINITION, "containerDefinitions": [{**APP, "memory": 17}]}, SCHEDULE)[0::9] == [
        "~ task definition app:2"
    ]
    pinned = {**SCHEDULE, "taskDefinition": "app:2"}
    assert apply(world, pinned) == ["~ schedule default/job", "taskDefinition: app -> app:2"]


def test_a_schedule_that_is_over_is_still_as_the_files_say(world: World) -> None:
    once = {**SCHEDULE, "scheduleExpression": f"cron(0 0 1 1 ? {world.clock.now().year + 1})"}
    apply(world, DEFINITION, once)
    world.clock.seconds += 2 * 366 * 86400
    world.process().controller.reconcile([], _limits())
    assert plan(world, once).pending == []
    assert "file0: scheduleExpression: cron(0 0 1 1 ?" in problem(world, {**once, "count": 2})


def test_prune_deletes_the_schedules_of_its_set_and_nothing_else(world: World, call: Any) -> None:
    apply(world, DEFINITION, SCHEDULE, {**SCHEDULE, "name": "stays"})
    apply(world, {**SCHEDULE, "name": "other"}, set_name="other")
    by_hand(world, "by-hand")
    assert apply(world, DEFINITION, {**SCHEDULE, "name": "by-hand", "count": 2}, set_name="default")
    assert "it was made by apply --set other" in problem(world, {**SCHEDULE, "name": "other"})
    files = (DEFINITION, {**SCHEDULE, "name": "stays"})
    assert plan(world, *files).pending == []  # not without --prune
    assert apply(world, *files, prune=True) == ["- schedule default/job"]
    with world.store.read() as view:
        assert {record.name for record in view.find(SCHEDULES)} == {"stays", "other", "by-hand"}
        assert view.get(TAGS, JOB) is None
    by_hand(world, "job")  # of the same name, but not apply's
    assert plan(world, *files, prune=True).pending == []
    call("TagResource", resourceArn=JOB, tags=[{"key": MARK, "value": "default"}])
    assert shown(plan(world, *files, prune=True)) == ["- schedule default/job"]


def by_hand(world: World, name: str, **more: Any) -> None:
    schedule_task(world.process(), decode(ScheduleTaskRequest, {**SCHEDULE, "name": name, **more}))


def test_a_schedule_that_goes_with_its_cluster_leaves_no_mark(world: World, call: Any) -> None:
    apply(world, DEFINITION, {**SCHEDULE, "cluster": "new"}, CLUSTER)
    call("DeleteCluster", cluster="new")
    with world.store.read() as view:
        assert view.get(TAGS, JOB.replace("default", "new")) is None
    call("CreateCluster", clusterName="new")
    by_hand(world, "job", cluster="new")
    assert plan(world, DEFINITION, prune=True).pending == []


def test_prune_spares_what_a_schedule_still_uses(world: World) -> None:
    apply(world, CLUSTER, DEFINITION)
    apply(world, CLUSTER, {**DEFINITION, "containerDefinitions": [{**APP, "memory": 17}]})
    by_hand(world, "job", cluster="new")
    made = plan(world, {"clusters": []}, prune=True)
    assert shown(made) == ["- task definition app:1"]
    assert made.notes == (
        "task definition app:2 is kept: a schedule uses it",
        "cluster new is kept: it has schedules",
    )


def test_prune_takes_a_schedule_before_what_it_uses(world: World) -> None:
    files = [CLUSTER, DEFINITION, {**SCHEDULE, "cluster": "new"}]
    apply(world, *files)
    pruned = ["- schedule new/job", "- task definition app:1", "- cluster new"]
    assert apply(world, {"clusters": []}, prune=True) == pruned
    with world.store.read() as view:
        assert view.find(SCHEDULES) == []


def test_prune_keeps_the_cluster_and_the_definition_of_a_schedule_in_the_files(world: World) -> None:
    apply(world, CLUSTER, DEFINITION)
    made = plan(world, {**SCHEDULE, "cluster": "new"}, prune=True)
    assert shown(made)[0] == "+ schedule new/job"
    assert [change.action for change in made.changes] == ["create"]
    assert made.notes == ("task definition app:1 is kept: a schedule uses it",)


def test_capacity_providers_of_a_cluster_and_its_services(world: World, call: Any) -> None:
    for name in ("fast", "slow"):
        call("CreateCapacityProvider", name=name)
    strategy = [{"capacityProvider": "fast", "weight": 1}]
    cluster = {**CLUSTER, "capacityProviders": ["fast"], "defaultCapacityProviderStrategy": strategy}
    apply(world, CLUSTER)
    assert apply(world, cluster)[0] == "~ cluster new"
    assert call("DescribeClusters", clusters=["new"])["clusters"][0]["defaultCapacityProviderStrategy"] == strategy
    assert apply(world, cluster) == []
    assert apply(world, CLUSTER) == []  # what is not said stays
    assert "not found" in problem(world, {**cluster, "capacityProviders": ["other"]})

    def service(**more: Any) -> tuple[list[str], str | None, Any]:
        said = apply(world, cluster, DEFINITION, {**SERVICE, "cluster": "new", **more})
        shape = call("DescribeServices", cluster="new", services=["web"])["services"][0]
        return said, shape.get("launchType"), shape.get("capacityProviderStrategy")

    assert service()[1:] == (None, strategy)
    assert service() == ([], None, strategy)
    assert service(launchType="EC2")[1:] == ("EC2", None)
    assert service(launchType="EC2") == service() == ([], "EC2", None)
    assert service(capacityProviderStrategy=strategy)[1:] == (None, strategy)


def test_a_service_gets_a_loss_policy_and_loses_it_again(world: World) -> None:
    for more, policy in (({}, None), ({"lossPolicy": "never-double-run"}, "never-double-run"), ({}, "replace")):
        apply(world, DEFINITION, {**SERVICE, **more})
        with world.store.read() as view:
            assert [record.service.loss_policy for record in view.find(SERVICES)] == [policy]
        assert apply(world, DEFINITION, {**SERVICE, **more}) == []


def test_a_service_gets_a_priority_and_loses_it_again(world: World) -> None:
    chain = [{"type": "binpack", "field": "memory"}]

    def service(**more: Any) -> tuple[list[str], Any, Any]:
        said = apply(world, DEFINITION, {**SERVICE, **more})
        with world.store.read() as view:
            (record,) = view.find(SERVICES)
        return said, record.service.priority, [to_wire(one) for one in record.service.placement_strategy or []]

    for more, priority, strategy in (
        ({"priority": "cost"}, "cost", []),
        ({}, None, []),
        ({"placementStrategy": chain}, None, chain),
        ({"priority": "0.5"}, "0.5", []),
        ({"placementStrategy": chain}, None, chain),
    ):
        assert service(**more)[1:] == (priority, strategy)
        assert service(**more)[0] == []
