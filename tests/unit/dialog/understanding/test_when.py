"""Unit: what our own voice says of days and times is read back, and the rules that no table can show."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.language.dates import say_date, say_time
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.slots import Slot, Value
from voicebot.dialog.understanding.reading import bound, read_slot
from voicebot.speech.spellout import SINO_KOREAN, YEAR, spell

pytestmark = pytest.mark.unit

LANGUAGES = st.sampled_from(["en-US", "en-GB", "ko"])
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2027, 3, 1, 10, tzinfo=NEW_YORK)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1))


def said(text: str, slot: Slot | str, language: str = "en-US", now: datetime = NOW) -> Value | None:
    slot = Slot.model_validate({"type": slot}) if isinstance(slot, str) else slot
    reading = read_slot(slot, text, lexicon_of(language), now, language)
    return None if reading is None or reading.invalid or reading.score < 0.9 else reading.value


@given(MOMENTS, st.integers(0, 364), LANGUAGES)
def test_a_day_of_the_coming_year_is_read_as_it_is_said(now: datetime, ahead: int, language: str) -> None:
    day = now.date() + timedelta(days=ahead)
    assert said(say_date(day, language), "date", language, now.replace(tzinfo=UTC)) == day


@given(st.times(), LANGUAGES)
def test_a_time_is_read_as_it_is_said(moment: time, language: str) -> None:
    assert said(say_time(moment, language), "time", language) == moment.replace(second=0, microsecond=0)


@given(MOMENTS, st.integers(0, 364 * 24 * 60), LANGUAGES)
def test_both_together_are_read_in_either_order(now: datetime, minutes: int, language: str) -> None:
    now = now.replace(tzinfo=UTC)
    moment = (now + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    day, clock = say_date(moment.date(), language), say_time(moment, language)
    assert said(f"{day} {clock}", "datetime", language, now) == moment
    assert said(f"{clock} {day}", "datetime", language, now) == moment


@given(st.dates(date(1901, 1, 1), date(2099, 12, 31)))
def test_a_whole_date_is_the_same_at_any_time(day: date) -> None:
    words = f"{say_date(day, 'en-US').split(', ')[1]} {spell(day.year, rules=YEAR)}"
    assert said(words, "date") == day
    assert said(day.isoformat(), "date") == day
    year, month, number = (
        spell(n, "ko", SINO_KOREAN).replace(" ", "") for n in (day.year, day.month, day.day)
    )
    month = {"육": "유", "십": "시"}.get(month, month)
    assert said(f"{year}년 {month}월 {number}일", "date", "ko") == day


@given(st.integers(1, 12), st.integers(0, 59), st.sampled_from(["am", "pm"]))
def test_a_time_in_words(hour: int, minute: int, half: str) -> None:
    spoken = "" if not minute else f"oh {spell(minute)}" if minute < 10 else spell(minute)
    expected = time(hour % 12 + 12 * (half == "pm"), minute)
    assert said(" ".join(f"{spell(hour)} {spoken} {half}".split()), "time") == expected


def test_the_zone_of_the_call_holds() -> None:
    value = said("tomorrow at noon", "datetime")
    assert isinstance(value, datetime)
    assert value.utcoffset() == timedelta(hours=-5)
    # 02:30 does not exist that night; two real hours from then are two hours later all the same
    night = datetime(2027, 3, 14, 0, 30, tzinfo=NEW_YORK)
    later = said("in two hours", "datetime", now=night)
    assert isinstance(later, datetime)
    assert later.isoformat() == "2027-03-14T03:30:00-04:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", date(2027, 3, 1)), ("tomorrow", date(2027, 3, 2)), ("+30 days", date(2027, 3, 31)),
        ("-18 years", date(2009, 3, 1)), ("+2 weeks", date(2027, 3, 15)), ("+1 month", date(2027, 4, 1)),
        ("2027-01-01", date(2027, 1, 1)), ("09:00", time(9)), ("9:30", time(9, 30)), ("now", NOW),
        ("+2 hours", NOW + timedelta(hours=2)),
        ("2027-03-05T12:00", datetime(2027, 3, 5, 12, tzinfo=NEW_YORK)),
    ],
)  # fmt: skip
def test_bounds(text: str, expected: object) -> None:
    assert bound(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "2027-02-30", "25:00", "+5", "+9999 years", "days", "2027-13-01T00:00"]
)
def test_what_is_no_bound_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"no day or time|out of the calendar"):
        bound(text, NOW)


def test_the_bounds_choose_among_what_may_be_meant() -> None:
    evening = Slot.model_validate({"type": "time", "between": ["17:00", "22:00"]})
    assert said("half past eight", evening) == time(20, 30)
    assert said("half past eight", "time") == time(8, 30)
    born = Slot.model_validate({"type": "date", "between": ["1900-01-01", "today"]})
    assert said("may fifth seventy two", born) == date(1972, 5, 5)
    assert said("the fifth of may thirty two", born) == date(1932, 5, 5)
