"""`recover`: rebuilds a lost state from the labels of the containers on the hosts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.own import Own
from ecsctl.cli.problems import UNREACHABLE, UsageError, printable, say
from ecsctl.model.errors import InputError
from ecsctl.model.record import evolve, to_wire

if TYPE_CHECKING:
    from ecsctl.cli.config import Config
    from ecsctl.cli.invocation import Invocation
    from ecsctl.operations.context import Context
    from ecsctl.operations.recover.adopt import Recovered
    from ecsctl.operations.recover.survey import Survey
    from ecsctl.store.store import Origin


def command(entry: Entry) -> Own:
    return Own(entry, recover)


def recover(
    ctx: typer.Context,
    host: Annotated[
        list[str] | None,
        typer.Option(
            help="The hosts: addresses as register-container-instance takes them.  [default: Docker contexts]"
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The key file of the lost state; without it, the one that lies beside the state.")
    ] = None,
    trust_labels: Annotated[
        bool, typer.Option("--trust-labels", help="Do without the key, and believe labels that nobody signed.")
    ] = False,
    install: Annotated[
        str | None, typer.Option(help="The id of the state, where the hosts have containers of several.")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Do without the hosts that do not answer.")] = False,
    merge: Annotated[
        bool, typer.Option("--merge", help="Add what the state does not know to it, after a backup was put back.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write it; without this it is only shown.")] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="All is well: recovered tasks may be stopped again.")
    ] = False,
) -> int:
    """Rebuild a lost state from the hosts: container instances, task definitions, tasks and services.

    Shows what it would write, and writes it with --yes. No container is touched. Tasks of recovered services are
    protected from scale-in and deployments until --confirm. Secrets, schedules, tags, settings and services without
    tasks are not on hosts: they come from `state import` or by hand. Exits with 5 when a host did not answer.
    """
    invocation: Invocation = ctx.obj
    if confirm:
        if host or key or trust_labels or install or partial or merge or yes:
            raise UsageError("recover: --confirm goes alone")
        return _confirm(invocation)
    if trust_labels and key:
        raise UsageError("recover: --key or --trust-labels, not both")
    if merge and (key or trust_labels or install):
        raise UsageError("recover: --merge goes by the key and the id of the state that is there")
    from ecsctl.operations.recover.survey import the_install

    config = invocation.config
    _check_place(config, merge=merge)
    signing = None if trust_labels else _key(config, key)
    found = _survey(config, host, signing, install, merge=merge)
    if found.silent and not partial:
        for address, why in sorted(found.silent.items()):
            say(f"ecsctl: host {address} does not answer: {why}")
        say("ecsctl: nothing was written: name the hosts with --host, or do without these with --partial")
        return UNREACHABLE
    if merge:
        with invocation.open() as context:
            result = _adopt(context, found, context.store.install, trust=False, dry_run=not yes)
    else:
        from ecsctl.store.store import Origin

        wanted = Origin(the_install(found, trust=trust_labels, wanted=install), signing or os.urandom(32))
        result = _rebuild(config, found, wanted, trust=trust_labels, write=yes)
    _show(invocation, result, written=yes)
    for address, why in sorted(found.silent.items()):
        say(f"ecsctl: host {address} does not answer: {why}")
    return UNREACHABLE if found.silent else 0


def _confirm(invocation: Invocation) -> int:
    from ecsctl.operations.recover.adopt import confirm

    with invocation.open() as context:
        count = confirm(context)
    say(f"{count} recovered tasks may be stopped again" if count else "no task is held")
    return 0


def _check_place(config: Config, *, merge: bool) -> None:
    """InputError where there is a state that is not to be replaced, or none to add to."""
    from ecsctl.store.check import is_damaged
    from ecsctl.store.schedule_table import SCHEDULES
    from ecsctl.store.secret_table import SECRETS
    from ecsctl.store.store import Store, is_there
    from ecsctl.store.tables import INSTANCES, SERVICES, TASK_DEFINITIONS, TASKS, Table

    state = config.state
    sound = is_there(state) and not (isinstance(state, Path) and is_damaged(state))
    if merge and not sound:
        raise InputError(f"there is no sound state at {state} to add to: leave out --merge")
    if merge or not sound:
        return
    store = Store.open(state)
    try:
        with store.read() as view:
            tables: tuple[Table[Any], ...] = (TASKS, SERVICES, TASK_DEFINITIONS, SCHEDULES, SECRETS)
            full = view.count(INSTANCES) > 1 or any(map(view.count, tables))
    finally:
        store.close()
    if full:
        raise InputError(f"there is a state at {state}: add what it does not know with --merge, or move it away first")


def _key(config: Config, name: str | None) -> bytes:
    from ecsctl.model.state_place import home_of
    from ecsctl.store.files import beside, private_file

    place = Path(name) if name else beside(home_of(config.state), "key")
    if not place.exists():
        raise InputError(
            f"there is no key {place}: give that of the lost state with --key; where it is lost too, --trust-labels"
        )
    return private_file(place).read_bytes()


def _survey(config: Config, hosts: list[str] | None, key: bytes | None, install: str | None, *, merge: bool) -> Survey:
    from ecsctl.cli.session import connect_late
    from ecsctl.engine.contexts import addresses
    from ecsctl.operations.recover.survey import survey
    from ecsctl.store.store import Store
    from ecsctl.store.tables import INSTANCES

    wanted = hosts or addresses()
    if merge and not hosts:
        store = Store.open(config.state)
        with store.read() as view:
            known = [record.address for record in view.find(INSTANCES, status=("ACTIVE", "DRAINING"))]
        store.close()
        wanted = list(dict.fromkeys([*known, *wanted]))
    return survey(connect_late, wanted, key, install)


def _adopt(context: Context, found: Survey, install: str, *, trust: bool, dry_run: bool = False) -> Recovered:
    from ecsctl.operations.recover.adopt import adopt

    return adopt(context, found, install, trust=trust, dry_run=dry_run)


def _rebuild(config: Config, found: Survey, origin: Origin, *, trust: bool, write: bool) -> Recovered:
    """Write all in a state of its own, and put that in place, or forget it."""
    from ecsctl.cli.session import open_context
    from ecsctl.store.restore import restore

    state = config.state
    if write and not isinstance(state, Path):
        with open_context(config, origin=origin) as context:
            if context.store.install != origin.install:
                raise InputError(f"there is another state in {state}, an empty one: drop its tables, and begin again")
            return _adopt(context, found, origin.install, trust=trust)
    with _scratch(config) as scratch:
        with open_context(evolve(config, state=scratch), origin=origin) as context:
            result = _adopt(context, found, origin.install, trust=trust)
        kept = restore(state, scratch).kept if isinstance(state, Path) and write and result.lines else None
    if kept:
        say(f"what was there is in {kept}")
    return result


@contextmanager
def _scratch(config: Config) -> Iterator[Path]:
    """The path of a state beside the one that is lost, for one recover at a time; it is gone at the end."""
    from ecsctl.model.state_place import home_of
    from ecsctl.store.files import Presence, beside, prepare_directory

    home = home_of(config.state)
    prepare_directory(home)
    path = home.with_name(f".{home.name}.recovering")
    presence = Presence(beside(path, "controller"))
    if not presence.take(alone=True):
        raise InputError(f"process {presence.holder} is at it already")
    try:
        for left in path.parent.glob(f"{path.name}*"):  # by one that was killed
            if left != beside(path, "controller"):
                left.unlink()
        yield path
    finally:
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()
        presence.close()


def _show(invocation: Invocation, result: Recovered, *, written: bool) -> None:
    if invocation.for_scripts:
        invocation.show({**to_wire(result), "written": written}, "Recover")
    else:
        sys.stdout.writelines(printable(line) + "\n" for line in result.lines)
    for note in result.notes:
        say(note)
    if not result.lines:
        say("nothing to recover")
    elif not written:
        say(f"{result.tasks} tasks and {result.services} services; nothing was written: --yes writes it")
    else:
        say(f"{result.tasks} tasks and {result.services} services recovered")
        say("next: see what `ecsctl reconcile --dry-run` would do, before it does")
        if result.held:
            say(
                f"{result.held} tasks are protected until you say that all is as it should be: ecsctl recover --confirm"
            )
