"""What a task had that its containers do not show comes back with it: its endpoint, images, ports and volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecsctl.controller.sources import Sources
from ecsctl.model.api.services import CreateServiceRequest, UpdateServiceRequest
from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.file_system import EBS, FileSystem, Storage
from ecsctl.model.identity import ENDPOINT_NAME, PAUSE
from ecsctl.model.record import decode, evolve
from ecsctl.operations.reconcile import reconcile
from ecsctl.operations.recover.survey import installs
from ecsctl.operations.services import create_service, update_service
from ecsctl.operations.tasks import run_task, stop_task
from ecsctl.scheduler.deployments import revision_arn
from ecsctl.store.deployment_tables import SERVICE_REVISIONS
from ecsctl.store.tables import PORTS, SERVICES
from tests.controller.test_endpoint import BOX, credentials, sources, told
from tests.controller.test_images import ONE, TWO, digest, offer
from tests.controller.world import World, world_in
from tests.operations.test_recover import definitions, look, lose, quiet, rows, run, serve, settle


def test_a_task_is_answered_again_by_the_ids_that_it_was_told(tmp_path: Path) -> None:
    with world_in(tmp_path, sources=sources(tmp_path), box=BOX) as world:
        world.define({}, taskRoleArn="app")
        run(world, "app")
        lost = look(world, None)
        assert list(installs(lost, trust=True)) == [world.store.install]  # the endpoint is everybody's
        lose(world, tmp_path)
        (record,) = world.tasks()
        assert record.endpoint is not None
        assert (record.endpoint.offered, record.endpoint.credentials, record.endpoint.digest) == (True, True, "")
        (engine,) = world.engines.values()
        engine.remove(ENDPOINT_NAME)
        reconcile(world.process())
        (record,) = world.tasks()
        assert told(world, record)["KnownStatus"] == "RUNNING"
        assert credentials(world, record)["AccessKeyId"] == "first"
        environment = engine.settings(str(record.containers[0].engine_id)).environment
        assert environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].startswith("/v2/credentials/")
        quiet(world)
        world.check_quiet()


def test_a_recovered_service_goes_on_with_the_image_that_it_had(tmp_path: Path) -> None:
    with world_in(tmp_path, hosts=2) as world:
        world.define({"image": "app:1"})
        offer(world, "mirror.test/app:1", ONE)
        process = evolve(world.process(), image_map={"app:1": "mirror.test/app:1"})
        create_service(process, CreateServiceRequest("web", task_definition="app", desired_count=2))
        settle(world)
        before, (had,) = rows(world), {digest(record) for record in world.tasks()}
        offer(world, "mirror.test/app:1", TWO)
        assert lose(world, tmp_path).notes == []
        assert rows(world) == before
        quiet(world)
        victim = next(found for found in world.containers() if found.is_up)
        next(engine for engine in world.engines.values() if victim in engine.containers()).kill(victim.id)
        settle(world)
        assert {digest(record) for record in world.tasks()} == {had}
        assert len({found.image_id for found in world.containers()}) == 1
        assert sum(found.is_up for found in world.containers()) == 2


def test_each_deployment_of_a_recovered_service_has_its_revision(tmp_path: Path) -> None:
    with world_in(tmp_path, hosts=3) as world:
        world.define({"image": "app:1"})
        offer(world, "app:1", ONE)
        serve(world)
        world.define({"image": "app:1", "cpu": 5})
        update_service(world.process(), UpdateServiceRequest(service="web", task_definition="app"))
        reconcile(world.process(), timeout=0.5)
        world.clock.sleep(1)
        lose(world, tmp_path)
        with world.store.read() as view:
            (service,) = view.find(SERVICES)
            found = view.find(SERVICE_REVISIONS)
        ids = [deployment.id for deployment in service.deployments]
        assert len(ids) == 2
        assert {str(one.service_revision_arn) for one in found} == {revision_arn(service.arn, one) for one in ids}
        assert all(image.image_digest for one in found for image in one.container_images or [])


def wanted(world: World) -> dict[str, Any]:
    return {arn: record for arn, record in rows(world).items() if record.is_wanted}


def test_port_rows_placement_rules_and_volumes_come_back(tmp_path: Path) -> None:
    stands = Sources(storage=Storage({EBS: FileSystem(driver="local")}))
    with world_in(tmp_path, sources=stands) as world:
        volumes = [{"name": "data", "configuredAtLaunch": True}]
        point = {"sourceVolume": "data", "containerPath": "/data"}
        world.define({"mountPoints": [point]}, volumes=volumes)
        world.define({"portMappings": [{"containerPortRange": "9000-9002"}]}, family="ranged")
        managed: dict[str, Any] = {"roleArn": "arn:aws:iam::1:role/r", "sizeInGiB": 10}
        kept = {**managed, "terminationPolicy": {"deleteOnTermination": False}}
        rules = {"placementConstraints": [{"type": "memberOf", "expression": "agentConnected == true"}]}
        request: dict[str, Any] = {
            "taskDefinition": "app",
            "volumeConfigurations": [{"name": "data", "managedEBSVolume": kept}],
        }
        run_task(world.process(), decode(RunTaskRequest, {**request, **rules}))
        request = {"taskDefinition": "app", "volumeConfigurations": [{"name": "data", "managedEBSVolume": managed}]}
        create_service(
            world.process(), decode(CreateServiceRequest, {"serviceName": "web", "desiredCount": 1, **request})
        )
        settle(world)
        gone, ranged = run(world, "ranged"), run(world, "ranged")
        stop_task(world.process(), StopTaskRequest(gone))  # or another would be given the same row
        settle(world)
        before = wanted(world)
        with world.store.read() as view:
            ports, (service,) = view.find(PORTS), view.find(SERVICES)
        assert before[ranged].port_rows
        assert len(ports) == 3
        assert any(record.rules and record.volume for record in before.values())
        assert lose(world, tmp_path).notes == []
        assert wanted(world) == before
        with world.store.read() as view:
            assert view.find(PORTS) == ports
            assert view.find(SERVICES)[0].primary.volumes == service.primary.volumes
        quiet(world)


def test_what_a_log_router_is_told_is_not_taken_for_what_was_asked(tmp_path: Path) -> None:
    logs = {"logDriver": "awsfirelens", "options": {"Name": "stdout"}}
    environment = [{"name": "FLUENT_HOST", "value": "mine"}, {"name": "A", "value": "b"}]
    with world_in(tmp_path) as world:
        router = {"name": "router", "firelensConfiguration": {"type": "fluentbit"}}
        world.define(router, {"logConfiguration": logs, "environment": environment})
        run(world, "app")
        (engine,) = world.engines.values()
        main = next(state for state in world.tasks()[0].containers if state.name == "main")
        assert engine.settings(str(main.engine_id)).environment["FLUENT_HOST"] != "mine"
        result = lose(world, tmp_path)
        (line,) = [line for line in result.lines if line.startswith("task definition")]
        assert line.endswith("without the values of main.FLUENT_HOST, without the log options of main")
        assert [note for note in result.notes if "container main of task" in note]
        found = definitions(world)[0].container_definitions[1]
        assert found.log_configuration.options is None
        assert {pair.name: pair.value for pair in found.environment} == {"FLUENT_HOST": None, "A": "b"}
        quiet(world)


def test_a_pause_container_has_no_image_of_the_tasks(tmp_path: Path) -> None:
    with world_in(tmp_path) as world:
        world.define({}, networkMode="awsvpc")
        run(world, "app", networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-a"]}})
        before = rows(world)
        lose(world, tmp_path)
        assert rows(world) == before
        assert {state.name: state.image for state in world.tasks()[0].containers} == {PAUSE: None, "main": "up"}
        quiet(world)
