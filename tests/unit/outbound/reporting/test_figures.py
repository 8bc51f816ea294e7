"""Unit tests of a report's sums: what is counted, by whose clock, and what is not shown of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from voicebot.campaign.contact import Contact, ContactState
from voicebot.outbound.reporting.figures import MOST_BUCKETS, Figures
from voicebot.outbound.reporting.gather import Call, Reported

pytestmark = pytest.mark.unit

AT = datetime(2027, 3, 1, 15, 20, tzinfo=UTC)


def call(disposition: str, at: datetime = AT, **more: Any) -> Call:
    return Call("a", "+12025550142", at, disposition, **more)


def talk(outcome: str = "confirmed", at: datetime = AT, **more: Any) -> Call:
    told: dict[str, Any] = {"answered_by": "person", "outcome": outcome, "talk_s": 40.0}
    return call("answered", at, **{**told, **more})


def counted(*contacts: Sequence[Call], zone: str = "America/New_York", **kinds: Any) -> Figures:
    figures = Figures(slot_kinds=kinds)
    for id, calls in enumerate(contacts):
        state = ContactState.DONE if calls else ContactState.DUE
        contact = Contact(id, "spring", str(id), ("+12025550142",), (zone,), AT, state)
        figures.add(Reported(contact, tuple(calls)))
    return figures


def test_contacts_and_calls_are_counted_apart() -> None:
    figures = counted(
        [call("no_answer"), talk(goal=True)],
        [talk("hangup")],
        [call("machine", answered_by="machine", talk_s=5.0)],
        [call("expired"), call("cancelled")],
        [],
    )
    assert (figures.contacts, figures.called, figures.reached, figures.goals) == (5, 3, 2, 1)
    assert (figures.attempts, figures.calls) == (6, 4)
    assert figures.dispositions == {"answered": 2, "no_answer": 1, "machine": 1}
    assert figures.outcomes == {"confirmed": 1, "hangup": 1}
    assert figures.states == {"done": 4, "due": 1}
    assert (figures.talk_s, figures.median_talk_s) == (85.0, 40)


def test_hours_are_the_callees() -> None:
    figures = counted([talk()], [call("busy", AT + timedelta(hours=1))], zone="America/Denver")
    assert {hour: n for hour, n in figures.hours.items() if n[0]} == {8: [1, 1], 9: [1, 0]}


def test_a_machine_that_answers_is_no_answer_of_a_person() -> None:
    figures = counted([talk(answered_by="machine", outcome="voicemail")])
    assert (figures.reached, figures.hours[10]) == (0, [1, 0])


@pytest.mark.parametrize(
    ("days", "step"),
    [(0, timedelta(hours=1)), (2, timedelta(hours=1)), (30, timedelta(days=1)), (200, timedelta(days=7))],
)
def test_time_is_told_in_as_many_parts_as_can_be_seen(days: int, step: timedelta) -> None:
    figures = counted([talk()], [call("busy", AT + timedelta(days=days))])
    begins, found, groups = figures.over_time()
    first = datetime(2027, 3, 1, 10, 20)  # in New York
    last = (AT + timedelta(days=days)).astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)
    assert found == step
    assert len(begins) <= MOST_BUCKETS + 24
    assert begins[0] <= first < begins[0] + step
    assert begins[-1] <= last < begins[-1] + step
    assert {name: sum(counts) for name, counts in groups.items()} == {"talked": 1, "busy": 1}


def test_a_day_is_the_callees() -> None:
    late = datetime(2027, 3, 2, 1, tzinfo=UTC)  # March 1, 20:00 in New York
    begins, _, _ = counted([talk()], [talk(at=late)], [talk(at=late + timedelta(days=9))]).over_time()
    assert [begin.day for begin in begins[:2]] == [1, 2]
    assert (len(begins), begins[-1].day) == (10, 10)


def test_abandonment_is_that_of_the_thirty_days_before() -> None:
    later = AT + timedelta(days=29)
    figures = counted(
        [call("abandoned", answered_by="person")],
        [talk()],
        [talk(at=later)],
        [talk(at=later + timedelta(days=1))],
    )
    assert [(day.isoformat(), round(share, 3)) for day, share in figures.abandonment()] == [
        ("2027-03-01", 0.5),
        ("2027-03-30", 0.333),
        ("2027-03-31", 0.0),
    ]


def test_values_of_people_are_counted_and_not_shown() -> None:
    slots = (("attending", True), ("name", "Ann Miller"), ("secret", "1234"))
    figures = counted([talk(slots=slots)], [talk(slots=slots)], attending="yes_no", name="name")
    assert figures.slots == {"attending": {"yes": 2}, "name": {"told": 2}}


def test_nothing_yet_is_no_error() -> None:
    figures = counted()
    assert figures.over_time()[0] == [] and figures.abandonment() == [] and figures.median_talk_s == 0
