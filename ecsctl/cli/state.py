"""`state backup`, `restore`, `check`, `upgrade`, `export` and `import`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import STATE, Entry
from ecsctl.cli.group import chosen
from ecsctl.cli.own import Own
from ecsctl.cli.problems import FAILED, printable, say
from ecsctl.model.errors import InputError
from ecsctl.model.record import evolve, to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


class State:
    """`ecsctl state`, with its commands."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        found = chosen(self._entry, STATE, "command", invocation, words)
        if found is None:
            return 0
        entry, rest = found
        return Own(evolve(entry, name=f"state {entry.name}"), _FUNCTIONS[entry.name]).execute(invocation, rest)


def backup(
    ctx: typer.Context,
    file: Annotated[
        str | None,
        typer.Argument(help="Where to; without it, a new file in `backups` beside the state.", show_default=False),
    ] = None,
    with_keys: Annotated[bool, typer.Option("--with-keys", help="Copy the keys too, beside the backup.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
) -> int:
    """Write a consistent copy of the state, while it is in use, and see that it is sound. Its name goes to stdout.

    The keys beside the state are needed to restore it; who has them and the backup has the secrets. Keep them apart, or
    give --with-keys.
    """
    from ecsctl.model.state_place import home_of
    from ecsctl.store.backup import copy_keys, new_backup
    from ecsctl.store.files import beside
    from ecsctl.store.key_store import described
    from ecsctl.store.store import is_there

    invocation: Invocation = ctx.obj
    state = invocation.config.state
    home = home_of(state)
    if not beside(home, "key").exists() and not is_there(state):  # it would be made
        raise InputError(f"there is no state at {state}")
    with invocation.open() as context:
        target = Path(file) if file else new_backup(home, "backup")
        made = context.store.back_up(target, force=force)
        files = [target, *(copy_keys(home, target, force=force) if with_keys else [])]
    sys.stdout.writelines(printable(str(path)) + "\n" for path in files)
    if not with_keys:
        needed = [str(beside(home, "key")), *([described(beside(home, "secrets-key"))] if made.has_secrets else [])]
        say(f"to restore it, keep {' and '.join(needed)} too; --with-keys copies")
    if beside(home, "logs").exists():
        say(f"the logs in {beside(home, 'logs')} are not part of it")
    return 0


def restore(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="The backup.")],
    key: Annotated[
        str | None,
        typer.Option(help="The key file of the backup; without it, the one beside the backup, or that of the state."),
    ] = None,
) -> int:
    """Put a backup in the place of the state. What is there is kept in `backups` beside it.

    Nothing on a host is touched. Refused while a `reconcile --watch` keeps the state, and in PostgreSQL where the
    database has a state already: so a state moves from a file to PostgreSQL, and back.
    """
    invocation: Invocation = ctx.obj
    state, kept = invocation.config.state, None
    if isinstance(state, Path):
        from ecsctl.store.restore import restore as restore_state

        kept = restore_state(state, Path(file), Path(key) if key else None).kept
    else:
        from ecsctl.store.transfer import restore_shared

        restore_shared(state, Path(file), Path(key) if key else None)
    say(f"{state} is now what {file} was")
    if kept:
        say(f"what was there is in {kept}")
    say("next: `ecsctl recover --merge` shows which containers are newer than the backup, and adopts them with --yes;")
    say("until then they are left alone. Then see what `ecsctl reconcile --dry-run` would do, before it does")
    return 0


def check(ctx: typer.Context) -> int:
    """Say what is wrong with the state and its files, and what to do about each. Nothing is changed.

    Exits with 1 when something is wrong.
    """
    from ecsctl.store.check import check as check_state

    invocation: Invocation = ctx.obj
    state = invocation.config.state
    found = check_state(state)
    if invocation.for_scripts:
        invocation.show({"findings": [finding._asdict() for finding in found]}, "StateCheck")
    else:
        sys.stdout.writelines(printable(str(finding)) + "\n" for finding in found)
        if not found:
            say(f"{state} is sound")
    return FAILED if found else 0


def upgrade(ctx: typer.Context) -> int:
    """Bring a state in PostgreSQL to the schema of this ecsctl, when every machine that uses it has this ecsctl.

    Older ones refuse it from then on. Back it up first (pg_dump). A state in a file is brought forward by any command.
    """
    invocation: Invocation = ctx.obj
    state = invocation.config.state
    if isinstance(state, Path):
        raise InputError(f"{state} is a file, which any other command brings forward, after a backup")
    from ecsctl.store.postgresql import PostgresDatabase

    PostgresDatabase.open(state, make=False, upgrade=True).close()
    say(f"{state} has the schema of this ecsctl")
    return 0


def export(ctx: typer.Context) -> int:
    """Print what is wanted, as JSON, or with --output yaml as YAML: capacity providers, clusters, container instances,
    task definitions, services and schedules, with their tags, of one region and account.

    No tasks, no history and no secrets are in it; the environment of containers is.
    """
    from ecsctl.operations.export import export_state

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        document = export_state(context)
    invocation.show(to_wire(document), "StateExport")
    return 0


def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="What `state export` printed: JSON, YAML or TOML; - for stdin.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Make the state what an export says, after showing the difference. What it does not name stays.

    Task definitions keep their numbers and container instances their ids; hosts are not asked. What services and
    schedules say takes effect as if it were applied.
    """
    from ecsctl.cli.apply import confirmed, has_to_ask, show_plan
    from ecsctl.cli.documents import read_stream
    from ecsctl.operations.apply.carry_out import carry_out
    from ecsctl.operations.import_state import plan_import

    invocation: Invocation = ctx.obj
    asks = has_to_ask("state import", dry_run=dry_run, yes=yes)
    path = Path("/dev/stdin" if file == "-" else file)
    documents = list(read_stream(path))
    if len(documents) != 1:
        raise InputError(f"{path}: expected one document, got {len(documents)}")
    with invocation.open() as context:
        plan = plan_import(context, documents[0], str(path))
        show_plan(invocation, plan)
        if dry_run or not plan.pending:
            return 0
        if asks and not confirmed("Import?"):
            say("nothing was changed")
            return FAILED
        carry_out(context, plan, say)
    return 0


_FUNCTIONS: dict[str, Callable[..., int]] = {
    "backup": backup,
    "restore": restore,
    "check": check,
    "upgrade": upgrade,
    "export": export,
    "import": import_,
}
