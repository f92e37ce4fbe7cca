"""Hosts, as people add them, look after them and take them away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.connect import connect
from ecsctl.model import identity
from ecsctl.model.api.capacity_providers import CreateCapacityProviderRequest
from ecsctl.model.api.clusters import CreateClusterRequest
from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.arn import parse_arn
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.host import AddedHost, CheckedHost, HostWish
from ecsctl.model.record import decode
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations import host_check
from ecsctl.operations.add_hosts import Again, add_hosts
from ecsctl.operations.capacity_providers import create_capacity_provider
from ecsctl.operations.clusters import create_cluster
from ecsctl.operations.host_check import check_hosts
from ecsctl.operations.host_list import list_hosts
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.remove_hosts import remove_hosts
from ecsctl.operations.services import create_service
from ecsctl.store.tables import INSTANCES
from tests.controller.world import World, world_in
from tests.engine.faulty_server import answers, serving

A, B, C = (f"tcp://{name}:2376" for name in "abc")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two hosts that are registered, `host0` and `host1`, and the engines A and B that are not."""
    with world_in(tmp_path, hosts=2) as world:
        world.add_engine(A, "ENGINE-A")
        world.add_engine(B, "ENGINE-B")
        yield world


def add(world: World, *wishes: dict[str, Any], again: Again = "change") -> list[AddedHost]:
    return add_hosts(world.process(), [decode(HostWish, wish) for wish in wishes], again)


def check(world: World, *names: str) -> list[CheckedHost]:
    return check_hosts(world.process(), None, names)


def found(world: World, *names: str) -> list[tuple[str, str]]:
    return [(one.level, one.check) for host in check(world, *names) for one in host.findings]


def record(world: World, host: AddedHost) -> InstanceRecord:
    with world.store.read() as view:
        kept = view.get(INSTANCES, str(host.container_instance_arn))
    assert kept
    return kept


def attributes(kept: InstanceRecord) -> dict[str, str | None]:
    return {a.name: a.value for a in kept.instance.attributes or []}


def remove(world: World, *names: str, cluster: str | None = None, **more: Any) -> list[InstanceRecord]:
    return list(remove_hosts(world.process(), cluster, names, **more))


def sequence(world: World) -> int:
    with world.store.read() as view:
        return view.sequence


def test_a_host_is_what_is_said_of_it_and_what_its_engine_says(world: World) -> None:
    create_cluster(world.process(), CreateClusterRequest(cluster_name="prod"))
    create_capacity_provider(world.process(), decode(CreateCapacityProviderRequest, {"name": "spare"}))
    said = {"zone": "z", "instanceType": "m5.large", "price": 0.17, "attributes": {"rack": "7"}}
    wish = {"address": A, "name": "one", "cluster": "prod", "capacityProvider": "spare", "cpu": 512, **said}
    (added,) = add(world, wish, again="refuse")
    assert (added.result, added.host, added.reason) == ("added", "one", None)
    kept = record(world, added)
    assert parse_arn(kept.cluster_arn).resource == "cluster/prod"
    assert (kept.address, kept.name, kept.engine_id) == (A, "one", "ENGINE-A")
    assert kept.instance.capacity_provider_name == "spare"
    assert attributes(kept) == {
        "ecs.availability-zone": "z",
        "ecs.instance-type": "m5.large",
        "ecs.os-type": "linux",
        "ecs.os-family": "LINUX",
        "ecs.cpu-architecture": "x86_64",
        "ecsctl.hourly-price": "0.17",
        "rack": "7",
    }
    assert [r.integer_value for r in kept.instance.registered_resources or []][:2] == [512, 8192 - 256]


def test_a_host_without_a_type_has_that_of_its_size(world: World) -> None:
    (added,) = add(world, {"address": A})
    assert attributes(record(world, added))["ecs.instance-type"] == "docker.4x8"
    assert added.host == A, "the name that it gives itself"


