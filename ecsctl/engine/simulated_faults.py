"""What can go wrong with a simulated engine, and what it notes of its calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ecsctl.engine.simulated_container import Program


class Call(NamedTuple):
    """One call as it was made."""

    verb: str
    args: tuple[Any, ...]


class Pullable(NamedTuple):
    """What a registry has: the image's program, how long its pull takes (seconds), or why it fails.

    `content` tells what one tag meant from what it means later: other content is another image with another digest.
    """

    program: Program = Program()
    seconds: float = 0.0
    error: str = ""
    content: str = ""


@dataclass
class Fault:
    """What goes wrong with calls.

    unreachable  refused at once, nothing done           lost_request  EngineTimeout, nothing done
    refused      `status` and `message`, nothing done    lost_reply    EngineTimeout, done
                                                         late          EngineTimeout, done `seconds` later
    """

    kind: Literal["unreachable", "lost_request", "lost_reply", "late", "refused"]
    verbs: tuple[str, ...] = ()
    """Which calls; none: all."""
    times: int | None = 1
    """How many more calls; None: for ever."""
    status: int = 500
    message: str = "simulated refusal"
    seconds: float = 10.0
