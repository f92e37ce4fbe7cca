"""Fixtures every room's tests may use."""

from __future__ import annotations

import pytest

from tests.images import ensure_image


@pytest.fixture(scope="session")
def engine_image() -> str:
    """The name of an image that the current Docker Engine has; see tests.images."""
    return ensure_image()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="run the simulation with this seed only")
