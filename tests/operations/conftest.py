"""A simulated world whose actions are called with wire data, as a client would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate
import pytest

from ecsctl.engine.simulated_container import Program, StartError
from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode, to_wire
from ecsctl.operations.actions import operation_of, shape_of
from tests.controller.world import World, world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    broken = Program(start_error=StartError(400, "no such file", 127))
    with world_in(tmp_path, hosts=2, once=Program(exits_after=0.0), broken=broken) as world:
        yield world


@pytest.fixture(scope="session")
def published() -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecs", "service-2"), "ecs")


@pytest.fixture
def call(world: World, published: botocore.model.ServiceModel) -> Any:
    """Calls an action by name with wire data; request and answer have to be of the published shapes."""
    validator = botocore.validate.ParamValidator()

    def call(action: str, **request: Any) -> Any:
        operation = published.operation_model(action)
        of_aws = {name: value for name, value in request.items() if name not in ("priority", "seed")}
        assert not validator.validate(of_aws, operation.input_shape).has_errors()
        answer = to_wire(operation_of(action)(world.process(), decode(shape_of(action, "Request"), request)))
        report = validator.validate(answer, operation.output_shape)
        assert not report.has_errors(), report.generate_report()
        unknown = set(answer) - set(operation.output_shape.members)
        assert not unknown
        return answer

    return call


def refused(call: Any, code: str, action: str, **request: Any) -> str:
    with pytest.raises(ApiError) as caught:
        call(action, **request)
    assert caught.value.code == code
    return caught.value.message
