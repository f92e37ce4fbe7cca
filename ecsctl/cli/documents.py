"""Documents: definitions and skeletons that a person wrote, read from a file or an argument.

JSON, YAML or TOML, by the file's ending; without a known ending, JSON if it looks like it, else YAML.
The reader is strict on purpose: what two readers may understand differently (a key given twice, NaN, an
alias, a date) is refused with the place where it stands, and nothing here takes long or grows large.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from ecsctl.model.errors import InputError

T = TypeVar("T")

MAX_BYTES = 1 << 20
# Readers of YAML and TOML are some hundred times slower than JSON's; ECS takes at most 64 KiB anyway.
MAX_SLOW_BYTES = 256 << 10
MAX_DEPTH = 50
MAX_DIGITS = 19

_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "true or false", int: "a number", float: "a number"}
_TEMPLATE = re.compile(r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)|<%.*?(?:%>|$)|\$\{[^}\s]*(?:\}|$)")
# An unclosed string matches up to the end: a pattern that can fail there tries again from every quote.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?')
_NUMBER = re.compile(r"-?[0-9]")


def read_document(path: Path) -> dict[str, Any]:
    """The object in the file at `path`. Raises InputError, one line, for whatever is wrong with the file."""
    data = read_data(path)
    if isinstance(data, dict):
        return data
    from ecsctl.operations.definition_document import bare_list_hint

    hint = bare_list_hint(data) or "the top level must be an object"
    raise InputError(f"{_shown(path)}: this is {_KINDS.get(type(data), 'empty')}: {hint}")


def read_data(path: Path) -> Any:
    """The data in the file at `path`, whatever its kind; otherwise as `read_document`."""
    where = _shown(path)
    text = _text(_bytes(path, where), where)
    return _parser(path, text)(text, where)


def read_stream(path: Path) -> list[Any]:
    """All that a file holds: YAML may be several documents. Empty ones are left out; otherwise as `read_data`."""
    where = _shown(path)
    text = _text(_bytes(path, where), where)
    parser = _parser(path, text)
    found = parse_yaml_stream(text, where) if parser is parse_yaml else [parser(text, where)]
    if all(data is None for data in found):
        raise InputError(f"{where}: there is nothing in it")
    return [data for data in found if data is not None]


def _parser(path: Path, text: str) -> Callable[[str, str], Any]:
    match path.suffix.lower():
        case ".json":
            return parse_json
        case ".yaml" | ".yml":
            return parse_yaml
        case ".toml":
            return parse_toml
    return parse_json if text.lstrip()[:1] in ("{", "[") else parse_yaml


def parse_json(text: str, where: str) -> Any:
    """Strict JSON: no key twice, no NaN, no lone surrogate, no number out of range, not deeper than 50."""
    if len(text) > MAX_BYTES:
        raise InputError(f"{where}: larger than {MAX_BYTES >> 20} MiB")
    _check_depth(text, where)
    try:
        data = json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as error:
        problem = _common_slip(text, error.pos) or error.msg
        _syntax(text, where, error.lineno, error.colno, f"not valid JSON: {problem}")
    _check_tokens(text, where)
    return data


def _common_slip(text: str, position: int) -> str | None:
    """In plain words, what people most often get wrong; the parser stands at it or right after it."""
    before, after = text[:position].rstrip(), text[position:].lstrip(" \t\r\n,")
    if after[:1] in ("}", "]") and (before.endswith(",") or text[position : position + 1] == ","):
        return f"a comma before the closing {after[0]}: remove the comma"
    if after.startswith(("//", "/*", "#")):
        return "JSON has no comments: remove it"
    return "strings and names stand in double quotes" if after.startswith("'") else None


def _whole(digits: str) -> int:
    # a longer one is refused by _check_tokens, which knows where it stands
    return int(digits) if len(digits) <= MAX_DIGITS else 0


def _check_depth(text: str, where: str) -> None:
    depth = 0
    for match in _TOKEN.finditer(text):
        if match[0] in ("{", "["):
            depth += 1
            if depth > MAX_DEPTH:
                _refuse(text, where, match.start(), f"nested deeper than {MAX_DEPTH} levels")
        elif match[0] in ("}", "]"):
            depth -= 1


def _check_tokens(text: str, where: str) -> None:
    """What JSON's grammar lets pass and we do not; `text` is known to be JSON, so tokens are exact."""
    open_objects: list[set[str] | None] = []
    expects_key = False
    for match in _TOKEN.finditer(text):
        part = match[0]
        if part == "{":
            open_objects.append(set())
            expects_key = True
        elif part == "[":
            open_objects.append(None)
        elif part in ("}", "]"):
            open_objects.pop()
            expects_key = False
        elif part == ",":
            expects_key = open_objects[-1] is not None
        elif part[0] == '"':
            value = _check_string(text, where, match)
            keys = open_objects[-1] if open_objects else None
            if expects_key and keys is not None:
                if value in keys:
                    _refuse(text, where, match.start(), f"the key {_quoted(value)} is given twice in one object")
                keys.add(value)
            expects_key = False
        elif part != ":":
            _check_scalar(text, where, match)


