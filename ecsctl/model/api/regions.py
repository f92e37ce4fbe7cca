"""Requests and responses of EC2's DescribeRegions and DescribeAvailabilityZones, as far as hosts of one's own have
what they say (EC2 API reference). EC2's names begin with a capital."""

from typing import Literal

from ecsctl.model.record import Record


class Filter(Record, rename="pascal"):
    """EC2 API_Filter. A value may have `*` and `?` for what may be anything."""

    name: str
    values: list[str]


class Region(Record, rename="pascal"):
    """EC2 API_Region."""

    region_name: str
    opt_in_status: Literal["opt-in-not-required"] | None = None


class AvailabilityZone(Record, rename="pascal"):
    """EC2 API_AvailabilityZone."""

    zone_name: str
    region_name: str
    state: Literal["available", "unavailable"]
    zone_type: Literal["availability-zone"] | None = None
    group_name: str | None = None
    opt_in_status: Literal["opt-in-not-required"] | None = None
    messages: list[dict[str, str]] | None = None


class DescribeRegionsRequest(Record, rename="pascal"):
    """What DescribeRegions takes (EC2 API_DescribeRegions). No region has to be opted into: all are shown anyway."""

    filters: list[Filter] | None = None
    region_names: list[str] | None = None
    all_regions: bool | None = None


class DescribeRegionsResponse(Record, rename="pascal"):
    """What DescribeRegions answers (EC2 API_DescribeRegions)."""

    regions: list[Region]


class DescribeAvailabilityZonesRequest(Record, rename="pascal"):
    """What DescribeAvailabilityZones takes (EC2 API_DescribeAvailabilityZones)."""

    filters: list[Filter] | None = None
    zone_names: list[str] | None = None
    all_availability_zones: bool | None = None


class DescribeAvailabilityZonesResponse(Record, rename="pascal"):
    """What DescribeAvailabilityZones answers (EC2 API_DescribeAvailabilityZones)."""

    availability_zones: list[AvailabilityZone]
