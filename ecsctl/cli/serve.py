"""`serve`: the ECS API by TCP and on a Unix socket, for SDKs, and the controller beside it."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from ecsctl.cli import global_flags
from ecsctl.cli.argv import Flag, wants_help
from ecsctl.cli.commands import Entry
from ecsctl.cli.durations import duration_of
from ecsctl.cli.problems import say
from ecsctl.cli.reconcile import INTERVAL
from ecsctl.model.errors import ConfigError, InputError
from ecsctl.model.record import evolve

if TYPE_CHECKING:
    from ecsctl.cli.config import Config
    from ecsctl.cli.invocation import Invocation
    from ecsctl.controller.clock import Clock
    from ecsctl.controller.watch import Watch
    from ecsctl.operations.context import Context
    from ecsctl.server.server import Entrance, Server

SOCKET = "serve.sock"
LOOK_EVERY = 1.0
"""Seconds between looks at hosts for those who ask, where no controller of this process hears of what happens there."""
ADDRESS = "127.0.0.1:8478"
ABOUT = f"""Answer the ECS API by TCP, at {ADDRESS}, and on a Unix socket, so that SDKs work unchanged, and keep the
state as `reconcile --watch` does. By TCP requests have to be signed with an access key (`ecsctl iam
create-access-key`). Who may open the socket's file may do all that you may: it is yours alone (mode 0600).

Ends on SIGTERM or Ctrl-C, when what is under way is answered; a second one does not wait for that."""

FLAGS = (
    Flag(
        "--socket",
        "socket",
        metavar="<path>",
        own=True,
        help=f"Where the socket is; else ecsctl/{SOCKET} in $XDG_RUNTIME_DIR, or in a directory of yours in /tmp.",
    ),
    Flag(
        "--bind",
        "bind",
        "many",
        metavar="<host:port> …",
        own=True,
        help=f"Where to listen by TCP; else {ADDRESS}. Port 0 is any free one. All but loopback needs TLS.",
    ),
    Flag("--no-tcp", "no_tcp", "none", own=True, help="The Unix socket only."),
    Flag("--tls-cert", "tls_cert", metavar="<file>", own=True, help="TLS: the certificate and its chain, PEM."),
    Flag("--tls-key", "tls_key", metavar="<file>", own=True, help="Its key, PEM."),
    Flag(
        "--host-name",
        "host_names",
        "many",
        metavar="<name> …",
        own=True,
        help="Names that clients call this server by, beside its address and localhost.",
    ),
    Flag(
        "--insecure-no-auth",
        "no_auth",
        "none",
        own=True,
        help="No signatures: every user of this machine may do all that you may. Loopback only.",
    ),
    Flag("--no-controller", "no_controller", "none", own=True, help="Answer only; others keep the state."),
)


class Serve:
    """The command."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def execute(self, invocation: Invocation, words: Sequence[str]) -> int:
        if wants_help(words):
            from ecsctl.cli.help import print_flags

            print_flags(self._entry.name, ABOUT, FLAGS)
            return 0
        parsed, found = global_flags.read(words, FLAGS)
        invocation.options |= found
        _serve(invocation, parsed.values)
        return 0


def _serve(invocation: Invocation, options: dict[str, Any]) -> None:
    try:
        from ecsctl.server.app import Endpoint
        from ecsctl.server.server import Server
    except ImportError as error:
        raise ConfigError(f"serve needs more packages ({error}): pip install 'ecsctl-hosts[server]'") from None
    from ecsctl.cli.watch import staying
    from ecsctl.store.files import check_nobody_elses

    if isinstance(invocation.config.state, Path):
        check_nobody_elses(invocation.config.state)
    with _entrances(options) as (entrances, places), invocation.open() as context, staying(context.store):
        looks = _Looks(context.controller.clock)

        def start(
            wrote: _Told, leave: Callable[[list[str]], object], stop: _Told, is_kept: Callable[[], bool]
        ) -> Server:
            def is_fresh() -> bool:
                return is_kept() or looks.were_lately()

            here = evolve(context, hand_over=leave, is_fresh=is_fresh)
            endpoint = Endpoint(here, _log, wrote, invocation.config.throttle)
            server = Server(endpoint, entrances, ended=stop)
            _stop_by_signals(server.stop, stop)
            server.start()
            for place in places:
                say(f"ecsctl: answering on {place}")
            return server

        if "no_controller" in options:
            _alone(start, invocation.config)
        else:
            _with_controller(start, invocation, context)


