"""Regions and zones, as EC2 describes its own: here they are where the clusters and their hosts are said to be."""

from __future__ import annotations

from typing import Final

from ecsctl.model.api.regions import (
    AvailabilityZone,
    DescribeAvailabilityZonesRequest,
    DescribeAvailabilityZonesResponse,
    DescribeRegionsRequest,
    DescribeRegionsResponse,
    Region,
)
from ecsctl.model.arn import parse_arn
from ecsctl.model.cluster import Cluster
from ecsctl.model.errors import ApiError
from ecsctl.operations.context import Context
from ecsctl.operations.ec2_filters import Fact, filtered
from ecsctl.placement.host import ZONE
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, INSTANCES

OPT_IN: Final = "opt-in-not-required"


def describe_regions(ctx: Context, request: DescribeRegionsRequest) -> DescribeRegionsResponse:
    """The region asked for, and every one that has a host, or a cluster that somebody made (EC2 DescribeRegions)."""
    with ctx.store.read() as view:
        names = _regions(view, ctx)
    if unknown := [name for name in request.region_names or [] if name not in names]:
        raise ApiError("InvalidParameterValue", f"Invalid region names: {', '.join(unknown)}; see describe-regions.")
    found = [Region(region_name=name, opt_in_status=OPT_IN) for name in names]
    facts: dict[str, Fact[Region]] = {"region-name": lambda one: one.region_name, "opt-in-status": lambda _: OPT_IN}
    kept = filtered(found, request.filters, facts)
    return DescribeRegionsResponse(regions=[r for r in kept if r.region_name in (request.region_names or names)])


def describe_availability_zones(
    ctx: Context, request: DescribeAvailabilityZonesRequest
) -> DescribeAvailabilityZonesResponse:
    """The zones of the region's hosts; one all of whose hosts are silent is `unavailable` (EC2
    DescribeAvailabilityZones)."""
    with ctx.store.read() as view:
        answers = zones_of(view, ctx)
    if unknown := [name for name in request.zone_names or [] if name not in answers]:
        raise ApiError("InvalidParameterValue", f"Invalid availability zones: [{', '.join(unknown)}]")
    found = [
        AvailabilityZone(
            zone_name=name,
            region_name=ctx.scope.region,
            state="available" if answers[name] else "unavailable",
            zone_type="availability-zone",
            group_name=ctx.scope.region,
            opt_in_status=OPT_IN,
            messages=[],
        )
        for name in sorted(answers)
    ]
    facts: dict[str, Fact[AvailabilityZone]] = {
        "zone-name": lambda zone: zone.zone_name,
        "region-name": lambda zone: zone.region_name,
        "state": lambda zone: zone.state,
        "zone-type": lambda zone: zone.zone_type,
        "group-name": lambda zone: zone.group_name,
        "opt-in-status": lambda zone: zone.opt_in_status,
    }
    kept = filtered(found, request.filters, facts)
    wanted = request.zone_names or list(answers)
    return DescribeAvailabilityZonesResponse(availability_zones=[zone for zone in kept if zone.zone_name in wanted])


def has_region(ctx: Context, name: str) -> bool:
    """Whether it is one of those that describe_regions tells of. Anybody may ask that, so it reads little."""
    if name == ctx.scope.region:
        return True
    if not name.isascii():
        return False
    with ctx.store.read() as view:
        clusters = view.find(CLUSTERS, scope=f"{name}/{ctx.scope.account}", status="ACTIVE")
        return any(cluster.cluster_name != "default" or _has_host(view, cluster) for cluster in clusters)


def _has_host(view: View, cluster: Cluster) -> bool:
    return bool(view.find(INSTANCES, cluster=cluster.cluster_arn, status=("ACTIVE", "DRAINING"), limit=1))


def _regions(view: View, ctx: Context) -> list[str]:
    """`default` alone makes no region: it is there wherever somebody has looked."""
    clusters = [str(c.cluster_arn) for c in view.find(CLUSTERS, status="ACTIVE") if c.cluster_name != "default"]
    hosts = [record.cluster_arn for record in view.find(INSTANCES, status=("ACTIVE", "DRAINING"))]
    arns = [parse_arn(arn) for arn in (*clusters, *hosts)]
    return sorted({ctx.scope.region, *(arn.region for arn in arns if arn.account == ctx.scope.account)})


def zones_of(view: View, ctx: Context) -> dict[str, bool]:
    """Of each zone of the region whether one of its hosts answers."""
    zones: dict[str, bool] = {}
    for cluster in view.find(CLUSTERS, scope=ctx.scope.key, status="ACTIVE"):
        for record in view.find(INSTANCES, cluster=cluster.cluster_arn, status=("ACTIVE", "DRAINING")):
            for attribute in record.instance.attributes or []:
                if attribute.name == ZONE and attribute.value:
                    answers = record.instance.agent_connected is not False
                    zones[attribute.value] = zones.get(attribute.value, False) or answers
    return zones
