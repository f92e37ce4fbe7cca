"""The day a host is lost, over simulated hosts: what is replaced, when, and what is waited for instead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecsctl.controller.limits import Limits
from ecsctl.controller.together import PARALLEL
from ecsctl.engine.simulated_faults import Fault
from ecsctl.model.api.attributes import PutAttributesRequest
from ecsctl.model.api.container_instances import (
    DeregisterContainerInstanceRequest,
    DescribeContainerInstancesRequest,
    UpdateContainerInstancesStateRequest,
)
from ecsctl.model.api.tags import TagResourceRequest
from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.common import Attribute, Tag
from ecsctl.model.deployment_configuration import DeploymentConfiguration
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.loss import CONTACTS, GRACE, LABEL
from ecsctl.model.stored import InstanceRecord, TaskRecord
from ecsctl.operations.attributes import put_attributes
from ecsctl.operations.container_instances import (
    deregister_container_instance,
    describe_container_instances,
    update_container_instances_state,
)
from ecsctl.operations.fence import fence_host
from ecsctl.operations.hosts import HostOptions, register_host
from ecsctl.operations.journal import journal
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.tags import tag_resource
from ecsctl.operations.tasks import run_task, stop_task
from ecsctl.operations.waiting import wait_drained
from ecsctl.store.tables import INSTANCES
from tests.controller.test_services import create, goes_on, live, said, shown, update
from tests.controller.world import World, world_in

NEVER = "never-double-run"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=5) as made:
        yield made


def instance(world: World, name: str) -> InstanceRecord:
    with world.store.read() as view:
        return next(one for one in view.find(INSTANCES) if one.name == name)


def on(world: World, name: str) -> list[TaskRecord]:
    """The tasks on a host that are not STOPPED."""
    arn = instance(world, name).arn
    return [task for task in world.tasks() if task.task.container_instance_arn == arn and not task.is_stopped]


def up(world: World, name: str) -> int:
    """How many containers run on a host, whether it answers or not."""
    return sum(found.is_up for found in world.engines[name].containers())


def up_anywhere(world: World) -> int:
    return sum(up(world, name) for name in world.engines)


def silence(world: World, *names: str, answers: bool = False) -> None:
    for name in names:
        world.engines[name].reachable = answers


def told(world: World, name: str) -> list[str]:
    """What the journal says of a lost host."""
    entries = next(iter(journal(world.process())))
    return [entry.message for entry in entries if (entry.kind, entry.name) == ("HostLost", name)]


def test_after_a_minute_the_tasks_of_a_lost_host_are_replaced_elsewhere(world: World) -> None:
    create(world, world.define({}), desired=5)
    goes_on(world, 60)
    silence(world, "host1")
    goes_on(world, 60, step=10)
    assert len(on(world, "host1")) == 1
    goes_on(world, 30, step=10)
    assert not on(world, "host1")
    assert shown(world).running_count == 5
    (event,) = told(world, "host1")
    assert "1 task is given up" in event
    silence(world, "host1", answers=True)
    goes_on(world, 60)
    assert up_anywhere(world) == 5, "what was replaced is stopped as soon as it is seen"


def test_a_lost_host_costs_a_quiet_pass_no_write(world: World) -> None:
    create(world, world.define({}), desired=5)
    goes_on(world, 60)
    silence(world, "host1")
    goes_on(world, 200, step=10)
    world.check_quiet()


@pytest.mark.parametrize("by", ["host", "cluster"])
def test_the_grace_is_the_hosts_or_the_clusters_own(world: World, by: str) -> None:
    values = {GRACE: "10", CONTACTS: "2"}
    if by == "host":
        arn = instance(world, "host1").arn
        put_attributes(
            world.process(),
            PutAttributesRequest([Attribute(name=n, value=v, target_id=arn) for n, v in values.items()]),
        )
    else:
        cluster = instance(world, "host1").cluster_arn
        tag_resource(world.process(), TagResourceRequest(cluster, [Tag(key=n, value=v) for n, v in values.items()]))
    create(world, world.define({}), desired=5)
    goes_on(world, 60)
    silence(world, "host1")
    goes_on(world, 20, step=10)
    assert not on(world, "host1")


@pytest.mark.parametrize("name", [GRACE, CONTACTS])
def test_a_grace_that_is_no_number_is_refused(world: World, name: str) -> None:
    one = instance(world, "host1")
    with pytest.raises(ApiError, match=f"{name}: 'soon' is no"):
        put_attributes(world.process(), PutAttributesRequest([Attribute(name=name, value="soon", target_id=one.arn)]))
    with pytest.raises(ApiError, match=f"{name}: 'soon' is no"):
        tag_resource(world.process(), TagResourceRequest(one.cluster_arn, [Tag(key=name, value="soon")]))


def test_the_tasks_of_one_host_are_replaced_every_ten_seconds(world: World) -> None:
    create(world, world.define({}), desired=5)
    goes_on(world, 60)
    silence(world, "host1", "host2")
    goes_on(world, 60, step=5)
    reconcile(world.process())
    assert sorted(len(on(world, name)) for name in ("host1", "host2")) in ([0, 1], [0, 2])
    assert any("one host every 10 seconds" in text for name in ("host1", "host2") for text in told(world, name))
    world.clock.seconds += 11
    reconcile(world.process())
    assert not on(world, "host1")
    assert not on(world, "host2")


def test_nothing_is_replaced_while_most_hosts_are_silent(world: World) -> None:
    create(world, world.define({}), desired=5)
    goes_on(world, 60)
    silence(world, "host1", "host2", "host3")
    goes_on(world, 300, step=10)
    assert {len(on(world, name)) for name in world.engines} == {1}
    assert any("3 of the cluster's 5 hosts do not answer" in text for text in told(world, "host1"))
    assert any("has tasks on the lost host host1: " in text for text in said(world))
    assert len(told(world, "host1")) == 1, "it is told once"
    silence(world, "host3", answers=True)
    goes_on(world, 30)
    assert not on(world, "host1")
    assert not on(world, "host2")


def test_nothing_is_replaced_while_every_host_is_silent(world: World) -> None:
    create(world, world.define({}), desired=5)
    goes_on(world, 60)
    silence(world, *world.engines)
    goes_on(world, 300, step=10)
    assert len(live(world)) == 5
    silence(world, *world.engines, answers=True)
    goes_on(world, 30)
    assert (len(live(world)), up_anywhere(world)) == (5, 5), "what runs is adopted"
    assert len(world.tasks()) == 5


def test_as_on_ecs_nothing_is_replaced_before_the_host_is_deregistered_by_force(world: World) -> None:
    create(world, world.define({}), desired=5, loss_policy="ecs")
    goes_on(world, 60)
    silence(world, "host1")
    goes_on(world, 300, step=10)
    assert len(on(world, "host1")) == 1
    arn = instance(world, "host1").arn
    (event,) = told(world, "host1")
    assert "ecsctl deregister-container-instance --container-instance host1 --force" in event
    assert any("kept (ecs) and wait for it to answer" in text for text in said(world))
    answer = describe_container_instances(world.process(), DescribeContainerInstancesRequest([arn]))
    assert "kept (ecs)" in str((answer.container_instances or [])[0].status_reason)
    deregister_container_instance(world.process(), DeregisterContainerInstanceRequest(arn, force=True))
    goes_on(world, 30)
    assert not on(world, "host1")
    assert shown(world).running_count == 5


def test_what_is_kept_is_adopted_when_its_host_is_back(world: World) -> None:
    create(world, world.define({}), desired=5, loss_policy="ecs")
    goes_on(world, 60)
    silence(world, "host1")
    goes_on(world, 200, step=10)
    silence(world, "host1", answers=True)
    goes_on(world, 30)
    assert len(world.tasks()) == 5, "no other was started"
    assert instance(world, "host1").held == ""


def never(world: World, by: str, desired: int = 5, **more: Any) -> None:
    """A service whose tasks may never run twice, by its own word or by its task definition's."""
    container: dict[str, Any] = {"dockerLabels": {LABEL: NEVER}} if by == "definition" else {}
    stated: dict[str, Any] = {"loss_policy": NEVER} if by == "service" else {}
    create(world, world.define(container), desired=desired, **stated, **more)
    goes_on(world, 60, each=lambda: at_most(world, desired))


