"""A task's cpu and memory in both notations."""

from __future__ import annotations

import pytest

from ecsctl.model.errors import ApiError
from ecsctl.model.sizes import task_cpu_units, task_memory_mib


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("256", 256),
        ("1 vCPU", 1024),
        ("1vcpu", 1024),
        (".5 vcpu", 512),
        ("0.25 vCPU", 256),
        ("2.0 VCPU", 2048),
        (" 10 ", 10),
    ],
)
def test_cpu(text: str, units: int) -> None:
    assert task_cpu_units(text) == units


@pytest.mark.parametrize(
    ("text", "mib"), [("512", 512), ("1 GB", 1024), ("1GB", 1024), ("0.5GB", 512), (".5 gb", 512), ("30 GB", 30720)]
)
def test_memory(text: str, mib: int) -> None:
    assert task_memory_mib(text) == mib


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "much", "1 GHz", "vCPU", "0.0001 vCPU", "1e3", "٣", "9" * 40])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="Invalid 'cpu' setting for task"):
        task_cpu_units(text)
    with pytest.raises(ApiError, match="Invalid 'memory' setting for task"):
        task_memory_mib(text)
