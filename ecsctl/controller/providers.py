"""Capacity provider strategies: which one holds for new tasks, and whether it can.

Source: ECS API_RunTask, API_CreateService and API_CapacityProviderStrategyItem.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ecsctl.controller.new_tasks import FARGATE_PLATFORM, launch_type_of
from ecsctl.model.cluster import FARGATE_PROVIDERS, CapacityProviderStrategyItem, Cluster
from ecsctl.model.errors import ApiError, client_exception, invalid_parameter
from ecsctl.model.service import Service
from ecsctl.model.task import LaunchType
from ecsctl.model.task_launch import PlacementConstraint, PlacementStrategy

Strategy = tuple[CapacityProviderStrategyItem, ...]
MOST = 20
"""Capacity providers in a strategy, and of a cluster (ECS service quotas)."""


def strategy_of(
    cluster: Cluster, launch_type: LaunchType | None, given: Sequence[CapacityProviderStrategyItem] | None
) -> Strategy:
    """The strategy of new tasks in a cluster: the one that is given, else without a launch type the cluster's default.

    InvalidParameterException for one that cannot be.
    """
    if given and launch_type:
        raise invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if launch_type or given == []:
        return ()
    strategy = given or cluster.default_capacity_provider_strategy or ()
    check_strategy(cluster, strategy)
    return tuple(strategy)


def check_strategy(cluster: Cluster, strategy: Sequence[CapacityProviderStrategyItem]) -> None:
    """InvalidParameterException for a strategy that cannot be one of the cluster's."""
    providers = [item.capacity_provider for item in strategy]
    for item in strategy:
        name = item.capacity_provider
        if name not in (cluster.capacity_providers or []):
            raise invalid_parameter(
                f"The specified capacity provider {name!r} is not associated with the cluster {cluster.cluster_name}: "
                "see put-cluster-capacity-providers."
            )
        for field, value, most in (("weight", item.weight, 1000), ("base", item.base, 100_000)):
            if not 0 <= (value or 0) <= most:
                raise invalid_parameter(f"capacityProviderStrategy: {field} {value} of {name} is not in 0 to {most}.")
    if len(strategy) > MOST:
        raise invalid_parameter(f"capacityProviderStrategy: {MOST} capacity providers at most.")
    if len(set(providers)) < len(providers):
        raise invalid_parameter("capacityProviderStrategy: a capacity provider is named twice.")
    if sum(bool(item.base) for item in strategy) > 1:
        raise invalid_parameter("capacityProviderStrategy: only one capacity provider can have a base.")
    if len(strategy) > 1 and not any(item.weight for item in strategy):
        raise invalid_parameter("capacityProviderStrategy: one capacity provider has to have a weight above 0.")
    if len({name in FARGATE_PROVIDERS for name in providers}) > 1:
        raise invalid_parameter(
            "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and "
            "Fargate providers."
        )


def launched(service: Service) -> set[LaunchType]:
    """How the tasks of a service are launched."""
    return launch_types(service.launch_type, service.capacity_provider_strategy or ())


def fargate_platform(kinds: Iterable[LaunchType], asked: str | None) -> str | None:
    """The platform version of tasks that are launched in these ways; InvalidParameterException for one that cannot be,
    PlatformUnknownException for one that is not there."""
    if "FARGATE" in kinds:
        if asked not in (None, "", "LATEST", FARGATE_PLATFORM):
            known = f"write LATEST or {FARGATE_PLATFORM}"
            raise ApiError("PlatformUnknownException", f"platformVersion: there is no {asked}: {known}.")
        return FARGATE_PLATFORM
    if asked:
        raise invalid_parameter("The platform version must be null when specifying an EC2 launch type.")
    return None


def check_fargate_placement(
    kinds: Iterable[LaunchType],
    strategies: Sequence[PlacementStrategy] | None,
    constraints: Sequence[PlacementConstraint] | None,
) -> None:
    """InvalidParameterException where the tasks of Fargate are told where to go."""
    for what, given in (("strategies", strategies), ("constraints", constraints)):
        if given and "FARGATE" in kinds:
            raise invalid_parameter(
                f"Placement {what} are not supported with FARGATE launch type: its tasks are spread over zones."
            )


def launch_types(launch_type: LaunchType | None, strategy: Iterable[CapacityProviderStrategyItem]) -> set[LaunchType]:
    """How the tasks are launched, by what is asked for them."""
    kinds = {launch_type_of(item.capacity_provider) for item in strategy} or {launch_type or "EC2"}
    if "MANAGED_INSTANCES" in kinds:
        raise client_exception(
            "launchType: MANAGED_INSTANCES is not honoured: ecsctl makes no machines; use EC2 and register the hosts."
        )
    return kinds
