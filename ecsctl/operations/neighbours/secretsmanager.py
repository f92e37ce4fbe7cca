"""Secrets Manager: the secrets of the state (Secrets Manager API reference)."""

from __future__ import annotations

import hashlib

from ecsctl.model.arn import Arn
from ecsctl.model.errors import ApiError
from ecsctl.model.neighbours.secretsmanager import GetSecretValueRequest, GetSecretValueResponse
from ecsctl.model.secret import CURRENT, SecretRecord, parse_reference, secret_name
from ecsctl.operations.context import Context
from ecsctl.store.secret_table import SECRETS
from ecsctl.store.store import View


def resources(ctx: Context, request: GetSecretValueRequest) -> list[str]:
    """The ARN of the secret that is asked for, there or not."""
    with ctx.store.read() as view:
        found = _found(view, request.secret_id)
    return [_arn(ctx, found) if found else _arn_of(ctx, request.secret_id, "")]


def get_secret_value(ctx: Context, request: GetSecretValueRequest) -> GetSecretValueResponse:
    """A version of a secret, by its id, its stage, or both; else the current one (GetSecretValue)."""
    with ctx.store.read() as view:
        secret = _found(view, request.secret_id)
    if secret is None:
        raise ApiError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    stage = request.version_stage or (None if request.version_id else CURRENT)
    for version in secret.versions:
        if request.version_id in (None, version.id) and (stage is None or stage in version.stages):
            return GetSecretValueResponse(
                arn=_arn(ctx, secret),
                name=secret.name,
                version_id=version.id,
                secret_string=ctx.store.seal().open(version.sealed),
                version_stages=version.stages,
                created_date=version.created_at,
            )
    which = f"version: {request.version_id}" if request.version_id else f"staging label: {stage}"
    message = f"Secrets Manager can't find the specified secret value for {which[:200]}"
    raise ApiError("ResourceNotFoundException", message)


def _found(view: View, asked: str) -> SecretRecord | None:
    """By its name, or its ARN with or without the six characters that AWS adds."""
    try:
        names = parse_reference(asked).names if asked.startswith("arn:") else (secret_name(asked),)
    except ValueError:
        return None
    return next((found for name in names if (found := view.get(SECRETS, name)) is not None), None)


def _arn(ctx: Context, secret: SecretRecord) -> str:
    return _arn_of(ctx, secret.name, secret.created_at.isoformat())


def _arn_of(ctx: Context, name: str, made: str) -> str:
    """With six characters more, as AWS's: policies have `-??????` for them, and one that was made anew has others."""
    suffix = hashlib.sha256(f"{name} {made}".encode()).hexdigest()[:6]
    return str(Arn("aws", "secretsmanager", ctx.scope.region, ctx.scope.account, f"secret:{name}-{suffix}"))
