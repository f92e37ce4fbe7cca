"""Small task definitions, tasks and strategies for tests of the deciding parts."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ecsctl.model import identity
from ecsctl.model.cluster import CapacityProviderStrategyItem
from ecsctl.model.record import decode
from ecsctl.model.stored import ContainerState, Endpoint, TaskRecord
from ecsctl.model.task import Container, Task
from ecsctl.model.task_definition import TaskDefinition

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
TASK_ID = "0" * 31 + "1"
CLUSTER = "arn:aws:ecs:us-east-1:000000000000:cluster/default"
INSTANCE = "arn:aws:ecs:us-east-1:000000000000:container-instance/default/" + "a" * 32


def definition(*containers: dict[str, Any], **fields: Any) -> TaskDefinition:
    """A registered definition `app:1`; each container gets an image and memory unless it says otherwise."""
    return decode(
        TaskDefinition,
        {
            "family": "app",
            "revision": 1,
            "status": "ACTIVE",
            "taskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/app:1",
            "containerDefinitions": [{"image": "busybox", "memory": 16, **c} for c in containers],
            **fields,
        },
    )


def task_of(made_from: TaskDefinition, task_id: str = TASK_ID) -> TaskRecord:
    """A new task, placed, of which no engine knows."""
    images = {str(c.name): c.image for c in made_from.container_definitions or []}
    return TaskRecord(
        task=Task(
            task_arn=f"arn:aws:ecs:us-east-1:000000000000:task/default/{task_id}",
            cluster_arn=CLUSTER,
            container_instance_arn=INSTANCE,
            task_definition_arn=made_from.task_definition_arn,
            last_status="PROVISIONING",
            desired_status="RUNNING",
            created_at=NOW,
            group="family:app",
            launch_type="EC2",
            version=1,
            containers=[Container(name=name, image=image, last_status="PENDING") for name, image in images.items()],
        ),
        containers=[
            ContainerState(name=name, engine_name=identity.container_name("app", 1, name, task_id)) for name in images
        ],
        cpu=0,
        memory=16,
        endpoint=Endpoint(offered=False),
    )


def strategy(text: str) -> list[CapacityProviderStrategyItem]:
    """A capacity provider strategy of words like `a:WEIGHT` and `b:WEIGHT+BASE`."""
    items = []
    for word in text.split():
        name, _, rest = word.partition(":")
        weight, _, base = rest.partition("+")
        items.append(CapacityProviderStrategyItem(name, weight=int(weight or 0) or None, base=int(base or 0) or None))
    return items