def at_most(world: World, count: int) -> None:
    assert up_anywhere(world) <= count, "some run twice"


@pytest.mark.parametrize("by", ["service", "definition"])
def test_what_may_never_run_twice_holds_its_place_until_its_host_answers(world: World, by: str) -> None:
    never(world, by)
    silence(world, "host1")
    goes_on(world, 300, step=10, each=lambda: at_most(world, 5))
    arn = instance(world, "host1").arn
    deregister_container_instance(world.process(), DeregisterContainerInstanceRequest(arn, force=True))
    (task,) = on(world, "host1")
    stop_task(world.process(), StopTaskRequest(task.arn))
    update(world, force_new_deployment=True)
    goes_on(world, 300, step=10, each=lambda: at_most(world, 5))
    assert any("ecsctl host fence host1 --confirmed-down" in text for text in told(world, "host1"))
    assert any("ecsctl host fence host1 --confirmed-down" in text for text in said(world))
    silence(world, "host1", answers=True)
    goes_on(world, 60, each=lambda: at_most(world, 5))
    assert (up_anywhere(world), up(world, "host1")) == (5, 0)


def test_what_may_never_run_twice_is_replaced_when_a_person_says_that_its_host_is_down(world: World) -> None:
    never(world, "service")
    with pytest.raises(InputError, match="host host1 answers: it is not down"):
        fence_host(world.process(), "host1", "ann")
    silence(world, "host1")
    world.engines["host1"].lose_power()
    goes_on(world, 300, step=10)
    assert len(fence_host(world.process(), "host1", "ann").tasks) == 1
    goes_on(world, 60, each=lambda: at_most(world, 5))
    assert (up_anywhere(world), up(world, "host1")) == (5, 0)
    entries = [e for e in next(iter(journal(world.process()))) if e.kind == "HostFenced"]
    assert [(e.name, e.message) for e in entries] == [("host1", "Host host1 is down, as ann has confirmed")]
    with pytest.raises(InputError, match="there is no host elsewhere in the cluster default"):
        fence_host(world.process(), "elsewhere", "ann")


