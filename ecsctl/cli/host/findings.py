"""What was found wrong with hosts, for people: a line each."""

from __future__ import annotations

from collections.abc import Iterable

from ecsctl.cli.problems import FAILED, UNREACHABLE
from ecsctl.model.host import Finding


def lines(host: str, findings: Iterable[Finding]) -> list[str]:
    """`host: check: message`, with the word of a warning in front where it is one."""
    return [f"{host}: {'warning: ' if one.level == 'warning' else ''}{one.check}: {one.message}" for one in findings]


def exit_code(wrong: Iterable[bool]) -> int:
    """That of hosts that something is wrong with, said of each by whether its engine answered."""
    answered = set(wrong)
    return FAILED if True in answered else UNREACHABLE if answered else 0
