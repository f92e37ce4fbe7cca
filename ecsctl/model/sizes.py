"""A task's cpu and memory, which ECS takes in two notations and stores in one, CPU units and MiB; and what ECS asks of
them, and of those of its containers, in a task definition as well as with overrides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.errors import client_exception

MIN_MEMORY = 6
_GB = 1024
_FARGATE: dict[int, range | tuple[int, ...]] = {
    256: (512, 1 * _GB, 2 * _GB),
    512: range(1 * _GB, 4 * _GB + 1, _GB),
    1024: range(2 * _GB, 8 * _GB + 1, _GB),
    2048: range(4 * _GB, 16 * _GB + 1, _GB),
    4096: range(8 * _GB, 30 * _GB + 1, _GB),
    8192: range(16 * _GB, 60 * _GB + 1, 4 * _GB),
    16384: range(32 * _GB, 120 * _GB + 1, 8 * _GB),
}
"""The MiB that there are with so many CPU units (ECS developer guide, "Fargate task definition parameters")."""
_AMOUNT = r"[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}"
_UNITS = r"[0-9]{1,9}"
FARGATE_GPU = "Fargate has no GPUs."


def task_cpu_units(text: str) -> int:
    """CPU units of a task's `cpu`: "256" is 256, "1 vCPU" is 1024, ".5 vcpu" is 512."""
    units = _size(text, "vcpu")
    if units is None:
        raise client_exception(
            f'cpu: Invalid \'cpu\' setting for task: {text[:40]!r}. Write CPU units ("256") or vCPUs ("0.25 vCPU").'
        )
    return units


def task_memory_mib(text: str) -> int:
    """MiB of a task's `memory`: "512" is 512, "1 GB" is 1024, "0.5GB" is 512."""
    mib = _size(text, "gb")
    if mib is None:
        raise client_exception(
            f'memory: Invalid \'memory\' setting for task: {text[:40]!r}. Write MiB ("512") or GB ("0.5 GB").'
        )
    return mib


def _size(text: str, suffix: str) -> int | None:
    plain = text.strip().lower()
    if re.fullmatch(_UNITS, plain):
        return int(plain) or None
    amount = plain.removesuffix(suffix).rstrip()
    if not plain.endswith(suffix) or not re.fullmatch(_AMOUNT, amount):
        return None
    size = Decimal(amount) * 1024
    return int(size) if size == int(size) and size > 0 else None


def container_size_problems(container: ContainerDefinition, task_memory: int | None) -> Iterator[tuple[str, str]]:
    """What is wrong with the sizes of a container, in a task of so many MiB if it has a size: the field, a sentence."""
    name, hard, soft = container.name, container.memory, container.memory_reservation
    if container.cpu is not None and container.cpu < 0:
        yield "cpu", f"Invalid 'cpu' setting for container '{name}'."
    if hard is not None and hard < MIN_MEMORY:
        yield "memory", f"Invalid 'memory' setting for container '{name}': engines take no less than {MIN_MEMORY} MiB."
    if soft is not None and soft < MIN_MEMORY:
        yield (
            "memoryReservation",
            f"Invalid 'memoryReservation' setting for container '{name}': engines take no less than {MIN_MEMORY} MiB.",
        )
    if hard is not None and soft is not None and hard < soft:
        yield (
            "memory",
            f"Invalid setting for container '{name}'. 'memory' must be greater than or equal to 'memoryReservation'.",
        )
    if task_memory is None:
        if hard is None and soft is None:
            yield (
                "memory",
                f"Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' "
                "must be specified.",
            )
    elif hard is not None and hard > task_memory:
        yield "memory", f"The 'memory' setting for container '{name}' is greater than for the task."


def task_size_problems(
    cpu: str | None, memory: str | None, containers: Sequence[ContainerDefinition]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the size of a task that has these containers: the field, a sentence."""
    if cpu:
        units = task_cpu_units(cpu)
        if not 128 <= units <= 196608:
            yield "cpu", f"Invalid 'cpu' setting for task: {units}. Write 128 (0.125 vCPU) to 196608 (192 vCPU)."
        if sum(container.cpu or 0 for container in containers) > units:
            yield "cpu", "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."
    if memory and sum(container.memory_reservation or 0 for container in containers) > task_memory_mib(memory):
        yield (
            "memory",
            "The sum of all container 'memoryReservation' values cannot be greater than "
            "the value of the task 'memory'.",
        )


def fargate_size_problems(cpu: str | None, memory: str | None) -> Iterator[tuple[str, str]]:
    """Why there is no task of this size on Fargate: the field, a sentence."""
    for field, value in (("cpu", cpu), ("memory", memory)):
        if not value:
            yield field, f"Fargate requires that '{field}' be defined at the task level."
    if cpu and memory:
        units, mib = task_cpu_units(cpu), task_memory_mib(memory)
        pairs = _FARGATE.get(units, ())
        if mib not in pairs:
            known = f"CPU is one of {', '.join(map(str, _FARGATE))}"
            hint = f"With {units} CPU, memory is {pairs[0]} to {pairs[-1]}" if pairs else known
            yield "memory", f"No Fargate configuration exists for given values: {units} CPU, {mib} memory. {hint}."
