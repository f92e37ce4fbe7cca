"""What a request is about, as policies name it: the ARNs of its resources, found without telling whether they exist.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Elastic Container Service".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from ecsctl.controller.wishes import find_task_definition
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import Cluster
from ecsctl.model.errors import ApiError
from ecsctl.model.record import Record
from ecsctl.model.stored import ServiceRecord
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import cluster_arn, find_instance, find_service, find_task
from ecsctl.scheduler.deployments import last_good
from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS
from ecsctl.store.store import View
from ecsctl.store.tables import CLUSTERS, SERVICES


class Resource(NamedTuple):
    """What is evaluated, and what is shown to who may not: what was asked for, not what was found."""

    arn: str
    shown: str


class Asked:
    """One request. A member that its record does not have is None."""

    def __init__(self, ctx: Context, view: View, action: str, request: Record) -> None:
        self.ctx = ctx
        self.view = view
        self.action = action
        self.request = request

    def member(self, *names: str) -> Any:
        """The first of these members that is given."""
        return next((found for name in names if (found := getattr(self.request, name, None)) is not None), None)

    def names(self, *members: str) -> list[str]:
        """The values of the first of these members that is given: of a list all, else the only one."""
        found = self.member(*members)
        return [found] if isinstance(found, str) else list(found or [])

    @cached_property
    def cluster(self) -> str:
        """The ARN of the cluster that is named."""
        return cluster_arn(self.ctx, self.member("cluster"))

    @cached_property
    def found_cluster(self) -> Cluster | None:
        return self.view.get(CLUSTERS, self.cluster)

    def within(self, kind: str, name: str) -> str:
        """The ARN of what is in the cluster. One of the old short format, without the cluster's name, gets it."""
        if not name.startswith("arn:"):
            return f"{self.cluster}/{name}".replace(":cluster/", f":{kind}/", 1)
        head, _, short = name.partition(f":{kind}/")
        return name if not short or "/" in short else f"{head}:{kind}/{self.cluster.rpartition('/')[2]}/{short}"

    @cached_property
    def service(self) -> str:
        """The ARN of the service that is named; empty where there is none."""
        name = self.member("service", "service_name")
        return self.service_named(name).arn if name else ""

    def service_named(self, name: str) -> Resource:
        """What the operation finds under a name."""
        shown = self.within("service", name)
        found = find_service(self.view, self.found_cluster, name) if self.found_cluster else None
        return Resource(found.arn if found else shown, shown)

    @cached_property
    def found_service(self) -> ServiceRecord | None:
        return find_service(self.view, self.found_cluster, self.service) if self.found_cluster else None

    @cached_property
    def definition(self) -> Any:
        """What would run: the definition that is named, that of the service, the task set or the deployment, or the one
        that is to be registered. None where there is none."""
        if self.action == "RegisterTaskDefinition":
            return self.request
        name = self.member("task_definition") or self._definition_of_service()
        try:
            return find_task_definition(self.view, self.ctx.scope, name) if name else None
        except ApiError:
            return None

    def _definition_of_service(self) -> str | None:
        arn = self.member("service_deployment_arn")
        if arn is not None:
            deployment = self.view.get(SERVICE_DEPLOYMENTS, arn)
            record = self.view.get(SERVICES, str(deployment.service_arn)) if deployment is not None else None
            if record is None or not record.deployments:
                return None
            stops = self.action == "StopServiceDeployment" and self.member("stop_type") != "ABORT"
            goes_back = stops or self.member("action") == "ROLLBACK"
            starter = last_good(record) if goes_back else record.primary
            return starter.task_definition_arn if starter is not None else None
        record = self.found_service
        if record is None:
            return None
        wanted = self.member("task_set", "primary_task_set")
        starters = {starter.id: starter.task_definition_arn for starter in record.starters}
        return starters.get(last_part(wanted)) if wanted else record.service.task_definition


def service_of(arn: str) -> str:
    """The ARN of the service of a deployment, a revision, or of itself: `service/CLUSTER/NAME`."""
    head, _, resource = arn.rpartition(":")
    return ":".join([head, "/".join(["service", *resource.split("/")[1:3]])])


