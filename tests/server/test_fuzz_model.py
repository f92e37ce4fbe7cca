"""By botocore's shapes, for each of ECS's operations: what the model allows is understood, what it does not is refused;
never a server error, and a refusal changes nothing."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import botocore.session
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecsctl.operations.actions import ROOMS
from ecsctl.server.protocol import ELSEWHERE
from tests.controller.world import World
from tests.server.running import Reply, Running, state_of
from tests.server.test_fuzz import LIKELY, WORDS

MODEL = botocore.session.get_session().get_service_model("ecs")
ANSWERED = set(ROOMS) - set(ELSEWHERE)
FEW = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
NUMBERS = (0, 1, 2, 10, 100, 300, 65535, -1, 2**31 - 1, -(2**31))
UNREADABLE = ("SerializationException",)
MISFIT = ("SerializationException", "InvalidParameterException", "ClientException")


@cache
def allowed(shape: Any) -> st.SearchStrategy[Any]:
    """What the model allows."""
    match shape.type_name:
        case "structure":
            return _structures(shape)
        case "list":
            least = shape.metadata.get("min", 0)
            return st.lists(allowed(shape.member), min_size=least, max_size=least + 2)
        case "map":
            return st.dictionaries(WORDS, allowed(shape.value), max_size=2)
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            least, most = shape.metadata.get("min", -(2**31)), shape.metadata.get("max", 2**31 - 1)
            return st.sampled_from([n for n in (*NUMBERS, least, most) if least <= n <= most])
        case "double" | "float":
            return st.sampled_from((0.0, 0.5, 100.0, -1.0, 1e300))
        case "timestamp":
            return st.sampled_from((0, 1_700_000_000.5, 4_000_000_000))
        case _:
            return st.sampled_from(shape.enum) if shape.enum else WORDS


@st.composite
def _structures(draw: st.DrawFn, shape: Any) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(sorted(shape.members)), max_size=4, unique=True)) if shape.members else []
    names = dict.fromkeys([*shape.required_members, *chosen])
    return {name: _known(draw, name, shape.members[name]) for name in names}


def _known(draw: st.DrawFn, name: str, shape: Any) -> Any:
    """For the most part the name of something that there is: else hardly a request gets beyond a first look."""
    likely = LIKELY.get(name)
    if isinstance(likely, list) and isinstance(likely[0], str) and shape.member.type_name != "string":
        likely = None  # `services` of Service Connect are others than those that DescribeServices names
    return likely if likely is not None and draw(st.integers(0, 4)) else draw(allowed(shape))


@st.composite
def spoilt(draw: st.DrawFn, shape: Any) -> Any:
    """What the model allows, but for one thing somewhere in it."""
    return _spoil(draw, shape, draw(allowed(shape)))


def _spoil(draw: st.DrawFn, shape: Any, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        name = draw(st.sampled_from(sorted(value)))
        below = shape.value if shape.type_name == "map" else shape.members[name]
        return {**value, name: _spoil(draw, below, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        return [_spoil(draw, shape.member, value[0]), *value[1:]]
    match shape.type_name:
        case "structure" if shape.required_members and draw(st.booleans()):
            return {name: item for name, item in value.items() if name != shape.required_members[0]}
        case "structure":
            return draw(st.sampled_from(({**value, "strange": 1}, [], "x")))
        case "list":
            return draw(st.sampled_from(({}, "x", 1)))
        case "map":
            return draw(st.sampled_from(([], "x", {"a": {}})))
        case "string" if shape.enum:
            return draw(st.sampled_from(("MOON", "", 1)))
        case "string":
            return draw(st.sampled_from((1, True, [], {})))
        case "boolean":
            return draw(st.sampled_from(("true", 0, [])))
        case "timestamp":
            return draw(st.sampled_from(("now", [], 1e18, True)))
        case _:
            return draw(st.sampled_from(("1", [], True, 10**30)))


def answered(there: tuple[World, Running], operation: str, request: Any) -> Reply:
    """The answer, which is no server error; where it is a refusal, nothing has changed."""
    world, server = there
    before = state_of(world)
    reply = server.raw(operation, json.dumps(request).encode())
    assert reply.status in (200, 400), (reply, server.log[-2:])
    if reply.status == 400:
        assert set(reply.json) <= {"__type", "message", "resourceIds"}
        assert state_of(world) == before, (reply.json, "a refusal changed the state")
    return reply


@pytest.mark.parametrize("operation", sorted(MODEL.operation_names))
@given(data=st.data())
@FEW
def test_what_the_model_allows_is_understood(operation: str, data: st.DataObject, there: tuple[World, Running]) -> None:
    request = data.draw(allowed(MODEL.operation_model(operation).input_shape))
    reply = answered(there, operation, request)
    if operation not in ANSWERED:
        assert reply.json["__type"] == "UnsupportedFeatureException"
    elif reply.status == 400:
        assert reply.json["__type"] not in UNREADABLE, reply.json
        assert "unknown field" not in reply.json["message"]
        assert "is required but missing" not in reply.json["message"]


@pytest.mark.parametrize("operation", sorted(MODEL.operation_names))
@given(data=st.data())
@FEW
def test_what_the_model_does_not_allow_is_refused(
    operation: str, data: st.DataObject, there: tuple[World, Running]
) -> None:
    request = data.draw(spoilt(MODEL.operation_model(operation).input_shape))
    reply = answered(there, operation, request)
    assert reply.status == 400, request
    if operation in ANSWERED:
        assert reply.json["__type"] in MISFIT, reply.json
