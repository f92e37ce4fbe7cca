"""Regular expressions of cluster queries: what they fit, compared with Python's where both are the same; what is
refused; and that none takes long.

Source: java.util.regex.Pattern, to which the ECS developer guide refers ("Create expressions to define container
instances for Amazon ECS tasks").
"""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.placement.pattern import Pattern
from ecsctl.placement.pattern_syntax import DEEPEST, LARGEST, PatternError


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("g2.*", ["g2.", "g2.2xlarge", "g2"], ["g3.large", "ag2.large", ""]),
        ("t2", ["t2"], ["t2.micro", "at2"]),
        ("(p[2,3]|g[3,4]|f[1]).*", ["p2.xlarge", "g4dn.large", "f1", "p,"], ["p4d", "xp2"]),
        (r"m5\.(large|2?xlarge)", ["m5.large", "m5.xlarge", "m5.2xlarge"], ["m5xlarge", "m5.4xlarge"]),
        ("[a-cx-]+", ["abcx-"], ["d", ""]),
        ("[^a-c]", ["d", "-"], ["a", "dd"]),
        ("[]a]+", ["]a]"], ["b"]),
        ("[a-f&&[^cd]&&[a-e]]+", ["abe"], ["c", "f"]),
        ("[a[xyz]]", ["a", "y"], ["b"]),
        ("a{2}b{1,}c{0,2}", ["aab", "aabbbcc"], ["ab", "aabccc", "aac"]),
        ("(ab?)*?c??", ["", "aabc", "c"], ["b", "cc"]),
        ("", [""], ["a"]),
        ("a||b", ["a", "", "b"], ["ab"]),
        (r"\d+\s\w+\S\D\W", ["12 a_9-x "], ["12 a_9-xy", "1a a_9-x "]),
        (r"\h\v?", [" ", "\t\n"], ["a"]),
        (r"\p{Upper}\P{Upper}\p{XDigit}+", ["Ab1f", "Z-0"], ["ab1", "ABC", "Ab", "Abg"]),
        (r"\x41\u0042\t\e", ["AB\t\x1b"], ["AB"]),
        (r"\Qa.b(\E+\.", ["a.b(((."], ["axb(."]),
        (r"\Qa.b", ["a.b"], ["axb"]),
        ("(?i)aB[c-d]\\x65", ["AbCE", "abde"], ["abff"]),
        ("a(?i:b)c", ["abc", "aBc"], ["Abc", "abC"]),
        ("(a(?i)b)c", ["aBc"], ["aBC", "ABc"]),
        ("(?i)a(?-i)b", ["Ab"], ["AB"]),
        ("a.b", ["a b", "a-b"], ["a\nb"]),
        ("(?s)a.b", ["a\nb"], []),
        ("(?<zone>us-east-1[ab])", ["us-east-1a"], ["us-east-1c"]),
        ("^us-.*$", ["us-east-1"], ["eu-us-1"]),
        ("(?!t2|t3).*", ["m5.large", ""], ["t2.micro", "t3"]),
        (".*(?<!-gpu)", ["host", "gpu"], ["host-gpu"]),
        (".*(?<=-gpu)", ["host-gpu"], ["host", "gpu-x"]),
        ("(?=.*1)(?=.*a).*", ["us-east-1a", "1a", "a1"], ["a", "1"]),
        ("(?=a(?!c)).*", ["ab", "a"], ["ac", "b"]),
        (r"a\b.*", ["a", "a-b"], ["ab", "a1"]),
        (r".*\Bb", ["ab"], ["b", "a-b"]),
        (r"\Aa\z", ["a"], ["aa"]),
        (r"a\Z\n?", ["a", "a\n"], ["a\n\n"]),
        ("ä{1,2}|日本", ["ä", "ää", "日本"], ["日"]),
    ],
)
def test_what_a_pattern_fits(pattern: str, fitting: list[str], other: list[str]) -> None:
    found = Pattern(pattern)
    assert [value for value in fitting if not found.fits(value)] == []
    assert [value for value in other if found.fits(value)] == []


