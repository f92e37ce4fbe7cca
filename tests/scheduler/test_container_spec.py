"""What a container is made of."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest

from ecsctl.model import identity
from ecsctl.model.stored import ContainerState
from ecsctl.model.task_launch import AwsVpcConfiguration
from ecsctl.scheduler.container_spec import create_body
from tests.making import definition, task_of

SIGNATURE = identity.Signature("install", lambda: b"key")


def test_the_definition_on_the_label_has_no_values_that_may_be_secret() -> None:
    options = {"splunk-token": "s3cret"}
    made = definition(
        {
            "name": "main",
            "environment": [{"name": "TOKEN", "value": "s3cret"}],
            "logConfiguration": {"logDriver": "splunk", "options": options},
        }
    )
    body = create_body(task_of(made), made, "main", SIGNATURE)
    assert body["Env"] == ["TOKEN=s3cret", "AWS_EXECUTION_ENV=AWS_ECS_EC2"]
    assert body["HostConfig"]["LogConfig"]["Config"] == options
    label = zlib.decompress(base64.b64decode(body["Labels"][identity.TASK_DEFINITION]))
    assert b"s3cret" not in label
    assert json.loads(label)["containerDefinitions"][0]["environment"] == [{"name": "TOKEN"}]


def test_containers_that_share_memory_have_as_much_of_it_as_the_one_that_asks_for_most() -> None:
    sizes = (8, 256, None)
    containers = [
        {"name": f"c{number}", "linuxParameters": {"sharedMemorySize": size}} for number, size in enumerate(sizes)
    ]
    made = definition(*containers, ipcMode="task")
    body = create_body(task_of(made), made, identity.PAUSE, identity.Signature("install", lambda: b"key"))
    assert body["HostConfig"]["ShmSize"] == 256 << 20


@pytest.mark.parametrize(
    ("container", "host"),
    [
        ({"privileged": True}, {"Privileged": True}),
        (
            {"linuxParameters": {"devices": [{"hostPath": "/dev/fuse", "permissions": ["read", "mknod"]}]}},
            {"Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rm"}]},
        ),
        (
            {"memory": 32, "linuxParameters": {"maxSwap": 16, "swappiness": 7}},
            {"Memory": 32 << 20, "MemorySwap": 48 << 20, "MemorySwappiness": 7},
        ),
        ({"linuxParameters": {"capabilities": {"add": ["ALL"]}}}, {"CapAdd": ["ALL"], "CapDrop": []}),
        (
            {"logConfiguration": {"logDriver": "journald", "options": {"tag": "x"}}},
            {"LogConfig": {"Type": "journald", "Config": {"tag": "x"}}},
        ),
    ],
)
def test_what_a_host_may_not_allow_is_asked_of_the_engine_all_the_same(
    container: dict[str, Any], host: dict[str, Any]
) -> None:
    made = definition({"name": "main", **container})
    body = create_body(task_of(made), made, "main", SIGNATURE)
    assert {name: body["HostConfig"][name] for name in host} == host


def test_a_range_of_ports_is_published_port_by_port() -> None:
    mapping = {"containerPortRange": "8000-8002", "protocol": "udp"}
    made = definition(
        {"name": "other", "portMappings": [{"containerPortRange": "1-2"}]},
        {"name": "main", "portMappings": [mapping, {"containerPort": 80}]},
    )
    record = task_of(made)
    record.port_rows = [61000, 61010]
    body = create_body(record, made, "main", SIGNATURE)
    assert body["HostConfig"]["PortBindings"] == {
        "8000/udp": [{"HostPort": "61010"}],
        "8001/udp": [{"HostPort": "61011"}],
        "8002/udp": [{"HostPort": "61012"}],
        "80/tcp": [{"HostPort": ""}],
    }
    assert body["ExposedPorts"].keys() == body["HostConfig"]["PortBindings"].keys()


def test_a_range_of_ports_of_a_public_address_is_published_by_the_pause_container() -> None:
    made = definition({"name": "main", "portMappings": [{"containerPortRange": "80-81"}]}, networkMode="awsvpc")
    record = task_of(made)
    record.network = AwsVpcConfiguration(subnets=["s"], assign_public_ip="ENABLED")
    record.containers.append(ContainerState(name=identity.PAUSE, engine_name="pause"))
    host = create_body(record, made, identity.PAUSE, SIGNATURE)["HostConfig"]
    assert host["PortBindings"] == {"80/tcp": [{"HostPort": ""}], "81/tcp": [{"HostPort": ""}]}
