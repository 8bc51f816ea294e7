"""Category: unit. What counts as stuck, and what only takes long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voicebot.supervision.state import PbxBridge, PbxChannel
from voicebot.supervision.watchdog import Limits, WatchDog

pytestmark = pytest.mark.unit

LIMITS = Limits(stuck_after_s=1000, unowned_after_s=30, idle_s=100, lonely_s=100, unanswered_s=200)
TALKS = PbxChannel("1", "PJSIP/a-1", "1", "Up", application="Dial", bridge_id="b")
MEDIA = PbxChannel("m", "UnicastRTP/x", "1", "Up", ours="media", bridge_id="b")
RINGS = PbxChannel("2", "PJSIP/b-1", "1", "Ringing")
BRIDGE = PbxBridge("b", technology="simple_bridge", channels=("1", "m"))


def codes(now: float, *channels: PbxChannel, bridges: tuple[PbxBridge, ...] = ()) -> dict[str, str]:
    found = WatchDog(LIMITS).warnings(channels, bridges, frozenset({"m"}), now)
    return {stuck.id: stuck.code for stuck in found}


def test_a_call_as_it_should_be_is_no_warning() -> None:
    assert codes(999, TALKS, MEDIA, bridges=(BRIDGE,)) == {}


def test_a_channel_that_never_changes_is_stuck() -> None:
    (stuck,) = WatchDog(LIMITS).warnings([TALKS], [], frozenset(), 1000)
    assert (stuck.code, stuck.age_ms, stuck.channel) == ("old", 1_000_000, "PJSIP/a-1")
    assert "Dial" in stuck.why


@pytest.mark.parametrize(("application", "expected"), [("", "idle"), ("AppDial", "idle"), ("Echo", None)])
def test_up_without_bridge_and_application(application: str, expected: str | None) -> None:
    lost = replace(TALKS, application=application, bridge_id="", bridge_since_at=50)
    assert codes(149, lost) == {}
    assert codes(150, lost).get("1") == expected
    assert WatchDog(LIMITS).warnings([lost], [], frozenset(), 150, applications_known=False) == ()


def test_a_leg_that_rings_on_after_the_answer() -> None:
    found = WatchDog(LIMITS).warnings([TALKS, RINGS], [BRIDGE], frozenset(), 200)
    assert [(stuck.id, stuck.code) for stuck in found] == [("2", "half_answered")]
    assert "has been answered" in found[0].why
    assert codes(199, TALKS, RINGS) == {}


def test_somebody_alone_in_a_bridge() -> None:
    alone = replace(BRIDGE, channels=("1",))
    assert codes(100, TALKS, bridges=(alone,)) == {"b": "lonely_bridge"}
    assert codes(100, TALKS, bridges=(replace(alone, technology="holding_bridge"),)) == {}
    assert WatchDog(LIMITS).warnings([TALKS], [alone], frozenset({"b"}), 100) == (), "a conference of ours"


def test_a_leg_of_ours_is_nobodys_only_after_a_while() -> None:
    dog = WatchDog(LIMITS)
    nobody: frozenset[str] = frozenset()
    assert dog.warnings([MEDIA], [], nobody, 0) == ()
    assert dog.warnings([MEDIA], [], frozenset({"m"}), 20) == (), "held again: from the beginning"
    assert dog.warnings([MEDIA], [], nobody, 40) == ()
    assert dog.warnings([MEDIA], [], nobody, 69) == ()
    (stuck,) = dog.warnings([MEDIA], [], nobody, 70)
    assert (stuck.code, stuck.age_ms) == ("unowned", 30_000)


@pytest.mark.parametrize(
    ("application", "bridge_id", "warned"),
    [("Stasis", "ours", True), ("Stasis", "", True), ("", "", True), ("", "b", False), ("Queue", "", False)],
)
def test_a_person_whom_the_dialplan_has_is_its_own(application: str, bridge_id: str, warned: bool) -> None:
    person = PbxChannel(
        "p", "PJSIP/a-2", "1", "Up", application=application, bridge_id=bridge_id, ours="person"
    )
    dog, bridges = WatchDog(LIMITS), [BRIDGE, PbxBridge("ours", ours=True)]
    dog.warnings([person], bridges, {"ours"}, 0)
    assert [stuck.id for stuck in dog.warnings([person], bridges, {"ours"}, 40)] == ["p"] * warned


def test_a_bridge_of_ours_that_nobody_holds() -> None:
    dog = WatchDog(LIMITS)
    empty = PbxBridge("b", ours=True)
    dog.warnings([], [empty], frozenset(), 0)
    (stuck,) = dog.warnings([], [empty], frozenset(), 30)
    assert (stuck.code, stuck.channel) == ("unowned", "b")


def test_the_oldest_comes_first() -> None:
    older = replace(TALKS, id="0", linked_id="0", state_since_at=-500)
    assert list(codes(1000, TALKS, older)) == ["0", "1"]


def test_what_is_stuck_in_two_ways_is_told_of_once() -> None:
    dog, lost = WatchDog(LIMITS), replace(TALKS, ours="person", application="", bridge_id="")
    dog.warnings([lost], [], frozenset(), 0)
    (stuck,) = dog.warnings([lost], [], frozenset(), 5000)
    assert stuck.code == "unowned"
