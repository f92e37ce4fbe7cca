"""The filter patterns of CloudWatch Logs: which lines of a log are wanted.

Source: CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters, filter log events,
and Live Tail".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from ecsctl.model.errors import InputError

Wanted = Callable[[str], bool]
_Searches = Callable[[str, str, int], Wanted]
"""Makes a test of a regular expression, given the whole pattern and the place in it."""
_Test = Callable[[Callable[[str], Any]], bool]
"""A condition, given what looks a selector up; MISSING stands for what is not there."""

MISSING = object()
DEEPEST = 50
_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)*)%|([^\s"]+))')
_TOKEN = re.compile(
    r"""\s*(?:(?P<op>&&|\|\||!=|<=|>=|=|<|>|\(|\))"""
    r"""|(?P<word>(?:IS|NOT|NULL|TRUE|FALSE|EXISTS)\b)"""
    r"""|"(?P<text>(?:[^"\\]|\\.)*)"|%(?P<regex>(?:[^%\\]|\\.)*)%|(?P<bare>[^\s=!<>&|()"%]+))"""
)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
# A bracket ends before the next one: else each of many that are not closed would be followed up to the end of the line.
_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\[\]]*)\]|(\S+)')


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse_filter_pattern(pattern: str, *, expressions: bool = True) -> Wanted:
    """Whether a line is wanted. InputError for what is no pattern, with the place. Without `expressions` also for
    regular ones: some take longer than anybody waits, and everything else in the process waits too."""
    text, searches = pattern.strip(), _searches if expressions else _refused
    if text.startswith("{"):
        return _json_pattern(text, searches)
    if text.startswith("["):
        return _fields_pattern(text, searches)
    return _terms_pattern(text, searches)


# Words


def _terms_pattern(text: str, searches: _Searches) -> Wanted:
    """Every term has to be there, and none with a `-`; of terms with a `?`, where there are no others, one."""
    needed: list[Wanted] = []
    excluded: list[Wanted] = []
    optional: list[Wanted] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise _wrong(text, at, 'expected a word, "a phrase" or %a regular expression%')
        sign, phrase, regex, word = found.groups()
        term = _unescaped(phrase) if phrase is not None else str(word)
        test = _contains(term) if regex is None else searches(regex, text, at)
        {"-": excluded, "?": optional, "": needed}[sign].append(test)
        at = found.end()
    if needed or excluded:
        return lambda line: all(test(line) for test in needed) and not any(test(line) for test in excluded)
    return lambda line: not optional or any(test(line) for test in optional)


def _contains(term: str) -> Wanted:
    return lambda line: term in line


def _refused(_: str, text: str, at: int) -> Wanted:
    raise _wrong(text, at, "regular expressions are not taken here: use words or *")


def _searches(regex: str, text: str, at: int) -> Wanted:
    try:
        compiled = re.compile(regex)
    except re.error as error:
        raise _wrong(text, at, f"no regular expression: {error}") from None
    return lambda line: compiled.search(line) is not None


# JSON: { $.level = "error" && $.code >= 500 }


def _json_pattern(text: str, searches: _Searches) -> Wanted:
    if not text.endswith("}"):
        raise _wrong(text, len(text), "expected a } at the end")
    test = _Conditions(text, 1, len(text) - 1, lambda selector: selector.startswith("$"), searches).parse()

    def wanted(line: str) -> bool:
        try:
            document = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):  # none, or nested deeper than anybody writes
            return False
        return test(lambda selector: _select(document, selector))

    return wanted


def _select(document: Any, selector: str) -> Any:
    value, at = document, 1
    while at < len(selector):
        step = _STEP.match(selector, at)
        if step is None:
            return MISSING
        key, index, quoted = step.groups()
        try:
            value = value[int(index)] if index is not None else value[key or quoted]
        except (KeyError, IndexError, TypeError):
            return MISSING
        at = step.end()
    return value


# Fields: [address, user, ..., status = 5*, bytes > 1000]


def _fields_pattern(text: str, searches: _Searches) -> Wanted:
    if not text.endswith("]"):
        raise _wrong(text, len(text), "expected a ] at the end")
    parts = text[1:-1].split(",")
    names: list[str] = []
    tests: list[_Test] = []
    at = 1
    for part in parts:
        name = re.split(r"[\s=!<>]", part.strip(), maxsplit=1)[0]
        if not name or (name == "..." and "..." in names):
            raise _wrong(text, at, "expected the name of a field, or ... once")
        names.append(name)
        if part.strip() != name:
            tests.append(_Conditions(text, at, at + len(part), lambda _: True, searches).parse())
        at += len(part) + 1

    def wanted(line: str) -> bool:
        values = [next((g for g in found.groups() if g is not None), "") for found in _FIELD.finditer(line)]
        fields = _named(names, values)
        return fields is not None and all(test(lambda name: fields.get(name, MISSING)) for test in tests)

    return wanted


def _named(names: list[str], values: list[str]) -> dict[str, str] | None:
    """The fields of a line by name; None where it has not as many."""
    if "..." not in names:
        return dict(zip(names, values, strict=True)) if len(names) == len(values) else None
    before = names.index("...")
    behind = len(names) - before - 1
    if len(values) < before + behind:
        return None
    named = [*zip(names, values[:before], strict=False)]
    named += zip(names[before + 1 :], values[len(values) - behind :], strict=True) if behind else []
    return dict(named)


# Conditions


class _Conditions:
    """`A = 1 && (B != "x*" || C IS NULL)`, by recursive descent."""

    def __init__(
        self, text: str, start: int, end: int, is_selector: Callable[[str], bool], searches: _Searches
    ) -> None:
        self._text = text
        self._end = end
        self._is_selector = is_selector
        self._searches = searches
        self._tokens = list(self._tokenized(start))
        self._next = 0
        self._depth = 0

    def parse(self) -> _Test:
        test = self._any()
        if self._peek() is not None:
            raise self._wrong("expected && or ||")
        return test

    def _tokenized(self, at: int) -> Iterator[_Token]:
        while self._text[at : self._end].strip():
            found = _TOKEN.match(self._text, at, self._end)
            if found is None:
                raise _wrong(self._text, at, "expected a selector, an operator or a value")
            kind = str(found.lastgroup)
            yield _Token(kind, found[kind], found.start(kind))
            at = found.end()

    def _any(self) -> _Test:
        tests = [self._all()]
        while self._takes("||"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda look: any(test(look) for test in tests)

    def _all(self) -> _Test:
        tests = [self._one()]
        while self._takes("&&"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda look: all(test(look) for test in tests)

    def _one(self) -> _Test:
        if self._takes("("):
            self._depth += 1
            if self._depth > DEEPEST:
                raise self._wrong(f"more than {DEEPEST} parentheses in one another")
            test = self._any()
            self._depth -= 1
            if not self._takes(")"):
                raise self._wrong("expected a )")
            return test
        selector = self._take("a selector")
        if selector.kind != "bare" or not self._is_selector(selector.text):
            raise _wrong(self._text, selector.at, "expected a selector")
        name = selector.text
        if self._takes("IS"):
            return self._is(name)
        if self._takes("NOT"):
            if not self._takes("EXISTS"):
                raise self._wrong("expected EXISTS")
            return lambda look: look(name) is MISSING
        return self._comparison(name)

    def _is(self, name: str) -> _Test:
        wanted = {"NULL": None, "TRUE": True, "FALSE": False}
        word = self._take("NULL, TRUE or FALSE").text
        if word not in wanted:
            raise self._wrong("expected NULL, TRUE or FALSE")
        return lambda look: look(name) is wanted[word]

    def _comparison(self, name: str) -> _Test:
        operator = self._take("an operator")
        if operator.kind != "op" or operator.text not in ("=", "!=", "<", ">", "<=", ">="):
            raise _wrong(self._text, operator.at, "expected =, !=, <, >, <= or >=")
        value = self._take("a value")
        if operator.text not in ("=", "!="):
            return self._order(name, operator.text, value)
        equals = self._equality(value)
        if operator.text == "=":
            return lambda look: (found := look(name)) is not MISSING and equals(found)
        return lambda look: (found := look(name)) is not MISSING and not equals(found)

    def _equality(self, value: _Token) -> Callable[[Any], bool]:
        if value.kind == "regex":
            matches = self._searches(value.text, self._text, value.at)
            return lambda found: isinstance(found, str) and matches(found)
        number = _number(value.text) if value.kind == "bare" else None
        text = _unescaped(value.text) if value.kind == "text" else value.text
        like = _like(text)

        def equals(found: Any) -> bool:
            if number is not None and (known := _number(found)) is not None:
                return known == number
            return isinstance(found, str) and like(found)

        return equals

    def _order(self, name: str, operator: str, value: _Token) -> _Test:
        number = _number(value.text)
        if number is None:
            raise _wrong(self._text, value.at, "expected a number")
        limit = number

        def test(look: Callable[[str], Any]) -> bool:
            found = _number(look(name))
            if found is None:
                return False
            return {"<": found < limit, ">": found > limit, "<=": found <= limit, ">=": found >= limit}[operator]

        return test

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _takes(self, text: str) -> bool:
        token = self._peek()
        if token is None or token.kind not in ("op", "word") or token.text != text:
            return False
        self._next += 1
        return True

    def _take(self, what: str) -> _Token:
        token = self._peek()
        if token is None:
            raise _wrong(self._text, self._end, f"expected {what}")
        self._next += 1
        return token

    def _wrong(self, why: str) -> InputError:
        token = self._peek()
        return _wrong(self._text, token.at if token else self._end, why)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _like(pattern: str) -> Wanted:
    """Whether a text is that, where `*` is anything. It takes as long as the text is."""
    first, *rest = pattern.split("*")
    if not rest:
        return lambda text: text == pattern
    *middle, last = rest

    def matches(text: str) -> bool:
        at, end = len(first), len(text) - len(last)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return False
        for part in middle:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return matches


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _wrong(text: str, at: int, why: str) -> InputError:
    return InputError(f"filter pattern {text!r}, character {at + 1}: {why}")
