"""A lost state is rebuilt from the labels of the containers; what is not ours stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecsctl.engine.simulated_container import Program
from ecsctl.model import identity
from ecsctl.model.api.capacity_providers import CreateCapacityProviderRequest, PutClusterCapacityProvidersRequest
from ecsctl.model.api.container_instances import DeregisterContainerInstanceRequest
from ecsctl.model.api.services import CreateServiceRequest, DescribeServicesRequest, UpdateServiceRequest
from ecsctl.model.api.tasks import RunTaskRequest, StopTaskRequest
from ecsctl.model.common import KeyValuePair
from ecsctl.model.errors import InputError
from ecsctl.model.record import decode, evolve, to_wire
from ecsctl.model.stored import TaskRecord
from ecsctl.operations.capacity_providers import create_capacity_provider, put_cluster_capacity_providers
from ecsctl.operations.container_instances import deregister_container_instance
from ecsctl.operations.default_cluster import ensure_default_cluster
from ecsctl.operations.hosts import HostOptions, register_host
from ecsctl.operations.reconcile import Report, reconcile
from ecsctl.operations.recover.adopt import Recovered, adopt, confirm
from ecsctl.operations.recover.services import HELD
from ecsctl.operations.recover.survey import Survey, survey, the_install
from ecsctl.operations.services import create_service, describe_services, update_service
from ecsctl.operations.tasks import run_task, stop_task
from ecsctl.scheduler.container_spec import digest_of
from ecsctl.scheduler.labels import about_in
from ecsctl.store.store import Origin, Store
from ecsctl.store.tables import CLUSTERS, INSTANCES, PORTS, SERVICES, TASK_DEFINITIONS, TASKS
from tests.controller.world import World, world_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path, hosts=3, ends=Program(exits_after=5), sick=Program(health=((1, "healthy"),))) as made:
        yield made


def serve(world: World, name: str = "web", definition: str = "app", count: int | None = 3, **fields: Any) -> None:
    request = {
        "serviceName": name,
        "taskDefinition": definition,
        **({} if count is None else {"desiredCount": count}),
        **fields,
    }
    create_service(world.process(), decode(CreateServiceRequest, request))
    settle(world)


def run(world: World, definition: str, **fields: Any) -> str:
    request = decode(RunTaskRequest, {"taskDefinition": definition, **fields})
    (task,) = run_task(world.process(), request).tasks or []
    settle(world)
    return str(task.task_arn)


def settle(world: World) -> None:
    for _ in range(3):
        reconcile(world.process())
        world.clock.sleep(60)


def look(world: World, key: bytes | None, *hosts: str) -> Survey:
    return survey(lambda address: world.engines[address], list(hosts or world.engines), key)


def lose(world: World, folder: Path, *hosts: str, key: bytes | None = None, trust: bool = False) -> Recovered:
    """The state is lost, and rebuilt from the hosts, with its key unless it is lost too."""
    lost = world.store
    signing = None if trust else key or lost.key
    found = look(world, signing, *hosts)
    origin = Origin(the_install(found, trust=trust), signing or b"new" * 10)
    world.store = Store.open(folder / "rebuilt.db", origin)
    lost.close()
    return adopt(world.process(), found, origin.install, trust=trust)


TIMES = ("connectivity_at", "pull_started_at", "pull_stopped_at", "started_at", "version")


def rows(world: World) -> dict[str, Any]:
    """The tasks as they are stored, but for what counts and times looks at them."""
    found: dict[str, TaskRecord] = {}
    for record in world.tasks():
        task = evolve(record.task, **dict.fromkeys(TIMES))
        containers = [
            evolve(state, starts=0, stops=0, pulled=False, networked=False, started_at=None, exited_at=None)
            for state in record.containers
        ]
        found[record.arn] = evolve(record, task=task, containers=containers, seq=0, protected_until=None)
    return found


def services(world: World) -> list[dict[str, Any]]:
    with world.store.read() as view:
        names = [str(record.service.service_name) for record in view.find(SERVICES, status="ACTIVE")]
    found = describe_services(world.process(), DescribeServicesRequest(services=names)).services or []
    plain = [to_wire(evolve(one, events=None, current_service_deployment=None)) for one in found]
    for one in plain:
        for deployment in one["deployments"]:
            deployment.update(createdAt=None, updatedAt=None)
    return plain


def definitions(world: World) -> list[Any]:
    with world.store.read() as view:
        return view.find(TASK_DEFINITIONS)


def quiet(world: World) -> Report:
    before = world.mutations()
    report = reconcile(world.process())
    assert world.mutations() == before, report.lines
    return report


def test_services_and_tasks_of_their_own_come_back_as_they_were(world: World, tmp_path: Path) -> None:
    environment = [{"name": "MODE", "value": "a=b c"}, {"name": "TOKEN", "value": "t"}]
    log = {"logDriver": "syslog", "options": {"syslog-address": "udp://log"}}
    world.define(
        {"environment": environment, "logConfiguration": log, "portMappings": [{"containerPort": 80}]},
        {"name": "side", "dependsOn": [{"containerName": "main", "condition": "START"}], "essential": False},
    )
    world.define({"cpu": 10, "portMappings": [{"containerPort": 80, "hostPort": 8080}]}, family="fixed")
    spread = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]
    serve(
        world, placementStrategy=spread, deploymentConfiguration={"minimumHealthyPercent": 50}, propagateTags="SERVICE"
    )
    serve(world, "agent", "fixed", None, schedulingStrategy="DAEMON")
    given = {"containerOverrides": [{"name": "main", "environment": [{"name": "MODE", "value": "over"}]}]}
    run(world, "app", overrides=given, startedBy="me", group="batch")
    before, serving, defined = rows(world), services(world), definitions(world)
    with world.store.read() as view:
        ports, sequence = view.find(PORTS), view.sequence
    assert len(before) == 7
    result = lose(world, tmp_path)
    assert result.notes == []
    assert (result.tasks, result.services, result.held) == (7, 2, 6)
    assert rows(world) == before
    assert services(world) == serving
    assert definitions(world) == defined
    with world.store.read() as view:
        assert view.find(PORTS) == ports
        assert view.sequence > sequence
        assert sorted(record.name for record in view.find(INSTANCES)) == ["host0", "host1", "host2"]
    assert quiet(world).lines == []
    world.check_quiet()
    world.check_safety()


def test_a_recovered_service_heals_again(world: World, tmp_path: Path) -> None:
    world.define({"environment": [{"name": "A", "value": "b"}]})
    serve(world)
    lose(world, tmp_path)
    victim = next(found for found in world.containers() if found.is_up)
    engine = next(engine for engine in world.engines.values() if victim in engine.containers())
    engine.kill(victim.id)
    settle(world)
    up = [(engine, found) for engine in world.engines.values() for found in engine.containers() if found.is_up]
    assert len(up) == 3
    environment = {"A": "b", "AWS_EXECUTION_ENV": "AWS_ECS_EC2"}
    assert all(engine.settings(found.id).environment == environment for engine, found in up)
    assert [c.environment for c in definitions(world)[0].container_definitions] == [[KeyValuePair("A", "b")]]
    assert services(world)[0]["runningCount"] == 3


def test_recovered_tasks_are_not_stopped_before_somebody_confirms(world: World, tmp_path: Path) -> None:
    world.define({})
    serve(world)
    lose(world, tmp_path)
    update_service(world.process(), UpdateServiceRequest(service="web", desired_count=1))
    quiet(world)
    assert {record.protected_until for record in world.tasks()} == {HELD}
    assert confirm(world.process()) == 3
    settle(world)
    assert sum(found.is_up for found in world.containers()) == 1
    assert confirm(world.process()) == 0


def test_a_task_that_is_over_does_not_come_back(world: World, tmp_path: Path) -> None:
    world.define({"image": "ends"}, family="ends")
    world.define({}, family="app")
    over = run(world, "ends")
    stopped = run(world, "app")
    stop_task(world.process(), StopTaskRequest(task=stopped))
    settle(world)
    assert all(record.is_stopped for record in world.tasks())
    lose(world, tmp_path)
    assert {record.arn: record.task.last_status for record in world.tasks()} == {over: "STOPPED", stopped: "STOPPED"}
    quiet(world)
    world.clock.sleep(timedelta(hours=4).total_seconds())
    reconcile(world.process())
    assert world.containers() == []


def test_a_port_is_held_by_the_task_that_has_it_now(world: World, tmp_path: Path) -> None:
    world.define({"portMappings": [{"containerPort": 80, "hostPort": 8080}]})
    for _ in range(3):
        run(world, "app")
    stop_task(world.process(), StopTaskRequest(task=world.tasks()[0].arn))
    settle(world)
    run(world, "app")
    with world.store.read() as view:
        ports = view.find(PORTS)
    assert len(ports) == 3
    lose(world, tmp_path)
    with world.store.read() as view:
        assert view.find(PORTS) == ports
    quiet(world)


def test_a_network_interface_and_a_capacity_provider_come_back(world: World, tmp_path: Path) -> None:
    world.define({}, networkMode="awsvpc")
    create_capacity_provider(world.process(), CreateCapacityProviderRequest(name="spare"))
    put = PutClusterCapacityProvidersRequest("default", ["spare"], [])
    put_cluster_capacity_providers(world.process(), put)
    gone = DeregisterContainerInstanceRequest(container_instance="host2")
    deregister_container_instance(world.process(), gone)
    register_host(world.process(), None, HostOptions("host2", provider="spare", availability_zone="zone2"))
    network = {"awsvpcConfiguration": {"subnets": ["subnet-a"], "assignPublicIp": "ENABLED"}}
    strategy = [{"capacityProvider": "spare", "weight": 1}]
    serve(world, networkConfiguration=network, capacityProviderStrategy=strategy)
    before, serving = rows(world), services(world)
    assert len(before) == 3
    lose(world, tmp_path)
    assert rows(world) == before
    assert services(world) == serving
    with world.store.read() as view:
        (host,) = view.find(INSTANCES)
        assert host.instance.capacity_provider_name == "spare"
    quiet(world)
    world.check_quiet()


def test_names_come_back(world: World, tmp_path: Path) -> None:
    world.define({"portMappings": [{"name": "http", "containerPort": 80}]})
    logs = {"logDriver": "splunk", "options": {"splunk-token": "s3cret"}}
    connect = {"enabled": True, "namespace": "shop", "services": [{"portName": "http"}]}
    serve(world, count=1, serviceConnectConfiguration={**connect, "logConfiguration": logs})
    (before,) = world.tasks()
    about = about_in(world.containers()[0].labels)
    assert about is not None
    assert "s3cret" not in str(about)
    lose(world, tmp_path)
    (after,) = world.tasks()
    assert before.discovery is not None
    assert after.discovery == before.discovery
    (deployment,) = services(world)[0]["deployments"]
    assert deployment["serviceConnectConfiguration"] == connect
    assert quiet(world).lines == []


def test_what_had_not_begun_to_run_is_not_started(world: World, tmp_path: Path) -> None:
    world.define({})
    run(world, "app")
    steps = 0
    while not any(found.state == "created" for found in world.containers()):
        world.dies(steps := steps + 1, lambda process: run_task(process, RunTaskRequest(task_definition="app")))
    running = sum(found.is_up for found in world.containers())
    lose(world, tmp_path)
    settle(world)
    assert sum(found.is_up for found in world.containers()) == running
    assert not [found for found in world.containers() if found.state == "created"]


def test_what_ended_while_there_was_no_state_is_replaced(world: World, tmp_path: Path) -> None:
    world.define({})
    serve(world)
    for engine in world.engines.values():
        for found in engine.containers():
            engine.kill(found.id)
    lose(world, tmp_path)
    settle(world)
    assert sum(found.is_up for found in world.containers()) == 3


def test_a_state_that_knows_nothing_touches_no_container_of_another(world: World, tmp_path: Path) -> None:
    """FAULTS row 17: an empty state, whose hosts are full of containers."""
    world.define({})
    serve(world)
    before, lost = world.containers(), world.store
    world.store = Store.open(tmp_path / "empty.db")
    process = world.process()
    ensure_default_cluster(process)
    for name in world.engines:
        register_host(process, None, HostOptions(name))
    mutations = world.mutations()
    assert reconcile(process).lines == []
    assert world.mutations() == mutations
    # … and one of the same install, as after a recover that was cut off, leaves alone what it does not know.
    install, key = lost.install, lost.key
    lost.close()
    world.store.close()
    world.store = Store.open(tmp_path / "same.db", Origin(install, key))
    process = world.process()
    ensure_default_cluster(process)
    for name in world.engines:
        register_host(process, None, HostOptions(name))
    report = reconcile(process)
    assert report.lines == []
    assert len(report.left_alone) == 3
    assert all("ecsctl recover --merge" in line for line in report.left_alone)
    assert world.mutations() == mutations
    assert [found.id for found in world.containers()] == [found.id for found in before]


def test_what_an_older_state_does_not_know_is_added_to_it(world: World, tmp_path: Path) -> None:
    world.define({})
    serve(world, count=1)
    world.store.back_up(tmp_path / "old.db")
    key, install = world.store.key, world.store.install
    update_service(world.process(), UpdateServiceRequest(service="web", desired_count=3))
    alone = run(world, "app")
    before = rows(world)
    world.store.close()
    (tmp_path / "old.db.key").write_bytes(key)
    (tmp_path / "old.db.key").chmod(0o600)
    world.store = Store.open(tmp_path / "old.db")
    assert len(quiet(world).left_alone) == 3
    found = look(world, key)
    dry = adopt(world.process(), found, install, trust=False, dry_run=True)
    assert len(world.tasks()) == 1
    result = adopt(world.process(), found, install, trust=False)
    assert dry == result
    assert (result.tasks, result.services) == (3, 0)
    assert rows(world) == before
    assert alone in before
    quiet(world)  # desired is 1 again, and nobody has confirmed
    confirm(world.process())
    settle(world)
    assert sum(found.is_up for found in world.containers()) == 2
    assert adopt(world.process(), look(world, key), install, trust=False).lines == []


def test_forged_labels_are_not_believed(world: World, tmp_path: Path) -> None:
    world.define({})
    serve(world, count=1)
    (true,) = world.containers()
    labels = {**true.labels, identity.TASK: "f" * 32, "com.amazonaws.ecs.task-arn": "arn:aws:ecs:x:y:task/default/f"}
    engine = next(engine for engine in world.engines.values() if engine.containers())
    engine.create("forged", {"Image": "up", "Labels": labels})
    result = lose(world, tmp_path)
    assert result.tasks == 1
    assert [note for note in result.notes if "forged" in note]
    assert any("forged" in line for line in quiet(world).left_alone)


def test_without_the_key_labels_are_believed_only_when_that_is_asked_for(world: World, tmp_path: Path) -> None:
    world.define({})
    serve(world, count=2)
    before = rows(world)
    with pytest.raises(InputError, match="--trust-labels"):
        the_install(look(world, b"another"), trust=False)
    result = lose(world, tmp_path, trust=True)
    assert result.tasks == 2
    assert rows(world) == before
    quiet(world)
    confirm(world.process())
    update_service(world.process(), UpdateServiceRequest(service="web", desired_count=1))
    settle(world)
    assert sum(found.is_up for found in world.containers()) == 1


def test_labels_of_an_earlier_release_give_tasks_of_their_own(world: World, tmp_path: Path) -> None:
    world.define({"environment": [{"name": "A", "value": "b"}]})
    serve(world, count=2)
    key = world.store.key
    for engine in world.engines.values():
        for container in engine._containers.values():
            labels = {name: value for name, value in container.body["Labels"].items() if name != identity.ABOUT}
            container.body["Labels"] = identity.sign(labels, key)
    defined = definitions(world)
    result = lose(world, tmp_path)
    assert (result.tasks, result.services) == (2, 0)
    assert len([note for note in result.notes if "do not tell" in note]) == 2
    assert definitions(world) == defined
    quiet(world)
    assert all(record.is_running and record.service is None for record in world.tasks())


def test_a_rollout_that_was_on_its_way_stops_nothing_unasked(world: World, tmp_path: Path) -> None:
    world.define({})
    serve(world)
    world.define({"cpu": 5})
    update_service(world.process(), UpdateServiceRequest(service="web", task_definition="app"))
    reconcile(world.process(), timeout=0.5)
    world.clock.sleep(1)
    revisions = {found.labels["com.amazonaws.ecs.task-definition-version"] for found in world.containers()}
    assert revisions == {"1", "2"}
    running = sum(found.is_up for found in world.containers())
    lose(world, tmp_path)
    settle(world)
    assert sum(found.is_up for found in world.containers()) >= running
    assert services(world)[0]["taskDefinition"].endswith("app:2")
    confirm(world.process())
    update_service(world.process(), UpdateServiceRequest(service="web", desired_count=3))
    settle(world)
    up = [found for found in world.containers() if found.is_up]
    assert {found.labels["com.amazonaws.ecs.task-definition-version"] for found in up} == {"2"}
    assert len(up) == 3


def test_a_host_that_does_not_answer_is_told_and_its_tasks_are_added_later(world: World, tmp_path: Path) -> None:
    world.define({})
    serve(world)
    before = rows(world)
    world.engines["host1"].reachable = False
    key = world.store.key
    assert list(look(world, key).silent) == ["host1"]
    lose(world, tmp_path)
    assert len(world.tasks()) == 2
    quiet(world)
    world.engines["host1"].reachable = True
    result = adopt(world.process(), look(world, key), world.store.install, trust=False)
    assert rows(world) == before
    assert any("wants 2 tasks and will have 3" in note for note in result.notes)
    update_service(world.process(), UpdateServiceRequest(service="web", desired_count=3))
    confirm(world.process())
    settle(world)
    assert rows(world) == before


def test_a_cloned_host_is_left_alone(world: World, tmp_path: Path) -> None:
    world.define({})
    run(world, "app")
    (true,) = world.containers()
    other = next(engine for engine in world.engines.values() if true not in engine.containers())
    other.create(true.name, {"Image": "up", "Labels": true.labels})
    result = lose(world, tmp_path)
    assert result.tasks == 0
    assert any("several hosts" in note for note in result.notes)


def test_copies_are_not_taken_for_what_they_were_made_from(world: World, tmp_path: Path) -> None:
    """Wherever they are, and however many: whose id is the highest is a toss."""
    world.define({})
    run(world, "app")
    (true,) = world.containers()
    before = rows(world)
    for name, engine in world.engines.items():
        for n in range(4):
            engine.start(engine.create(f"copy-{name}-{n}", {"Image": "up", "Labels": true.labels}))
    result = lose(world, tmp_path)
    assert result.tasks == 1
    assert rows(world) == before
    assert world.tasks()[0].containers[0].engine_id == true.id
    assert len([note for note in result.notes if "may be a copy" in note]) == 12
    quiet(world)


def test_what_is_only_left_as_a_copy_is_not_recovered(world: World, tmp_path: Path) -> None:
    world.define({})
    run(world, "app")
    (true,) = world.containers()
    engine = next(engine for engine in world.engines.values() if engine.containers())
    engine.rename(true.id, "debug")
    assert lose(world, tmp_path).tasks == 0
    engine.rename(true.id, identity.name_in(true.labels))  # as the note says, where it is none
    result = adopt(world.process(), look(world, world.store.key), world.store.install, trust=False)
    assert result.tasks == 1


def test_a_copy_on_a_host_that_is_known_to_be_another_is_not_merged(world: World, tmp_path: Path) -> None:
    world.store.back_up(tmp_path / "old.db")
    key, install = world.store.key, world.store.install
    world.define({})
    task = run(world, "app")
    (true,) = world.containers()
    other = next(engine for engine in world.engines.values() if true not in engine.containers())
    other.start(other.create(true.name, {"Image": "up", "Labels": true.labels}))
    world.store.close()
    (tmp_path / "old.db.key").write_bytes(key)
    (tmp_path / "old.db.key").chmod(0o600)
    world.store = Store.open(tmp_path / "old.db")
    result = adopt(world.process(), look(world, key), install, trust=False)
    assert [record.arn for record in world.tasks()] == [task]
    assert world.tasks()[0].containers[0].engine_id == true.id
    assert [note for note in result.notes if "was made for" in note]


def test_another_revision_of_the_same_name_is_not_mixed_up(world: World, tmp_path: Path) -> None:
    world.store.back_up(tmp_path / "old.db")
    key, install = world.store.key, world.store.install
    world.define({"cpu": 1})
    run(world, "app")
    world.store.close()
    (tmp_path / "old.db.key").write_bytes(key)
    (tmp_path / "old.db.key").chmod(0o600)
    world.store = Store.open(tmp_path / "old.db")
    world.define({"cpu": 2})  # app:1 again
    result = adopt(world.process(), look(world, key), install, trust=False)
    assert result.tasks == 0
    assert any("the state has another" in note for note in result.notes)


def test_a_host_that_has_left_its_cluster_is_not_in_use_again(world: World, tmp_path: Path) -> None:
    """Two container instances were on one engine, one after the other: the older one is INACTIVE."""
    world.define({})
    serve(world)
    with world.store.read() as view:
        old = next(record for record in view.find(INSTANCES) if record.name == "host0")
    deregister_container_instance(
        world.process(), DeregisterContainerInstanceRequest(container_instance=old.arn, force=True)
    )
    register_host(world.process(), None, HostOptions("host0", availability_zone="zone0"))
    settle(world)
    run(world, "app")
    lose(world, tmp_path)
    with world.store.read() as view:
        found = [(record.name, record.instance.status) for record in view.find(INSTANCES)]
        assert sorted(name for name, status in found if status == "ACTIVE") == ["host0", "host1", "host2"]
        assert view.count(CLUSTERS) == 1
    quiet(world)


def test_the_digest_on_the_label_proves_a_rebuilt_definition(world: World, tmp_path: Path) -> None:
    world.define(
        {"environment": [{"name": "A", "value": "b"}], "healthCheck": {"command": ["CMD", "x"]}, "image": "sick"}
    )
    run(world, "app")
    lose(world, tmp_path)
    (container,) = world.containers()
    with world.store.read() as view:
        (record,) = view.find(TASKS)
        definition = view.get(TASK_DEFINITIONS, str(record.task.task_definition_arn))
    assert definition is not None
    assert container.labels[identity.SPEC] == digest_of(record, definition, "main")
