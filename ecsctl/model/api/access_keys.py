"""Requests and responses of the actions on access keys."""

from datetime import datetime

from ecsctl.model.iam import IamShape, KeyStatus


class AccessKey(IamShape):
    """IAM API_AccessKey. The one place where the secret is told, once."""

    user_name: str
    access_key_id: str
    status: KeyStatus
    secret_access_key: str
    create_date: datetime

    def __repr__(self) -> str:
        return f"AccessKey({self.access_key_id})"


class AccessKeyMetadata(IamShape):
    """IAM API_AccessKeyMetadata."""

    user_name: str
    access_key_id: str
    status: KeyStatus
    create_date: datetime


class CreateAccessKeyRequest(IamShape):
    """IAM API_CreateAccessKey."""

    user_name: str


class CreateAccessKeyResponse(IamShape):
    """IAM API_CreateAccessKey."""

    access_key: AccessKey


class ListAccessKeysRequest(IamShape):
    """IAM API_ListAccessKeys."""

    user_name: str


class ListAccessKeysResponse(IamShape):
    """IAM API_ListAccessKeys."""

    access_key_metadata: list[AccessKeyMetadata]


class UpdateAccessKeyRequest(IamShape):
    """IAM API_UpdateAccessKey."""

    access_key_id: str
    status: KeyStatus
    user_name: str | None = None


class UpdateAccessKeyResponse(IamShape):
    """IAM API_UpdateAccessKey."""


class DeleteAccessKeyRequest(IamShape):
    """IAM API_DeleteAccessKey."""

    access_key_id: str
    user_name: str | None = None


class DeleteAccessKeyResponse(IamShape):
    """IAM API_DeleteAccessKey."""
