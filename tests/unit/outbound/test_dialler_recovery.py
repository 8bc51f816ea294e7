"""Category: unit. What is done about an open attempt, by its traces: nobody twice, nobody forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from voicebot.campaign.attempt import AttemptState, Disposition, Order
from voicebot.campaign.fence import Ended, Journal
from voicebot.outbound.recovery import Decision, Live, Open, Step, settle
from voicebot.outbound.spool import Traces

pytestmark = pytest.mark.unit

CLAIMED_AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
ID = "0123456789abcdef" * 2
ORDER = Order(
    attempt=ID,
    campaign="test",
    number="+12025550101",
    dial="PJSIP/+12025550101@trunk",
    caller_number="+12025550100",
    caller_name="",
    due=CLAIMED_AT,
    expires=CLAIMED_AT + timedelta(seconds=120),
    ring_s=25,
)
LONGEST = timedelta(minutes=30)


def at(seconds: float) -> datetime:
    return CLAIMED_AT + timedelta(seconds=seconds)


def decide(
    traces: Traces,
    now: float,
    *,
    state: AttemptState = AttemptState.HANDED,
    way: str = "callfile",
    live: Live | None = None,
    ended_at: datetime | None = None,
) -> Decision:
    attempt = Open(ORDER, state, way, CLAIMED_AT, ended_at)
    return settle(attempt, traces, at(now), longest_call=LONGEST, live=live)


def journal(word: str = "dial", seconds: float = 1, answered: float | None = None) -> Journal:
    return Journal(word, at(seconds), ORDER.expires, answered_at=None if answered is None else at(answered))


def test_what_never_left_is_handed_over_again_under_its_id_until_it_is_too_late() -> None:
    nothing = Traces(ID)
    assert decide(nothing, 1, state=AttemptState.CLAIMED).step is Step.HAND
    assert decide(Traces(ID, aside=True), 1, state=AttemptState.CLAIMED).step is Step.HAND
    late = decide(nothing, 118, state=AttemptState.CLAIMED)
    assert (late.step, late.disposition) == (Step.TAKE_BACK, Disposition.NOT_HANDED)


def test_what_asterisk_has_is_left_to_the_fence_and_taken_back_there_once_it_is_expired() -> None:
    waiting = Traces(ID, outgoing=True)
    for state in (AttemptState.CLAIMED, AttemptState.HANDED):
        assert decide(waiting, 100, state=state).step is Step.WAIT
        late = decide(waiting, 124, state=state)
        assert (late.step, late.disposition) == (Step.TAKE_BACK, Disposition.EXPIRED)


def test_a_file_that_asterisk_began_with_and_died_over_is_taken_back_soon() -> None:
    begun = Traces(ID, outgoing=True, in_flight=True)
    assert decide(begun, 60).step is Step.WAIT  # nobody can be asked
    assert decide(begun, 9, live=Live(at(9), frozenset())).step is Step.WAIT
    assert decide(begun, 60, live=Live(at(60), frozenset((ID,)))).step is Step.WAIT
    found = decide(begun, 12, live=Live(at(11), frozenset()))
    assert (found.step, found.disposition) == (Step.TAKE_BACK, Disposition.EXPIRED)


def test_an_originate_that_nobody_saw_at_the_fence_is_never_sent_twice() -> None:
    for state in (AttemptState.CLAIMED, AttemptState.HANDED):
        assert decide(Traces(ID), 100, state=state, way="originate").step is Step.WAIT
        late = decide(Traces(ID), 124, state=state, way="originate")
        assert (late.step, late.disposition) == (Step.TAKE_BACK, Disposition.EXPIRED)


def test_an_originate_that_asterisk_has_nothing_of_is_taken_back_at_once_and_names_the_dialplan() -> None:
    gone = Open(ORDER, AttemptState.HANDED, "originate", CLAIMED_AT, gone=True)
    found = settle(gone, Traces(ID), at(5), longest_call=LONGEST, live=None)
    assert (found.step, found.disposition) == (Step.TAKE_BACK, Disposition.NOT_HANDED)
    assert "voicebot-dial" in found.why
    dialled = settle(gone, Traces(ID, journal=journal()), at(5), longest_call=LONGEST, live=None)
    assert dialled.step is Step.WAIT  # it did come there: the fence's files tell


def test_an_archived_file_that_never_came_to_the_fence_names_the_dialplan() -> None:
    found = decide(Traces(ID, done="Expired"), 5)
    assert (found.step, found.disposition) == (Step.TAKE_BACK, Disposition.NOT_HANDED)
    assert "voicebot-dial" in found.why


def test_a_call_that_asterisk_died_over_is_interrupted_as_soon_as_that_is_certain() -> None:
    dialled = Traces(ID, outgoing=True, journal=journal())
    gone, there = frozenset[str](), frozenset((ID,))
    assert decide(dialled, 10).step is Step.WAIT  # nobody can be asked
    assert decide(dialled, 10, live=Live(at(9), there)).step is Step.WAIT
    assert decide(dialled, 2, live=Live(at(2), gone)).step is Step.WAIT  # its channel is just being made
    found = decide(dialled, 10, live=Live(at(9), gone))
    assert (found.step, found.disposition) == (Step.GIVE_UP, Disposition.INTERRUPTED)
    forever = decide(dialled, 1 + 25 + 1800 + 61)
    assert (forever.step, forever.disposition) == (Step.GIVE_UP, Disposition.INTERRUPTED)
    answered = Traces(ID, outgoing=True, journal=journal(answered=3))
    assert decide(answered, 8 * 3600, live=Live(at(8 * 3600), gone)).at == at(3) + LONGEST


def test_spool_files_that_somebody_removed_leave_the_attempt_in_doubt() -> None:
    found = decide(Traces(ID), 5)
    assert (found.step, found.disposition) == (Step.GIVE_UP, Disposition.INTERRUPTED)


@pytest.mark.parametrize(
    ("ended", "disposition"),
    [
        (Ended("BUSY", at(5), 17, 486, "SIP 486 Busy Here"), Disposition.BUSY),
        (Ended("NOANSWER", at(30), 19, None, "SIP 180 Ringing"), Disposition.NO_ANSWER),
        (Ended("expired", at(5)), Disposition.EXPIRED),
        (Ended("malformed", at(5)), Disposition.NOT_HANDED),
        (Ended("dial", at(5)), Disposition.NOT_HANDED),
        (Ended("", at(5)), Disposition.INTERRUPTED),
    ],
)
def test_what_the_dialplan_told_closes_it(ended: Ended, disposition: Disposition) -> None:
    found = decide(Traces(ID, journal=journal(), ended=ended), 40)
    assert found.step is Step.CLOSE
    assert found.result is not None
    assert found.result.disposition is disposition


def test_somebody_who_answered_and_met_no_gateway_was_abandoned() -> None:
    unserved = Journal("dial", at(1), ORDER.expires, answered_at=at(4), unserved="FAILED")
    found = decide(Traces(ID, journal=unserved, ended=Ended("ANSWER", at(8), 16)), 40)
    assert found.result is not None
    assert found.result.disposition is Disposition.ABANDONED


def test_an_answered_call_waits_for_its_gateways_word_but_not_for_ever() -> None:
    assert decide(Traces(ID), 50, ended_at=at(40)).step is Step.WAIT
    found = decide(Traces(ID), 101, ended_at=at(40))
    assert (found.step, found.disposition) == (Step.GIVE_UP, Disposition.INTERRUPTED)


def test_a_contact_becomes_due_again_only_where_the_fence_lets_nobody_pass() -> None:
    """Whatever the traces: what ends as not dialled was held at the fence, or is taken back there."""
    journals = (None, journal("dial"), journal("expired"), journal("cancelled"), journal("torn"))
    ends = (None, Ended("expired", at(5)), Ended("NOANSWER", at(5), 19), Ended("dial", at(5)))
    lives = (None, Live(at(500), frozenset()), Live(at(500), frozenset((ID,))))
    states = (AttemptState.CLAIMED, AttemptState.HANDED, AttemptState.DIALLING)
    for outgoing, done, log, ended, live, state, way, now in product(
        (False, True),
        (None, "", "Failed"),
        journals,
        ends,
        lives,
        states,
        ("callfile", "originate"),
        (5, 200, 9999),
    ):
        traces = Traces(ID, outgoing=outgoing, done=done, journal=log, ended=ended)
        found = decide(traces, now, state=state, way=way, live=live)
        held = log is not None and not log.dialled
        if ended is not None and not ended.dialled:
            held = True
        again = found.step is Step.HAND
        undialled = found.result is not None and found.result.disposition in (
            Disposition.EXPIRED, Disposition.NOT_HANDED, Disposition.CANCELLED
        )  # fmt: skip
        if found.step is Step.CLOSE and undialled:
            assert held
        if found.step is Step.GIVE_UP:
            assert found.disposition is Disposition.INTERRUPTED
        if again:
            assert log is None
            assert not outgoing
            assert done is None
            assert state is AttemptState.CLAIMED
            assert way == "callfile"
