"""How far service deployments have come: noted as their services go on."""

from __future__ import annotations

from datetime import datetime

from ecsctl.model.stored import ServiceRecord
from ecsctl.scheduler.service_deployments import follow
from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS
from ecsctl.store.store import Transaction


def note_progress(tx: Transaction, record: ServiceRecord, now: datetime) -> None:
    """Write down how far the service deployment that goes on has come with this."""
    for rollout in tx.find(SERVICE_DEPLOYMENTS, service=record.arn, finished_at=None):
        progress = follow(rollout, record, now)
        if progress != rollout:
            tx.put(SERVICE_DEPLOYMENTS, progress)