def test_of_many_hosts_those_that_can_be_are_registered_and_of_the_others_it_is_said_why_not(world: World) -> None:
    world.engines[B].reachable = False
    wishes = (
        {"address": A, "name": "a"},
        {"address": B, "name": "b"},
        {"address": "bad address"},
        {"address": C, "region": "mars"},
        {"address": C, "cluster": "nowhere"},
        {"address": C, "price": -1},
        {"address": C, "name": "a/b"},
        {"address": C, "capacityProvider": "nothing"},
        {"address": C, "memory": 0},
    )
    added = add(world, *wishes)
    assert [host.result for host in added] == ["added"] + ["failed"] * 8
    assert [host.answers for host in added][:2] == [True, False]
    for host, words in zip(
        added[1:],
        (
            "simulated to be unreachable",
            "'bad address' is not the address of a Docker Engine",
            "'mars' is not a region",
            "Cluster not found",
            "is no price of an hour",
            "'a/b' is no name of a host",
            "capacity provider 'nothing' was not found",
            "memory: expected a number above 0",
        ),
        strict=True,
    ):
        assert words in str(host.reason)


def test_a_second_time_nothing_changes(world: World) -> None:
    wishes = ({"address": A, "name": "a", "price": 1, "zone": "z"}, {"address": B})
    add(world, *wishes)
    before = sequence(world)
    assert [host.result for host in add(world, *wishes)] == ["unchanged", "unchanged"]
    assert sequence(world) == before


def test_what_an_inventory_says_anew_is_written_down_and_the_rest_stays(world: World) -> None:
    first = add(world, {"address": A, "zone": "z", "attributes": {"rack": "7"}})[0]
    (again,) = add(world, {"address": A, "name": "b", "price": 0.5, "attributes": {"disk": "ssd"}, "cpu": 100})
    assert (again.result, again.host) == ("changed", "b")
    kept = record(world, first)
    assert kept.name == kept.instance.ec2_instance_id == "b"
    given = {"ecs.availability-zone": "z", "rack": "7", "disk": "ssd", "ecsctl.hourly-price": "0.5"}
    assert attributes(kept).items() >= given.items()
    assert next(r.integer_value for r in kept.instance.registered_resources or []) == 100


def test_a_host_may_be_said_to_be_of_another_region(world: World) -> None:
    (added,) = add(world, {"address": A, "region": "eu-central-1"})
    arn = parse_arn(str(added.container_instance_arn))
    assert (arn.region, arn.path[0]) == ("eu-central-1", "default")
    assert attributes(record(world, added))["ecs.availability-zone"] == "eu-central-1a"


def test_an_engine_is_registered_once_by_whatever_address(world: World) -> None:
    world.add_engine(C, "ENGINE-A")
    add(world, {"address": A, "name": "a"})
    for again in ("refuse", "change"):
        (other,) = add(world, {"address": C, "name": "c"}, again=again)
        assert other.result == "failed"
        assert f"registered already, as a at {A}" in str(other.reason)
        assert "one of the two is a clone of the other" in str(other.reason)
    (alias,) = add(world, {"address": C, "name": "c"}, again="accept")
    assert (alias.result, alias.reason) == ("unchanged", f"the same engine as a at {A}")
    (same,) = add(world, {"address": A, "name": "a"}, again="refuse")
    assert same.result == "failed"


def test_a_host_that_an_inventory_names_twice_is_what_is_said_of_it_first(world: World) -> None:
    wishes = ({"address": A, "name": "x"}, {"address": A, "name": "y"})
    for result in ("added", "unchanged"):
        first, second = add(world, *wishes)
        assert (first.result, second.result) == (result, "failed")
        assert second.reason == f"it is named twice: it is x already, at {A}"


def test_what_a_registered_host_cannot_become_is_said_of_it_and_holds_up_no_other(world: World) -> None:
    add(world, {"address": A})
    first, second = add(world, {"address": A, "memory": 3}, {"address": B})
    assert (first.result, second.result) == ("failed", "added")
    assert "memory: 3 MiB are too little for a task: give 6 or more." in str(first.reason)


