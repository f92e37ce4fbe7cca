"""The tables of what services have been deployed as: asked while something is rolled out, not where nothing is."""

from __future__ import annotations

from ecsctl.model.service_deployment import ServiceDeployment, ServiceRevision
from ecsctl.store.tables import Table, timestamp

SERVICE_DEPLOYMENTS = Table(
    "service_deployment",
    ServiceDeployment,
    ("arn", "service", "created_at", "finished_at"),
    lambda d: (
        d.service_deployment_arn,
        d.service_arn,
        timestamp(d.created_at) if d.created_at else "",
        timestamp(d.finished_at) if d.finished_at else None,
    ),
)
SERVICE_REVISIONS = Table(
    "service_revision", ServiceRevision, ("arn", "service"), lambda r: (r.service_revision_arn, r.service_arn)
)
