"""Category: unit. Events of bridges, telephones, queues and registrations, as Asterisk 22 sends them."""

from __future__ import annotations

import pytest

from voicebot.ami.events import Channel, CoreShowChannel, Event, UnknownEvent, parse
from voicebot.ami.messages import message
from voicebot.ami.pbx_events import (
    Bridge,
    BridgeEnter,
    BridgeListItem,
    BridgeMerge,
    DeviceStateChange,
    EndpointList,
    MixMonitor,
    OutboundRegistration,
    QueueEntry,
    QueueMember,
    QueueParams,
    Registry,
    Rename,
)

pytestmark = pytest.mark.unit

LEG = [
    ("Channel", "PJSIP/a-1"),
    ("ChannelStateDesc", "Up"),
    ("CallerIDNum", "100"),
    ("CallerIDName", "<unknown>"),
    ("ConnectedLineNum", "600"),
    ("Context", "c"),
    ("Exten", "600"),
    ("Uniqueid", "1.1"),
    ("Linkedid", "1.0"),
]
CHANNEL = Channel("PJSIP/a-1", "1.1", "1.0", "Up", "c", "600", "100", "", "600")
ROOM = [
    ("BridgeUniqueid", "b"),
    ("BridgeType", "stasis"),
    ("BridgeTechnology", "simple_bridge"),
    ("BridgeName", "<unknown>"),
    ("BridgeNumChannels", "2"),
]
BRIDGE = Bridge("b", "stasis", "simple_bridge", "", 2)


@pytest.mark.parametrize(
    ("name", "headers", "expected"),
    [
        ("BridgeEnter", ROOM + LEG, BridgeEnter(BRIDGE, CHANNEL)),
        ("BridgeListItem", ROOM, BridgeListItem(BRIDGE)),
        (
            "BridgeMerge",
            [("ToBridgeUniqueid", "a"), ("FromBridgeUniqueid", "b")],
            BridgeMerge("a", "b"),
        ),
        ("Rename", [("Channel", "x"), ("Newname", "y"), ("Uniqueid", "1")], Rename("1", "y")),
        (
            "CoreShowChannel",
            [*LEG, ("Application", "Echo"), ("BridgeId", "b"), ("Duration", "01:02:03")],
            CoreShowChannel(CHANNEL, "Echo", "b", 3723),
        ),
        (
            "DeviceStateChange",
            [("Device", "PJSIP/a"), ("State", "INUSE")],
            DeviceStateChange("PJSIP/a", "INUSE"),
        ),
        (
            "EndpointList",
            [("ObjectName", "a"), ("DeviceState", "Not in use"), ("Contacts", "a/sip:x@192.0.2.1,")],
            EndpointList("a", "Not in use", ("sip:x@192.0.2.1",)),
        ),
        (
            "Registry",
            [("Domain", "sip:p"), ("Username", "sip:u@p"), ("Status", "Registered")],
            Registry("sip:p", "sip:u@p", "Registered"),
        ),
        (
            "OutboundRegistrationDetail",
            [("ObjectName", "r"), ("ServerUri", "sip:p"), ("ClientUri", "sip:u@p"), ("Status", "Rejected")],
            OutboundRegistration("r", "sip:p", "sip:u@p", "Rejected"),
        ),
        (
            "QueueParams",
            [("Queue", "q"), ("Calls", "1"), ("Completed", "7"), ("Abandoned", "2")],
            QueueParams("q", 1, 7, 2),
        ),
        (
            "QueueMember",
            [("Queue", "q"), ("Name", "A"), ("Location", "PJSIP/a"), ("Status", "1"), ("Paused", "1"),
             ("PausedReason", "lunch"), ("InCall", "0"), ("CallsTaken", "3")],
            QueueMember("q", "PJSIP/a", "A", 1, True, "lunch", False, 3),
        ),
        (
            "QueueMemberPause",
            [("Queue", "q"), ("MemberName", "A"), ("Interface", "PJSIP/a"), ("Status", "1"), ("Paused", "0")],
            QueueMember("q", "PJSIP/a", "A", 1),
        ),
        (
            "QueueEntry",
            [("Queue", "q"), ("Position", "1"), ("Channel", "PJSIP/a-1"), ("Uniqueid", "1.1"), ("Wait", "9")],
            QueueEntry("q", "PJSIP/a-1", "1.1", 1, "", 9),
        ),
        ("MixMonitorMute", [*LEG, ("State", "1")], MixMonitor(CHANNEL, "mute")),
    ],
)  # fmt: skip
def test_events(name: str, headers: list[tuple[str, str]], expected: Event) -> None:
    assert parse(message("Event", name, headers)) == expected


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("BridgeEnter", LEG),
        ("QueueEntry", [("Queue", "q"), ("Position", "first"), ("Channel", "x"), ("Uniqueid", "1")]),
        ("CoreShowChannel", [*LEG, ("Duration", "soon")]),
        ("QueueMember", [("Queue", "q")]),
    ],
)
def test_what_lacks_something_stays_as_it_came(name: str, headers: list[tuple[str, str]]) -> None:
    assert isinstance(parse(message("Event", name, headers)), UnknownEvent)
