"""The page of fields is true: every field of ECS is on it, its verdicts are those given, its proofs are tests."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StructureShape  # type: ignore[import-untyped, unused-ignore]

from ecsctl.scheduler.field_support import TABLE, Support
from tests.docs.fields import Entry, Row, leaves, outcomes, parts_of, rows
from tests.docs.page import PAGE, page
from tests.docs.proofs import PROOFS, SAMPLES
from tests.model.test_coverage import MODEL

SCENARIOS = Path(__file__).parents[1] / "scenarios"
ROWS = [row for leaf in leaves() for row in rows(leaf)]
GIVEN = {"containerDefinitions", "volumes", "overrides", "containerOverrides"}
"""What scenarios write by something of their room."""


def _published(shape: Shape, path: str) -> list[str]:
    """The paths of the fields that botocore's model has in a shape and that have none of their own."""
    if isinstance(shape, ListShape) and isinstance(shape.member, StructureShape):
        return _published(shape.member, f"{path}[]")
    if isinstance(shape, StructureShape):
        inner = ((f"{path}.{name}" if path else name, member) for name, member in shape.members.items())
        return [leaf for name, member in inner for leaf in _published(member, name)]
    return [path]


def test_the_page_is_what_make_docs_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_the_page_has_exactly_the_fields_that_ecs_publishes() -> None:
    found = [leaf.path for leaf in leaves()]
    request = MODEL.operation_model("RegisterTaskDefinition").input_shape
    published = {
        *_published(request, ""),
        *_published(MODEL.shape_for("TaskDefinition"), ""),
        *_published(MODEL.shape_for("TaskOverride"), "overrides"),
    }
    assert len(found) == len(set(found))
    assert sorted(set(found) ^ published) == []
    assert len(found) >= 161  # what botocore 1.44 publishes; fewer found means that the walk is broken


def test_whatever_is_honoured_names_the_test_that_shows_it() -> None:
    assert [row.path for row in ROWS if row.support.verdict == "honoured" and not row.proofs] == []


def test_whatever_is_mapped_or_refused_says_to_what_or_why() -> None:
    assert [row for row in ROWS if row.support.verdict != "honoured" and not row.support.note] == []


@pytest.mark.parametrize("proof", sorted({proof for proofs in PROOFS.values() for proof in proofs}))
def test_a_proof_is_a_test_on_a_real_engine(proof: str) -> None:
    module, _, function = proof.partition("::")
    tree = ast.parse((SCENARIOS / f"{module}.py").read_text(encoding="utf-8"))
    assert function in {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")}
    marks = [ast.unparse(n.value) for n in tree.body if isinstance(n, ast.Assign) and "pytestmark" in ast.unparse(n)]
    assert any("pytest.mark.docker" in mark for mark in marks)


@pytest.mark.parametrize("row", [row for row in ROWS if row.proofs], ids=lambda row: f"{row.path} {row.case}".strip())
def test_one_of_the_proofs_of_a_field_sets_it_in_what_it_is_part_of(row: Row) -> None:
    field = {name.removesuffix("[]") for name in row.path.split(".")}
    assert any(field - GIVEN <= _words(proof) for proof in row.proofs), row.proofs


@cache
def _words(proof: str) -> set[str]:
    """The words of a test and of whatever of its module it uses: names, and those in its texts."""
    module, _, function = proof.partition("::")
    parts: dict[str, ast.stmt] = {}
    for node in ast.parse((SCENARIOS / f"{module}.py").read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        parts.update(dict.fromkeys([node.name] if isinstance(node, ast.FunctionDef) else names, node))
    found: set[str] = set()
    left = [function]
    while left:
        words = set(re.findall(r"\w+", ast.unparse(parts.pop(left.pop()))))
        left = [*{*left, *(words & parts.keys())}]
        found |= words
    return found


def test_every_proof_and_every_instance_is_of_a_field_on_the_page() -> None:
    fields = {row.path for row in ROWS}
    known = {name for path in fields for name in (path, *parts_of(path))}
    assert sorted(PROOFS.keys() - known) == []
    assert sorted(SAMPLES.keys() - fields) == []


def _judged() -> list[tuple[Entry, set[Support]]]:
    """Each rule that looks at the value, with all that it is shown to answer."""
    found: dict[str, tuple[Entry, set[Support]]] = {}
    for leaf in leaves():
        if callable(TABLE[leaf.entry.path]):
            _, answers = found.setdefault(leaf.entry.path, (leaf.entry, set()))
            answers.update(row.support for row in rows(leaf))
    return list(found.values())


@pytest.mark.parametrize(("entry", "answers"), _judged(), ids=lambda value: getattr(value, "path", ""))
def test_every_answer_of_a_rule_is_on_the_page(entry: Entry, answers: set[Any]) -> None:
    assert len(answers) >= len(outcomes(entry)), f"{entry.path}: add an instance to SAMPLES for {outcomes(entry)}"
