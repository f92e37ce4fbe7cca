"""Signatures of requests that were done, noted in the state: a request has no second effect either where the server has
been started anew, or another one has the same state. What was answered is not noted: there may be a token in it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from ecsctl.model.record import evolve
from ecsctl.model.stored import IdempotentCall
from ecsctl.server.replay import KEPT, ON_PURPOSE
from ecsctl.store.store import Store
from ecsctl.store.tables import IDEMPOTENT_CALLS


def take(store: Store, signature: str, call: str, now: datetime) -> bool:
    """Note that a call is done, before it is; False when it was. `call`: the client's id of it, as in `replay`."""
    key, expires = _key(signature), now + timedelta(seconds=KEPT)
    with store.write() as tx:
        known = tx.get(IDEMPOTENT_CALLS, key)
        if known is None or known.expires_at <= now:
            known = IdempotentCall(key=key, parameters="", result={"calls": []}, expires_at=expires)
        elif call in known.result["calls"] or known.expires_at < expires - timedelta(seconds=ON_PURPOSE):
            return False
        tx.put(IDEMPOTENT_CALLS, evolve(known, result={"calls": [*known.result["calls"], call]}))
    return True


def give_back(store: Store, signature: str, call: str) -> None:
    """Nothing came of it."""
    with store.write() as tx:
        known = tx.get(IDEMPOTENT_CALLS, _key(signature))
        if known is None:
            return
        others = [other for other in known.result["calls"] if other != call]
        if others:
            tx.put(IDEMPOTENT_CALLS, evolve(known, result={"calls": others}))
        else:
            tx.delete(IDEMPOTENT_CALLS, key=known.key)


def _key(signature: str) -> str:
    return f"signature|{hashlib.sha256(signature.encode()).hexdigest()}"
