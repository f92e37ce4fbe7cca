"""The networks of tasks, as clients of EC2 look for them before and after they run one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.server.neighbourhood import Neighbourhood, neighbourhood

NETWORK = {"awsvpcConfiguration": {"subnets": ["private-a"], "securityGroups": ["sg-web"]}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    with neighbourhood(tmp_path_factory.mktemp("ec2")) as made:
        yield made


@pytest.fixture(scope="module")
def task(place: Neighbourhood) -> Any:
    arn = place.run("up", networkConfiguration=NETWORK)
    (found,) = place.client("ecs").describe_tasks(tasks=[arn])["tasks"]
    return found


@pytest.fixture
def ec2(place: Neighbourhood) -> Any:
    return place.client("ec2")


def code(call: Any, **request: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_worker_that_looks_for_the_default_network_can_run_a_task_in_it(place: Neighbourhood, ec2: Any) -> None:
    """Prefect's: the default VPC, its subnets, a task in all of them."""
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    configuration = {"subnets": [subnet["SubnetId"] for subnet in subnets], "assignPublicIp": "ENABLED"}
    place.run("up", networkConfiguration={"awsvpcConfiguration": configuration})
    assert place.world.tasks()[-1].network is not None
    assert place.world.tasks()[-1].task.last_status == "RUNNING"


def test_the_interface_of_a_task_is_found_by_what_the_task_says(ec2: Any, task: Any) -> None:
    details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
    by_id = ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
    (interface,) = by_id["NetworkInterfaces"]
    assert interface["PrivateIpAddress"] == details["privateIPv4Address"]
    assert interface["MacAddress"] == details["macAddress"]
    assert interface["SubnetId"] == "private-a"
    assert interface["Groups"] == [{"GroupId": "sg-web", "GroupName": "sg-web"}]
    assert interface["AvailabilityZone"] == task["availabilityZone"]
    assert interface["Description"].endswith(task["attachments"][0]["id"])
    address = [{"Name": "addresses.private-ip-address", "Values": [details["privateIPv4Address"]]}]
    ids = [one["NetworkInterfaceId"] for one in ec2.describe_network_interfaces(Filters=address)["NetworkInterfaces"]]
    assert details["networkInterfaceId"] in ids


def test_what_is_named_by_tasks_and_services_is_listed(place: Neighbourhood, ec2: Any, task: Any) -> None:
    network = {"awsvpcConfiguration": {"subnets": ["of-service"], "securityGroups": ["sg-service"]}}
    place.client("ecs").create_service(
        serviceName="web", taskDefinition="up", desiredCount=0, networkConfiguration=network
    )
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
    assert {"private-a", "of-service"} <= set(subnets)
    groups = [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]]
    assert {"sg-web", "sg-service", "sg-default"} <= set(groups)
    default = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
    assert [group["GroupId"] for group in default["SecurityGroups"]] == ["sg-default"]
    page = ec2.get_paginator("describe_subnets").paginate(PaginationConfig={"PageSize": 5})
    assert [subnet["SubnetId"] for one in page for subnet in one["Subnets"]] == subnets


def test_any_subnet_that_a_task_may_name_is_there(ec2: Any) -> None:
    (subnet,) = ec2.describe_subnets(SubnetIds=["subnet-0123456789abcdef0"])["Subnets"]
    assert subnet["SubnetId"] == "subnet-0123456789abcdef0"
    assert subnet["State"] == "available"
    assert code(ec2.describe_subnets, SubnetIds=["host"]) == ("InvalidSubnetID.NotFound", 400)


def test_filters_choose_and_what_is_none_is_refused(ec2: Any, task: Any) -> None:
    tagged = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["x"]}])
    assert tagged["Subnets"] == []
    other = ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": ["sg-nobody"]}])
    assert other["NetworkInterfaces"] == []
    assert code(ec2.describe_vpcs, Filters=[{"Name": "cidr", "Values": ["10.*"]}]) == ("InvalidParameterValue", 400)


def test_errors_have_the_codes_of_ec2(ec2: Any) -> None:
    assert code(ec2.describe_vpcs, VpcIds=["vpc-1"]) == ("InvalidVpcID.NotFound", 400)
    assert code(ec2.describe_security_groups, GroupNames=["no"]) == ("InvalidGroup.NotFound", 400)
    missing = code(ec2.describe_network_interfaces, NetworkInterfaceIds=["eni-1"])
    assert missing == ("InvalidNetworkInterfaceID.NotFound", 400)
    assert code(ec2.describe_regions, RegionNames=["mars-east-1"]) == ("InvalidParameterValue", 400)
    assert code(ec2.describe_vpcs, DryRun=True) == ("DryRunOperation", 412)
    assert code(ec2.describe_subnets, NextToken="x") == ("InvalidParameterValue", 400)


def test_the_interface_goes_with_its_task(place: Neighbourhood, ec2: Any) -> None:
    place.run("talker", networkConfiguration=NETWORK)
    before = {one["NetworkInterfaceId"] for one in ec2.describe_network_interfaces()["NetworkInterfaces"]}
    place.go_on(30)
    place.go_on(0)
    after = {one["NetworkInterfaceId"] for one in ec2.describe_network_interfaces()["NetworkInterfaces"]}
    assert len(before - after) == 1
