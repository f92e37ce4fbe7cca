"""Workers: bounded, one job at a time per key, and every end is told."""

from __future__ import annotations

import threading
import time
from queue import SimpleQueue

from ecsctl.controller.crew import Crew, Done


def wait_until_idle(crew: Crew[int]) -> None:
    end = time.monotonic() + 5
    while crew.busy:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_every_job_is_done_and_told_at_most_so_many_at_once() -> None:
    done: SimpleQueue[Done[int]] = SimpleQueue()
    crew = Crew[int](3, done.put)
    lock = threading.Lock()
    now = most = 0

    def job(number: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return number

    for number in range(12):
        assert crew.take(f"job{number}", lambda number=number: job(number))  # type: ignore[misc]
    results = sorted(done.get(timeout=5).result or 0 for _ in range(12))
    assert results == list(range(12))
    assert most == 3
    wait_until_idle(crew)


def test_one_job_at_a_time_for_each_key() -> None:
    done: SimpleQueue[Done[None]] = SimpleQueue()
    crew = Crew[None](3, done.put)
    go_on = threading.Event()
    assert crew.take("a", lambda: (go_on.wait(5), None)[1])
    assert not crew.take("a", lambda: None)
    assert crew.take("b", lambda: None)
    assert done.get(timeout=5).key == "b"
    go_on.set()
    assert done.get(timeout=5).key == "a"
    assert crew.take("a", lambda: None)


def test_a_job_that_fails_is_told_and_the_worker_goes_on() -> None:
    done: SimpleQueue[Done[int]] = SimpleQueue()
    crew = Crew[int](1, done.put)
    crew.take("a", lambda: 1 // 0)
    crew.take("b", lambda: 2)
    failed, fine = done.get(timeout=5), done.get(timeout=5)
    assert isinstance(failed.error, ZeroDivisionError)
    assert (failed.result, fine.result, fine.error) == (None, 2, None)