def small_patterns() -> st.SearchStrategy[str]:
    """Patterns that Python reads as Java does."""
    leaves = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "", "^", "$", r"\b", "(?=a)", "(?!b)", "(?<=a)", "(?<!b)"])
    counts = st.sampled_from(["", "?", "*", "+", "*?", "{2}", "{0,2}", "{1,}"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("({}){}".format, inner, counts),
            st.builds("(?:{}){}".format, inner, counts),
            st.builds("{}|{}".format, inner, inner),
            st.builds("{}{}".format, inner, inner),
            st.builds("(?={})".format, inner),
            st.builds("(?!{})".format, inner),
        ),
        max_leaves=8,
    )


@given(small_patterns(), st.text("abc", max_size=6))
def test_a_pattern_fits_what_it_fits_in_python(pattern: str, value: str) -> None:
    assert Pattern(pattern).fits(value) == (re.fullmatch(pattern, value) is not None)


@pytest.mark.parametrize(
    ("pattern", "offset", "message"),
    [
        ("a(b", 1, "( without its )"),
        ("a(?:b", 1, "( without its )"),
        ("(?", 2, "( without its )"),
        ("a)b", 1, ") without its ("),
        ("a[b", 1, "[ without its ]"),
        ("[a&&]", 0, "[ without its ]"),
        ("a[c-a]", 2, "c-a is no range"),
        (r"[a-\d]", 1, "is no range"),
        ("*", 0, "nothing before *"),
        ("a|+", 2, "nothing before +"),
        ("a**", 2, "nothing before *"),
        ("(?i)*", 4, "nothing before *"),
        ("{2}", 0, "nothing before {"),
        ("a{", 1, "no count"),
        ("a{,2}", 1, "no count"),
        ("a{x}", 1, "no count"),
        ("a{2,1}", 1, "the larger one"),
        (f"a{{{LARGEST + 1}}}", 1, f"at most {LARGEST}"),
        (f"a{{{'9' * 1900}}}", 1, f"at most {LARGEST}"),
        ("a++", 2, "possessive"),
        ("a{2}+", 4, "possessive"),
        ("b(?>a)", 1, "atomic groups"),
        (r"(a)\1", 3, "back reference"),
        (r"(?<a>b)\k<a>", 7, "back reference"),
        ("(?P<a>b)", 2, "(?P is not served"),
        ("(?x)a", 2, "(?x is not served"),
        ("(?<a b>c)", 3, "letters and digits"),
        ("a\\", 1, "nothing behind the last \\"),
        (r"a\y", 1, r"\y is not served"),
        (r"[\b]", 1, "no meaning in [ ]"),
        (r"\xg0", 0, "2 hexadecimal digits"),
        (r"\u12", 0, "4 hexadecimal digits"),
        (r"\p{Greek}", 0, "one of Lower, Upper"),
        (r"\p{Lower", 0, "one of Lower, Upper"),
        ("(" * (DEEPEST + 1), DEEPEST + 1, f"{DEEPEST} deep"),
        ("[" * (DEEPEST + 1), DEEPEST + 1, f"{DEEPEST} deep"),
        ("((a{99}){99}){99}", 0, f"more than {LARGEST} steps"),
        ("((){2000}){2000}", 0, f"more than {LARGEST} steps"),
    ],
)
def test_what_is_no_pattern_is_told_with_its_place(pattern: str, offset: int, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(pattern)
    assert message in caught.value.message
    assert caught.value.offset == offset


@given(st.text(st.sampled_from("ab()[]{}|*+?^$.\\\\-&,29:=!<>isQEpxuk ä\n"), max_size=40), st.text("ab2 ", max_size=9))
def test_whatever_is_written_is_a_pattern_or_refused(pattern: str, value: str) -> None:
    try:
        found = Pattern(pattern)
    except PatternError as error:
        assert 0 <= error.offset <= len(pattern)
    else:
        assert found.fits(value) in (True, False)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a*)*b",
        "(a|aa)+$b",
        "(.*)(.*)(.*)(.*)(.*)b",
        "(a{0,30}){0,30}b",
        "(?=(a+)+b)a*",
        "((a?){40}){20}b",
    ],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    """In Python's re most of these take longer than the universe is old."""
    started = time.process_time()
    assert not Pattern(pattern).fits("a" * 255)
    assert time.process_time() - started < 5


def test_answers_are_kept_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecsctl.placement.pattern._REMEMBERED", 3)
    pattern = Pattern("a.*")
    for _ in range(2):
        assert [pattern.fits(f"{letter}{n}") for n in range(4) for letter in "ab"] == [True, False] * 4
    assert len(pattern._known) <= 3
