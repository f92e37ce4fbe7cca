"""docs/task-definition.md: what is honoured, mapped or refused, field by field. `make docs` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.docs.fields import CONTAINERS, OVERRIDES, Leaf, Row, leaves, rows

PAGE = Path(__file__).parents[2] / "docs" / "task-definition.md"

HEAD = """\
# The task definition, field by field

<!-- Written by `make docs` from the record types, the verdicts of ecsctl/scheduler/field_support.py and
tests/docs/proofs.py: change those. -->

What becomes of each field of a task definition, of its containers and of the overrides of `run-task`, in the order in
which the ECS API reference has them. `ecsctl check FILE` says it of one file.

- **honoured**: it does what it does on ECS; the test named beside it shows it on a real Docker Engine
- **mapped**: something else stands for it, or it is kept and shown only; the note says what
- **refused**: `run-task` refuses it, with the field's path and this reason; whatever ECS registers is registered

Nothing is taken and ignored. An empty list or object, and `false` where it switches something off, asks for nothing.
Where the answer depends on the value, each has a line of its own. `[]` stands for every item of a list.
"""

SECTIONS = {
    "Task": "What `register-task-definition` takes beside the containers.",
    "Containers": "Below `containerDefinitions[]`.",
    "Overrides": "What `run-task`, `start-task` and schedules take as `overrides`.",
    "Filled in": "What only a registered definition has. It is never judged; `register-task-definition` refuses it.",
}


def page() -> str:
    """The page as it should be."""
    found: dict[str, list[Leaf]] = {name: [] for name in SECTIONS}
    for leaf in leaves():
        found[_section(leaf)].append(leaf)
    parts = [HEAD]
    for name, of_section in found.items():
        lines = _filled_in(of_section) if name == "Filled in" else _table(of_section)
        parts.append("\n".join((f"## {name}", "", SECTIONS[name], "", *lines, "")))
    return "\n".join(parts)


def _section(leaf: Leaf) -> str:
    if leaf.path.startswith(CONTAINERS):
        return "Containers"
    if leaf.path.startswith(OVERRIDES):
        return "Overrides"
    return "Task" if rows(leaf) else "Filled in"


def _filled_in(given: Iterable[Leaf]) -> Iterator[str]:
    yield ", ".join(f"`{leaf.path}`" for leaf in given)


def _table(given: Iterable[Leaf]) -> Iterator[str]:
    yield "| Field | with | | how, or why not | shown by |"
    yield "|---|---|---|---|---|"
    for leaf in given:
        name = f"`{leaf.path.removeprefix(CONTAINERS + '.').removeprefix(OVERRIDES + '.')}`"
        for row in rows(leaf):
            yield _line(name, row)
            name = ""


def _line(name: str, row: Row) -> str:
    tests = ", ".join(_link(proof) for proof in row.proofs)
    cells = (name, row.case, row.support.verdict, row.support.note, tests)
    return "| " + " | ".join(cells) + " |"


def _link(proof: str) -> str:
    module, _, function = proof.partition("::")
    return f"[{function.removeprefix('test_').replace('_', ' ')}](../tests/scenarios/{module}.py)"
