"""In which order services are decided about."""

from __future__ import annotations

from collections.abc import Iterable

from ecsctl.model.stored import ServiceRecord
from ecsctl.store.store import View
from ecsctl.store.tables import SERVICES


def in_turn(view: View, clusters: Iterable[str]) -> list[ServiceRecord]:
    """The services of these clusters (ARNs) that are kept: daemons first, as ECS reserves a host's resources for them
    (ECS developer guide, "Amazon ECS services", DAEMON)."""
    found = [s for cluster in clusters for s in view.find(SERVICES, cluster=cluster, status=("ACTIVE", "DRAINING"))]
    return sorted(found, key=lambda service: not service.is_daemon)
