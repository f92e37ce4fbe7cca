"""Files that people bring: each is read as meant, or refused with one line that says where and what to do."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecsctl.cli.documents import parse_toml, parse_yaml, read_data, read_document
from ecsctl.model.errors import InputError
from ecsctl.operations import strict_json
from ecsctl.operations.strict_json import MAX_BYTES, parse_json
from tests import unprivileged


def _reading(read: Callable[[], Any]) -> str:
    """The line that `read` ends with; empty when it succeeds. Any other exception is the test's failure."""
    try:
        read()
    except InputError as error:
        return str(error)
    return ""


def _line(tmp_path: Path, name: str, content: str | bytes) -> str:
    """The one line that reading the file ends with, the directory's name cut off."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as raised:
        read_document(path)
    assert "\n" not in str(raised.value)
    return str(raised.value).removeprefix(f"{tmp_path}{os.sep}")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"a": [1, "x", true, null, 1.5]}'),
        ("a.yaml", "a: [1, x, true, null, 1.5]"),
        ("a.yml", 'a:\n- 1\n- "x"\n- true\n- ~\n- 1.5\n'),
        ("plain", '  {"a": [1, "x", true, null, 1.5]}'),
        ("noending", "# yaml\na: [1, x, true, null, 1.5]"),
        ("a.json", "\ufeff" + '{"a": [1, "x", true, null, 1.5]}'),
    ],
)
def test_the_same_data_in_each_notation(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert read_document(tmp_path / name) == {"a": [1, "x", True, None, 1.5]}


def test_toml(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('family = "f"\n[[containerDefinitions]]\nname = "web"\ncpu = 10\n')
    assert read_document(tmp_path / "a.toml") == {
        "family": "f",
        "containerDefinitions": [{"name": "web", "cpu": 10}],
    }


def test_yaml_has_no_surprises() -> None:
    text = "{date: 2024-01-01, no: no, on: on, time: 22:22, account: 012345678901, hex: 0x1f, quoted: '1', n: -3}"
    assert parse_yaml(text, "f") == {
        "date": "2024-01-01",
        "no": "no",
        "on": "on",
        "time": "22:22",
        "account": "012345678901",
        "hex": "0x1f",
        "quoted": "1",
        "n": -3,
    }


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.json", '{"a": 1, "b": {"c": 2,\n "c": 3}}', 'a.json:2:2: the key "c" is given twice in one object'),
        ("a.json", '{"a": NaN}', "a.json:1:7: NaN is not JSON: write a number"),
        ("a.json", '{"a": -Infinity}', "a.json:1:7: -Infinity is not JSON: write a number"),
        ("a.json", '{"a": 1e400}', "a.json:1:7: the number is out of range"),
        ("a.json", '{"a": ' + "9" * 5000 + "}", "a.json:1:7: the number is out of range"),
        (
            "a.json",
            '{"a": "\\ud800"}',
            "a.json:1:7: half of a surrogate pair (\\ud800 … \\udfff): not a character",
        ),
        ("a.json", '{"a":' * 60, "a.json:1:251: nested deeper than 50 levels"),
        ("a.json", '{"a": 1 "b": 2}', "a.json:1:9: not valid JSON: Expecting ',' delimiter"),
        ("a.json", "hello", "a.json:1:1: not valid JSON: Expecting value"),
        ("a.json", "[1]", "a.json: this is a list: the top level must be an object"),
        ("a.json", "null", "a.json: this is empty: the top level must be an object"),
        ("a.json", "  \n", "a.json: is empty"),
        ("a.json", b"", "a.json: is empty"),
        ("a.json", b"\x7fELF\0\0", "a.json: is a binary file, not JSON, YAML or TOML"),
        ("a.json", b'{"a":\n"\xe9"}', "a.json:2: is not UTF-8 text: save it as UTF-8"),
        ("a.json", '{"a": 1}'.encode("utf-16"), "a.json: is UTF-16 text: save it as UTF-8"),
        ("a.json", b"x" * (MAX_BYTES + 1), "a.json: larger than 1 MiB; a task definition has at most 64 KiB"),
        ("a.yaml", "a: &x [1]\nb: *x", "a.yaml:1:4: the anchor &x is not taken: write each value out"),
        ("a.yaml", "a: *x", "a.yaml:1:4: the alias *x is not taken: write the value out"),
        ("a.yaml", "a: 1\na: 2", 'a.yaml:2:1: the key "a" is given twice in one object'),
        ("a.yaml", "a: !Ref x", "a.yaml:1:4: the tag !Ref is not taken: write the plain value"),
        ("a.yaml", "a: !!binary aGk=", "a.yaml:1:4: the tag !!binary is not taken: write the plain value"),
        (
            "a.yaml",
            "a: !!python/object/apply:os.system [id]",
            "a.yaml:1:4: the tag !!python/object/apply:os.system is not taken: write the plain value",
        ),
        ("a.yaml", "<<: {a: 1}", "a.yaml:1:1: the merge key << is not taken: write the values out"),
        ("a.yaml", "? [a]\n: 1", "a.yaml:1:3: a key must be a plain name"),
        ("a.yaml", "a: .nan", "a.yaml:1:4: .nan is no number of ECS: write a number"),
        ("a.yaml", "a: 1\n---\nb: 1", "a.yaml:2:1: a second document begins: give one a file"),
        ("a.yaml", "[" * 60, "a.yaml:1:51: nested deeper than 50 levels"),
        ("a.yaml", "a:\n - b\n  c: 1", "a.yaml:3:4: not valid YAML: mapping values are not allowed"),
        ("a.yaml", "a: b\x07", "a.yaml: not valid YAML: "),
        ("a.yaml", "a: " + "x" * (300 << 10), "a.yaml: larger than 256 KiB, the limit for YAML: write it as JSON"),
        ("a.toml", "a = 1\na = 2", "a.toml"),
        ("a.toml", "a = [1", "a.toml"),
        ("a.toml", "a = 1979-05-27", "a.toml: a: a date or time: write it as a string, in quotes"),
        ("a.toml", "a = [{b = inf}]", "a.toml: a[0].b: inf and nan are no numbers of ECS: write a number"),
        ("a.toml", "a = " + "[" * 100_000, "a.toml: nested deeper than 50 levels"),
        ("a.toml", "a = " + "9" * 5000, "a.toml: the number is out of range"),
    ],
)
def test_a41_what_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, name: str, content: str | bytes, line: str
) -> None:
    assert _line(tmp_path, name, content).startswith(line)


def test_a_bare_list_of_containers_lacks_its_family(tmp_path: Path) -> None:
    line = _line(tmp_path, "a.json", '[{"name": "web", "image": "nginx"}]')
    assert 'wrap the list as {"family": "NAME", "containerDefinitions": […]}' in line


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("a.json", '{\n "cpu": {{ cpu }},\n "a": 1}', "line 2 looks like an unrendered template (`{{ cpu }}`)"),
        ("a.json", '{\n "cpu": ${CPU}\n}', "line 2 looks like an unrendered template (`${CPU}`)"),
        (
            "a.json",
            '{\n "a": "{{ must_env "TAG" }}"\n}',
            'line 2 looks like an unrendered template (`{{ must_env "TAG"',
        ),
        ("a.json", "{% if x %}\n{}", "line 1 looks like an unrendered template (`{% if x %}`)"),
        ("a.json", '<%= render "x" %>', "line 1 looks like an unrendered template (`<%= render"),
        ("a.yaml", "a: 1\nimage: {{ image }}", "line 2 looks like an unrendered template (`{{ image }}`)"),
        ("a.toml", "a = ${X}", "line 1 looks like an unrendered template (`${X}`)"),
    ],
)
def test_an_unrendered_template_is_named_as_one(tmp_path: Path, name: str, content: str, shown: str) -> None:
    line = _line(tmp_path, name, content)
    assert shown in line
    assert line.endswith("render it first")


def test_a_template_inside_a_string_is_not_blamed_for_another_mistake(tmp_path: Path) -> None:
    line = _line(tmp_path, "a.json", '{\n "image": "${IMAGE}"\n "cpu": 1\n}')
    assert line == "a.json:3:2: not valid JSON: Expecting ',' delimiter"


def test_a_template_inside_a_string_is_a_value() -> None:
    assert parse_json('{"a": "{{ env `X` }} ${Y}"}', "f") == {"a": "{{ env `X` }} ${Y}"}


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for path, line in (
        (tmp_path / "missing.json", "missing.json: no such file"),
        (tmp_path, "is a directory, not a file"),
        (tmp_path / "a\nb.json", "a\\nb.json': no such file"),
        (Path("a\0b"), "'a\\x00b': cannot be read: embedded null byte"),
        (tmp_path / "missing" / "a.json", "no such file"),
    ):
        with pytest.raises(InputError) as raised:
            read_document(path)
        assert str(raised.value).endswith(line)
        assert "\n" not in str(raised.value)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch()
    command = unprivileged.python()
    unprivileged.give_away(tmp_path, "a.json", 0o000)
    program = "import sys, pathlib; from ecsctl.cli.documents import read_document as r; r(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [*command, "-c", program, str(tmp_path / "a.json")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stderr.rstrip().endswith("permission denied"), done.stderr
    assert "InputError" in done.stderr


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"a": 1,\n}', "a comma before the closing }: remove the comma"),
        ('{"a": [1,]}', "a comma before the closing ]: remove the comma"),
        ('{\n // why\n "a": 1}', "JSON has no comments: remove it"),
        ("{'a': 1}", "strings and names stand in double quotes"),
    ],
)
def test_common_slips_are_named(tmp_path: Path, content: str, problem: str) -> None:
    assert _line(tmp_path, "a.json", content).endswith(f": not valid JSON: {problem}")


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(InputError, match="larger than 1 MiB"):
        read_document(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.json", '{"a":[' + "[]," * 340_000 + "1]}"),
        ("bomb.json", '{"a":"' + '\\"' * 500_000),
        ("bomb.json", "[" * MAX_BYTES),
        ("bomb.json", "{" + ",".join(f'"{n}":1' for n in range(90_000)) + "}"),
        ("bomb.yaml", "a: [" + "{a: 1, b: x}," * 18_000 + "]"),
        ("bomb.yaml", "[" * 250_000),
        ("bomb.yaml", "- " * 125_000),
        ("bomb.yaml", "a: &a [x]\n" + "".join(f"b{n}: [*a, *a]\n" for n in range(9000))),
        ("bomb.toml", "".join(f"a.b.c.d{n}=1\n" for n in range(16_000))),
        ("bomb.toml", "a=" + "[" * 250_000),
    ],
)
def test_nothing_takes_long(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    before = time.process_time()
    with contextlib.suppress(InputError):
        read_data(path)
    assert time.process_time() - before < 2


@given(st.binary(max_size=300), st.sampled_from(["a.json", "a.yaml", "a.toml", "a"]))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.write_bytes(content)
        line = _reading(lambda: read_document(path))
    assert "\n" not in line


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(_VALUES)
@settings(deadline=None)
def test_what_json_writes_is_read_back(data: Any) -> None:
    assert parse_json(json.dumps(data), "f") == data
    assert parse_json(json.dumps(data, ensure_ascii=False, indent=1), "f") == data


@given(st.text(alphabet="{}[]:,\"\\ \n-&*!ab10#~|>'%@`?=.$", max_size=60))
@settings(max_examples=500, deadline=None)
def test_broken_text_ends_in_one_line(text: str) -> None:
    for parse in (parse_json, parse_yaml, parse_toml):
        line = _reading(partial(parse, text, "f"))
        assert line == "" or (line.startswith("f:") and "\n" not in line)


@given(
    st.text('{}[]",:019.eE-\\\\uda NnIifalrtysuoe\u00e9', max_size=40)
    | st.from_regex(r"\[-?[0-9]{18,20}\]", fullmatch=True)
)
def test_json_that_is_read_at_a_glance_is_read_as_token_by_token(text: str) -> None:
    def outcome() -> object:
        try:
            return parse_json(text, "f")
        except InputError as error:
            return str(error)

    def refuse(_: str) -> object:
        raise ValueError

    glance = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "_plain", refuse)
        assert repr(outcome()) == repr(glance)


def test_json_alone_does_not_load_yaml() -> None:
    program = (
        "import sys; from ecsctl.operations.strict_json import parse_json; parse_json('{}', 'f');"
        "print([m for m in ('yaml', 'tomllib', 'tomli') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
