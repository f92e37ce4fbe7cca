"""The options that every command takes, before or after its name.

AWS's are all known by name. Those that ask for something that does not exist here (a pager, colours, HTTP
time-outs, TLS) are taken and do nothing, because dropping them changes no result. Those whose dropping would
mislead (another endpoint, prompting) are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecsctl.cli.argv import Flag, Parsed, parse, refuse_unknown
from ecsctl.cli.problems import UsageError

OUTPUTS = ("json", "yaml", "yaml-stream", "text", "table", "off")

FLAGS = (
    Flag("--state", "state", metavar="<path>", own=True, help="The state file (or ECSCTL_STATE)."),
    Flag("--region", "region", metavar="<string>", help="The region in ARNs (or ECSCTL_REGION, AWS_REGION)."),
    Flag("--account", "account", metavar="<digits>", own=True, help="The account in ARNs (or ECSCTL_ACCOUNT)."),
    Flag("--output", "output", metavar="<format>", help="json, yaml, yaml-stream, text, table or off."),
    Flag("--query", "query", metavar="<jmespath>", help="What to print of the answer."),
    Flag("--config", "config", metavar="<path>", own=True, help="The configuration file (or ECSCTL_CONFIG)."),
    Flag("--profile", "profile", metavar="<name>", help="The table [profile.NAME] of the configuration file."),
    Flag("--no-paginate", "no_paginate", "none", help="Print the first page of a list only."),
    Flag("--debug", "debug", "none", help="Show the traceback of an unexpected error."),
)
HARMLESS = (
    Flag("--no-cli-pager", "", "none"),
    Flag("--no-cli-auto-prompt", "", "none"),
    Flag("--no-sign-request", "", "none"),
    Flag("--no-verify-ssl", "", "none"),
    Flag("--color", ""),
    Flag("--ca-bundle", ""),
    Flag("--cli-binary-format", ""),
    Flag("--cli-error-format", ""),
    Flag("--cli-read-timeout", ""),
    Flag("--cli-connect-timeout", ""),
)
REFUSED = {
    "--endpoint-url": "ecsctl talks to Docker hosts itself, there is no endpoint; name another state with --state",
    "--cli-auto-prompt": "ecsctl never prompts; see `ecsctl COMMAND --help`",
}
KNOWN = (
    *FLAGS,
    *HARMLESS,
    Flag("--endpoint-url", "--endpoint-url"),
    Flag("--cli-auto-prompt", "--cli-auto-prompt", "none"),
)
KEYS = {flag.key for flag in FLAGS}


def before_command(tokens: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The global options in front of the command's name, and everything from that name on."""
    parsed = parse(tokens, KNOWN, stop=True)
    return settings(parsed), [*parsed.unknown, *parsed.words]


def anywhere(tokens: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The global options among the words of a command that reads the rest by itself."""
    kept: list[str] = []
    found: dict[str, Any] = {}
    rest = list(tokens)
    while rest and rest[0] != "--":
        flag = next((flag for flag in KNOWN if flag.name == rest[0].partition("=")[0]), None)
        taken = rest[: 2 if flag and flag.takes == "one" and "=" not in rest[0] else 1]
        del rest[: len(taken)]
        if flag:
            found |= settings(parse(taken, KNOWN))
        else:
            kept += taken
    return found, kept + rest


def read(tokens: Sequence[str], flags: Sequence[Flag], words: int = 0) -> tuple[Parsed, dict[str, Any]]:
    """A command's words by its own options, and the global ones among them. Raises UsageError for unknown ones."""
    every = [*flags, *KNOWN]
    parsed = parse(tokens, every, words)
    refuse_unknown(parsed.unknown, every)
    return parsed, settings(parsed)


def settings(parsed: Parsed) -> dict[str, Any]:
    """The global options among what was parsed. Raises UsageError for one that is refused."""
    for name, reason in REFUSED.items():
        if name in parsed.values:
            raise UsageError(f"{name} is not supported: {reason}")
    found = {key: value for key, value in parsed.values.items() if key in KEYS}
    if found.get("output", "json") not in OUTPUTS:
        raise UsageError(f"argument --output: {found['output']!r} is none of {', '.join(OUTPUTS)}")
    return found
