"""The schema, as the list of its migrations. What was released is never edited: a change is a new entry."""

from __future__ import annotations

APPLICATION_ID = 0x45435343  # "ECSC"

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('seq', '0');

    CREATE TABLE cluster (
        arn TEXT PRIMARY KEY, scope TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL,
        doc BLOB NOT NULL, UNIQUE (scope, name)
    );
    CREATE TABLE container_instance (
        arn TEXT PRIMARY KEY, cluster TEXT NOT NULL REFERENCES cluster (arn), status TEXT NOT NULL,
        engine_id TEXT NOT NULL, doc BLOB NOT NULL
    );
    CREATE INDEX container_instance_cluster ON container_instance (cluster);

    CREATE TABLE family (
        key TEXT PRIMARY KEY, scope TEXT NOT NULL, name TEXT NOT NULL, doc BLOB NOT NULL
    );
    CREATE TABLE task_definition (
        arn TEXT PRIMARY KEY, scope TEXT NOT NULL, family TEXT NOT NULL, revision INTEGER NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS')),
        doc BLOB NOT NULL, UNIQUE (scope, family, revision)
    );
    CREATE TABLE task (
        arn TEXT PRIMARY KEY, cluster TEXT NOT NULL REFERENCES cluster (arn),
        instance TEXT, family TEXT NOT NULL, task_definition TEXT NOT NULL, started_by TEXT, launch_type TEXT,
        last_status TEXT NOT NULL CHECK (last_status IN ('PROVISIONING', 'PENDING', 'ACTIVATING', 'RUNNING',
            'DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED')),
        desired_status TEXT NOT NULL CHECK (desired_status IN ('RUNNING', 'PENDING', 'STOPPED')),
        cpu INTEGER NOT NULL, memory INTEGER NOT NULL, created_at TEXT NOT NULL, stopped_at TEXT,
        collected INTEGER NOT NULL, doc BLOB NOT NULL
    );
    CREATE INDEX task_unfinished ON task (cluster, instance) WHERE last_status != 'STOPPED';
    CREATE INDEX task_to_collect ON task (instance) WHERE last_status = 'STOPPED' AND collected = 0;
    CREATE INDEX task_cluster ON task (cluster, desired_status);
    CREATE INDEX task_definition_use ON task (task_definition);

    CREATE TABLE port (key TEXT PRIMARY KEY, instance TEXT NOT NULL, task TEXT NOT NULL, doc BLOB NOT NULL);
    CREATE INDEX port_task ON port (task);
    CREATE TABLE tag_set (arn TEXT PRIMARY KEY, doc BLOB NOT NULL);
    CREATE TABLE idempotent_call (key TEXT PRIMARY KEY, expires_at TEXT NOT NULL, doc BLOB NOT NULL);
    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, cluster TEXT NOT NULL, resource TEXT NOT NULL,
        doc BLOB NOT NULL
    );
    CREATE INDEX event_resource ON event (resource);

    -- A state is what was seen, and never goes back; what is STOPPED stays as it is.
    CREATE TRIGGER task_status_never_goes_back BEFORE UPDATE OF last_status ON task
    WHEN instr('PROVISIONING PENDING ACTIVATING RUNNING DEACTIVATING STOPPING DEPROVISIONING STOPPED', NEW.last_status)
       < instr('PROVISIONING PENDING ACTIVATING RUNNING DEACTIVATING STOPPING DEPROVISIONING STOPPED', OLD.last_status)
    BEGIN SELECT RAISE(ABORT, 'lastStatus of a task never goes back'); END;
    CREATE TRIGGER task_stop_is_final BEFORE UPDATE OF desired_status ON task
    WHEN OLD.desired_status = 'STOPPED' AND NEW.desired_status != 'STOPPED'
    BEGIN SELECT RAISE(ABORT, 'a task that is to stop stays so'); END;
    """,
    """
    CREATE TABLE service (
        arn TEXT PRIMARY KEY, cluster TEXT NOT NULL REFERENCES cluster (arn),
        status TEXT NOT NULL CHECK (status IN ('ACTIVE', 'DRAINING', 'INACTIVE')), doc BLOB NOT NULL
    );
    CREATE INDEX service_cluster ON service (cluster, status);
    ALTER TABLE task ADD COLUMN service TEXT;
    ALTER TABLE task ADD COLUMN tallied INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX task_service ON task (service, tallied);

    -- Partial indexes are of no use to statements whose values are parameters.
    DROP INDEX task_unfinished;
    DROP INDEX task_to_collect;
    CREATE INDEX task_cluster_status ON task (cluster, last_status);
    CREATE INDEX task_instance_status ON task (instance, last_status, collected);
    """,
    """
    CREATE TABLE service_deployment (
        arn TEXT PRIMARY KEY, service TEXT NOT NULL, created_at TEXT NOT NULL, finished_at TEXT, doc BLOB NOT NULL
    );
    CREATE INDEX service_deployment_service ON service_deployment (service, finished_at);
    CREATE TABLE service_revision (arn TEXT PRIMARY KEY, service TEXT NOT NULL, doc BLOB NOT NULL);
    """,
    """
    CREATE TABLE schedule (
        arn TEXT PRIMARY KEY, cluster TEXT NOT NULL REFERENCES cluster (arn), doc BLOB NOT NULL
    );
    CREATE INDEX schedule_cluster ON schedule (cluster);
    """,
    """
    -- Services have task sets from here on; that a task of a deployment ran is no longer noted.
    UPDATE service SET doc = CAST(json_set(CAST(doc AS TEXT), '$.deployments', (
        SELECT json_group_array(json_remove(value, '$.ran')) FROM json_each(CAST(service.doc AS TEXT), '$.deployments')
    )) AS BLOB);
    """,
    """
    CREATE TABLE capacity_provider (
        arn TEXT PRIMARY KEY, scope TEXT NOT NULL, name TEXT NOT NULL, doc BLOB NOT NULL, UNIQUE (scope, name)
    );
    """,
    """
    CREATE TABLE secret (name TEXT PRIMARY KEY, doc BLOB NOT NULL);
    """,
    """
    CREATE TABLE image (key TEXT PRIMARY KEY, instance TEXT NOT NULL, doc BLOB NOT NULL);
    CREATE INDEX image_instance ON image (instance);
    """,
    """
    CREATE TABLE iam_user (key TEXT PRIMARY KEY, account TEXT NOT NULL, doc BLOB NOT NULL);
    CREATE TABLE iam_group (key TEXT PRIMARY KEY, account TEXT NOT NULL, doc BLOB NOT NULL);
    CREATE TABLE iam_role (key TEXT PRIMARY KEY, account TEXT NOT NULL, doc BLOB NOT NULL);
    CREATE TABLE iam_policy (arn TEXT PRIMARY KEY, account TEXT NOT NULL, doc BLOB NOT NULL);
    CREATE TABLE access_key (id TEXT PRIMARY KEY, owner TEXT NOT NULL, doc BLOB NOT NULL);
    CREATE INDEX access_key_owner ON access_key (owner);
    """,
    """
    CREATE TABLE account_setting (
        key TEXT PRIMARY KEY, scope TEXT NOT NULL, principal TEXT NOT NULL, doc BLOB NOT NULL
    );

    -- ListTasks takes a page of a cluster's tasks by their age.
    DROP INDEX task_cluster;
    CREATE INDEX task_cluster ON task (cluster, desired_status, created_at);
    """,
)

VERSION = len(MIGRATIONS)
