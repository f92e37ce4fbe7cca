"""A simulated world whose actions are called with wire data, as a client would."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate
import pytest

from ecsctl.cli.commands import COMMANDS
from ecsctl.engine.simulated_container import Program, StartError
from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode, to_wire
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
        entry = next(entry for entry in COMMANDS.values() if entry.action == action)
        function = getattr(import_module(f"ecsctl.operations.{entry.room}"), entry.name.replace("-", "_"))
        kind = function.__globals__[f"{action}Request"]
        answer = to_wire(function(world.process(), decode(kind, request)))
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
