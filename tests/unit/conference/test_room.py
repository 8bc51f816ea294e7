"""Category: unit. A conference room: who may join, who is heard when, what keys do, when it ends."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from voicebot.conference.commands import (
    Announce,
    Close,
    Command,
    Hush,
    Music,
    Record,
    Remove,
    Tell,
)
from voicebot.conference.keys import PAIR_S
from voicebot.conference.participant import Participant, Rules
from voicebot.conference.room import NotThere, Refused, Room

pytestmark = pytest.mark.unit

ANNA = Participant("anna", name="Anna", host=True)
BEN = Participant("ben", name="Ben")
CLEO = Participant("cleo", name="Cleo")
BOT = Participant("bot", bot=True)


def room(*who: Participant, **rules: object) -> Room:
    of = Room(Rules(**rules))  # type: ignore[arg-type]
    for each in who:
        of.join(each)
    return of


def keys(of: Room, id_: str, pressed: str, now: float = 0.0) -> tuple[Command, ...]:
    return tuple(command for key in pressed for command in of.press(id_, key, now))


def test_who_is_alone_hears_music_until_a_second_comes_whom_a_tone_announces() -> None:
    of = Room(Rules())
    assert of.join(BEN) == (Music(True),)
    assert of.join(CLEO) == (Music(False), Announce("comes"))
    assert of.leave("cleo") == (Music(True), Announce("goes"))
    assert of.leave("ben") == (Music(False), Close())
    assert of.over
    with pytest.raises(Refused) as refused:
        of.join(BEN)
    assert refused.value.why == "over"


def test_names_are_said_where_the_rules_want_it_and_nothing_where_they_do_not() -> None:
    assert room(BEN, announce="name").join(CLEO)[-1] == Announce("comes", "Cleo")
    assert room(BEN, announce="no").join(CLEO) == (Music(False),)


def test_a_full_room_refuses_and_a_locked_one_refuses_guests_only() -> None:
    of = room(BEN, CLEO, most=2)
    with pytest.raises(Refused) as refused:
        of.join(ANNA)
    assert refused.value.why == "full"
    of = room(BEN)
    of.lock()
    with pytest.raises(Refused) as refused:
        of.join(CLEO)
    assert refused.value.why == "locked"
    of.join(ANNA)
    of.lock(False)
    of.join(CLEO)
    assert len(of.people) == 3


def test_guests_wait_for_a_host_unheard_and_with_music_and_wait_again_when_the_host_has_gone() -> None:
    of = Room(Rules(wait_for_host=True))
    assert of.join(BEN) == (Hush("ben", True), Music(True))
    assert of.join(CLEO) == (Hush("cleo", True),)
    assert of.waiting and not of.talks("ben", True)
    assert of.join(ANNA) == (Hush("ben", False), Hush("cleo", False), Music(False), Announce("comes"))
    assert of.leave("anna") == (Hush("ben", True), Hush("cleo", True), Music(True))


def test_the_last_host_ends_the_conference_where_the_rules_say_so() -> None:
    second = Participant("dora", host=True)
    of = room(ANNA, second, BEN, ends_with_host=True)
    of.leave("anna")
    assert not of.over
    assert of.leave("dora") == (Remove("ben", "no_host"), Close())
    no_host_yet = room(BEN, CLEO, ends_with_host=True)
    no_host_yet.leave("cleo")
    assert not no_host_yet.over


def test_where_guests_are_muted_they_raise_a_hand_and_a_host_lets_them_speak() -> None:
    of = room(ANNA, BEN, muted="guests")
    assert (of.of("anna").muted, of.of("ben").muted) == (False, True)
    assert keys(of, "ben", "*6") == (Tell("ben", "not_allowed"),)
    assert keys(of, "ben", "*5") == (Tell("ben", "hand_up"),)
    assert of.of("ben").hand
    assert of.unmute("ben") == (Hush("ben", False),)
    assert not of.of("ben").hand
    assert keys(of, "ben", "*6") == (Hush("ben", True), Tell("ben", "muted"))
    assert keys(of, "ben", "*6") == (Hush("ben", False), Tell("ben", "unmuted"))
    assert of.mute("ben") == (Hush("ben", True),)
    assert keys(of, "ben", "*6") == (Tell("ben", "not_allowed"),)


def test_where_all_enter_muted_each_lets_themselves_speak() -> None:
    of = room(ANNA, BEN, muted="all")
    assert (of.of("anna").muted, of.of("ben").muted) == (True, True)
    assert keys(of, "ben", "*6") == (Hush("ben", False), Tell("ben", "unmuted"))


def test_a_host_mutes_all_guests_by_key_and_those_who_come_later_too() -> None:
    of = room(ANNA, BEN)
    assert keys(of, "anna", "*8") == (Hush("ben", True), Tell("anna", "muted"))
    assert Hush("cleo", True) in of.join(CLEO)
    assert keys(of, "anna", "*8") == (Hush("ben", False), Hush("cleo", False), Tell("anna", "unmuted"))


def test_all_are_muted_and_let_speak_also_those_to_come_and_hands_go_down() -> None:
    of = room(ANNA, BEN, muted="guests")
    of.unmute("ben")
    keys(of, "ben", "*5")
    assert of.mute_all() == (Hush("ben", True),)
    assert keys(of, "ben", "*6") == (Tell("ben", "not_allowed"),)  # what a host allowed before is over
    assert of.of("ben").hand
    assert of.unmute_all() == (Hush("ben", False),)
    assert not of.of("ben").hand
    assert Hush("cleo", True) not in of.join(CLEO)
    assert keys(of, "cleo", "*6") == (Hush("cleo", True), Tell("cleo", "muted"))
    assert keys(of, "cleo", "*6") == (Hush("cleo", False), Tell("cleo", "unmuted"))


def test_who_has_a_picture_is_known_while_they_are_there() -> None:
    of = room(ANNA, BEN)
    of.shows("ben", True)
    of.shows("nobody", True)
    assert [each.video for each in of.participants] == [False, True]
    of.shows("ben", False)
    assert not of.of("ben").video


def test_who_left_muted_and_comes_back_is_not_heard() -> None:
    of = room(ANNA, BEN, muted="guests")
    of.leave("ben")
    assert Hush("ben", True) in of.join(BEN)


def test_a_room_that_is_over_does_nothing_more() -> None:
    of = room(ANNA, BEN, record=True)
    assert Record(False) in of.end()
    assert of.participants == ()
    assert keys(of, "anna", "*9") == of.end() == of.leave("anna") == of.record(True) == ()
    assert not of.recording


def test_keys_of_hosts_do_nothing_for_guests() -> None:
    of = room(ANNA, BEN)
    for pressed in ("*7", "*8", "*9"):
        assert keys(of, "ben", pressed) == (Tell("ben", "not_allowed"),)
    assert not (of.locked or of.over)
    assert keys(of, "anna", "*7") == (Tell("anna", "locked"),)
    assert of.locked
    assert keys(of, "anna", "*9") == (Remove("anna", "ended"), Remove("ben", "ended"), Close())


def test_only_a_star_and_a_digit_soon_after_it_are_a_command() -> None:
    of = room(ANNA, BEN)
    assert keys(of, "ben", "6") == ()
    assert keys(of, "ben", "*16") == ()
    of.press("ben", "*", 10.0)
    assert of.press("ben", "6", 10.0 + PAIR_S + 0.1) == ()
    assert keys(of, "ben", "**6") == (Hush("ben", True), Tell("ben", "muted"))
    of.press("anna", "*", 0.0)
    assert of.press("ben", "9", 0.0) == ()  # each has keys of their own
    assert keys(of, "nobody", "*6") == ()


def test_who_is_kicked_is_told_and_gone() -> None:
    of = room(ANNA, BEN, CLEO)
    assert of.kick("ben") == (Remove("ben", "kicked"), Announce("goes"))
    assert "ben" not in of
    with pytest.raises(NotThere):
        of.kick("ben")
    assert of.leave("ben") == ()


def test_a_recording_begins_with_the_first_participant_and_all_hear_of_one_that_begins_later() -> None:
    assert Record(True) in Room(Rules(record=True)).join(BEN)
    of = room(BEN, CLEO)
    assert of.record(True) == (Record(True), Announce("recorded"))
    assert of.record(True) == ()
    assert of.end() == (Record(False), Remove("ben", "ended"), Remove("cleo", "ended"), Close())


def test_the_bot_keeps_company_but_does_not_keep_the_room_open_nor_takes_a_place() -> None:
    of = room(BEN, most=2)
    assert of.join(BOT) == (Music(False),)
    of.join(CLEO)
    assert len(of.people) == 2
    of.lock()
    of.leave("cleo")
    assert of.leave("ben") == (Remove("bot", "ended"), Close())


def test_who_is_muted_does_not_talk() -> None:
    of = room(ANNA, BEN)
    assert of.talks("ben", True)
    assert not of.talks("ben", True)
    of.mute("ben")
    assert not of.of("ben").talking
    assert not of.talks("ben", True)
    assert not of.talks("gone", True)


class Rooms(RuleBasedStateMachine):
    """Whatever happens in whatever order: what was told to the shell is how the room stands."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Room(Rules())
        self.hushed: set[str] = set()
        self.inside: set[str] = set()
        self.music = self.recording = self.closed = False

    @rule(
        muted=st.sampled_from(["nobody", "guests", "all"]),
        wait=st.booleans(),
        ends=st.booleans(),
        record=st.booleans(),
        most=st.integers(2, 4),
    )
    @precondition(lambda self: not self.inside)
    def new(self, muted: str, wait: bool, ends: bool, record: bool, most: int) -> None:
        self.__init__()  # type: ignore[misc]
        self.room = room(muted=muted, wait_for_host=wait, ends_with_host=ends, record=record, most=most)

    def do(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            assert not self.closed
            match command:
                case Hush(id_, on):
                    assert (id_ in self.hushed) != on
                    (self.hushed.add if on else self.hushed.discard)(id_)
                case Remove(id_):
                    self.inside.remove(id_)
                    self.hushed.discard(id_)
                case Music(on):
                    assert self.music != on
                    self.music = on
                case Record(on):
                    assert self.recording != on
                    self.recording = on
                case Close():
                    self.closed = True

    @rule(number=st.integers(0, 5), host=st.booleans())
    def join(self, number: int, host: bool) -> None:
        if str(number) not in self.inside:
            try:
                commands = self.room.join(Participant(str(number), host=host))
            except Refused:
                return
            self.inside.add(str(number))
            self.do(commands)

    @rule(number=st.integers(0, 5), kick=st.booleans())
    def leave(self, number: int, kick: bool) -> None:
        if str(number) in self.inside:
            if kick:
                self.do(self.room.kick(str(number)))
            else:
                self.inside.remove(str(number))
                self.hushed.discard(str(number))
                self.do(self.room.leave(str(number)))

    @rule(number=st.integers(0, 5), digit=st.sampled_from("56789"))
    def key(self, number: int, digit: str) -> None:
        if str(number) in self.inside:
            self.do(keys(self.room, str(number), f"*{digit}"))

    @rule(number=st.integers(0, 5), on=st.booleans())
    def supervise(self, number: int, on: bool) -> None:
        if str(number) in self.inside:
            self.do(self.room.mute(str(number)) if on else self.room.unmute(str(number)))

    @invariant()
    def told_is_true(self) -> None:
        assert {each.id for each in self.room.participants} == self.inside
        assert self.closed == self.room.over
        if self.closed:
            assert not (self.music or self.recording or self.inside)
            return
        assert self.recording == self.room.recording
        assert self.music == (bool(self.inside) and (self.room.waiting or len(self.inside) == 1))
        for each in self.room.participants:
            assert (each.id in self.hushed) == (each.muted or (self.room.waiting and not each.host))


TestRooms = Rooms.TestCase
TestRooms.settings = settings(max_examples=60, stateful_step_count=30)


def test_who_was_not_told_that_it_is_recorded_hears_it_inside() -> None:
    invited = Participant("dora", unaware=True)
    of = room(ANNA, BEN)
    assert Announce("recorded") not in of.join(invited)
    of.leave("dora")
    of.record(True)
    assert of.join(invited)[-1] == Announce("recorded")
    assert Announce("recorded") not in of.join(CLEO)  # was told at the door
    assert Room(Rules(record=True)).join(invited)[-1] == Announce("recorded")