def test_a_context_is_the_address_that_it_stands_for(world: World) -> None:
    world.add_engine("unix:///var/run/docker.sock", "ENGINE-C")
    world.engines["context:default"] = world.engines["unix:///var/run/docker.sock"]
    add(world, {"address": "unix:///var/run/docker.sock"})
    (again,) = add(world, {"address": "default", "name": "here"})
    assert (again.result, again.host) == ("changed", "here")


def test_two_hosts_of_a_cluster_have_two_names(world: World) -> None:
    first, second = add(world, {"address": A, "name": "x"}, {"address": B, "name": "x"})
    assert (first.result, second.result) == ("added", "failed")
    assert "is called x already" in str(second.reason)


def test_a_host_that_something_is_wrong_with_is_not_registered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_check, "free_disk", lambda address, info: 5 << 20 if address == A else 2 << 30)
    first, second = add(world, {"address": A}, {"address": B})
    assert (first.result, first.container_instance_arn, first.answers) == ("failed", None, True)
    assert "5 MiB are left for /" in str(first.reason)
    assert second.result == "added"


def test_a_host_that_is_well_has_but_the_warning_that_live_restore_is_off(world: World) -> None:
    assert found(world, A, "host0") == [("warning", "live-restore")] * 2
    (host,) = check(world, "host0")
    assert (host.host, host.engine_version, host.api_version, host.answers) == ("host0", "20.10.24", "1.41", True)


def test_without_names_all_hosts_of_the_region_are_looked_at(world: World) -> None:
    add(world, {"address": A, "region": "eu-central-1"})
    assert [host.host for host in check(world)] == ["host0", "host1"]


def test_a_host_that_is_named_twice_is_no_clone_of_itself(world: World) -> None:
    with world.store.read() as view:
        host = next(one for one in view.find(INSTANCES) if one.name == "host0")
    assert found(world, "host0", "host0", host.arn, host.address) == [("warning", "live-restore")]
    assert found(world, A, A) == [("warning", "live-restore")]


def test_a_clock_that_is_wrong_is_told_by_how_much(world: World) -> None:
    for ahead, words in ((4, None), (90, "90 s ahead"), (-3600, "3600 s behind")):
        world.engines[A].clock_ahead = ahead
        (host,) = check(world, A)
        told = [one.message for one in host.findings if one.check == "clock"]
        assert bool(told) == bool(words)
        assert all(str(words) in message for message in told)


def test_another_engine_at_a_registered_address_is_an_error(world: World) -> None:
    add(world, {"address": A, "name": "a"})
    world.add_engine(A, "ENGINE-NEW")
    assert ("error", "engine") in found(world, "a")
    world.engines[A] = world.engines[B]
    add(world, {"address": B, "name": "b"})
    (first, second) = check(world, "a", "b")
    assert "has the same engine id" in first.findings[-1].message
    assert "has the same engine id" in second.findings[-1].message


def test_a_host_that_another_state_uses_too_is_told(world: World) -> None:
    world.engines[A].create("own", {"Image": "up", "Labels": {identity.INSTALL: world.store.install}})
    assert ("warning", "shared") not in found(world, A)
    world.engines[A].create("other", {"Image": "up", "Labels": {identity.INSTALL: "another"}})
    assert ("warning", "shared") in found(world, A)


def test_a_silent_host_is_one_finding_and_holds_up_no_other(world: World) -> None:
    world.engines["host1"].reachable = False
    first, second = check(world)
    assert first.answers
    assert not second.answers
    assert [(one.level, one.check) for one in second.findings] == [("error", "other")]


@pytest.mark.parametrize(
    ("answer", "check_word"),
    [
        (b'{"message":"client version 1.41 is too new. Maximum supported API version is 1.40"}', "version"),
        (b'{"message":"go away"}', "docker"),
    ],
)
def test_an_engine_that_is_too_old_or_none_is_told_by_its_words(tmp_path: Path, answer: bytes, check_word: str) -> None:
    with serving(tmp_path / "s", answers(answer, "400 Bad Request")) as server:
        engine = connect(f"unix://{server.path}")
        with world_in(tmp_path, hosts=0) as world:
            world.engines[A] = engine  # type: ignore[assignment]
            assert found(world, A) == [("error", check_word)]
        engine.close()


