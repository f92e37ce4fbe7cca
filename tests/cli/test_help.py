"""Every command has a line in the list and a page of its own; the pages say what the commands take."""

from __future__ import annotations

import pytest

from ecsctl.cli.action import Action
from ecsctl.cli.commands import COMMANDS, WAITERS, Entry
from ecsctl.cli.dispatch import load
from tests.cli.running import Runner

GROUPS = ("wait", "iam")
"""Commands of AWS's that are groups of others."""


def test_the_list_has_every_command_with_its_line(ecsctl: Runner) -> None:
    ran = ecsctl("--help")
    assert ran.code == 0
    for entry in COMMANDS.values():
        assert entry.help.endswith(".")
        assert f"  {entry.name} " in ran.out
        assert entry.help in ran.out


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("how", ["--help", "help", "-h"])
def test_every_command_has_a_page(ecsctl: Runner, name: str, how: str) -> None:
    ran = ecsctl(name, how)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: ecsctl {name} ")
    assert all(len(line) <= 110 for line in ran.out.splitlines() if "https://" not in line)
    command = load(COMMANDS[name])
    if isinstance(command, Action):
        assert all(f"  {flag.name}" in ran.out or f"/ {flag.name}" in ran.out for flag in command.own_flags)


@pytest.mark.parametrize("waiter", WAITERS)
def test_every_waiter_has_a_page(ecsctl: Runner, waiter: Entry) -> None:
    assert waiter.name in ecsctl("wait", "help").out
    ran = ecsctl("wait", waiter.name, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(
        f"Usage: ecsctl wait {waiter.name} --{waiter.name.partition('-')[0]} <string> ... [OPTIONS]"
    )


def test_a_page_has_the_meaning_of_every_option_that_aws_does_not_have() -> None:
    for entry in COMMANDS.values():
        command = load(entry)
        if isinstance(command, Action):
            assert all(flag.help for flag in command.own_flags if flag.own)


@pytest.mark.parametrize("which", ["input", "output", "yaml-input"])
@pytest.mark.parametrize("name", [name for name, one in COMMANDS.items() if not one.own and name not in GROUPS])
def test_every_action_has_a_skeleton(ecsctl: Runner, name: str, which: str) -> None:
    ran = ecsctl(name, "--generate-cli-skeleton", which)
    assert (ran.code, ran.err) == (0, "")


def test_a_skeleton_can_be_given_back(ecsctl: Runner) -> None:
    skeleton = ecsctl("create-cluster", "--generate-cli-skeleton").out
    assert skeleton.startswith('{\n    "clusterName": "",\n')
    ran = ecsctl("create-cluster", "--cli-input-json", '{"clusterName": "a"}', "--query", "cluster.clusterName")
    assert (ran.code, ran.out) == (0, '"a"\n')
