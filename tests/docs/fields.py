"""Every field that a task definition and the overrides of a task can have, with what becomes of it.

Walks the record types, leaf by leaf, and puts each leaf to `field_support`: where its rule looks at the value, to the
values that there are (of an enumeration, all), or to the cases that `proofs.SAMPLES` gives.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeGuard, get_args, get_origin

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.record import Record, decode, fields_of, unwrap
from ecsctl.model.task import TaskOverride
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.scheduler import field_support
from ecsctl.scheduler.field_support import TABLE, Support
from tests.docs.proofs import PROOFS, SAMPLES

CONTAINERS = "containerDefinitions[]"
OVERRIDES = "overrides"


class Entry(NamedTuple):
    """Where field_support judges: a key of its table, the record that the field is in, the field's name there."""

    path: str
    parent: type[Record]
    name: str
    kind: Any


class Leaf(NamedTuple):
    """A field without fields of its own: its path as in field_support's table, and the entry it is judged by."""

    path: str
    entry: Entry


class Row(NamedTuple):
    """One line of the page. `case`: the values that it speaks of, empty for all of them. `proofs`: names of tests,
    `module::function` of tests/scenarios."""

    path: str
    case: str
    support: Support
    proofs: tuple[str, ...]


def leaves() -> Iterator[Leaf]:
    """In the order of the records: what RegisterTaskDefinition takes, what else a revision has, the overrides."""
    yield from _leaves(RegisterTaskDefinitionRequest, "", None)
    given = fields_of(RegisterTaskDefinitionRequest)
    for leaf in _leaves(TaskDefinition, "", None):
        if leaf.path.split(".")[0].removesuffix("[]") not in given:
            yield leaf
    yield from _leaves(TaskOverride, OVERRIDES, None)


def _leaves(record: type[Record], prefix: str, above: Entry | None) -> Iterator[Leaf]:
    # As a whole a definition is judged when it is registered.
    parent = TaskDefinition if record is RegisterTaskDefinitionRequest else record
    for name, kind in fields_of(record).items():
        path = f"{prefix}.{name}" if prefix else name
        entry = above or (Entry(path, parent, name, kind) if path in TABLE else None)
        items = unwrap(get_args(kind)[0]) if get_origin(kind) is list else None
        if is_record(kind):
            yield from _leaves(kind, path, entry)
        elif is_record(items):
            yield from _leaves(items, f"{path}[]", entry)
        else:
            assert entry is not None, f"field_support judges {path} nowhere"
            yield Leaf(path, entry)


def is_record(kind: Any) -> TypeGuard[type[Record]]:
    return isinstance(kind, type) and issubclass(kind, Record)


def rows(leaf: Leaf) -> list[Row]:
    """What the page says of a field: a line for each verdict that its values may get. None: ecsctl fills it in."""
    rule = TABLE[leaf.entry.path]
    if rule is None:
        return []
    if isinstance(rule, Support):
        return [_row(leaf.path, "", rule)]
    found: dict[Support, list[str]] = {}
    for case, parent in _cases(leaf):
        record = decode(leaf.entry.parent, parent)
        value = next(getattr(record, f) for f, n in _wire_names(record) if n == leaf.entry.name)
        found.setdefault(rule(value, record), []).append(case)
    return [_row(leaf.path, ", ".join(cases), support) for support, cases in found.items()]


def _cases(leaf: Leaf) -> list[tuple[str, dict[str, Any]]]:
    """What is said of each case, and an instance of it: the record that the judged field is in, as on the wire."""
    if samples := SAMPLES.get(leaf.path):
        return list(samples.items())
    name, kind = leaf.entry.name, leaf.entry.kind
    if get_origin(kind) is Literal:
        return [(f"`{word}`", {name: word}) for word in get_args(kind)]
    if get_origin(kind) is list and get_origin(unwrap(get_args(kind)[0])) is Literal:
        return [(f"`{word}`", {name: [word]}) for word in get_args(unwrap(get_args(kind)[0]))]
    assert kind is bool, f"{leaf.path} is judged by its value: give tests.docs.proofs.SAMPLES an instance of each case"
    return [("`true`", {name: True})]  # `false` asks for nothing


def _wire_names(record: Record) -> Iterator[tuple[str, str]]:
    yield from zip(record.__struct_fields__, record.__struct_encode_fields__, strict=True)


def _row(path: str, case: str, support: Support) -> Row:
    """With the tests of the field; what is honoured may be shown by those of the nearest that it is part of."""
    nearest = next((name for name in (path, *parts_of(path)) if name in PROOFS), None)
    shown = nearest is not None and (support.verdict == "honoured" or (support.verdict == "mapped" and nearest == path))
    return Row(path, case, support, PROOFS[nearest] if nearest and shown else ())


def parts_of(path: str) -> Iterator[str]:
    """What a field is part of, the nearest first, without the `[]` at the end."""
    while path := path.rpartition(".")[0]:
        path = path.removesuffix("[]")
        yield path


def outcomes(entry: Entry) -> set[str]:
    """What the rule of an entry can answer, as its source says it."""
    rule = TABLE[entry.path]
    if rule is None or isinstance(rule, Support) or rule.__name__ == "<lambda>":
        return set()
    found = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(rule)))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("_no", "_maps", "Support")
        ):
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Name) and isinstance(getattr(field_support, node.id, None), Support):
            found.add(node.id)
    return found - {"_EMPTY"}
