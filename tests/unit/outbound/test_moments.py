"""Unit: times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from voicebot.errors import UserError
from voicebot.outbound.moments import moment

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 13, 17, 0, tzinfo=UTC)  # noon in New York, the day before its clocks go forward
ZONE = "America/New_York"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13:30", datetime(2027, 3, 13, 18, 30, tzinfo=UTC)),
        ("7:30", datetime(2027, 3, 14, 11, 30, tzinfo=UTC)),  # tomorrow, in summer time
        ("2027-03-20T07:30", datetime(2027, 3, 20, 11, 30, tzinfo=UTC)),
        ("2027-03-20T07:30+01:00", datetime(2027, 3, 20, 6, 30, tzinfo=UTC)),
        ("+10m", NOW + timedelta(minutes=10)),
        ("+2d", NOW + timedelta(days=2)),
        ("2:30", datetime(2027, 3, 15, 6, 30, tzinfo=UTC)),  # the 14th has no half past two
    ],
)
def test_what_people_write(text: str, expected: datetime) -> None:
    assert moment(text, ZONE, NOW) == expected


@pytest.mark.parametrize(
    "text", ["soon", "25:00", "2027-03-13T11:00", "2027-03-14T02:30", "", "+5", "2027-02-30T10:00"]
)
def test_what_is_no_time_to_come(text: str) -> None:
    with pytest.raises(UserError):
        moment(text, ZONE, NOW)
