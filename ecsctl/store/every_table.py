"""All tables together, for what goes over a whole state."""

from __future__ import annotations

from ecsctl.store.account_tables import ACCOUNT_SETTINGS, CAPACITY_PROVIDERS, FAMILIES
from ecsctl.store.deployment_tables import SERVICE_DEPLOYMENTS, SERVICE_REVISIONS
from ecsctl.store.iam_tables import ACCESS_KEYS, GROUPS, POLICIES, ROLES, USERS
from ecsctl.store.schedule_table import SCHEDULES
from ecsctl.store.secret_table import SECRETS
from ecsctl.store.tables import (
    CLUSTERS,
    EVENTS,
    IDEMPOTENT_CALLS,
    IMAGES,
    INSTANCES,
    PORTS,
    SERVICES,
    TAGS,
    TASK_DEFINITIONS,
    TASKS,
)

TABLES = (
    CLUSTERS,
    INSTANCES,
    FAMILIES,
    TASK_DEFINITIONS,
    TASKS,
    SERVICES,
    SERVICE_DEPLOYMENTS,
    SERVICE_REVISIONS,
    SCHEDULES,
    CAPACITY_PROVIDERS,
    PORTS,
    TAGS,
    SECRETS,
    USERS,
    GROUPS,
    ROLES,
    POLICIES,
    ACCESS_KEYS,
    IMAGES,
    ACCOUNT_SETTINGS,
    IDEMPOTENT_CALLS,
    EVENTS,
)
