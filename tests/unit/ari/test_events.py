"""Category: unit. Events as Asterisk 22.10 sent them (tests/data/ari), and what it might send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from voicebot.ari.events import (
    BridgeDestroyed,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelEnteredBridge,
    ChannelTalkingFinished,
    ChannelTalkingStarted,
    Dial,
    Event,
    PlaybackFinished,
    StasisStart,
    UnknownEvent,
    Vanished,
    ids_of,
    parse,
    parse_channel,
    serialise,
)

pytestmark = pytest.mark.unit

CAPTURES = Path(__file__).parents[2] / "data" / "ari"
LINES = [line for file in sorted(CAPTURES.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
UNTYPED = {"ChannelConnectedLine", "ChannelDialplan"}
START = {"type": "StasisStart", "application": "voicebot", "channel": {"id": "1.2"}}


def captured(file: str, kind: type[Event]) -> list[Event]:
    events = [parse(line) for line in (CAPTURES / f"{file}.jsonl").read_bytes().splitlines()]
    return [event for event in events if isinstance(event, kind)]


def test_everything_that_asterisk_sent_is_understood() -> None:
    assert len(LINES) > 100
    for line in LINES:
        event = parse(line)
        assert isinstance(event, UnknownEvent) == (json.loads(line)["type"] in UNTYPED)
        assert event.application == "voicebot"
        assert event.timestamp is not None and event.timestamp.tzinfo is not None


def test_what_is_parsed_can_be_written_and_read_again() -> None:
    for line in LINES:
        event = parse(line)
        again = serialise(event)
        assert parse(again) == event
        assert json.loads(again)["type"] == json.loads(line)["type"]


def test_a_new_caller() -> None:
    start = captured("caller_hangs_up", StasisStart)[0]
    assert isinstance(start, StasisStart)
    assert start.args == ("600",)
    assert (start.channel.caller.name, start.channel.caller.number) == ("Sara Lee", "+12025550123")
    assert (start.channel.state, start.channel.dialplan.exten) == ("Ring", "600")
    assert start.timestamp == datetime(2026, 11, 21, 21, 5, 57, 714000, tzinfo=UTC)


def test_a_hangup_has_its_cause_and_the_sip_status() -> None:
    caller = next(
        event
        for event in captured("bot_hangs_up", ChannelDestroyed)
        if isinstance(event, ChannelDestroyed) and event.channel.name.startswith("PJSIP")
    )
    assert (caller.cause, caller.cause_txt, caller.tech_cause) == (21, "Call Rejected", 403)


def test_a_key() -> None:
    (key,) = captured("handed_over", ChannelDtmfReceived)
    assert isinstance(key, ChannelDtmfReceived)
    assert (key.digit, key.duration_ms) == ("7", 80)


def test_an_event_of_a_channel_and_a_bridge_belongs_to_both() -> None:
    entered = captured("caller_hangs_up", ChannelEnteredBridge)[0]
    assert isinstance(entered, ChannelEnteredBridge) and entered.channel is not None
    assert ids_of(entered) == (entered.channel.id, entered.bridge.id)
    (destroyed,) = captured("caller_hangs_up", BridgeDestroyed)
    assert ids_of(destroyed) == (entered.bridge.id,)


@pytest.mark.parametrize(
    ("event", "ids"),
    [
        (Vanished(id="1.2", reason="hung_up"), ("1.2",)),
        (parse({"type": "Dial", "peer": {"id": "b"}, "caller": {"id": "a"}}), ("a", "b")),
        (parse({"type": "PlaybackFinished", "playback": {"id": "p", "target_uri": "channel:1.2"}}), ("1.2",)),
        (parse({"type": "ChannelHold", "channel": {"id": "1.2"}}), ("1.2",)),
        (parse({"type": "ApplicationReplaced"}), ()),
    ],
)
def test_whose_event_it_is(event: Event, ids: tuple[str, ...]) -> None:
    assert ids_of(event) == ids
    assert not isinstance(event, UnknownEvent) or event.type == "ChannelHold"
    assert isinstance(event, Vanished | UnknownEvent | Dial | PlaybackFinished) or not ids


def test_unknown_fields_are_left_out() -> None:
    event = parse(START | {"new": 1, "channel": {"id": "1.2", "tenantid": "x"}})
    assert event == parse(START)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "SomethingNew", "x": [1]},
        {"type": "StasisStart"},
        {"type": "StasisStart", "channel": {"id": ["no", "string"]}},
        {"type": "ChannelDestroyed", "channel": {"id": "1"}, "cause": "often"},
        {"type": "StasisStart", "channel": {"id": "1"}, "timestamp": "yesterday"},
        {"type": 7},
        {},
    ],
)
def test_what_does_not_fit_is_unknown_and_harms_nobody(body: dict[str, object]) -> None:
    event = parse(json.dumps(body).encode())
    assert isinstance(event, UnknownEvent)
    assert event.body == body
    assert parse(serialise(event)) == event


@pytest.mark.parametrize("message", [b"", b"no json", b"[]", b'"text"', b"\xff\xfe", b"{"])
def test_what_is_no_json_object_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError):
        parse(message)


def test_the_reply_to_external_media_says_where_asterisk_listens() -> None:
    reply = json.loads((CAPTURES / "replies.json").read_text())["external_media"]["body"]
    channel = parse_channel(reply)
    assert channel.channelvars == {
        "UNICASTRTP_LOCAL_ADDRESS": "127.0.0.1",
        "UNICASTRTP_LOCAL_PORT": reply["channelvars"]["UNICASTRTP_LOCAL_PORT"],
    }


def test_who_talks_is_read_with_how_long() -> None:
    channel = {"id": "1.2", "name": "PJSIP/caller-1"}
    began = parse({"type": "ChannelTalkingStarted", "channel": channel})
    ended = parse({"type": "ChannelTalkingFinished", "channel": channel, "duration": 1740})
    assert isinstance(began, ChannelTalkingStarted) and ids_of(began) == ("1.2",)
    assert isinstance(ended, ChannelTalkingFinished) and ended.duration == 1740
    assert parse(serialise(ended)) == ended
