"""What a container is made of."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest

from ecsctl.model import identity
from ecsctl.scheduler.container_spec import create_body
from tests.making import definition, task_of


def test_the_definition_on_the_label_has_no_values_that_may_be_secret() -> None:
    options = {"splunk-token": "s3cret"}
    made = definition(
        {
            "name": "main",
            "environment": [{"name": "TOKEN", "value": "s3cret"}],
            "logConfiguration": {"logDriver": "splunk", "options": options},
        }
    )
    body = create_body(task_of(made), made, "main", identity.Signature("install", lambda: b"key"))
    assert body["Env"] == ["TOKEN=s3cret"]
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
    body = create_body(task_of(made), made, "main", identity.Signature("install", lambda: b"key"))
    assert {name: body["HostConfig"][name] for name in host} == host
