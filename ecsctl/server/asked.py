"""What a request asks for, of which service, and in which protocol the answer has to be.

By the header X-Amz-Target, the form's Action and Version, the path, and the service that a signature is for. Everything
that is asked gets an answer in the asker's own protocol; what is not here is refused by its name.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

from ecsctl.model.errors import ApiError, EcsctlError, EngineError, StateError
from ecsctl.model.record import Record
from ecsctl.operations import actions
from ecsctl.operations.context import Context
from ecsctl.operations.neighbours.actions import (
    FOR_ALL,
    NEIGHBOURS,
    Neighbour,
    operation_of,
    request_of,
    resources_of,
)
from ecsctl.server import protocol
from ecsctl.server.entry import Caller, Entry
from ecsctl.server.live_tails import LiveTails
from ecsctl.server.neighbours.wires import Cbor, Ec2, Json, Query, RestJson, RestXml, Wire

_READS = ("Describe", "List", "Get")
"""How the names of operations begin that write nothing but what they see."""
TARGETS = {
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "AmazonSSM": "ssm",
    "AnyScaleFrontendService": "application_autoscaling",
    "CodeDeploy_20141006": "codedeploy",
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
_IN_FORM = re.compile(rb"(?:^|&)(Action|Version)=([^&]*)")
"""Nobody knows yet who asks: no time is spent on the rest."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


Execute = Callable[[Context, Any], Record]


