"""The account setting actions.

A setting is of a principal and a region; that of the root user is the default of all who have none of their own. Two
have an effect: `containerInsights` on new clusters, `defaultLogDriverMode` on new tasks. The others are kept and shown.
"""

from __future__ import annotations

import re

from ecsctl.model.account_records import AccountSetting
from ecsctl.model.account_settings import AWS_MANAGED, VALUES, root_of, setting_key
from ecsctl.model.api.account_settings import (
    DeleteAccountSettingRequest,
    DeleteAccountSettingResponse,
    ListAccountSettingsRequest,
    ListAccountSettingsResponse,
    PutAccountSettingDefaultRequest,
    PutAccountSettingDefaultResponse,
    PutAccountSettingRequest,
    PutAccountSettingResponse,
)
from ecsctl.model.common import Setting, SettingName
from ecsctl.model.errors import ApiError, invalid_parameter
from ecsctl.operations.context import Context
from ecsctl.operations.pages import Number, page, window
from ecsctl.store.account_tables import ACCOUNT_SETTINGS
from ecsctl.store.store import View

_OF_ROOT_ONLY = ("fargateTaskRetirementWaitPeriod",)
_PAGE = 10
"""The most settings in an answer (ECS API_ListAccountSettings, maxResults)."""


def put_account_setting(ctx: Context, request: PutAccountSettingRequest) -> PutAccountSettingResponse:
    """Set it for the principal that calls, or the one that is named (ECS API_PutAccountSetting)."""
    principal = _principal(ctx, request.principal_arn)
    if request.name in _OF_ROOT_ONLY and principal != root_of(ctx.scope.account):
        raise invalid_parameter(f"{request.name} can only be set for the root user.")
    return PutAccountSettingResponse(setting=_put(ctx, principal, request.name, request.value))


def put_account_setting_default(
    ctx: Context, request: PutAccountSettingDefaultRequest
) -> PutAccountSettingDefaultResponse:
    """Set it for all who have none of their own (ECS API_PutAccountSettingDefault)."""
    setting = _put(ctx, root_of(ctx.scope.account), request.name, request.value)
    return PutAccountSettingDefaultResponse(setting=setting)


def delete_account_setting(ctx: Context, request: DeleteAccountSettingRequest) -> DeleteAccountSettingResponse:
    """Take a principal's own setting away; the answer is what holds then (ECS API_DeleteAccountSetting)."""
    principal = _principal(ctx, request.principal_arn)
    _check_settable(request.name)
    with ctx.store.write() as tx:
        tx.delete(ACCOUNT_SETTINGS, key=setting_key(ctx.scope.key, principal, request.name))
        return DeleteAccountSettingResponse(setting=_effective(tx, ctx, principal, request.name))


def list_account_settings(ctx: Context, request: ListAccountSettingsRequest) -> ListAccountSettingsResponse:
    """What a principal has set; with `effectiveSettings` all that holds for it (ECS API_ListAccountSettings)."""
    if request.value is not None and request.name is None:
        raise invalid_parameter("value: give the name of the setting too.")
    principal = _principal(ctx, request.principal_arn)
    names = [request.name] if request.name else list(VALUES)
    with ctx.store.read() as view:
        look = _effective if request.effective_settings else _own
        found = [look(view, ctx, principal, name) for name in names]
    wanted = [
        (number, setting) for number, setting in enumerate(found) if setting and request.value in (None, setting.value)
    ]
    part = window(request.next_token, request.max_results, most=_PAGE, kind=tuple[Number])
    chosen, token = page(wanted, lambda one: one[:1], part)
    return ListAccountSettingsResponse(settings=[setting for _, setting in chosen], next_token=token)


def effective_value(view: View, ctx: Context, name: SettingName) -> str:
    """What holds for the principal that calls."""
    return str(_effective(view, ctx, _caller(ctx), name).value)


def _put(ctx: Context, principal: str, name: SettingName, value: str) -> Setting:
    _check_settable(name)
    if value not in VALUES[name]:
        known = " or ".join(VALUES[name])
        raise invalid_parameter(f"value: {name} can be {known} here, not {value[:40]!r}.")
    with ctx.store.write() as tx:
        tx.put(ACCOUNT_SETTINGS, AccountSetting(scope=ctx.scope.key, principal_arn=principal, name=name, value=value))
    return _shape(principal, name, value)


def _check_settable(name: SettingName) -> None:
    if name in AWS_MANAGED:
        raise invalid_parameter(f"{name} is read-only.")


def _principal(ctx: Context, given: str | None) -> str:
    """Whose settings are meant. AccessDeniedException for those of others, unless it is the root user who asks."""
    caller, root = _caller(ctx), root_of(ctx.scope.account)
    if given is None:
        return caller
    if given != root and not re.fullmatch(root.replace("root", r"(user|role)/[\w+=,.@/-]{1,576}"), given, re.ASCII):
        raise invalid_parameter(f"principalArn: {given[:80]!r} is no user, role or root user of {ctx.scope.account}.")
    if given != caller and caller != root:
        raise ApiError("AccessDeniedException", "Only the root user may see and change the settings of others.")
    return given


def _caller(ctx: Context) -> str:
    """Who asks; of the session of a role, the role."""
    return re.sub(r"^arn:aws:sts::(\d+):assumed-role/([^/]+)/.*", r"arn:aws:iam::\1:role/\2", ctx.caller)


def _own(view: View, ctx: Context, principal: str, name: SettingName) -> Setting | None:
    found = view.get(ACCOUNT_SETTINGS, setting_key(ctx.scope.key, principal, name))
    return _shape(principal, name, found.value) if found else None


def _effective(view: View, ctx: Context, principal: str, name: SettingName) -> Setting:
    root = root_of(ctx.scope.account)
    return _own(view, ctx, principal, name) or _own(view, ctx, root, name) or _shape(root, name, VALUES[name][0])


def _shape(principal: str, name: SettingName, value: str) -> Setting:
    return Setting(
        name=name, value=value, principal_arn=principal, type="aws_managed" if name in AWS_MANAGED else "user"
    )
