"""Network interfaces of tasks: what may be asked of them.

A subnet is the name of a network of the host: one that is there, of whatever driver, or one that is created.

Source: ECS API_AwsVpcConfiguration, and ECS developer guide, "Allocate a network interface for an Amazon ECS task".
"""

from __future__ import annotations

import re

from ecsctl.model.errors import invalid_parameter
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.model.task_launch import AwsVpcConfiguration, NetworkConfiguration

MOST_SUBNETS, MOST_SECURITY_GROUPS = 16, 5
_SUBNET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,127}")
_NOT_SUBNETS = ("host", "none", "default")
"""Names of networks of the engine that give a task no interface of its own."""


def is_subnet(name: str) -> bool:
    """Whether it can be the name of a network that gives a task an interface."""
    return _SUBNET.fullmatch(name) is not None and name not in _NOT_SUBNETS


def interface_asked(definition: TaskDefinition, network: NetworkConfiguration | None) -> AwsVpcConfiguration | None:
    """What is asked of the network interface of tasks of a definition; None where they have none of their own.

    InvalidParameterException for what cannot be, or does not go with the definition.
    """
    asked = network.awsvpc_configuration if network else None
    if definition.network_mode != "awsvpc":
        if asked is not None:
            raise invalid_parameter(
                "Network Configuration is not valid for the given networkMode of this task definition: "
                f"{definition.network_mode or 'bridge'} is not awsvpc."
            )
        return None
    if asked is None:
        raise invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified: "
            "--network-configuration 'awsvpcConfiguration={subnets=[NAME]}'."
        )
    _check(asked)
    return asked


def _check(asked: AwsVpcConfiguration) -> None:
    path = "networkConfiguration.awsvpcConfiguration"
    if not 1 <= len(asked.subnets) <= MOST_SUBNETS:
        raise invalid_parameter(f"{path}.subnets: between 1 and {MOST_SUBNETS} can be named.")
    for subnet in asked.subnets:
        if not is_subnet(subnet):
            raise invalid_parameter(
                f"{path}.subnets: {subnet[:130]!r} cannot be the name of a network: "
                "letters, digits, hyphens, dots and underscores, not host, none or default."
            )
    if len(asked.security_groups or ()) > MOST_SECURITY_GROUPS:
        raise invalid_parameter(f"{path}.securityGroups: at most {MOST_SECURITY_GROUPS} can be named.")
