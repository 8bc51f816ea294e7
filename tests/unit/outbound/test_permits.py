"""Unit: what the configuration lets campaigns do."""

from __future__ import annotations

import pytest

from voicebot.campaign.campaign import Campaign
from voicebot.config import Config, DiallingConfig, TrunkConfig
from voicebot.errors import UserError
from voicebot.outbound.permits import channel_for, policy_of, trunk_of

pytestmark = pytest.mark.unit

CONFIG = Config(
    dialling=DiallingConfig(prefixes=("+1",), concurrent=7, calls_per_second=3),
    trunks={"main": TrunkConfig(dial="PJSIP/{digits}@main", concurrent=2, calls_per_second=1)},
)


def campaign(trunk: str) -> Campaign:
    caller = {"number": "+12025550100", "business": "Corner Clinic"}
    return Campaign(campaign="c", dialog="d.yaml", profile="us", caller=caller, trunk=trunk)  # type: ignore[arg-type]


def test_a_trunk_by_name_has_its_own_limits() -> None:
    trunk = trunk_of(CONFIG, campaign("main"))
    assert (trunk.calls_per_second, trunk.concurrent) == (1, 2)
    assert channel_for(trunk.dial, "+12025550142") == "PJSIP/12025550142@main"


def test_a_channel_of_its_own_has_those_of_all() -> None:
    trunk = trunk_of(CONFIG, campaign("Local/{number}@test/n"))
    assert (trunk.calls_per_second, trunk.concurrent) == (3, 7)
    assert channel_for(trunk.dial, "+12025550142") == "Local/+12025550142@test/n"


@pytest.mark.parametrize("channel", ["PJSIP/{number}@main", "pjsip/{digits}@MAIN", "PJSIP/main/{number}"])
def test_naming_a_trunks_channel_does_not_get_round_its_limits(channel: str) -> None:
    trunk = trunk_of(CONFIG, campaign(channel))
    assert (trunk.name, trunk.dial, trunk.calls_per_second, trunk.concurrent) == ("main", channel, 1, 2)


@pytest.mark.parametrize(
    "channel",
    [
        "PJSIP/1900555{number}@main",
        "PJSIP/{digits}1@main",
        "PJSIP/911@{number}",
        "PJSIP/{number}{number}@main",
        "PJSIP/+19005550100@main/{number}",
        "Local/911/{number}",
        "{number}/x",
    ],
)
def test_a_campaigns_own_channel_dials_the_number_that_was_judged_and_nothing_else(channel: str) -> None:
    with pytest.raises(ValueError, match="calls the number itself"):
        campaign(channel)


def test_an_unknown_trunk_is_told_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"no trunk `other`.*known: main"):
        trunk_of(CONFIG, campaign("other"))


def test_nothing_is_allowed_by_default() -> None:
    assert policy_of(Config()).prefixes == ()
    assert policy_of(CONFIG).prefixes == ("+1",)