def test_what_may_never_run_twice_is_replaced_when_its_host_has_had_a_power_cut(world: World) -> None:
    never(world, "service")
    silence(world, "host1")
    world.engines["host1"].lose_power()
    goes_on(world, 300, step=10)
    silence(world, "host1", answers=True)
    goes_on(world, 60, each=lambda: at_most(world, 5))
    assert up_anywhere(world) == 5


def test_what_may_never_run_twice_is_deployed_one_after_the_other(world: World) -> None:
    never(world, "service", desired=2)
    update(world, task_definition=world.define({}))
    goes_on(world, 300, step=5, each=lambda: at_most(world, 2))
    assert {str(t.task.task_definition_arn)[-5:] for t in live(world)} == {"app:2"}
    assert (shown(world).deployments or [])[0].rollout_state == "COMPLETED"


def test_what_may_never_run_twice_cannot_be_deployed_blue_and_green(world: World) -> None:
    both = DeploymentConfiguration(strategy="BLUE_GREEN")
    with pytest.raises(ApiError, match="lossPolicy: never-double-run"):
        create(world, world.define({}), deployment_configuration=both, loss_policy=NEVER)
    create(world, world.define({}), deployment_configuration=both)
    with pytest.raises(ApiError, match="lossPolicy: never-double-run"):
        update(world, loss_policy=NEVER)
    with pytest.raises(ApiError, match="lossPolicy: never-double-run"):
        update(world, task_definition=world.define({"dockerLabels": {LABEL: NEVER}}))


def test_a_loss_policy_that_there_is_not_is_refused(world: World) -> None:
    with pytest.raises(ApiError, match=rf"{LABEL}: 'twice' is none of replace, ecs, {NEVER}"):
        world.define({"dockerLabels": {LABEL: "twice"}})


def test_tasks_of_no_service_go_only_with_a_host_that_is_deregistered(world: World) -> None:
    answer = run_task(world.process(), RunTaskRequest(world.define({})))
    task = str((answer.tasks or [])[0].container_instance_arn)
    with world.store.read() as view:
        host = view.get(INSTANCES, task)
    assert host is not None
    silence(world, host.name)
    goes_on(world, 300, step=10)
    assert len(on(world, host.name)) == 1
    deregister_container_instance(world.process(), DeregisterContainerInstanceRequest(host.arn, force=True))
    goes_on(world, 60, step=10)
    assert not on(world, host.name)
    assert reconcile(world.process()).unreachable == [], "nobody asks for it any more"


