"""Whatever is sent: an answer or a refusal in ECS's words, never a server error; and a refusal changes nothing."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal, get_args, get_origin

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecsctl.model.record import Record, fields_of
from ecsctl.operations.actions import ROOMS, shape_of
from ecsctl.server.protocol import ELSEWHERE
from tests.controller.world import World
from tests.server.running import Running, state_of

EXAMPLES = 600
ARN = "arn:aws:ecs:us-east-1:000000000000"
WORDS = st.sampled_from(
    (
        *("default", "web", "app", "app:1", "host0", "main", "up", "a", "0", "16", "attribute:ecs.availability-zone"),
        *(f"{ARN}:cluster/default", f"{ARN}:service/default/web", f"{ARN}:task-definition/app:1", f"{ARN}:task/x/y"),
        *("arn:", "arn:aws:ecs:::", "", " ", "\0", "\n", "²", "é" * 300, "a" * 300, "../..", "%s{}", "'; --"),
        *("-1", "$(x)", "\u202e\U0001f600", "runningTasksCount == 0", "[" * 200),
    )
)
JUNK: st.SearchStrategy[Any] = st.sampled_from((None, [], {}, "x", 3, True, -1.5, [[]], {"a": None}, [None]))
LIKELY: dict[str, Any] = {
    "cluster": "default",
    "clusters": ["default"],
    "containerDefinitions": [{"name": "main", "image": "up", "memory": 16}],
    "containerInstance": "host0",
    "containerInstances": ["host0"],
    "count": 1,
    "desiredCount": 1,
    "family": "other",
    "resourceArn": f"{ARN}:cluster/default",
    "service": "web",
    "services": ["web"],
    "taskDefinition": "app",
}
"""Of what there is, by the name of the member: without it hardly a request would get beyond a first look."""
NUMBERS = st.sampled_from((0, 1, 2, 10, 100, -1, 65536, 2**31, 2**63 - 1, -(2**63), 10**19 - 1))
MOMENTS = st.sampled_from((0, 1_700_000_000.5, -1, 1e18, -1e300, "now"))


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Wire data of a type, for the most part."""
    return st.integers(0, 24).flatmap(lambda chance: JUNK if chance == 0 else _sound(kind))


def _sound(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, type) and issubclass(kind, Record):
        return requests(kind)
    if get_origin(kind) is Literal:
        return st.sampled_from((*get_args(kind), *get_args(kind), "MOON"))
    if get_origin(kind) is list:
        return st.lists(values(get_args(kind)[0]), max_size=2)
    if get_origin(kind) is dict:
        return st.dictionaries(WORDS, values(get_args(kind)[1]), max_size=2)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: WORDS,
        int: NUMBERS,
        bool: st.booleans(),
        float: st.one_of(NUMBERS, st.sampled_from((0.5, 1e300))),
        datetime: MOMENTS,
    }
    return simple[kind]


@st.composite
def requests(draw: st.DrawFn, kind: type[Record]) -> dict[str, Any]:
    """An object with most of what is required, and some of the rest."""
    members = fields_of(kind)
    needed = [field.encode_name for field in msgspec.structs.fields(kind) if field.required]
    chosen = draw(st.lists(st.sampled_from(sorted(members)), max_size=4, unique=True)) if members else []
    if draw(st.integers(0, 19)):
        chosen = list(dict.fromkeys([*needed, *chosen]))
    found = {
        name: LIKELY[name] if name in LIKELY and draw(st.integers(0, 4)) else draw(values(members[name]))
        for name in chosen
    }
    if draw(st.integers(0, 29)) == 0:
        found["strange"] = 1
    return found


BODIES = st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode), JUNK.map(json.dumps).map(str.encode))
OPERATIONS = sorted(set(ROOMS) - set(ELSEWHERE))
CALLS = st.sampled_from(OPERATIONS).flatmap(
    lambda operation: st.tuples(st.just(operation), requests(shape_of(operation, "Request")))
)


@given(call=CALLS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_what_fits_the_records_or_almost_is_answered_or_refused(
    there: tuple[World, Running], call: tuple[str, dict[str, Any]]
) -> None:
    world, server = there
    operation, request = call
    before = state_of(world)
    reply = server.raw(operation, json.dumps(request).encode())
    assert reply.status in (200, 400), (reply, server.log[-2:])
    if reply.status == 400:
        assert set(reply.json) <= {"__type", "message", "resourceIds"}
        assert reply.json["__type"].endswith("Exception")
        assert "Traceback" not in reply.json["message"]
        assert state_of(world) == before, (reply.json, "a refusal changed the state")


@given(body=BODIES)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_what_is_no_request_at_all_is_refused(there: tuple[World, Running], body: bytes) -> None:
    world, server = there
    before = state_of(world)
    reply = server.raw("RunTask", body)
    assert reply.status == 400
    assert reply.json["__type"] in ("SerializationException", "InvalidParameterException")
    assert state_of(world) == before


@given(target=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_what_is_no_operation_is_refused(there: tuple[World, Running], target: str) -> None:
    reply = there[1].raw(target, b"{}")
    assert reply.status == 400
    assert reply.json["__type"] in ("UnknownOperationException", "UnsupportedFeatureException")
