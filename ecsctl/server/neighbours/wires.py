"""The protocols of AWS's services: how a request becomes a record, and an answer or an error bytes.

Source: Smithy, "AWS protocols". Of those that no neighbour speaks there are errors only, which say that the service is
not here.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from ecsctl.model.errors import ApiError
from ecsctl.model.record import R, Record, to_wire
from ecsctl.server import protocol
from ecsctl.server.neighbours import forms, xml

_STATUS = {
    "AccessDenied": 403,
    "AuthFailure": 401,
    "SignatureDoesNotMatch": 403,
    "UnauthorizedOperation": 403,
    "DryRunOperation": 412,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "InternalServiceError": 500,
    "InternalServiceException": 500,
    "ServiceUnavailableException": 503,
}
"""HTTP statuses of errors; of all others that of ECS."""


class Wire(ABC):
    """A protocol."""

    content_type: str
    codes: Mapping[str, str] = MappingProxyType({})
    """What it calls errors that all services have; the names on the left are those of JSON."""

    def request_in(self, kind: type[R], body: bytes) -> R:
        """A request; EcsctlError for whatever is wrong with it."""
        raise NotImplementedError

    def answer_body(self, action: str, answer: Record, number: str) -> bytes:
        """An answer to the request of that number."""
        raise NotImplementedError

    @abstractmethod
    def error_body(self, error: ApiError, number: str) -> bytes:
        """An error, to the request of that number."""

    def headers(self, error: ApiError) -> dict[str, str]:  # noqa: ARG002 most have none
        """What an error has beside its body."""
        return {}

    def code_of(self, error: ApiError) -> str:
        return self.codes.get(error.code, error.code)

    def status_of(self, error: ApiError) -> int:
        """The HTTP status that goes with an error."""
        return _STATUS.get(self.code_of(error)) or protocol.status_of(error)


class Json(Wire):
    """AWS JSON 1.0 and 1.1."""

    def __init__(self, version: str = "1.1") -> None:
        self.content_type = f"application/x-amz-json-{version}"

    def request_in(self, kind: type[R], body: bytes) -> R:
        return protocol.record_in(kind, body)

    def answer_body(self, action: str, answer: Record, number: str) -> bytes:  # noqa: ARG002
        return protocol.answer_body(answer)

    def error_body(self, error: ApiError, number: str) -> bytes:  # noqa: ARG002
        return protocol.error_body(error)


class RestJson(Json):
    """REST with JSON: the code is in a header."""

    def __init__(self) -> None:
        self.content_type = "application/json"

    def headers(self, error: ApiError) -> dict[str, str]:
        return {"x-amzn-ErrorType": error.code}


class Query(Wire):
    """AWS Query: a form, and XML."""

    content_type = "text/xml"
    codes: Mapping[str, str] = {
        "AccessDeniedException": "AccessDenied",
        "ExpiredTokenException": "ExpiredToken",
        "InvalidSignatureException": "SignatureDoesNotMatch",
        "MissingAuthenticationTokenException": "MissingAuthenticationToken",
        "ThrottlingException": "Throttling",
        "TooManyRequestsException": "Throttling",
        "UnrecognizedClientException": "InvalidClientTokenId",
        "UnsupportedOperationException": "UnsupportedOperation",
    }

    def __init__(self, namespace: str = "") -> None:
        self._namespace = namespace

    def request_in(self, kind: type[R], body: bytes) -> R:
        return forms.record_in(kind, _parameters(body), ec2=False)

    def answer_body(self, action: str, answer: Record, number: str) -> bytes:
        result = xml.element(f"{action}Result", xml.members(to_wire(answer), lambda _, name: name, "member"))
        metadata = xml.element("ResponseMetadata", xml.element("RequestId", number))
        return xml.element(f"{action}Response", result + metadata, self._namespace).encode()

    def error_body(self, error: ApiError, number: str) -> bytes:
        told = xml.element("Type", "Sender") + _code_and_message(self.code_of(error), error.message)
        content = xml.element("Error", told) + xml.element("RequestId", number)
        return xml.element("ErrorResponse", content, self._namespace).encode()


class Ec2(Query):
    """EC2's own query protocol. Of one request: whether it is a dry run is in it, and answered at the end."""

    content_type = "text/xml;charset=UTF-8"
    codes: Mapping[str, str] = {
        **Query.codes,
        "AccessDeniedException": "UnauthorizedOperation",
        "ExpiredTokenException": "RequestExpired",
        "InvalidSignatureException": "AuthFailure",
        "ThrottlingException": "RequestLimitExceeded",
        "TooManyRequestsException": "RequestLimitExceeded",
        "UnrecognizedClientException": "AuthFailure",
    }
    _NAMES: Mapping[tuple[str, str], str] = {
        ("", "AccountAttributes"): "accountAttributeSet",
        ("", "AvailabilityZones"): "availabilityZoneInfo",
        ("", "NetworkInterfaces"): "networkInterfaceSet",
        ("", "Regions"): "regionInfo",
        ("", "SecurityGroups"): "securityGroupInfo",
        ("", "Subnets"): "subnetSet",
        ("", "Vpcs"): "vpcSet",
        ("AccountAttributes", "AttributeValues"): "attributeValueSet",
        ("AvailabilityZones", "Messages"): "messageSet",
        ("AvailabilityZones", "State"): "zoneState",
        ("NetworkInterfaces", "Groups"): "groupSet",
        ("NetworkInterfaces", "Ipv6Addresses"): "ipv6AddressesSet",
        ("NetworkInterfaces", "PrivateIpAddresses"): "privateIpAddressesSet",
        ("SecurityGroups", "Description"): "groupDescription",
    }
    """Elements that are not called as the member is, with a small letter."""
    _is_dry = False

    def request_in(self, kind: type[R], body: bytes) -> R:
        form = _parameters(body)
        self._is_dry = form.pop("DryRun", "false") == "true"
        return forms.record_in(kind, form, ec2=True)

    def answer_body(self, action: str, answer: Record, number: str) -> bytes:
        if self._is_dry:  # said only now: who may not do it has been told so
            raise ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
        content = xml.element("requestId", number) + xml.members(to_wire(answer), self._name, "item")
        return xml.element(f"{action}Response", content, self._namespace).encode()

    def error_body(self, error: ApiError, number: str) -> bytes:
        told = xml.element("Error", _code_and_message(self.code_of(error), error.message))
        return xml.element("Response", xml.element("Errors", told) + xml.element("RequestID", number)).encode()

    def _name(self, inside: str, name: str) -> str:
        return self._NAMES.get((inside, name), name[0].lower() + name[1:])


