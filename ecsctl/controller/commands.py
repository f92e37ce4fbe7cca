"""Running the commands that are configured to print what must not be known to others."""

from __future__ import annotations

from collections.abc import Sequence

from ecsctl.model.errors import SecretUnavailable

COMMAND_SECONDS = 30.0
"""How long a command may take."""


def printed_by(command: Sequence[str], what: str) -> bytes:
    """What a command prints. What it says on stderr goes where ours goes. SecretUnavailable begins with `what`."""
    import subprocess

    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_SECONDS, check=False
        )
    except OSError as error:
        raise SecretUnavailable(f"{what}: {command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise SecretUnavailable(f"{what}: {command[0]} took more than {COMMAND_SECONDS:.0f} s") from None
    if done.returncode:
        raise SecretUnavailable(f"{what}: {command[0]} exited with code {done.returncode}")
    return done.stdout
