"""Category: unit. Requests as data: what is asked of Asterisk, and which values never reach it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voicebot.ari import requests as r
from voicebot.ari.requests import Request

pytestmark = pytest.mark.unit

CONTROL = ["a\r\nb", "a\nb", "a\0b", "a\x7fb", "a\x85b"]


def test_external_media_goes_both_ways_over_rtp() -> None:
    request = r.external_media(app="voicebot", channel_id="vbm1", host="127.0.0.1", port=12000, format="ulaw")
    assert (request.method, request.path) == ("POST", "/channels/externalMedia")
    assert dict(request.params) == {
        "app": "voicebot",
        "channelId": "vbm1",
        "external_host": "127.0.0.1:12000",
        "encapsulation": "rtp",
        "transport": "udp",
        "connection_type": "client",
        "format": "ulaw",
        "direction": "both",
    }


@pytest.mark.parametrize("format", ["slin16", "opus", "", "ULAW"])
def test_formats_that_asterisk_drops_in_silence_are_refused(format: str) -> None:
    with pytest.raises(ValueError, match="both ways"):
        r.external_media(app="a", channel_id="c", host="127.0.0.1", port=12000, format=format)


def test_a_bridge_lets_keys_through() -> None:
    assert r.create_bridge("vbb1") == Request("POST", "/bridges/vbb1", (("type", "mixing,dtmf_events"),))
    assert r.add_channels("vbb1", "1.2", "vbm1").params == (("channel", "1.2,vbm1"),)


def test_a_bridge_for_pictures_forwards_each_as_it_is() -> None:
    assert r.create_bridge("vbb1", video=True).params == (("type", "mixing,video_sfu,dtmf_events"),)


def test_a_participant_is_muted_watched_and_told_something_alone() -> None:
    assert r.mute("1.2", True) == Request("POST", "/channels/1.2/mute", (("direction", "in"),))
    assert r.mute("1.2", False).method == "DELETE"
    assert r.detect_talking("1.2", True).json == {"variable": "TALK_DETECT(set)", "value": ""}
    assert r.detect_talking("1.2", False).json == {"variable": "TALK_DETECT(remove)", "value": ""}
    assert r.play("1.2", "voicebot/muted").params == (("media", "sound:voicebot/muted"),)
    for sound in ("", "a b", "x,recording:y", "https://example.org/x", "../x"):
        with pytest.raises(ValueError, match="is no sound"):
            r.play("1.2", sound)


def test_a_hangup_has_a_cause() -> None:
    assert r.hang_up("1.2", 17) == Request("DELETE", "/channels/1.2", (("reason_code", "17"),))
    for cause in (0, 128, -1):
        with pytest.raises(ValueError, match=r"Q\.850"):
            r.hang_up("1.2", cause)


def test_continuing_without_a_place_follows_the_dialplan() -> None:
    assert r.continue_in_dialplan("1.2") == Request("POST", "/channels/1.2/continue")
    placed = r.continue_in_dialplan("1.2", "voicebot-handover", "+12025550100", 1)
    assert dict(placed.params) == {
        "context": "voicebot-handover",
        "extension": "+12025550100",
        "priority": "1",
    }


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    assert (
        r.answer("../asterisk/modules/x?y#z").path == "/channels/..%2Fasterisk%2Fmodules%2Fx%3Fy%23z/answer"
    )
    assert r.answer("SIP/a;1").path == "/channels/SIP%2Fa%3B1/answer"


@pytest.mark.parametrize("name", ["FILE(/etc/passwd)", "SHELL(id)", "A B", "1A", "", "A,B", "${X}", "A=B"])
def test_names_that_are_no_variables_are_not_set(name: str) -> None:
    with pytest.raises(ValueError, match="variable"):
        r.set_variable("1.2", name, "x")


@pytest.mark.parametrize("text", CONTROL)
@pytest.mark.parametrize(
    "build",
    [
        lambda text: r.answer(text),
        lambda text: r.set_variable("1.2", "NAME", text),
        lambda text: r.continue_in_dialplan("1.2", text, "s"),
        lambda text: r.continue_in_dialplan("1.2", "default", text),
        lambda text: r.external_media(app=text, channel_id="c", host="h", port=1, format="ulaw"),
        lambda text: r.external_media(app="a", channel_id=text, host="h", port=1, format="ulaw"),
        lambda text: r.external_media(app="a", channel_id="c", host=text, port=1, format="ulaw"),
        lambda text: r.create_bridge("b", text),
        lambda text: r.add_channels("b", text),
        lambda text: r.mute(text, True),
        lambda text: r.detect_talking(text, True),
        lambda text: r.play("1.2", text),
        lambda text: r.video_formats(text),
        lambda text: r.subscribe("a", text),
        lambda text: r.filter_events("a", [text]),
    ],
)
def test_control_characters_are_refused_everywhere(build: Callable[[str], Request], text: str) -> None:
    with pytest.raises(ValueError):
        build(text)
