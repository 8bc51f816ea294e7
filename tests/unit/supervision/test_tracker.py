"""Category: unit. From events and lists to how a PBX looks: after any losses it is the truth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.ami.events import (
    Channel,
    ContactStatus,
    CoreShowChannel,
    Event,
    Hangup,
    Listed,
    LiveChannels,
    Missed,
    Newchannel,
    Newstate,
)
from voicebot.ami.pbx_events import (
    Bridge,
    BridgeDestroy,
    BridgeEnter,
    BridgeLeave,
    BridgeListItem,
    DeviceStateChange,
    MixMonitor,
    OutboundRegistration,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueEntry,
    QueueMember,
    QueueParams,
    Registry,
    Rename,
)
from voicebot.ari.ids import Kind, make_id
from voicebot.supervision.tracker import PbxTracker

pytestmark = pytest.mark.unit


def channel(id_: str, state: str = "Up", name: str = "") -> Channel:
    return Channel(name or f"PJSIP/{id_}-1", id_, id_, state)


@dataclass
class Pbx:
    """A PBX with its truth, and what of it is on its way to us: events in order, lists ahead of them."""

    tracker: PbxTracker = field(default_factory=lambda: PbxTracker("voicebot"))
    channels: dict[str, tuple[str, str]] = field(default_factory=dict)  # id -> state, bridge
    bridges: set[str] = field(default_factory=set)
    wire: list[Event] = field(default_factory=list)
    asked: list[tuple[LiveChannels, Listed]] = field(default_factory=list)  # how it was when they were asked
    made: int = 0

    def act(self, what: str, which: int) -> None:
        ids = sorted(self.channels)
        one = ids[which % len(ids)] if ids else ""
        bridge = f"b{which % 3}"
        match what:
            case "begin":
                self.made += 1
                self.channels[f"c{self.made}"] = "Ring", ""
                self.wire.append(Newchannel(channel(f"c{self.made}", "Ring")))
            case "answer" if one:
                self.channels[one] = "Up", self.channels[one][1]
                self.wire.append(Newstate(channel(one)))
            case "enter" if one:
                self.leave(one)
                if bridge not in self.bridges:
                    self.made += 1
                    bridge = f"b{self.made}"
                    self.bridges.add(bridge)
                self.channels[one] = self.channels[one][0], bridge
                self.wire.append(BridgeEnter(Bridge(bridge, "stasis"), channel(one, self.channels[one][0])))
            case "leave" if one:
                self.leave(one)
            case "end" if one:
                self.leave(one)
                state, _ = self.channels.pop(one)
                self.wire.append(Hangup(channel(one, state)))
            case "close" if self.bridges:
                gone = sorted(self.bridges)[which % len(self.bridges)]
                for id_ in [id_ for id_, (_, inside) in self.channels.items() if inside == gone]:
                    self.leave(id_)
                self.bridges.discard(gone)
                self.wire.append(BridgeDestroy(Bridge(gone)))
            case "deliver":
                self.deliver(which)
            case "break":
                self.lose()
            case "list" if self.asked:
                self.list(which)
            case _:
                return

    def leave(self, id_: str) -> None:
        state, inside = self.channels[id_]
        if inside:
            self.channels[id_] = state, ""
            self.wire.append(BridgeLeave(Bridge(inside), channel(id_, state)))

    def deliver(self, count: int) -> None:
        for event in self.wire[:count]:
            self.tracker.event(event, 0)
        del self.wire[:count]

    def lists(self) -> tuple[LiveChannels, Listed]:
        live = [
            CoreShowChannel(channel(id_, state), bridge_id=inside)
            for id_, (state, inside) in self.channels.items()
        ]
        return LiveChannels(tuple(live)), Listed(
            "BridgeList", tuple(BridgeListItem(Bridge(id_, "stasis")) for id_ in self.bridges)
        )

    def lose(self) -> None:
        """What is on its way is lost; everything is listed anew."""
        self.wire.clear()
        self.asked = [self.lists()]
        self.tracker.event(Missed("lost"), 0)

    def list(self, which: int) -> None:
        """The lists come: as it is now, ahead of events or behind them, or as it was when they were asked."""
        lists = self.asked.pop() if which % 3 == 0 else self.lists()
        self.asked.clear()
        if which % 3 == 1:
            self.wire += lists
        else:
            for each in lists:
                self.tracker.event(each, 0)


WORDS = ["begin", "begin", "answer", "enter", "enter", "leave", "end", "close", "deliver", "break", "list"]


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 20)), max_size=60), st.integers(0, 2))
def test_after_any_losses_and_a_list_it_is_the_truth(acts: list[tuple[str, int]], how: int) -> None:
    pbx = Pbx()
    for what, which in acts:
        pbx.act(what, which)
    pbx.lose()
    for what, which in acts[:7]:  # life goes on while it is listed
        if what != "break":
            pbx.act(what, which)
    if pbx.asked:
        pbx.list(how)
    pbx.deliver(len(pbx.wire))
    assert {each.id: (each.state, each.bridge_id) for each in pbx.tracker.channels} == pbx.channels
    assert {each.id for each in pbx.tracker.bridges} == pbx.bridges
    inside = {id_: bridge for id_, (_, bridge) in pbx.channels.items() if bridge}
    assert {id_: each.id for each in pbx.tracker.bridges for id_ in each.channels} == inside


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(WORDS[:-2]), st.integers(0, 20)), max_size=60))
def test_changes_tell_all_that_happened(acts: list[tuple[str, int]]) -> None:
    """Who begins with a state and applies every change has the state."""
    pbx = Pbx()
    channels: dict[str, object] = {}
    bridges: dict[str, object] = {}
    for what, which in acts:
        pbx.act(what, which)
        changes = pbx.tracker.take_changes()
        channels |= {each["id"]: each["bridge_id"] for each in changes.get("channels", [])}
        bridges |= {each["id"]: each["channels"] for each in changes.get("bridges", [])}
        for id_ in changes.get("channels_gone", []):
            channels.pop(id_, None)
        for id_ in changes.get("bridges_gone", []):
            bridges.pop(id_, None)
        assert channels == {each.id: each.bridge_id for each in pbx.tracker.channels}
        assert bridges == {each.id: each.channels for each in pbx.tracker.bridges}
    assert pbx.tracker.take_changes() == {}


def test_a_late_event_brings_nothing_back() -> None:
    tracker = PbxTracker("voicebot")
    for event in (
        Newchannel(channel("1")),
        Hangup(channel("1")),
        BridgeLeave(Bridge("b"), channel("1")),
        BridgeEnter(Bridge("b"), channel("1")),
        BridgeDestroy(Bridge("b")),
        BridgeEnter(Bridge("b"), channel("2")),
    ):
        tracker.event(event, 0)
    assert [each.id for each in tracker.channels] == ["2"]
    assert tracker.bridges == ()


def test_how_old_a_channel_is_comes_from_the_list() -> None:
    tracker = PbxTracker("voicebot")
    tracker.event(LiveChannels((CoreShowChannel(channel("1"), "Echo", age_s=90),)), 1000)
    (found,) = tracker.channels
    assert (found.began_at, found.state_since_at, found.application) == (910, 910, "Echo")


def test_legs_of_ours_are_known_by_their_ids() -> None:
    tracker = PbxTracker("voicebot")
    ours, others = (make_id(Kind.MEDIA, app, bytes(16)) for app in ("voicebot", "another"))
    tracker.event(Newchannel(channel(ours)), 0)
    tracker.event(Newchannel(channel(others)), 0)
    assert [each.ours for each in tracker.channels] == ["media", ""]


def test_a_telephone_does_what_its_channels_do() -> None:
    tracker = PbxTracker("voicebot")
    devices = [
        DeviceStateChange("PJSIP/anna", "INUSE"),  # of a call that ends unseen
        DeviceStateChange("PJSIP/ben", "UNAVAILABLE"),
        DeviceStateChange("Queue:x_avail", "INUSE"),
    ]
    tracker.event(Listed("DeviceStateList", tuple(devices)), 0)
    assert {each.name: each.state for each in tracker.endpoints} == {
        "PJSIP/anna": "not_inuse",
        "PJSIP/ben": "unavailable",
    }
    seen = []
    for event in (
        Newchannel(channel("1", "Down", "PJSIP/anna-01")),
        Newstate(channel("1", "Ringing", "PJSIP/anna-01")),
        Newstate(channel("1", "Up", "PJSIP/anna-01")),
        Newstate(channel("2", "Ringing", "PJSIP/anna-02")),
        Rename("1", "PJSIP/ben-01"),
        Hangup(channel("2", "Ringing", "PJSIP/anna-02")),
    ):
        tracker.event(event, 0)
        seen.append(tracker.presence("PJSIP/anna"))
    assert seen == ["not_inuse", "ringing", "inuse", "ringinuse", "ringing", "not_inuse"]
    assert tracker.presence("PJSIP/ben") == "inuse"
    assert tracker.presence("PJSIP/nobody") == "unknown"


def test_who_registers_has_the_telephones_listed_anew() -> None:
    tracker = PbxTracker("voicebot")
    tracker.event(ContactStatus("anna", "sip:a@192.0.2.1", "Removed"), 0)
    assert tracker.unsure_of_phones
    assert not tracker.unsure_of_phones


def test_registrations_follow_their_events() -> None:
    tracker = PbxTracker("voicebot")
    known = OutboundRegistration("main", "sip:provider", "sip:us@provider", "Registered")
    tracker.event(Listed("PJSIPShowRegistrationsOutbound", (known,)), 1)
    tracker.event(Registry("sip:provider", "sip:us@provider", "Rejected"), 5)
    (found,) = tracker.take_changes()["registrations"]
    assert found == {"name": "main", "server": "sip:provider", "state": "Rejected", "since_at": 5}
    tracker.event(Listed("PJSIPShowRegistrationsOutbound", (), "AMI refuses it: Permission denied"), 6)
    assert tracker.hidden == ("registrations",)


def test_a_queue_with_who_waits_and_who_answers() -> None:
    tracker = PbxTracker("voicebot")
    member = QueueMember("sales", "PJSIP/anna", "Anna", status=5, answered=3)
    entry = QueueEntry("sales", "PJSIP/x-1", "1", 1, "100", waited_s=9)
    tracker.event(Listed("QueueStatus", (QueueParams("sales", 1, 7, 2), member, entry)), 50)
    tracker.event(QueueCallerJoin("sales", channel("2"), 1), 51)  # of a higher priority
    (queue,) = tracker.queues
    assert [(each.channel_id, each.position, each.since_at) for each in queue.waiting] == [
        ("2", 1, 51),
        ("1", 2, 41),
    ]
    assert (queue.answered, queue.members[0].state) == (7, "unavailable")
    tracker.event(QueueCallerAbandon("sales", channel("2")), 52)
    tracker.event(QueueCallerLeave("sales", channel("2")), 52)
    tracker.event(QueueMember("sales", "PJSIP/anna", "Anna", 1, paused=True, reason="lunch"), 53)
    (queue,) = tracker.queues
    assert [(each.channel_id, each.position) for each in queue.waiting] == [("1", 1)]
    assert (queue.abandoned, queue.members[0].paused, queue.members[0].reason) == (3, True, "lunch")


def test_who_left_the_queue_while_it_was_listed_is_not_in_it() -> None:
    tracker = PbxTracker("voicebot")
    for id_ in ("1", "2"):
        tracker.event(QueueCallerJoin("sales", channel(id_), int(id_)), 0)
    tracker.asked()
    tracker.event(QueueCallerLeave("sales", channel("1")), 0)
    tracker.event(QueueCallerJoin("sales", channel("3"), 2), 0)
    entries = tuple(QueueEntry("sales", f"PJSIP/{n}-1", str(n), n) for n in (1, 2))
    tracker.event(Listed("QueueStatus", (QueueParams("sales"), *entries)), 1)
    (queue,) = tracker.queues
    assert [(each.channel_id, each.position) for each in queue.waiting] == [("2", 1), ("3", 2)]


def test_a_recording_that_pauses() -> None:
    tracker = PbxTracker("voicebot")
    seen = []
    for what in ("start", "mute", "unmute", "stop"):
        tracker.event(MixMonitor(channel("1"), what), 0)
        seen.append(tracker.channels[0].recording)
    assert seen == ["on", "paused", "on", "off"]


def test_what_changed_while_it_was_listed_is_believed_and_all_else_of_the_list() -> None:
    tracker = PbxTracker("voicebot")
    for id_ in ("1", "2"):
        tracker.event(Newchannel(channel(id_, "Ring")), 0)
        tracker.event(BridgeEnter(Bridge("old"), channel(id_, "Ring")), 0)
    tracker.event(Missed("lost"), 1)  # and with it that 2 was moved
    tracker.event(Newstate(channel("1")), 2)
    tracker.event(BridgeDestroy(Bridge("old")), 2)
    listed = (CoreShowChannel(channel("1", "Ring")), CoreShowChannel(channel("2", "Up"), bridge_id="new"))
    tracker.event(LiveChannels(listed), 3)
    assert [(each.id, each.state, each.bridge_id) for each in tracker.channels] == [
        ("1", "Up", ""),
        ("2", "Up", "new"),
    ]


def test_who_left_one_bridge_late_is_still_in_the_other() -> None:
    tracker = PbxTracker("voicebot")
    tracker.event(LiveChannels(()), 0)
    tracker.event(Newchannel(channel("1")), 0)
    tracker.event(BridgeEnter(Bridge("b"), channel("1")), 0)
    tracker.event(BridgeLeave(Bridge("a"), channel("1")), 0)
    assert tracker.channels[0].bridge_id == "b"


def test_who_waited_and_who_paused_unseen_is_as_the_list_says() -> None:
    tracker = PbxTracker("voicebot")
    tracker.event(QueueCallerJoin("sales", channel("1"), 1), 0)
    anna, ben = (QueueMember("sales", f"PJSIP/{name}", name, 1) for name in ("anna", "ben"))
    for member in (anna, replace(ben, paused=True)):
        tracker.event(member, 0)
    tracker.asked()
    tracker.event(replace(anna, paused=True), 1)
    tracker.event(Listed("QueueStatus", (QueueParams("sales"), anna, ben)), 2)
    (queue,) = tracker.queues
    assert queue.waiting == ()
    assert {each.name: each.paused for each in queue.members} == {"anna": True, "ben": False}


def test_what_has_ended_is_remembered_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.supervision.tracker.REMEMBERED", 3)
    tracker = PbxTracker("voicebot")
    for n in range(10):
        tracker.event(Newchannel(channel(str(n))), 0)
        tracker.event(Hangup(channel(str(n))), 0)
    for n in (0, 9):
        tracker.event(Newstate(channel(str(n))), 0)
    assert [each.id for each in tracker.channels] == ["0"]
