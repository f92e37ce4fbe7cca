"""What a request has to be like, before anybody asks who sent it: for this server by name, and of no web page's.

A browser on a machine that reaches this server lets any page send it requests. They carry a name that the page chose
(DNS rebinding: `Host`), or where they come from (`Origin`, `Sec-Fetch-Site`), or are of the kinds that a page may send
anywhere without asking (forms, plain text).
Sources: RFC 9110 7.2 and 7.4; Fetch, "CORS protocol" and "CORS-safelisted request-header"; W3C, "Fetch Metadata".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

MOST_HEADERS = 100
MOST_BYTES = 16 << 10
"""Of all headers of a request."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SIMPLE = ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded")
"""What a page may send anywhere. Some services of AWS take the last one, but signed, which a page would have to ask
for."""


class Door(NamedTuple):
    """A way in. `hosts`: the names that requests may call it by, beside the address itself; None where only its owner
    gets to it: the Unix socket. `signed`: whether requests have to be."""

    hosts: frozenset[str] | None
    signed: bool


class Guard:
    """Refuses what no client of ours sends, and passes on all else, with `door` in its scope."""

    def __init__(self, app: ASGIApp, door: Door, log: Callable[[str], object]) -> None:
        self._app = app
        self._door = door
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refusal(scope)
        if refused is None:
            await self._app({**scope, "door": self._door}, receive, send)
            return
        status, why = refused
        client = scope["client"][0] if scope["client"] else "the socket"
        self._log(f"refused, {status.value} {status.phrase}: {why}; from {client}")
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # before it is accepted: 403
            return
        headers = [(b"connection", b"close"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status.value, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _refusal(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > MOST_BYTES:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"over {MOST_HEADERS} headers, or {MOST_BYTES} bytes"
        if self._door.hosts is None:
            return None
        said: Said = {}
        for name, value in headers:
            if name in _TELLING:
                said.setdefault(name, []).append(value.decode("latin-1"))
        return _misdirected(scope, said, self._door.hosts) or _foreign(scope, said) or _simple(said)


Said = dict[bytes, list[str]]
"""What the headers say that are looked at, by their names."""
_TELLING = frozenset({b"host", b"origin", b"sec-fetch-site", b"content-type", b"content-encoding", b"authorization"})


def _misdirected(scope: Scope, said: Said, hosts: frozenset[str]) -> tuple[HTTPStatus, str] | None:
    found = said.get(b"host", [])
    if len(found) != 1:
        return HTTPStatus.BAD_REQUEST, f"it has {len(found) or 'no'} headers Host"
    name = re.sub(r":[0-9]*$", "", found[0]).lower()
    here = str(scope["server"][0]).partition("%")[0]
    if name in hosts or name in (here, f"[{here}]"):
        return None
    return HTTPStatus.MISDIRECTED_REQUEST, f"Host {found[0][:100]!a} is no name of this server; see --host-name"


def _foreign(scope: Scope, said: Said) -> tuple[HTTPStatus, str] | None:
    own = f"{_SECURE.get(scope['scheme'], scope['scheme'])}://{said[b'host'][0]}".lower()
    for origin in said.get(b"origin", []):
        if origin.lower() != own:
            return HTTPStatus.FORBIDDEN, f"it is of a web page, Origin {origin[:100]!a}"
    for site in said.get(b"sec-fetch-site", []):
        if site not in ("same-origin", "none"):
            return HTTPStatus.FORBIDDEN, f"it is of a web page, Sec-Fetch-Site {site[:100]!a}"
    return None


_SECURE = {"ws": "http", "wss": "https"}


def _simple(said: Said) -> tuple[HTTPStatus, str] | None:
    for kind in said.get(b"content-type", []):
        media = kind.partition(";")[0].strip().lower()
        if media in _SIMPLE and not (media == _SIMPLE[-1] and b"authorization" in said):
            return HTTPStatus.FORBIDDEN, f"a body of the type {media}, which any web page may send"
    for coding in said.get(b"content-encoding", []):
        if coding.strip().lower() not in ("", "identity"):
            return HTTPStatus.BAD_REQUEST, f"a body that is packed, Content-Encoding {coding[:100]!a}"
    return None
