"""docs/operations.md: every operation of ECS, and whether it is answered. `make docs` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import botocore.session

from ecsctl.operations.actions import ROOMS, WHY_NOT
from ecsctl.server.protocol import ELSEWHERE

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
MODEL = botocore.session.get_session().get_service_model("ecs")

HEAD = """\
# The operations of ECS, one by one

<!-- Written by `make docs` from botocore's model of ECS, ecsctl/operations/actions.py and tests/docs/operations.py:
change those. -->

All {count} operations of ECS are known by name, to `ecsctl serve` and as commands.

- **works**: by both doors; the note says what is different from ECS
- **command**: `ecsctl` has it, `ecsctl serve` refuses it with `UnsupportedFeatureException`
- **refused**: by both doors, with `UnsupportedFeatureException` (exit code 254) and this reason
"""

_SETTING = (
    "`containerInsights` has an effect on new clusters, the root user's `defaultLogDriverMode` on new tasks (it is "
    "`blocking` where nobody set it); the others are kept and shown; long ARNs and "
    "`tagResourceAuthorization` are always on"
)
_HINT = "the task is looked at; what its engine says counts, whatever is submitted"
NOTES = {
    "DeleteAccountSetting": "the answer is the setting that holds then",
    "ListAccountSettings": "`guardDutyActivate` is `off`, and read-only",
    "PutAccountSetting": _SETTING,
    "PutAccountSettingDefault": _SETTING,
    "SubmitContainerStateChange": _HINT,
    "SubmitTaskStateChange": _HINT,
    "UpdateContainerAgent": "there is no agent: always `NoUpdateAvailableException`",
}
"""What is different from ECS in an operation that works."""


def page() -> str:
    """The page as it should be."""
    return "\n".join((HEAD.format(count=len(MODEL.operation_names)), *_table(), ""))


def _table() -> Iterator[str]:
    yield "| Operation | | how, or why not |"
    yield "|---|---|---|"
    for name in sorted(MODEL.operation_names):
        yield "| " + " | ".join((name, *_verdict(name))) + " |"


def _verdict(operation: str) -> tuple[str, str]:
    if operation in ELSEWHERE:
        return "command", ELSEWHERE[operation]
    if operation in ROOMS:
        return "works", NOTES.get(operation, "")
    return "refused", WHY_NOT[operation]
