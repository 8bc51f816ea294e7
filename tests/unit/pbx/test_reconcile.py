"""Category: unit. What follows from Asterisk's channels and ours after the connection was away."""

from __future__ import annotations

import pytest

from voicebot.ari.ids import Kind, make_id
from voicebot.pbx.reconcile import View, reconcile

pytestmark = pytest.mark.unit

APP = "voicebot"
CALLER, STRANGER = "1795295157.27", "1795295157.28"
MEDIA, MEDIA_2 = (make_id(Kind.MEDIA, APP, bytes([n]) * 16) for n in (1, 2))
BRIDGE, BRIDGE_2 = (make_id(Kind.BRIDGE, APP, bytes([n]) * 16) for n in (1, 2))
THEIRS = make_id(Kind.MEDIA, "other", bytes(16))
CALL = frozenset({CALLER, MEDIA, BRIDGE})
WHOLE = View("10:00", frozenset({CALLER, MEDIA}), frozenset({BRIDGE}), frozenset({CALLER, MEDIA}))


def test_a_call_that_lives_on_is_left_alone() -> None:
    verdict = reconcile(WHOLE, app=APP, live=CALL, held=CALL, startup_time="10:00")
    assert not verdict.gone
    assert not verdict.orphan_channels | verdict.orphan_bridges | verdict.orphan_callers


def test_a_caller_who_left_meanwhile() -> None:
    view = View("10:00", frozenset({MEDIA}), frozenset({BRIDGE}), frozenset({MEDIA}))
    verdict = reconcile(view, app=APP, live=CALL, held=CALL, startup_time="10:00")
    assert (verdict.gone, verdict.reason) == ({CALLER}, "hung_up")
    assert not verdict.orphan_channels | verdict.orphan_bridges  # the call undoes its own


def test_another_asterisk_has_none_of_our_calls_whatever_their_ids() -> None:
    verdict = reconcile(
        View("10:07", frozenset({CALLER})), app=APP, live=CALL, held=CALL, startup_time="10:00"
    )
    assert (verdict.gone, verdict.reason) == (CALL, "asterisk_lost")


def test_what_is_being_made_just_now_is_neither_gone_nor_an_orphan() -> None:
    held = CALL | {MEDIA_2, BRIDGE_2}
    assert not reconcile(WHOLE, app=APP, live=CALL, held=held, startup_time="10:00").gone
    view = View("10:00", WHOLE.channels | {MEDIA_2}, WHOLE.bridges | {BRIDGE_2}, WHOLE.followed)
    verdict = reconcile(view, app=APP, live=CALL, held=held, startup_time="10:00")
    assert not verdict.orphan_channels | verdict.orphan_bridges


def test_whom_a_gateway_has_given_to_the_dialplan_is_the_dialplans() -> None:
    person = make_id(Kind.PERSON, APP, bytes(16))
    both = frozenset({CALLER, person})
    view = View("10:00", channels=both | {MEDIA}, followed=both, elsewhere=both)
    verdict = reconcile(view, app=APP, live=frozenset(), held=frozenset())
    assert verdict.orphan_channels == {MEDIA}
    assert not verdict.orphan_callers


def test_what_a_dead_gateway_left_is_removed_and_nothing_else() -> None:
    view = View(
        "10:00",
        channels=frozenset({CALLER, STRANGER, MEDIA, THEIRS}),
        bridges=frozenset({BRIDGE, "conference"}),
        followed=frozenset({CALLER, MEDIA}),
    )
    verdict = reconcile(view, app=APP, live=frozenset(), held=frozenset())
    assert verdict.orphan_channels == {MEDIA}
    assert verdict.orphan_bridges == {BRIDGE}
    assert verdict.orphan_callers == {CALLER}
    assert not verdict.gone


def test_a_caller_who_comes_just_now_is_no_orphan() -> None:
    verdict = reconcile(WHOLE, app=APP, live=frozenset(), held=frozenset(), seen=frozenset({CALLER}))
    assert not verdict.orphan_callers


def test_persons_who_talk_to_each_other_are_left_alone_by_the_next_gateway() -> None:
    person, snoop = make_id(Kind.PERSON, APP, bytes(16)), make_id(Kind.SNOOP, APP, bytes(16))
    lonely = make_id(Kind.PERSON, APP, bytes([9]) * 16)
    view = View(
        "10:00",
        channels=frozenset({CALLER, person, lonely, MEDIA, MEDIA_2, snoop}),
        bridges=frozenset({BRIDGE, BRIDGE_2}),
        followed=frozenset({CALLER, person, lonely, MEDIA}),
        members={BRIDGE: frozenset({CALLER, person, MEDIA}), BRIDGE_2: frozenset({lonely, MEDIA_2, snoop})},
    )
    verdict = reconcile(view, app=APP, live=frozenset(), held=frozenset())
    assert verdict.talks == {BRIDGE: {CALLER, person}}
    assert verdict.orphan_callers == frozenset()
    assert verdict.orphan_bridges == {BRIDGE_2}
    assert verdict.orphan_channels == {lonely, MEDIA, MEDIA_2, snoop}
    mine = reconcile(view, app=APP, live=frozenset(), held=view.channels | view.bridges)
    assert not mine.talks
