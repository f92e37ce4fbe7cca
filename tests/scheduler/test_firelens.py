"""FireLens: what the log router of a task is told, and what its containers are told of it."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model import identity
from ecsctl.model.stored import TaskAddress, TaskRecord
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler.container_spec import create_body, effective
from ecsctl.scheduler.firelens import configuration, files, router_of
from tests.making import TASK_ID, definition, task_of

SIGNATURE = identity.Signature("install", lambda: b"key")
KEY = [{"name": "api-key", "valueFrom": "prod/key"}]
INPUT = """\
[INPUT]
    Name forward
    unix_path /var/run/fluent.sock

"""
NETWORK = """\
[INPUT]
    Name forward
    Listen {}
    Port 24224

[INPUT]
    Name tcp
    Tag firelens-healthcheck
    Listen 127.0.0.1
    Port 8877

"""
METADATA = f"""\
[FILTER]
    Name record_modifier
    Match *
    Record ecs_cluster default
    Record ecs_task_arn arn:aws:ecs:us-east-1:000000000000:task/default/{TASK_ID}
    Record ecs_task_definition app:1
"""


def router(kind: str = "fluentbit", options: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": "router", "firelensConfiguration": {"type": kind, "options": options or {}}, **more}


def app(name: str = "main", secrets: Any = None, **options: str) -> dict[str, Any]:
    logs = {"logDriver": "awsfirelens", "options": {key.replace("__", "-"): v for key, v in options.items()}}
    return {"name": name, "logConfiguration": {**logs, **({"secretOptions": secrets} if secrets else {})}}


def told(made: TaskDefinition) -> str:
    found = router_of(made)
    assert found is not None
    return configuration(task_of(made), made, found)


def body(record: TaskRecord, made: TaskDefinition, name: str) -> dict[str, Any]:
    return create_body(record, made, name, SIGNATURE, socket="/volumes/x/fluent.sock")


def test_fluent_bit_is_told_as_the_agent_tells_it() -> None:
    options = {"config-file-type": "file", "config-file-value": "/extra.conf"}
    logs = {"Name": "http", "Host": "there", "include__pattern": "^a", "exclude__pattern": "b$"}
    made = definition(router(options=options), app(secrets=KEY, **logs), {"name": "other"})
    assert told(made) == (
        INPUT
        + NETWORK.format("0.0.0.0")
        + """\
[FILTER]
    Name grep
    Match main-firelens*
    Regex log ^a

[FILTER]
    Name grep
    Match main-firelens*
    Exclude log b$

"""
        + METADATA
        + """
@INCLUDE /extra.conf

[OUTPUT]
    Name null
    Match firelens-healthcheck

[OUTPUT]
    Name http
    Match main-firelens*
    Host there
    api-key ${api-key_1}
"""
    )


def test_fluentd_is_told_as_the_agent_tells_it() -> None:
    options = {"config-file-type": "s3", "config-file-value": "arn:aws:s3:::b/x.conf"}
    logs = {"@type": "forward", "include__pattern": "^a", "exclude__pattern": "b$"}
    made = definition(router("fluentd", options), app(secrets=KEY, **logs), networkMode="awsvpc")
    assert (
        told(made)
        == f"""\
<source>
    @type unix
    path /var/run/fluent.sock
</source>

<source>
    @type forward
    bind 127.0.0.1
    port 24224
</source>

<filter main-firelens**>
    @type grep
    <regexp>
        key log
        pattern /^a/
    </regexp>
</filter>

<filter main-firelens**>
    @type grep
    <exclude>
        key log
        pattern /b$/
    </exclude>
</filter>

<filter **>
    @type record_transformer
    <record>
        ecs_cluster default
        ecs_task_arn arn:aws:ecs:us-east-1:000000000000:task/default/{TASK_ID}
        ecs_task_definition app:1
    </record>
</filter>

@include /fluentd/etc/external.conf

<match main-firelens**>
    @type forward
    api-key "#{{ENV['api-key_1']}}"
</match>
"""
    )


@pytest.mark.parametrize("mode", ["host", "none"])
def test_nothing_listens_to_the_network_where_it_is_not_the_tasks(mode: str) -> None:
    quiet = router(options={"enable-ecs-log-metadata": "false"})
    assert told(definition(quiet, app(), networkMode=mode)) == INPUT[:-1]


def test_what_comes_from_a_bucket_is_put_beside_the_configuration() -> None:
    made = definition(router(), app())
    found = router_of(made)
    assert found is not None
    assert files(task_of(made), made, found, b"more").keys() == {"fluent-bit.conf", "external.conf"}
    assert files(task_of(made), made, found, None).keys() == {"fluent-bit.conf"}


def test_containers_write_to_the_routers_socket_and_know_where_it_is() -> None:
    made = definition(app(secrets=KEY, Name="null", log__driver__buffer__limit="2097152"), router())
    record = task_of(made)
    record.containers[1].address = TaskAddress(ipv4="172.17.0.9", ipv6="", mac="")
    main = body(record, made, "main")
    assert main["HostConfig"]["LogConfig"] == {
        "Type": "fluentd",
        "Config": {
            "tag": f"main-firelens-{TASK_ID}",
            "fluentd-address": "unix:///volumes/x/fluent.sock",
            "fluentd-async": "true",
            "fluentd-sub-second-precision": "true",
            "fluentd-buffer-limit": "2097152",
        },
    }
    assert main["Env"] == ["FLUENT_HOST=172.17.0.9", "FLUENT_PORT=24224"]
    (socket,) = body(record, made, "router")["HostConfig"]["Mounts"]
    assert (socket["Source"], socket["Target"]) == (f"ecs-app-1-internal.firelens-{TASK_ID}", "/var/run")


def test_values_of_log_options_are_the_routers_secrets() -> None:
    made = definition(app(secrets=KEY, Name="null"), router(secrets=[{"name": "A", "valueFrom": "a"}]))
    secrets = effective(task_of(made), made, "router").secrets or []
    assert [(secret.name, secret.value_from) for secret in secrets] == [("A", "a"), ("api-key_0", "prod/key")]
    logs = effective(task_of(made), made, "main").log_configuration
    assert logs is not None
    assert logs.secret_options is None


@pytest.mark.parametrize(
    ("waits", "main"), [({}, ["router"]), ({"dependsOn": [{"containerName": "db", "condition": "START"}]}, [])]
)
def test_the_router_is_started_first_unless_it_waits_itself(waits: dict[str, Any], main: list[str]) -> None:
    made = definition(app(), router(**waits), {"name": "db"})
    found = effective(task_of(made), made, "main").depends_on or []
    assert [dependency.container_name for dependency in found] == main


def test_a_router_with_a_read_only_file_system_has_its_configuration_in_a_volume() -> None:
    made = definition(router(readonlyRootFilesystem=True), app())
    mounts = body(task_of(made), made, "router")["HostConfig"]["Mounts"]
    assert [mount["Target"] for mount in mounts] == ["/var/run", "/fluent-bit/etc"]
