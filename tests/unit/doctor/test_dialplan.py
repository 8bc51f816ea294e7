"""Category: unit. Which extensions lead to the gateway, from what AMI lists."""

from __future__ import annotations

import pytest

from voicebot.ami.messages import Message, message
from voicebot.doctor.dialplan import Entrance, entrances, steps, variables_of_stasis

pytestmark = pytest.mark.unit


def listed(context: str, extension: str, priority: int, application: str, data: str) -> Message:
    headers = [("Context", context), ("Extension", extension), ("Priority", str(priority))]
    return message("Event", "ListDialplan", [*headers, ("Application", application), ("AppData", data)])


SHIPPED = [
    listed("in", "_[+*#0-9]!", 1, "NoOp", "hello"),
    listed("in", "_[+*#0-9]!", 2, "Stasis", "${VOICEBOT_APP},${EXTEN}"),
    listed("in", "_[+*#0-9]!", 3, "Goto", "away,s,1"),
    message("Event", "ListDialplan", [("Context", "in"), ("IncludeContext", "internal")]),
]


def test_an_application_named_by_a_variable_is_looked_up() -> None:
    dialplan = steps(SHIPPED)
    assert variables_of_stasis(dialplan) == {"VOICEBOT_APP"}
    assert entrances(dialplan, "voicebot", {"VOICEBOT_APP": "voicebot"}) == [
        Entrance("in", "_[+*#0-9]!", True)
    ]
    assert entrances(dialplan, "voicebot", {"VOICEBOT_APP": "other"}) == []


def test_the_context_that_asterisk_makes_for_a_connected_gateway_is_nobodys_way_in() -> None:
    own = [listed("stasis-voicebot", "_.", 1, "Stasis", "voicebot"), *SHIPPED]
    ways = entrances(steps(own), "voicebot", {"VOICEBOT_APP": "voicebot"})
    assert [way.context for way in ways] == ["in"]


def test_a_call_that_we_placed_is_nobodys_way_in() -> None:
    ours = listed("voicebot-answered", "_[0-9a-f]!", 1, "Stasis", "${VOICEBOT_APP},campaign,${EXTEN}")
    assert entrances(steps([ours]), "voicebot", {"VOICEBOT_APP": "voicebot"}) == []


def test_a_name_that_only_begins_alike_is_another_application() -> None:
    assert entrances(steps([listed("in", "600", 1, "Stasis", "voicebot2,x")]), "voicebot", {}) == []


@pytest.mark.parametrize(("following", "fallback"), [([], False), (["Hangup"], False), (["Playback"], True)])
def test_a_hangup_is_no_fallback(following: list[str], fallback: bool) -> None:
    plan = [listed("in", "600", 1, "Stasis", "voicebot")]
    plan += [listed("in", "600", 2, application, "") for application in following]
    assert [way.fallback for way in entrances(steps(plan), "voicebot", {})] == [fallback]


@pytest.mark.parametrize(
    ("extension", "number", "takes"),
    [("600", "600", True), ("600", "601", False), ("_6XX", "642", True), ("_[+*#0-9]!", "+4930", True)],
)
def test_which_numbers_come_through(extension: str, number: str, takes: bool) -> None:
    assert Entrance("in", extension, True).takes(number) is takes


def test_the_start_extension_says_nothing_of_numbers() -> None:
    assert not Entrance("in", "s", True).takes_numbers
