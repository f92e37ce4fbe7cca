"""Times behind options are read as the AWS CLI reads them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ecsctl.cli.problems import UsageError
from ecsctl.cli.values import from_words


@pytest.mark.parametrize(
    "word", ["1700000000", "1.7e9", "2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00", "2023-11-14 22:13:20+00:00"]
)
def test_a_moment_is_seconds_since_1970_or_iso_8601(word: str) -> None:
    assert from_words("--at", datetime, word) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)


def test_without_a_zone_it_is_a_local_time() -> None:
    assert from_words("--at", datetime, "2023-11-14") == datetime(2023, 11, 14).astimezone()


@pytest.mark.parametrize("word", ["soon", "", "1e300", "-1e300", "2023-13-01", "nan"])
def test_what_is_no_moment_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="expected a time"):
        from_words("--at", datetime, word)
