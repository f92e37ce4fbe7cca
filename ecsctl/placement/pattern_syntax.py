"""The syntax of the regular expressions of the cluster query language. Pure.

Source: ECS developer guide, "Create expressions to define container instances for Amazon ECS tasks": the argument of
`matches` and `not_matches` conforms to java.util.regex.Pattern. What is left out of that is refused by its name: what
could take a time without limit (back references, possessive quantifiers, atomic groups), and what values have no use
for (control characters by name, flags for several lines and for comments).

    pattern     = { sequence "|" } sequence
    sequence    = { flags-group | part [ quantifier ] }
    quantifier  = ( "?" | "*" | "+" | "{" n [ "," [ n ] ] "}" ) [ "?" ]
    part        = "." | "^" | "$" | class | escape | group | any other character but * + ? { ( ) [ |
    group       = "(" [ "?:" | "?<" name ">" | "?=" | "?!" | "?<=" | "?<!" | "?" flags ":" ] pattern ")"
    flags-group = "(?" flags ")"
    flags       = { "i" | "s" } [ "-" { "i" | "s" } ]
    class       = "[" [ "^" ] items { "&&" items } "]"
    items       = ( class | escape | character [ "-" character ] ) { the same }
    escape      = "\\" and one of: d s w h v and their capitals | p{name} P{name} | b B A z Z | t n r f a e
                  | xhh | uhhhh | Q any characters \\E | what is neither letter nor digit
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

LARGEST = 2000
"""How many steps a pattern may have when its counts are written out."""
DEEPEST = 50
"""How deep groups and classes may be nested."""

Characters = Callable[[str], bool]

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_LETTERS = _LOWER + _LOWER.upper()
_DIGITS = "0123456789"
_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_SPACE = " \t\n\v\f\r"
_LINE_ENDS = "\n\r\u0085\u2028\u2029"
_HORIZONTAL = " \t\xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
WORD = frozenset(_LETTERS + _DIGITS + "_")
_SHORT = {"d": _DIGITS, "s": _SPACE, "w": _LETTERS + _DIGITS + "_", "h": _HORIZONTAL, "v": _LINE_ENDS + "\v\f"}
_NAMED = {
    "Lower": _LOWER,
    "Upper": _LOWER.upper(),
    "Alpha": _LETTERS,
    "Digit": _DIGITS,
    "Alnum": _LETTERS + _DIGITS,
    "Punct": _PUNCTUATION,
    "Graph": _LETTERS + _DIGITS + _PUNCTUATION,
    "Print": _LETTERS + _DIGITS + _PUNCTUATION + " ",
    "Blank": " \t",
    "XDigit": _DIGITS + "abcdefABCDEF",
    "Space": _SPACE,
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_EDGES = "bBAzZ"
_GROUPS = ("?:", "?=", "?!", "?<=", "?<!", "?>")
_COUNTS: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}


class PatternError(ValueError):
    """No regular expression, or one that is not served: why, and at which offset."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Take(NamedTuple):
    """One character."""

    takes: Characters


class Edge(NamedTuple):
    """A place between characters: `^`, `$` or what is named by one of `_EDGES`."""

    kind: str


class Row(NamedTuple):
    """One part after the other."""

    parts: list[Node]


class Choice(NamedTuple):
    """One of several."""

    options: list[Node]


class Repeat(NamedTuple):
    """A part that comes `low` to `high` times; None: any number."""

    part: Node
    low: int
    high: int | None


class Look(NamedTuple):
    """What has to stand, or must not, ahead of a place or behind it."""

    part: Node
    ahead: bool
    wanted: bool


Node = Take | Edge | Row | Choice | Repeat | Look


def parse_pattern(text: str) -> Node:
    """The parts of a regular expression. Raises PatternError."""
    return _Parser(text).whole()


