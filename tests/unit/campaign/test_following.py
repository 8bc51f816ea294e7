"""Category: unit. Attempts followed by AMI's events: whole lives, gaps, and what must not be guessed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from voicebot.ami.events import (
    Channel,
    CoreShowChannel,
    DialBegin,
    DialEnd,
    DialState,
    Event,
    Hangup,
    LiveChannels,
    Missed,
    Newchannel,
    OriginateResponse,
    VarSet,
)
from voicebot.campaign.attempt import Disposition
from voicebot.campaign.following import (
    GRACE,
    LATE,
    Answered,
    Dialling,
    Ended,
    Following,
    Progress,
    Ringing,
    Unclear,
)

pytestmark = pytest.mark.unit

T0 = datetime(2027, 3, 5, 12, tzinfo=UTC)
ID = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2


class Call:
    """The channels of one attempt, and what Asterisk says of them."""

    def __init__(self, attempt: str = ID, number: int = 0) -> None:
        self.attempt = attempt
        name = f"Local/{attempt}@voicebot-dial-{number:08x}"
        self.link = f"17953.{3 * number}"
        self.ours = Channel(f"{name};1", self.link, self.link)
        self.dialling = Channel(f"{name};2", f"17953.{3 * number + 1}", self.link)
        self.leg = Channel(f"PJSIP/trunk-{number:08x}", f"17953.{3 * number + 2}", self.link)

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.ours, self.dialling, self.leg

    def fence(self, word: str) -> VarSet:
        return VarSet("VOICEBOT_FENCE", word, self.dialling)

    @property
    def begin(self) -> list[Event]:
        return [
            Newchannel(self.ours),
            Newchannel(self.dialling),
            DialBegin(self.ours, f"{self.attempt}@voicebot-dial/n"),
            *(self.fence(word) for word in ("malformed", "dial", "passed")),
            Newchannel(self.leg),
            DialBegin(self.leg, "+12025550142@trunk", self.dialling),
        ]

    @property
    def ring(self) -> list[Event]:
        return [DialState(self.leg, "RINGING", self.dialling), DialState(self.ours, "RINGING")]

    def end(self, status: str, cause: int, sip: int | None = None) -> list[Event]:
        dialled = [] if status == "" else [DialEnd(self.leg, status, self.dialling)]
        return [*dialled, *self.hang_up(cause, sip)]

    def hang_up(self, cause: int, sip: int | None = None) -> list[Event]:
        return [Hangup(self.dialling, cause), Hangup(self.leg, cause, "", sip), Hangup(self.ours, cause)]

    @property
    def listed(self) -> tuple[CoreShowChannel, ...]:
        leg = Channel(self.leg.name, self.leg.unique_id, self.link, "Up")
        return (
            CoreShowChannel(leg, "AppDial"),
            CoreShowChannel(self.dialling, "Dial"),
            CoreShowChannel(self.ours, "Stasis"),
        )


def told(following: Following, events: list[Event], now: datetime = T0) -> list[Progress]:
    return [progress for event in events for progress in following.event(event, now)]


def only_end(found: list[Progress]) -> Ended:
    (end,) = [each for each in found if isinstance(each, (Ended, Unclear))]
    assert isinstance(end, Ended)
    return end


def test_an_answered_call_from_its_first_channel_to_its_last() -> None:
    call, following = Call(), Following()
    assert told(following, call.begin) == [Dialling(ID, T0)]
    assert told(following, call.ring) == [Ringing(ID, T0)]
    later = T0 + timedelta(seconds=8)
    assert told(
        following, [DialEnd(call.leg, "ANSWER", call.dialling), DialEnd(call.ours, "ANSWER")], later
    ) == [Answered(ID, later)]
    assert following.attempts == {ID}
    end = only_end(told(following, call.hang_up(16), later + timedelta(seconds=30)))
    assert (end.result.disposition, end.result.cause, end.answered_at) == (Disposition.ANSWERED, 16, later)
    assert not following.attempts


@pytest.mark.parametrize(
    ("status", "cause", "sip", "expected"),
    [
        ("BUSY", 17, 486, Disposition.BUSY),
        ("NOANSWER", 1, 404, Disposition.INVALID),
        ("CONGESTION", 34, 503, Disposition.CONGESTION),
        ("", 19, 480, Disposition.NO_ANSWER),
    ],
)
def test_a_refused_call_ends_with_what_the_far_side_said(
    status: str, cause: int, sip: int, expected: Disposition
) -> None:
    call, following = Call(), Following()
    end = only_end(told(following, [*call.begin, *call.end(status, cause, sip)]))
    assert (end.result.disposition, end.result.cause, end.result.sip) == (expected, cause, sip)
    assert end.answered_at is None


def test_the_last_hangup_decides_whichever_it_is() -> None:
    for seed in range(6):
        call, following = Call(), Following()
        last = call.hang_up(17, 486)
        random.Random(seed).shuffle(last)
        end = only_end(told(following, [*call.begin, DialEnd(call.leg, "BUSY", call.dialling), *last]))
        assert end.result.disposition is Disposition.BUSY


def test_ringing_in_vain_is_no_answer_and_a_trunk_without_a_word_has_failed() -> None:
    call, following = Call(), Following()
    in_vain = [DialEnd(call.leg, "NOANSWER", call.dialling), Hangup(call.leg), Hangup(call.dialling, 19)]
    end = only_end(told(following, [*call.begin, *call.ring, *in_vain, Hangup(call.ours, 19)]))
    assert (end.result.disposition, end.result.cause) == (Disposition.NO_ANSWER, 19)
    end = only_end(told(following, [*call.begin, *in_vain, Hangup(call.ours, 19)]))
    assert end.result.disposition is Disposition.TRUNK_FAILURE


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["malformed", "expired"], Disposition.EXPIRED),
        (["malformed"], Disposition.NOT_HANDED),
        (["malformed", "dial", "passed"], Disposition.TRUNK_FAILURE),  # nothing to dial: no such trunk
    ],
)
def test_what_was_never_dialled(words: list[str], expected: Disposition) -> None:
    call, following = Call(), Following()
    events = [*call.begin[:3], *(call.fence(word) for word in words)]
    end = only_end(told(following, [*events, Hangup(call.dialling, 127), Hangup(call.ours, 127)]))
    assert end.result.disposition is expected


def test_a_once_key_that_was_taken_tells_nothing_of_the_call_before() -> None:
    call, following = Call(), Following()
    events = [*call.begin[:3], call.fence("again"), Hangup(call.dialling), Hangup(call.ours)]
    (found,) = told(following, events)
    assert isinstance(found, Unclear) and "fence" in found.why


def test_a_second_try_is_none_of_the_call_that_lives() -> None:
    first, second, following = Call(number=1), Call(number=2), Following()
    told(following, first.begin)
    events = [*second.begin[:3], second.fence("again"), Hangup(second.dialling), Hangup(second.ours)]
    assert told(following, events) == []
    end = only_end(told(following, first.end("BUSY", 17, 486)))
    assert end.result.disposition is Disposition.BUSY


def test_many_calls_mixed_are_kept_apart() -> None:
    calls = [Call(f"{number:032x}", number) for number in range(50)]
    statuses = ["BUSY", "NOANSWER", "CONGESTION"]
    lives = [[*call.begin, *call.ring, *call.end(statuses[at % 3], 0)] for at, call in enumerate(calls)]
    chance, following, found = random.Random(7), Following(), []
    while lives:
        life = chance.choice(lives)
        found += following.event(life.pop(0), T0)
        lives = [each for each in lives if each]
    ended = {each.attempt: each.result.disposition for each in found if isinstance(each, Ended)}
    expected = (Disposition.BUSY, Disposition.NO_ANSWER, Disposition.CONGESTION)
    assert ended == {call.attempt: expected[at % 3] for at, call in enumerate(calls)}
    assert not following.attempts


def test_what_our_own_end_dials_later_is_no_attempt() -> None:
    call, following = Call(), Following()
    told(following, [*call.begin, DialEnd(call.leg, "ANSWER", call.dialling)])
    person = Channel("PJSIP/person-1", "9.9", call.link)
    assert told(following, [Newchannel(person), DialBegin(person, "person", call.ours)]) == []
    assert told(following, [DialEnd(person, "BUSY", call.ours), Hangup(person, 17, "", 486)]) == []
    end = only_end(told(following, call.hang_up(16)))
    assert end.result.disposition is Disposition.ANSWERED


def test_other_peoples_calls_are_left_alone() -> None:
    inbound, following = Channel("PJSIP/caller-1", "5", "5"), Following()
    failed = Channel("OutgoingSpoolFailed", "6", "6")
    stranger = Channel(f"Local/{ID[:-1]}@voicebot-dial-00000001;1", "7", "7")
    events: list[Event] = [Newchannel(each) for each in (inbound, failed, stranger)]
    assert told(following, [*events, *(Hangup(each) for each in (inbound, failed, stranger))]) == []
    assert not following.attempts


@pytest.mark.parametrize("words", [[], ["malformed", "dial"]])
def test_an_end_before_the_fence_has_decided_is_unclear(words: list[str]) -> None:
    call, following = Call(), Following()
    events = [
        *call.begin[:3],
        *(call.fence(word) for word in words),
        Hangup(call.dialling),
        Hangup(call.ours),
    ]
    (found,) = told(following, events)
    assert isinstance(found, Unclear)


def test_a_failed_originate_without_any_channel_is_unclear_after_a_while() -> None:
    following = Following()
    following.expect(ID, "1")
    assert told(following, [OriginateResponse("1", False, 0, exten=ID)]) == []
    assert following.settle(T0 + LATE - GRACE) == ()
    (found,) = following.settle(T0 + LATE)
    assert isinstance(found, Unclear)


def test_a_failure_may_overtake_the_events_of_its_channels() -> None:
    call, following = Call(), Following()
    following.expect(ID, "1")
    assert told(following, [OriginateResponse("1", False, 0, exten=ID)]) == []
    assert (
        only_end(told(following, [*call.begin, *call.end("BUSY", 17, 486)])).result.disposition
        is Disposition.BUSY
    )
    assert following.settle(T0 + LATE) == ()


def test_the_failure_that_comes_after_the_end_ends_nothing_twice() -> None:
    call, following = Call(), Following()
    following.expect(ID, "1")
    told(following, [*call.begin, *call.end("BUSY", 17, 486)])
    assert told(following, [OriginateResponse("1", False, 0, exten=ID)]) == []


def test_the_failure_of_an_earlier_originate_says_nothing_of_a_later_one() -> None:
    following = Following()
    following.expect(ID, "2")
    assert told(following, [OriginateResponse("1", False, 0, exten=ID)]) == []
    following.refused(ID)
    assert told(following, [OriginateResponse("2", False, 0, exten=ID)]) == []


# --- gaps -----------------------------------------------------------------------------------------------


def test_a_call_that_ended_in_a_gap_is_unclear_after_a_while() -> None:
    call, following = Call(), Following()
    told(following, call.begin)
    assert told(following, [Missed("lost"), LiveChannels(())]) == []
    assert following.settle(T0 + GRACE / 2) == ()
    (found,) = following.settle(T0 + GRACE)
    assert found == Unclear(ID, T0 + GRACE, "events were missed")
    assert not following.attempts


def test_a_list_may_be_ahead_of_the_events_behind_it() -> None:
    call, following = Call(), Following()
    told(following, call.begin)
    told(following, [Missed("lost"), LiveChannels(())])
    end = only_end(told(following, call.end("BUSY", 17, 486)))
    assert end.result.disposition is Disposition.BUSY
    assert following.settle(T0 + GRACE) == ()


def test_a_call_that_was_answered_before_the_gap_was_answered() -> None:
    call, following = Call(), Following()
    told(following, [*call.begin, DialEnd(call.leg, "ANSWER", call.dialling)])
    told(following, [Missed("lost"), LiveChannels(())])
    (end,) = following.settle(T0 + GRACE)
    assert isinstance(end, Ended) and end.result.disposition is Disposition.ANSWERED
    assert end.result.detail


def test_a_call_that_outlives_the_gap_goes_on() -> None:
    call, following = Call(), Following()
    told(following, call.begin)
    assert told(following, [Missed("lost"), LiveChannels(call.listed)]) == [Answered(ID, T0)]
    assert following.settle(T0 + 2 * GRACE) == ()
    assert only_end(told(following, call.hang_up(16))).result.disposition is Disposition.ANSWERED


def test_a_call_whose_beginning_was_missed_is_found_in_the_list() -> None:
    call, following = Call(), Following()
    found = told(following, [Missed("lost"), LiveChannels(call.listed)])
    assert found == [Dialling(ID, T0), Answered(ID, T0)]


def test_a_call_found_before_its_dial_and_gone_without_one_is_unclear() -> None:
    call, following = Call(), Following()
    local = tuple(each for each in call.listed if each.channel.name.startswith("Local/"))
    assert told(following, [Missed("lost"), LiveChannels(local)]) == []
    (found,) = told(following, [Hangup(call.dialling, 16), Hangup(call.ours, 16)])
    assert isinstance(found, Unclear)


def test_an_originate_of_which_nothing_was_seen_is_unclear() -> None:
    following = Following()
    following.expect(OTHER, "1")
    assert following.settle(T0 + 100 * GRACE) == ()
    told(following, [Missed("lost"), LiveChannels(())])
    (found,) = following.settle(T0 + GRACE)
    assert isinstance(found, Unclear) and found.attempt == OTHER


def test_an_originate_without_an_answer_is_unclear_unless_something_comes_of_it() -> None:
    call, following = Call(), Following()
    following.expect(ID, "1")
    following.expect(OTHER, "2")
    following.unsure(ID, T0)
    following.unsure(OTHER, T0)
    told(following, call.begin)
    assert following.settle(T0 + LATE - GRACE) == ()
    (found,) = following.settle(T0 + LATE)
    assert isinstance(found, Unclear) and found.attempt == OTHER


def test_no_subset_of_events_makes_it_raise_or_end_a_call_twice() -> None:
    call = Call()
    life = [*call.begin, *call.ring, *call.end("BUSY", 17, 486), Missed("x"), LiveChannels(call.listed[:2])]
    for seed in range(300):
        chance, following = random.Random(seed), Following()
        following.expect(ID, "1")
        some = [event for event in life if chance.random() < 0.7]
        found = told(following, some) + list(following.settle(T0 + GRACE))
        ends = [each for each in found if isinstance(each, Ended)]
        assert len(ends) <= 1
        for end in ends:
            assert end.result.disposition is not Disposition.ANSWERED
