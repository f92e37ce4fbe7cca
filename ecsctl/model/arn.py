"""ARNs in ECS form, and the ids inside them (ECS developer guide: "Amazon Resource Names and IDs")."""

from __future__ import annotations

import re

from msgspec import Struct

from ecsctl.model.errors import ApiError, invalid_parameter

NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,254}"
ID = r"[0-9a-f]{32}"
REGION = r"[a-z]{2,8}(-[a-z0-9]{1,16}){1,4}"
# Not compiled here: what only reads needs neither.


class Arn(Struct, frozen=True):
    """The six parts of an ARN; `resource` is what follows the account, e.g. `task/default/0f…`."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def kind(self) -> str:
        """`cluster`, `task`, `task-definition`, …"""
        return self.resource.partition("/")[0]

    @property
    def path(self) -> list[str]:
        """What follows the kind, split at `/`."""
        return self.resource.split("/")[1:]


def parse_arn(text: str) -> Arn:
    """Raises InvalidParameterException when `text` is not an ARN of six parts."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or "/" not in parts[5]:
        raise invalid_parameter(f"Invalid arn: {text!r}; expected arn:aws:ecs:REGION:ACCOUNT:TYPE/NAME.")
    return Arn(parts[1], parts[2], parts[3], parts[4], parts[5])


class Scope(Struct, frozen=True):
    """Region and account that new ARNs are made in."""

    region: str = "us-east-1"
    account: str = "000000000000"

    @property
    def key(self) -> str:
        """`region/account`: what the tables are searched by."""
        return f"{self.region}/{self.account}"

    def check(self, arn: Arn) -> None:
        """InvalidParameterException for what is of another region or account: what is in one uses nothing of others."""
        for what, there, here in (("region", arn.region, self.region), ("account", arn.account, self.account)):
            if there != here:
                raise invalid_parameter(f"{arn} is of another {what} than {here}: give --{what} {there}.")

    def has(self, arn: str) -> bool:
        """Whether that is the ARN of something of this region and account."""
        return arn.startswith(self.arn(""))

    def arn(self, resource: str) -> str:
        return str(Arn("aws", "ecs", self.region, self.account, resource))

    def cluster(self, name: str) -> str:
        return self.arn(f"cluster/{name}")

    def container_instance(self, cluster: str, instance_id: str) -> str:
        return self.arn(f"container-instance/{cluster}/{instance_id}")

    def capacity_provider(self, name: str) -> str:
        return self.arn(f"capacity-provider/{name}")

    def task(self, cluster: str, task_id: str) -> str:
        return self.arn(f"task/{cluster}/{task_id}")

    def service(self, cluster: str, name: str) -> str:
        return self.arn(f"service/{cluster}/{name}")

    def container(self, cluster: str, task_id: str, container_id: str) -> str:
        return self.arn(f"container/{cluster}/{task_id}/{container_id}")

    def task_definition(self, family: str, revision: int) -> str:
        return self.arn(f"task-definition/{family}:{revision}")


def check_name(text: str, what: str, error: str = "ClientException") -> str:
    """A cluster, family or container name: up to 255 of A-Z a-z 0-9 _ -, not starting with a hyphen."""
    if not re.fullmatch(NAME, text):
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise ApiError(
            error,
            f"{what} {shown!r} is not a valid name: use 1 to 255 letters, digits, hyphens and underscores, "
            "not starting with a hyphen.",
        )
    return text


def task_beside(instance: str, task_id: str) -> str:
    """The ARN of a task of a container instance's cluster."""
    prefix, cluster, _ = instance.rsplit("/", 2)
    return f"{prefix.replace(':container-instance', ':task')}/{cluster}/{task_id}"


def instance_beside(task: str, instance_id: str) -> str:
    """The ARN of a container instance of a task's cluster."""
    prefix, cluster, _ = task.rsplit("/", 2)
    return f"{prefix.replace(':task', ':container-instance')}/{cluster}/{instance_id}"


def last_part(text: str) -> str:
    """The id or name of an ARN, or the text itself when it is a plain id or name."""
    return text.rsplit("/", 1)[-1] if text.startswith("arn:") else text
