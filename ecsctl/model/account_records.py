"""What the store remembers of an account besides its clusters and what is in them."""

from ecsctl.model.account_settings import setting_key
from ecsctl.model.auto_scaling import AutoScalingGroupProvider
from ecsctl.model.common import SettingName
from ecsctl.model.record import Record


class CapacityProviderRecord(Record):
    """A capacity provider: the container instances that were registered for it. `group` is what was said of the Auto
    Scaling group that they are on AWS, with every default filled in."""

    arn: str
    name: str
    group: AutoScalingGroupProvider | None = None


def family_key(scope: str, name: str) -> str:
    """What a family is found by; `scope` is region/account."""
    return f"{scope}/{name}"


class Family(Record):
    """A task definition family. Revision numbers are never given twice."""

    key: str
    name: str
    last_revision: int = 0


class AccountSetting(Record):
    """An account setting of a principal (an ARN of IAM); `scope` is region/account."""

    scope: str
    principal_arn: str
    name: SettingName
    value: str

    @property
    def key(self) -> str:
        return setting_key(self.scope, self.principal_arn, self.name)
