"""The endpoint of a host: that it is there, that it knows what there is to say, and nothing longer than it has to."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ecsctl.controller.limits import Retention
from ecsctl.controller.requests import Request
from ecsctl.controller.sources import Sources
from ecsctl.engine.simulated_container import Program
from ecsctl.engine.simulated_faults import Fault
from ecsctl.model.api.services import CreateServiceRequest
from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.identity import CONTAINER, ENDPOINT_NAME, PAUSE
from ecsctl.model.record import decode
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.context import Context
from ecsctl.operations.endpoint import answer
from ecsctl.operations.journal import journal
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service
from ecsctl.operations.tasks import run_task, stop_task
from ecsctl.scheduler.metadata import credentials_id, metadata_id
from tests.controller.world import World, world_in

BOX = Program(listens=True, commands=(("ip", Program(exits_after=0.0)),))
STEPS = 100


def sources(folder: Path, image: str | None = "box") -> Sources:
    printed = folder / "credentials.json"
    say(folder, "first")
    return Sources(roles={"app": ["cat", str(printed)]}, endpoint_image=image)


def say(folder: Path, key: str, expiration: str | None = None) -> None:
    """What the command for the role prints from now on."""
    found = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t"}
    found |= {"Expiration": expiration} if expiration else {}
    (folder / "credentials.json").write_text(json.dumps(found))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, sources=sources(tmp_path), box=BOX) as made:
        yield made


def run(world: World, process: Context | None = None, **fields: Any) -> TaskRecord:
    run_task(process or world.process(), RunTaskRequest(world.define({"name": "main"}, **fields)))
    return world.tasks()[-1]


def names(world: World) -> list[str]:
    """Of the containers that are not a task's."""
    return [found.name for found in world.containers() if CONTAINER not in found.labels]


def known(world: World) -> dict[str, list[str]]:
    """The files that the endpoint has, in lines."""
    (engine,) = world.engines.values()
    files: dict[str, list[str]] = {}
    for found in engine._containers.values():
        if found.name == ENDPOINT_NAME and found.runs:
            for line in found.fed:
                words = line.decode().split(" ")[2:]
                for path, content in zip(words[::2], words[1::2], strict=True):
                    files[path] = gzip.decompress(base64.b64decode(content)).decode().splitlines()
    return files


def told(world: World, record: TaskRecord, name: str = "main", line: int = 0) -> Any:
    return json.loads(known(world)[f"m/{metadata_id(record, name, world.store.key)}"][line])


def credentials(world: World, record: TaskRecord) -> Any:
    return json.loads(known(world)[f"c/{credentials_id(record, world.store.key)}"][0])


def test_the_endpoint_is_there_before_a_tasks_containers_and_knows_of_them_before_they_run(world: World) -> None:
    record = run(world)
    (engine,) = world.engines.values()
    verbs = [call.verb for call in engine.calls_of("create", "feed", "start")]
    assert verbs[:4] == ["create", "start", "create", "start"]  # the endpoint's, and its route's
    assert verbs[4] == "create"
    assert sorted(verbs[5:7]) == ["feed", "start"]
    assert names(world) == [ENDPOINT_NAME]
    assert told(world, record)["KnownStatus"] == "RUNNING"
    assert told(world, record)["Networks"][0]["IPv4Addresses"]
    assert told(world, record, line=1)["TaskARN"] == record.arn


def test_a_second_task_finds_the_endpoint_and_a_quiet_pass_asks_nothing(world: World) -> None:
    run(world)
    run(world)
    assert names(world) == [ENDPOINT_NAME]
    world.check_quiet()
    (engine,) = world.engines.values()
    before = len(engine.calls)
    reconcile(world.process())
    assert [call.verb for call in engine.calls[before:]] == ["list"]


def test_an_endpoint_that_has_ended_or_is_gone_is_made_anew_by_the_next_pass(world: World) -> None:
    record = run(world, taskRoleArn="app")
    (engine,) = world.engines.values()
    engine.end(ENDPOINT_NAME)
    reconcile(world.process())
    assert told(world, record)["Name"] == "main"
    engine.remove(ENDPOINT_NAME)
    reconcile(world.process())
    assert names(world) == [ENDPOINT_NAME]
    assert told(world, record)["Name"] == "main"
    assert credentials(world, record)["AccessKeyId"] == "first"
    world.check_quiet()


