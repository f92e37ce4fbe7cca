"""The account settings of ECS: the values that each may have here, and the one it has when nobody set it.

Source: ECS API_PutAccountSetting; ECS developer guide, "Access Amazon ECS features with account settings".
"""

from __future__ import annotations

from ecsctl.model.common import SettingName

AWS_MANAGED = ("guardDutyActivate",)
"""Those that ECS shows and nobody sets."""
VALUES: dict[SettingName, tuple[str, ...]] = {
    "serviceLongArnFormat": ("enabled",),
    "taskLongArnFormat": ("enabled",),
    "containerInstanceLongArnFormat": ("enabled",),
    "awsvpcTrunking": ("disabled", "enabled"),
    "containerInsights": ("disabled", "enabled", "enhanced"),
    "fargateFIPSMode": ("disabled", "enabled"),
    "tagResourceAuthorization": ("on",),
    "fargateTaskRetirementWaitPeriod": ("7", "0", "14"),
    "guardDutyActivate": ("off",),
    "defaultLogDriverMode": ("blocking", "non-blocking"),
    "fargateEventWindows": ("disabled", "enabled"),
}
"""The default first. Tags of what is made are authorized in any case. That of `defaultLogDriverMode` is Docker's, and
was ECS's until June 2025."""


def root_of(account: str) -> str:
    """The ARN of an account's root user, whose settings are the account's defaults."""
    return f"arn:aws:iam::{account}:root"


def setting_key(scope: str, principal: str, name: str) -> str:
    """What a setting is found by; `scope` is region/account."""
    return f"{scope}|{principal}|{name}"
