"""Waiting for calls in threads does not make a command deaf."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

import pytest

from ecsctl.controller.together import next_of, together

LONG = 20.0


@pytest.fixture
def heard() -> Iterator[threading.Event]:
    """That the handler of a signal ran, in the main thread."""
    event = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: event.set())
    yield event
    signal.signal(signal.SIGUSR1, before)


def _wait_for_calls(over: Callable[[], object]) -> None:
    together([over, over], limit=2)


def _wait_for_the_next(over: Callable[[], object]) -> None:
    queue: SimpleQueue[object] = SimpleQueue()
    threading.Thread(target=lambda: queue.put(over())).start()
    next_of(queue)


@pytest.mark.parametrize("wait", [_wait_for_calls, _wait_for_the_next])
def test_a_signal_that_another_thread_is_given_is_heard_while_calls_are_waited_for(
    heard: threading.Event, wait: Callable[[Callable[[], object]], None]
) -> None:
    assert threading.current_thread() is threading.main_thread()
    was_heard: list[bool] = []

    def over() -> None:
        # Given to this thread: Linux does that by itself to one that begins a thread or a process.
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        was_heard.append(heard.wait(LONG))

    wait(over)
    assert all(was_heard)


def test_a_wait_has_an_end() -> None:
    began = time.monotonic()
    with pytest.raises(Empty):
        next_of(SimpleQueue(), 0.7)
    assert time.monotonic() - began >= 0.7
    assert together([lambda: 1, lambda: time.sleep(LONG)], limit=2, seconds=0.7) == [1, None]
