"""`reconcile --watch`: the controller as a process that stays, for a terminal or a service manager."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from threading import Event
from typing import TYPE_CHECKING

from ecsctl.cli.problems import printable, say

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.store.files import Lease

STANDBY = 0.5
"""Seconds between attempts at the lease while another controller has it."""


def watch(invocation: Invocation, cluster: str | None, interval: float) -> int:
    """Until SIGTERM; 0 then. One controller keeps a state: others stand by, and one takes over when it ends."""
    from ecsctl.operations.reconcile import controller

    with invocation.open() as context:
        kept = controller(context, cluster, _teller(invocation), interval)
        ended = Event()

        def end(*_: object) -> None:
            ended.set()
            kept.stop()

        signal.signal(signal.SIGTERM, end)
        _notify("READY=1")
        lease = context.store.controller_lease()
        if _becomes_ours(lease, ended):
            _notify("STATUS=keeping the state")
            say("ecsctl: keeping the state; Ctrl-C or SIGTERM ends it")
            kept.run()
        _notify("STOPPING=1")
    return 0


def _becomes_ours(lease: Lease, ended: Event) -> bool:
    """Wait for the lease; False when it is time to end first."""
    told = False
    while not lease.take():
        if not told:
            say(f"ecsctl: process {lease.holder} keeps this state; standing by to take over")
            _notify("STATUS=standing by")
            told = True
        if ended.wait(STANDBY):
            return False
    return True


def _teller(invocation: Invocation) -> Callable[[str], None]:
    """Prints each line at once; for scripts as data, in JSON an object per line."""

    def tell(line: str) -> None:
        if invocation.for_scripts:
            now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            invocation.show_next({"at": now, "action": line}, "Reconcile")
        else:
            sys.stdout.write(printable(line) + "\n")
            sys.stdout.flush()

    return tell


def _notify(message: str) -> None:
    """Tell the service manager how it goes, if there is one that wants to know (systemd's sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(message.encode(), address)
