"""Signatures: botocore's own signer is the measure; what was changed since, or is not as it has to be, is refused."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from ecsctl.model.errors import ApiError
from ecsctl.operations.access import HiddenStr, Key, Principal
from ecsctl.server.protocol import CONTENT_TYPE, PREFIX, status_of
from ecsctl.server.sigv4 import GENERIC, Received, canonical_request, signature, verify

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
USER = Principal("arn:aws:iam::000000000000:user/ci", "000000000000", "AIDAEXAMPLE", "ci")
KEY = Key("AKIDEXAMPLE", HiddenStr("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), USER)
SESSION = Key("ASIAEXAMPLE", HiddenStr("another"), USER, HiddenStr("to+ken=="), NOW + timedelta(hours=1))
OLD = Key("ASIAOLD", HiddenStr("another"), USER, HiddenStr("to+ken=="), NOW - timedelta(seconds=1))
KEYS = {key.access_key_id: key for key in (KEY, SESSION, OLD)}
BODY = b'{"taskDefinition":"app"}'


def signed(
    key: Key = KEY,
    *,
    method: str = "POST",
    url: str = "http://127.0.0.1:8478/",
    body: bytes = BODY,
    region: str = "us-east-1",
    service: str = "ecs",
    at: datetime = NOW,
    token: str | None = None,
    auth: type[SigV4Auth] = SigV4Auth,
    **headers: str,
) -> Received:
    """What botocore sends."""
    given = {"X-Amz-Target": PREFIX + "RunTask", "Content-Type": CONTENT_TYPE, **headers}
    request = AWSRequest(method, url, {name.replace("_", "-"): value for name, value in given.items()}, body)
    credentials = Credentials(key.access_key_id, str.__str__(key.secret), token or key.token)
    with patch("botocore.auth.get_current_datetime", lambda **_: at.replace(tzinfo=None)):
        auth(credentials, service, region).add_auth(request)
    sent = request.prepare()
    path, _, query = sent.url.partition("//")[2].partition("/")[2].partition("?")
    found = [(name.lower().encode(), str(value).encode()) for name, value in _texts(sent.headers)]
    if b"host" not in dict(found):
        found.append((b"host", url.split("/")[2].encode()))
    return Received(method, b"/" + path.encode(), query.encode(), found, body)


def _texts(headers: Any) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        yield name, value.decode() if isinstance(value, bytes) else value


def check(received: Received, now: datetime = NOW) -> Principal:
    return verify(
        received, KEYS.get, now, services=("ecs",), regions=lambda name: name in ("us-east-1", "eu-west-1")
    ).key.principal


def refused(received: Received, now: datetime = NOW) -> tuple[str, str]:
    with pytest.raises(ApiError) as caught:
        check(received, now)
    assert "\n" not in caught.value.message
    return caught.value.code, caught.value.message


def with_header(received: Received, name: str, *values: str) -> Received:
    others = [(found, value) for found, value in received.headers if found != name.encode()]
    return received._replace(headers=[*others, *((name.encode(), value.encode()) for value in values)])


def edited(received: Received, old: str, new: str) -> Received:
    """With another text in its header Authorization."""
    (value,) = received.values("authorization")
    assert old in value.decode()
    return with_header(received, "authorization", value.decode().replace(old, new, 1))


def resigned(received: Received, names: Sequence[str], key: Key = KEY) -> Received:
    """Signed anew, over the headers of these names."""
    digest = hashlib.sha256(received.body).hexdigest()
    moment, scope = NOW.strftime("%Y%m%dT%H%M%SZ"), f"{NOW:%Y%m%d}/us-east-1/ecs/aws4_request"
    made = signature(key.secret, moment, scope, canonical_request(received, names, digest))
    said = f"AWS4-HMAC-SHA256 Credential={key.access_key_id}/{scope}, SignedHeaders={';'.join(names)}, Signature={made}"
    return with_header(received, "authorization", said)


@pytest.mark.parametrize(
    "received",
    [
        signed(),
        signed(SESSION),
        signed(region="eu-west-1"),
        signed(body=b""),
        signed(body="é\0".encode()),
        signed(url="https://ecs.example.com/"),
        signed(url="http://[::1]:8478/"),
        signed(url="http://127.0.0.1:8478/a//b/../c%20d/é/?b=2&a=1&a=0&empty&c=%2F~"),
        resigned(signed(), ["host", "x-amz-date", "x-amz-target"]),
        signed(X_Amz_Extra="  a   b  "),
        signed(Date="Sun, 01 Mar 2026 12:00:00 GMT"),
        signed(X_Amz_Content_SHA256=hashlib.sha256(BODY).hexdigest()),
    ],
)
def test_what_botocore_signs_is_of_who_has_the_key(received: Received) -> None:
    assert check(received) == USER


def test_a_signature_says_for_what_it_is() -> None:
    done = verify(signed(), KEYS.get, NOW, services=("ecs", "sts"), regions=lambda _: True)
    assert (done.service, done.region, done.key) == ("ecs", "us-east-1", KEY)
    assert f"Signature={done.signature}".encode() in signed().values("authorization")[0]


HOST, DATE = (b"host", b"example.amazonaws.com"), (b"x-amz-date", b"20150830T123600Z")


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "wanted"),
    [
        ("GET", b"/", b"", [], b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", b"/", b"", [], b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            *("GET", b"/", b"Param2=value2&Param1=value1", [], b""),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("GET", b"/./", b"", [], b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            *("GET", b"/example1/example2/../..", b"", [], b""),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        ("GET", b"//example//", b"", [], b"", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        ("GET", b"/./example", b"", [], b"", "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
        (
            *("GET", b"/", b"", [(b"my-header1", b" value1"), (b"my-header2", b' "a   b   c"')], b""),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            *("GET", b"/", "ሴ=bar".encode(), [], b""),
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            *("POST", b"/", b"", [(b"content-type", b"application/x-www-form-urlencoded")], b"Param1=value1"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            *("POST", b"/", b"", [(b"my-header1", b"VALUE1")], b""),
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
    ],
)
def test_the_cases_of_amazons_test_suite_have_its_signatures(
    method: str, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes, wanted: str
) -> None:
    received = Received(method, path, query, [HOST, DATE, *headers], body)
    names = sorted(name.decode() for name, _ in received.headers)
    canonical = canonical_request(received, names, hashlib.sha256(body).hexdigest())
    assert signature(KEY.secret, "20150830T123600Z", "20150830/us-east-1/service/aws4_request", canonical) == wanted


def test_a1_an_unsigned_request_has_no_token() -> None:
    assert refused(with_header(signed(), "authorization")) == (
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    )


def test_a2_an_unknown_key_and_a_wrong_secret_are_told_the_same_and_as_fast() -> None:
    known, unknown = (
        signed(Key(KEY.access_key_id, HiddenStr("guess"), USER)),
        signed(Key("AKIDNOBODY", KEY.secret, USER)),
    )
    assert refused(known) == ("InvalidSignatureException", GENERIC)
    assert refused(unknown) == ("UnrecognizedClientException", GENERIC)

    def seconds(received: Received) -> float:
        def once() -> float:
            began = time.perf_counter()
            refused(received)
            return time.perf_counter() - began

        return min(once() for _ in range(200))

    assert abs(seconds(known) - seconds(unknown)) < 0.001


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (
            301,
            "Signature expired: 20260301T120000Z is now earlier than 20260301T120001Z (20260301T120501Z - 5 min.)",
        ),
        (
            -360,
            "Signature not yet current: 20260301T120000Z is still later than 20260301T115900Z "
            "(20260301T115400Z + 5 min.)",
        ),
    ],
)
def test_a3_one_of_another_time_is_refused_with_both_times(seconds: int, said: str) -> None:
    assert refused(signed(), NOW + timedelta(seconds=seconds)) == ("InvalidSignatureException", said)


def test_a3_five_minutes_are_not_too_much() -> None:
    assert check(signed(), NOW + timedelta(minutes=5)) == USER
    assert check(signed(), NOW - timedelta(minutes=5)) == USER


@pytest.mark.parametrize(
    "changed",
    [
        signed()._replace(body=BODY.replace(b"app", b"apq")),
        signed()._replace(path=b"/x"),
        signed()._replace(query=b"a=b"),
        signed()._replace(method="PUT"),
        with_header(signed(), "x-amz-target", PREFIX + "StopTask"),
        with_header(signed(), "host", "127.0.0.1:8479"),
        with_header(signed(), "content-type", "application/json"),
        with_header(signed(), "x-amz-date", "20260301T120001Z"),
        edited(signed(), "/us-east-1/", "/eu-west-1/"),
        edited(signed(), "SignedHeaders=content-type;host", "SignedHeaders=accept;content-type;host"),
    ],
)
def test_a5_what_was_changed_is_refused(changed: Received) -> None:
    assert refused(changed)[0] == "InvalidSignatureException"


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a5_a_single_byte_anywhere_makes_it_another_request(data: st.DataObject) -> None:
    received = signed(data.draw(st.sampled_from((KEY, SESSION))), body=data.draw(st.binary(max_size=40)))
    names = [name.decode() for name, _ in received.headers if name != b"content-length"]  # which is not signed
    place = data.draw(st.sampled_from(("method", "path", "query", "body", *names)))
    whole = received.values(place)[0] if place in names else _bytes(getattr(received, place))
    at = data.draw(st.integers(0, max(len(whole) - 1, 0)))
    byte = bytes([data.draw(st.integers(0x21, 0x7E))])
    changed = data.draw(st.sampled_from((whole[:at] + byte + whole[at + 1 :], whole[:at] + byte + whole[at:])))
    if place in names:
        other = with_header(received, place, changed.decode("latin-1"))
    else:
        parts: dict[str, Any] = {place: changed.decode("latin-1") if place == "method" else changed}
        other = received._replace(**parts)
    same = place == "path" and changed.replace(b"/", b"").replace(b".", b"") == b""  # `//` is `/` to both sides
    # A parameter that is empty is none.
    if changed == whole or same or (place == "query" and changed == b"&"):
        assert check(other) == USER
    else:
        code, _ = refused(other)
        assert status_of(ApiError(code, "")) in (400, 403)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


@given(
    st.lists(st.tuples(st.sampled_from(("x-amz-date", "date", "host", "x-amz-target", "x-é")), st.binary())),
    st.binary(),
    st.sampled_from((b"", b"AWS4-HMAC-SHA256 ", signed().values("authorization")[0].partition(b"SignedHeaders")[0])),
    st.binary(),
)
@settings(max_examples=200, deadline=None)
def test_whatever_else_is_sent_is_refused_in_words(headers: Any, query: bytes, start: bytes, tail: bytes) -> None:
    named = [(name.encode("latin-1"), value) for name, value in headers]
    refused(Received("POST", b"/", query, [*named, (b"authorization", start + tail)], b""))


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (
            resigned(signed(), ["content-type", "host", "x-amz-date"]),
            "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            with_header(resigned(signed(), ["host", "x-amz-date", "x-amz-target"]), "content-type", "a/b", "c/d"),
            "'content-type' must be in the request exactly once",
        ),
        (resigned(signed(), ["content-type", "x-amz-date", "x-amz-target"]), "'host' must be a 'SignedHeader'"),
        (
            resigned(signed(SESSION), ["content-type", "host", "x-amz-date", "x-amz-target"], SESSION),
            "'x-amz-security-token' must be a 'SignedHeader'",
        ),
        (
            with_header(signed(), "x-amz-target", PREFIX + "RunTask", PREFIX + "RunTask"),
            "The signed header 'x-amz-target' must be in the request exactly once.",
        ),
        (with_header(signed(), "host", "127.0.0.1:8478", "evil.example"), "'host' must be in the request exactly once"),
        (resigned(signed(), ["host", "content-type", "x-amz-date", "x-amz-target"]), "in lower case, sorted"),
        (edited(signed(), "content-type;host", "content-type;host;host"), "in lower case, sorted"),
        (edited(signed(), "content-type", "Content-Type"), "in lower case, sorted"),
        (with_header(signed(), "x-amz-late", "1"), "'x-amz-late' must be a 'SignedHeader'"),
    ],
)
def test_a6_headers_that_are_not_signed_or_are_there_twice_are_refused(received: Received, said: str) -> None:
    code, message = refused(received)
    assert code == "InvalidSignatureException"
    assert said in message


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (signed(service="s3"), "Credential should be scoped to correct service: 'ecs'."),
        (signed(region="eu-x"), "Credential should be scoped to a valid region, not 'eu-x'."),
        (
            edited(signed(), "/20260301/", "/20260228/"),
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            "'20260228' != '20260301', from '20260301T120000Z'.",
        ),
        (edited(signed(), "aws4_request", "aws5"), "Credential should be scoped with a valid terminator"),
    ],
)
def test_a7_one_for_something_else_is_refused_with_amazons_sentence(received: Received, said: str) -> None:
    code, message = refused(received)
    assert code == "InvalidSignatureException"
    assert message.startswith(said)


@pytest.mark.parametrize(
    "received",
    [
        signed()._replace(query=b"X-Amz-Signature=1"),
        signed()._replace(query=b"a=b&x%2damz-Algorithm=AWS4-HMAC-SHA256"),
        signed(method="GET", auth=SigV4QueryAuth),
    ],
)
def test_a8_a_signature_in_the_query_is_refused_with_another_or_alone(received: Received) -> None:
    assert b"x-amz" in received.query.lower().replace(b"%2d", b"-")
    code, message = refused(received)
    assert code == "IncompleteSignature"
    assert "Presigned requests are not taken here" in message


@pytest.mark.parametrize(
    ("received", "code"),
    [
        (signed(OLD), "ExpiredTokenException"),
        (signed(SESSION, token="another's"), "UnrecognizedClientException"),
        (signed(KEY, token="another's"), "UnrecognizedClientException"),
        (signed(Key(SESSION.access_key_id, SESSION.secret, USER)), "UnrecognizedClientException"),
        (signed(Key(OLD.access_key_id, HiddenStr("guess"), USER, OLD.token)), "InvalidSignatureException"),
    ],
)
def test_a9_a_session_has_its_own_token_and_an_end(received: Received, code: str) -> None:
    assert refused(received)[0] == code


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: with_header(r, "authorization", "Basic dXNlcjpwYXNz"), "Unsupported AWS 'algorithm'"),
        (lambda r: edited(r, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"), "Unsupported AWS 'algorithm'"),
        (lambda r: with_header(r, "authorization", "AWS4-HMAC-SHA256"), "not a key=value pair"),
        (lambda r: edited(r, "Signature=", "Nature="), "Authorization header requires 'Signature' parameter."),
        (lambda r: edited(r, "Credential=", "Other="), "Authorization header requires 'Credential' parameter."),
        (lambda r: edited(r, "Credential=", "Credential=a,Credential="), "'Credential' more than once"),
        (lambda r: edited(r, "Credential=", "Extra=a,Credential="), "parameter that is not known"),
        (lambda r: edited(r, "/us-east-1/", "/"), "Credential must have exactly 5 slash-delimited elements"),
        (lambda r: with_header(r, "authorization", *["AWS4-HMAC-SHA256 a=b"] * 2), "given more than once"),
        (lambda r: with_header(r, "x-amz-date"), "requires existence of either a 'X-Amz-Date' or a 'Date' header"),
        (lambda r: with_header(r, "x-amz-date", "today"), "Date must be in ISO-8601 'basic format'. Got 'today'."),
        (lambda r: with_header(r, "x-amz-date", "20260230T000000Z"), "Date must be in ISO-8601"),
        (lambda r: with_header(r, "x-amz-date", "\u0662\u0660260301T120000Z"), "Date must be in ISO-8601"),
        (
            lambda r: with_header(with_header(r, "x-amz-date"), "date", "Fri, 31 Dec 9999 23:59:59 -2359"),
            "Date must be in ISO-8601",
        ),
    ],
)
def test_what_is_not_a_signature_is_incomplete(change: Callable[[Received], Received], said: str) -> None:
    code, message = refused(change(signed()))
    assert code == "IncompleteSignature"
    assert said in message


@pytest.mark.parametrize("said", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0" * 64])
def test_a_body_has_to_be_signed(said: str) -> None:
    code, message = refused(signed(X_Amz_Content_SHA256=said))
    assert code == "InvalidSignatureException"
    assert "is not the SHA-256 of the body" in message


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("MissingAuthenticationTokenException", 403),
        ("IncompleteSignature", 403),
        ("UnrecognizedClientException", 403),
        ("ExpiredTokenException", 403),
        ("InvalidSignatureException", 400),
        ("TooManyRequestsException", 429),
        ("ThrottlingException", 400),
    ],
)
def test_each_refusal_has_the_status_of_amazons(code: str, status: int) -> None:
    assert status_of(ApiError(code, "")) == status
