"""A task's cpu and memory, which ECS takes in two notations and stores in one: CPU units and MiB."""

from __future__ import annotations

import re
from decimal import Decimal

from ecsctl.model.errors import client_exception

_AMOUNT = r"[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}"
_UNITS = r"[0-9]{1,9}"


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
