"""`apply -f FILE|DIR`: makes the state what files say, after showing the difference."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.durations import duration_of
from ecsctl.cli.image_map import HELP
from ecsctl.cli.image_map import image_map as parse_image_map
from ecsctl.cli.interrupt import doing_last
from ecsctl.cli.own import Own
from ecsctl.cli.problems import FAILED, TIMED_OUT, UsageError, printable, say
from ecsctl.cli.progress import PATIENCE, Progress, patience
from ecsctl.cli.reconcile import CHANGED
from ecsctl.cli.transfers import Transfers
from ecsctl.model.arn import NAME
from ecsctl.model.errors import InputError

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.operations.apply.plan import Plan
    from ecsctl.operations.context import Context

ENDINGS = (".json", ".yaml", ".yml", ".toml")
_COLOURS = {"+": "32", "~": "33", "-": "31"}


def command(entry: Entry) -> Own:
    return Own(entry, apply)


def apply(
    ctx: typer.Context,
    file: Annotated[
        list[str],
        typer.Option("--file", "-f", help="A file, a directory of files, or - for stdin: JSON, YAML or TOML."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete what an earlier apply of the set made and the files do not have.")
    ] = False,
    set_name: Annotated[
        str, typer.Option("--set", help="The set that the files are; one set does not touch another's.")
    ] = "default",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the services are stable.")] = False,
    timeout: Annotated[
        str | None,
        typer.Option(help=f"How long to wait; the services go on.  [default: {PATIENCE}]", show_default=False),
    ] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help=f"Exit with {CHANGED} when something changed or would.")
    ] = False,
    image_map: Annotated[list[str] | None, typer.Option(help=HELP, metavar="FROM=TO")] = None,
) -> int:
    """Make clusters, task definitions, services and schedules what files say.

    A file holds clusters, taskDefinitions, services and schedules, each a list of what create-cluster,
    register-task-definition, create-service and schedule-task take; or one of these alone. Exits with 1 when a
    service's deployment failed, 124 when it took too long.
    """
    from ecsctl.operations.apply.carry_out import carry_out
    from ecsctl.operations.apply.documents import documents_of
    from ecsctl.operations.apply.plan import make_plan

    seconds = None if timeout is None else duration_of("--timeout", timeout)
    if not re.fullmatch(NAME, set_name):
        raise UsageError(f"argument --set: {set_name!r}: use 1 to 255 letters, digits, hyphens and underscores")
    asks = has_to_ask("apply", dry_run=dry_run, yes=yes)
    table = parse_image_map(image_map)
    documents = documents_of(_files(file))
    invocation: Invocation = ctx.obj
    with invocation.open(table) as context:
        plan = make_plan(context, documents, set_name, prune=prune)
        show_plan(invocation, plan)
        changed = bool(plan.pending)
        if dry_run or (not changed and not wait):
            return CHANGED if changed and detailed_exitcode else 0
        if changed and asks:
            if not confirmed("Apply?"):
                say("nothing was changed")
                return FAILED
            if make_plan(context, documents, set_name, prune=prune).pending != plan.pending:
                say("ecsctl: the state has changed meanwhile, and nothing was applied: apply again")
                return FAILED
        if wait:
            context.controller.pulling = Transfers().pulling
        carry_out(context, plan, say)
        code = _wait(context, plan, seconds) if wait else 0
    return code or (CHANGED if changed and detailed_exitcode else 0)


def has_to_ask(command: str, *, dry_run: bool, yes: bool) -> bool:
    """Whether a person is asked before something is changed. UsageError where nobody can be."""
    asks = not dry_run and not yes
    if asks and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"{command} asks before it changes something, and this is no terminal: give --yes or --dry-run"
        )
    return asks


def _files(names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Each document, with the name of its file. Raises InputError for what cannot be read."""
    from ecsctl.cli.documents import read_stream

    for name in names:
        path = Path("/dev/stdin" if name == "-" else name)
        paths = _in_directory(path) if path.is_dir() else [path]
        for found in paths:
            for data in read_stream(found):
                yield str(found), data


def _in_directory(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and not path.is_dir())
    if not found:
        raise InputError(f"{folder}: no file in it ends with {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    return found


def show_plan(invocation: Invocation, plan: Plan) -> None:
    """The difference on stdout, the rest on stderr."""
    if invocation.for_scripts:
        invocation.show(plan.to_wire(), "Apply")
        return
    paint = _painter()
    for change in plan.pending:
        sys.stdout.writelines(paint(printable(line)) + "\n" for line in change.lines)
    sys.stdout.flush()
    for note in plan.notes:
        say(note)
    say(plan.summary if plan.pending else "nothing to do")


def _painter() -> Callable[[str], str]:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return lambda line: line
    return lambda line: f"\x1b[{colour}m{line}\x1b[0m" if (colour := _COLOURS.get(line[:1])) else line


def confirmed(question: str) -> bool:
    """Whether a person says yes."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _wait(context: Context, plan: Plan, timeout: float | None) -> int:
    """Until the services of the documents are stable, or one of them cannot get there."""
    from ecsctl.operations.apply.settle import is_there, settle
    from ecsctl.operations.services import service_shapes

    services = service_shapes(context, [arn for arn, _ in plan.services])
    progress = Progress(services)
    for service in services:
        if not is_there(service):
            progress.begin(service)
    with doing_last(lambda: say("ecsctl: all is applied, and the services go on: see `ecsctl describe-services`")):
        result = settle(context, plan.services, progress.show, patience(timeout, services))
    for problem in (*result.failed, *result.unfinished):
        say(f"ecsctl: {problem}")
    if result.failed:
        return FAILED
    return TIMED_OUT if result.unfinished else 0
