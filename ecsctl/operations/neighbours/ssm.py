"""Parameters of Systems Manager: the secrets of the state, each a SecureString (SSM API reference).

As there, one that is asked for without decryption is told as it is sealed.
"""

from __future__ import annotations

from contextlib import suppress

from ecsctl.model.arn import Arn
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.neighbours.ssm import (
    GetParameterRequest,
    GetParameterResponse,
    GetParametersByPathRequest,
    GetParametersByPathResponse,
    GetParametersRequest,
    GetParametersResponse,
    Parameter,
)
from ecsctl.model.record import Record
from ecsctl.model.secret import SecretRecord, secret_name
from ecsctl.operations.context import Context
from ecsctl.operations.neighbours.paging import window
from ecsctl.operations.pages import itself, page
from ecsctl.store.secret_table import SECRETS
from ecsctl.store.store import View

_MOST = 10
"""Parameters of one answer (GetParameters, GetParametersByPath)."""
_ARN = ":parameter/"


def resources(ctx: Context, request: Record) -> list[str]:
    """The ARNs of the parameters that are asked for."""
    if isinstance(request, GetParametersByPathRequest):
        return [_arn(ctx, request.path.lstrip("/"))]
    asked = request.names if isinstance(request, GetParametersRequest) else [getattr(request, "name", "")]
    return [_arn(ctx, _split(name)[0].removeprefix("/")) for name in asked]


def get_parameter(ctx: Context, request: GetParameterRequest) -> GetParameterResponse:
    """One, by its name or ARN, and if `:N` is behind that its N-th version (GetParameter)."""
    with ctx.store.read() as view:
        return GetParameterResponse(parameter=_parameter(ctx, view, request.name, bool(request.with_decryption)))


def get_parameters(ctx: Context, request: GetParametersRequest) -> GetParametersResponse:
    """Several; those that are not there are named apart (GetParameters)."""
    if not 1 <= len(request.names) <= _MOST:
        raise InputError(f"names: between 1 and {_MOST} can be given.")
    found: dict[str, Parameter] = {}
    with ctx.store.read() as view:
        for name in dict.fromkeys(request.names):
            with suppress(ApiError):
                found[name] = _parameter(ctx, view, name, bool(request.with_decryption))
    invalid = [name for name in dict.fromkeys(request.names) if name not in found]
    return GetParametersResponse(parameters=[*found.values()], invalid_parameters=invalid)


def get_parameters_by_path(ctx: Context, request: GetParametersByPathRequest) -> GetParametersByPathResponse:
    """Those under a path; with `recursive` also those further down (GetParametersByPath)."""
    if not request.path.startswith("/"):
        raise InputError(f"The parameter path {request.path[:100]!r} has to begin with /.")
    below = request.path.strip("/") + "/" if request.path.strip("/") else ""
    with ctx.store.read() as view:
        names = [secret.name for secret in view.find(SECRETS) if secret.name.startswith(below)]
        wanted = [name for name in names if request.recursive or "/" not in name[len(below) :]]
        listed, more = page(wanted, itself, window(request.next_token, request.max_results, _MOST))
        found = [_parameter(ctx, view, f"/{name}", bool(request.with_decryption)) for name in listed]
    return GetParametersByPathResponse(parameters=found, next_token=more)


def _parameter(ctx: Context, view: View, asked: str, opened: bool) -> Parameter:
    name, selector = _split(asked)
    secret = _secret(view, name)
    number = len(secret.versions)
    if selector:
        number = int(selector[1:]) if selector[1:].isdecimal() and len(selector) < 20 else 0
        if not 1 <= number <= len(secret.versions):
            raise ApiError("ParameterVersionNotFound", f"Systems Manager could not find version {selector} of {name}.")
    version = secret.versions[len(secret.versions) - number]
    return Parameter(
        name=name,
        type="SecureString",
        value=ctx.store.seal().open(version.sealed) if opened else version.sealed,
        version=number,
        last_modified_date=version.created_at,
        arn=_arn(ctx, secret.name),
        data_type="text",
        selector=selector or None,
    )


def _secret(view: View, name: str) -> SecretRecord:
    try:
        found = view.get(SECRETS, secret_name(name))
    except ValueError:
        found = None
    if found is None:
        raise ApiError("ParameterNotFound", f"Parameter {name[:200]} not found.")
    return found


def _split(asked: str) -> tuple[str, str]:
    """The name, which of an ARN is what it ends in, and the `:…` behind it."""
    name = asked
    if asked.startswith("arn:"):
        _, found, rest = asked.partition(_ARN)
        name = f"/{rest}" if found and "/" in rest else rest
    name, colon, selector = name.partition(":")
    return name, colon + selector


def _arn(ctx: Context, name: str) -> str:
    return str(Arn("aws", "ssm", ctx.scope.region, ctx.scope.account, f"parameter/{name}"))
