"""Signature Version 4: who signed a request, and that nobody changed it since. Pure: the clock and the keys are given.

Sources: IAM user guide, "Create a signed AWS API request" and "Troubleshoot Signature Version 4 for AWS API requests";
ECS API reference, "Common Errors". The sentences are AWS's where AWS has one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ecsctl.model.errors import ApiError
from ecsctl.operations.access import Key

ALGORITHM = "AWS4-HMAC-SHA256"
WINDOW = timedelta(minutes=5)
"""How far the date of a request may be from ours: ECS's, in either direction."""
GENERIC = (
    "The security token included in the request is invalid, or the request signature we calculated does not match the "
    "signature you provided. Check your access key ID, your secret access key and the signing method."
)
"""Said of an unknown key and of a wrong signature alike."""
_ISO = "%Y%m%dT%H%M%SZ"
_TERMINATOR = "aws4_request"
_IN_QUERY = frozenset({"x-amz-algorithm", "x-amz-credential", "x-amz-signature"})
_NOBODYS = secrets.token_urlsafe(30)
"""The secret that is reckoned with where a key is unknown, so that it takes as long."""


class Received(NamedTuple):
    """A request as it came over the wire. `path` and `query` are raw; names of headers are in lower case."""

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def values(self, name: str) -> list[bytes]:
        """All that a header of that name said."""
        wanted = name.encode("latin-1")
        return [value for found, value in self.headers if found == wanted]


class Signed(NamedTuple):
    """A request whose signature is that of the key, for a region and a service."""

    key: Key
    region: str
    service: str
    signature: str


class _Claim(NamedTuple):
    """What the header Authorization says."""

    key_id: str
    date: str
    region: str
    service: str
    signed: list[str]
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/{_TERMINATOR}"


def verify(
    received: Received,
    find_key: Callable[[str], Key | None],
    now: datetime,
    *,
    services: Collection[str],
    regions: Callable[[str], bool],
) -> Signed:
    """Who signed it. ApiError, in AWS's words, when anything is not as it has to be.

    `services` are those that it may be for, `regions` says whether a region is one of ours.
    """
    claim = _claim(received, services, regions)
    moment = _moment(received, claim, now)
    _check_signed(received, claim)
    canonical = canonical_request(received, claim.signed, _digest(received))
    key = find_key(claim.key_id) if claim.key_id.isascii() else None
    wanted = signature(key.secret if key else _NOBODYS, moment, claim.scope, canonical)
    same = hmac.compare_digest(wanted.encode(), claim.signature.encode("utf-8", "surrogateescape"))
    if key is None:
        raise unrecognized()
    if not same:
        raise _invalid(GENERIC)
    token = b"".join(received.values("x-amz-security-token"))
    if not hmac.compare_digest((key.token or "").encode(), token):
        raise unrecognized()
    if key.expires_at is not None and key.expires_at <= now:
        raise ApiError("ExpiredTokenException", "The security token included in the request is expired")
    return Signed(key, claim.region, claim.service, claim.signature)


def canonical_request(received: Received, signed: Sequence[str], digest: str) -> bytes:
    """What is signed of a request, each thing in the one form that both sides give it."""
    headers = (b"%s:%s\n" % (name.encode("latin-1"), b" ".join(received.values(name)[0].split())) for name in signed)
    return b"\n".join(
        (
            received.method.encode(),
            _canonical_path(received.path),
            _canonical_query(received.query),
            b"".join(headers),
            ";".join(signed).encode("latin-1"),
            digest.encode(),
        )
    )


def signature(secret: str, moment: str, scope: str, canonical: bytes) -> str:
    """In hexadecimal digits. `moment` as in `X-Amz-Date`, `scope` as in `Credential`, without the id of the key."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode("utf-8", "surrogateescape"), "sha256")
    text = f"{ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    return hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256").hex()


def _claim(received: Received, services: Collection[str], regions: Callable[[str], bool]) -> _Claim:
    headers = received.values("authorization")
    names = {unquote_to_bytes(pair.partition(b"=")[0]).decode("latin-1").lower() for pair in received.query.split(b"&")}
    if names & _IN_QUERY:
        raise _incomplete("Presigned requests are not taken here: sign by the header Authorization, and only there.")
    if not headers:
        raise ApiError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if len(headers) > 1:
        raise _incomplete("The header Authorization is given more than once.")
    algorithm, _, rest = headers[0].decode("utf-8", "surrogateescape").partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': expected '{ALGORITHM}'.")
    found = _parts(rest)
    credential = found["Credential"].split("/")
    if len(credential) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got {_shown(found['Credential'])}."
        )
    key_id, date, region, service, terminator = credential
    if terminator != _TERMINATOR:
        raise _invalid(f"Credential should be scoped with a valid terminator: '{_TERMINATOR}'.")
    if service not in services:
        raise _invalid(f"Credential should be scoped to correct service: {', '.join(map(repr, sorted(services)))}.")
    if not regions(region):
        raise _invalid(f"Credential should be scoped to a valid region, not {_shown(region)}.")
    return _Claim(key_id, date, region, service, found["SignedHeaders"].split(";"), found["Signature"])


def _parts(text: str) -> dict[str, str]:
    """`Credential`, `SignedHeaders` and `Signature`, each once."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise _incomplete("a part of the header Authorization is not a key=value pair (missing equal-sign).")
        if name in found:
            raise _incomplete(f"Authorization header has {_shown(name)} more than once.")
        found[name] = value
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not found.get(name)]
    if missing:
        raise _incomplete(" ".join(f"Authorization header requires '{name}' parameter." for name in missing))
    if len(found) > 3:
        raise _incomplete("Authorization header has a parameter that is not known.")
    return found


