"""The cluster query language: which container instances are meant. Pure.

Source: ECS developer guide, "Create expressions to define container instances for Amazon ECS tasks"; the length of an
expression as in API_PlacementConstraint. What may be asked is in `query_subjects`, what a clause means in
`query_terms`, regular expressions are in `pattern`.

    query    = both { ("or" | "||") both }
    both     = part { ("and" | "&&") part }
    part     = ("not" | "!") part | "(" query ")" | clause
    clause   = subject ( compare value | among "[" value { "," value } "]" | fit pattern | exist )
    subject  = "agentConnected" | "agentVersion" | "attribute:" name | "ec2InstanceId" | "registeredAt"
               | "runningTasksCount" | "task:group"
    compare  = "==" | "equals" | "!=" | "not_equals" | ">" | "greater_than" | ">=" | "greater_than_equal"
               | "<" | "less_than" | "<=" | "less_than_equal"
    among    = "in" | "!in" | "not_in"
    fit      = "=~" | "matches" | "!~" | "not_matches"
    exist    = "exists" | "!exists" | "not_exists"
    name     = 1 or more of letters, digits and - _ . / \\
    value    = quoted | 1 or more characters other than space ( ) [ ] , ' " & | = < > ! ~
    pattern  = quoted | 1 or more characters other than space ' ", up to "&&", "||" or a ")" that has no "(" in it
    quoted   = "'" any but ' "'" | '"' any but " '"'

`not` binds closer than `and`, that closer than `or`. Between two of these may be spaces. Words of operators may be in
capitals. In quotes everything stands for itself, a backslash too: attributes and regular expressions have them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ecsctl.model.near import near
from ecsctl.placement.query_subjects import ATTRIBUTE, EXISTENCE, KINDS, LISTS, OPERATORS, PATTERNS, Kind, Subject
from ecsctl.placement.query_terms import Clause, Either, Every, Not, Query, bare_end, bare_pattern_end

if TYPE_CHECKING:
    from ecsctl.placement.pattern import Pattern

__all__ = ["DEEPEST", "LONGEST", "Query", "QueryError", "Subject", "parse"]

LONGEST = 2000
"""How many characters a query may have (ECS API_PlacementConstraint)."""
DEEPEST = 50
"""How deep parentheses and `not` may be nested."""

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./\\")
_MEANT = {
    "=": "==",
    "<>": "!=",
    "=!": "!=",
    "=>": ">=",
    "=<": "<=",
    "~": "=~",
    "like": "=~",
    "is": "==",
    "not": "not_in",
}
_WINDOW = 40
"""How much of a long query is shown before the place of an error, and how much from it on."""
_SUBJECTS = f"there are {', '.join(kind + 'NAME' * (kind == ATTRIBUTE) for kind in KINDS)}"


class QueryError(ValueError):
    """No query: what is wrong, and at which position, from 0. Its text is one line with the query, `short` without."""

    def __init__(self, message: str, position: int, text: str) -> None:
        self.message = message
        self.position = position
        where = "at the end" if position >= len(text) else f"at character {position + 1}"
        self.short = f"{message}, {where}"
        super().__init__(f'{self.short}: "{_window(text, position)}"' if text.strip() else self.short)


def parse(text: str) -> Query:
    """The query of a text. Raises QueryError."""
    if len(text) > LONGEST:
        raise QueryError(f"an expression can have {LONGEST} characters, this one has {len(text)}", LONGEST, text)
    return _Parser(text).whole()


class _Parser:
    """Recursive descent, without a token in advance: what a word is depends on where it stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._last = ""
        self._is_bare = False

    def whole(self) -> Query:
        found = self._either()
        if self._next() == ")":
            raise self._error("there is a ) without its (")
        if self._next():
            raise self._unexpected("the end")
        return found

    def _either(self) -> Query:
        return self._joined(Either, self._every, ("or", "||"))

    def _every(self) -> Query:
        return self._joined(Every, self._part, ("and", "&&"))

    def _joined(self, kind: type[Every], part: Callable[[], Query], signs: tuple[str, ...]) -> Query:
        """One after the other, of which those in parentheses may be of the same kind: that makes no difference."""
        parts = [part()]
        while self._skip(signs):
            parts.append(part())
        flat = [one for found in parts for one in (found.queries if type(found) is kind else (found,))]
        return kind(flat) if len(parts) > 1 else parts[0]

    def _part(self) -> Query:
        is_denied = self._skip(("not", "!"))
        if not is_denied and self._next() != "(":
            return self._clause()
        self._depth += 1  # not(…) is one level, so that it has as many as `! …`, which is written so
        if self._depth > DEEPEST:
            raise self._error(f"parentheses and not can be nested {DEEPEST} deep")
        if self._skip(("(",)):
            found = self._either()
            if not self._skip((")",)):
                raise self._unexpected(")")
        else:
            found = self._part()
        self._depth -= 1
        return Not(found) if is_denied else found

    def _clause(self) -> Clause:
        subject = self._word()
        if not subject:
            raise self._error(f"expected a subject{self._after()}: {_SUBJECTS}")
        kind = self._kind(subject)
        self._advance(len(subject))
        operator = self._operator(kind, subject)
        wanted: list[Any] = []
        arguments: list[str] = []
        if operator in LISTS:
            if not self._skip(("[",)):
                raise self._error(f"expected a list such as [a, b]{self._after()}")
            self._argument(kind, subject, operator, arguments, wanted)
            while self._skip((",",)):
                self._argument(kind, subject, operator, arguments, wanted)
            if not self._skip(("]",)):
                raise self._error(f"expected , or ]{self._after()}")
        elif operator not in EXISTENCE:
            self._argument(kind, subject, operator, arguments, wanted)
        return Clause(subject, operator, arguments, wanted)

    def _kind(self, subject: str) -> Kind:
        name = subject.removeprefix(ATTRIBUTE)
        if name == subject and subject in KINDS:
            return KINDS[subject]
        if name == subject:
            word = _plain(subject)
            guess = next(iter(near(subject, KINDS, cutoff=0.75)), f"{ATTRIBUTE}{word}" if "." in word else "")
            raise self._error(f"{word} is no subject: {f'did you mean {guess}?' if guess else _SUBJECTS}")
        if not name:
            raise self._error(f"expected the name of an attribute after {subject}", len(subject))
        wrong = next((at for at, character in enumerate(name) if character not in _NAME), None)
        if wrong is not None:
            raise self._error("names of attributes have letters, digits and - _ . / \\ only", len(ATTRIBUTE) + wrong)
        return KINDS[ATTRIBUTE]

    def _operator(self, kind: Kind, subject: str) -> str:
        self._next()
        end = self._at
        while end < len(self._text) and self._text[end] in "=!<>~":
            end += 1
        if self._text[self._at : end] in ("", "!"):
            end = bare_end(self._text, end)
        word = self._text[self._at : end]
        operator = OPERATORS.get(word.lower())
        if operator is None:
            guess = _MEANT.get(word.lower()) or next(iter(near(word, OPERATORS)), "")
            raise self._error(f"expected an operator{self._after()}" + (f" (did you mean {guess}?)" if guess else ""))
        if operator not in kind.operators:
            *known, last = kind.operators
            raise self._error(f"{_plain(subject)} takes {', '.join(known)} or {last}, not {word}")
        self._advance(len(word))
        return operator

    def _argument(self, kind: Kind, subject: str, operator: str, arguments: list[str], wanted: list[Any]) -> None:
        """Read one, and what it stands for."""
        character = self._next()
        if character and character in "'\"":
            end = self._text.find(character, self._at + 1)
            if end < 0:
                raise self._error(f"there is a {character} without a second one")
            start = self._at + 1
        else:
            start = self._at
            end = (bare_pattern_end if operator in PATTERNS else bare_end)(self._text, start)
            if start == end:
                what = "a regular expression" if operator in PATTERNS else "a value"
                hint = " (a list is for in and not_in)" if character == "[" else ""
                raise self._error(f"expected {what}{self._after()}{hint}")
        text = self._text[start:end]
        wanted.append(self._pattern(text, start) if operator in PATTERNS else self._value(kind, subject, text, start))
        arguments.append(text)
        is_bare = start == self._at
        self._advance(end - self._at + (not is_bare))
        self._is_bare = is_bare

    def _value(self, kind: Kind, subject: str, text: str, start: int) -> Any:
        try:
            return kind.read(text)
        except ValueError as error:
            raise QueryError(f"{subject} is compared with {error}", start, self._text) from None

    def _pattern(self, text: str, start: int) -> Pattern:
        from ecsctl.placement.pattern import Pattern  # few queries have one
        from ecsctl.placement.pattern_syntax import PatternError

        try:
            return Pattern(text)
        except PatternError as error:
            raise QueryError(error.message, start + error.offset, self._text) from None

    def _next(self) -> str:
        """The next character that is no space; empty at the end."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _word(self) -> str:
        self._next()
        return self._text[self._at : bare_end(self._text, self._at)]

    def _skip(self, signs: tuple[str, ...]) -> bool:
        """Whether the next is one of these, which then is done with. A word has to end there."""
        self._next()
        for sign in signs:
            if self._word().lower() == sign if sign.isalpha() else self._text.startswith(sign, self._at):
                self._advance(len(sign))
                return True
        return False

    def _advance(self, count: int) -> None:
        self._last = self._text[self._at : self._at + count]
        self._is_bare = False
        self._at += count

    def _after(self) -> str:
        return f" after {_plain(self._last)}" if self._last else ""

    def _unexpected(self, closing: str) -> QueryError:
        """What comes after a clause is neither of the two that can."""
        hint = " (a value with spaces needs quotes)" if self._is_bare and self._word() else ""
        return self._error(f"expected and, or, or {closing}{self._after()}{hint}")

    def _error(self, message: str, further: int = 0) -> QueryError:
        self._next()
        return QueryError(message, self._at + further, self._text)


def _plain(text: str) -> str:
    """A word in an error, which is one line and not a long one."""
    shown = "".join(" " if character.isspace() else character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= 2 * _WINDOW else f"{shown[: 2 * _WINDOW]}…"


def _window(text: str, position: int) -> str:
    """The query around a place, character by character."""
    if len(text) <= 2 * _WINDOW:
        return _plain(text)
    start = max(0, min(position, len(text)) - _WINDOW)
    end = min(len(text), start + 2 * _WINDOW)
    return f"{'…' * (start > 0)}{_plain(text[start:end])}{'…' * (end < len(text))}"
