"""Real definitions from public projects (tests/taskdefs, origins in its INDEX.tsv): which register, and why not.

A definition is valid here when Amazon ECS would take it. Placeholders in values that ECS does not look
into (an account of XXXXXXXXXXXX in a role, `<aws_region>` as a log option) leave it valid; a template
expression where ECS wants an image or a role does not.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from ecsctl.cli.documents import read_document
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.errors import EcsctlError
from ecsctl.model.record import to_wire
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.operations.definition_document import definition_request
from ecsctl.operations.definition_rules import validate
from ecsctl.operations.registered_definition import register
from ecsctl.scheduler.field_support import refusals

CORPUS = Path(__file__).parent.parent / "taskdefs"

REGISTERS: dict[str, list[str]] = {
    # Containers' paths are without `containerDefinitions`. What stands beside a file is what cannot be run yet.
    "consul-consulclient.json": [],
    "nginx-nginx-ec2.json": [],
    # awsvpc, host ports equal or absent
    "gunicorn-gunicorn-ec2.json": [],
    "jetty-jetty-ec2.json": [],
    "wildfly-wildfly-ec2.json": [],
    # FireLens: a router and an application that logs through it; accounts are XXXXXXXXXXXX
    "firelens-fluent-bit-add-keys-td.json": [],
    "firelens-fluent-bit-amazon-managed-service-for-prometheus-td.json": [],
    "firelens-fluent-bit-amazon-opensearch-td.json": [],
    "firelens-fluent-bit-cloudwatchlogs-emf-emf-over-tcp-td-localhost.json": [],
    "firelens-fluent-bit-cloudwatchlogs-td-cloudwatch.json": [],
    "firelens-fluent-bit-config-file-type-file-td.json": [],
    # … the application's log driver without options: the router's configuration says it all
    "firelens-fluent-bit-oomkill-prevention-firelens-full-filesystem-example-td.json": [],
    "firelens-fluent-bit-send-to-multiple-destinations-td.json": [],
    "firelens-fluent-bit-ecs-log-collection-td-tail.json": [],
    "firelens-fluent-bit-ecs-log-deletion-take-definition-tail.json": [],
    "firelens-fluent-bit-filter-multiline-partial-message-mode-td.json": [],
    "firelens-fluent-bit-forward-to-aggregator-td.json": [],
    "firelens-fluent-bit-health-check-td-output-metrics-healthcheck.json": [],
    "firelens-fluent-bit-health-check-td-uptime-healthcheck.json": [],
    "firelens-fluent-bit-kinesis-firehose-td.json": [],
    "firelens-fluent-bit-log-driver-buffer-limit-td.json": [],
    "firelens-fluent-bit-multi-config-support-td.json": [],
    "firelens-fluent-bit-parse-common-log-formats-td.json": [],
    "firelens-fluent-bit-parse-json-td.json": [],
    "firelens-fluentd-multiline-logs-td.json": [],  # an image with capitals: ECS registers it, no engine pulls it
    # with secretOptions
    "firelens-fluent-bit-datadog-td.json": [],
    "firelens-fluent-bit-elastic-cloud-td.json": [],
    "firelens-fluent-bit-sematext-td.json": [],
    "firelens-fluent-bit-solarwinds-loggly-td.json": [],
    # Fargate
    "firelens-splitting-log-streams-fluentd-td.json": [],
}

AWSVPC = (
    "containerDefinitions[0].portMappings[0].hostPort: When networkMode=awsvpc, the host ports and container ports in "
    "port mappings must match: 80 is not {port}. Leave hostPort out, or make it equal."
)
DESCRIBED = "output of describe-task-definition"

REFUSED: dict[str, str] = {
    # ECS's rule for awsvpc, which these files break
    "kibana-kibana-ec2.json": AWSVPC.format(port=5601),
    "tomcat-tomcat-ec2.json": AWSVPC.format(port=8080),
    # templates of ecspresso, which renders them before it calls ECS
    "ecspresso-tests-ci-ecs-task-def-daemon.json": "taskRoleArn: Role is not valid: "
    "'arn:aws:iam::{{must_env `AWS_ACCOUNT_ID`}}:role/ecsTaskRole'; "
    "it looks like an unrendered template: render it first.",
    "ecspresso-tests-ecs-task-def.json": "containerDefinitions[0].image: Container.image contains invalid characters: "
    "\"{{ tfstate `aws_ecr_repository.all['app'].repository_url` }}…\"; "
    "it looks like an unrendered template: render it first.",
    # answers of describe-task-definition, wrapped and unwrapped (and templates besides)
    "ecspresso-tests-td-in-tags.json": f"ecspresso-tests-td-in-tags.json: this is the {DESCRIBED}: "
    'keep only what is inside "taskDefinition" and remove status, revision from it',
    "ecspresso-tests-td-plain.json": f"ecspresso-tests-td-plain.json: status, revision are {DESCRIBED}, "
    "not input: remove them",
}


def _request(name: str) -> RegisterTaskDefinitionRequest:
    request = definition_request(read_document(CORPUS / name), name)
    validate(request)
    return request


def _registered(name: str) -> TaskDefinition:
    now = datetime(2024, 1, 1, tzinfo=timezone.utc)
    return register(_request(name), 1, "arn:aws:ecs:us-east-1:000000000000:task-definition/f:1", now, "arn:x")


def test_every_file_of_the_corpus_is_in_one_table() -> None:
    files = {path.name for path in CORPUS.glob("*.json")}
    assert len(files) == 36
    assert files == REGISTERS.keys() | REFUSED.keys()
    assert not REGISTERS.keys() & REFUSED.keys()


@pytest.mark.parametrize("name", REGISTERS)
def test_a_valid_definition_registers_with_everything_in_it(name: str) -> None:
    given, stored = to_wire(_request(name)), to_wire(_registered(name))
    assert _lost(given, stored, "") == []


@pytest.mark.parametrize(("name", "expected"), REGISTERS.items())
def test_what_cannot_be_run_yet_is_refused_by_name(name: str, expected: list[str]) -> None:
    found = [verdict.path.removeprefix("containerDefinitions") for verdict in refusals(_registered(name))]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(("name", "line"), REFUSED.items())
def test_an_invalid_definition_is_refused_with_a_line_to_act_on(name: str, line: str) -> None:
    with pytest.raises(EcsctlError) as raised:
        _request(name)
    assert str(raised.value) == line


def test_the_rendered_templates_register() -> None:
    """The refused templates are refused for their expressions alone."""
    for name in ("ecspresso-tests-ci-ecs-task-def-daemon.json", "ecspresso-tests-ecs-task-def.json"):
        data = read_document(CORPUS / name)
        for field in ("taskRoleArn", "executionRoleArn"):
            if field in data:
                data[field] = "arn:aws:iam::123456789012:role/ecsTaskRole"
        data["containerDefinitions"][0]["image"] = "nginx:latest"
        validate(definition_request(data, name))


def _lost(given: object, stored: object, path: str) -> list[str]:
    """The paths of what was given and is not stored as it was."""
    if isinstance(given, dict) and isinstance(stored, dict):
        return [lost for key, item in given.items() for lost in _lost(item, stored.get(key), f"{path}.{key}")]
    if isinstance(given, list) and isinstance(stored, list) and len(given) == len(stored):
        pairs = enumerate(zip(given, stored, strict=True))
        return [lost for index, (item, other) in pairs for lost in _lost(item, other, f"{path}[{index}]")]
    return [] if given == stored else [path]