def test_a_name_that_nobody_has_is_an_address_or_a_mistake(world: World) -> None:
    with pytest.raises(InputError, match=r"there is no host 'no host' \(see `ecsctl host ls`\), and 'no host' is not"):
        check(world, "no host")


def test_the_list_says_what_is_reserved_and_who_answers(world: World) -> None:
    world.define({"cpu": 100, "memory": 64})
    wish = {"serviceName": "web", "taskDefinition": "app", "desiredCount": 3}
    create_service(world.process(), decode(CreateServiceRequest, wish))
    reconcile(world.process())
    world.engines["host1"].reachable = False
    listed = list_hosts(world.process())
    rows = listed.rows
    assert [(row.host, row.cluster, row.zone, row.status) for row in rows] == [
        ("host0", "default", "zone0", "ACTIVE"),
        ("host1", "default", "zone1", "ACTIVE"),
    ]
    assert sum(row.tasks for row in rows) == 3
    assert [(row.cpu_reserved, row.memory_reserved) for row in rows] == [(100 * r.tasks, 64 * r.tasks) for r in rows]
    assert {(row.cpu, row.memory) for row in rows} == {(4096, 8192 - 256)}
    assert [row.agent_connected for row in rows] == [True, False]
    assert listed.silent.keys() == {"host1"}


def served(world: World, count: int = 2) -> None:
    world.define({"memory": 64})
    wish = {"serviceName": "web", "taskDefinition": "app", "desiredCount": count}
    create_service(world.process(), decode(CreateServiceRequest, wish))
    reconcile(world.process())


def test_a_host_with_tasks_is_refused_unless_they_move_or_are_stopped(world: World) -> None:
    served(world)
    with pytest.raises(ApiError, match=r"host0 has 1 task: --drain waits .* --force stops"):
        remove(world, "host0")
    (gone,) = remove(world, "host0", drain_for=600)
    assert gone.instance.status == "INACTIVE"
    assert [row.tasks for row in list_hosts(world.process()).rows] == [2]
    remove(world, "host1", force=True)
    assert list_hosts(world.process()).rows == []


def test_a_host_whose_tasks_cannot_go_anywhere_stays_draining(world: World) -> None:
    served(world)
    remove(world, "host1", drain_for=600)
    with pytest.raises(TimeoutError, match="host0 is DRAINING and still has 2 tasks"):
        remove(world, "host0", drain_for=30)
    assert [row.status for row in list_hosts(world.process()).rows] == ["DRAINING"]


def test_a_name_of_two_hosts_asks_for_the_cluster(world: World) -> None:
    create_cluster(world.process(), CreateClusterRequest(cluster_name="prod"))
    (added,) = add(world, {"address": A, "name": "host0", "cluster": "prod"})
    with pytest.raises(InputError, match="several hosts are called 'host0': say which by --cluster"):
        remove(world, "host0")
    with pytest.raises(InputError, match="there is no host 'host7' in us-east-1"):
        remove(world, "host7")
    assert [one.arn for one in remove(world, "host0", cluster="prod")] == [added.container_instance_arn]


def test_a_name_that_nobody_has_leaves_the_others_as_they_are(world: World) -> None:
    before = sequence(world)
    with pytest.raises(InputError, match="there is no host 'host7'"):
        remove(world, "host0", "host7", drain_for=600)
    assert sequence(world) == before
    assert [gone.name for gone in remove(world, "host0", "host0")] == ["host0"]


def test_hosts_that_go_together_do_not_get_the_tasks_of_each_other(world: World) -> None:
    add(world, {"address": A, "name": "other"})
    served(world, 6)
    assert [gone.name for gone in remove(world, "host0", "host1", drain_for=600)] == ["host0", "host1"]
    assert [(row.host, row.tasks) for row in list_hosts(world.process()).rows] == [("other", 6)]
    assert len(world.tasks()) == 6 + 4
