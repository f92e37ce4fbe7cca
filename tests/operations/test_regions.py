"""One state holds several regions: a cluster lives in one, and what is asked is answered of the region asked for."""

from __future__ import annotations

from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate
import pytest

from ecsctl.model.api.clusters import CreateClusterRequest, DescribeClustersRequest, ListClustersRequest
from ecsctl.model.api.container_instances import ListContainerInstancesRequest
from ecsctl.model.api.regions import DescribeAvailabilityZonesRequest, DescribeRegionsRequest
from ecsctl.model.api.service_deployments import (
    DescribeServiceDeploymentsRequest,
    DescribeServiceRevisionsRequest,
    StopServiceDeploymentRequest,
)
from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.api.tags import ListTagsForResourceRequest, TagResourceRequest, UntagResourceRequest
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.api.tasks import ListTasksRequest, RunTaskRequest
from ecsctl.model.arn import Scope, parse_arn
from ecsctl.model.common import Tag
from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode, evolve, to_wire
from ecsctl.operations.clusters import create_cluster, describe_clusters, list_clusters
from ecsctl.operations.container_instances import list_container_instances
from ecsctl.operations.context import Context
from ecsctl.operations.default_cluster import ensure_default_cluster
from ecsctl.operations.hosts import HostOptions, register_host
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.regions import describe_availability_zones, describe_regions, has_region
from ecsctl.operations.service_deployments import (
    describe_service_deployments,
    describe_service_revisions,
    stop_service_deployment,
)
from ecsctl.operations.services import create_service
from ecsctl.operations.tags import list_tags_for_resource, tag_resource, untag_resource
from ecsctl.operations.task_definitions import register_task_definition
from ecsctl.operations.tasks import list_tasks, run_task
from ecsctl.store.tables import TASKS
from tests.controller.world import World

HOME, AWAY = "us-east-1", "eu-central-1"


@pytest.fixture
def away(world: World) -> Context:
    """The region AWAY of the same state, with a cluster `prod` and one host, which is in no other region."""
    ctx = evolve(world.process(), scope=Scope(AWAY))
    ensure_default_cluster(ctx)
    create_cluster(ctx, CreateClusterRequest(cluster_name="prod"))
    world.add_engine("far", "FAR")
    register_host(ctx, "prod", HostOptions("far", availability_zone=f"{AWAY}b"))
    return ctx


def zones(ctx: Context, **request: Any) -> dict[str, str]:
    found = describe_availability_zones(ctx, decode(DescribeAvailabilityZonesRequest, request)).availability_zones
    return {zone.zone_name: zone.state for zone in found}


def regions(ctx: Context, **request: Any) -> list[str]:
    return [r.region_name for r in describe_regions(ctx, decode(DescribeRegionsRequest, request)).regions]


def test_clusters_of_one_name_in_two_regions_are_two(world: World, away: Context) -> None:
    here = world.process()
    create_cluster(here, CreateClusterRequest(cluster_name="prod"))
    for ctx, region in ((here, HOME), (away, AWAY)):
        arns = list_clusters(ctx, ListClustersRequest()).cluster_arns or []
        assert [parse_arn(arn).resource for arn in arns] == ["cluster/default", "cluster/prod"]
        assert {parse_arn(arn).region for arn in arns} == {region}
        (found,) = describe_clusters(ctx, DescribeClustersRequest(clusters=["prod"])).clusters or []
        assert found.registered_container_instances_count == (1 if ctx is away else 0)


def test_a_task_runs_on_the_hosts_of_its_region_and_is_seen_there_alone(world: World, away: Context) -> None:
    web = {"family": "web", "containerDefinitions": [{"name": "main", "image": "up", "memory": 16}]}
    register_task_definition(away, decode(RegisterTaskDefinitionRequest, web))
    ran = run_task(away, RunTaskRequest(task_definition="web", cluster="prod"))
    assert ran.failures == []
    (task,) = ran.tasks or []
    assert parse_arn(str(task.task_arn)).region == parse_arn(str(task.task_definition_arn)).region == AWAY
    assert list_tasks(away, ListTasksRequest(cluster="prod")).task_arns == [task.task_arn]
    assert list_tasks(world.process(), ListTasksRequest()).task_arns == []
    reconcile(world.process())
    with world.store.read() as view:
        record = view.get(TASKS, str(task.task_arn))
        assert record
        assert record.task.last_status == "RUNNING", "reconcile is of the whole state"


def test_what_is_of_another_region_is_refused_with_the_region_it_is_in(world: World, away: Context) -> None:
    world.define({}, family="web")
    request = ListTasksRequest(cluster=away.scope.cluster("prod"))
    with pytest.raises(ApiError, match=f"another region than {HOME}: give --region {AWAY}"):
        list_tasks(world.process(), request)
    definition = world.process().scope.task_definition("web", 1)
    with pytest.raises(ApiError, match=f"another region than {AWAY}: give --region {HOME}"):
        run_task(away, RunTaskRequest(task_definition=definition, cluster="prod"))