class RestXml(Query):
    """REST with XML: the errors of the query protocol; those of S3 stand alone."""

    content_type = "application/xml"

    def __init__(self, *, s3: bool) -> None:
        super().__init__()
        self._s3 = s3

    def error_body(self, error: ApiError, number: str) -> bytes:
        if not self._s3:
            return super().error_body(error, number)
        told = _code_and_message(self.code_of(error), error.message)
        return xml.element("Error", told + xml.element("RequestId", number)).encode()


class Cbor(Wire):
    """Smithy RPC v2 CBOR. An error is a map of two texts, which takes no library to write."""

    content_type = "application/cbor"

    def error_body(self, error: ApiError, number: str) -> bytes:  # noqa: ARG002
        words = ("__type", error.code, "message", error.message)
        return b"\xa2" + b"".join(_cbor_text(word.encode()) for word in words)

    def headers(self, error: ApiError) -> dict[str, str]:  # noqa: ARG002
        return {"smithy-protocol": "rpc-v2-cbor"}


def _parameters(body: bytes) -> dict[str, str]:
    return {key: value for key, value in forms.parse_form(body).items() if key not in ("Action", "Version")}


def _code_and_message(code: str, message: str) -> str:
    return xml.element("Code", xml.text(code)) + xml.element("Message", xml.text(message))


def _cbor_text(text: bytes) -> bytes:
    """RFC 8949: major type 3, here always with a length of four bytes."""
    return b"\x7a" + struct.pack(">I", len(text)) + text
