"""What is on labels: enough to rebuild a state, nothing that may be secret, and read with care."""

from __future__ import annotations

import base64
import hmac
import json
import zlib

import pytest

from ecsctl.model import identity
from ecsctl.model.common import KeyValuePair
from ecsctl.model.record import evolve
from ecsctl.model.service import Service
from ecsctl.model.task import ContainerOverride, TaskOverride
from ecsctl.scheduler.container_spec import create_body, digest_of
from ecsctl.scheduler.labels import about_in, definition_in
from tests.making import NOW, definition, task_of

KEY = b"key"
SIGNATURE = identity.Signature("install", lambda: KEY)
SECRET = "hunter2"


def labels() -> dict[str, str]:
    logs = {"logDriver": "splunk", "options": {"splunk-token": SECRET}}
    made = definition({"name": "main", "environment": [{"name": "A", "value": SECRET}], "logConfiguration": logs})
    record = task_of(made)
    given = [ContainerOverride(name="main", environment=[KeyValuePair(name="B", value=SECRET)])]
    record.task.overrides = TaskOverride(container_overrides=given)
    service = Service(service_name="web", desired_count=3)
    body = create_body(record, made, "main", SIGNATURE, service=service)
    assert body["Labels"][identity.SPEC] == digest_of(record, made, "main")
    found: dict[str, str] = body["Labels"]
    return found


def test_a_task_and_its_service_can_be_read_again() -> None:
    about, made = about_in(labels()), definition_in(labels())
    assert about is not None
    assert made is not None
    assert (about.created_at, about.group, about.launch_type) == (NOW, "family:app", "EC2")
    assert about.service == Service(service_name="web", desired_count=3)
    assert [pair.name for c in made.container_definitions or [] for pair in c.environment or []] == ["A"]


def test_nothing_that_may_be_secret_is_on_a_label() -> None:
    for name, value in labels().items():
        assert SECRET not in value, name
        if name in (identity.TASK_DEFINITION, identity.ABOUT):
            plain = zlib.decompress(base64.b64decode(value)).decode()
            assert SECRET not in plain, name


def test_where_awslogs_go_is_told() -> None:
    logs = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-region": "us-east-1"}}
    made = definition({"name": "main", "logConfiguration": logs})
    told = definition_in(create_body(task_of(made), made, "main", SIGNATURE)["Labels"])
    assert told == made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%%%",
        base64.b64encode(b"no zlib").decode(),
        base64.b64encode(zlib.compress(b"no json")).decode(),
        base64.b64encode(zlib.compress(b'{"unheardOf": 1}')).decode(),
        base64.b64encode(zlib.compress(b"[" + b" " * (1 << 26))).decode(),
    ],
)
def test_labels_that_cannot_be_read_say_nothing(text: str) -> None:
    damaged = {identity.TASK_DEFINITION: text, identity.ABOUT: text}
    assert definition_in(damaged) is None
    assert about_in(damaged) is None


def test_labels_of_an_earlier_release_are_as_genuine_as_they_were() -> None:
    """Its MAC was over a list without the label that came later."""
    old = {name: value for name, value in labels().items() if name not in (identity.ABOUT, identity.MAC)}
    names = ("install", "task", "container", "host", "seq", "spec", "td")
    agent = ("cluster", "container-name", "task-arn", "task-definition-family", "task-definition-version")
    signed = [old[f"ecsctl.{name}"] for name in names] + [old[f"com.amazonaws.ecs.{name}"] for name in agent]
    old[identity.MAC] = hmac.digest(KEY, json.dumps(signed).encode(), "sha256").hex()
    assert identity.is_signed(old, KEY)
    assert not identity.is_signed({**old, identity.ABOUT: "x"}, KEY)


def test_the_new_label_cannot_be_taken_off_or_changed() -> None:
    genuine = labels()
    assert identity.is_signed(genuine, KEY)
    assert not identity.is_signed({**genuine, identity.ABOUT: "x"}, KEY)
    assert not identity.is_signed({name: v for name, v in genuine.items() if name != identity.ABOUT}, KEY)


def test_a_definition_with_other_values_has_another_digest() -> None:
    made = definition({"name": "main", "environment": [{"name": "A", "value": "b"}]})
    (container,) = made.container_definitions or []
    other = evolve(made, container_definitions=[evolve(container, environment=[KeyValuePair(name="A")])])
    assert digest_of(task_of(made), made, "main") != digest_of(task_of(made), other, "main")
