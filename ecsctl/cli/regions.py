"""`describe-regions` and `describe-availability-zones`: the two commands that are `aws ec2`'s."""

from __future__ import annotations

from ecsctl.cli.action import Action
from ecsctl.cli.commands import Entry


class OfEc2(Action):
    """An action whose options EC2's reference explains."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.reference = f"https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_{entry.action}.html"