@contextmanager
def _entrances(options: dict[str, Any]) -> Iterator[tuple[list[Entrance], list[str]]]:
    """What listens, and what there is to say of each. InputError for what would let in who does not belong."""
    from ecsctl.server.guard import LOOPBACK, Door
    from ecsctl.server.server import Entrance
    from ecsctl.server.tcp_socket import bound, parse_address, tls_context, url_of
    from ecsctl.server.unix_socket import listening

    path = Path(os.path.expanduser(options["socket"])) if "socket" in options else _default()
    by_tcp = [flag.name for flag in FLAGS if flag.key in _BY_TCP and flag.key in options]
    if "no_tcp" in options and by_tcp:
        raise InputError(f"--no-tcp leaves nothing for {by_tcp[0]}: leave one of them out")
    if ("tls_cert" in options) != ("tls_key" in options):
        raise InputError("--tls-cert and --tls-key belong together: give both")
    addresses = [] if "no_tcp" in options else [parse_address(text) for text in options.get("bind", [ADDRESS])]
    names = frozenset(map(_host_name, options.get("host_names", [])))
    signed = "no_auth" not in options
    tls = None
    if "tls_cert" in options:
        tls = tls_context(*(Path(os.path.expanduser(options[key])) for key in ("tls_cert", "tls_key")))
    for address in addresses:
        if not address.is_loopback and not signed:
            raise InputError(f"--bind {address} --insecure-no-auth would let in whoever reaches it: loopback only")
        if not address.is_loopback and tls is None:
            raise InputError(
                f"--bind {address} can be reached from elsewhere and needs TLS: give --tls-cert and --tls-key, or bind "
                "to 127.0.0.1 and let people in by ssh -L"
            )
    with listening(path) as socket, bound(addresses) as listeners:
        bound_to = {address.host.lower() for address in addresses if address.host != address.ip}
        door = Door(LOOPBACK | names | bound_to, signed)
        urls = [url_of(listener, tls=tls is not None) for listener in listeners]
        warning = "" if signed else ", WITHOUT SIGNATURES: every user of this machine may do all that you may"
        yield (
            [Entrance(socket, Door(None, signed=False)), *(Entrance(listener, door, tls) for listener in listeners)],
            [str(path), *(url + warning for url in urls)],
        )


_BY_TCP = ("bind", "tls_cert", "tls_key", "host_names", "no_auth")


def _host_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,253}", name):
        raise InputError(f"--host-name {name}: write a name of this server, without port, like ecs.example.com")
    return name.lower()


def _default() -> Path:
    from ecsctl.engine.ssh import runtime_directory

    return runtime_directory() / SOCKET


_Told = Callable[[], object]
_Start = Callable[[_Told, Callable[[list[str]], object], _Told, Callable[[], bool]], "Server"]
"""Starts the server, given what is told of writes, who goes on with tasks and services, what else is to stop, and
whether this process hears of what happens on hosts."""


def _alone(start: _Start, config: Config) -> None:
    from ecsctl.cli.watch import notify
    from ecsctl.controller.together import next_of

    over: SimpleQueue[None] = SimpleQueue()  # no Event: a signal handler may find its lock held by who waits
    server = start(lambda: None, _Background(config).go_on_with, partial(over.put, None), lambda: False)
    notify("READY=1")
    next_of(over)
    notify("STOPPING=1")
    server.stop()
    server.join()


def _with_controller(start: _Start, invocation: Invocation, context: Context) -> None:
    from ecsctl.cli.watch import keep

    servers: list[Server] = []
    background = _Background(invocation.config)

    def ready(kept: Watch) -> None:
        def leave(arns: list[str]) -> None:
            if context.controller.is_leading:
                kept.go_on_with(arns)
            else:
                background.go_on_with(arns)

        servers.append(start(kept.go_on_with, leave, kept.stop, lambda: context.controller.is_leading))

    try:
        keep(context, None, _teller(invocation), duration_of("--interval", INTERVAL), ready)
    finally:
        for server in servers:
            server.stop()
            server.join()


def _teller(invocation: Invocation) -> Callable[[str], None]:
    """Prints what the controller does; that nobody reads it, or that the disk is full, is no reason not to answer."""
    from ecsctl.cli.failures import discard
    from ecsctl.cli.watch import teller

    tell = teller(invocation)

    def told(line: str) -> None:
        with suppress(OSError):
            try:
                tell(line)
            except BrokenPipeError:
                discard(sys.stdout)

    return told


class _Looks:
    """When this process looked at hosts by itself last, so that many who ask do not make it look as often."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = float("-inf")

    def were_lately(self) -> bool:
        """Whether there was one; if not there is one now."""
        now = self._clock.since_boot()
        if now - self._last < LOOK_EVERY:
            return True
        self._last = now
        return False


class _Background:
    """What goes on with tasks and services where this process does not: others of ecsctl, which end before it does."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._processes: list[int] = []
        self._lock = threading.Lock()

    def go_on_with(self, arns: list[str]) -> None:
        from ecsctl.cli.background import go_on_with

        with self._lock:
            self._processes = [*filter(_goes_on, self._processes), *go_on_with(self._config, arns)]


def _goes_on(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] == 0
    except ChildProcessError:
        return False


def _stop_by_signals(*stops: _Told) -> None:
    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)  # the second one does not wait
        for stop in stops:
            stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a script's background process is not for Ctrl-C
            signal.signal(number, end)


def _log(line: str) -> None:
    with suppress(OSError):  # that nobody reads the log is no reason not to answer
        say(line)