class _Parser:
    """Recursive descent; `_flags` are those that hold where it is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._flags: frozenset[str] = frozenset()

    def whole(self) -> Node:
        found = self._choice()
        if self._at < len(self._text):
            raise PatternError("there is a ) without its (", self._at)
        return found

    def _next(self, count: int = 1) -> str:
        return self._text[self._at : self._at + count]

    def _skip(self, expected: str) -> bool:
        if not self._text.startswith(expected, self._at):
            return False
        self._at += len(expected)
        return True

    def _down(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise PatternError(f"groups and classes can be nested {DEEPEST} deep", self._at)

    def _choice(self) -> Node:
        options = [self._row()]
        while self._skip("|"):
            options.append(self._row())
        return options[0] if len(options) == 1 else Choice(options)

    def _row(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._text) and self._next() not in "|)":
            found = self._part()
            parts += found
            if found:
                parts[-1] = self._quantified(parts[-1])
        return parts[0] if len(parts) == 1 else Row(parts)

    def _quantified(self, part: Node) -> Node:
        start = self._at
        if (character := self._next()) in _COUNTS:
            self._at += 1
            low, high = _COUNTS[character]
        elif character == "{":
            low, high = self._counts()
        else:
            return part
        if self._next() == "+":
            raise PatternError("possessive quantifiers are not served: leave the second + out", self._at)
        self._skip("?")  # which way is tried first is all the same to whether the whole fits
        if high is not None and high < low:
            raise PatternError("the first count is the larger one", start)
        return Repeat(part, low, high)

    def _counts(self) -> tuple[int, int | None]:
        start = self._at
        body, closed, _ = self._text[start + 1 :].partition("}")
        first, comma, second = body.partition(",")
        if not closed or not all(text.isdecimal() and text.isascii() for text in (first, second or "0")):
            raise PatternError("a { that is no count such as {2}, {2,} or {2,4}: write \\{ for the character", start)
        self._at += len(body) + 2
        if len(first) > 9 or len(second) > 9 or max(int(first), int(second or 0)) > LARGEST:
            raise PatternError(f"counts can be at most {LARGEST}", start)
        if not comma:
            return int(first), int(first)
        return int(first), int(second) if second else None

    def _part(self) -> list[Node]:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return [Take(lru_cache(512)(self._class()))]
        if character == "\\":
            if self._skip("\\Q"):
                end = self._text.find("\\E", self._at)
                quoted = self._text[self._at :] if end < 0 else self._text[self._at : end]
                self._at += len(quoted) + 2 * (end >= 0)
                return [Take(self._folded(quoted_one)) for quoted_one in quoted]
            found = self._escape()
            return [found] if isinstance(found, Edge) else [Take(self._folded(found))]
        if character in "*+?{":
            raise PatternError(f"there is nothing before {character} that could be repeated", self._at)
        self._at += 1
        if character in "^$":
            return [Edge(character)]
        if character == ".":
            return [Take(_among("" if "s" in self._flags else _LINE_ENDS, negated=True))]
        return [Take(self._folded(character))]

    def _group(self) -> list[Node]:
        start = self._at
        self._at += 1
        self._down()
        outside = self._flags
        kind = next((kind for kind in _GROUPS if self._skip(kind)), "")
        if kind == "?>":
            raise PatternError("atomic groups are not served: leave ?> out", start)
        if not kind and self._skip("?<"):
            name, closed, _ = self._text[self._at :].partition(">")
            if not closed or not name.isalnum():
                raise PatternError("the name of a group has to be letters and digits, and end in >", self._at)
            self._at += len(name) + 1
        elif not kind and self._skip("?") and self._change_flags():
            self._depth -= 1
            return []
        body = self._choice()
        if not self._skip(")"):
            raise PatternError("there is a ( without its )", start)
        self._flags = outside
        self._depth -= 1
        if kind in ("", "?:"):
            return [body]
        return [Look(body, ahead="<" not in kind, wanted="=" in kind)]

    def _change_flags(self) -> bool:
        """Read flags. Whether that was all of the group: `(?i)`, not `(?i:…)`."""
        on = True
        while (character := self._next()) not in ("", ")", ":"):
            if character not in ("i", "s", "-"):
                raise PatternError(f"(?{character} is not served: there are the flags i and s", self._at)
            if character == "-":
                on = False
            else:
                self._flags = self._flags | {character} if on else self._flags - {character}
            self._at += 1
        if not character:
            raise PatternError("there is a ( without its )", self._at)
        self._at += 1
        return character == ")"

    def _class(self) -> Characters:
        start = self._at
        self._at += 1
        self._down()
        negated = self._skip("^")
        sides: list[list[Characters]] = [[]]
        while not (sides[-1] and self._skip("]")):
            if self._at >= len(self._text):
                raise PatternError("there is a [ without its ]", start)
            if sides[-1] and self._skip("&&"):
                sides.append([])
            else:
                sides[-1].append(self._class() if self._next() == "[" else self._item())
        self._depth -= 1
        return lambda character: negated != all(any(takes(character) for takes in side) for side in sides)

    def _item(self) -> Characters:
        """A character, a range, or an escape for several characters."""
        start = self._at
        first = self._member()
        if not isinstance(first, str) or self._next() != "-" or self._next(2) in ("-", "-]", "-["):
            return self._folded(first)
        self._at += 1
        last = self._member()
        if not isinstance(last, str) or last < first:
            raise PatternError(f"{self._text[start : self._at]} is no range of characters", start)
        return self._folded(lambda character: first <= character <= last)

    def _member(self) -> str | Characters:
        if self._next() != "\\":
            self._at += 1
            return self._text[self._at - 1]
        start = self._at
        found = self._escape()
        if isinstance(found, Edge):
            raise PatternError(f"\\{found.kind} has no meaning in [ ]", start)
        return found

    def _escape(self) -> str | Characters | Edge:
        start = self._at
        letter = self._next(2)[1:]
        self._at += 2
        if not letter:
            raise PatternError("there is nothing behind the last \\", start)
        if letter.lower() in _SHORT:
            return _among(_SHORT[letter.lower()], letter.isupper())
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter in _EDGES:
            return Edge(letter)
        if letter in "pP":
            return self._property(start, letter == "P")
        if letter in "xu":
            digits = self._next(2 if letter == "x" else 4)
            if len(digits) < (2 if letter == "x" else 4) or not all(digit in _NAMED["XDigit"] for digit in digits):
                raise PatternError(f"\\{letter} needs {2 if letter == 'x' else 4} hexadecimal digits", start)
            self._at += len(digits)
            return chr(int(digits, 16))
        if letter in "123456789k":
            raise PatternError(f"the back reference \\{letter} is not served", start)
        if letter.isascii() and letter.isalnum():
            raise PatternError(f"\\{letter} is not served", start)
        return letter

    def _property(self, start: int, negated: bool) -> Characters:
        name, closed, _ = self._text[self._at :].removeprefix("{").partition("}")
        self._at += len(name) + 2
        if not closed or name not in _NAMED:
            raise PatternError(f"\\p takes one of {', '.join(_NAMED)}, as in \\p{{Alpha}}", start)
        return _among(_NAMED[name], negated)

    def _folded(self, found: str | Characters) -> Characters:
        """With the other case too, where that is asked for; of ASCII, as in Java."""
        if isinstance(found, str):
            return found.__eq__ if "i" not in self._flags else _among(found + _other_case(found))
        if "i" not in self._flags:
            return found
        return lambda character: found(character) or found(_other_case(character))


def _among(characters: str, negated: bool = False) -> Characters:
    known = frozenset(characters)
    return lambda character: (character in known) != negated


def _other_case(character: str) -> str:
    return character.swapcase() if character.isascii() else character
