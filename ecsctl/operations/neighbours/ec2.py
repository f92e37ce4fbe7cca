"""The networks that tasks are in, as EC2 describes its own (EC2 API reference).

A region has one VPC. A subnet is the name of a network of a host, which is made when the first task asks for it; so
those are told that something here names, one more where nothing does yet, and any that is asked for. Security groups
are what tasks and services name: recorded, and not enforced. Network interfaces are those of tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ecsctl.controller.networks import is_subnet
from ecsctl.model.arn import Arn
from ecsctl.model.errors import ApiError
from ecsctl.model.neighbours.ec2 import (
    AccountAttribute,
    AccountAttributeValue,
    DescribeAccountAttributesRequest,
    DescribeAccountAttributesResponse,
    DescribeNetworkInterfacesRequest,
    DescribeNetworkInterfacesResponse,
    DescribeSecurityGroupsRequest,
    DescribeSecurityGroupsResponse,
    DescribeSubnetsRequest,
    DescribeSubnetsResponse,
    DescribeVpcsRequest,
    DescribeVpcsResponse,
    GroupIdentifier,
    InterfaceAttachment,
    Ipv6Address,
    NetworkInterface,
    PrivateAddress,
    SecurityGroup,
    Subnet,
    Vpc,
)
from ecsctl.model.stored import TaskRecord
from ecsctl.model.task_launch import AwsVpcConfiguration
from ecsctl.operations.context import Context
from ecsctl.operations.ec2_filters import Fact, filtered
from ecsctl.operations.neighbours.paging import window
from ecsctl.operations.pages import page
from ecsctl.operations.regions import zones_of
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, SERVICES, TASKS

T = TypeVar("T")
VPC, SUBNET, GROUP = "vpc-default", "subnet-default", "sg-default"
"""What there is where nothing else is named."""
_PAGE = 1000


def describe_vpcs(ctx: Context, request: DescribeVpcsRequest) -> DescribeVpcsResponse:
    """The one that there is (EC2 DescribeVpcs)."""
    vpc = Vpc(vpc_id=VPC, owner_id=ctx.scope.account, is_default=True, state="available", instance_tenancy="default")
    found = _named([vpc], request.vpc_ids, lambda one: one.vpc_id, "InvalidVpcID.NotFound", "vpc ID")
    facts: dict[str, Fact[Vpc]] = {
        "vpc-id": lambda one: one.vpc_id,
        "owner-id": lambda one: one.owner_id,
        "state": lambda one: one.state,
        **dict.fromkeys(("is-default", "isDefault"), lambda one: _word(one.is_default)),
    }
    part = window(request.next_token, request.max_results, _PAGE)
    listed, more = page(filtered(found, request.filters, facts), lambda one: (one.vpc_id,), part)
    return DescribeVpcsResponse(vpcs=listed, next_token=more)


def describe_subnets(ctx: Context, request: DescribeSubnetsRequest) -> DescribeSubnetsResponse:
    """Those that tasks and services are in, and any that is named (EC2 DescribeSubnets)."""
    with ctx.store.read() as view:
        known = {subnet for asked in _interfaces_asked(view, ctx) for subnet in asked.subnets} or {SUBNET}
        zones = sorted(zones_of(view, ctx))
    if bad := next((name for name in request.subnet_ids or () if not is_subnet(name)), None):
        raise ApiError("InvalidSubnetID.NotFound", f"The subnet ID '{bad}' does not exist")
    account = ctx.scope.account
    found = [
        Subnet(
            subnet_id=name,
            subnet_arn=str(Arn("aws", "ec2", ctx.scope.region, account, f"subnet/{name}")),
            vpc_id=VPC,
            owner_id=account,
            default_for_az=True,
            map_public_ip_on_launch=False,
            state="available",
            availability_zone=zones[0] if len(zones) == 1 else None,
        )
        for name in {*(request.subnet_ids or known)}
    ]
    facts: dict[str, Fact[Subnet]] = {
        "subnet-id": lambda one: one.subnet_id,
        "subnet-arn": lambda one: one.subnet_arn,
        "vpc-id": lambda one: one.vpc_id,
        "owner-id": lambda one: one.owner_id,
        "state": lambda one: one.state,
        "map-public-ip-on-launch": lambda one: _word(one.map_public_ip_on_launch),
        **dict.fromkeys(("default-for-az", "defaultForAz"), lambda one: _word(one.default_for_az)),
        **dict.fromkeys(("availability-zone", "availabilityZone"), lambda _: zones),
    }
    part = window(request.next_token, request.max_results, _PAGE)
    listed, more = page(filtered(found, request.filters, facts), lambda one: (one.subnet_id,), part)
    return DescribeSubnetsResponse(subnets=listed, next_token=more)


def describe_security_groups(ctx: Context, request: DescribeSecurityGroupsRequest) -> DescribeSecurityGroupsResponse:
    """Those that tasks and services name, the default one, and any that is named (EC2 DescribeSecurityGroups)."""
    with ctx.store.read() as view:
        known = {GROUP, *(group for asked in _interfaces_asked(view, ctx) for group in asked.security_groups or ())}
    found = [
        SecurityGroup(
            group_id=name,
            group_name=_group_name(name),
            description="recorded by ecsctl, not enforced",
            vpc_id=VPC,
            owner_id=ctx.scope.account,
            ip_permissions=[],
            ip_permissions_egress=[],
        )
        for name in {*(request.group_ids or known)}
    ]
    found = _named(found, request.group_names, lambda one: one.group_name, "InvalidGroup.NotFound", "security group")
    facts: dict[str, Fact[SecurityGroup]] = {
        "group-id": lambda one: one.group_id,
        "group-name": lambda one: one.group_name,
        "vpc-id": lambda one: one.vpc_id,
        "owner-id": lambda one: one.owner_id,
        "description": lambda one: one.description,
    }
    part = window(request.next_token, request.max_results, _PAGE)
    listed, more = page(filtered(found, request.filters, facts), lambda one: (one.group_id,), part)
    return DescribeSecurityGroupsResponse(security_groups=listed, next_token=more)


def describe_network_interfaces(
    ctx: Context, request: DescribeNetworkInterfacesRequest
) -> DescribeNetworkInterfacesResponse:
    """Those of tasks, as long as they are attached (EC2 DescribeNetworkInterfaces). Which address of its host is public
    is not known here."""
    with ctx.store.read() as view:
        tasks = [record for cluster in _clusters(view, ctx) for record in view.find(TASKS, cluster=cluster)]
    every = [interface for record in tasks for interface in _interfaces(ctx, record)]
    found = _named(
        every,
        request.network_interface_ids,
        lambda one: one.network_interface_id,
        "InvalidNetworkInterfaceID.NotFound",
        "networkInterface ID",
    )
    facts: dict[str, Fact[NetworkInterface]] = {
        "network-interface-id": lambda one: one.network_interface_id,
        "subnet-id": lambda one: one.subnet_id,
        "vpc-id": lambda one: one.vpc_id,
        "owner-id": lambda one: one.owner_id,
        "description": lambda one: one.description,
        "status": lambda one: one.status,
        "interface-type": lambda one: one.interface_type,
        "availability-zone": lambda one: one.availability_zone,
        "mac-address": lambda one: one.mac_address,
        "group-id": lambda one: [group.group_id for group in one.groups],
        "group-name": lambda one: [group.group_name for group in one.groups],
        "requester-managed": lambda one: _word(one.requester_managed),
        "attachment.attachment-id": lambda one: one.attachment.attachment_id,
        "attachment.status": lambda one: one.attachment.status,
        "ipv6-addresses.ipv6-address": lambda one: [address.ipv6_address for address in one.ipv6_addresses],
        "private-dns-name": lambda one: one.private_dns_name,
        **dict.fromkeys(("private-ip-address", "addresses.private-ip-address"), lambda one: one.private_ip_address),
    }
    part = window(request.next_token, request.max_results, _PAGE)
    listed, more = page(filtered(found, request.filters, facts), lambda one: (one.network_interface_id,), part)
    return DescribeNetworkInterfacesResponse(network_interfaces=listed, next_token=more)


def describe_account_attributes(
    _: Context, request: DescribeAccountAttributesRequest
) -> DescribeAccountAttributesResponse:
    """The default VPC, and that there is nothing else (EC2 DescribeAccountAttributes)."""
    values = {"supported-platforms": "VPC", "default-vpc": VPC}
    found = [
        AccountAttribute(attribute_name=name, attribute_values=[AccountAttributeValue(attribute_value=value)])
        for name, value in values.items()
        if name in (request.attribute_names or values)
    ]
    return DescribeAccountAttributesResponse(account_attributes=found)


def _clusters(view: View, ctx: Context) -> list[str]:
    return [str(one.cluster_arn) for one in view.find(CLUSTERS, scope=ctx.scope.key, status="ACTIVE")]


def _interfaces_asked(view: View, ctx: Context) -> Iterator[AwsVpcConfiguration]:
    """What tasks that have not stopped, and services, have asked of their network interfaces."""
    for cluster in _clusters(view, ctx):
        for record in view.find(TASKS, cluster=cluster):
            if record.network is not None and not record.is_stopped:
                yield record.network
        for service in view.find(SERVICES, cluster=cluster):
            for network in (starter.network for starter in service.starters):
                if network is not None and network.awsvpc_configuration is not None:
                    yield network.awsvpc_configuration


def _interfaces(ctx: Context, record: TaskRecord) -> Iterator[NetworkInterface]:
    for attachment in record.task.attachments or []:
        if attachment.type != "ElasticNetworkInterface" or attachment.status != "ATTACHED":
            continue
        details = {str(detail.name): detail.value for detail in attachment.details or []}
        ipv4, ipv6, name = (details.get(key) for key in ("privateIPv4Address", "ipv6Address", "privateDnsName"))
        addresses = [PrivateAddress(primary=True, private_ip_address=ipv4, private_dns_name=name)] if ipv4 else []
        groups = record.network.security_groups if record.network else None
        yield NetworkInterface(
            network_interface_id=details["networkInterfaceId"] or "",
            subnet_id=details["subnetId"] or "",
            vpc_id=VPC,
            owner_id=ctx.scope.account,
            description=ctx.scope.arn(f"attachment/{attachment.id}"),
            status="in-use",
            interface_type="interface",
            requester_managed=True,
            groups=[GroupIdentifier(group_id=group, group_name=_group_name(group)) for group in groups or [GROUP]],
            attachment=InterfaceAttachment(
                attachment_id=f"eni-attach-{attachment.id}",
                status="attached",
                delete_on_termination=True,
                device_index=1,
            ),
            private_ip_addresses=addresses,
            ipv6_addresses=[Ipv6Address(ipv6_address=ipv6)] if ipv6 else [],
            private_ip_address=ipv4,
            private_dns_name=name,
            mac_address=details.get("macAddress"),
            availability_zone=record.task.availability_zone,
        )


def _named(items: list[T], names: Sequence[str] | None, name_of: Callable[[T], str], code: str, what: str) -> list[T]:
    """Those that are named, or all. ApiError, with EC2's code, for a name that none has."""
    known = {name_of(item) for item in items}
    if missing := [name for name in names or () if name not in known]:
        raise ApiError(code, f"The {what} '{missing[0]}' does not exist")
    return [item for item in items if not names or name_of(item) in names]


def _group_name(group: str) -> str:
    return "default" if group == GROUP else group


def _word(value: bool) -> str:
    return "true" if value else "false"