def cluster_of(arn: str) -> str:
    """The ARN of the cluster of what is in one."""
    head, _, resource = arn.rpartition(":")
    return ":".join([head, "/".join(["cluster", *resource.split("/")[1:2]])])


def _clusters(asked: Asked) -> list[Resource]:
    names = asked.names("cluster_name", "clusters", "cluster") or ["default"]
    arns = [cluster_arn(asked.ctx, name) for name in names]
    return [Resource(arn, arn) for arn in arns]


def _definitions(asked: Asked) -> list[Resource]:
    if asked.action == "RegisterTaskDefinition":
        arn = asked.ctx.scope.arn(f"task-definition/{asked.member('family')}:*")
        return [Resource(arn, arn)]
    return [_definition(asked, name) for name in asked.names("task_definitions", "task_definition")]


def _definition(asked: Asked, name: str) -> Resource:
    """Of a family its newest revision. What there is not is asked for as it is named, so that both are denied alike."""
    named = name if ":" in name else f"{name}:*"
    shown = name if name.startswith("arn:") else asked.ctx.scope.arn(f"task-definition/{named}")
    try:
        found = find_task_definition(asked.view, asked.ctx.scope, name).task_definition_arn
    except ApiError:
        found = None
    return Resource(found or shown, shown)


def _services(asked: Asked) -> list[Resource]:
    if of := asked.names("service_deployment_arns", "service_deployment_arn", "service_revision_arns"):
        return [Resource(arn, arn) for arn in dict.fromkeys(map(service_of, of))]
    return [asked.service_named(name) for name in asked.names("services", "service", "service_name") or ["*"]]


def _named(*members: str) -> Callable[[Asked], list[Resource]]:
    """What is always asked for by its ARN."""

    def find(asked: Asked) -> list[Resource]:
        return [Resource(arn, arn) for arn in asked.names(*members) or ["*"]]

    return find


def _tasks(asked: Asked) -> list[Resource]:
    return [_task(asked, name) for name in asked.names("tasks", "task") or ["*"]]


def _task(asked: Asked, name: str) -> Resource:
    shown = asked.within("task", name)
    found = find_task(asked.view, asked.found_cluster, name) if asked.found_cluster else None
    return Resource(found.arn if found else shown, shown)


def _instances(asked: Asked) -> list[Resource]:
    names = asked.names("container_instances", "container_instance")
    names += [one.target_id or "*" for one in asked.member("attributes") or []]
    return [_instance(asked, name) for name in names or ["*"]]


def _instance(asked: Asked, name: str) -> Resource:
    shown = asked.within("container-instance", name)
    found = find_instance(asked.view, asked.found_cluster, name) if asked.found_cluster else None
    return Resource(found.arn if found else shown, shown)


def _task_sets(asked: Asked) -> list[Resource]:
    service = asked.service.replace(":service/", ":task-set/", 1)
    names = asked.names("task_sets", "task_set") or ["*"]
    arns = [f"{service}/{last_part(name)}" for name in names]  # of an ARN its id alone counts, here as in the operation
    return [Resource(arn, arn) for arn in arns]


def _providers(asked: Asked) -> list[Resource]:
    names = asked.names("capacity_providers", "capacity_provider", "name") or ["*"]
    arns = [name if name.startswith("arn:") else asked.ctx.scope.capacity_provider(name) for name in names]
    return [Resource(arn, arn) for arn in arns]


NONE = Resource("*", "*")
"""Of an action that is about no resource: `"Resource": "*"` alone allows it."""

RESOURCES: dict[str, Callable[[Asked], list[Resource]]] = {
    "capacity-provider": _providers,
    "cluster": _clusters,
    "container-instance": _instances,
    "resource": _named("resource_arn"),
    "service": _services,
    "service-deployment": _named("service_deployment_arns", "service_deployment_arn"),
    "service-revision": _named("service_revision_arns"),
    "task": _tasks,
    "task-definition": _definitions,
    "task-set": _task_sets,
}
"""How the resources of a kind are found in a request."""
