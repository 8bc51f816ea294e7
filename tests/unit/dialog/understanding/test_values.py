"""Unit: values from outside (campaign rows, look-ups) by their type."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from voicebot.dialog.understanding.values import value_of_given

pytestmark = pytest.mark.unit

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2027, 3, 1, 10, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        ("2027-03-02", "date", date(2027, 3, 2)), ("2027-03-02T15:00", "date", date(2027, 3, 2)),
        ("15:00", "time", time(15)), (" 15:30:10 ", "time", time(15, 30, 10)),
        ("2027-03-02T15:00", "datetime", datetime(2027, 3, 2, 15, tzinfo=SEOUL)),
        ("2027-03-02T15:00Z", "datetime", datetime(2027, 3, 2, 15, tzinfo=UTC)),
        ("12.50", "money", Decimal("12.50")), (12.5, "money", Decimal("12.5")), ("3", "number", 3),
        ("2.5", "number", 2.5), ("yes", "yes_no", True), (False, "yes_no", False), ("007", "digits", "007"),
        ("+1 (202) 555-0100", "phone", "+12025550100"), ("204", "phone", "204"),
        ("Jo@Example.org", "email", "Jo@Example.org"), ("Friday", "weekday", "friday"),
        ("AB12", "spelled", "AB12"),
    ],
)  # fmt: skip
def test_given(raw: object, kind: str, value: object) -> None:
    got = value_of_given(raw, kind, NOW)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("2027-02-30", "date"), ("tomorrow", "date"), ("25:00", "time"), ("soon", "datetime"),
        ("nan", "number"),
        ("1e99", "money"), ("12 USD", "money"),
        (True, "number"), ("maybe", "yes_no"), ("12a", "digits"),
        ("x", "phone"), ("a@b", "email"), ("someday", "weekday"), ([1], "text"), (None, "text"), (3, "date"),
    ],
)  # fmt: skip
def test_given_of_another_type(raw: object, kind: str) -> None:
    assert value_of_given(raw, kind, NOW) is None


def test_a_datetime_without_a_zone_is_in_that_of_the_call() -> None:
    got = value_of_given("2027-03-02T15:00Z", "datetime", NOW)
    assert isinstance(got, datetime)
    assert got.isoformat() == "2027-03-03T00:00:00+09:00"
    assert value_of_given("2027-03-02T15:00", "datetime") == datetime(2027, 3, 2, 15)
