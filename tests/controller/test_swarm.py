"""Hosts that become one swarm, and the networks of their tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.controller.swarm import wanted_managers
from ecsctl.engine.simulated_container import Program
from ecsctl.engine.simulated_faults import Fault
from ecsctl.model import identity
from ecsctl.model.api.clusters import ClusterServiceConnectDefaultsRequest, UpdateClusterRequest
from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.api.tasks import StartTaskRequest
from ecsctl.model.container_instance import attribute_of
from ecsctl.model.errors import InputError
from ecsctl.model.record import decode, evolve
from ecsctl.model.task_launch import AwsVpcConfiguration, NetworkConfiguration
from ecsctl.operations.clusters import update_cluster
from ecsctl.operations.context import Context
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service
from ecsctl.operations.swarm import join_swarm
from ecsctl.operations.tasks import start_task
from ecsctl.placement.host import SWARM
from ecsctl.store.tables import EVENTS, INSTANCES
from tests.controller.world import World, world_in

SUBNET = NetworkConfiguration(awsvpc_configuration=AwsVpcConfiguration(subnets=["net-a"]))
SICK = Program(health=((10.0, "unhealthy"), (200.0, "healthy")))


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Callable[[int], World]]:
    worlds = []

    def make(hosts: int) -> World:
        context = world_in(tmp_path, hosts=hosts, sick=SICK)
        worlds.append(context)
        return context.__enter__()

    yield make
    for context in worlds:
        context.__exit__(None, None, None)


def join(world: World, *hosts: str, ctx: Context | None = None, **more: Any) -> dict[str, tuple[str, str]]:
    """What became of each host, and as what."""
    words = {"cluster": None, "hosts": hosts or None, "addresses": {}, "dry_run": False, **more}
    report = join_swarm(ctx or world.process(), **words)
    return {one.host: (one.result, one.role) for one in report.hosts}


def managers(world: World) -> int:
    return sum(engine.swarm().is_manager for engine in world.engines.values())


def start(world: World, host: int, definition: str) -> Any:
    """The state of a new task on a host."""
    with world.store.read() as view:
        arns = {record.name: record.arn for record in view.find(INSTANCES)}
    instance = arns[f"host{host}"]
    request = StartTaskRequest(container_instances=[instance], task_definition=definition, network_configuration=SUBNET)
    start_task(world.process(), request)
    return world.tasks()[-1]


@pytest.mark.parametrize(("hosts", "heads"), [(1, 1), (2, 1), (3, 3), (4, 3), (6, 3), (7, 5), (9, 5)])
def test_an_odd_number_of_hosts_manages_it(fleet: Callable[[int], World], hosts: int, heads: int) -> None:
    world = fleet(hosts)
    assert wanted_managers(hosts) == heads
    would = join(world, dry_run=True)
    assert managers(world) == 0
    assert world.mutations() == 0
    done = join(world)
    assert [role for _, role in done.values()] == [role for _, role in would.values()]
    assert managers(world) == heads
    assert {what for what, _ in join(world).values()} == {"there already"}
    with world.store.read() as view:
        assert len({attribute_of(one.instance, SWARM) for one in view.find(INSTANCES)}) == 1


def test_hosts_that_come_later_leave_the_number_of_managers_odd(fleet: Callable[[int], World]) -> None:
    world = fleet(5)
    join(world, "host0")
    for host in ("host1", "host2"):
        assert join(world, host) == {host: ("joined", "worker")}
    assert join(world, "host3", "host4") == {"host3": ("joined", "manager"), "host4": ("joined", "manager")}
    assert managers(world) == 3


def test_hosts_of_another_swarm_are_named_and_nothing_is_done(fleet: Callable[[int], World]) -> None:
    world = fleet(3)
    world.engines["host2"].init_swarm()
    before = world.mutations()
    with pytest.raises(InputError, match="host2 is in another swarm already: nothing was done"):
        join(world)
    assert world.mutations() == before
    assert join(world, "host2", "host0") == {"host2": ("there already", "manager"), "host0": ("joined", "worker")}


def test_a_host_that_does_not_answer_is_left_out(fleet: Callable[[int], World]) -> None:
    world = fleet(3)
    world.engines["host1"].reachable = False
    assert {host: result for host, (result, _) in join(world).items()} == {
        "host0": "began",
        "host1": "unreachable",
        "host2": "joined",
    }
    world.engines["host0"].reachable = False
    with pytest.raises(InputError, match=r"no manager of the swarm of this cluster answers .*host0"):
        join(world)


def test_where_the_first_does_not_begin_it_none_joins(fleet: Callable[[int], World]) -> None:
    world = fleet(3)
    world.engines["host0"].faults.append(Fault("refused", ("init_swarm",), status=400, message="no"))
    assert {what for what, _ in join(world).values()} == {"failed"}
    with world.store.read() as view:
        assert {attribute_of(one.instance, SWARM) for one in view.find(INSTANCES)} == {None}
    world.engines["host0"].faults.clear()
    assert managers(world) == 0
    assert [what for what, _ in join(world).values()] == ["began", "joined", "joined"]


def test_an_engine_that_cannot_choose_an_address_gets_the_one_that_it_is_reached_by(tmp_path: Path) -> None:
    with world_in(tmp_path) as world:
        (engine,) = world.engines.values()
        words = "could not choose an IP address to advertise since this system has multiple addresses"
        engine.faults.append(Fault("refused", ("init_swarm",), status=400, message=words, times=1))
        with world.store.write() as tx:
            (host,) = tx.find(INSTANCES)
            tx.put(INSTANCES, evolve(host, address="ssh://me@10.1.2.3"))
        world.engines["ssh://me@10.1.2.3"] = engine
        join(world)
        assert [call.args for call in engine.calls_of("init_swarm")] == [("",), ("10.1.2.3",)]


def test_a_kill_at_any_step_is_gone_on_with(tmp_path: Path) -> None:
    for step in range(100):
        with world_in(tmp_path / str(step), hosts=3) as world:
            died = world.dies(step, lambda ctx, world=world: join(world, ctx=ctx))  # type: ignore[misc]
            join(world)
            assert managers(world) in (1, 3)
            assert {what for what, _ in join(world).values()} == {"there already"}
            if not died:
                return
    pytest.fail("it never came to an end")


def test_tokens_are_nowhere(fleet: Callable[[int], World]) -> None:
    world = fleet(2)
    join(world)
    tokens = world.engines["host0"].join_tokens()
    with world.store.read() as view:
        told = repr([view.find(EVENTS), view.find(INSTANCES)])
    assert tokens.worker not in told
    assert tokens.manager not in told
    assert "SwarmJoined" in told


def test_a_host_that_is_named_twice_joins_once(fleet: Callable[[int], World]) -> None:
    world = fleet(2)
    with world.store.read() as view:
        arns = {one.name: one.arn for one in view.find(INSTANCES)}
    names = ("host0", arns["host0"], "host1", arns["host1"])
    assert join(world, *names) == {"host0": ("began", "manager"), "host1": ("joined", "worker")}


def test_a_manager_that_was_taken_away_and_added_again_is_still_that_of_its_swarm(
    fleet: Callable[[int], World],
) -> None:
    world = fleet(3)
    join(world, "host0", "host1")
    with world.store.write() as tx:
        gone = next(one for one in tx.find(INSTANCES) if one.name == "host0")
        others = [one for one in gone.instance.attributes or [] if one.name != SWARM]
        tx.put(INSTANCES, evolve(gone, instance=evolve(gone.instance, attributes=others), seq=tx.seq))
    joined = {"host0": ("there already", "manager"), "host2": ("joined", "worker")}
    assert join(world, "host2", "host0") == joined
    assert join(world, "host0", "host1")["host0"] == ("there already", "manager")


def test_an_address_has_to_be_one_of_a_host_that_is_to_join(fleet: Callable[[int], World]) -> None:
    world = fleet(1)
    for addresses, words in (({"x": "10.0.0.1"}, "x is none of the hosts"), ({"host0": "x"}, "is not an IP address")):
        with pytest.raises(InputError, match=words):
            join(world, addresses=addresses)
    join(world, addresses={"host0": "10.0.0.1"})
    assert world.engines["host0"].calls_of("init_swarm")[0].args == ("10.0.0.1",)


def test_a_subnet_is_one_network_of_all_hosts_of_the_swarm_made_by_a_manager(fleet: Callable[[int], World]) -> None:
    world = fleet(3)
    join(world, "host0", "host1")
    definition = world.define({"name": "main"}, networkMode="awsvpc")
    for host in (1, 0, 2):
        assert start(world, host, definition).is_running
    made = {name: engine.calls_of("create_overlay", "create_network") for name, engine in world.engines.items()}
    assert [call.verb for call in made["host0"]] == ["create_overlay"]
    assert made["host1"] == []
    assert [call.verb for call in made["host2"]] == ["create_network"], "it is in no swarm"


def test_a_manager_is_found_among_the_hosts_whichever_it_is(fleet: Callable[[int], World]) -> None:
    world = fleet(4)
    for host in ("host1", "host0", "host2"):
        join(world, host)
    join(world, "host3")
    world.engines["host2"].leave_swarm()
    world.engines["host2"].init_swarm()  # a manager, of another swarm
    assert start(world, 3, world.define({"name": "main"}, networkMode="awsvpc")).is_running
    made = [name for name, engine in world.engines.items() if engine.calls_of("create_overlay")]
    assert made == ["host1"]


def test_while_no_manager_answers_a_new_subnet_fails_its_tasks_and_makes_no_network(
    fleet: Callable[[int], World],
) -> None:
    world = fleet(2)
    join(world)
    world.engines["host0"].reachable = False
    definition = world.define({"name": "main"}, networkMode="awsvpc")
    task = start(world, 1, definition)
    assert task.task.stop_code == "TaskFailedToStart"
    assert "no manager of its swarm answers" in str(task.task.stopped_reason)
    assert world.engines["host1"].calls_of("create_network", "create_overlay") == []
    world.engines["host0"].reachable = True
    assert start(world, 1, definition).is_running


def test_while_a_manager_has_a_bridge_of_a_subnets_name_a_task_elsewhere_fails_and_says_what_to_do(
    fleet: Callable[[int], World],
) -> None:
    world = fleet(2)
    definition = world.define({"name": "main"}, networkMode="awsvpc")
    start(world, 0, definition)
    join(world)
    reason = str(start(world, 1, definition).task.stopped_reason)
    assert 'this manager of the swarm has a network net-a of its own: see "Moving over" in docs/networks.md' in reason
    assert start(world, 0, definition).is_running


def test_a_host_that_has_left_its_swarm_has_networks_of_its_own_again(fleet: Callable[[int], World]) -> None:
    world = fleet(2)
    join(world)
    world.engines["host1"].leave_swarm()
    assert start(world, 1, world.define({"name": "main"}, networkMode="awsvpc")).is_running
    assert [call.verb for call in world.engines["host1"].calls_of("create_network", "create_overlay")] == [
        "create_network"
    ]


def test_networks_of_one_host_go_when_no_task_is_in_them(fleet: Callable[[int], World]) -> None:
    world = fleet(2)
    definition = world.define({"name": "main"}, networkMode="awsvpc")
    start(world, 0, definition)
    world.engines["host1"].create_network("net-a", {identity.SUBNET: "net-a"})
    words: dict[str, Any] = {"cluster": None, "hosts": None, "addresses": {}, "dry_run": False}
    report = join_swarm(world.process(), **words)
    assert [one.bridges for one in report.hosts] == [("net-a",), ()]
    assert "net-a" not in world.engines["host1"].networks.own
    for container in world.containers():
        world.engines["host0"].end(container.id)
    reconcile(world.process())
    assert [one.bridges for one in join_swarm(world.process(), **words).hosts] == [(), ()]
    assert start(world, 0, definition).is_running
    assert "net-a" not in world.engines["host0"].networks.own


def serve(world: World, image: str = "up", count: int = 1, **more: object) -> None:
    namespace = ClusterServiceConnectDefaultsRequest("shop")
    update_cluster(world.process(), UpdateClusterRequest("default", service_connect_defaults=namespace))
    mappings = [{"name": "http", "containerPort": 80}]
    definition = world.define({"name": "web", "image": image, "portMappings": mappings, **more})
    wanted = {
        "serviceName": "web",
        "taskDefinition": definition,
        "desiredCount": count,
        "healthCheckGracePeriodSeconds": 10_000,
        "serviceConnectConfiguration": {"enabled": True, "services": [{"portName": "http", "discoveryName": "web"}]},
    }
    create_service(world.process(), decode(CreateServiceRequest, wanted))
    reconcile(world.process())


def found(world: World, name: str = "web") -> int:
    """How many containers a name leads to, on all hosts."""
    network = identity.namespace_network("shop", world.store.install)
    return sum(len(engine.resolve(network, name)) for engine in world.engines.values())


def test_a_name_leads_to_the_tasks_that_run_on_every_host(fleet: Callable[[int], World]) -> None:
    world = fleet(2)
    join(world)
    serve(world, count=2)
    assert (found(world), found(world, "web.shop")) == (2, 2)
    overlays = [call for engine in world.engines.values() for call in engine.calls_of("create_overlay")]
    assert {call.args[2] for call in overlays} == {True}, "it is no way out"
    world.engines["host0"].end(world.engines["host0"].containers()[0].id)
    assert found(world) == 1
    reconcile(world.process())
    assert found(world) == 2
    world.check_quiet()
    before = [len(engine.calls) for engine in world.engines.values()]
    reconcile(world.process())
    assert [len(engine.calls) for engine in world.engines.values()] == [count + 1 for count in before]


CHECK: dict[str, Any] = {"healthCheck": {"command": ["CMD", "true"]}}


def test_what_is_unhealthy_is_not_found_until_it_is_well_again(fleet: Callable[[int], World]) -> None:
    world = fleet(1)
    serve(world, "sick", **CHECK)
    assert found(world) == 1
    world.clock.seconds += 20
    reconcile(world.process())
    assert found(world) == 0
    world.check_quiet()
    world.clock.seconds += 200
    reconcile(world.process())
    assert found(world) == 1
    world.check_quiet()


def test_a_kill_while_names_are_taken_is_mended(tmp_path: Path) -> None:
    for step in range(60):
        with world_in(tmp_path / str(step), sick=SICK) as world:
            serve(world, "sick", **CHECK)
            world.clock.seconds += 20
            died = world.dies(step, reconcile)
            for _ in range(3):
                world.clock.seconds += 61
                world.clock.seconds = min(world.clock.seconds, 1_767_000_190.0)
                reconcile(world.process())
            assert found(world) == 0
            if not died:
                return
    pytest.fail("it never came to an end")


def test_names_that_an_engine_would_not_take_are_not_asked_for_in_each_pass(fleet: Callable[[int], World]) -> None:
    world = fleet(1)
    serve(world, "sick", **CHECK)
    (engine,) = world.engines.values()
    engine.faults.append(Fault("refused", ("disconnect_network",), status=500, message="no"))
    world.clock.seconds += 20
    for _ in range(3):
        reconcile(world.process())
    assert len(engine.calls_of("disconnect_network")) == 1
    engine.faults.clear()
    world.clock.seconds += 61
    reconcile(world.process())
    assert found(world) == 0