def test_of_a_task_that_is_over_nothing_stays(world: World) -> None:
    record = run(world, taskRoleArn="app")
    assert ["gone"] not in known(world).values()
    stop_task(world.process(), StopTaskRequest(task=record.arn))
    reconcile(world.process())
    assert world.tasks()[0].is_stopped
    assert list(known(world).values()) == [["gone"], ["gone"]]


def test_credentials_are_renewed_a_quarter_of_an_hour_before_they_end(world: World, tmp_path: Path) -> None:
    end = world.clock.now() + timedelta(minutes=60)
    say(tmp_path, "first", end.isoformat())
    record = run(world, taskRoleArn="app")
    say(tmp_path, "second", (end + timedelta(minutes=60)).isoformat())
    world.clock.sleep(44 * 60)
    world.check_quiet()
    assert credentials(world, record)["AccessKeyId"] == "first"
    world.clock.sleep(2 * 60)
    reconcile(world.process())
    assert credentials(world, record)["AccessKeyId"] == "second"
    world.check_quiet()


def test_no_credentials_are_in_the_state(world: World, tmp_path: Path) -> None:
    say(tmp_path, "canary-4711")
    run(world, taskRoleArn="app")
    assert credentials(world, world.tasks()[0])["AccessKeyId"] == "canary-4711"
    found = [path for path in tmp_path.iterdir() if b"canary-4711" in path.read_bytes()]
    assert [path.name for path in found] == ["credentials.json"]


def test_without_the_image_tasks_run_and_the_journal_says_why_once_an_hour(tmp_path: Path) -> None:
    with world_in(tmp_path, sources=sources(tmp_path, "missing")) as world:
        (engine,) = world.engines.values()
        for _ in range(3):
            assert run(world).task.last_status == "RUNNING"
        assert len(engine.calls_of("pull")) == 1
        world.clock.sleep(3601)
        assert run(world).endpoint is not None
        assert len(engine.calls_of("pull")) == 2
        entries = [entry for found in journal(world.process()) for entry in found]
        assert [entry.kind for entry in entries].count("MetadataEndpoint") == 2
        assert not [
            pair for call in engine.calls_of("create")[1:] for pair in call.args[1].get("Env", ()) if pair[:4] == "ECS_"
        ]
        engine.images["missing:latest"] = BOX
        assert told(world, run(world))["Name"] == "main"  # as soon as the image is there


def test_without_the_image_a_task_whose_role_has_credentials_does_not_start(tmp_path: Path) -> None:
    with world_in(tmp_path, sources=sources(tmp_path, "missing")) as world:
        record = run(world, taskRoleArn="app")
        reconcile(world.process())
        (record,) = world.tasks()
        assert record.task.stop_code == "TaskFailedToStart"
        assert str(record.task.stopped_reason).startswith("ResourceInitializationError: unable to get the credentials")
        assert run(world, taskRoleArn="nothing-configured").task.last_status == "RUNNING"


def test_a_name_that_somebody_else_has_is_left_to_them(world: World) -> None:
    (engine,) = world.engines.values()
    engine.create(ENDPOINT_NAME, {"Image": "up"})
    assert run(world).task.last_status == "RUNNING"
    assert [call.args for call in engine.calls_of("remove")] == []


def test_it_goes_with_the_last_container_of_any_state(world: World) -> None:
    record = run(world)
    stop_task(world.process(), StopTaskRequest(task=record.arn))
    reconcile(world.process())
    (engine,) = world.engines.values()
    other = engine.create("other", {"Image": "up", "Labels": {"ecsctl.install": "another"}})
    world.retention = Retention(timedelta(0))
    world.clock.sleep(1)
    reconcile(world.process())
    assert names(world) == [ENDPOINT_NAME, "other"]
    engine.remove(other)
    reconcile(world.process())
    assert world.containers() == []
    assert ENDPOINT_NAME not in engine.volumes
    assert ENDPOINT_NAME not in engine.networks.own


