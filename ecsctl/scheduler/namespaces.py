"""The namespaces that the containers of a task share, and the pause container that owns them. Pure.

As the ECS agent does it: with the network mode awsvpc, and where a task shares a process or IPC namespace, a container
that does nothing is started before the others and stopped after them.

Source: ECS API_RegisterTaskDefinition (networkMode, pidMode, ipcMode), ECS developer guide, "Allocate a network
interface for an Amazon ECS task", and API_Attachment.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ecsctl.model import identity
from ecsctl.model.arn import last_part
from ecsctl.model.cluster import Attachment
from ecsctl.model.common import KeyValuePair
from ecsctl.model.container_definition import ContainerDefinition
from ecsctl.model.stored import ContainerState, TaskRecord
from ecsctl.model.task import NetworkInterface
from ecsctl.model.task_definition import TaskDefinition
from ecsctl.placement.port_ranges import ports_of

Body = dict[str, Any]
MIB = 1024 * 1024

PAUSE = ContainerDefinition(name=identity.PAUSE, image=identity.PAUSE_IMAGE, essential=True, stop_timeout=0)
"""The pause container, as if it were one of the task definition."""


def needs_pause(definition: TaskDefinition) -> bool:
    """Whether the containers of a task share a namespace."""
    return definition.network_mode == "awsvpc" or "task" in (definition.pid_mode, definition.ipc_mode)


def network_of(record: TaskRecord) -> str | None:
    """The name of the network that a task with a network interface of its own is in: its subnet's."""
    return record.network.subnets[0] if record.network else None


def pause_body(record: TaskRecord, definition: TaskDefinition) -> Body:
    """The create body of the pause container: it has the task's network interface, and all that goes with it."""
    containers = definition.container_definitions or []
    shared_memory = [c.linux_parameters.shared_memory_size or 0 for c in containers if c.linux_parameters]
    host: Body = {
        "NetworkMode": network_of(record) or "none",
        "RestartPolicy": {"Name": "no"},
        "CpuShares": 2,
        "IpcMode": "shareable" if definition.ipc_mode == "task" else "private",
        "ShmSize": max(shared_memory, default=0) * MIB,  # one /dev/shm for all, where they share it; 0: the engine's
        "Dns": _all(container.dns_servers for container in containers),
        "DnsSearch": _all(container.dns_search_domains for container in containers),
        "Sysctls": {
            str(control.namespace): control.value or ""
            for container in containers
            for control in container.system_controls or []
            if is_of_network(control.namespace)
        },
    }
    body: Body = {"Image": identity.PAUSE_IMAGE, "StopTimeout": 0, "HostConfig": host}
    mappings = [mapping for container in containers for mapping in container.port_mappings or []]
    if record.network and record.network.assign_public_ip == "ENABLED" and mappings:
        ports = sorted({f"{port}/{mapping.protocol or 'tcp'}" for mapping in mappings for port in ports_of(mapping)})
        body["ExposedPorts"] = {port: {} for port in ports}
        host["PortBindings"] = {port: [{"HostPort": ""}] for port in ports}
    return body


def joined(definition: TaskDefinition, pause: str) -> Body:
    """What the create body of each other container says of the namespaces; `pause` is the engine's name of it."""
    shared = f"container:{pause}"
    found = {}
    if definition.network_mode == "awsvpc":
        found["NetworkMode"] = shared
    if definition.pid_mode == "task":
        found["PidMode"] = shared
    if definition.ipc_mode == "task":
        found["IpcMode"] = shared
    return found


def is_of_network(parameter: str | None) -> bool:
    """Whether a kernel parameter belongs to the network namespace."""
    return (parameter or "").startswith("net.")


def interfaces(record: TaskRecord) -> list[NetworkInterface]:
    """The network interface of a task as each of its containers shows it; none before it has one."""
    pause = _pause(record)
    if pause is None or pause.address is None:
        return []
    return [
        NetworkInterface(
            attachment_id=_attachment_id(record),
            private_ipv4_address=pause.address.ipv4 or None,
            ipv6_address=pause.address.ipv6 or None,
        )
    ]


def attachments(record: TaskRecord) -> list[Attachment]:
    """The network interface of a task as ECS describes it."""
    pause, subnet = _pause(record), network_of(record)
    if pause is None or subnet is None:
        return []
    details = {"subnetId": subnet, "networkInterfaceId": _interface_id(record)}
    if pause.address:
        details["macAddress"] = pause.address.mac
        details["privateIPv4Address"] = pause.address.ipv4
        details["privateDnsName"] = "ip-" + pause.address.ipv4.replace(".", "-")
        if pause.address.ipv6:
            details["ipv6Address"] = pause.address.ipv6
    return [
        Attachment(
            id=_attachment_id(record),
            type="ElasticNetworkInterface",
            status=_status(pause),
            details=[KeyValuePair(name=name, value=value) for name, value in details.items()],
        )
    ]


def _status(pause: ContainerState) -> str:
    if pause.stage in ("exited", "fenced"):
        return "DELETED"
    return "ATTACHED" if pause.stage == "started" else "PRECREATED"


def _pause(record: TaskRecord) -> ContainerState | None:
    return next((state for state in record.containers if state.name == identity.PAUSE), None)


def _attachment_id(record: TaskRecord) -> str:
    digits = _digits(record, "attachment")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def _interface_id(record: TaskRecord) -> str:
    return "eni-" + _digits(record, "interface")[:17]


def _digits(record: TaskRecord, what: str) -> str:
    return hashlib.sha256(f"{what} {last_part(record.arn)}".encode()).hexdigest()


def _all(lists: Any) -> list[str]:
    return list(dict.fromkeys(value for values in lists for value in values or []))
