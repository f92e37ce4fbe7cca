"""`deploy SERVICE --image CONTAINER=IMAGE`: registers the revision, rolls it out, shows how it goes, and rolls back."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import Entry
from ecsctl.cli.durations import duration_of
from ecsctl.cli.image_map import HELP
from ecsctl.cli.image_map import image_map as parse_image_map
from ecsctl.cli.interrupt import doing_last
from ecsctl.cli.own import Own
from ecsctl.cli.problems import FAILED, TIMED_OUT, UsageError, printable, say
from ecsctl.cli.progress import PATIENCE, Progress, patience
from ecsctl.cli.register_task_definition import definition_given
from ecsctl.cli.transfers import Transfers
from ecsctl.model.arn import last_part

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.model.service import Service
    from ecsctl.operations.context import Context
    from ecsctl.operations.deploy import Outcome, Release

_CODEDEPLOY = "CodeDeploy is not part of ecsctl: write `ecsctl deploy SERVICE --task-definition FILE`, or --image"


def command(entry: Entry) -> Own:
    return Own(entry, deploy)


def deploy(
    ctx: typer.Context,
    service: Annotated[str | None, typer.Argument(help="The service's name or ARN.", show_default=False)] = None,
    image: Annotated[
        list[str] | None, typer.Option(help="The image that a container gets.", metavar="CONTAINER=IMAGE")
    ] = None,
    task_definition: Annotated[
        str | None, typer.Option(help="Roll this out in place of the service's own: family, family:revision or file.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="The service's cluster.")] = None,
    timeout: Annotated[
        str | None,
        typer.Option(help=f"How long it may take before it is rolled back.  [default: {PATIENCE}]", show_default=False),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Begin it, and do not stay.")] = False,
    no_rollback: Annotated[bool, typer.Option("--no-rollback", help="Leave a release that failed.")] = False,
    force: Annotated[bool, typer.Option("--force-new-deployment", help="Also when nothing is new.")] = False,
    image_map: Annotated[list[str] | None, typer.Option(help=HELP, metavar="FROM=TO")] = None,
    of_service: Annotated[str | None, typer.Option("--service", hidden=True)] = None,
    appspec: Annotated[str | None, typer.Option("--codedeploy-appspec", hidden=True)] = None,
    application: Annotated[str | None, typer.Option("--codedeploy-application", hidden=True)] = None,
    group: Annotated[str | None, typer.Option("--codedeploy-deployment-group", hidden=True)] = None,
) -> int:
    """Roll other images, or another task definition, out to a service; roll back if that fails.

    Exits with 1 when the deployment failed, 124 when it took too long.
    """
    if appspec or application or group:
        raise UsageError(_CODEDEPLOY)
    service = service or of_service
    if not service:
        raise UsageError("the name of the service is missing: ecsctl deploy SERVICE --image CONTAINER=IMAGE")
    if not image and not task_definition and not force:
        raise UsageError("nothing to deploy: give --image, --task-definition or --force-new-deployment")
    seconds = None if timeout is None else duration_of("--timeout", timeout)
    images, table = _images(image or []), parse_image_map(image_map)
    given = definition_given(task_definition or "") or task_definition
    from ecsctl.operations.deploy import active_service, begin, revision_with

    invocation: Invocation = ctx.obj
    with invocation.open(table) as context:
        found = active_service(context, cluster, service)
        wanted = revision_with(context, given or str(found.task_definition), images)
        release = begin(context, found, wanted, force=force)
        if release is None:
            say(f"nothing to do: service {found.service_name} runs {last_part(wanted)} already")
            return 0
        say(f"service {found.service_name}: {last_part(str(found.task_definition))} -> {last_part(wanted)}")
        if no_wait:
            _result(invocation, found, release, "IN_PROGRESS")
            return 0
        return see_through(invocation, context, found, release, patience(seconds, [found]), no_rollback)


def _images(words: list[str]) -> dict[str, str]:
    images: dict[str, str] = {}
    for word in words:
        container, equals, image = word.partition("=")
        if not (container and equals and image):
            raise UsageError(f"argument --image: {word!r}: write CONTAINER=IMAGE")
        if container in images:
            raise UsageError(f"argument --image: the container {container} is given twice")
        images[container] = image
    return images


def see_through(
    invocation: Invocation, context: Context, service: Service, release: Release, timeout: float, no_rollback: bool
) -> int:
    """Follow it to its end, whichever that is; the exit code."""
    from ecsctl.operations.deploy import follow, roll_back, settle_back

    name, new = service.service_name, last_part(release.definition)
    progress = Progress([service])
    context.controller.pulling = Transfers().pulling
    end = time.monotonic() + timeout
    with doing_last(lambda: say(f"ecsctl: service {name} goes on with {new}: see `ecsctl describe-services`")):
        outcome = follow(context, release, progress.show, timeout)
        _result(invocation, service, release, outcome)
        if outcome == "COMPLETED":
            return 0
        if outcome == "REPLACED":
            say(f"ecsctl: another deployment of service {name} has taken the place of this one")
            return FAILED
        timed_out = outcome == "IN_PROGRESS"
        failed = f"not there after {timeout:g} s" if timed_out else "failed"
        say(f"ecsctl: {new} {failed}: {_why(context, release)}")
        if outcome != "ROLLED_BACK":
            if no_rollback or release.previous is None:
                say(
                    f"ecsctl: service {name} is left as it is"
                    + ("" if no_rollback else ": there is nothing to go back to")
                )
                return TIMED_OUT if timed_out else FAILED
            roll_back(context, service, release.previous)
        said = last_part(str(release.previous.task_definition)) if release.previous else "what it had before"
        say(f"ecsctl: service {name} goes back to {said}")
        if timed_out:
            return TIMED_OUT
        if not settle_back(context, release, progress.show, max(1.0, end - time.monotonic())):
            say(f"ecsctl: service {name} is not back yet; it goes on in the background")
    return FAILED


def _result(invocation: Invocation, service: Service, release: Release, outcome: Outcome) -> None:
    """What scripts read, or a line when it is there."""
    if invocation.for_scripts:
        answer = {
            "serviceArn": release.service,
            "deploymentId": release.deployment,
            "taskDefinition": release.definition,
            "outcome": outcome,
        }
        invocation.show(answer, "Deploy")
    elif outcome == "COMPLETED":
        sys.stdout.write(printable(f"service {service.service_name} runs {last_part(release.definition)}") + "\n")


def _why(context: Context, release: Release) -> str:
    """How its last task ended, in a sentence."""
    from ecsctl.controller.wishes import find_task_definition
    from ecsctl.operations.deploy import last_failure
    from ecsctl.scheduler.outcome import outcome_of

    task = last_failure(context, release)
    if task is None:
        return "no task of it has stopped by itself; see the events above"
    with context.store.read() as view:
        definition = find_task_definition(view, context.scope, release.definition)
    return outcome_of(task, definition.container_definitions or []).problem or str(task.stopped_reason)
