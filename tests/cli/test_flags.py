"""The options of an action are AWS's, and what is written behind them becomes the request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session  # type: ignore[import-untyped, unused-ignore]
import pytest
from botocore import xform_name  # type: ignore[import-untyped, unused-ignore]

from ecsctl.cli.action import Action
from ecsctl.cli.argv import parse
from ecsctl.cli.commands import COMMANDS, action_of
from ecsctl.cli.flags import build, flag_name, flags_of
from ecsctl.cli.problems import ParameterError, UsageError
from ecsctl.model.api.clusters import CreateClusterRequest
from ecsctl.model.api.container_instances import DeregisterContainerInstanceRequest
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.api.tasks import DescribeTasksRequest, RunTaskRequest
from ecsctl.model.errors import ApiError
from ecsctl.model.record import Record, to_wire
from ecsctl.operations.actions import NOT_YET

SERVICE = botocore.session.get_session().get_service_model("ecs")
AWS = {xform_name(name, "-"): SERVICE.operation_model(name).input_shape for name in SERVICE.operation_names}
RENAMED = {"enableExecuteCommand": "--disable-execute-command", "interactive": "--non-interactive"}
"""What the AWS CLI calls otherwise (aws-cli, customizations/argrename.py)."""
ACTIONS = sorted(name for name in COMMANDS if name in AWS)


@pytest.mark.parametrize("name", ACTIONS)
def test_the_options_are_those_of_the_aws_cli(name: str) -> None:
    shape = AWS[name]
    names = {"--" + xform_name(member, "-") for member in shape.members}
    switches = {
        RENAMED.get(member, "--no-" + xform_name(member, "-"))
        for member, kind in shape.members.items()
        if kind.type_name == "boolean"
    }
    flags = [flag for flag in flags_of(Action(COMMANDS[name]).request_type) if not flag.own]
    assert {flag.name for flag in flags} == names | switches
    assert {flag.key for flag in flags if flag.required} == set(shape.required_members)


@pytest.mark.parametrize("name", ACTIONS)
def test_lists_take_several_words_and_nothing_else_does(name: str) -> None:
    flags = {flag.key: flag for flag in flags_of(Action(COMMANDS[name]).request_type)}
    for member, kind in AWS[name].members.items():
        wanted = {"list": "many", "boolean": "none"}.get(kind.type_name, "one")
        assert flags[member].takes == wanted


def test_every_action_of_ecs_is_either_a_command_or_refused_by_name() -> None:
    assert {action_of(name) for name in set(AWS) - set(COMMANDS)} <= NOT_YET
    assert not NOT_YET & {action_of(name) for name in COMMANDS}


@pytest.mark.parametrize(
    "wire", ["enableECSManagedTags", "managedEBSVolume", "taskDefinition", "fooARNs", "s3filesVolume", "sizeInGiB"]
)
def test_names_are_formed_by_botocores_rule(wire: str) -> None:
    assert flag_name(wire) == "--" + xform_name(wire, "-")


def request(kind: type[Record], *words: str) -> dict[str, Any]:
    flags = flags_of(kind)
    parsed = parse(words, flags)
    assert not parsed.unknown
    return to_wire(build(kind, parsed.values, flags))


def run_task(*words: str) -> dict[str, Any]:
    return request(RunTaskRequest, "--task-definition", "web", *words) | {"taskDefinition": "web"}


@pytest.mark.parametrize(
    ("words", "member"),
    [
        (["--count", "3"], {"count": 3}),
        (["--enable-ecs-managed-tags"], {"enableECSManagedTags": True}),
        (["--no-enable-ecs-managed-tags"], {"enableECSManagedTags": False}),
        (["--launch-type", "EC2"], {"launchType": "EC2"}),
        (["--group", "123"], {"group": "123"}),
        (
            ["--placement-strategy", "type=spread,field=attribute:ecs.availability-zone", "type=binpack,field=memory"],
            {
                "placementStrategy": [
                    {"type": "spread", "field": "attribute:ecs.availability-zone"},
                    {"type": "binpack", "field": "memory"},
                ]
            },
        ),
        (
            ["--placement-constraints", '[{"type": "distinctInstance"}]'],
            {"placementConstraints": [{"type": "distinctInstance"}]},
        ),
        (
            ["--placement-constraints", '{"type": "distinctInstance"}', '{"type": "memberOf", "expression": "x"}'],
            {"placementConstraints": [{"type": "distinctInstance"}, {"type": "memberOf", "expression": "x"}]},
        ),
        (
            [
                "--network-configuration",
                "awsvpcConfiguration={subnets=[s-1,s-2],securityGroups=sg,assignPublicIp=DISABLED}",
            ],
            {
                "networkConfiguration": {
                    "awsvpcConfiguration": {
                        "subnets": ["s-1", "s-2"],
                        "securityGroups": ["sg"],
                        "assignPublicIp": "DISABLED",
                    }
                }
            },
        ),
        (
            ["--overrides", 'containerOverrides=[{name=web,cpu=128,command=["sh","-c","echo a,b"]}],cpu=256'],
            {
                "overrides": {
                    "containerOverrides": [{"name": "web", "cpu": 128, "command": ["sh", "-c", "echo a,b"]}],
                    "cpu": "256",
                }
            },
        ),
        (
            ["--overrides", '{"containerOverrides": [{"name": "web", "environment": []}]}'],
            {"overrides": {"containerOverrides": [{"name": "web", "environment": []}]}},
        ),
        (
            ["--capacity-provider-strategy", "capacityProvider=a,weight=1", "capacityProvider=b"],
            {"capacityProviderStrategy": [{"capacityProvider": "a", "weight": 1}, {"capacityProvider": "b"}]},
        ),
        (["--tags", "key=a,value=b"], {"tags": [{"key": "a", "value": "b"}]}),
        (["--tags"], {"tags": []}),
        (
            ["--volume-configurations", "name=v,managedEBSVolume={roleArn=r,encrypted=true,sizeInGiB=5}"],
            {
                "volumeConfigurations": [
                    {"name": "v", "managedEBSVolume": {"roleArn": "r", "encrypted": True, "sizeInGiB": 5}}
                ]
            },
        ),
    ],
)
def test_what_is_written_becomes_the_request(words: list[str], member: dict[str, Any]) -> None:
    assert run_task(*words) == {"taskDefinition": "web"} | member


def test_a_list_of_strings_is_words_or_json() -> None:
    assert request(DescribeTasksRequest, "--tasks", "a", "b") == {"tasks": ["a", "b"]}
    assert request(DescribeTasksRequest, "--tasks", '["a", "b"]') == {"tasks": ["a", "b"]}
    assert request(DescribeTasksRequest, "--tasks", "a,b") == {"tasks": ["a,b"]}


def test_maps_and_lists_inside_a_definition_are_written_in_shorthand() -> None:
    container = "name=a,image=b,environment=[{name=X,value=1}],dockerLabels={k=v},portMappings=[{containerPort=80}]"
    found = request(RegisterTaskDefinitionRequest, "--family", "f", "--container-definitions", container)
    assert found["containerDefinitions"] == [
        {
            "name": "a",
            "image": "b",
            "environment": [{"name": "X", "value": "1"}],
            "dockerLabels": {"k": "v"},
            "portMappings": [{"containerPort": 80}],
        }
    ]


def test_any_value_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tags.json").write_text('[{"key": "a", "value": "b"}]')
    (tmp_path / "short").write_text("key=a,value=b")
    (tmp_path / "name").write_text("blue")
    monkeypatch.setenv("HERE", str(tmp_path))
    assert run_task("--tags", f"file://{tmp_path}/tags.json")["tags"] == [{"key": "a", "value": "b"}]
    assert run_task("--tags", f"file://{tmp_path}/short")["tags"] == [{"key": "a", "value": "b"}]
    assert run_task("--tags", f"key=a,value@=file://{tmp_path}/name")["tags"] == [{"key": "a", "value": "blue"}]
    assert run_task("--group", "file://$HERE/name")["group"] == "blue"
    assert run_task("--group", f"fileb://{tmp_path}/name")["group"] == "blue"


def test_options_override_the_request_given_as_json_or_yaml() -> None:
    values = {"cli_input_json": '{"taskDefinition": "a", "count": 2}', "count": "3"}
    assert to_wire(build(RunTaskRequest, values, flags_of(RunTaskRequest))) == {"taskDefinition": "a", "count": 3}
    values = {"cli_input_yaml": "taskDefinition: a\ncount: 2\n"}
    assert to_wire(build(RunTaskRequest, values, flags_of(RunTaskRequest))) == {"taskDefinition": "a", "count": 2}
    with pytest.raises(UsageError, match="only one of"):
        build(RunTaskRequest, {"cli_input_json": "{}", "cli_input_yaml": "{}"}, flags_of(RunTaskRequest))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--count", "two"], "Error parsing parameter '--count': expected a whole number, got 'two'"),
        (["--count", "1" * 5000], "Error parsing parameter '--count': expected a whole number"),
        (["--placement-strategy", "typ=spread"], "--placement-strategy': unknown key 'typ'; did you mean \"type\"?"),
        (["--placement-strategy", "spread"], "--placement-strategy': expected '=', received the end"),
        (["--placement-strategy", "type=a,b"], "--placement-strategy': type: expected one value, got a,b"),
        (["--overrides", "containerOverrides=[{name=a,cpu=x}]"], "containerOverrides[0].cpu: expected a whole number"),
        (["--overrides", "containerOverrides=[a]"], "containerOverrides[0]: expected a structure in braces"),
        (["--overrides", "{"], "Error parsing parameter '--overrides': JSON:1:"),
        (["--overrides", " "], "expected JSON or shorthand, got nothing"),
        (["--overrides", "file:///nowhere/x"], "Unable to load paramfile file:///nowhere/x: No such file or directory"),
        (["--overrides", "file:///"], "Is a directory"),
        (["--volume-configurations", "name=v,managedEBSVolume={encrypted=yes}"], "expected true or false, got 'yes'"),
    ],
)
def test_a_malformed_value_is_a_usage_error(words: list[str], problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        run_task(*words)
    assert problem in str(raised.value)


def test_a_binary_file_is_no_value(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        run_task("--group", f"file://{tmp_path}/x")
    (tmp_path / "big").write_bytes(b"x" * (20 << 20))
    with pytest.raises(UsageError, match="larger than"):
        run_task("--group", f"file://{tmp_path}/big")


def test_json_of_the_wrong_form_is_a_parameter_error() -> None:
    with pytest.raises(ParameterError, match=r"Parameter validation failed: overrides.cpu: expected a string.*quotes"):
        run_task("--overrides", '{"cpu": 256}')
    with pytest.raises(ParameterError, match=r'overrides.cpus: unknown field; did you mean "cpu"\?'):
        run_task("--overrides", '{"cpus": "256"}')


def test_a_word_ecs_does_not_know_is_left_to_the_service() -> None:
    with pytest.raises(ApiError) as raised:
        run_task("--launch-type", "SPOT")
    assert raised.value.code == "InvalidParameterException"
    with pytest.raises(ApiError):
        request(CreateClusterRequest, "--settings", "name=x,value=y")


def test_what_is_missing_is_named_as_the_aws_cli_does() -> None:
    with pytest.raises(UsageError, match=r"^the following arguments are required: --container-instance$"):
        request(DeregisterContainerInstanceRequest, "--force")
    with pytest.raises(UsageError, match=r"^the following arguments are required: --family, --container-definitions$"):
        request(RegisterTaskDefinitionRequest)
