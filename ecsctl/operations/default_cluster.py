"""The cluster that exists without being asked for."""

from __future__ import annotations

from ecsctl.operations.context import Context
from ecsctl.store.tables import CLUSTERS


def ensure_default_cluster(ctx: Context) -> None:
    """The cluster `default` of this region and account, unless it was deleted."""
    arn = ctx.scope.cluster("default")
    with ctx.store.read() as view:
        if view.count(CLUSTERS, arn=arn) or ctx.store.read_only:
            return
    from ecsctl.model.api.clusters import CreateClusterRequest  # every command asks, and only the first one makes it
    from ecsctl.operations.clusters import put_cluster

    with ctx.store.write() as tx:
        if tx.get(CLUSTERS, arn) is None:
            put_cluster(tx, ctx, "default", CreateClusterRequest())
