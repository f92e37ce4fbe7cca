"""Each rule of ECS, with the line it is refused with."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
from ecsctl.model.common import Tag
from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode
from ecsctl.operations.definition_graph import find_cycle
from ecsctl.operations.definition_rules import check_tags, validate

Data = dict[str, Any]
C0 = "containerDefinitions[0]"
C1 = "containerDefinitions[1]"


def _container(name: str = "a", **fields: Any) -> Data:
    return {"name": name, "image": "nginx:1", "memory": 64, **fields}


def _one(**fields: Any) -> Data:
    return _task(_container(**fields))


def _task(*containers: Data, **fields: Any) -> Data:
    return {"family": "f", "containerDefinitions": list(containers), **fields}


def _fargate(*containers: Data, **fields: Any) -> Data:
    plain = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
    return _task(*(containers or (_container(),)), **{**plain, **fields})


def _refusal(data: Data) -> str:
    with pytest.raises(ApiError) as raised:
        validate(decode(RegisterTaskDefinitionRequest, data))
    assert raised.value.code == "ClientException"
    assert "\n" not in str(raised.value)
    return str(raised.value)


HEALTH = {"command": ["CMD-SHELL", "true"]}
NAMES = "use 1 to 255 letters, digits, hyphens and underscores, not starting with a hyphen."

REFUSED: list[tuple[Data, str]] = [
    # names
    ({**_one(), "family": "../x"}, f"family '../x' is not a valid name: {NAMES}"),
    ({**_one(), "family": "a\nb"}, f"family 'a\\nb' is not a valid name: {NAMES}"),
    ({**_one(), "family": ""}, f"family '' is not a valid name: {NAMES}"),
    (_one(name="-x"), f"{C0}.name: name '-x' is not a valid name: {NAMES}"),
    (_one(name="é"), f"{C0}.name: name 'é' is not a valid name: {NAMES}"),
    (_one(name=None), f"{C0}.name: Container.name should not be null or empty."),
    (
        _task(_container("a"), _container("a")),
        f"{C1}.name: Duplicate container name 'a': each container needs a name of its own.",
    ),
    (_task(), "containerDefinitions: Container list cannot be empty."),
    (
        _task(*(_container(f"c{n}") for n in range(11))),
        "containerDefinitions: Too many containers. A task definition has at most 10.",
    ),
    (
        _task(_container("a", essential=False), _container("b", essential=False)),
        "containerDefinitions: At least one container must be essential: leave essential out, or set it to true.",
    ),
    # values no field takes
    (_one(command=["a\0b"]), f"{C0}.command[0]: must not contain a NUL character."),
    (_one(environment=[{"name": "A", "value": "\ud800"}]), f"{C0}.environment[0].value: contains half of a surrogate"),
    (_one(cpu=2**31), f"{C0}.cpu: 2147483648 is out of range: integers have 32 bits."),
    (_one(environment=[{"name": "A", "value": "x" * 70_000}]), "f: the task definition is 68 KiB; ECS takes at most"),
    # image
    (_one(image=None), f"{C0}.image: Container.image should not be null or empty."),
    (_one(image=""), f"{C0}.image: Container.image should not be null or empty."),
    (_one(image="a b"), f"{C0}.image: Container.image contains invalid characters: 'a b'."),
    (_one(image="-v/:/host"), f"{C0}.image: Container.image contains invalid characters: '-v/:/host'."),
    (_one(image="nginx\n"), f"{C0}.image: Container.image contains invalid characters: 'nginx\\n'."),
    (
        _one(image="<IMAGE1_NAME>"),
        f"{C0}.image: Container.image contains invalid characters: '<IMAGE1_NAME>'; it looks like an unrendered "
        "template: render it first.",
    ),
    (_one(image="a@sha256:12"), f"{C0}.image: Container.image contains invalid characters: 'a@sha256:12'."),
    (_one(image="a" * 256), f"{C0}.image: Container.image is longer than 255 characters."),
    # cpu and memory
    (_one(cpu=-1), f"{C0}.cpu: Invalid 'cpu' setting for container 'a'."),
    (_one(memory=0), f"{C0}.memory: Invalid 'memory' setting for container 'a': engines take no less than 6 MiB."),
    (_one(memoryReservation=5), f"{C0}.memoryReservation: Invalid 'memoryReservation' setting for container 'a'"),
    (
        _one(memory=None),
        f"{C0}.memory: Invalid setting for container 'a'. At least one of 'memory' or 'memoryReservation' "
        "must be specified.",
    ),
    (
        _one(memory=64, memoryReservation=65),
        f"{C0}.memory: Invalid setting for container 'a'. 'memory' must be greater than or equal to "
        "'memoryReservation'.",
    ),
    (
        _task(_container(memory=513), memory="512"),
        f"{C0}.memory: The 'memory' setting for container 'a' is greater than for the task.",
    ),
    (
        _task(_container("a", memoryReservation=60), _container("b", memoryReservation=60), memory="100"),
        "memory: The sum of all container 'memoryReservation' values cannot be greater than the value of the task "
        "'memory'.",
    ),
    (
        _task(_container("a", cpu=200), _container("b", cpu=57), cpu="256"),
        "cpu: The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
    ),
    (_task(_container(), cpu="lots"), "cpu: Invalid 'cpu' setting for task: 'lots'."),
    (_task(_container(), cpu="64"), "cpu: Invalid 'cpu' setting for task: 64."),
    (_task(_container(), memory="1 TB"), "memory: Invalid 'memory' setting for task: '1 TB'."),
    # ports
    (_one(portMappings=[{}]), f"{C0}.portMappings[0].containerPort: Invalid 'containerPort' setting for container 'a'"),
    (_one(portMappings=[{"containerPort": 65536}]), f"{C0}.portMappings[0].containerPort: Invalid 'containerPort'"),
    (
        _one(portMappings=[{"containerPort": 80, "hostPort": -1}]),
        f"{C0}.portMappings[0].hostPort: Invalid 'hostPort' setting for container 'a': write 0 (any) to 65535.",
    ),
    (
        _task(_container(portMappings=[{"containerPort": 80, "hostPort": 81}]), networkMode="host"),
        f"{C0}.portMappings[0].hostPort: When networkMode=host, the host ports and container ports in port mappings "
        "must match: 81 is not 80. Leave hostPort out, or make it equal.",
    ),
    (
        _task(_container(portMappings=[{"containerPort": 80}]), networkMode="none"),
        f"{C0}.portMappings: Port mappings are not supported when networkMode=none.",
    ),
    (
        _task(
            _container("a", portMappings=[{"containerPort": 80, "hostPort": 8080}]),
            _container("b", portMappings=[{"containerPort": 81, "hostPort": 8080}]),
        ),
        f"{C1}.portMappings[0]: port 8080/tcp is already taken by container 'a' of this task.",
    ),
    (
        _task(
            _container("a", portMappings=[{"containerPort": 80}]),
            _container("b", portMappings=[{"containerPort": 80}]),
            networkMode="host",
        ),
        f"{C1}.portMappings[0]: port 80/tcp is already taken by container 'a' of this task.",
    ),
    (
        _one(portMappings=[{"containerPort": 80, "containerPortRange": "1-2"}]),
        f"{C0}.portMappings[0].containerPortRange: cannot be used together with containerPort or hostPort.",
    ),
    (_one(portMappings=[{"containerPortRange": "9-1"}]), f"{C0}.portMappings[0].containerPortRange: '9-1' is not a"),
    (_one(portMappings=[{"containerPort": 1, "name": "-A"}]), f"{C0}.portMappings[0].name: '-A' is not a port name"),
    # references
    (
        _one(dependsOn=[{"containerName": "b", "condition": "START"}]),
        f"{C0}.dependsOn[0].containerName: Cannot depend on container 'b' because it does not exist.",
    ),
    (
        _one(dependsOn=[{"containerName": "a", "condition": "START"}]),
        f"{C0}.dependsOn[0].containerName: container 'a' cannot depend on itself.",
    ),
    (
        _task(_container("a", dependsOn=[{"containerName": "b", "condition": "SUCCESS"}]), _container("b")),
        f"{C0}.dependsOn[0].condition: A dependency container with SUCCESS or COMPLETE condition cannot be an "
        "essential container: set essential to false on 'b'.",
    ),
    (
        _task(_container("a", dependsOn=[{"containerName": "b", "condition": "HEALTHY"}]), _container("b")),
        f"{C0}.dependsOn[0].condition: A dependency container with HEALTHY condition needs a health check: "
        "give 'b' one.",
    ),
    (
        _task(
            _container("a", dependsOn=[{"containerName": "b", "condition": "START"}]),
            _container("b", dependsOn=[{"containerName": "c", "condition": "START"}]),
            _container("c", dependsOn=[{"containerName": "a", "condition": "START"}]),
        ),
        "containerDefinitions: Container dependencies should not have a cycle: a → b → c → a.",
    ),
    (_one(links=["b"]), f"{C0}.links[0]: Cannot link to container 'b' because it does not exist."),
    (_one(links=["a:b:c"]), f"{C0}.links[0]: 'a:b:c' is not a link: write a container's name, or name:alias."),
    (_one(links=["a"]), "containerDefinitions: Container links should not have a cycle: a → a."),
    (
        _task(_container("a", links=["b"]), _container("b"), networkMode="host"),
        f"{C0}.links: Links are not supported when networkMode=host.",
    ),
    (
        _one(volumesFrom=[{"sourceContainer": "b"}]),
        f"{C0}.volumesFrom[0].sourceContainer: Cannot take volumes from container 'b' because it does not exist.",
    ),
    (
        _task(
            _container("a", volumesFrom=[{"sourceContainer": "b"}]),
            _container("b", volumesFrom=[{"sourceContainer": "a"}]),
        ),
        "containerDefinitions: Container volumesFrom should not have a cycle: a → b → a.",
    ),
    (
        _task(_container("a", links=["b"]), _container("b", dependsOn=[{"containerName": "a", "condition": "START"}])),
        "containerDefinitions: dependsOn, links and volumesFrom together should not have a cycle: a → b → a.",
    ),
    # volumes and mounts
    (
        _one(mountPoints=[{"sourceVolume": "v", "containerPath": "/x"}]),
        f"{C0}.mountPoints[0].sourceVolume: Unknown volume 'v'.",
    ),
    (
        _one(mountPoints=[{"sourceVolume": "v"}]),
        f"{C0}.mountPoints[0].containerPath: containerPath should not be blank.",
    ),
    (
        _one(mountPoints=[{"sourceVolume": "v", "containerPath": "x"}]),
        f"{C0}.mountPoints[0].containerPath: containerPath 'x' must be an absolute path.",
    ),
    (
        _one(mountPoints=[{"sourceVolume": "v", "containerPath": "/a/../b"}]),
        f"{C0}.mountPoints[0].containerPath: containerPath '/a/../b' must not contain '..'.",
    ),
    (
        _one(mountPoints=[{"sourceVolume": "v", "containerPath": "//"}]),
        f"{C0}.mountPoints[0].containerPath: containerPath must not be '/', the container's own root.",
    ),
    (
        _task(
            _container(mountPoints=[{"sourceVolume": "v", "containerPath": p} for p in ("/x", "/x/")]),
            volumes=[{"name": "v"}],
        ),
        f"{C0}.mountPoints[1].containerPath: Duplicate mount point: /x.",
    ),
    (_task(_container(), volumes=[{}]), "volumes[0].name: Volume.name should not be null or empty."),
    (_task(_container(), volumes=[{"name": "../v"}]), f"volumes[0].name: volume '../v' is not a valid name: {NAMES}"),
    (_task(_container(), volumes=[{"name": "v"}, {"name": "v"}]), "volumes[1].name: Duplicate volume name 'v'."),
    (
        _task(_container(), volumes=[{"name": "v", "host": {"sourcePath": ""}}]),
        "volumes[0].host.sourcePath: host.sourcePath should not be blank.",
    ),
    (
        _task(_container(), volumes=[{"name": "v", "host": {"sourcePath": "data"}}]),
        "volumes[0].host.sourcePath: host.sourcePath 'data' must be an absolute path.",
    ),
    (
        _task(_container(), volumes=[{"name": "v", "host": {"sourcePath": "/a:/b"}}]),
        "volumes[0].host.sourcePath: host.sourcePath '/a:/b' must not contain ':'.",
    ),
    (
        _task(_container(), volumes=[{"name": "v", "host": {"sourcePath": "/a"}, "dockerVolumeConfiguration": {}}]),
        "volumes[0].name: When the volume parameter is specified, only one volume configuration type should be used.",
    ),
    (
        _task(_container(), volumes=[{"name": "v", "dockerVolumeConfiguration": {"driver": "-x"}}]),
        "volumes[0].dockerVolumeConfiguration.driver: '-x' is not the name of a volume driver.",
    ),
    # health check and time
    (_one(healthCheck={"command": []}), f"{C0}.healthCheck.command: must begin with CMD or CMD-SHELL, not ''."),
    (
        _one(healthCheck={"command": ["curl"]}),
        f"{C0}.healthCheck.command: must begin with CMD or CMD-SHELL, not 'curl'",
    ),
    (
        _one(healthCheck={"command": ["CMD-SHELL, true"]}),
        f"{C0}.healthCheck.command: must begin with CMD or CMD-SHELL, not 'CMD-SHELL, true', and each word is a string",
    ),
    (_one(healthCheck={"command": ["CMD"]}), f"{C0}.healthCheck.command: CMD needs a command after it."),
    (_one(healthCheck={**HEALTH, "interval": 4}), f"{C0}.healthCheck.interval: 4 is out of range: write 5 to 300 sec"),
    (_one(healthCheck={**HEALTH, "timeout": 61}), f"{C0}.healthCheck.timeout: 61 is out of range: write 2 to 60 seco"),
    (_one(healthCheck={**HEALTH, "retries": 0}), f"{C0}.healthCheck.retries: 0 is out of range: write 1 to 10 times."),
    (_one(healthCheck={**HEALTH, "startPeriod": 301}), f"{C0}.healthCheck.startPeriod: 301 is out of range: write 0"),
    (_one(stopTimeout=-1), f"{C0}.stopTimeout: -1 is out of range: write 0 or more seconds."),
    (_one(startTimeout=-1), f"{C0}.startTimeout: -1 is out of range: write 0 or more seconds."),
    (_one(restartPolicy={"enabled": True, "restartAttemptPeriod": 59}), f"{C0}.restartPolicy.restartAttemptPeriod: 59"),
    (
        _one(restartPolicy={"enabled": True, "ignoredExitCodes": [0] * 51}),
        f"{C0}.restartPolicy.ignoredExitCodes: A max",
    ),
    # environment, labels, limits, Linux
    (_one(environment=[{"value": "x"}]), f"{C0}.environment[0].name: the name of an environment variable should not"),
    (
        _one(environment=[{"name": "A=B"}]),
        f"{C0}.environment[0].name: 'A=B' is not a name for an environment variable.",
    ),
    (
        _one(environment=[{"name": "A"}], secrets=[{"name": "A", "valueFrom": "x"}]),
        f"{C0}.secrets[0].name: The secret name must be unique and not shared with any new or existing environment "
        "variables set on the container, such as 'A'.",
    ),
    (_one(dockerLabels={"ecsctl.task": "x"}), f"{C0}.dockerLabels: the label 'ecsctl.task' is reserved"),
    (
        _one(dockerLabels={"com.amazonaws.ecs.cluster": "x"}),
        f"{C0}.dockerLabels: the label 'com.amazonaws.ecs.cluster'",
    ),
    (_one(dockerLabels={"": "x"}), f"{C0}.dockerLabels: '' is not a name for a label."),
    (
        _one(ulimits=[{"name": "nofile", "softLimit": 2, "hardLimit": 1}]),
        f"{C0}.ulimits[0].softLimit: the soft limit of nofile is greater than its hard limit.",
    ),
    (
        _one(ulimits=[{"name": "nofile", "softLimit": 1, "hardLimit": 1}] * 2),
        f"{C0}.ulimits[1].name: nofile is given twice.",
    ),
    (_one(user="-u root"), f"{C0}.user: '-u root' is not a user: write user, user:group, uid or uid:gid."),
    (_one(hostname="a\nb"), f"{C0}.hostname: 'a\\nb' is not a host name."),
    (_one(extraHosts=[{"hostname": "h", "ipAddress": "1 2"}]), f"{C0}.extraHosts[0].ipAddress: '1 2' is not an IP"),
    (_one(dnsServers=["a b"]), f"{C0}.dnsServers[0]: 'a b' is not an IP address."),
    (_one(dnsSearchDomains=["a b"]), f"{C0}.dnsSearchDomains[0]: 'a b' is not a domain name."),
    (_one(systemControls=[{"value": "1"}]), f"{C0}.systemControls[0].namespace: needs the name of a kernel parameter"),
    (
        _one(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "g"}}),
        f"{C0}.logConfiguration.options: Log driver awslogs requires options: awslogs-region",
    ),
    (
        _one(
            logConfiguration={
                "logDriver": "awslogs",
                "options": {"awslogs-group": "g", "awslogs-region": "r", "tag": "t", "awslogs-multiline-patern": "x"},
            }
        ),
        f"{C0}.logConfiguration.options: Log driver awslogs disallows options: 'awslogs-multiline-patern', 'tag'",
    ),
    (
        _one(linuxParameters={"capabilities": {"add": ["ROOT"]}}),
        f"{C0}.linuxParameters.capabilities.add: 'ROOT' is not a Linux capability.",
    ),
    (
        _one(memory=None, memoryReservation=64, linuxParameters={"maxSwap": 0}),
        f"{C0}.linuxParameters.maxSwap: is added to the limit of memory, which container 'a' has none of: "
        "give it 'memory', or give that to the task.",
    ),
    (
        _one(linuxParameters={"devices": [{"hostPath": "dev"}]}),
        f"{C0}.linuxParameters.devices[0].hostPath: hostPath 'dev' must be an absolute path.",
    ),
    (
        _one(linuxParameters={"tmpfs": [{"containerPath": "/t", "size": 0}]}),
        f"{C0}.linuxParameters.tmpfs[0].size: 0 is out of range: write 1 or more MiB.",
    ),
    (
        _one(linuxParameters={"tmpfs": [{"containerPath": "/t", "size": 1, "mountOptions": ["rw,exec"]}]}),
        f"{C0}.linuxParameters.tmpfs[0].mountOptions: 'rw,exec' is not a mount option.",
    ),
    (
        _one(linuxParameters={"swappiness": 101}),
        f"{C0}.linuxParameters.swappiness: 101 is out of range: write 0 to 100.",
    ),
    # the rest of the task
    (
        _task(_container(), taskRoleArn="arn:aws:iam::{{ x }}:role/r"),
        "taskRoleArn: Role is not valid: 'arn:aws:iam::{{ x }}:role/r'; it looks like an unrendered template: "
        "render it first.",
    ),
    (
        _task(_container(), placementConstraints=[{"type": "memberOf"}]),
        "placementConstraints[0].expression: is required",
    ),
    (
        _task(_container(), placementConstraints=[{"type": "memberOf", "expression": "x"}] * 11),
        "placementConstraints: A maximum of 10 constraints can be specified.",
    ),
    (_task(_container(), ephemeralStorage={"sizeInGiB": 201}), "ephemeralStorage.sizeInGiB: 201 is out of range"),
    (
        _task(_container(), proxyConfiguration={"containerName": "envoy"}),
        "proxyConfiguration.containerName: container 'envoy' does not exist in this task definition.",
    ),
    (_task(_container(), tags=[{"key": "aws:x"}]), "tags[0].key: keys that begin with 'aws:' are reserved."),
    (_task(_container(), tags=[{"key": "k" * 129}]), "tags[0].key: a tag's key has 1 to 128 characters."),
    (_task(_container(), tags=[{"key": "k", "value": "v" * 257}]), "tags[0].value: a tag's value has at most 256"),
    (_task(_container(), tags=[{"key": "k"}, {"key": "k"}]), "tags[1].key: the key 'k' is given twice."),
    (_task(_container(), tags=[{"key": str(n)} for n in range(51)]), "tags: A resource has at most 50 tags."),
    # awsvpc and Fargate
    (
        _task(_container(hostname="h"), networkMode="awsvpc"),
        f"{C0}.hostname: Hostname is not supported on container when networkMode=awsvpc.",
    ),
    (_fargate(networkMode="bridge"), "networkMode: Fargate only supports network mode 'awsvpc'."),
    (_fargate(cpu=None), "cpu: Fargate requires that 'cpu' be defined at the task level."),
    (_fargate(memory=None), "memory: Fargate requires that 'memory' be defined at the task level."),
    (
        _fargate(cpu="512", memory="512"),
        "memory: No Fargate configuration exists for given values: 512 CPU, 512 memory. With 512 CPU, memory is "
        "1024 to 4096.",
    ),
    (
        _fargate(cpu="300"),
        "memory: No Fargate configuration exists for given values: 300 CPU, 512 memory. CPU is one of",
    ),
    (_fargate(_container(privileged=True)), f"{C0}.privileged: Fargate does not support privileged."),
    (
        _fargate(_container(stopTimeout=121)),
        f"{C0}.stopTimeout: 121 is out of range: write 2 to 120 seconds for Fargate.",
    ),
    (
        _fargate(_container(linuxParameters={"swappiness": 0})),
        f"{C0}.linuxParameters.swappiness: Fargate does not support swappiness.",
    ),
    (
        _fargate(_container(logConfiguration={"logDriver": "json-file"})),
        f"{C0}.logConfiguration.logDriver: Fargate only supports log drivers awslogs, splunk, awsfirelens.",
    ),
    (
        _fargate(volumes=[{"name": "v", "host": {"sourcePath": "/x"}}]),
        "volumes[0].host.sourcePath: Fargate does not support host.sourcePath.",
    ),
]


@pytest.mark.parametrize(("data", "line"), REFUSED, ids=[line for _, line in REFUSED])
def test_what_ecs_refuses_is_refused_with_its_path(data: Data, line: str) -> None:
    assert _refusal(data).startswith(line)


@pytest.mark.parametrize(
    "data",
    [
        _one(),
        _one(memory=6),
        _one(memory=None, memoryReservation=6),
        _one(memory=64, memoryReservation=64),
        _task(_container(memory=None), memory="0.5 GB", cpu=".25 vCPU"),
        _task(_container(), cpu="", memory=""),
        _one(image="012345678901.dkr.ecr.eu-west-1.amazonaws.com/team/App_1:v1.2-rc"),
        _one(image="localhost:5000/a/b@sha256:" + "a" * 64),
        _one(image="nginx:1@sha256:" + "a" * 64),
        _one(portMappings=[{"containerPort": 80}, {"containerPort": 80}]),
        _one(
            portMappings=[
                {"containerPort": 80, "hostPort": 53},
                {"containerPort": 80, "hostPort": 53, "protocol": "udp"},
            ]
        ),
        _task(_container(portMappings=[{"containerPort": 80, "hostPort": 80}]), networkMode="host"),
        _one(portMappings=[{"containerPortRange": "8000-8010"}]),
        _one(portMappings=[], environment=[], command=[], entryPoint=[], links=[], dependsOn=[], ulimits=[]),
        _one(environment=[{"name": "A", "value": ""}, {"name": "A", "value": "{{ b }}\n${c}"}, {"name": "B"}]),
        _one(healthCheck={"command": ["NONE"]}),
        _one(healthCheck={"command": ["CMD", "true"], "interval": 5, "timeout": 60, "retries": 10, "startPeriod": 0}),
        _one(ulimits=[{"name": "nofile", "softLimit": 5, "hardLimit": -1}]),
        _one(user="1000:1000"),
        _one(stopTimeout=0, startTimeout=0),
        _one(restartPolicy={"enabled": False}),
        _one(linuxParameters={"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}, "maxSwap": 0, "swappiness": 0}),
        {**_one(memory=None, linuxParameters={"maxSwap": 8}), "memory": "64"},
        _task(
            _container(
                "a", dependsOn=[{"containerName": c, "condition": k} for c, k in (("b", "HEALTHY"), ("c", "SUCCESS"))]
            ),
            _container("b", healthCheck=HEALTH),
            _container("c", essential=False),
        ),
        _task(_container("a", links=["b:db", "b"]), _container("b")),
        _task(
            _container("a", mountPoints=[{"sourceVolume": "v", "containerPath": "/x/", "readOnly": True}]),
            _container("b", volumesFrom=[{"sourceContainer": "a"}]),
            volumes=[{"name": "v", "host": {}}],
        ),
        _task(_container(), taskRoleArn="arn:aws:iam::XXXXXXXXXXXX:role/r", executionRoleArn="shortName"),
        _task(
            _container(mountPoints=[{"sourceVolume": "v", "containerPath": "C:\\x"}]),
            volumes=[{"name": "v", "host": {"sourcePath": "C:\\y"}}],
            runtimePlatform={"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"},
        ),
        _fargate(),
        _fargate(cpu="4 vCPU", memory="30 GB"),
        _fargate(_container(memory=None, stopTimeout=120, privileged=False, links=[])),
    ],
)
def test_what_ecs_accepts_is_accepted(data: Data) -> None:
    validate(decode(RegisterTaskDefinitionRequest, data))


def test_the_rules_of_tags_serve_every_resource() -> None:
    check_tags(None)
    check_tags([Tag(key="k", value="v")])
    with pytest.raises(ApiError, match=r"^tags\[0\].key: keys that begin with 'aws:'"):
        check_tags([Tag(key="AWS:x")])


_GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefg"), max_size=4))


def _reaches_itself(edges: dict[str, list[str]], start: str) -> bool:
    seen: set[str] = set()
    front = set(edges.get(start, []))
    while front:
        if start in front:
            return True
        seen |= front
        front = {target for name in front for target in edges.get(name, [])} - seen
    return False


@given(_GRAPHS)
def test_a_cycle_is_found_exactly_when_there_is_one(edges: dict[str, list[str]]) -> None:
    cycle = find_cycle(edges)
    assert (cycle is not None) == any(_reaches_itself(edges, name) for name in edges)
    if cycle is not None:
        assert cycle[0] == cycle[-1]
        assert all(target in edges[name] for name, target in pairwise(cycle))
