"""docs/operations.md has every operation of ECS, and says of each what the code does."""

from __future__ import annotations

from ecsctl.operations.actions import ROOMS, WHY_NOT
from tests.docs.operations import MODEL, NOTES, PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_operation_of_ecs_stands_there_once() -> None:
    rows = [line.split("|")[1].strip() for line in page().splitlines() if line.startswith("| ")]
    assert rows[1:] == sorted(MODEL.operation_names)


def test_each_works_or_is_refused_for_a_reason_and_nothing_else_is() -> None:
    assert set(ROOMS) | set(WHY_NOT) == set(MODEL.operation_names)
    assert not set(ROOMS) & set(WHY_NOT)
    assert all(WHY_NOT.values())
    assert set(NOTES) <= set(ROOMS)
