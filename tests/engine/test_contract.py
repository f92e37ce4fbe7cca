"""One contract, two engines: what the simulated one does is what the real one does."""

from __future__ import annotations

import io
import ipaddress
import os
import platform
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from ecsctl.controller.together import together
from ecsctl.engine.image_archive import ImageArchive
from ecsctl.engine.pause_image import pause_image
from ecsctl.engine.port import EngineEvent, LogChunk, PortBinding, Subnet
from ecsctl.model import identity
from ecsctl.model.errors import Conflict, EngineRefused, EngineTimeout, ImageNotFound, NetworkNotFound, NotFound
from ecsctl.model.identity import PAUSE_IMAGE
from ecsctl.model.record import evolve
from ecsctl.model.timestamps import unix_time
from tests.engine.contract import (
    LONG,
    MISSING_COMMAND,
    MISSING_IMAGE,
    NETWORKED,
    World,
    docker_world,
    saved,
    simulated_world,
)


def archive(**files: bytes) -> bytes:
    """A tar archive of files by name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture(params=["simulated", pytest.param("docker", marks=pytest.mark.docker)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "simulated":
        with simulated_world() as simulated:
            yield simulated
    else:
        with docker_world(request.getfixturevalue("engine_image")) as real:
            yield real


def test_an_engine_answers_and_says_what_it_is(world: World) -> None:
    world.engine.ping()
    info = world.engine.info()
    assert info.os == "linux"
    assert info.cpus > 0
    assert info.memory > 64 * 1024 * 1024
    assert tuple(map(int, info.api_version.split("."))) >= (1, 41)
    assert all((info.id, info.name, info.architecture, info.version))
    assert info.id == world.engine.info().id
    assert info.directory.startswith("/")
    assert info.clock > 1_700_000_000
    assert not info.podman


def test_what_was_created_is_there_and_has_not_run(world: World) -> None:
    container = world.create("forever")
    seen = world.engine.inspect(container)
    assert seen.id == container
    assert len(container) == 64
    assert seen.name == world.name("c")
    assert (seen.state, seen.health, seen.ports, seen.error) == ("created", None, (), "")
    assert (seen.started_at, seen.finished_at) == (None, None)
    assert not seen.is_up
    assert not seen.has_ended
    assert world.engine.inspect(world.name("c")) == seen


def test_all_installs_are_listed_when_none_is_named(world: World) -> None:
    container = world.create("forever")
    assert container in {found.id for found in world.engine.list(None)}
    assert world.engine.list(world.install + "-other") == []
    assert all(identity.INSTALL in found.labels for found in world.engine.list(None))


def test_what_a_container_was_created_with_is_told_and_not_shown(world: World) -> None:
    body = {**world.body("forever"), "Env": ["MODE=a=b c", "EMPTY="]}
    body["HostConfig"]["LogConfig"] = {"Type": "json-file", "Config": {"max-size": "1m"}}
    container = world.engine.create(world.name("c"), body)
    found = world.engine.settings(container)
    assert {"MODE": "a=b c", "EMPTY": ""}.items() <= found.environment.items()
    assert found.log_options == {"max-size": "1m"}
    assert found.image == body["Image"]
    assert unix_time(found.created_at) > unix_time("2020-01-01T00:00:00Z")
    assert "a=b c" not in repr(found)
    with pytest.raises(NotFound):
        world.engine.settings(world.name("nobody"))


def test_a_name_is_given_once(world: World) -> None:
    world.create("forever")
    with pytest.raises(Conflict, match="already in use") as caught:
        world.create("forever")
    assert caught.value.status == 409


def test_a_name_that_cannot_be_is_refused(world: World) -> None:
    for name in ("a b", "-a", "x", "ä1"):
        with pytest.raises(EngineRefused, match="Invalid container name") as caught:
            world.engine.create(name, world.body("forever"))
        assert caught.value.status == 400


def test_an_image_that_is_not_there_is_told_from_other_refusals(world: World) -> None:
    with pytest.raises(ImageNotFound, match=f"No such image: {MISSING_IMAGE}"):
        world.engine.create(world.name("c"), {**world.body("forever"), "Image": MISSING_IMAGE})
    assert world.engine.list(world.install) == []


def test_too_little_memory_is_refused_at_create(world: World) -> None:
    with pytest.raises(EngineRefused, match="Minimum memory limit") as caught:
        world.create("forever", Memory=1024 * 1024)
    assert caught.value.status == 400


def test_starting_twice_is_starting_once(world: World) -> None:
    container = world.run("forever")
    first = world.engine.inspect(container)
    world.engine.start(container)
    assert world.engine.inspect(container) == first
    assert first.is_up
    assert first.started_at is not None
    assert first.finished_at is None


def test_a_process_that_ends_leaves_its_exit_code(world: World) -> None:
    seen = world.ended(world.run("exits"))
    assert (seen.state, seen.exit_code, seen.oom_killed) == ("exited", 7, False)
    assert seen.started_at is not None
    assert seen.finished_at is not None  # not always after started_at: Docker 20.10 takes them from two clocks


def test_what_ended_can_be_started_again(world: World) -> None:
    container = world.run("exits")
    first = world.ended(container)
    world.engine.start(container)
    again = world.until(container, lambda found: found.has_ended and found.finished_at != first.finished_at)
    assert again.exit_code == 7


def test_what_is_put_into_a_container_is_there_when_it_starts(world: World) -> None:
    container = world.create("reads")
    for words in (b"before", b"one\ntwo\n"):
        world.engine.put_archive(container, "/etc", archive(**{"given/words": words}))
    world.engine.start(container)
    world.ended(container)
    assert [chunk.line for chunk in world.engine.logs(container)] == [b"one", b"two"]


def test_stop_asks_first(world: World) -> None:
    container = world.run("forever")
    began = world.now()
    world.engine.stop(container, 10)
    assert world.now() - began < 5
    assert world.engine.inspect(container).exit_code == 0
    world.engine.stop(container, 10)


def test_stop_kills_what_does_not_listen(world: World) -> None:
    container = world.run("stubborn")
    began = world.now()
    world.engine.stop(container, 1)
    assert 0.9 < world.now() - began < 8
    assert world.engine.inspect(container).exit_code == 137


def test_kill_does_not_ask(world: World) -> None:
    container = world.run("stubborn")
    world.engine.kill(container)
    assert world.ended(container).exit_code == 137
    world.engine.kill(container)


def test_what_never_ran_can_be_stopped_and_killed(world: World) -> None:
    container = world.create("forever")
    world.engine.stop(container, 1)
    world.engine.kill(container)
    assert world.engine.inspect(container).state == "created"


def test_what_ran_out_of_memory_says_so(world: World) -> None:
    said = []
    for word in ("one", "two", "three"):  # a busy Docker 20.10 misses it once in a while
        seen = world.ended(world.run("hungry", word, Memory=8 * 1024 * 1024, MemorySwap=8 * 1024 * 1024))
        assert seen.exit_code == 137
        said.append(seen.oom_killed)
        if seen.oom_killed:
            break
    assert any(said), said


def test_a_command_that_is_not_there_fails_the_start_and_leaves_the_container(world: World) -> None:
    container = world.create("missing")
    with pytest.raises(EngineRefused, match=MISSING_COMMAND) as caught:
        world.engine.start(container)
    assert caught.value.status == 400
    seen = world.engine.inspect(container)
    assert (seen.state, seen.exit_code) == ("created", 127)
    assert MISSING_COMMAND in seen.error


def test_rename_frees_the_old_name(world: World) -> None:
    container = world.run("forever")
    world.engine.rename(container, world.name("c-dead"))
    assert world.engine.inspect(container).name == world.name("c-dead")
    with pytest.raises(NotFound):
        world.engine.inspect(world.name("c"))
    other = world.create("forever")
    assert other != container
    with pytest.raises(Conflict, match="already in use"):
        world.engine.rename(other, world.name("c-dead"))
    world.engine.rename(other, world.name("c"))


def test_remove_takes_what_runs_and_what_is_gone(world: World) -> None:
    container = world.run("stubborn")
    world.engine.remove(container)
    world.engine.remove(container)
    other = world.create("forever")
    world.engine.remove(world.name("c"))
    for gone in (container, other, world.name("c")):
        with pytest.raises(NotFound, match="No such container"):
            world.engine.inspect(gone)


def test_what_is_gone_is_not_found_by_any_verb(world: World) -> None:
    container = world.create("forever")
    world.engine.remove(container)
    for act in (
        lambda: world.engine.put_archive(container, "/", archive(x=b"")),
        lambda: world.engine.start(container),
        lambda: world.engine.stop(container, 1),
        lambda: world.engine.kill(container),
        lambda: world.engine.rename(container, world.name("other")),
        lambda: world.engine.inspect(""),
        lambda: list(world.engine.logs(container)),
        lambda: world.engine.usage(container),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_list_has_what_is_ours_running_or_not(world: World) -> None:
    running, created = world.run("forever", "one"), world.create("forever", "two")
    body = world.body("forever")
    stranger = world.engine.create(world.name("three"), {**body, "Labels": {"ecsctl.install": f"{world.install}-x"}})
    try:
        seen = {found.id: found for found in world.engine.list(world.install)}
    finally:
        world.engine.remove(stranger)
    assert set(seen) == {running, created}
    assert seen[running].state == "running"
    assert seen[created].state == "created"
    assert seen[running].name == world.name("one")
    assert seen[running].labels == body["Labels"]
    assert seen[running].image_id == world.engine.inspect(running).image_id


def test_a_list_tells_no_exit_code(world: World) -> None:
    container = world.run("exits")
    world.ended(container)
    (seen,) = world.engine.list(world.install)
    assert (seen.state, seen.exit_code, seen.finished_at) == ("exited", None, None)


@pytest.mark.parametrize(("behaviour", "health"), [("healthy", "healthy"), ("sick", "unhealthy")])
def test_health_is_seen_by_list_and_inspect(world: World, behaviour: str, health: str) -> None:
    container = world.run(behaviour)
    assert world.engine.inspect(container).health in ("starting", health)
    world.until(container, lambda found: found.health == health)
    (seen,) = world.engine.list(world.install)
    assert seen.health == health
    world.engine.stop(container, 5)
    (seen,) = world.engine.list(world.install)
    assert seen.health is None


def test_published_ports_are_seen_while_it_runs(world: World) -> None:
    bindings = {"80/tcp": [{"HostPort": ""}], "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "0"}]}
    body = world.body("forever", NetworkMode=NETWORKED, PortBindings=bindings)
    container = world.engine.create(world.name("c"), {**body, "ExposedPorts": {"80/tcp": {}, "53/udp": {}}})
    assert world.engine.inspect(container).ports == ()
    world.engine.start(container)
    seen = world.engine.inspect(container)
    (listed,) = world.engine.list(world.install)
    assert listed.ports == seen.ports
    (udp,) = (port for port in seen.ports if port.protocol == "udp")
    assert udp == PortBinding("127.0.0.1", udp.host_port, 53, "udp")
    tcp = next(port for port in seen.ports if port.protocol == "tcp" and port.host_ip == "0.0.0.0")
    assert tcp.container_port == 80
    assert tcp.host_port >= 1024
    world.engine.kill(container)
    world.ended(container)
    assert world.engine.inspect(container).ports == ()


def test_a_port_that_is_taken_fails_the_start_until_it_is_free(world: World) -> None:
    def publish(word: str, port: int) -> str:
        bindings = {"80/tcp": [{"HostPort": str(port)}]}
        body = world.body("forever", NetworkMode=NETWORKED, PortBindings=bindings)
        return world.engine.create(world.name(word), {**body, "ExposedPorts": {"80/tcp": {}}})

    holder = publish("holder", 0)
    world.engine.start(holder)
    port = world.engine.inspect(holder).ports[0].host_port
    assert (port, "tcp") in world.engine.published()
    other = publish("other", port)
    with pytest.raises(EngineRefused, match="port is already allocated") as caught:
        world.engine.start(other)
    assert caught.value.status == 500
    seen = world.engine.inspect(other)
    assert (seen.state, seen.exit_code) == ("created", 128)
    assert "port is already allocated" in seen.error
    world.engine.remove(holder)
    assert (port, "tcp") not in world.engine.published()
    world.engine.start(other)
    assert world.engine.inspect(other).is_up


def test_the_namespace_of_what_does_not_run_cannot_be_joined(world: World) -> None:
    pause = world.create("forever", "pause")
    other = world.create("forever", "other", NetworkMode=f"container:{pause}")
    with pytest.raises(Conflict, match="cannot join network of a non running container"):
        world.engine.start(other)
    world.engine.start(pause)
    world.engine.start(other)


def test_output_is_read_by_line_from_both_streams(world: World) -> None:
    container = world.run("prints")
    world.ended(container)
    chunks = list(world.engine.logs(container))
    assert [chunk.line for chunk in chunks if chunk.stream == "stdout"] == [b"one", b"two", b"three", b"rest"]
    assert [chunk.line for chunk in chunks if chunk.stream == "stderr"] == [b"wrong"]
    assert all(len(chunk.timestamp) == len("2026-01-31T09:30:00.123456789Z") for chunk in chunks)


def test_output_is_followed_to_its_end(world: World) -> None:
    container = world.run("prints")
    lines = [chunk.line for chunk in world.engine.logs(container, follow=True)]
    assert sorted(lines) == sorted([b"one", b"two", b"wrong", b"three", b"rest"])
    assert world.engine.inspect(container).has_ended


def test_following_can_be_given_up(world: World) -> None:
    container = world.run("prints")
    chunks = world.engine.logs(container, follow=True)
    assert next(chunks).line in (b"one", b"wrong")
    getattr(chunks, "close")()  # noqa: B009 - an iterator need not have it
    world.engine.kill(container)


def test_output_begins_where_it_is_asked_to(world: World) -> None:
    container = world.run("prints")
    world.ended(container)
    out = [chunk for chunk in world.engine.logs(container) if chunk.stream == "stdout"]
    tail = [chunk.line for chunk in world.engine.logs(container, tail=1)]
    assert tail == [b"rest"]
    since = list(world.engine.logs(container, since=out[2].timestamp))
    assert since == out[2:]
    assert list(world.engine.logs(container, tail=0)) == []


def test_a_long_line_is_one_line(world: World) -> None:
    for tty in (False, True):
        word = f"tty-{tty}".lower()
        container = world.engine.create(world.name(word), {**world.body("long"), "Tty": tty})
        world.engine.start(container)
        world.ended(container)
        lines = [chunk.line for chunk in world.engine.logs(container)]
        assert lines == [b"x" * LONG, b"end"], tty


def test_a_terminal_has_one_stream(world: World) -> None:
    container = world.engine.create(world.name("c"), {**world.body("prints"), "Tty": True})
    world.engine.start(container)
    world.ended(container)
    chunks: list[LogChunk] = list(world.engine.logs(container))
    assert {chunk.stream for chunk in chunks} == {"stdout"}
    assert [chunk.line for chunk in chunks] == [b"one", b"two", b"wrong", b"three", b"rest"]


def test_a_volume_is_made_once_and_kept_while_it_is_used(world: World) -> None:
    volume = world.name("volume")
    assert not world.engine.has_volume(volume)
    for _ in range(2):
        place = world.engine.create_volume(volume, None, {}, {"ecsctl.install": world.install})
        assert place.endswith(f"/{volume}/_data")
    assert world.engine.has_volume(volume)
    container = world.create("forever", Mounts=[{"Type": "volume", "Source": volume, "Target": "/data"}])
    with pytest.raises(Conflict, match="volume is in use"):
        world.engine.remove_volume(volume)
    world.engine.remove(container)
    assert world.engine.has_volume(volume)
    for _ in range(2):
        world.engine.remove_volume(volume)
    assert not world.engine.has_volume(volume)


def test_a_pull_that_fails_has_the_registrys_words(world: World) -> None:
    with pytest.raises(EngineRefused) as caught:
        world.engine.pull("127.0.0.1:1/nothing/here")
    assert caught.type is EngineRefused
    assert caught.value.message
    assert "\n" not in caught.value.message


def test_engines_can_be_closed_twice(world: World) -> None:
    world.engine.ping()
    world.engine.close()
    world.engine.close()


def test_the_simulated_engine_takes_no_time() -> None:
    began = time.monotonic()
    with simulated_world() as world:
        container = world.run("stubborn")
        world.engine.stop(container, 1000)
        assert world.engine.inspect(container).exit_code == 137
    assert time.monotonic() - began < 1


def test_what_happens_to_containers_is_told(world: World) -> None:
    events = world.engine.events(world.install, 20.0)
    assert next(events) is None
    other = world.create("forever", "other")
    world.engine.remove(other)
    body = world.body("exits")
    body["Labels"][identity.TASK] = "some-task"
    container = world.engine.create(world.name("c"), body)
    world.engine.start(container)
    world.ended(container)
    world.engine.remove(container)
    told = [next(events) for _ in range(3)]
    assert told == [
        EngineEvent(other, "", "destroy"),
        EngineEvent(container, "some-task", "die"),
        EngineEvent(container, "some-task", "destroy"),
    ]


def test_a_change_of_health_is_told(world: World) -> None:
    events = world.engine.events(world.install, 20.0)
    next(events)
    world.run("healthy")
    event = next(events)
    assert event is not None
    assert event.action == "health_status"


def test_when_nothing_happens_the_stream_of_events_ends(world: World) -> None:
    events = world.engine.events(world.install, 0.3)
    next(events)
    with pytest.raises(EngineTimeout):
        next(events)


def test_an_image_is_loaded_without_a_registry(world: World) -> None:
    world.engine.load([pause_image(platform.machine())])
    world.engine.load([pause_image(platform.machine())])
    body = {"Image": PAUSE_IMAGE, "Labels": {identity.INSTALL: world.install}, "HostConfig": {"NetworkMode": "none"}}
    container = world.engine.create(world.name("pause"), body)
    world.engine.start(container)
    world.sleep(0.3)
    assert world.engine.inspect(container).is_up
    world.engine.stop(container, 0)
    assert world.ended(container).exit_code == 137


def test_a_network_that_is_not_there_is_told_from_a_container_that_is_gone(world: World) -> None:
    container = world.create("forever", NetworkMode=world.name("network"))
    with pytest.raises(NetworkNotFound, match="not found"):
        world.engine.start(container)
    assert world.engine.inspect(container).state == "created"
    world.engine.create_network(world.name("network"), {"owner": "me"})
    world.engine.create_network(world.name("network"), {"owner": "me"})
    world.engine.start(container)
    (address,) = world.engine.inspect(container).addresses
    assert address.network == world.name("network")
    assert ipaddress.ip_address(address.ipv4).is_private
    assert len(address.mac.split(":")) == 6
    (listed,) = world.engine.list(world.install)
    assert listed.addresses == (address,)
    with pytest.raises(Conflict, match="active endpoints"):
        world.engine.remove_network(world.name("network"))
    world.engine.kill(container)
    assert world.ended(container).addresses == ()
    world.engine.remove_network(world.name("network"))
    world.engine.remove_network(world.name("network"))


def test_a_container_is_put_into_a_further_network(world: World) -> None:
    container = world.create("forever", NetworkMode=NETWORKED)
    world.engine.connect_network(world.name("network"), container)
    with pytest.raises(NetworkNotFound, match="not found"):
        world.engine.start(container)
    subnet = Subnet("169.254.180.0/24", "169.254.180.2")
    world.engine.create_network(world.name("network"), {"owner": "me"}, subnet)
    world.engine.create_network(world.name("network"), {"owner": "me"}, subnet)
    world.engine.connect_network(world.name("network"), container)
    world.engine.connect_network(world.name("network"), container)
    world.engine.start(container)
    addresses = {address.network: address.ipv4 for address in world.engine.inspect(container).addresses}
    assert set(addresses) == {NETWORKED, world.name("network")}
    assert addresses[world.name("network")].startswith("169.254.")
    assert addresses[world.name("network")] != subnet.reserved
    world.engine.connect_network(world.name("network"), container)
    with pytest.raises(NotFound, match="No such container"):
        world.engine.connect_network(world.name("network"), "nobody")


def test_a_container_is_taken_out_of_a_further_network_and_put_back(world: World) -> None:
    network = world.name("network")
    world.engine.create_network(network, {"ecsctl.test": world.install}, internal=True)
    container = world.create("forever", NetworkMode=NETWORKED)
    world.engine.connect_network(network, container, ["web", "web.shop"])
    world.engine.start(container)
    for _ in range(2):
        world.engine.disconnect_network(network, container)
        assert {address.network for address in world.engine.inspect(container).addresses} == {NETWORKED}
    world.engine.connect_network(network, container, ["web"])
    assert {address.network for address in world.engine.inspect(container).addresses} == {NETWORKED, network}
    world.engine.disconnect_network(world.name("another"), container)
    with pytest.raises(NotFound, match="No such container"):
        world.engine.disconnect_network(network, "nobody")
    found = [one for one in world.engine.list_networks("ecsctl.test") if one.name == network]
    assert [(one.driver, one.labels) for one in found] == [("bridge", {"ecsctl.test": world.install})]


def test_an_engine_that_is_in_no_swarm_says_so(world: World) -> None:
    assert world.engine.swarm().state == "inactive"
    world.engine.leave_swarm()
    with pytest.raises(EngineRefused, match="not a swarm manager"):
        world.engine.join_tokens()


def test_a_container_answers_what_it_is_given(world: World) -> None:
    listening = world.run("listens")
    together([partial(world.engine.feed, listening, b"%d " % n + b"x" * 9000, b"ok %d" % n) for n in range(8)], 4)
    world.engine.kill(listening)
    world.ended(listening)
    with pytest.raises(Conflict, match="not running"):
        world.engine.feed(listening, b"late", b"ok late")
    with pytest.raises(NotFound):
        world.engine.feed("nobody", b"x", b"ok x")


def test_what_belongs_to_everybody_is_listed_when_it_is_asked_for(world: World) -> None:
    mine = world.create("forever", "mine")
    body = world.body("forever") | {"Labels": {identity.INSTALL: identity.SHARED}}
    shared = world.engine.create(world.name("shared"), body)
    other = world.engine.create(world.name("other"), body | {"Labels": {identity.INSTALL: world.install + "-2"}})
    try:
        assert [found.id for found in world.engine.list(world.install)] == [mine]
        assert {mine, shared} <= {found.id for found in world.engine.list(world.install, shared=True)}
        assert other not in {found.id for found in world.engine.list(world.install, shared=True)}
        assert {mine, shared, other} <= {found.id for found in world.engine.list(None)}
    finally:
        world.engine.remove(shared)
        world.engine.remove(other)


def test_a_container_lives_in_the_network_of_another_that_runs(world: World) -> None:
    owner = world.create("forever", "owner", NetworkMode=NETWORKED)
    guest = world.create("forever", "guest", NetworkMode=f"container:{world.name('owner')}")
    with pytest.raises(Conflict, match="non running container"):
        world.engine.start(guest)
    world.engine.start(owner)
    world.engine.start(guest)
    assert world.engine.inspect(guest).is_up
    assert world.engine.inspect(guest).addresses == ()
    lonely = world.create("forever", "lonely", NetworkMode=f"container:{world.name('nobody')}")
    with pytest.raises(NotFound, match="No such container"):
        world.engine.start(lonely)


def test_what_a_container_uses(world: World) -> None:
    busy, idle, created = world.run("busy", "busy"), world.run("forever", "idle"), world.create("forever", "created")
    assert world.engine.usage(created) is None
    using, resting = world.engine.usage(busy), world.engine.usage(idle)
    assert using is not None
    assert resting is not None
    assert 0.05 < using.cpus < 1.2  # all of a core, but for what neighbours take
    assert resting.cpus < 0.05
    assert 20 << 20 <= using.memory < 40 << 20
    assert resting.memory < 10 << 20
    said = world.engine.statistics(busy)
    assert (said["id"], said["name"]) == (busy, f"/{world.name('busy')}")
    assert said["memory_stats"]["usage"] >= 20 << 20
    world.engine.kill(busy)
    assert world.ended(busy)
    assert world.engine.usage(busy) is None


def test_a_command_is_executed_in_what_runs(world: World) -> None:
    running, created = world.run("forever", "running"), world.create("forever", "created")
    said: list[tuple[str, bytes]] = []
    code = world.engine.execute(running, ["echo", "hello"]).converse(
        None, lambda stream, data: said.append((stream, data))
    )
    assert code == 0
    assert {stream for stream, _ in said} == {"stdout"}
    assert b"hello\n" in b"".join(data for _, data in said)
    with pytest.raises(Conflict, match="not running"):
        world.engine.execute(created, ["true"])
    world.engine.remove(running)
    with pytest.raises(NotFound):
        world.engine.execute(running, ["true"])


def test_a_conversation_at_a_terminal_can_be_left(world: World) -> None:
    running = world.run("forever", "running")
    stdin, keyboard = os.pipe()
    said: list[bytes] = []
    try:
        session = world.engine.execute(running, ["cat"], tty=True, stdin=True)
        os.write(keyboard, b"hello\n")
        left = threading.Timer(1.0, session.leave)
        left.start()
        with pytest.raises(EngineTimeout, match="ended"):
            session.converse(stdin, lambda _, data: said.append(data))
        assert b"hello" in b"".join(said)
        session.leave()
        left.join()
    finally:
        os.close(keyboard)
        os.close(stdin)


def test_an_image_is_known_by_its_names_and_its_id(world: World) -> None:
    world.engine.load([pause_image(platform.machine())])
    found = world.engine.image(PAUSE_IMAGE)
    assert found is not None
    assert PAUSE_IMAGE in found.tags
    assert found.id.startswith("sha256:")
    assert len(found.layers) == 1
    assert world.engine.image(found.id) == found
    assert evolve(found, layers=()) in world.engine.list_images()
    assert world.engine.image(MISSING_IMAGE) is None
    assert world.engine.image("..") is None
    world.engine.remove_image(MISSING_IMAGE)


def test_an_image_that_a_container_uses_stays(world: World) -> None:
    content = saved(world.name("used"), "used")
    world.engine.load([content])
    image = world.engine.image(world.name("used"))
    assert image is not None
    assert image.id not in world.engine.used_images()
    body = {**world.body("forever"), "Image": world.name("used"), "Cmd": ["/pause"]}
    container = world.engine.create(world.name("c"), body)
    assert image.id in world.engine.used_images()
    for name in (world.name("used"), image.id):
        with pytest.raises(Conflict):
            world.engine.remove_image(name)
    assert world.engine.image(world.name("used")) == image
    world.engine.remove(container)
    world.engine.remove_image(world.name("used"))
    assert world.engine.image(image.id) is None


def test_what_was_exported_is_the_same_image_when_it_is_loaded(world: World) -> None:
    world.engine.load([saved(world.name("image"), "one")])
    image = world.engine.image(world.name("image"))
    exported = b"".join(world.engine.export(world.name("image")))
    world.engine.remove_image(world.name("image"))
    assert world.engine.image(world.name("image")) is None
    world.engine.load(exported[i : i + 1000] for i in range(0, len(exported), 1000))
    assert world.engine.image(world.name("image")) == image
    world.engine.remove_image(world.name("image"))
    with pytest.raises(ImageNotFound):
        list(world.engine.export(world.name("image")))


def test_layers_that_are_there_need_not_be_sent(world: World) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(saved(world.name("upon"), "below", "upon"))
        archive = ImageArchive(file)
        world.engine.load([saved(world.name("below"), "below")])
        world.engine.load(archive.pieces(1))
        assert archive.size(1) < archive.size(0)
        upon = world.engine.image(world.name("upon"))
        assert upon is not None
        assert len(upon.layers) == 2
        for name in ("upon", "below"):
            world.engine.remove_image(world.name(name))
        with pytest.raises(EngineRefused):
            world.engine.load(archive.pieces(1))
        world.engine.load(archive.pieces(0))
        assert world.engine.image(world.name("upon")) == upon
        world.engine.remove_image(world.name("upon"))


def test_what_is_no_image_is_not_loaded(world: World) -> None:
    with pytest.raises(EngineRefused):
        world.engine.load([b"no archive"])
