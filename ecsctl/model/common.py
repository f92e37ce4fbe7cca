"""Shapes that several nouns share: tags, key-value pairs, failures, attributes (ECS API reference)."""

from typing import Literal

from ecsctl.model.record import Record

TargetType = Literal["container-instance"]
SettingName = Literal[
    "serviceLongArnFormat",
    "taskLongArnFormat",
    "containerInstanceLongArnFormat",
    "awsvpcTrunking",
    "containerInsights",
    "fargateFIPSMode",
    "tagResourceAuthorization",
    "fargateTaskRetirementWaitPeriod",
    "guardDutyActivate",
    "defaultLogDriverMode",
    "fargateEventWindows",
]
SettingType = Literal["user", "aws_managed"]


class Tag(Record):
    """ECS API_Tag."""

    key: str | None = None
    value: str | None = None


class KeyValuePair(Record):
    """ECS API_KeyValuePair."""

    name: str | None = None
    value: str | None = None


class Failure(Record):
    """ECS API_Failure."""

    arn: str | None = None
    reason: str | None = None
    detail: str | None = None


class Attribute(Record):
    """ECS API_Attribute."""

    name: str
    value: str | None = None
    target_type: TargetType | None = None
    target_id: str | None = None


class Setting(Record):
    """ECS API_Setting."""

    name: SettingName | None = None
    value: str | None = None
    principal_arn: str | None = None
    type: SettingType | None = None
