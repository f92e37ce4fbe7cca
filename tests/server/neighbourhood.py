"""A server, tasks that have said something, a network and secrets, and clients of boto3 for all services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ecsctl.controller.sources import Sources
from ecsctl.engine.simulated_container import Program
from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.arn import last_part
from ecsctl.model.observed import Stream
from ecsctl.model.record import decode
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.secrets import put_secrets
from ecsctl.operations.task_definitions import register_task_definition
from tests.controller.world import World, world_in
from tests.server.running import Running, client, serving

GROUP = "/ecs/app"
LINES = 25


class Neighbourhood:
    """It is made once for a module: what its tests change must not disturb others."""

    def __init__(self, world: World, server: Running, clients: ExitStack) -> None:
        self.world = world
        self.server = server
        self._stack = clients
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The same one each time."""
        if service not in self._clients:
            made = client(self.server.path, service, inject_host_prefix=False)
            self._clients[service] = self._stack.enter_context(made)
        return self._clients[service]

    def run(self, image: str, *, group: str = GROUP, seconds: float = 0, **fields: Any) -> str:
        """Run a task that logs to a group; its id, after so many seconds."""
        options = {"awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "app"}
        container = {
            "name": "main",
            "image": image,
            "memory": 16,
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }
        definition = {"family": image, "containerDefinitions": [container]}
        if "networkConfiguration" in fields:
            definition["networkMode"] = "awsvpc"
        register_task_definition(self.world.process(), decode(RegisterTaskDefinitionRequest, definition))
        (task,) = self.client("ecs").run_task(taskDefinition=image, **fields)["tasks"]
        self.go_on(0)
        self.go_on(seconds)
        return last_part(task["taskArn"])

    def go_on(self, seconds: float) -> None:
        """Let time pass, and the controller see what has happened."""
        self.world.clock.seconds += seconds
        reconcile(self.world.process())


SOURCES = Sources(registry="registry.example:5000", registry_login="registry")


def _said(when: float, stream: Stream, text: str) -> tuple[float, Stream, bytes]:
    return when, stream, text.encode()


@contextmanager
def neighbourhood(folder: Path) -> Iterator[Neighbourhood]:
    output = tuple(_said(n * 0.5, "stderr" if n % 5 == 4 else "stdout", f"line {n}") for n in range(LINES))
    programs = {
        "talker": Program(exits_after=20, output=output),
        "chatter": Program(output=tuple(_said(float(n), "stdout", f"at {n}") for n in range(60))),
    }
    with ExitStack() as stack:
        world = stack.enter_context(world_in(folder, hosts=2, sources=SOURCES, **programs))
        put_secrets(world.process(), {"prod/db/password": "hunter2", "prod/region": "moon", "plain": "old"})
        put_secrets(world.process(), {"plain": "new", "registry": '{"username": "AWS", "password": "letmein"}'})
        server = stack.enter_context(serving(world.process(), folder / "s"))
        yield Neighbourhood(world, server, stack)
