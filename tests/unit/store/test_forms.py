"""Unit: what goes into the database comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.campaign.attempt import AnsweredBy, CallResult, DialResult, Disposition
from voicebot.store.forms import aware, call_result, call_text, dial_result, dial_text, json_text, ms, plain

pytestmark = pytest.mark.unit

TIMES = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))
AT = datetime(2027, 3, 1, 15, 0, 0, 123456, tzinfo=UTC)


@given(TIMES)
def test_times_are_kept_to_the_millisecond(at: datetime) -> None:
    assert timedelta(0) <= at - aware(ms(at)) < timedelta(milliseconds=1)


def test_naive_times_are_refused() -> None:
    with pytest.raises(TypeError):
        ms(datetime(2027, 3, 1))


@given(st.sampled_from(list(Disposition)), st.none() | st.integers(0, 127), st.text())
def test_ends_of_dialling_come_back(disposition: Disposition, cause: int | None, detail: str) -> None:
    result = DialResult("a" * 32, disposition, AT, cause, 486, detail)
    assert dial_result(dial_text(result)) == result


@given(
    st.sampled_from(list(AnsweredBy)),
    st.none() | TIMES,
    st.dictionaries(st.text(), st.text() | st.integers()),
)
def test_results_of_calls_come_back(
    by: AnsweredBy, call_back: datetime | None, slots: dict[str, object]
) -> None:
    result = CallResult("a" * 32, AT, AT, by, "done", call_back=call_back, slots=slots)
    assert call_result(call_text(result)) == result


def test_what_json_does_not_know_becomes_a_text() -> None:
    value = {"at": AT, "share": float("nan"), 3: {"deep": (AT.date(), True, None)}}
    assert plain(value) == {
        "at": AT.isoformat(),
        "share": "nan",
        "3": {"deep": ["2027-03-01", True, None]},
    }
    assert (
        json_text(value)
        == '{"at":"2027-03-01T15:00:00.123456+00:00","share":"nan","3":{"deep":["2027-03-01",true,null]}}'
    )
