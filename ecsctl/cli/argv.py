"""The command line, read as the AWS CLI reads it.

An option takes one value, any number of values up to the next option (`--tasks a b c`), or none. It may be
shortened as long as it stays unique, the last one given counts, `--name=value` is one word, and what nobody
takes is reported, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

from msgspec import Struct

from ecsctl.cli.problems import UsageError
from ecsctl.model.near import near

_NEGATIVE_NUMBER = r"-\d+$|-\d*\.\d+$"


class Flag(Struct, frozen=True):
    """One option. `key` is where its value goes; a flag that takes none stores `const`."""

    name: str
    key: str
    takes: Literal["one", "many", "none", "maybe"] = "one"
    kind: Any = str
    const: Any = True
    required: bool = False
    metavar: str = ""
    help: str = ""
    own: bool = False
    """Not of AWS's: cannot be shortened, so that it makes no shortened option of AWS's ambiguous."""
    accepts: Callable[[str], bool] | None = None
    """For `maybe`: whether the next word is its value."""


class Parsed(Struct, frozen=True):
    """The values by key, the words that belong to no option, and the options nobody knows."""

    values: dict[str, Any]
    words: list[str]
    unknown: list[str]


def parse(tokens: Sequence[str], flags: Sequence[Flag], words: int = 0, stop: bool = False) -> Parsed:
    """Read `tokens`. At most `words` words are taken, the rest is unknown.

    With `stop`, reading ends at the first word, and `words` is that word and all that follows it.
    """
    names = {flag.name: flag for flag in flags}
    parsed = Parsed({}, [], [])
    rest = list(tokens)
    while rest:
        word = rest.pop(0)
        if word == "--":
            parsed.words.extend(rest)
            break
        if _is_value(word):
            if stop:
                parsed.words.extend([word, *rest])
                break
            parsed.words.append(word)
            continue
        name, equals, value = word.partition("=")
        flag = _find(name, names)
        if flag is None:
            parsed.unknown.append(word)
        else:
            taken = _take(flag, value if equals else None, rest)
            # AWS lets the last one count; of ours, each does.
            before = parsed.values.get(flag.key, []) if flag.own and flag.takes == "many" else None
            parsed.values[flag.key] = taken if before is None else before + taken
    if not stop and len(parsed.words) > words:
        parsed.unknown.extend(parsed.words[words:])
        del parsed.words[words:]
    return parsed


def refuse_unknown(unknown: Sequence[str], flags: Sequence[Flag]) -> None:
    """Raise UsageError for options nobody knows, with the nearest names that exist."""
    if not unknown:
        return
    meant: list[str] = []
    for token in unknown:
        name = token.partition("=")[0]
        if name.startswith("--"):
            meant += near(name, [flag.name for flag in flags], cutoff=0.7)
    hint = f"; did you mean {', '.join(dict.fromkeys(meant))}?" if meant else ""
    raise UsageError(f"Unknown options: {', '.join(unknown)}{hint}")


def wants_help(tokens: Sequence[str]) -> bool:
    """Whether the command line asks for help: `--help`, `-h`, or AWS's `help` as the only word."""
    options = tokens[: tokens.index("--")] if "--" in tokens else tokens
    return "--help" in options or "-h" in options or list(tokens) == ["help"]


def _is_value(word: str) -> bool:
    if not word.startswith("-") or word == "-" or " " in word:
        return True
    return not word.startswith("--") and re.match(_NEGATIVE_NUMBER, word) is not None


def _find(name: str, names: dict[str, Flag]) -> Flag | None:
    if name in names:
        return names[name]
    if not name.startswith("--"):
        return None
    found = [flag for flag in names.values() if flag.name.startswith(name) and not flag.own]
    if len(found) > 1:
        raise UsageError(f"ambiguous option: {name} could match {', '.join(flag.name for flag in found)}")
    return found[0] if found else None


def _take(flag: Flag, given: str | None, rest: list[str]) -> Any:
    """The value of `flag`, taken off `rest` unless it was `given` with an equals sign."""
    if flag.takes == "none":
        if given is not None:
            raise UsageError(f"argument {flag.name}: takes no value, but was given {given!r}")
        return flag.const
    if flag.takes == "many":
        if given is not None:
            return [given]
        count = _leading_values(rest)
        if flag.own and not count:  # of AWS's it is an empty list
            raise UsageError(f"argument {flag.name}: expected at least one argument")
        return [rest.pop(0) for _ in range(count)]
    if given is not None:
        return given
    if flag.takes == "maybe":
        return rest.pop(0) if rest and flag.accepts and flag.accepts(rest[0]) else flag.const
    if not rest or not _is_value(rest[0]):
        raise UsageError(f"argument {flag.name}: expected one argument")
    return rest.pop(0)


def _leading_values(rest: list[str]) -> int:
    for index, token in enumerate(rest):
        if not _is_value(token):
            return index
    return len(rest)
