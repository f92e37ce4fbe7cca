"""`secret put`, `get`, `list`, `delete`, `import` and `rotate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecsctl.cli.commands import SECRET, Entry
from ecsctl.cli.group import chosen
from ecsctl.cli.own import Own
from ecsctl.cli.problems import UsageError, say
from ecsctl.model.errors import InputError
from ecsctl.model.record import evolve, to_wire

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation


class Secret:
    """`ecsctl secret`, with its commands."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        found = chosen(self._entry, SECRET, "command", invocation, words)
        if found is None:
            return 0
        entry, rest = found
        return Own(evolve(entry, name=f"secret {entry.name}"), _FUNCTIONS[entry.name]).execute(invocation, rest)


Name = Annotated[str, typer.Argument(help="The name, as task definitions have it in valueFrom; an ARN's last part.")]


def put(
    ctx: typer.Context,
    name: Name,
    file: Annotated[str | None, typer.Option("--file", help="A file whose content is the value, as it is.")] = None,
    env: Annotated[str | None, typer.Option("--env", help="An environment variable that has the value.")] = None,
) -> int:
    """Give a secret a value: what is typed (it is not shown), what comes from stdin, a file's, or a variable's.

    The value is never an argument: those are for everybody to see. Of what comes from stdin the last line end is left
    out. The value before stays as AWSPREVIOUS.
    """
    from ecsctl.operations.secrets import put_secrets

    invocation: Invocation = ctx.obj
    if file is not None and env is not None:
        raise UsageError("secret put: --file or --env, not both")
    if env is not None and env not in invocation.environment:
        raise InputError(f"there is no environment variable {env}")
    if env is not None:
        value = invocation.environment[env]
    else:
        value = _read(file) if file is not None else _typed(f"Value of {name}: ")
    with invocation.open() as context:
        put_secrets(context, {name: value})
    say(f"secret {name} put")
    return 0


def get(
    ctx: typer.Context,
    name: Name,
    version: Annotated[str, typer.Option(help="The version: AWSPREVIOUS for the one before, or an id.")] = "AWSCURRENT",
) -> int:
    """Print the value of a secret, as it is."""
    from ecsctl.operations.secrets import get_secret

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        value = get_secret(context, name, version)
    sys.stdout.write(value + ("\n" if sys.stdout.isatty() else ""))
    sys.stdout.flush()
    return 0


def show(ctx: typer.Context) -> int:
    """List the secrets in the state, without their values."""
    from ecsctl.operations.secrets import list_secrets

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        found = list_secrets(context)
    if invocation.for_scripts:
        invocation.show({"secrets": [to_wire(secret) for secret in found]}, "Secrets")
    else:
        from ecsctl.cli.people import print_table

        rows = [[s.name, f"{s.changed_at.astimezone():%Y-%m-%d %H:%M}", str(s.versions)] for s in found]
        print_table(("NAME", "CHANGED", "VERSIONS"), rows)
    return 0


def delete(ctx: typer.Context, name: Name) -> int:
    """Delete a secret and all its versions. Containers that have its value keep it."""
    from ecsctl.operations.secrets import delete_secret

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        delete_secret(context, name)
    say(f"secret {name} deleted")
    return 0


def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="A file of NAME=value lines; - for stdin.")],
    prefix: Annotated[str, typer.Option(help="What the names begin with in the state, e.g. `web/`.")] = "",
) -> int:
    """Put every variable of an environment file, all or none. Quotes are part of a value, as in ECS's files."""
    from ecsctl.model.env_file import parse_env_file
    from ecsctl.operations.secrets import put_secrets

    invocation: Invocation = ctx.obj
    try:
        values: Mapping[str, str] = parse_env_file(_read(file), file)
    except ValueError as error:
        raise InputError(str(error)) from None
    with invocation.open() as context:
        put_secrets(context, {prefix + name: value for name, value in values.items()})
    say(f"{len(values)} secrets put")
    return 0


def rotate(ctx: typer.Context) -> int:
    """Seal all secrets in the state with a new key; the older ones open nothing any more."""
    from ecsctl.operations.secrets import rotate_keys

    invocation: Invocation = ctx.obj
    with invocation.open() as context:
        count = rotate_keys(context)
    say(f"{count} secrets sealed with a new key" if count else "there are no secrets")
    return 0


_FUNCTIONS: dict[str, Callable[..., int]] = {
    "put": put,
    "get": get,
    "list": show,
    "delete": delete,
    "import": import_,
    "rotate": rotate,
}


def _typed(prompt: str) -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass(prompt)
    return _read("-").removesuffix("\n").removesuffix("\r")


def _read(name: str) -> str:
    where = "stdin" if name == "-" else name
    try:
        return (sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()).decode()
    except OSError as error:
        raise InputError(f"{where}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{where} is not UTF-8 text") from None
