"""`session-manager-plugin`: what `aws ecs execute-command` starts for the terminal, with the arguments and the words of
Amazon's plugin (aws/session-manager-plugin, src/sessionmanagerplugin/session).

    session-manager-plugin SESSION REGION StartSession PROFILE PARAMETERS ENDPOINT

SESSION is the answer's session in JSON, or the name of a variable of the environment that holds it. The exit code is 0
when the session has ended, whatever the command's was, as Amazon's is: `aws` has no other.
"""

from __future__ import annotations

import json
import os
import sys
from typing import NamedTuple

VERSION = "1.2.764.0"
"""Of the plugin whose arguments these are: `aws` passes the token by the environment to those after 1.2.497."""
_VARIABLE = "AWS_SSM_START_SESSION_RESPONSE"
_INSTALLED = "The Session Manager plugin was installed successfully. Use the AWS CLI to start a session."


class Session(NamedTuple):
    """Where the session is."""

    id: str
    url: str
    token: str


def main() -> None:
    """The script."""
    sys.exit(_run(sys.argv[1:]))


def _run(words: list[str]) -> int:
    if not words:
        print(f"\n{_INSTALLED}\n")  # noqa: T201
        return 0
    if words == ["--version"]:
        print(VERSION)  # noqa: T201
        return 0
    if len(words) < 3:
        return _fail(f"Unknown operation {words[0]}. Use session-manager-plugin --version to check the version.")
    if words[2] != "StartSession":
        return _fail(f"Invalid operation {words[2]}: only StartSession is done.")
    session = _session(words[0])
    if session is None:
        return _fail("Cannot perform start session: the first argument is no session, in JSON.")
    try:
        from ecsctl.session.client import converse
    except ImportError as error:
        return _fail(f"session-manager-plugin needs more packages ({error}): pip install 'ecsctl-hosts[server]'")
    print(f"\nStarting session with SessionId: {session.id}", flush=True)  # noqa: T201
    return converse(session.id, session.url, session.token)


def _session(word: str) -> Session | None:
    text = os.environ.pop(word, "") if word.startswith(_VARIABLE) else word
    try:
        named = {name.lower(): value for name, value in json.loads(text).items()}  # `aws ssm` begins them with capitals
        session = Session(named["sessionid"], named["streamurl"], named["tokenvalue"])
    except (ValueError, AttributeError, KeyError):
        return None
    return session if all(isinstance(part, str) for part in session) else None


def _fail(why: str) -> int:
    print(why, file=sys.stderr)  # noqa: T201
    return 1