def test_whether_a_region_is_one_is_found_out_without_reading_all_hosts(
    world: World, away: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = evolve(world.process(), scope=Scope("eu-west-1"))
    ensure_default_cluster(elsewhere)
    names = [HOME, AWAY, "eu-west-1", "mars-east-1", "", "\udcff"]
    known = [name in regions(world.process()) for name in names]
    monkeypatch.delattr("ecsctl.operations.regions._regions")  # who asks is not known yet
    assert [has_region(world.process(), name) for name in names] == known == [True, True, *[False] * 4]
    world.add_engine("farther", "FARTHER")
    register_host(elsewhere, "default", HostOptions("farther"))
    assert has_region(world.process(), "eu-west-1")


def test_what_is_named_by_its_arn_alone_is_of_the_region_and_account_asked(world: World) -> None:
    theirs = evolve(world.process(), scope=Scope(HOME, "222222222222"))
    create_cluster(theirs, CreateClusterRequest(cluster_name="prod"))
    web = {"family": "web", "containerDefinitions": [{"name": "main", "image": "up", "memory": 16}]}
    register_task_definition(theirs, decode(RegisterTaskDefinitionRequest, web))
    asked = CreateServiceRequest(cluster="prod", service_name="web", task_definition="web", desired_count=1)
    made = create_service(theirs, asked).service
    assert made
    deployment, revision = made.current_service_deployment, (made.current_service_revisions or [])[0].arn
    ours, cluster = world.process(), theirs.scope.cluster("prod")
    for change in (
        lambda: tag_resource(ours, TagResourceRequest(resource_arn=cluster, tags=[Tag("team", "ours")])),
        lambda: untag_resource(ours, UntagResourceRequest(resource_arn=cluster, tag_keys=["team"])),
        lambda: list_tags_for_resource(ours, ListTagsForResourceRequest(resource_arn=cluster)),
    ):
        with pytest.raises(ApiError, match="another account than 000000000000"):
            change()
    found = describe_service_deployments(ours, DescribeServiceDeploymentsRequest([str(deployment)]))
    assert ([one.reason for one in found.failures or []], found.service_deployments) == (["MISSING"], [])
    revisions = describe_service_revisions(ours, DescribeServiceRevisionsRequest([str(revision)]))
    assert ([one.reason for one in revisions.failures or []], revisions.service_revisions) == (["MISSING"], [])
    with pytest.raises(ApiError, match="Service deployment not found"):
        stop_service_deployment(ours, StopServiceDeploymentRequest(str(deployment), stop_type="ABORT"))
    assert stop_service_deployment(theirs, StopServiceDeploymentRequest(str(deployment), stop_type="ABORT"))


def test_an_engine_is_in_one_region_and_the_others_do_not_claim_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecsctl.engine.contexts.current_address", lambda: "host0")
    elsewhere = evolve(world.process(), scope=Scope(AWAY))
    ensure_default_cluster(elsewhere)
    for _ in range(2):
        assert list_container_instances(elsewhere, ListContainerInstancesRequest()).container_instance_arns == []


def test_regions_are_those_of_hosts_and_clusters_and_the_one_asked_for(world: World, away: Context) -> None:
    looked = evolve(world.process(), scope=Scope("ap-south-1"))
    ensure_default_cluster(looked)
    assert regions(away) == [AWAY, HOME]
    assert regions(looked) == ["ap-south-1", AWAY, HOME]
    assert regions(away, RegionNames=[HOME]) == [HOME]
    assert regions(away, Filters=[{"Name": "region-name", "Values": ["eu-*", "x"]}]) == [AWAY]
    with pytest.raises(ApiError, match="Invalid region names: mars-1"):
        regions(away, RegionNames=[HOME, "mars-1"])
    with pytest.raises(ApiError, match="The filter 'colour' is invalid"):
        regions(away, Filters=[{"Name": "colour", "Values": ["red"]}])


def test_a_zone_whose_hosts_are_all_silent_is_unavailable(world: World, away: Context) -> None:
    near = world.add_engine("near", "NEAR")
    register_host(world.process(), None, HostOptions("near", availability_zone=f"{HOME}b"))
    here = world.process()
    assert zones(here) == {"zone0": "available", "zone1": "available", f"{HOME}b": "available"}
    near.reachable = False
    reconcile(here)
    assert zones(here)[f"{HOME}b"] == "unavailable"
    assert zones(here, Filters=[{"Name": "state", "Values": ["available"]}]).keys() == {"zone0", "zone1"}
    assert zones(away) == {f"{AWAY}b": "available"}
    with pytest.raises(ApiError, match=r"Invalid availability zones: \[mars-1a\]"):
        zones(away, ZoneNames=["mars-1a"])


def test_requests_and_answers_are_of_the_shapes_that_ec2_published(world: World, away: Context) -> None:
    model = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ec2", "service-2"), "ec2")
    validator = botocore.validate.ParamValidator()
    filters = [{"Name": "region-name", "Values": ["*"]}]
    for action, request, answer in (
        (
            "DescribeRegions",
            {"Filters": filters, "RegionNames": [AWAY], "AllRegions": True},
            describe_regions(away, DescribeRegionsRequest()),
        ),
        (
            "DescribeAvailabilityZones",
            {"Filters": filters, "ZoneNames": [f"{AWAY}b"], "AllAvailabilityZones": True},
            describe_availability_zones(away, DescribeAvailabilityZonesRequest()),
        ),
    ):
        operation = model.operation_model(action)
        assert not validator.validate(request, operation.input_shape).has_errors()
        wire = to_wire(answer)
        (key,) = wire
        members = operation.output_shape.members[key].member.members
        assert wire[key]
        assert all(item.keys() <= members.keys() for item in wire[key])
        assert not validator.validate(wire, operation.output_shape).has_errors()
