"""Running the machine's own programs: what they say when they fail is what we say."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from ecsctl.model.errors import EcsctlError

LONGEST = 150.0
"""Seconds: systemd gives a service 90 to start, and 90 to stop."""


class Answer(subprocess.CompletedProcess[bytes]):
    """What a program said, and its exit code."""

    @property
    def complaint(self) -> str:
        """What it says on stderr as one line, or else the exit code."""
        return " ".join(self.stderr.decode(errors="replace").split()) or f"exit code {self.returncode}"


def answer(words: Sequence[str], given: bytes = b"") -> Answer:
    """Run it, in no language but English and no zone but UTC. Raises EcsctlError when it cannot be run."""
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    try:
        done = subprocess.run(words, input=given, capture_output=True, timeout=LONGEST, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise EcsctlError(f"{' '.join(words)} did not end within {LONGEST:.0f} s") from None
    except FileNotFoundError:
        raise EcsctlError(f"there is no program {words[0]} on the PATH") from None
    except OSError as error:
        raise EcsctlError(f"{words[0]} cannot be run: {error.strerror}") from None
    return Answer(done.args, done.returncode, done.stdout, done.stderr)


def must(words: Sequence[str], given: bytes = b"") -> bytes:
    """Its output. Raises EcsctlError, with what it said, when it fails."""
    done = answer(words, given)
    if done.returncode:
        raise EcsctlError(f"{' '.join(words)}: {done.complaint}")
    return done.stdout
