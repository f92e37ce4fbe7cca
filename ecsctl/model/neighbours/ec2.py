"""EC2: the networks that tasks are in. What of them is not known here (address ranges, public addresses) is absent."""

from typing import Literal

from ecsctl.model.api.regions import Filter
from ecsctl.model.neighbours.pascal import PascalRecord


class PagedRequest(PascalRecord):
    """What all that come in pages take."""

    filters: list[Filter] | None = None
    max_results: int | None = None
    next_token: str | None = None


class DescribeVpcsRequest(PagedRequest):
    """What DescribeVpcs takes."""

    vpc_ids: list[str] | None = None


class Vpc(PascalRecord):
    """EC2 API_Vpc."""

    vpc_id: str
    owner_id: str
    is_default: bool
    state: Literal["available"]
    instance_tenancy: Literal["default"]


class DescribeVpcsResponse(PascalRecord):
    """What DescribeVpcs answers."""

    vpcs: list[Vpc]
    next_token: str | None = None


class DescribeSubnetsRequest(PagedRequest):
    """What DescribeSubnets takes."""

    subnet_ids: list[str] | None = None


class Subnet(PascalRecord):
    """EC2 API_Subnet. `availability_zone`: only where all hosts are in one."""

    subnet_id: str
    subnet_arn: str
    vpc_id: str
    owner_id: str
    default_for_az: bool
    map_public_ip_on_launch: bool
    state: Literal["available"]
    availability_zone: str | None = None


class DescribeSubnetsResponse(PascalRecord):
    """What DescribeSubnets answers."""

    subnets: list[Subnet]
    next_token: str | None = None


class DescribeSecurityGroupsRequest(PagedRequest):
    """What DescribeSecurityGroups takes."""

    group_ids: list[str] | None = None
    group_names: list[str] | None = None


class SecurityGroup(PascalRecord):
    """EC2 API_SecurityGroup. It has no rules: nothing is enforced."""

    group_id: str
    group_name: str
    description: str
    vpc_id: str
    owner_id: str
    ip_permissions: list[str]
    ip_permissions_egress: list[str]


class DescribeSecurityGroupsResponse(PascalRecord):
    """What DescribeSecurityGroups answers."""

    security_groups: list[SecurityGroup]
    next_token: str | None = None


class DescribeNetworkInterfacesRequest(PagedRequest):
    """What DescribeNetworkInterfaces takes."""

    network_interface_ids: list[str] | None = None
    include_managed_resources: bool | None = None


class GroupIdentifier(PascalRecord):
    """EC2 API_GroupIdentifier."""

    group_id: str
    group_name: str


class PrivateAddress(PascalRecord):
    """EC2 API_NetworkInterfacePrivateIpAddress."""

    primary: bool
    private_ip_address: str
    private_dns_name: str | None = None


class Ipv6Address(PascalRecord):
    """EC2 API_NetworkInterfaceIpv6Address."""

    ipv6_address: str


class InterfaceAttachment(PascalRecord):
    """EC2 API_NetworkInterfaceAttachment."""

    attachment_id: str
    status: Literal["attached"]
    delete_on_termination: bool
    device_index: int


class NetworkInterface(PascalRecord):
    """EC2 API_NetworkInterface."""

    network_interface_id: str
    subnet_id: str
    vpc_id: str
    owner_id: str
    description: str
    status: Literal["in-use"]
    interface_type: Literal["interface"]
    requester_managed: bool
    groups: list[GroupIdentifier]
    attachment: InterfaceAttachment
    private_ip_addresses: list[PrivateAddress]
    ipv6_addresses: list[Ipv6Address]
    private_ip_address: str | None = None
    private_dns_name: str | None = None
    mac_address: str | None = None
    availability_zone: str | None = None


class DescribeNetworkInterfacesResponse(PascalRecord):
    """What DescribeNetworkInterfaces answers."""

    network_interfaces: list[NetworkInterface]
    next_token: str | None = None


class DescribeAccountAttributesRequest(PascalRecord):
    """What DescribeAccountAttributes takes."""

    attribute_names: list[str] | None = None


class AccountAttributeValue(PascalRecord):
    """EC2 API_AccountAttributeValue."""

    attribute_value: str


class AccountAttribute(PascalRecord):
    """EC2 API_AccountAttribute."""

    attribute_name: str
    attribute_values: list[AccountAttributeValue]


class DescribeAccountAttributesResponse(PascalRecord):
    """What DescribeAccountAttributes answers."""

    account_attributes: list[AccountAttribute]
