"""Request and response of the action that gives temporary credentials."""

from datetime import datetime

from ecsctl.model.iam import IamShape


class Credentials(IamShape):
    """STS API_Credentials."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: datetime

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id})"


class AssumedRoleUser(IamShape):
    """STS API_AssumedRoleUser."""

    assumed_role_id: str
    arn: str


class AssumeRoleRequest(IamShape):
    """STS API_AssumeRole."""

    role_arn: str
    role_session_name: str
    policy: str | None = None
    duration_seconds: int | None = None
    external_id: str | None = None


class AssumeRoleResponse(IamShape):
    """STS API_AssumeRole."""

    credentials: Credentials
    assumed_role_user: AssumedRoleUser
