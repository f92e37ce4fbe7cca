"""Client tokens: the same call twice does its work once (ECS developer guide, "Ensuring idempotency")."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ecsctl.model.cluster import Cluster
from ecsctl.model.errors import ApiError, invalid_parameter
from ecsctl.model.record import evolve, to_wire
from ecsctl.model.stored import IdempotentCall
from ecsctl.store.store import Transaction
from ecsctl.store.tables import IDEMPOTENT_CALLS

TOKEN_LIFE = timedelta(hours=24)


def answered_before(
    tx: Transaction,
    now: datetime,
    cluster: Cluster,
    action: str,
    request: Any,
    *,
    lasts: Callable[[str], bool],
    longest: int = 64,
) -> list[str] | None:
    """The ARNs of what a request with the same client token made before; None when there was none, or it is over: its
    time is, or nothing that it made `lasts` any longer.

    When the token came with other parameters: ConflictException from RunTask, from others InvalidParameterException, as
    for a token that is none.
    """
    token = request.client_token
    if not token:
        return None
    if len(token) > longest or not all(33 <= ord(character) <= 126 for character in token):
        raise invalid_parameter(f"clientToken: use up to {longest} printable ASCII characters without spaces.")
    known = tx.get(IDEMPOTENT_CALLS, _key(cluster, action, token))
    if known is None or known.expires_at <= now:
        return None
    arns: list[str] = known.result["arns"]
    if not any(map(lasts, arns)):
        return None
    if known.parameters != _fingerprint(request):
        said = "The client token was used with other parameters."
        raise ApiError("ConflictException", said, arns) if action == "RunTask" else invalid_parameter(said)
    return arns


def remember(tx: Transaction, now: datetime, cluster: Cluster, action: str, request: Any, arns: list[str]) -> None:
    """Note what a request with a client token made."""
    if request.client_token and arns:
        call = IdempotentCall(
            key=_key(cluster, action, request.client_token),
            parameters=_fingerprint(request),
            result={"arns": arns},
            expires_at=now + TOKEN_LIFE,
        )
        tx.put(IDEMPOTENT_CALLS, call)


def _key(cluster: Cluster, action: str, token: str) -> str:
    return f"{cluster.cluster_arn}|{action}|{token}"


def _fingerprint(request: Any) -> str:
    plain = to_wire(evolve(request, client_token=None))
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()
