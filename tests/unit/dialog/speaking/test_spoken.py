"""Unit: a table of what values sound like in American and British English and in Korean, and elsewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.dialog.speaking.spoken import FILTERS, say_value

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 1, 10, 0)
AT = datetime(2027, 3, 2, 15, 30)

TABLE: list[tuple[object, str, str, str, str]] = [
    # value, type, en-US, en-GB, ko-KR
    (AT, "datetime", "Tuesday, March second at 3:30 PM", "Tuesday the second of March at 3:30 pm",
     "3월 2일 화요일 오후 세 시 삼십 분"),
    ("2027-06-10T12:00", "datetime", "Thursday, June tenth at noon", "Thursday the tenth of June at noon",
     "유월 10일 목요일 정오"),
    (date(2027, 10, 21), "date", "Thursday, October twenty first", "Thursday the twenty first of October",
     "시월 21일 목요일"),
    (date(1987, 3, 6), "date", "March sixth nineteen eighty seven",
     "the sixth of March nineteen eighty seven",
     "1987년 3월 6일"),
    (time(9, 5), "time", "9 oh 5 AM", "9 oh 5 am", "오전 아홉 시 오 분"),
    ("tuesday", "weekday", "Tuesday", "Tuesday", "화요일"),
    (timedelta(hours=2, minutes=5), "duration", "2 hours and 5 minutes", "2 hours and 5 minutes",
     "두 시간 오 분"),
    (timedelta(days=1), "duration", "1 day", "1 day", "하루"),
    (timedelta(seconds=45), "duration", "45 seconds", "45 seconds", "사십오 초"),
    ("P3DT20H", "duration", "3 days and 20 hours", "3 days and 20 hours", "삼 일 스무 시간"),
    (7, "number", "seven", "seven", "칠"),
    (142, "number", "one hundred forty two", "one hundred and forty two", "백사십이"),
    (12345, "number", "twelve thousand three hundred forty five",
     "twelve thousand three hundred and forty five", "만 이천삼백사십오"),
    (2.5, "number", "two point five", "two point five", "이점오"),
    (-0.05, "number", "minus zero point zero five", "minus zero point zero five", "마이너스 영점영오"),
    (10**16, "number", "10000000000000000", "10000000000000000", "10000000000000000"),
    (Decimal("12.50"), "money", "twelve dollars and fifty cents", "twelve pounds and fifty pence", "십삼 원"),
    ("15000", "money:KRW", "fifteen thousand won", "fifteen thousand won", "만 오천 원"),
    (Decimal("1.01"), "money:USD", "one dollar and one cent", "one dollar and one cent", "일 달러 일 센트"),
    (Decimal("0.99"), "money:EUR", "ninety nine cents", "ninety nine cents", "구십구 센트"),
    (0, "money:GBP", "zero pounds", "zero pounds", "영 파운드"),
    (Decimal("-20"), "money:USD", "minus twenty dollars", "minus twenty dollars", "마이너스 이십 달러"),
    ("3.00 EUR", "money:USD", "three euros", "three euros", "삼 유로"),
    (1_234_567, "money:KRW", "one million two hundred thirty four thousand five hundred sixty seven won",
     "one million two hundred and thirty four thousand five hundred and sixty seven won",
     "백이십삼만 사천오백육십칠 원"),
    ("4071", "digits", "4, 0, 7, 1", "4, 0, 7, 1", "4, 0, 7, 1"),
    ("Sara 2", "spelled", "S, A, R, A, 2", "S, A, R, A, 2", "S, A, R, A, 2"),
    ("+12025550100", "phone", "two oh two, five five five, oh one oh oh",
     "plus one, two oh two, five five five, oh one oh oh", "국가번호 일, 이공이, 오오오, 공일공공"),
    ("020 7946 0018", "phone:GB", "oh two oh, seven nine four six, oh oh one eight",
     "oh two oh, seven nine four six, oh oh one eight", "공이공, 칠구사육, 공공일팔"),
    ("010-1234-5678", "phone:KR", "oh one oh, one two three four, five six seven eight",
     "oh one oh, one two three four, five six seven eight", "공일공, 일이삼사, 오육칠팔"),
    ("+82-2-312-3456", "phone:KR", "oh two, three one two, three four five six",
     "oh two, three one two, three four five six", "공이, 삼일이, 삼사오육"),
    ("204", "phone", "two oh four", "two oh four", "이공사"),
    ("john.smith_2@mail-box.com", "email", "john dot smith underscore 2 at mail dash box dot com",
     "john dot smith underscore 2 at mail dash box dot com",
     "john 점 smith 밑줄 2 골뱅이 mail 하이픈 box 점 com"),
    (["milk", "bread", "tea"], "list", "milk, bread, and tea", "milk, bread and tea",
     "milk, bread, 그리고 tea"),
    (["milk"], "list", "milk", "milk", "milk"),
    (True, "yes_no", "yes", "yes", "네"),
    ("no", "yes_no", "no", "no", "아니요"),
    ("large", "choice", "large", "large", "large"),
    ("hello", "money", "hello", "hello", "hello"),
    (None, "datetime", "", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("value", "hint", "american", "british", "korean"), TABLE)
def test_says_a_value_by_its_type(value: object, hint: str, american: str, british: str, korean: str) -> None:
    said = [say_value(value, "", language, hint=hint, now=NOW) for language in ("en-US", "en-GB", "ko-KR")]
    assert said == [american, british, korean]


@pytest.mark.parametrize(
    ("value", "filter_", "argument", "language", "said"),
    [
        (2, "count", "", "en-US", "two"),
        (2, "count", "", "ko-KR", "두"),
        (21, "count", "", "ko-KR", "스물한"),
        (120, "count", "", "ko-KR", "백이십"),
        (3, "ordinal", "", "en-US", "third"),
        (42, "ordinal", "", "en-GB", "forty second"),
        (2, "ordinal", "", "ko-KR", "두 번째"),
        (2.5, "ordinal", "", "en-US", "2.5"),
        (AT, "day", "", "en-US", "tomorrow"),
        (date(2027, 3, 1), "day", "", "en-US", "today"),
        (date(2027, 2, 28), "day", "", "en-US", "yesterday"),
        (date(2027, 3, 5), "day", "", "en-US", "on Friday"),
        (date(2027, 3, 8), "day", "", "en-US", "on Monday, March eighth"),
        (date(2027, 3, 3), "day", "", "ko-KR", "모레"),
        (date(2027, 3, 5), "day", "", "ko-KR", "금요일에"),
        (date(2027, 3, 5), "day", "", "de-DE", "Freitag"),
        (AT, "date", "year", "en-US", "March second twenty twenty seven"),
        (["tea", "milk"], "list", "or", "en-US", "tea or milk"),
        (["tea", "milk"], "list", "or", "ko-KR", "tea 또는 milk"),
        (Decimal("12.50"), "money", "", "de-DE", "12,50 Euro"),
        (12, "money", "USD", "fr-FR", "12 dollars des États-Unis"),
        (21, "number", "", "de-DE", "einundzwanzig"),
        (21.5, "number", "", "fr-FR", "21,5"),
        (timedelta(hours=2), "duration", "", "de-DE", "2 Stunden"),
        (timedelta(hours=2), "duration", "", "ja-JP", "2 時間"),
        (AT, "datetime", "", "de-DE", "Dienstag, 2. März, 15:30"),
        ("+4930123456", "phone", "", "de-DE", "0 3 0, 1 2 3, 4 5 6"),
        ("+14155552671x12", "phone", "US", "en-US",
         "four one five, five five five, two six seven one, extension one two"),
    ],
)  # fmt: skip
def test_says_a_value_through_a_filter(
    value: object, filter_: str, argument: str, language: str, said: str
) -> None:
    assert say_value(value, filter_, language, argument=argument, now=NOW) == said


def test_the_currency_of_the_type_serves_the_filter() -> None:
    assert say_value("3", "money", "en-US", hint="money:EUR") == "three euros"
    assert say_value("3", "money", "en-US", argument="GBP", hint="money:EUR") == "three pounds"


def test_tomorrow_is_that_of_the_place_where_it_is() -> None:
    tokyo = timezone(timedelta(hours=9))
    late_in_london = datetime(2027, 3, 1, 20, 0, tzinfo=UTC)  # already the second of March in Tokyo
    assert say_value(datetime(2027, 3, 2, 15, 0, tzinfo=tokyo), "day", "en-US", now=late_in_london) == "today"


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(max_size=30),
    st.from_regex(r"[+-]?\d{1,25}(\.\d{1,5})?( [A-Z]{3})?", fullmatch=True),
    st.from_regex(r"\+?[\d ()x-]{1,25}", fullmatch=True),
    st.dates(), st.times(), st.datetimes(), st.datetimes(timezones=st.timezones()), st.timedeltas(),
    st.lists(st.one_of(st.text(max_size=5), st.integers(), st.none()), max_size=3),
    st.sampled_from([10**5000, -(10**5000), Decimal("1e999999"), Decimal("1e-999999"), Decimal("sNaN"),
                     timedelta.min, timedelta.max, datetime.min, datetime.max.replace(tzinfo=UTC)]),
)  # fmt: skip


@settings(max_examples=300)
@given(
    VALUES,
    st.sampled_from(["", *FILTERS]),
    st.sampled_from(["", "text", "spelled", "yes_no", "recording", *FILTERS, "money:XYZ", "phone:QQ"]),
    st.sampled_from(["en-US", "en-GB", "ko-KR", "de-DE", "ja", "xx", ""]),
    st.sampled_from([None, NOW, datetime.min.replace(tzinfo=UTC), "nonsense"]),
)
def test_whatever_the_value_something_is_said(
    value: object, filter_: str, hint: str, language: str, now: object
) -> None:
    said = say_value(value, filter_, language, hint=hint, now=now)
    assert isinstance(said, str)
    assert len(said) <= 5000
