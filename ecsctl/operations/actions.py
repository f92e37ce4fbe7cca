"""The ECS actions, on one page: which there are, and where each lives.

Of an action the request and the response are `ecsctl.model.api.<room>.<Action>Request` and `…Response`, the work is the
function `ecsctl.operations.<room>.<action>`. Every door goes by this table; nothing is imported to read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ecsctl.model.errors import ApiError
from ecsctl.model.record import Record

if TYPE_CHECKING:
    from ecsctl.operations.context import Context

_ROOMS = {
    "account_settings": "PutAccountSetting PutAccountSettingDefault ListAccountSettings DeleteAccountSetting",
    "agent": "SubmitTaskStateChange SubmitContainerStateChange UpdateContainerAgent",
    "attributes": "PutAttributes DeleteAttributes ListAttributes",
    "capacity_providers": """
        CreateCapacityProvider DescribeCapacityProviders UpdateCapacityProvider DeleteCapacityProvider
        PutClusterCapacityProviders
    """,
    "clusters": """
        CreateCluster DescribeClusters ListClusters UpdateCluster UpdateClusterSettings DeleteCluster
    """,
    "container_instances": """
        RegisterContainerInstance DescribeContainerInstances ListContainerInstances DeregisterContainerInstance
        UpdateContainerInstancesState
    """,
    "exec": "ExecuteCommand",
    "namespaces": "ListServicesByNamespace",
    "service_deployments": """
        ListServiceDeployments DescribeServiceDeployments StopServiceDeployment ContinueServiceDeployment
        DescribeServiceRevisions
    """,
    "services": "CreateService UpdateService DeleteService DescribeServices ListServices",
    "tags": "TagResource UntagResource ListTagsForResource",
    "task_definitions": """
        RegisterTaskDefinition DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies
        DeregisterTaskDefinition DeleteTaskDefinitions
    """,
    "task_protection": "UpdateTaskProtection GetTaskProtection",
    "task_sets": "CreateTaskSet UpdateTaskSet UpdateServicePrimaryTaskSet DeleteTaskSet DescribeTaskSets",
    "tasks": "RunTask StartTask StopTask DescribeTasks ListTasks",
}
ROOMS = {action: room for room, actions in _ROOMS.items() for action in actions.split()}
"""The room of each action of ECS that ecsctl has."""
OF_STATE = frozenset(
    {
        "account_settings",
        "attributes",
        "capacity_providers",
        "clusters",
        "namespaces",
        "tags",
        "task_definitions",
        "task_protection",
    }
)
"""Rooms whose actions ask no host."""
OF_EC2 = {"DescribeRegions": "regions", "DescribeAvailabilityZones": "regions"}
"""The same of the actions of EC2."""
_OF_IAM = {
    "access_keys": "CreateAccessKey ListAccessKeys UpdateAccessKey DeleteAccessKey",
    "iam_attachments": """
        AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies AttachGroupPolicy DetachGroupPolicy
        ListAttachedGroupPolicies AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies
    """,
    "iam_groups": """
        CreateGroup GetGroup ListGroups DeleteGroup AddUserToGroup RemoveUserFromGroup ListGroupsForUser
    """,
    "iam_inline_policies": """
        PutUserPolicy GetUserPolicy ListUserPolicies DeleteUserPolicy PutGroupPolicy GetGroupPolicy ListGroupPolicies
        DeleteGroupPolicy PutRolePolicy GetRolePolicy ListRolePolicies DeleteRolePolicy
    """,
    "iam_policies": """
        CreatePolicy GetPolicy ListPolicies DeletePolicy CreatePolicyVersion GetPolicyVersion ListPolicyVersions
        DeletePolicyVersion SetDefaultPolicyVersion
    """,
    "iam_roles": """
        CreateRole GetRole ListRoles DeleteRole UpdateAssumeRolePolicy PutRolePermissionsBoundary
        DeleteRolePermissionsBoundary
    """,
    "iam_simulation": "SimulatePrincipalPolicy",
    "iam_users": """
        CreateUser GetUser ListUsers DeleteUser PutUserPermissionsBoundary DeleteUserPermissionsBoundary
    """,
}
OF_IAM = {action: room for room, actions in _OF_IAM.items() for action in actions.split()}
"""The same of the actions of IAM."""
OF_STS = {"AssumeRole": "sessions"}
"""The same of the actions of STS."""

_NO_DAEMONS = (
    "managed daemons are for Managed Instances, machines that AWS makes and replaces; a service with the scheduling "
    "strategy DAEMON has a task on each host"
)
_NO_EXPRESS = "an express gateway service is made of AWS's load balancers, security groups and scaling policies"
_NO_GATEWAYS = "a gateway manages AWS's load balancers; nothing stands between clients and tasks here"
_NO_AGENT = "there is no ECS agent: hosts are driven by their Docker API"
_WITHOUT = {
    _NO_DAEMONS: """
        CreateDaemon UpdateDaemon DeleteDaemon DescribeDaemon DescribeDaemonDeployments DescribeDaemonRevisions
        ListDaemons ListDaemonDeployments RegisterDaemonTaskDefinition DescribeDaemonTaskDefinition
        ListDaemonTaskDefinitions DeleteDaemonTaskDefinition
    """,
    _NO_EXPRESS: """
        CreateExpressGatewayService UpdateExpressGatewayService DeleteExpressGatewayService
        DescribeExpressGatewayService
    """,
    _NO_GATEWAYS: """
        CreateGateway UpdateGateway DeleteGateway DescribeGateway DescribeGatewayResources DescribeGatewayRoute
        ListGateways ListGatewayRoutes AssociateGatewayWithCluster DisassociateGatewayFromCluster
        ListGatewayClusterAssociations
    """,
    _NO_AGENT: "DiscoverPollEndpoint",
    "tasks and container instances have no attachments": "SubmitAttachmentStateChanges",
}
WHY_NOT = {action: reason for reason, actions in _WITHOUT.items() for action in actions.split()}
"""The actions of ECS that ecsctl refuses, and why."""
NOT_YET = frozenset(WHY_NOT)
"""The actions of ECS that ecsctl does not have."""


def refusal(action: str) -> ApiError:
    """What is said of one that ecsctl does not have."""
    return ApiError("UnsupportedFeatureException", f"{action} is not supported by ecsctl: {WHY_NOT[action]}.")


def room_of(action: str) -> str:
    """Where an action lives; empty for what is none."""
    return ROOMS.get(action) or OF_EC2.get(action) or OF_IAM.get(action) or OF_STS.get(action, "")


@cache
def shape_of(action: str, suffix: str) -> type[Record]:
    """The record of its `Request`, or its `Response`."""
    shape: type[Record] = getattr(import_module(f"ecsctl.model.api.{room_of(action)}"), action + suffix)
    return shape


def operation_of(action: str) -> Callable[[Context, Any], Record]:
    """The function that does it."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
    found: Callable[[Context, Any], Record] = getattr(import_module(f"ecsctl.operations.{room_of(action)}"), name)
    return found