def test_a_task_with_a_network_interface_is_in_the_endpoints_network_too(world: World) -> None:
    network = {"awsvpcConfiguration": {"subnets": ["blue"]}}
    definition = world.define({"name": "main"}, networkMode="awsvpc")
    request = decode(RunTaskRequest, {"taskDefinition": definition, "networkConfiguration": network})
    run_task(world.process(), request)
    reconcile(world.process())
    (record,) = world.tasks()
    assert record.task.last_status == "RUNNING"
    (pause,) = [found for found in world.containers() if found.labels.get(CONTAINER) == PAUSE]
    addresses = {address.network: address.ipv4 for address in pause.addresses}
    assert set(addresses) == {"blue", ENDPOINT_NAME}
    assert told(world, record)["Networks"][0]["IPv4Addresses"] == [addresses["blue"]]
    world.check_quiet()


def test_a_process_killed_anywhere_leaves_nothing_that_the_next_pass_does_not_finish(tmp_path: Path) -> None:
    for step in range(STEPS):
        folder = tmp_path / str(step)
        folder.mkdir()
        with world_in(folder, sources=sources(folder), box=BOX) as world:
            died = world.dies(step, partial(run, world, taskRoleArn="app"))
            if not world.tasks():
                continue
            world.clock.sleep(200)
            for _ in range(3):
                reconcile(world.process())
            (record,) = world.tasks()
            assert record.task.last_status == "RUNNING", step
            assert names(world) == [ENDPOINT_NAME], step
            assert told(world, record)["KnownStatus"] == "RUNNING", step
            assert credentials(world, record)["AccessKeyId"] == "first"
            world.check_quiet()
            if not died:
                return
    raise AssertionError("more steps than were tried")


def test_an_endpoint_that_gives_no_answer_is_told_again(world: World) -> None:
    (engine,) = world.engines.values()
    engine.faults.append(Fault("lost_request", ("feed",), times=2))
    record = run(world)
    for _ in range(3):
        reconcile(world.process())
    (record,) = world.tasks()
    assert record.task.last_status == "RUNNING"
    assert told(world, record)["KnownStatus"] == "RUNNING"
    world.check_quiet()


def test_what_a_container_asks_is_answered_and_what_another_states_asks_is_not(world: World) -> None:
    definition = world.define({"name": "main"})
    create_service(world.process(), CreateServiceRequest("web", task_definition=definition, desired_count=1))
    reconcile(world.process(), services=["web"])
    (record,) = world.tasks()
    host = str(record.task.container_instance_arn)
    assert record.endpoint is not None

    def ask(number: str, method: str, body: str = "", known_as: str | None = None, what: str = "protection") -> Any:
        key = known_as or metadata_id(record, "main", world.store.key)
        answer(world.process(), host, Request(record.endpoint.run, number, key, method, what, body.encode()))  # type: ignore[union-attr]
        found = known(world).get(f"a/{number}")
        return found and (found[0], json.loads(found[1]))

    status, found = ask("1", "PUT", '{"ProtectionEnabled": true, "ExpiresInMinutes": 5}')
    end = world.clock.now() + timedelta(minutes=5)
    assert (status, found["protection"]["ProtectionEnabled"], found["protection"]["TaskArn"]) == (
        "200",
        True,
        record.arn,
    )
    assert found["protection"]["ExpirationDate"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
    assert world.tasks()[0].protected_until == end
    assert ask("2", "GET") == (status, found)
    assert ask("3", "PUT", "{}")[0] == "400"
    assert ask("4", "PUT", '{"ProtectionEnabled": true, "ExpiresInMinutes": 0}')[1]["error"]["Code"] == (
        "InvalidParameterException"
    )
    assert ask("5", "PUT", '{"ProtectionEnabled": true}', known_as="0" * 32) is None
    assert ask("6", "GET", what="stats")[1]["name"] == f"/{record.containers[0].engine_name}"
    assert list(ask("7", "GET", what="task/stats")[1]) == [record.containers[0].engine_id]


def test_a_task_of_no_service_cannot_be_protected(world: World) -> None:
    record = run(world)
    assert record.endpoint is not None
    request = Request(
        record.endpoint.run,
        "1",
        metadata_id(record, "main", world.store.key),
        "PUT",
        "protection",
        b'{"ProtectionEnabled": true}',
    )
    answer(world.process(), str(record.task.container_instance_arn), request)
    found = json.loads(known(world)["a/1"][1])
    assert (found["failure"]["Reason"], found["failure"]["Arn"]) == ("TASK_NOT_VALID", record.arn)
