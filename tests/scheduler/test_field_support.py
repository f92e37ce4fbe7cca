"""Every field of a definition is honoured, mapped or refused by name: none is accepted and ignored."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.record import Record, decode, fields_of, unwrap
from ecsctl.model.task import TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler import field_support
from ecsctl.scheduler.field_support import TABLE, Verdict, refusals, review


def _leaves(kind: Any, path: str) -> Iterator[str]:
    """The paths of `kind` that need an entry: below an entry, everything is judged with it."""
    kind = unwrap(kind)
    if path in TABLE:
        yield path
    elif isinstance(kind, type) and issubclass(kind, Record):
        for name, inner in fields_of(kind).items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif get_origin(kind) is list and isinstance(item := unwrap(get_args(kind)[0]), type) and issubclass(item, Record):
        yield from _leaves(item, f"{path}[]")
    else:
        yield path


ROOTS: list[tuple[type[Record], str]] = [
    (RegisterTaskDefinitionRequest, ""),
    (TaskDefinition, ""),
    (TaskOverride, "overrides"),
]


@pytest.mark.parametrize(("kind", "path"), ROOTS)
def test_every_field_of_the_records_is_in_the_table(kind: type[Record], path: str) -> None:
    assert [leaf for leaf in _leaves(kind, path) if leaf not in TABLE] == []


def test_the_table_names_no_field_that_does_not_exist() -> None:
    known = {leaf for kind, path in ROOTS for leaf in _leaves(kind, path)}
    assert sorted(TABLE.keys() - known) == []


def test_a_field_forgotten_in_the_table_is_refused_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TABLE, "containerDefinitions[].user")
    assert refusals(_request(user="root")) == [
        Verdict("containerDefinitions[0].user", "refused", "not known to this release")
    ]


def _request(task: dict[str, Any] | None = None, **container: Any) -> RegisterTaskDefinitionRequest:
    data = {"family": "f", "containerDefinitions": [{"name": "a", "image": "i", **container}], **(task or {})}
    return decode(RegisterTaskDefinitionRequest, data)


def test_a_review_is_in_the_order_of_the_definition() -> None:
    verdicts = review(_request({"networkMode": "bridge"}, portMappings=[{"containerPort": 80, "appProtocol": "http"}]))
    assert [tuple(verdict) for verdict in verdicts] == [
        ("family", "honoured", ""),
        ("containerDefinitions[0].name", "honoured", ""),
        ("containerDefinitions[0].image", "honoured", ""),
        ("containerDefinitions[0].portMappings[0].containerPort", "honoured", ""),
        (
            "containerDefinitions[0].portMappings[0].appProtocol",
            "mapped",
            "recorded; Service Connect has no proxy here, which would have to know it",
        ),
        ("networkMode", "honoured", ""),
    ]


SECRET = [{"name": "A", "valueFrom": "x"}]
ROUTER = "containerDefinitions[0].firelensConfiguration"


def _router(kind: str, options: dict[str, str]) -> dict[str, Any]:
    return {"firelensConfiguration": {"type": kind, "options": options}}


@pytest.mark.parametrize(
    ("task", "container", "path", "verdict"),
    [
        ({"networkMode": "awsvpc"}, {}, "networkMode", "honoured"),
        ({"networkMode": "host"}, {}, "networkMode", "honoured"),
        ({"networkMode": "none"}, {}, "networkMode", "honoured"),
        ({"pidMode": "host"}, {}, "pidMode", "honoured"),
        ({"pidMode": "task"}, {}, "pidMode", "honoured"),
        ({"ipcMode": "task"}, {}, "ipcMode", "honoured"),
        ({"ipcMode": "none"}, {}, "ipcMode", "honoured"),
        ({"placementConstraints": []}, {}, "placementConstraints", "honoured"),
        (
            {"placementConstraints": [{"type": "memberOf", "expression": "attribute:rack exists"}]},
            {},
            "placementConstraints",
            "honoured",
        ),
        ({"requiresCompatibilities": ["EC2", "EXTERNAL"]}, {}, "requiresCompatibilities", "honoured"),
        ({"requiresCompatibilities": ["FARGATE"]}, {}, "requiresCompatibilities", "mapped"),
        ({"taskRoleArn": "r"}, {}, "taskRoleArn", "mapped"),
        (
            {"runtimePlatform": {"operatingSystemFamily": "LINUX"}},
            {},
            "runtimePlatform.operatingSystemFamily",
            "honoured",
        ),
        (
            {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}},
            {},
            "runtimePlatform.operatingSystemFamily",
            "refused",
        ),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, {}, "runtimePlatform.cpuArchitecture", "honoured"),
        ({"runtimePlatform": {}}, {}, "runtimePlatform", "honoured"),
        ({"enableFaultInjection": True}, {}, "enableFaultInjection", "refused"),
        ({"enableFaultInjection": False}, {}, "enableFaultInjection", "honoured"),
        ({"ephemeralStorage": {"sizeInGiB": 25}}, {}, "ephemeralStorage", "honoured"),
        ({"inferenceAccelerators": []}, {}, "inferenceAccelerators", "honoured"),
        ({"volumes": [{"name": "v", "host": {}}]}, {}, "volumes[0].host", "honoured"),
        ({"volumes": [{"name": "v", "host": {"sourcePath": "/srv"}}]}, {}, "volumes[0].host", "mapped"),
        (
            {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "x"}}]},
            {},
            "volumes[0].efsVolumeConfiguration.fileSystemId",
            "mapped",
        ),
        ({"volumes": [{"name": "v", "configuredAtLaunch": False}]}, {}, "volumes[0].configuredAtLaunch", "honoured"),
        ({"volumes": [{"name": "v", "configuredAtLaunch": True}]}, {}, "volumes[0].configuredAtLaunch", "mapped"),
        ({}, {"secrets": SECRET}, "containerDefinitions[0].secrets[0].valueFrom", "honoured"),
        (
            {},
            {"secrets": [{"name": "A", "valueFrom": "arn:aws:s3:::b/k"}]},
            "containerDefinitions[0].secrets[0].valueFrom",
            "refused",
        ),
        (
            {},
            {"logConfiguration": {"logDriver": "awslogs", "secretOptions": SECRET}},
            "containerDefinitions[0].logConfiguration.secretOptions",
            "refused",
        ),
        ({}, {"secrets": []}, "containerDefinitions[0].secrets", "honoured"),
        (
            {},
            {"logConfiguration": {"logDriver": "awslogs"}},
            "containerDefinitions[0].logConfiguration.logDriver",
            "mapped",
        ),
        (
            {},
            {"logConfiguration": {"logDriver": "local"}},
            "containerDefinitions[0].logConfiguration.logDriver",
            "honoured",
        ),
        (
            {},
            {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}}},
            "containerDefinitions[0].logConfiguration.options",
            "mapped",
        ),
        (
            {},
            {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g", "tag": "x"}}},
            "containerDefinitions[0].logConfiguration.options",
            "refused",
        ),
        (
            {},
            {"logConfiguration": {"logDriver": "syslog", "options": {"tag": "x"}}},
            "containerDefinitions[0].logConfiguration.options",
            "honoured",
        ),
        (
            {},
            {"logConfiguration": {"logDriver": "awsfirelens", "options": {"Name": "null"}, "secretOptions": SECRET}},
            "containerDefinitions[0].logConfiguration.secretOptions",
            "honoured",
        ),
        ({}, _router("fluentbit", {}), f"{ROUTER}.type", "honoured"),
        ({}, _router("fluentbit", {"enable-ecs-log-metadata": "true"}), f"{ROUTER}.options", "honoured"),
        ({}, _router("fluentbit", {"enable-ecs-log-metadata": "maybe"}), f"{ROUTER}.options", "refused"),
        (
            {},
            _router("fluentbit", {"config-file-type": "file", "config-file-value": "/x"}),
            f"{ROUTER}.options",
            "honoured",
        ),
        ({}, _router("fluentd", {"config-file-type": "s3", "config-file-value": "b"}), f"{ROUTER}.options", "mapped"),
        ({}, _router("fluentbit", {"config-file-value": "/x.yaml"}), f"{ROUTER}.options", "refused"),
        ({}, _router("fluentd", {"something": "else"}), f"{ROUTER}.options", "refused"),
        (
            {},
            {"logConfiguration": {"logDriver": "splunk", "secretOptions": SECRET}},
            "containerDefinitions[0].logConfiguration.secretOptions",
            "honoured",
        ),
        (
            {},
            {"portMappings": [{"containerPortRange": "1-2"}]},
            "containerDefinitions[0].portMappings[0].containerPortRange",
            "honoured",
        ),
        ({}, {"portMappings": []}, "containerDefinitions[0].portMappings", "honoured"),
        (
            {},
            {"linuxParameters": {"swappiness": 1}},
            "containerDefinitions[0].linuxParameters.swappiness",
            "mapped",
        ),
        (
            {},
            {"linuxParameters": {"swappiness": 1, "maxSwap": 1}},
            "containerDefinitions[0].linuxParameters.swappiness",
            "honoured",
        ),
        ({}, {"versionConsistency": "enabled"}, "containerDefinitions[0].versionConsistency", "honoured"),
        (
            {},
            {"dockerSecurityOptions": ["no-new-privileges"]},
            "containerDefinitions[0].dockerSecurityOptions",
            "honoured",
        ),
        (
            {},
            {"dockerSecurityOptions": ["credentialspec:x"]},
            "containerDefinitions[0].dockerSecurityOptions",
            "refused",
        ),
        ({}, {"command": []}, "containerDefinitions[0].command", "honoured"),
        ({"cpu": "256"}, {}, "cpu", "honoured"),
        ({"memory": "64", "containerDefinitions": [{"name": "a"}, {"name": "b"}]}, {}, "memory", "mapped"),
        ({}, {"disableNetworking": True}, "containerDefinitions[0].disableNetworking", "honoured"),
        (
            {},
            {"disableNetworking": True, "portMappings": [{"containerPort": 1}]},
            "containerDefinitions[0].disableNetworking",
            "mapped",
        ),
        ({}, {"disableNetworking": True, "links": ["b"]}, "containerDefinitions[0].disableNetworking", "mapped"),
        ({}, {"disableNetworking": False, "links": ["b"]}, "containerDefinitions[0].disableNetworking", "honoured"),
        ({"ipcMode": "host"}, {"linuxParameters": {"sharedMemorySize": 8}}, "ipcMode", "mapped"),
        ({"ipcMode": "task"}, {"linuxParameters": {"sharedMemorySize": 8}}, "ipcMode", "honoured"),
    ],
)
def test_a_verdict_depends_on_the_value(
    task: dict[str, Any], container: dict[str, Any], path: str, verdict: str
) -> None:
    found = {entry.path: entry for entry in review(_request(task, **container))}
    assert found[path].verdict == verdict
    assert verdict == "honoured" or found[path].note


def test_each_option_of_awslogs_is_told_by_name() -> None:
    options = {
        "awslogs-group": "g",
        "mode": "blocking",
        "awslogs-multiline-pattern": "^x",
        "awslogs-stream-prefix": "p",
    }
    verdicts = review(_request(logConfiguration={"logDriver": "awslogs", "options": options}))
    assert [verdict.note for verdict in verdicts if verdict.path.endswith(".options")] == [
        "awslogs-group, awslogs-stream-prefix: names the log; mode: how the engine takes lines over; "
        "awslogs-multiline-pattern: recorded; each line stays an event of its own"
    ]


def test_overrides_are_reviewed_too() -> None:
    overrides = decode(
        TaskOverride,
        {
            "containerOverrides": [
                {"name": "a", "command": ["x"]},
                {"name": "a", "environmentFiles": [{"value": "s3://x", "type": "s3"}]},
            ],
            "taskRoleArn": "r",
        },
    )
    assert [verdict.path for verdict in refusals(_request(), overrides)] == [
        "overrides.containerOverrides[1].environmentFiles[0].value"
    ]
    assert review(_request(), overrides)[-1][:2] == ("overrides.taskRoleArn", "mapped")


def test_what_ecsctl_fills_in_is_not_judged() -> None:
    definition = TaskDefinition(task_definition_arn="arn", revision=1, status="ACTIVE", compatibilities=["FARGATE"])
    assert review(definition) == []


def test_the_module_is_pure() -> None:
    tree = ast.parse(inspect.getsource(field_support))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} | {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    assert {(name or "").partition(".")[0] for name in modules} == {
        "__future__",
        "collections",
        "typing",
        "msgspec",
        "ecsctl",
    }
