"""Short operations, done and committed by the batch: each has its own answer, and what was answered is kept."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecsctl.model.api.clusters import CreateClusterRequest
from ecsctl.model.errors import StateError
from ecsctl.operations.actions import OF_STATE, ROOMS, shape_of
from ecsctl.operations.clusters import create_cluster
from ecsctl.server.app import Answer, Endpoint
from ecsctl.server.batches import MOST, Batches, Work
from ecsctl.store.tables import CLUSTERS
from tests.controller.world import Life, World, world_in
from tests.server.running import Running, client, serving
from tests.server.test_fuzz import requests


class Together:
    """Does batches, and notes which there were; the first waits for the event."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.goes_on = threading.Event()

    def __call__(self, batch: Sequence[Work[int]]) -> Sequence[int]:
        self.sizes.append(len(batch))
        assert self.goes_on.wait(30)
        return [work() for work in batch]


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def test_what_comes_while_a_batch_is_done_is_the_next(executor: ThreadPoolExecutor) -> None:
    together = Together()

    async def main() -> None:
        batches = Batches[int](executor, together)
        first = [batches.do(partial(int, n)) for n in range(3)]
        while not together.sizes:
            await asyncio.sleep(0.01)
        rest = [batches.do(partial(int, n)) for n in range(3, MOST + 5)]
        together.goes_on.set()
        assert await asyncio.gather(*first, *rest) == list(range(MOST + 5))
        assert await batches.do(lambda: 7) == 7

    asyncio.run(main())
    assert together.sizes == [3, MOST, 2, 1]


def test_what_a_batch_raises_is_told_to_all_of_it_and_the_next_is_done(executor: ThreadPoolExecutor) -> None:
    together = Together()
    together.goes_on.set()

    async def main() -> None:
        batches = Batches[int](executor, together)
        failed = await asyncio.gather(batches.do(lambda: 1), batches.do(lambda: 1 // 0), return_exceptions=True)
        assert [type(error) for error in failed] == [ZeroDivisionError, ZeroDivisionError]
        assert await batches.do(lambda: 2) == 2

    asyncio.run(main())


def test_nobody_has_to_wait_for_the_end(executor: ThreadPoolExecutor) -> None:
    together = Together()

    async def main() -> None:
        batches = Batches[int](executor, together)
        gone, stays = batches.do(lambda: 1), batches.do(lambda: 2)
        while not together.sizes:
            await asyncio.sleep(0.01)
        gone.cancel()
        together.goes_on.set()
        assert await stays == 2

    asyncio.run(main())


CALLS = st.sampled_from(sorted(action for action, room in ROOMS.items() if room in OF_STATE)).flatmap(
    lambda action: st.tuples(st.just(action), requests(shape_of(action, "Request")))
)


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[str], Running]]:
    """What hosts were asked, and a server."""
    folder, asked = tmp_path_factory.mktemp("silent"), list[str]()
    with world_in(folder, hosts=2) as world:
        world.define({})
        life = Life(meanwhile=lambda: asked.append("a host"))
        with serving(world.process(life), folder / "s") as server:
            yield asked, server


@given(call=CALLS)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_what_is_done_by_the_batch_asks_no_host(
    silent: tuple[list[str], Running], call: tuple[str, dict[str, Any]]
) -> None:
    asked, server = silent
    assert server.raw(call[0], json.dumps(call[1]).encode()).status in (200, 400)
    assert asked == []


def test_what_asks_hosts_is_noticed(silent: tuple[list[str], Running]) -> None:
    asked, server = silent
    server.call("RunTask", taskDefinition="app")
    assert asked != []


def at_once(server: Running, count: int) -> list[Any]:
    """What came of clusters that were asked for at once, named 0, 1 and so on; every fourth has no right name."""
    with ThreadPoolExecutor(count) as threads:
        return list(
            threads.map(lambda n: server.call("CreateCluster", clusterName=f"c{n}" if n % 4 else "?"), range(count))
        )


def test_each_of_a_batch_has_its_own_answer(server: Running, world: World) -> None:
    replies = at_once(server, 32)
    assert [reply.status for reply in replies] == [400 if n % 4 == 0 else 200 for n in range(32)]
    names = [reply.json["cluster"]["clusterName"] for reply in replies if reply.status == 200]
    assert names == [f"c{n}" for n in range(32) if n % 4]
    with closing(world.store.another()) as other, other.read() as view:
        assert {found.cluster_name for found in view.find(CLUSTERS)} == {"default", *names}


def test_where_a_batch_cannot_be_committed_each_is_done_alone_and_told_the_truth(world: World, tmp_path: Path) -> None:
    connection = world.store._database.connection
    with serving(world.process(), tmp_path / "s") as server, client(server.path) as ecs:
        assert isinstance(connection, sqlite3.Connection)
        connection.execute(
            "CREATE TRIGGER breaks BEFORE INSERT ON cluster WHEN NEW.name = 'broken'"
            " BEGIN SELECT RAISE(ROLLBACK, 'all of it is undone'); END"
        )
        with ThreadPoolExecutor(8) as threads:
            names = ["a", "b", "broken", "c", "d"]
            made = [threads.submit(ecs.create_cluster, clusterName=name) for name in names]
            failed = {name for name, one in zip(names, made, strict=True) if one.exception()}
        assert failed == {"broken"}
        found = {arn.rpartition("/")[2] for arn in ecs.list_clusters()["clusterArns"]}
        assert found == {"default", "a", "b", "c", "d"}


def test_a_commit_that_fails_is_not_taken_for_done(
    server: Running, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = world.store.together, [StateError("the disk is full")]

    @contextmanager
    def together() -> Iterator[None]:
        with real():
            yield
            if failures:
                raise failures.pop()

    monkeypatch.setattr(world.store, "together", together)
    assert server.call("CreateCluster", clusterName="a").status == 200
    assert failures == []
    assert [arn.rpartition("/")[2] for arn in server.call("ListClusters").json["clusterArns"]] == ["a", "default"]


def test_where_something_of_a_batch_raises_what_came_before_it_is_not_taken_for_done(world: World) -> None:
    context = world.process()
    endpoint = Endpoint(context, list[str]().append, lambda: None)

    def create() -> Answer:
        create_cluster(context, CreateClusterRequest(cluster_name="a"))
        return Answer(200, b"", "CreateCluster")

    def fail() -> Answer:
        raise OSError("the log cannot be written")

    with pytest.raises(OSError, match="the log"):
        endpoint._together([lambda: endpoint._answers.once("signature", "", create, lambda _: True), fail])
    with world.store.read() as view:
        assert [found.cluster_name for found in view.find(CLUSTERS)] == ["a", "default"]


def test_a_batch_that_takes_long_lets_others_write_meanwhile(world: World) -> None:
    context = world.process()
    endpoint = Endpoint(context, list[str]().append, lambda: None)
    written = threading.Event()
    seen: list[bool] = []

    def create() -> Answer:
        create_cluster(context, CreateClusterRequest(cluster_name="a"))
        other.start()
        return Answer(200, b"", "CreateCluster")

    def write() -> None:
        with closing(world.store.another()) as store, store.write() as tx:
            tx.set_meta("other", "1")
        written.set()

    def slow() -> Answer:
        seen.append(written.wait(0.05))
        return Answer(200, b"", "ListClusters")

    other = threading.Thread(target=write)
    answers = endpoint._together([create, *[slow] * 60])
    other.join(30)
    assert [answer.operation for answer in answers] == ["CreateCluster", *["ListClusters"] * 60]
    assert seen[-1]
