"""From an address to an engine."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ecsctl.engine.address import parse_address
from ecsctl.engine.contexts import resolve
from ecsctl.engine.dial import Dial, dialer
from ecsctl.engine.docker import DockerEngine
from ecsctl.engine.transport import Transport
from ecsctl.model.errors import EngineUnreachable, InputError

if TYPE_CHECKING:
    from ecsctl.engine.port import Engine


def connect(address: str) -> Engine:
    """The engine at an address (see address.py). Nothing is opened or looked up before its first verb.

    InputError when the text is no address. A context that is gone, or may not be used, makes the verbs raise
    EngineUnreachable: to whoever looks after several hosts it is one that does not answer.
    """
    parse_address(address)
    return DockerEngine(Transport(address, _late(address)))


def _late(address: str) -> Dial:
    dial: Dial | None = None

    def dial_resolved(*, lasting: bool = False) -> socket.socket:
        nonlocal dial
        if dial is None:
            try:
                dial = dialer(resolve(address), address)
            except InputError as error:
                raise EngineUnreachable(str(error), "address") from error
        return dial(lasting=lasting)

    return dial_resolved
