"""What a request asks for of another service than ECS, and in which protocol the answer has to be.

By the header X-Amz-Target, the form's Action and Version, the path, and the service that a signature is for. Everything
that is asked gets an answer in the asker's own protocol; what is not here is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

from ecsctl.model.errors import ApiError, EcsctlError, EngineError, InputError, StateError
from ecsctl.model.record import Record
from ecsctl.operations.context import Context
from ecsctl.operations.neighbours.actions import INSTEAD, NEIGHBOURS, Neighbour, operation_of, request_of
from ecsctl.server import protocol
from ecsctl.server.live_tails import LiveTails
from ecsctl.server.neighbours.forms import parse_form
from ecsctl.server.neighbours.wires import Cbor, Ec2, Json, Query, RestJson, RestXml, Wire

TARGETS = {
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "AmazonSSM": "ssm",
    "AnyScaleFrontendService": "application_autoscaling",
    "Logs_20140328": "logs",
    "secretsmanager": "secretsmanager",
}
"""The rooms of JSON's neighbours by how their targets begin (botocore: targetPrefix)."""
VERSIONS = {"2011-06-15": "sts", "2015-12-01": "elbv2", "2016-11-15": "ec2"}
"""Those of the query protocols by the version of their API."""
NAMESPACES = {
    "ec2": "http://ec2.amazonaws.com/doc/2016-11-15/",
    "elbv2": "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}
_REST_XML = ("cloudfront", "route53", "s3", "s3control", "s3express", "s3-outposts")
"""Services that speak REST with XML; all others that have paths do with JSON."""
_SCOPE = re.compile(r"/[0-9]{8}/[a-z0-9-]*/([a-z0-9-]{1,64})/aws4_request")
_CBOR_PATH = re.compile(r"/service/([A-Za-z0-9_]{1,128})/operation/([A-Za-z0-9_]{1,128})")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Asked:
    """An operation that is not here. `label`: for the log and the metrics, of words of our own."""

    def __init__(self, wire: Wire, refusal: ApiError, label: str = "unknown") -> None:
        self._wire = wire
        self.refusal = refusal
        self.label = label
        self.content_type = wire.content_type

    def answer(self, ctx: Context, body: bytes | None, number: str) -> bytes | AsyncIterator[bytes]:  # noqa: ARG002
        """Do it. EcsctlError for why not. A body of None is one that was too large."""
        raise self.refusal

    def as_api_error(self, error: EcsctlError) -> ApiError:
        """What the service calls an error."""
        return error if isinstance(error, ApiError) else ApiError("InternalFailure", str(error))

    def error(self, error: ApiError, number: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an error, to the request of that number."""
        return self._wire.status_of(error), self._wire.error_body(error, number), self._wire.headers(error)


class OfNeighbour(Asked):
    """An operation of a service beside ECS."""

    def __init__(self, wire: Wire, neighbour: Neighbour, action: str, tails: LiveTails) -> None:
        super().__init__(wire, _unsupported(action, neighbour.title), f"{neighbour.prefix}:{action}")
        self._neighbour = neighbour
        self._action = action
        self._tails = tails

    def answer(self, ctx: Context, body: bytes | None, number: str) -> bytes | AsyncIterator[bytes]:
        if body is None:
            raise protocol.too_large()
        request = self._wire.request_in(request_of(self._neighbour, self._action), body)
        answer = operation_of(self._neighbour, self._action)(ctx, request)
        if isinstance(answer, Record):
            return self._wire.answer_body(self._action, answer, number)
        stream = self._tails.stream(answer, number)
        self.content_type = self._tails.content_type
        return stream

    def as_api_error(self, error: EcsctlError) -> ApiError:
        if isinstance(error, ApiError):
            return error
        if isinstance(error, InputError):
            return ApiError(self._neighbour.invalid, str(error))
        if isinstance(error, EngineError | StateError):
            return ApiError(self._neighbour.failed, str(error))
        return ApiError(self._neighbour.invalid, str(error))


def asked_in(headers: Mapping[str, str], body: bytes | None, tails: LiveTails) -> Asked | None:
    """What is asked of `/`; None where it is of ECS, or of no service."""
    target = headers.get("x-amz-target", "")
    prefix, dot, action = target.rpartition(".")
    scope = signed_for(headers)
    if dot and not target.startswith(protocol.PREFIX) and _NAME.fullmatch(prefix):
        wire = Json("1.0" if "json-1.0" in headers.get("content-type", "") else "1.1")
        return _asked(wire, TARGETS.get(prefix, ""), scope or prefix, action, tails)
    if not target and (_is_form(headers) or scope not in ("", "ecs")):
        return _asked_by_form(body, scope, tails)
    return None


def asked_elsewhere(method: str, path: str, headers: Mapping[str, str]) -> Asked | None:
    """What is asked of another page than `/`, if it is asked by a client of AWS: no service that is here has any."""
    if headers.get("smithy-protocol") == "rpc-v2-cbor" and (found := _CBOR_PATH.fullmatch(path)):
        return Asked(Cbor(), _unsupported(found[2], found[1]))
    scope = signed_for(headers)
    if scope in ("", "ecs"):
        return None
    wire = RestXml(s3=scope.startswith("s3")) if scope in _REST_XML else RestJson()
    return Asked(wire, _unsupported(f"{method} {path}", scope))


def signed_for(headers: Mapping[str, str]) -> str:
    """The service that a request's signature is for; empty where there is none."""
    found = _SCOPE.search(headers.get("authorization", ""))
    return found[1] if found else ""


def _is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _asked_by_form(body: bytes | None, scope: str, tails: LiveTails) -> Asked:
    try:
        form = parse_form(body or b"")
    except InputError as error:
        return Asked(Query(), ApiError("SerializationException", str(error)))
    room = VERSIONS.get(form.get("Version", ""), "ec2" if scope == "ec2" else "")
    wire = Ec2(NAMESPACES["ec2"]) if room == "ec2" else Query(NAMESPACES.get(room, ""))
    return _asked(wire, room, scope or "this service", form.get("Action", ""), tails)


def _asked(wire: Wire, room: str, service: str, action: str, tails: LiveTails) -> Asked:
    """An action of a neighbour by its room; of another service, of that name, if the room is empty."""
    neighbour = NEIGHBOURS.get(room)
    if neighbour is None:
        return Asked(wire, _unsupported(action, service))
    if action in neighbour.actions:
        return OfNeighbour(wire, neighbour, action, tails)
    refusal = _unsupported(action, neighbour.title, INSTEAD.get((room, action), ""))
    return Asked(wire, refusal, f"{neighbour.prefix}:unknown")


def _unsupported(action: str, service: str, why: str = "") -> ApiError:
    shown = action if _NAME.fullmatch(action) else repr(action[:100])
    message = f"{shown} of {service} is not supported by ecsctl{': ' if why else ''}{why}."
    return ApiError("UnsupportedOperationException", message)
