"""Answers by signature: given again for as long as a signature is taken, and bounded."""

from __future__ import annotations

import threading
from typing import NamedTuple

import pytest

from ecsctl.server.replay import KEPT, ON_PURPOSE, Answers


class Answer(NamedTuple):
    """One."""

    body: bytes


class Asked:
    """Answers, a clock that moves when told, and what was done."""

    def __init__(self, most_bytes: int = 1 << 20) -> None:
        self.seconds = 0.0
        self.done: list[str] = []
        self.answers: Answers[Answer] = Answers(lambda: self.seconds, most_bytes)

    def __call__(self, signature: str, call: str = "", *, keeps: bool = True, size: int = 0) -> bytes:
        def work() -> Answer:
            self.done.append(signature)
            return Answer(b"%d" % len(self.done) + b" " * size)

        return self.answers.once(signature, call, work, lambda _: keeps).body.strip()


def test_a4_a_signature_has_one_answer_for_ten_minutes() -> None:
    asked = Asked()
    assert asked("a") == b"1"
    asked.seconds = KEPT
    assert asked("a") == b"1"
    assert asked("b") == b"2"
    asked.seconds = KEPT + 1
    assert asked("a") == b"3"


def test_what_is_not_to_be_kept_is_done_again() -> None:
    asked = Asked()
    assert asked("a", keeps=False) == b"1"
    assert asked("a") == b"2"
    assert asked("a") == b"2"


def test_answers_that_are_forgotten_are_given_anew() -> None:
    asked = Asked(most_bytes=5000)
    given = [asked.answers.once(name, call, lambda: Answer(b"0"), lambda _: True) for name, call in ("aq", "ar", "bq")]
    asked.answers.forget([given[0], given[2]], asked.answers.now())
    assert asked.answers.once("a", "r", lambda: Answer(b"1"), lambda _: True) is given[1]
    assert asked.answers.once("a", "q", lambda: Answer(b"1"), lambda _: True).body == b"1"
    assert asked("b", "q") == b"1"
    assert asked.answers._bytes == 3 * 1001


def test_an_answer_from_before_that_was_given_again_is_not_forgotten() -> None:
    asked = Asked()
    assert asked("a") == b"1"
    asked.seconds = 1
    given = [asked.answers.once(name, "", lambda: Answer(b"0"), lambda _: True) for name in "ab"]
    asked.answers.forget(given, asked.answers.now())
    assert [asked("a"), asked("b")] == [b"1", b"2"]


def test_a_call_that_fails_is_done_again() -> None:
    asked = Asked()
    with pytest.raises(ZeroDivisionError):
        asked.answers.once("a", "", lambda: Answer(b"%d" % (1 // 0)), lambda _: True)
    assert asked("a") == b"1"


def test_another_call_of_the_same_second_is_another_and_a_later_one_is_not() -> None:
    asked = Asked()
    assert asked("a", "first") == b"1"
    assert asked("a", "second") == b"2"
    assert [asked("a", "first"), asked("a", "second")] == [b"1", b"2"]
    asked.seconds = ON_PURPOSE + 0.1
    assert asked("a", "third") == b"1"
    assert [asked("a", "first"), asked("a", "second")] == [b"1", b"2"]


def test_a4_who_comes_while_it_is_under_way_waits_for_its_answer() -> None:
    asked, begun, go_on = Asked(), threading.Event(), threading.Event()
    answers: list[bytes] = []

    def slow() -> Answer:
        begun.set()
        assert go_on.wait(30)
        return Answer(b"slow")

    def first() -> None:
        answers.append(asked.answers.once("a", "", slow, lambda _: True).body)

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert begun.wait(30)
    threads += [threading.Thread(target=lambda: answers.append(asked("a"))) for _ in range(3)]
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert answers == [b"slow"] * 4
    assert asked.done == []


def test_the_oldest_go_first_where_there_is_too_much() -> None:
    asked = Asked(most_bytes=10_000)
    for number in range(50):
        asked(f"{number}", size=1000)
    assert len(asked.answers._entries) <= 6
    assert asked("49") == b"50"
    assert asked("0") == b"51"


def test_one_that_takes_long_keeps_no_others_from_going() -> None:
    asked = Asked(most_bytes=10_000)

    def long() -> Answer:
        for n in range(20):
            asked(f"{n}", size=1000)
        asked("19", size=1000)
        asked("0", size=1000)
        return Answer(b"")

    asked.answers.once("long", "", long, lambda _: True)
    assert asked.done == [*map(str, range(20)), "0"]
