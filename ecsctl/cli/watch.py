"""`reconcile --watch`: the controller as a process that stays, for a terminal or a service manager."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ecsctl.cli.problems import printable, say
from ecsctl.model.arn import last_part
from ecsctl.model.errors import StateError

if TYPE_CHECKING:
    from ecsctl.cli.invocation import Invocation
    from ecsctl.controller.leadership import Leadership
    from ecsctl.controller.watch import Watch
    from ecsctl.operations.context import Context
    from ecsctl.store.store import Store


def watch(invocation: Invocation, cluster: str | None, interval: float) -> int:
    """Until SIGTERM; 0 then."""

    def ready(kept: Watch) -> None:
        signal.signal(signal.SIGTERM, lambda *_: kept.stop())

    with invocation.open() as context, staying(context.store):
        keep(context, cluster, teller(invocation), interval, ready)
    return 0


@contextmanager
def staying(store: Store) -> Iterator[None]:
    """While it lasts nobody puts a backup in the place of the state; StateError when somebody does now."""
    with closing(store.presence()) as presence:
        if not presence.take(alone=False):
            raise StateError(f"process {presence.holder} puts a backup in the place of this state: wait for it")
        yield


def keep(
    context: Context,
    cluster: str | None,
    tell: Callable[[str], None],
    interval: float,
    ready: Callable[[Watch], object],
) -> None:
    """Until the controller that `ready` is given, before it begins, is told to stop. Of several each cluster has one
    that keeps it, and another when that ends. `tell` is given what it does."""
    from ecsctl.operations.reconcile import controller, leadership

    def changed() -> None:
        standing.tell()
        kept.begin_anew()

    def failed(error: Exception) -> None:
        kept.fail(error)

    with closing(context.store.another()) as own:
        leading = leadership(context, own, cluster, changed, failed)
        kept = controller(context, cluster, tell, interval, lambda arn: arn in leading.led)
        standing = _Standing(leading, cluster)
        ready(kept)
        notify("READY=1")
        context.controller.lead(leading)
        leading.beat()
        standing.tell()
        leading.start()
        try:
            kept.run()
        finally:
            leading.end()
        notify("STOPPING=1")


class _Standing:
    """What this controller is at, said when it changes."""

    def __init__(self, leading: Leadership, cluster: str | None) -> None:
        self._leading = leading
        self._cluster = cluster
        self._said = ""

    def tell(self) -> None:
        what = self._what()
        if what == self._said:
            return
        self._said = what
        if self._leading.led:
            say(f"ecsctl: {what}; Ctrl-C or SIGTERM ends it")
            notify(f"STATUS={what}")
        else:
            say(f"ecsctl: {what}; standing by to take over")
            notify("STATUS=standing by")

    def _what(self) -> str:
        led = sorted(map(last_part, self._leading.led))
        if led and self._leading.leads_all:
            return "keeping the state"
        if led:
            return f"keeping the cluster{'s' * (len(led) > 1)} {', '.join(led)}"
        what = f"the cluster {self._cluster}" if self._cluster else "this state"
        if self._leading.trouble:
            return f"{what} cannot be kept: {self._leading.trouble}"
        here = socket.gethostname()
        others = [f"process {one.pid}{'' if one.host == here else ' on ' + one.host}" for one in self._leading.others]
        return f"{', '.join(others)} keep{'s' * (len(others) == 1)} {what}" if others else f"nobody keeps {what}"


def teller(invocation: Invocation) -> Callable[[str], None]:
    """Prints each line at once; for scripts as data, in JSON an object per line."""

    def tell(line: str) -> None:
        if invocation.for_scripts:
            now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            invocation.show_next({"at": now, "action": line}, "Reconcile")
        else:
            sys.stdout.write(printable(line) + "\n")
            sys.stdout.flush()

    return tell


def notify(message: str) -> None:
    """Tell the service manager how it goes, if there is one that wants to know (systemd's sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(message.encode(), address)
