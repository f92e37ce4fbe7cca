"""What is scheduled: the command, and what of this shell it needs to find the same state and the same hosts."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ecsctl.cli.config import VARIABLES
from ecsctl.model.errors import EcsctlError
from ecsctl.model.state_place import StatePlace

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation

NAME = "ecsctl-reconcile"
_KEPT = ("HOME", "XDG_CONFIG_HOME", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY")
_KEPT_PATHS = ("DOCKER_CONFIG", "DOCKER_CERT_PATH")


class Job(NamedTuple):
    """`words`, run in `environment` every `every` seconds; for good where that is None. There is one per state."""

    state: StatePlace
    words: tuple[str, ...]
    environment: dict[str, str]
    every: float | None


def job_name(state: StatePlace, home: str) -> str:
    """The name of a state's job: for another than the usual state of the user whose home it is, with a hash."""
    if home and state == Path(home, ".local/share/ecsctl/state.db"):
        return NAME
    return f"{NAME}-{hashlib.sha256(os.fsencode(str(state))).hexdigest()[:8]}"


def state_of(invocation: Invocation) -> StatePlace:
    """A state file's path from the root. Its own name stays even if it is a link: the key lies beside that."""
    state = invocation.config.state
    if isinstance(state, Path):
        return state.parent.resolve() / state.name
    return state._replace(home=state.home.absolute())


def job_of(
    invocation: Invocation, program: tuple[list[str], dict[str, str]], arguments: list[str], every: float | None
) -> Job:
    """`program` with `arguments`, as this invocation would run it.

    Raises EcsctlError for what neither a unit file nor a crontab can hold.
    """
    words, more = program
    profile = ["--profile", invocation.options["profile"]] if "profile" in invocation.options else []
    state = state_of(invocation)
    job = Job(
        state=state,
        words=(*words, *profile, *arguments),
        environment={**_environment(invocation), **_place(state, invocation.environment), **more},
        every=every,
    )
    for name, text in (("the command", " ".join(job.words)), *job.environment.items()):
        if any(ord(c) < 32 or ord(c) == 127 or "\ud800" <= c <= "\udfff" for c in text):
            raise EcsctlError(f"{name} cannot be scheduled: {text!r} has a character that is no text")
    return job


def _place(state: StatePlace, given: Mapping[str, str]) -> dict[str, str]:
    """What says where the state is."""
    if isinstance(state, Path):
        return {"ECSCTL_STATE": str(state)}
    if state.has_password:
        raise EcsctlError(
            f"the URL of the state {state} has a password, which would lie open in the schedule: "
            "write the password into ~/.pgpass, and leave it out of the URL"
        )
    files = {name: str(Path(given[name]).absolute()) for name in ("PGPASSFILE", "PGSERVICEFILE") if given.get(name)}
    return {"ECSCTL_STATE": state.url, "ECSCTL_KEYS": str(state.home.parent), **files}


def this_program() -> tuple[list[str], dict[str, str]]:
    """The words that start this ecsctl from anywhere, and the variables that they need."""
    script = Path(sys.argv[0]).absolute()
    if script.name == "ecsctl" and script.is_file() and os.access(script, os.X_OK):
        return [str(script)], {}
    # The modules that this process runs, and none that happen to lie in the job's directory.
    return [sys.executable, "-m", "ecsctl"], {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONSAFEPATH": "1"}


def _environment(invocation: Invocation) -> dict[str, str]:
    """What of the environment counts, by name: nothing else gets in, so no secret does."""
    given = invocation.environment
    kept = {name: given[name] for name in _KEPT if given.get(name)}
    kept |= {name: str(Path(given[name]).absolute()) for name in _KEPT_PATHS if given.get(name)}
    kept["PATH"] = _search_path(given)
    if host := given.get("DOCKER_HOST"):
        if urlsplit(host).password:
            raise EcsctlError("DOCKER_HOST has a password, which would lie open in the schedule: unset it")
        kept["DOCKER_HOST"] = host
    config = invocation.options.get("config") or given.get("ECSCTL_CONFIG")
    if config:
        kept["ECSCTL_CONFIG"] = str(Path(config).expanduser().absolute())
    for key, value in (("region", invocation.config.region), ("account", invocation.config.account)):
        if key in invocation.options or any(given.get(name) for name in VARIABLES[key]):
            kept[f"ECSCTL_{key.upper()}"] = value
    return kept


def _search_path(given: Mapping[str, str]) -> str:
    """PATH without what would mean another directory elsewhere."""
    folders = (given.get("PATH") or os.defpath).split(os.pathsep)
    return os.pathsep.join(dict.fromkeys(folder for folder in folders if folder.startswith("/")))
