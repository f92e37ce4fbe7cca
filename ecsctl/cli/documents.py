"""Documents: definitions and skeletons that a person wrote, read from a file or an argument.

JSON, YAML or TOML, by the file's ending; without a known ending, JSON if it looks like it, else YAML.
The reader is strict on purpose: what two readers may understand differently (a key given twice, NaN, an
alias, a date) is refused with the place where it stands, and nothing here takes long or grows large.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ecsctl.model.errors import InputError
from ecsctl.operations.strict_json import MAX_BYTES, MAX_DEPTH, MAX_DIGITS, parse_json, syntax

T = TypeVar("T")

# Readers of YAML and TOML are some hundred times slower than JSON's; ECS takes at most 64 KiB anyway.
MAX_SLOW_BYTES = 256 << 10

_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "true or false", int: "a number", float: "a number"}


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
    return parse(text, lambda line, column, problem: syntax(text, where, line, column, problem), MAX_DEPTH)


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
        syntax(text, where, line, column, problem)
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


def _shown(path: Path) -> str:
    text = str(path)
    return text if text.isprintable() else repr(text)
