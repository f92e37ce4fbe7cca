"""Attacks by what a request says (A25, A27, A28): refused in one line, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controller.world import World
from tests.server.running import Running


def of(**container: Any) -> dict[str, Any]:
    return {"family": "app", "containerDefinitions": [{"name": "main", "image": "up", "memory": 16, **container}]}


ATTACKS: list[Any] = [
    *(
        pytest.param("RegisterTaskDefinition", of(dockerLabels={label: "x"}), label, id=f"A25-{label}")
        for label in ("ecsctl.mac", "ecsctl.task", "com.amazonaws.ecs.task-arn", "com.amazonaws.ecs.cluster")
    ),
    *(
        pytest.param("RegisterTaskDefinition", of(image=image), "image", id=f"A27-{image[:12]}")
        for image in ("-v/:/host", "--help", "a;b", "../x", "a" * 10_000, "x@sha256:bad", "a b", "a\nb")
    ),
    *(
        pytest.param(
            "CreateService", {"serviceName": name, "taskDefinition": "app", "desiredCount": 1}, "", id=f"A28-{n}"
        )
        for n, name in enumerate(("'; drop table task;--", "../../etc", "a" * 256, "\uff41", "a\n", "a\0", " a"))
    ),
]


@pytest.mark.parametrize(("operation", "request_", "told"), ATTACKS)
def test_it_is_refused_and_nothing_is_written(
    operation: str, request_: dict[str, Any], told: str, there: tuple[World, Running]
) -> None:
    world, server = there
    before = world._sequence()
    reply = server.call(operation, **request_)
    assert (reply.status, reply.json["__type"]) in ((400, "InvalidParameterException"), (400, "ClientException"))
    message = reply.json["message"]
    assert told in message
    assert "\n" not in message
    assert len(message) < 500
    assert world._sequence() == before
