"""Who asks: told by the signature of a request, or by the way that it came, and what then may be asked how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import NamedTuple

from ecsctl.model.arn import Scope
from ecsctl.model.errors import ApiError
from ecsctl.model.record import Record, evolve
from ecsctl.operations.access import Principal, authorize, authorize_plain, find_key
from ecsctl.operations.context import Context
from ecsctl.operations.regions import has_region
from ecsctl.server.guard import Door
from ecsctl.server.sigv4 import Received, unrecognized, verify
from ecsctl.server.throttle import Failures, Throttle


class Caller(NamedTuple):
    """Who asks, and the surroundings in which the operation is done for them. `signature`: where there is one, and
    `key_id` that of the key. `keys`: what the connection says, for the conditions of policies."""

    principal: Principal
    context: Context
    signature: str | None = None
    keys: Mapping[str, str] = {}
    key_id: str = ""


class Entry:
    """Lets requests in. `throttle`: how many times ECS's rates are allowed; 0: any."""

    def __init__(self, context: Context, throttle: int) -> None:
        self._context = context
        self._failures = Failures()
        self._throttle = Throttle(throttle)

    def admit(self, received: Received, door: Door, address: str, service: str, *, secure: bool) -> Caller:
        """The caller of a request for a service, come from an address, by TLS or not. ApiError for one that is not let
        in."""
        if not door.signed:
            return Caller(Principal.root(self._context.scope.account), self._context)
        try:
            signed = verify(
                received,
                partial(find_key, self._context),
                datetime.now(timezone.utc),
                services=(service,),
                regions=partial(has_region, self._context),
            )
        except ApiError:
            # Who has a key is let in all the same: others at the same address must not be able to lock them out.
            if self._failures.add(address):
                raise ApiError(
                    "TooManyRequestsException", "Too many requests of this address were refused: wait for a minute."
                ) from None
            raise
        scope = Scope(signed.region, self._context.scope.account)
        keys = {"aws:SourceIp": address, "aws:SecureTransport": str(secure).lower()}
        for agent in received.values("user-agent"):
            keys["aws:UserAgent"] = agent.decode("latin-1")
        context = evolve(self._context, scope=scope, asked_by=signed.key.principal.arn, asked_with=keys)
        return Caller(signed.key.principal, context, signed.signature, keys, signed.key.access_key_id)

    def allow(self, caller: Caller, action: str, request: Record) -> None:
        """AccessDeniedException where no policy lets the caller do this `action`, `ecs:RunTask`."""
        authorize(caller.context, caller.principal, action, request, caller.keys)

    def allow_plain(self, caller: Caller, action: str, resources: Sequence[str]) -> None:
        """The same of an action of another service, `logs:GetLogEvents`, and the resources that it is about."""
        authorize_plain(caller.context, caller.principal, action, resources, caller.keys)

    def allow_still(self, caller: Caller, action: str, resources: Sequence[str]) -> None:
        """The same, some time after the signature was verified: is the key still honoured?"""
        if caller.key_id and find_key(self._context, caller.key_id) is None:
            raise unrecognized()
        self.allow_plain(caller, action, resources)

    def throttle(self, caller: Caller, door: Door, action: str) -> None:
        """ThrottlingException where a caller asks too much. Whose the state is may."""
        if door.hosts is not None:
            self._throttle.take(caller.principal.arn, action)
