"""Volumes that are configured at launch (EBS): of tasks, and of the tasks of services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ecsctl.controller.sources import Sources
from ecsctl.model.api.services import CreateServiceRequest, UpdateServiceRequest
from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.file_system import FileSystem, Storage
from ecsctl.model.record import decode
from ecsctl.model.service import ServiceVolumeConfiguration
from ecsctl.operations.apply.carry_out import carry_out
from ecsctl.operations.apply.documents import documents_of
from ecsctl.operations.apply.plan import make_plan
from ecsctl.operations.context import Context
from ecsctl.operations.export import export_state
from ecsctl.operations.import_state import plan_import
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.services import create_service, update_service
from ecsctl.operations.tasks import run_task, stop_task
from ecsctl.store.tables import SERVICES
from tests.controller.world import World, world_in

ROLE = "arn:aws:iam::000000000000:role/ebs"
STANDS = {"ebs": FileSystem(driver="local")}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as made:
        yield made


def process(world: World, stands: dict[str, FileSystem] = STANDS) -> Context:
    made = world.process()
    made.controller._sources = Sources(storage=Storage(stands))
    return made


def define(world: World) -> str:
    point = {"sourceVolume": "data", "containerPath": "/data"}
    return world.define({"mountPoints": [point]}, volumes=[{"name": "data", "configuredAtLaunch": True}])


def volume(name: str = "data", **managed: Any) -> list[dict[str, Any]]:
    return [{"name": name, "managedEBSVolume": {"roleArn": ROLE, "sizeInGiB": 10, **managed}}]


def run(world: World, volumes: Any, stands: dict[str, FileSystem] = STANDS) -> Any:
    request = {"taskDefinition": define(world), "volumeConfigurations": volumes}
    answer = run_task(process(world, stands), decode(RunTaskRequest, request))
    return (answer.tasks or [])[0]


def volumes(world: World) -> set[str]:
    (engine,) = world.engines.values()
    return set(engine.volumes)


@pytest.mark.parametrize(("delete", "left"), [(True, 0), (False, 1)])
def test_a_task_has_a_volume_that_goes_when_it_is_told_to(world: World, delete: bool, left: int) -> None:
    task = run(world, volume(terminationPolicy={"deleteOnTermination": delete}))
    reconcile(process(world))
    (name,) = volumes(world)
    (shown,) = world.tasks()[0].task.attachments or []
    details = {detail.name: detail.value for detail in shown.details or []}
    assert (shown.type, shown.status) == ("AmazonElasticBlockStorage", "ATTACHED")
    assert (details["volumeId"], details["sizeInGiB"]) == (name, "10")
    stop_task(process(world), StopTaskRequest(str(task.task_arn)))
    world.clock.seconds += 4 * 3600
    for _ in range(2):
        reconcile(process(world))
    (shown,) = world.tasks()[0].task.attachments or []
    assert shown.status == "DELETED"
    assert len(volumes(world)) == left


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (None, "InvalidParameterException", "configured at launch are data, given is none"),
        (volume("other"), "InvalidParameterException", "configured at launch are data, given is other"),
        ([{"name": "data"}], "InvalidParameterException", "managedEBSVolume: is required"),
        (volume(sizeInGiB=0), "InvalidParameterException", "sizeInGiB: write 1 to"),
        (volume(snapshotId="snap-1"), "ClientException", "snapshotId: what is in snap-1 cannot be had here"),
    ],
)
def test_what_does_not_go_with_the_definition_is_refused(world: World, given: Any, code: str, words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        run(world, given)
    assert caught.value.code == code


def test_where_nothing_stands_for_it_no_task_is_started(world: World) -> None:
    with pytest.raises(ApiError, match=r"volumes\[0\].configuredAtLaunch.*\[file_systems\] \"ebs\""):
        run(world, volume(), {})
    assert world.tasks() == []


def test_a_configuration_that_is_gone_when_it_is_needed_fails_the_task(world: World) -> None:
    create_service(process(world), _service(define(world)))
    reconcile(process(world, {}))
    failed = [record for record in world.tasks() if record.is_stopped]
    assert failed
    assert all("CannotCreateVolumeError: data: nothing stands" in str(r.task.stopped_reason) for r in failed)


def _service(definition: str, **managed: Any) -> CreateServiceRequest:
    request = {"serviceName": "web", "taskDefinition": definition, "desiredCount": 2}
    return decode(CreateServiceRequest, {**request, "volumeConfigurations": volume(**managed)})


def test_each_task_of_a_service_has_its_own_and_another_size_is_another_deployment(world: World) -> None:
    answer = create_service(process(world), _service(define(world)))
    assert answer.service is not None
    for _ in range(3):
        reconcile(process(world))
    assert len(volumes(world)) == 2
    first = [record.volume for record in world.tasks()]
    assert all(one and one.managed_ebs_volume and one.managed_ebs_volume.size_in_gib == 10 for one in first)
    changed = update_service(
        process(world), decode(UpdateServiceRequest, {"service": "web", "volumeConfigurations": volume(sizeInGiB=20)})
    )
    assert changed.service is not None
    sizes = [
        one.managed_ebs_volume and one.managed_ebs_volume.size_in_gi_b
        for deployment in changed.service.deployments or []
        for one in deployment.volume_configurations or []
    ]
    assert sizes == [20, 10]
    for _ in range(3):
        reconcile(process(world))
    new = [record.volume for record in world.tasks() if record.is_wanted]
    assert {one.managed_ebs_volume.size_in_gib for one in new if one and one.managed_ebs_volume} >= {20}


def test_a_service_is_told_what_its_definition_lacks(world: World) -> None:
    request = {"serviceName": "web", "taskDefinition": define(world), "desiredCount": 1}
    with pytest.raises(ApiError, match="configured at launch are data, given is none"):
        create_service(process(world), decode(CreateServiceRequest, request))


DEFINITION = {
    "family": "app",
    "containerDefinitions": [
        {
            "name": "main",
            "image": "up",
            "memory": 16,
            "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
        }
    ],
    "volumes": [{"name": "data", "configuredAtLaunch": True}],
}
PLAIN = {"family": "app", "containerDefinitions": [{"name": "main", "image": "up", "memory": 16}]}
WEB = {"serviceName": "web", "taskDefinition": "app", "desiredCount": 1}


def apply(world: World, *data: Any) -> list[str]:
    """Plans and carries out; what was done to services."""
    made = make_plan(process(world), documents_of((f"file{n}", one) for n, one in enumerate(data)), "default")
    carry_out(process(world), made, lambda _: None)
    return [line.strip() for change in made.pending if change.kind == "service" for line in change.lines]


def asked(world: World) -> list[list[ServiceVolumeConfiguration] | None]:
    """What each deployment asks, the newest first."""
    with world.store.read() as view:
        (record,) = view.find(SERVICES)
    return [deployment.volumes for deployment in record.deployments]


def test_apply_gives_a_service_its_volumes_and_a_second_time_nothing(world: World) -> None:
    service = {**WEB, "volumeConfigurations": volume()}
    done = apply(world, DEFINITION, service)
    assert "volumeConfigurations[data].managedEBSVolume.sizeInGiB: 10" in done
    assert apply(world, DEFINITION, service) == []
    assert asked(world) == [[decode(ServiceVolumeConfiguration, one) for one in volume()]]

    bigger = {**WEB, "volumeConfigurations": volume(sizeInGiB=20)}
    assert apply(world, DEFINITION, bigger) == [
        "~ service default/web",
        "volumeConfigurations[data].managedEBSVolume.sizeInGiB: 10 -> 20",
    ]
    assert apply(world, DEFINITION, bigger) == []
    assert len(asked(world)) == 2
    assert apply(world, DEFINITION, {**bigger, "desiredCount": 2}) == ["~ service default/web", "desiredCount: 1 -> 2"]
    assert len(asked(world)) == 2


def test_apply_takes_volumes_back_with_the_definition_that_needs_them(world: World) -> None:
    apply(world, DEFINITION, {**WEB, "volumeConfigurations": volume()})
    with pytest.raises(InputError, match=r"file1.*app:1: configured at launch are data, given is none"):
        apply(world, DEFINITION, WEB)
    assert "volumeConfigurations[data].managedEBSVolume.sizeInGiB: 10 -> none" in apply(world, PLAIN, WEB)
    assert asked(world)[0] is None
    assert apply(world, PLAIN, WEB) == []


def test_apply_refuses_volumes_that_cannot_be_had_before_anything_is_written(world: World) -> None:
    with pytest.raises(InputError, match="snapshotId: what is in snap-1 cannot be had here"):
        apply(world, DEFINITION, {**WEB, "volumeConfigurations": volume(snapshotId="snap-1")})
    external = {"serviceName": "web", "desiredCount": 1, "deploymentController": {"type": "EXTERNAL"}}
    with pytest.raises(InputError, match="volumeConfigurations: is not supported with the EXTERNAL"):
        apply(world, {**external, "volumeConfigurations": volume()})
    with world.store.read() as view:
        assert view.find(SERVICES) == []


def test_an_export_has_the_volumes_and_is_imported_again(world: World) -> None:
    apply(world, DEFINITION, {**WEB, "volumeConfigurations": volume()})
    document = json.loads(msgspec.json.encode(export_state(process(world))))
    assert document["services"][0]["volumeConfigurations"] == volume()
    assert plan_import(process(world), document, "export.json").pending == []
