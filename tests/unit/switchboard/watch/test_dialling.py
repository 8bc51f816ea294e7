"""Category: unit. What click-to-dial may call, and whose telephone it may ring."""

from __future__ import annotations

from typing import Any

import pytest

from voicebot.config import Config
from voicebot.errors import UserError
from voicebot.switchboard.watch.dialling import CALLS_A_MINUTE, ClickRules

pytestmark = pytest.mark.unit


def rules(**dialling: Any) -> ClickRules:
    return ClickRules(
        Config.model_validate(
            {
                "dialling": {"prefixes": ["+1", "+49"], "denied_prefixes": ["+4930"], **dialling},
                "supervision": {
                    "dial_numbers": ["100", "_6XX", "_[78]0Z"],
                    "phones": {"anna": "PJSIP/anna"},
                },
                "agents": {"ben": {"channel": "PJSIP/ben"}},
            }
        )
    )


@pytest.mark.parametrize(
    ("number", "allowed"),
    [
        ("100", True),
        ("600", True),
        ("6000", False),
        ("701", True),
        ("700", False),
        ("101", False),
        ("+12025550142", True),
        ("+4989123456", True),
        ("+4930123456", False),
        ("+442079460000", False),
        ("+19005550142", False),  # premium
        ("+18764561234", False),  # Jamaica: behind +1, and dear
        ("+1", False),
        ("+12025550142,1", False),
        ("+12025550142&PJSIP/x", False),
        ("600\n", False),
        ("\uff16\uff10\uff10", False),  # digits, but not of a telephone
        ("", False),
        ("s", False),
        ("6" * 33, False),
    ],
)
def test_numbers(number: str, allowed: bool) -> None:
    assert rules().may_dial(number) is allowed
    if not allowed:
        with pytest.raises(UserError, match="may not be dialled") as told:
            rules().check_number(number)
        assert told.value.problems[0].remedy


def test_without_prefixes_nothing_goes_out() -> None:
    assert not rules(prefixes=[]).may_dial("+12025550142")


def test_a_longer_prefix_means_what_is_dear_behind_it() -> None:
    assert rules(prefixes=["+1876"]).may_dial("+18764561234")


def test_telephones() -> None:
    for channel in ("PJSIP/anna", "PJSIP/ben"):
        rules().check_phone(channel)
    for channel in ("PJSIP/carl", "PJSIP/anna&PJSIP/x", ""):
        with pytest.raises(UserError, match="is no telephone"):
            rules().check_phone(channel)


def test_nobody_places_more_calls_than_a_person_would() -> None:
    ours = rules()
    for _ in range(CALLS_A_MINUTE):
        ours.count("anna", 100)
    ours.count("ben", 100)
    with pytest.raises(UserError, match="within a minute"):
        ours.count("anna", 159)
    ours.count("anna", 160)