def test_a_host_that_was_taken_away_may_return(world: World) -> None:
    create(world, world.define({}), desired=5)
    goes_on(world, 60)
    silence(world, "host1")
    arn = instance(world, "host1").arn
    deregister_container_instance(world.process(), DeregisterContainerInstanceRequest(arn, force=True))
    goes_on(world, 120, step=10)
    silence(world, "host1", answers=True)
    assert up(world, "host1") == 1, "nobody has told it"
    register_host(world.process(), None, HostOptions("host1", availability_zone="zone1"))
    goes_on(world, 300, step=10)
    assert (up_anywhere(world), shown(world).running_count) == (5, 5)


def test_a_lost_host_that_drains_is_given_up_as_any_other(world: World) -> None:
    create(world, world.define({}), desired=5)
    goes_on(world, 60)
    silence(world, "host1")
    update_container_instances_state(
        world.process(), UpdateContainerInstancesStateRequest([instance(world, "host1").arn], status="DRAINING")
    )
    goes_on(world, 120, step=10)
    assert not on(world, "host1")
    assert shown(world).running_count == 5


def test_who_drains_hosts_may_wait_until_the_services_have_left_them(world: World) -> None:
    create(world, world.define({}), desired=10)
    goes_on(world, 60)
    arns = [instance(world, name).arn for name in ("host1", "host2")]
    update_container_instances_state(
        world.process(), UpdateContainerInstancesStateRequest(arns, status="DRAINING"), stay=True
    )
    assert wait_drained(world.process(), arns, 300) == []
    assert not on(world, "host1")
    assert not on(world, "host2")
    assert shown(world).running_count == 10
    silence(world, "host3")
    update_container_instances_state(
        world.process(), UpdateContainerInstancesStateRequest([instance(world, "host3").arn], status="DRAINING")
    )
    assert len(world.handed_over) > 0, "it goes on in the background unless somebody stays"
    assert wait_drained(world.process(), [instance(world, "host3").arn], 30) == [t.arn for t in on(world, "host3")]


def test_a_host_that_hangs_costs_its_time_limit_once_and_not_for_each_task(world: World) -> None:
    engine = world.engines["host1"]
    engine.faults.append(Fault("lost_request", ("create",), times=1000))
    create(world, world.define({}), desired=100)
    cluster = instance(world, "host1").cluster_arn
    result = world.process().controller.reconcile([cluster], Limits(wait=False))
    assert list(result.unreachable) == [instance(world, "host1").arn]
    assert len(engine.calls_of("create")) <= PARALLEL
    assert sum(up(world, name) for name in world.engines) == 80
    engine.faults.clear()
    goes_on(world, 60)
    assert up_anywhere(world) == 100


def test_many_hosts_that_hang_cost_their_time_limit_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 40
    everybody = threading.Barrier(count, timeout=30)
    with world_in(tmp_path, hosts=count) as world:
        for engine in world.engines.values():
            monkeypatch.setattr(engine, "ping", everybody.wait)
        with world.store.read() as view:
            instances = view.find(INSTANCES)
        assert world.process().controller.probe(instances) == {}
    assert not everybody.broken, "all were asked at the same time"


@pytest.mark.parametrize("skew", [-86400.0, -3600.0, 3600.0, 86400.0])
def test_the_clocks_of_the_hosts_change_nothing(tmp_path: Path, skew: float) -> None:
    lives = []
    for name, seconds in (("right", 0.0), ("wrong", skew)):
        (tmp_path / name).mkdir()
        with world_in(tmp_path / name, hosts=3) as world:
            world.skews |= {"host0": seconds, "host1": -seconds, "host2": seconds / 2}
            create(world, world.define({}), desired=3)
            goes_on(world, 60)
            silence(world, "host1")
            goes_on(world, 80, step=10)
            update(world, task_definition=world.define({"image": "up"}))
            goes_on(world, 100)
            silence(world, "host1", answers=True)
            goes_on(world, 4 * 3600, step=600)
            lives.append(([e.message for e in next(iter(journal(world.process())))], len(world.containers())))
    assert lives[0] == lives[1]


def test_a_clock_that_was_put_back_does_not_put_off_the_loss_of_a_host(world: World) -> None:
    create(world, world.define({}), desired=5)
    goes_on(world, 60)
    silence(world, "host1")
    reconcile(world.process())
    world.clock.seconds -= 86400
    goes_on(world, 100, step=10)
    assert not on(world, "host1")
