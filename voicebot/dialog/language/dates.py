"""Days and times of day as people say them, from the Unicode CLDR (package `babel`)."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_day_names

from voicebot.speech.spellout import NATIVE_KOREAN_BEFORE_NOUN, ORDINAL, SINO_KOREAN, YEAR, spell

ISO_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Values of a `weekday` slot, in the order of `date.weekday()`."""

_DAY_SKELETONS = ("MMMMEEEEd", "MMMEEEEd", "MMMMEd", "MMMEd")
"""Names of the CLDR's patterns for weekday, month and day; every language has the last one."""

_SINO_KOREAN_MONTHS = {"6월": "유월", "10월": "시월"}
"""The two months that are not said like their number; the CLDR does not spell them."""

_MOST_REMEMBERED = 4096


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Return the locale of a tag such as `en-US`; American English where the CLDR does not know it."""
    try:
        return Locale.parse(language.replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale("en", "US")


def weekday_names(language: str) -> dict[str, str]:
    """Return ISO name -> name, as it is written within a sentence."""
    names = get_day_names("wide", locale=locale_of(language))
    return {iso: names[number] for number, iso in enumerate(ISO_WEEKDAYS)}


def say_date(day: date, language: str, *, year: bool = False) -> str:
    """Say weekday, month and day: "Tuesday, March second", "3월 2일 화요일".

    With `year` the year in place of the weekday: "March second nineteen eighty seven", "1987년 3월 2일".
    """
    return _said_date(date(day.year, day.month, day.day), language, year)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _said_date(day: date, language: str, year: bool) -> str:
    locale = locale_of(language)
    pattern = str(locale.date_formats["long"].pattern) if year else _day_pattern(locale)
    if year and locale.language == "en":
        pattern = re.sub(r",? *y+", f" '{spell(day.year, 'en', YEAR)}'", pattern)
    if locale.language == "en":  # "March 2" is said "March second", and "2 March" "the second of March"
        ordinal = spell(day.day, "en", ORDINAL)
        month_first = pattern.index("M") < pattern.index("d")
        pattern = re.sub(r"\bd\b", f"'{ordinal}'" if month_first else f"'the {ordinal} of'", pattern)
    said = format_date(day, pattern, locale)
    if locale.language == "ko":
        said = re.sub(r"(?<!\d)(6|10)월", lambda month: _SINO_KOREAN_MONTHS[month[0]], said)
    return said


@lru_cache(maxsize=64)
def _day_pattern(locale: Locale) -> str:
    skeletons = locale.datetime_skeletons
    pattern = next(str(skeletons[name].pattern) for name in _DAY_SKELETONS if name in skeletons)
    # The names in full: what is short on paper is a stumbling block when spoken.
    return re.sub(r"\bMMM\b", "MMMM", re.sub(r"\bE{1,3}\b", "EEEE", pattern))


def say_time(moment: time | datetime, language: str) -> str:
    """Say a time of day: "3 PM", "3:30 PM", "3 oh 5 PM", "noon", "오후 세 시 삼십 분".

    Minutes below ten and Korean times are not written as usual, since voices read "3:05" as "three zero
    five", and "3시" with the wrong one of the two Korean numbers.
    """
    return _said_time(time(moment.hour, moment.minute), language)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _said_time(moment: time, language: str) -> str:
    locale = locale_of(language)
    periods = locale.day_periods["format"]["wide"]
    if (moment.hour, moment.minute) in ((0, 0), (12, 0)):
        special = periods.get("noon" if moment.hour else "midnight")
        if special:
            return str(special)
    if locale.language == "ko":
        hour = spell(moment.hour % 12 or 12, "ko", NATIVE_KOREAN_BEFORE_NOUN)
        said = f"{periods['am' if moment.hour < 12 else 'pm']} {hour} 시"
        return f"{said} {spell(moment.minute, 'ko', SINO_KOREAN)} 분" if moment.minute else said
    # Whether a clock has 12 or 24 hours is asked of the language: the British write 15:30 and say 3:30.
    pattern = str(Locale(locale.language).time_formats["short"].pattern)
    if "a" in pattern:
        pattern = str(locale.datetime_skeletons["hm" if moment.minute else "h"].pattern)
        if locale.language == "en" and moment.minute < 10:
            pattern = pattern.replace(":mm", " 'oh' m")
        pattern = re.sub("a+", "aaaa", pattern)
    return " ".join(format_time(moment, pattern, locale=locale).split())


def say_datetime(moment: datetime, language: str) -> str:
    """Say both: "Tuesday, March second at 3:30 PM", "3월 2일 화요일 오후 세 시 삼십 분"."""
    day, clock = say_date(moment, language), say_time(moment, language)
    locale = locale_of(language)
    if locale.language == "en":
        return f"{day} at {clock}"
    return str(locale.datetime_formats["medium"]).format(clock, day)


_NEAR_DAYS = {
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
    "ko": {-1: "어제", 0: "오늘", 1: "내일", 2: "모레"},
}
_ON_A_DAY = {"en": "on {day}", "ko": "{day}에"}
_DAYS_OF_A_WEEK = 7


def say_day(day: date, today: date, language: str) -> str:
    """Say a day as seen from `today`: "tomorrow", "on Tuesday", "on Tuesday, March ninth"."""
    spoken = locale_of(language).language
    distance = (day - today).days
    if near := _NEAR_DAYS.get(spoken, {}).get(distance):
        return near
    if 0 < distance < _DAYS_OF_A_WEEK:
        said = weekday_names(language)[ISO_WEEKDAYS[day.weekday()]]
    else:
        said = say_date(day, language)
    return _ON_A_DAY.get(spoken, "{day}").format(day=said)
