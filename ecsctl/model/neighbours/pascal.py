"""Records of services whose names begin with a capital."""

from ecsctl.model.record import Record


class PascalRecord(Record, rename="pascal"):
    """Base of their shapes."""
