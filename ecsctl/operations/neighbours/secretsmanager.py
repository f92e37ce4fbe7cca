"""Secrets Manager: the secrets of the state (Secrets Manager API reference)."""

from __future__ import annotations

import hashlib
import re

from ecsctl.model.arn import Arn
from ecsctl.model.errors import ApiError
from ecsctl.model.neighbours.secretsmanager import (
    Filter,
    GetSecretValueRequest,
    GetSecretValueResponse,
    ListSecretsRequest,
    ListSecretsResponse,
    SecretListEntry,
)
from ecsctl.model.secret import CURRENT, SecretRecord, parse_reference, secret_name
from ecsctl.operations.context import Context
from ecsctl.operations.neighbours.paging import window
from ecsctl.operations.pages import Text, page
from ecsctl.store.secret_table import SECRETS
from ecsctl.store.store import Place, View
from ecsctl.store.tables import timestamp

_PAGE = 100
"""Secrets of one answer (ListSecrets)."""


def resources(ctx: Context, request: GetSecretValueRequest | ListSecretsRequest) -> list[str]:
    """The ARN of the secret that is asked for, there or not."""
    if isinstance(request, ListSecretsRequest):
        return ["*"]
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


def list_secrets(ctx: Context, request: ListSecretsRequest) -> ListSecretsResponse:
    """What there is, without the values; those that pass each of the filters (ListSecrets)."""
    with ctx.store.read() as view:
        secrets = view.find(SECRETS)
    found = [one for one in secrets if all(_passes(one, chosen) for chosen in request.filters or ())]

    def place(one: SecretRecord) -> Place:
        moment = one.versions[0].created_at if request.sort_by == "last-changed-date" else one.created_at
        return "" if request.sort_by == "name" else timestamp(moment), one.name

    part = window(request.next_token, request.max_results, _PAGE, tuple[Text, Text])
    listed, more = page(found, place, part, falling=request.sort_order == "desc")
    return ListSecretsResponse(
        secret_list=[
            SecretListEntry(
                arn=_arn(ctx, one),
                name=one.name,
                created_date=one.created_at,
                last_changed_date=one.versions[0].created_at,
                secret_versions_to_stages={version.id: version.stages for version in one.versions if version.stages},
            )
            for one in listed
        ],
        next_token=more,
    )


def _passes(secret: SecretRecord, chosen: Filter) -> bool:
    """Whether one of the values fits, or one with a `!` in front does not."""
    return any(_fits(secret, chosen.key, value.removeprefix("!")) != value.startswith("!") for value in chosen.values)


def _fits(secret: SecretRecord, key: str, value: str) -> bool:
    """Of a secret its name is known: by `name` it fits as it begins, by `all` as one of its words does, in any case."""
    if key == "all":
        words = re.split("[^a-z0-9]+", secret.name.lower())
        return any(word.startswith(part) for part in re.findall("[a-z0-9]+", value.lower()) for word in words)
    return key == "name" and secret.name.startswith(value)


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
