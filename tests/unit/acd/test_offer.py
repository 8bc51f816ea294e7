"""Category: unit. One offer of a caller to an agent."""

from __future__ import annotations

import pytest

from voicebot.acd.offer import (
    KEY_S,
    TRANSITIONS,
    WHISPER_LIMIT_S,
    Answered,
    Event,
    Gone,
    Joined,
    Key,
    NotAnswered,
    Offer,
    Stage,
    TimeUp,
    Whispered,
    Withdrawn,
)

pytestmark = pytest.mark.unit


def run(*events: Event, whisper: bool = True) -> Offer:
    offer = Offer(0, ring_s=20, whisper=whisper)
    now = 0.0
    for event in events:
        now = offer.deadline if isinstance(event, TimeUp) and offer.deadline is not None else now + 1
        offer.handle(event, now)
    return offer


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ((Answered(), Key("1"), Joined()), "accepted"),
        ((Answered(), Whispered(), Key("1"), Joined()), "accepted"),
        ((Answered(), Whispered(), TimeUp(), Whispered(), Key("1"), Joined()), "accepted"),
        ((Answered(), Whispered(), TimeUp(), Whispered(), TimeUp()), "no_key"),
        ((Answered(), Key("2")), "declined"),
        ((Answered(), Whispered(), Gone()), "hung_up"),
        ((Answered(), Key("1"), Gone()), "lost"),
        ((TimeUp(),), "no_answer"),
        ((Answered(), TimeUp()), "no_key"),  # a whisper without end
        ((NotAnswered(17),), "busy"),
        ((NotAnswered(21),), "declined"),
        ((NotAnswered(19),), "no_answer"),
        ((NotAnswered(0),), "unreachable"),
        ((NotAnswered(20),), "unreachable"),
        ((Withdrawn(),), "withdrawn"),
        ((Answered(), Withdrawn()), "withdrawn"),
        ((Answered(), Key("1"), Withdrawn()), "withdrawn"),
    ],
)
def test_outcomes(events: tuple[Event, ...], outcome: str) -> None:
    offer = run(*events)
    assert (offer.stage, offer.outcome) == (Stage.OVER, outcome)


def test_without_a_whisper_who_answers_has_the_call() -> None:
    assert run(Answered(), whisper=False).stage is Stage.JOINING


def test_the_key_is_waited_for_from_the_end_of_the_whisper() -> None:
    offer = run(Answered(), Whispered())
    assert (offer.stage, offer.deadline) == (Stage.ASKED, 2 + KEY_S)


def test_an_offer_that_is_over_stays_so_and_each_stage_but_the_last_can_be_withdrawn() -> None:
    for event in (Answered(), Key("1"), Gone(), Withdrawn(), Joined(), TimeUp()):
        assert run(NotAnswered(17), event).outcome == "busy"
    assert {stage for stage, event in TRANSITIONS if event is Withdrawn} == set(Stage) - {Stage.OVER}


def test_every_stage_but_the_last_has_its_limit() -> None:
    offer = Offer(100, ring_s=20)
    assert offer.deadline == 120
    offer.handle(TimeUp(), 119)
    assert offer.stage is Stage.RINGING
    offer.handle(Answered(), 110)
    assert (offer.stage, offer.deadline) == (Stage.WHISPERING, 110 + WHISPER_LIMIT_S)
    offer.handle(Whispered(), 115)
    assert (offer.stage, offer.deadline) == (Stage.ASKED, 115 + KEY_S)