def _check_string(text: str, where: str, match: re.Match[str]) -> str:
    value: str = json.loads(match[0])
    if _has_surrogate(value):
        _refuse(text, where, match.start(), "half of a surrogate pair (\\ud800 … \\udfff): not a character")
    return value


def _check_scalar(text: str, where: str, match: re.Match[str]) -> None:
    part = match[0]
    if part in ("NaN", "Infinity", "-Infinity"):
        _refuse(text, where, match.start(), f"{part} is not JSON: write a number")
    if _NUMBER.match(part):
        too_long = len(part.lstrip("-")) > MAX_DIGITS and part.lstrip("-").isdigit()
        if too_long or float(part) in (float("inf"), float("-inf")):
            _refuse(text, where, match.start(), "the number is out of range")


def parse_yaml(text: str, where: str) -> Any:
    """YAML's JSON-like core: no aliases, tags, merge keys or second document; dates and yes/no stay strings."""
    from ecsctl.cli.yaml_document import parse

    return _yaml(text, where, parse)


def parse_yaml_stream(text: str, where: str) -> list[Any]:
    """As parse_yaml, with any number of documents."""
    from ecsctl.cli.yaml_document import parse_stream

    return _yaml(text, where, parse_stream)


def _yaml(text: str, where: str, parse: Callable[..., T]) -> T:
    if len(text) > MAX_SLOW_BYTES:
        raise InputError(f"{where}: larger than {MAX_SLOW_BYTES >> 10} KiB, the limit for YAML: write it as JSON")
    return parse(text, lambda line, column, problem: _syntax(text, where, line, column, problem), MAX_DEPTH)


def parse_toml(text: str, where: str) -> Any:
    """TOML; its dates and times are refused, since no field of ECS's input is one."""
    if len(text) > MAX_SLOW_BYTES:
        raise InputError(f"{where}: larger than {MAX_SLOW_BYTES >> 10} KiB, the limit for TOML: write it as JSON")
    try:
        data = _toml_loads()(text)
    except RecursionError:
        raise InputError(f"{where}: nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        problem, line, column = str(error).split("\n")[0], 0, 0
        if match := re.search(r" \(at line (\d+), column (\d+)\)$", problem):
            problem, line, column = problem[: match.start()], int(match[1]), int(match[2])
        problem = (
            "the number is out of range" if problem.startswith("Exceeds the limit") else f"not valid TOML: {problem}"
        )
        _syntax(text, where, line, column, problem)
    _check_toml(data, where, "", 1)
    return data


def _toml_loads() -> Callable[[str], dict[str, Any]]:
    try:
        from tomllib import loads  # type: ignore[import-not-found, unused-ignore] # Python 3.11 has its own
    except ImportError:
        from tomli import loads
    return loads  # type: ignore[no-any-return, unused-ignore]


def _check_toml(value: Any, where: str, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InputError(f"{where}: nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_toml(item, where, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_toml(item, where, f"{path}[{index}]", depth + 1)
    elif isinstance(value, float) and not abs(value) < float("inf"):
        raise InputError(f"{where}: {path}: inf and nan are no numbers of ECS: write a number")
    elif not isinstance(value, (str, int, float)):
        raise InputError(f"{where}: {path}: a date or time: write it as a string, in quotes")
    elif isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        raise InputError(f"{where}: {path}: the number is out of range")


def _bytes(path: Path, where: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{where}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{where}: is a directory, not a file") from None
    except PermissionError:
        raise InputError(f"{where}: may not be read: permission denied") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{where}: cannot be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise InputError(f"{where}: larger than {MAX_BYTES >> 20} MiB; a task definition has at most 64 KiB")
    return content


def _text(content: bytes, where: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{where}: is UTF-16 text: save it as UTF-8")
    if b"\0" in content:
        raise InputError(f"{where}: is a binary file, not JSON, YAML or TOML")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}:{line}: is not UTF-8 text: save it as UTF-8") from None
    if not text.strip():
        raise InputError(f"{where}: is empty")
    return text


def _refuse(text: str, where: str, position: int, problem: str) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    raise InputError(f"{where}:{line}:{column}: {problem}")


def _syntax(text: str, where: str, line: int, column: int, problem: str) -> NoReturn:
    """Refuse with the place; a template that was not rendered is named as what it is."""
    lines = text.split("\n")
    for number in (line, line - 1):  # a parser often notices one line late
        shown = _template(lines[number - 1]) if 0 < number <= len(lines) else None
        if shown:
            raise InputError(f"{where}: line {number} looks like an unrendered template (`{shown}`): render it first")
    place = f"{where}:{line}:{column}" if line else where
    raise InputError(f"{place}: {problem}")


def _template(line: str) -> str | None:
    """The template expression that breaks this line; one inside a string breaks it only by quotes of its own."""
    outside = _TEMPLATE.search(_STRING.sub('""', line))
    inside = next((match for match in _TEMPLATE.finditer(line) if '"' in match[0]), None)
    found = outside or inside
    return _cut(found[0]) if found else None


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _quoted(text: str) -> str:
    return json.dumps(_cut(text), ensure_ascii=not text.isprintable())


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def _shown(path: Path) -> str:
    text = str(path)
    return text if text.isprintable() else repr(text)
