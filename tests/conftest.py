"""Fixtures every room's tests may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecsctl.model.state_place import SharedState, StatePlace
from tests.images import ensure_image
from tests.postgresql import Server, server


@pytest.fixture(scope="session")
def engine_image() -> str:
    """The name of an image that the current Docker Engine has; see tests.images."""
    return ensure_image()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, for those tests that ask for one."""
    with server() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StatePlace:
    """Where a new state may be: the test is run with each kind."""
    if request.param == "sqlite":
        return tmp_path / "home" / "state.db"
    made: Server = request.getfixturevalue("postgres")
    name = made.new_database()
    return SharedState(made.url(name), tmp_path / "home" / name)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="run the simulation with this seed only")
