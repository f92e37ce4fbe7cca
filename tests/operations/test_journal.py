"""The journal: whose lines are shown, how many, from when, and what comes while it is followed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.record import decode
from ecsctl.model.schedule import ScheduleTaskRequest, UnscheduleTaskRequest
from ecsctl.operations.journal import JournalEntry, journal
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.schedules import schedule_task, unschedule_task
from ecsctl.store.store import Store, add_event
from tests.controller.world import World

CLUSTER = "arn:aws:ecs:us-east-1:000000000000:cluster/default"


def note(store: Store, world: World, resource: str, kind: str, message: str = "", minutes: int = 0) -> None:
    with store.write() as tx:
        arn = CLUSTER.replace("cluster/default", resource)
        add_event(tx, world.clock.now() + timedelta(minutes=minutes), CLUSTER, arn, kind, message)


def shown(world: World, **more: Any) -> list[JournalEntry]:
    (entries,) = journal(world.process(), **more)
    return entries


def kinds(entries: list[JournalEntry]) -> list[str]:
    return [entry.kind for entry in entries]


def test_a_line_says_when_to_what_what_and_why(world: World) -> None:
    note(world.store, world, "service/default/web", "ServiceEvent", "(service web) has reached a steady state.")
    *_, instance, service = shown(world)
    assert (instance.resource, instance.name, instance.kind) == (
        "container-instance",
        "host1",
        "ContainerInstanceRegistered",
    )
    assert (service.resource, service.name, service.at) == ("service", "web", world.clock.now())
    assert service.message == "(service web) has reached a steady state."
    assert service.resource_arn.endswith(":service/default/web")


def test_the_last_ones_are_shown_oldest_first(world: World) -> None:
    for number in range(5):
        note(world.store, world, "cluster/default", f"Kind{number}")
    assert kinds(shown(world, last=2)) == ["Kind3", "Kind4"]
    assert kinds(shown(world, last=0)) == []
    assert len(shown(world)) == 5 + len(world.engines) + 1


def test_since_a_time_means_from_then_on(world: World) -> None:
    now = world.clock.now()
    for minutes in (1, 2, 3):
        note(world.store, world, "cluster/default", f"At{minutes}", minutes=minutes)
    assert kinds(shown(world, since=now + timedelta(minutes=2))) == ["At2", "At3"]
    assert kinds(shown(world, since=now + timedelta(minutes=2), last=1)) == ["At3"]


def test_a_service_has_the_lines_of_its_tasks_a_task_its_own(world: World, call: Any) -> None:
    name = world.define({})
    call("CreateService", serviceName="web", taskDefinition=name, desiredCount=2)
    call("RunTask", taskDefinition=name)
    reconcile(world.process())
    tasks = {record.arn: record for record in world.tasks()}
    of_service = shown(world, service="web")
    assert {entry.resource for entry in of_service} == {"service", "task"}
    about = {entry.resource_arn for entry in of_service if entry.resource == "task"}
    assert about == {arn for arn, record in tasks.items() if record.service}
    (lonely,) = (arn for arn, record in tasks.items() if not record.service)
    of_task = shown(world, task=lonely.rpartition("/")[2][:8])
    assert of_task
    assert {entry.resource_arn for entry in of_task} == {lonely}


def test_what_is_not_there_is_refused_but_what_is_over_is_not(world: World, call: Any) -> None:
    for wrong, code in (
        ({"cluster": "nope"}, "ClusterNotFoundException"),
        ({"service": "nope"}, "ServiceNotFoundException"),
        ({"task": "0123456789"}, "InvalidParameterException"),
    ):
        with pytest.raises(ApiError) as caught:
            shown(world, **wrong)
        assert caught.value.code == code
    call("CreateCluster", clusterName="short")
    call("DeleteCluster", cluster="short")
    assert kinds(shown(world, cluster="short")) == ["ClusterCreated", "ClusterDeleted"]


def test_a_schedule_has_the_lines_of_its_tasks_and_keeps_them_when_it_is_deleted(world: World, call: Any) -> None:
    name = world.define({})
    for schedule in ("a.b", "a"):
        asked = {"name": schedule, "scheduleExpression": "rate(1 day)", "taskDefinition": name}
        schedule_task(world.process(), decode(ScheduleTaskRequest, asked))
    call("CreateCluster", clusterName="other")
    reconcile(world.process())
    call("RunTask", taskDefinition=name)
    of_schedule = shown(world, schedule="a.b")
    arn = CLUSTER.replace("cluster/default", "schedule/default/a.b")
    tasks = {record.arn for record in world.tasks() if record.task.started_by == "schedule/a/b"}
    assert len(tasks) == 1
    assert {entry.resource_arn for entry in of_schedule} == {arn, *tasks}
    assert kinds(of_schedule)[0] == "ScheduleCreated"
    unschedule_task(world.process(), UnscheduleTaskRequest("a.b"))
    assert kinds(shown(world, schedule=arn))[-1] == "ScheduleDeleted"
    for wrong in ({"schedule": "nope"}, {"schedule": arn, "cluster": "other"}, {"schedule": CLUSTER}):
        with pytest.raises(InputError, match="there is no schedule "):
            shown(world, **wrong)


def test_following_tells_each_new_line_once_whoever_wrote_it(world: World) -> None:
    other = Store.open(world.store.path)
    batches = journal(world.process(), last=1, follow=True)
    assert len(next(batches)) == 1
    for kinds_written in (["A"], ["B", "C"]):
        for kind in kinds_written:
            note(other, world, "cluster/default", kind)
        assert kinds(next(batches)) == kinds_written
    other.close()


def test_following_one_service_is_not_disturbed_by_others(world: World, call: Any) -> None:
    call("CreateService", serviceName="web", taskDefinition=world.define({}), desiredCount=0)
    batches = journal(world.process(), service="web", last=0, follow=True)
    assert next(batches) == []
    note(world.store, world, "service/default/other", "ServiceEvent")
    note(world.store, world, "service/default/web", "ServiceEvent", "mine")
    assert [entry.message for entry in next(batches)] == ["mine"]


def test_lines_that_are_forgotten_meanwhile_do_not_bring_old_ones_back(world: World) -> None:
    batches = journal(world.process(), last=1, follow=True)
    next(batches)
    with world.store.write() as tx:
        tx._connection.execute("DELETE FROM event")
    note(world.store, world, "cluster/default", "New")
    assert kinds(next(batches)) == ["New"]
