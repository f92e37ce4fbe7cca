"""Requests and responses of the account setting actions."""

from ecsctl.model.common import Setting, SettingName
from ecsctl.model.record import Record


class PutAccountSettingRequest(Record):
    """What PutAccountSetting takes (ECS API_PutAccountSetting)."""

    name: SettingName
    value: str
    principal_arn: str | None = None


class PutAccountSettingResponse(Record):
    """What PutAccountSetting answers (ECS API_PutAccountSetting)."""

    setting: Setting | None = None


class PutAccountSettingDefaultRequest(Record):
    """What PutAccountSettingDefault takes (ECS API_PutAccountSettingDefault)."""

    name: SettingName
    value: str


class PutAccountSettingDefaultResponse(Record):
    """What PutAccountSettingDefault answers (ECS API_PutAccountSettingDefault)."""

    setting: Setting | None = None


class ListAccountSettingsRequest(Record):
    """What ListAccountSettings takes (ECS API_ListAccountSettings)."""

    name: SettingName | None = None
    value: str | None = None
    principal_arn: str | None = None
    effective_settings: bool | None = None
    next_token: str | None = None
    max_results: int | None = None


class ListAccountSettingsResponse(Record):
    """What ListAccountSettings answers (ECS API_ListAccountSettings)."""

    settings: list[Setting] | None = None
    next_token: str | None = None


class DeleteAccountSettingRequest(Record):
    """What DeleteAccountSetting takes (ECS API_DeleteAccountSetting)."""

    name: SettingName
    principal_arn: str | None = None


class DeleteAccountSettingResponse(Record):
    """What DeleteAccountSetting answers (ECS API_DeleteAccountSetting)."""

    setting: Setting | None = None