class Asked(ABC):
    """What is asked of a service. `service`: what requests to it are signed for; `action`: by what it is throttled;
    `label`: for the log and the metrics, of words of our own; `writes`: it may change the state."""

    service: str
    action: str
    label: str
    writes = False
    content_type: str

    @abstractmethod
    def as_api_error(self, error: EcsctlError) -> ApiError:
        """What the service calls an error."""

    @abstractmethod
    def error(self, error: ApiError, number: str) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers of an error, to the request of that number."""


class Operation(Asked):
    """One that is here."""

    @abstractmethod
    def request_in(self, body: bytes) -> Record:
        """The request. EcsctlError for what is wrong with it."""

    @abstractmethod
    def allow(self, entry: Entry, caller: Caller, request: Record) -> None:
        """AccessDeniedException where no policy lets the caller ask that."""

    @abstractmethod
    def perform(self, ctx: Context, request: Any, number: str) -> bytes | AsyncIterator[bytes]:
        """Do it; the answer to the request of that number, or what is sent of it as it comes."""


class OfEcs(Operation):
    """An operation of ECS, or what should be one: then the error says so."""

    service = protocol.SERVICE
    content_type = protocol.CONTENT_TYPE

    def __init__(self, target: str, execute: Execute) -> None:
        """`execute` does ExecuteCommand, of which a session comes that only the server has."""
        self._target = target
        self._execute = execute
        self.action = self.label = protocol.known(target)
        self.writes = not self.label.startswith(_READS)

    def request_in(self, body: bytes) -> Record:
        return protocol.request_in(protocol.action_in(self._target), body)

    def allow(self, entry: Entry, caller: Caller, request: Record) -> None:
        entry.allow(caller, f"{protocol.SERVICE}:{self.action}", request)

    def perform(self, ctx: Context, request: Any, number: str) -> bytes:  # noqa: ARG002
        operation = self._execute if self.action == "ExecuteCommand" else actions.operation_of(self.action)
        return protocol.answer_body(operation(ctx, request))

    def as_api_error(self, error: EcsctlError) -> ApiError:
        return protocol.as_api_error(error)

    def error(self, error: ApiError, number: str) -> tuple[int, bytes, Mapping[str, str]]:  # noqa: ARG002
        return protocol.status_of(error), protocol.error_body(error), {}


class OfNeighbour(Operation):
    """An operation of a service beside ECS."""

    def __init__(self, wire: Wire, neighbour: Neighbour, action: str, tails: LiveTails) -> None:
        self.service = neighbour.signs_for
        self.action = self.label = f"{neighbour.prefix}:{action}"
        self.content_type = wire.content_type
        self.writes = action.startswith(("AssumeRole", "Create"))
        self._wire = wire
        self._neighbour = neighbour
        self._name = action
        self._tails = tails
        self._still: Callable[[], object] = lambda: None

    def request_in(self, body: bytes) -> Record:
        return self._wire.request_in(request_of(self._neighbour, self._name), body)

    def allow(self, entry: Entry, caller: Caller, request: Record) -> None:
        if self.action not in FOR_ALL:
            resources = resources_of(self._neighbour, caller.context, request)
            self._still = partial(entry.allow_still, caller, self.action, resources)
            entry.allow_plain(caller, self.action, resources)

    def perform(self, ctx: Context, request: Any, number: str) -> bytes | AsyncIterator[bytes]:
        answer = operation_of(self._neighbour, self._name)(ctx, request)
        if isinstance(answer, Record):
            return self._wire.answer_body(self._name, answer, number)
        return self._tails.stream(answer, number, self._still)

    def as_api_error(self, error: EcsctlError) -> ApiError:
        if isinstance(error, ApiError):
            return error
        is_ours = isinstance(error, EngineError | StateError)
        return ApiError(self._neighbour.failed if is_ours else self._neighbour.invalid, str(error))

    def error(self, error: ApiError, number: str) -> tuple[int, bytes, Mapping[str, str]]:
        return self._wire.status_of(error), self._wire.error_body(error, number), self._wire.headers(error)


class Refused(Asked):
    """What is not here, and what is said of it."""

    def __init__(self, wire: Wire, refusal: ApiError, service: str, label: str = "unknown") -> None:
        self.service = service
        self.action = self.label = label
        self.content_type = wire.content_type
        self.refusal = refusal
        self._wire = wire

    def as_api_error(self, error: EcsctlError) -> ApiError:
        return error if isinstance(error, ApiError) else ApiError("InternalFailure", str(error))

    def error(self, error: ApiError, number: str) -> tuple[int, bytes, Mapping[str, str]]:
        return self._wire.status_of(error), self._wire.error_body(error, number), self._wire.headers(error)


def prepare() -> None:
    """Learn the types of the neighbours' requests, as protocol.prepare does ECS's."""
    for neighbour in NEIGHBOURS.values():
        for action in neighbour.actions:
            protocol.learn(request_of(neighbour, action))


def asked_in(headers: Mapping[str, str], body: bytes | None, tails: LiveTails, execute: Execute) -> Operation | Refused:
    """What is asked of `/`. What is of no service is taken to be of ECS."""
    target = headers.get("x-amz-target", "")
    prefix, dot, action = target.rpartition(".")
    scope = signed_for(headers)
    if dot and not target.startswith(protocol.PREFIX) and _NAME.fullmatch(prefix):
        wire = Json("1.0" if "json-1.0" in headers.get("content-type", "") else "1.1")
        return _asked(wire, TARGETS.get(prefix, ""), scope or prefix, action, tails)
    if not target and scope != protocol.SERVICE and _is_form(headers):
        return _asked_by_form(body, scope, tails)
    return (None if target else asked_elsewhere("POST", "/", headers)) or OfEcs(target, execute)


def asked_elsewhere(method: str, path: str, headers: Mapping[str, str]) -> Refused | None:
    """What is asked of another page than `/`, if it is asked by a client of AWS: no service that is here has any."""
    if headers.get("smithy-protocol") == "rpc-v2-cbor" and (found := _CBOR_PATH.fullmatch(path)):
        return Refused(Cbor(), _unsupported(found[2], found[1]), found[1])
    scope = signed_for(headers)
    if scope in ("", protocol.SERVICE):
        return None
    wire = RestXml(s3=scope.startswith("s3")) if scope in _REST_XML else RestJson()
    return Refused(wire, _unsupported(f"{method} {path}", scope), scope)


def signed_for(headers: Mapping[str, str]) -> str:
    """The service that a request's signature is for; empty where there is none."""
    found = _SCOPE.search(headers.get("authorization", ""))
    return found[1] if found else ""


def _is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _asked_by_form(body: bytes | None, scope: str, tails: LiveTails) -> Operation | Refused:
    form = {name: value.decode("latin-1") for name, value in _IN_FORM.findall(body or b"")}
    room = VERSIONS.get(form.get(b"Version", ""), "ec2" if scope == "ec2" else "")
    wire = Ec2(NAMESPACES["ec2"]) if room == "ec2" else Query(NAMESPACES.get(room, ""))
    return _asked(wire, room, scope or "this service", form.get(b"Action", ""), tails)


def _asked(wire: Wire, room: str, service: str, action: str, tails: LiveTails) -> Operation | Refused:
    """An action of a neighbour by its room; of another service, of that name, if the room is empty."""
    neighbour = NEIGHBOURS.get(room)
    if neighbour is None:
        return Refused(wire, _unsupported(action, service), service)
    if action in neighbour.actions:
        return OfNeighbour(wire, neighbour, action, tails)
    refusal = _unsupported(action, neighbour.title)
    return Refused(wire, refusal, neighbour.signs_for, f"{neighbour.prefix}:unknown")


def _unsupported(action: str, service: str) -> ApiError:
    shown = action if _NAME.fullmatch(action) else repr(action[:100])
    message = f"{shown} of {service} is not supported by ecsctl."
    return ApiError("UnsupportedOperationException", message)
