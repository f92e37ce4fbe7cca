"""AWS JSON 1.1, the one protocol that ECS's published model announces: from bytes to a request, and an answer to bytes.

Source: Smithy, "AWS JSON 1.1 protocol". A request names its operation in the header `X-Amz-Target`, and its body is an
object. An error is an object with `__type` and `message`. Times are numbers, seconds since 1970. What is absent is not
there; a member that is null is absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from functools import cache
from typing import Any

import msgspec

from ecsctl.model.errors import (
    ApiError,
    EcsctlError,
    EngineError,
    InputError,
    StateError,
    WrongType,
    client_exception,
    invalid_parameter,
)
from ecsctl.model.record import R, Record, decode, fields_of, to_wire
from ecsctl.operations.actions import NOT_YET, OF_STATE, ROOMS, refusal, shape_of
from ecsctl.operations.strict_json import MAX_BYTES, parse_json

CONTENT_TYPE = "application/x-amz-json-1.1"
PREFIX = "AmazonEC2ContainerServiceV20141113."
"""Of every target (botocore, ecs/2014-11-13: targetPrefix)."""
ELSEWHERE = {
    "RegisterContainerInstance": "it is for the ECS agent; use `ecsctl host add`",
}
"""Operations that ecsctl has, but not here, and what to do instead."""
SERVICE = "ecs"
"""What requests are signed for (botocore, ecs/2014-11-13: signingName)."""
_STATUS = {
    "ExpiredTokenException": 403,
    "IncompleteSignature": 403,
    "MissingAuthenticationTokenException": 403,
    "RequestEntityTooLargeException": 413,
    "ServerException": 500,
    "TooManyRequestsException": 429,
    "UnrecognizedClientException": 403,
}
"""HTTP statuses of errors (ECS API reference, Errors and Common Errors); of all others 400."""


def known(target: str) -> str:
    """The operation of ECS that a target names, or `unknown`: what a client sends may be anything."""
    action = target.removeprefix(PREFIX)
    return action if target.startswith(PREFIX) and (action in ROOMS or action in NOT_YET) else "unknown"


def is_short(target: str) -> bool:
    """Whether a target names an operation that waits for nothing but the state."""
    return ROOMS.get(known(target)) in OF_STATE


def action_in(target: str) -> str:
    """The operation that a target names. ApiError for one that is not answered here, by its name."""
    action = known(target)
    if action in ELSEWHERE:
        raise ApiError("UnsupportedFeatureException", f"{action} is not supported here: {ELSEWHERE[action]}.")
    if action in NOT_YET:
        raise refusal(action)
    if action not in ROOMS:
        raise ApiError("UnknownOperationException", f"there is no operation {target[:100]!r} here.")
    return action


def prepare() -> None:
    """Learn the types of all requests: msgspec does when it first meets one, which two threads must not do at once."""
    for action in ROOMS:
        learn(shape_of(action, "Request"))


def learn(kind: type[Record]) -> None:
    """Let msgspec and this module know a type of requests."""
    _times_in(kind)
    with suppress(msgspec.ValidationError):  # something is required; the type is known all the same
        msgspec.convert({}, kind)


def too_large() -> ApiError:
    """What a body of more than MAX_BYTES is refused with."""
    return ApiError("RequestEntityTooLargeException", f"the request is larger than {MAX_BYTES >> 20} MiB.")


def request_in(action: str, body: bytes) -> Record:
    """The request of an operation. ApiError, in ECS's words, for whatever is wrong with it."""
    try:
        return record_in(shape_of(action, "Request"), body)
    except InputError as error:
        raise invalid_parameter(str(error)) from None


def record_in(kind: type[R], body: bytes) -> R:
    """The record that a body is. SerializationException for what is no JSON, or of another type; InputError for what
    does not fit otherwise."""
    try:
        data = parse_json(body.decode(), "the request") if body else {}
    except UnicodeDecodeError:
        raise _malformed("the request: is not UTF-8 text") from None
    except InputError as error:
        raise _malformed(str(error)) from None
    if not isinstance(data, dict):
        raise _malformed("the request: expected an object")
    try:
        return decode(kind, _with_times(kind, _without_nulls(data)))
    except WrongType as error:
        raise _malformed(str(error)) from None


def answer_body(answer: Record) -> bytes:
    """An answer as it goes over the wire."""
    return _dumped(to_wire(answer))


def error_body(error: ApiError) -> bytes:
    """An error as it goes over the wire."""
    more = {"resourceIds": error.resource_ids} if error.resource_ids else {}
    return _dumped({"__type": error.code, "message": error.message, **more})


def status_of(error: ApiError) -> int:
    """The HTTP status that goes with an error."""
    return _STATUS.get(error.code, 400)


def as_api_error(error: EcsctlError) -> ApiError:
    """What ECS calls an error: the caller's own (4xx), or the server's, after which a client tries again (5xx)."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, InputError):
        return invalid_parameter(str(error))
    if isinstance(error, EngineError | StateError):
        return ApiError("ServerException", str(error))
    return client_exception(str(error))


def _malformed(message: str) -> ApiError:
    return ApiError("SerializationException", message)


def _dumped(data: dict[str, Any]) -> bytes:
    return json.dumps(data, default=_epoch, separators=(",", ":")).encode()


def _epoch(moment: datetime) -> float:
    return round(moment.timestamp(), 3)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _with_times(kind: type[Record], data: dict[str, Any]) -> dict[str, Any]:
    """With moments where the record has some: a number of seconds is one in this protocol only."""
    for *path, name in _times_in(kind):
        place: Any = data
        for step in path:
            place = place.get(step) if isinstance(place, dict) else None
        if not isinstance(place, dict) or name not in place:
            continue
        where, seconds = ".".join([*path, name]), place[name]
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise WrongType(f"{where}: expected a number, the seconds since 1970")
        try:
            place[name] = datetime.fromtimestamp(seconds, timezone.utc)
        except (OverflowError, ValueError, OSError):
            raise WrongType(f"{where}: {seconds} is no time") from None
    return data


@cache
def _times_in(kind: type[Record]) -> tuple[tuple[str, ...], ...]:
    """The paths of the members that are moments. No request has any inside of a list."""
    return tuple(_moments(kind))


def _moments(kind: type[Record]) -> Iterator[tuple[str, ...]]:
    for name, member in fields_of(kind).items():
        if member is datetime:
            yield (name,)
        elif isinstance(member, type) and issubclass(member, Record):
            yield from ((name, *path) for path in _moments(member))