def _moment(received: Received, claim: _Claim, now: datetime) -> str:
    """When it was signed, as in `X-Amz-Date`; that has to be now, and the day of the credential."""
    amazon, plain = received.values("x-amz-date"), received.values("date")
    if not amazon and not plain:
        raise _incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    moment = _iso((amazon or plain)[0].decode("latin-1"), plain_date=not amazon)
    if moment is None:
        raise _incomplete(
            f"Date must be in ISO-8601 'basic format'. Got {_shown((amazon or plain)[0].decode('latin-1'))}. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        )
    text = moment.strftime(_ISO)
    if claim.date != text[:8]:
        raise _invalid(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"{_shown(claim.date)} != '{text[:8]}', from '{text}'."
        )
    early, late, here = ((now + by).strftime(_ISO) for by in (-WINDOW, WINDOW, timedelta()))
    if moment < now - WINDOW:
        raise _invalid(f"Signature expired: {text} is now earlier than {early} ({here} - 5 min.)")
    if moment > now + WINDOW:
        raise _invalid(f"Signature not yet current: {text} is still later than {late} ({here} + 5 min.)")
    return text


def _iso(text: str, *, plain_date: bool) -> datetime | None:
    try:
        if re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", text):
            return datetime.strptime(text, _ISO).replace(tzinfo=timezone.utc)
        moment = parsedate_to_datetime(text) if plain_date else None
        if moment is None or moment.tzinfo is None:  # `-0000`: by no clock in particular
            return moment and moment.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):  # also of the year 10000 by our clock
        return None


def _check_signed(received: Received, claim: _Claim) -> None:
    """Each header that means something is signed, and there once: of two it would not be said which one counts.

    The type of the body may be left out, as SDKs do (JavaScript's v2, PHP's): what is asked is in what must be signed.
    """
    signed = claim.signed
    if signed != sorted(set(signed)) or any(name != name.lower() for name in signed):
        raise _invalid("'SignedHeaders' must be names in lower case, sorted, each of them once.")
    present = {name.decode("latin-1") for name, _ in received.headers}
    needed = {"host"} | {name for name in present if name.startswith("x-amz-")}
    if missing := sorted(needed - set(signed)):
        raise _invalid(f"'{missing[0]}' must be a 'SignedHeader' in the AWS Authorization.")
    for name in [*signed, *({"content-type"} & present)]:
        if not name.isascii() or len(received.values(name)) != 1:
            raise _invalid(f"The signed header {_shown(name)} must be in the request exactly once.")


def _digest(received: Received) -> str:
    """That of the body, in hexadecimal digits; where the request says it too, it is that."""
    digest = hashlib.sha256(received.body).hexdigest()
    for said in received.values("x-amz-content-sha256"):
        if not hmac.compare_digest(said, digest.encode()):
            raise _invalid("'x-amz-content-sha256' is not the SHA-256 of the body, which has to be signed here.")
    return digest


def _canonical_path(path: bytes) -> bytes:
    """Without empty steps and dots, and encoded a second time, as of every service but S3."""
    steps: list[bytes] = []
    for step in path.split(b"/"):
        if step == b"..":
            del steps[-1:]
        elif step not in (b"", b"."):
            steps.append(step)
    trailing = b"/" if steps and path.endswith((b"/", b"/.", b"/..")) else b""
    return quote_from_bytes(b"/" + b"/".join(steps) + trailing, safe="/~").encode()


def _canonical_query(query: bytes) -> bytes:
    pairs = []
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if pair:
            pairs.append(tuple(quote_from_bytes(unquote_to_bytes(part), safe="~").encode() for part in (name, value)))
    return b"&".join(b"%s=%s" % pair for pair in sorted(pairs))


def _shown(text: str) -> str:
    """What a client said, in a message: short, and nothing in it that is not printable."""
    return ascii(text[:64])


def _incomplete(message: str) -> ApiError:
    return ApiError("IncompleteSignature", message)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidSignatureException", message)


def unrecognized() -> ApiError:
    """What is said of a key that is not honoured."""
    return ApiError("UnrecognizedClientException", GENERIC)
