"""`check FILE`: what of a task definition is honoured, mapped to something else, or refused. Nothing is registered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.image_map import HELP
from ecsctl.cli.image_map import image_map as parse_image_map
from ecsctl.cli.own import Own
from ecsctl.cli.problems import FAILED, say
from ecsctl.cli.register_task_definition import definition_in
from ecsctl.model.errors import ApiError

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.api.task_definitions import RegisterTaskDefinitionRequest
    from ecsctl.scheduler.field_support import Verdict


def command(entry: Entry) -> Own:
    return Own(entry, check)


def check(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A task definition: JSON, YAML or TOML.")],
    image_map: Annotated[list[str] | None, typer.Option(help=HELP, metavar="FROM=TO")] = None,
) -> int:
    """Say, per field of a task definition, whether it is honoured, mapped or refused. Nothing is registered.

    Exits with 1 when something is refused or invalid.
    """
    from ecsctl.scheduler.field_support import review
    from ecsctl.scheduler.images import with_images

    invocation: Invocation = ctx.obj
    table = parse_image_map(image_map)
    request = definition_in(file)
    verdicts = review(request, file_systems=invocation.config.file_systems)
    verdicts = with_images(verdicts, request, (table, invocation.config.image_map))
    problem = _problem(request)
    counts = {kind: sum(v.verdict == kind for v in verdicts) for kind in ("honoured", "mapped", "refused")}
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count or kind == "honoured")
    if invocation.for_scripts:
        fields = [{"path": v.path, "verdict": v.verdict, "note": v.note} for v in verdicts]
        invocation.show({"fields": fields, "summary": counts, "invalid": problem}, "Check")
    else:
        _print(verdicts, f"{file}: {summary}{' fields' if sum(counts.values()) != 1 else ' field'}")
    if problem:
        say(f"ecsctl: {file}: {problem}")
    return FAILED if problem or counts["refused"] else 0


def _problem(request: RegisterTaskDefinitionRequest) -> str | None:
    """Why registering would be refused, None when it would not."""
    from ecsctl.operations.definition_rules import validate

    try:
        validate(request)
    except ApiError as error:
        return error.message
    return None


def _print(verdicts: list[Verdict], last: str) -> None:
    import sys

    from ecsctl.cli.people import print_table
    from ecsctl.cli.problems import printable

    print_table(("FIELD", "VERDICT", "NOTE"), [list(verdict) for verdict in verdicts])
    sys.stdout.write(f"\n{printable(last)}\n")
