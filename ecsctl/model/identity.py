"""What makes a container ours: its name and its labels.

The name is a function of task id and container name, so that creating means get-or-create: the engine
refuses a second container of that name, and a retry finds the first. The labels say whose it is; the
MAC over them tells our labels from forged ones, and the name tells the container that they were made for from its
copies: what runs from an image that was made of a container has its labels. What makes and checks a MAC is imported
where it is called: a pass that sees only what it knows does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from ecsctl.model.observed import Observed

INSTALL = "ecsctl.install"
TASK = "ecsctl.task"
CONTAINER = "ecsctl.container"
INSTANCE = "ecsctl.host"
SEQ = "ecsctl.seq"
SPEC = "ecsctl.spec"
MAC = "ecsctl.mac"
TASK_DEFINITION = "ecsctl.td"
ABOUT = "ecsctl.about"
"""What else a lost state is rebuilt from; containers of earlier releases do not have it."""
AGENT = "com.amazonaws.ecs."
ENDPOINT = "ecsctl.endpoint"
"""A label of the container that answers the tasks of a host, whoever uses that host: its version."""
ENDPOINT_NAME = "ecsctl-endpoint"
"""The name of that container, of the volume in memory that it answers from, and of the network by which tasks reach it
that have a network interface of their own."""
NAMESPACE_PREFIX = "ecsctl-ns-"
"""How the names of the networks begin that the tasks of a namespace are in, besides their own."""
SHARED = "*"
"""What the label INSTALL says of what belongs to everybody who uses a host."""
SUBNET = "ecsctl.subnet"
"""A label of networks that were made because a task asked for a subnet of that name."""
NAMESPACE = "ecsctl.namespace"
"""A label of the network of a namespace: which."""
PAUSE = "~internal~ecs~pause"
"""The name, as the ECS agent has it, of the container that owns the namespaces of a task."""
PAUSE_IMAGE = "ecsctl/pause:1"
RESERVED_PREFIXES = ("ecsctl.", AGENT)
AGENT_LABELS = tuple(
    AGENT + name
    for name in ("cluster", "container-name", "task-arn", "task-definition-family", "task-definition-version")
)
# Named one by one: an image may carry labels of its own, even under our prefix.
_SIGNED_IF_GIVEN = (ABOUT,)
_SIGNED = (INSTALL, TASK, CONTAINER, INSTANCE, SEQ, SPEC, TASK_DEFINITION, *AGENT_LABELS)


class Signature(Struct, frozen=True):
    """What signs a container as a store's own. The key is read when it is used: a quiet pass does not."""

    install: str
    read_key: Callable[[], bytes]

    @property
    def key(self) -> bytes:
        return self.read_key()


def container_name(family: str, revision: int | str, container: str, task_id: str) -> str:
    """The engine's name for a task's container; at most 130 characters of what engines take."""
    if container == PAUSE:
        container = "internal.ecs.pause"  # a dot: no container of a task definition is called so
    return f"ecs-{family[:40]}-{revision}-{container[:40]}-{task_id}"


def volume_name(family: str, revision: int, volume: str, task_id: str) -> str:
    """The engine's name for a volume with scope `task`."""
    return f"ecs-{family[:40]}-{revision}-{volume[:40]}-{task_id}"


def namespace_network(namespace: str, install: str) -> str:
    """The engine's name for the network of a namespace: others who use the host have namespaces of their own."""
    import hashlib
    import re

    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", namespace)[:60]
    digest = hashlib.sha256(f"{install} {namespace}".encode()).hexdigest()[:8]
    return f"{NAMESPACE_PREFIX}{plain}-{digest}"


def is_beside(network: str) -> bool:
    """Whether containers are in it besides the network that their address is of."""
    return network == ENDPOINT_NAME or network.startswith(NAMESPACE_PREFIX)


def dead_name(name: str) -> str:
    """The name a stopped container is kept under: the one it was created with is burnt, and free."""
    return f"{name}-dead"


def name_in(labels: dict[str, str]) -> str:
    """The name that a container is created with which gets these labels."""
    family, revision = (labels.get(f"{AGENT}task-definition-{what}", "") for what in ("family", "version"))
    return container_name(family, revision, labels.get(CONTAINER, ""), labels.get(TASK, ""))


def has_its_name(found: Observed) -> bool:
    """Whether a container is called as its labels say, alive or dead."""
    name = name_in(found.labels)
    return found.name in (name, dead_name(name))


def spec_digest(body: dict[str, object]) -> str:
    """sha256 of a create body without our own labels (those are signed by the MAC)."""
    import hashlib
    import json

    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def sign(labels: dict[str, str], key: bytes) -> dict[str, str]:
    """The labels with their MAC: HMAC-SHA256 over ours."""
    return {**labels, MAC: _mac(labels, key)}


def is_signed(labels: dict[str, str], key: bytes) -> bool:
    """Whether our labels were signed with our key, and none of them was changed."""
    import hmac

    return hmac.compare_digest(labels.get(MAC, ""), _mac(labels, key))


def is_genuine(found: Observed, key: bytes) -> bool:
    """Whether a container is the one of its engine that its labels were signed for."""
    return has_its_name(found) and is_signed(found.labels, key)


def token(key: bytes, *words: str) -> str:
    """32 hexadecimal digits that nobody can guess who has not the key; the same for the same words."""
    import hmac

    return hmac.digest(key, "\n".join(words).encode(), "sha256").hex()[:32]


def _mac(labels: dict[str, str], key: bytes) -> str:
    import hmac
    import json

    ours = [labels.get(name) for name in _SIGNED] + [labels[name] for name in _SIGNED_IF_GIVEN if name in labels]
    return hmac.digest(key, json.dumps(ours).encode(), "sha256").hex()
