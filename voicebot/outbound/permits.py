"""What voicebot.toml lets campaigns do: the policy over all of them, and the trunk that each one names."""

from __future__ import annotations

from voicebot.campaign.campaign import Campaign
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.config import Config
from voicebot.errors import Problem, UserError


def policy_of(config: Config) -> Policy:
    """Return the limits that hold whatever a campaign says."""
    dialling = config.dialling
    return Policy(
        prefixes=dialling.prefixes,
        denied_prefixes=dialling.denied_prefixes,
        calls_per_second=dialling.calls_per_second,
        concurrent=dialling.concurrent,
        calls_a_day=dialling.calls_a_day,
        minutes_a_day=dialling.minutes_a_day,
    )


def trunk_of(config: Config, campaign: Campaign) -> Trunk:
    """Return the campaign's way out: a [trunks.NAME], or a channel of its own with the limits of [dialling].

    A channel that goes out where a [trunks.NAME] does has that one's limits, together with it. Raises
    UserError where there is no such trunk.
    """
    if "/" in campaign.trunk:
        for name, each in config.trunks.items():
            if _way_out(each.dial) == _way_out(campaign.trunk):
                return Trunk(name, campaign.trunk, each.calls_per_second, each.concurrent)
        whole = config.dialling
        return Trunk(campaign.trunk, campaign.trunk, whole.calls_per_second, whole.concurrent)
    found = config.trunks.get(campaign.trunk)
    if found is None:
        known = ", ".join(sorted(config.trunks)) or "none yet"
        what = f"there is no trunk `{campaign.trunk}` in voicebot.toml"
        raise UserError(Problem(what, f"add [trunks.{campaign.trunk}] with its `dial`; known: {known}"))
    return Trunk(campaign.trunk, found.dial, found.calls_per_second, found.concurrent)


def _way_out(dial: str) -> tuple[str, str]:
    """Return technology and peer of a channel, whatever number is called there."""
    technology, _, resource = dial.lower().partition("/")
    peer = resource.partition("@")[2] or resource
    return technology, peer.partition("/")[0]


def channel_for(dial: str, number: str) -> str:
    """Return the channel that Dial() calls: PJSIP/{number}@trunk with a number in E.164."""
    return dial.replace("{number}", number).replace("{digits}", number.removeprefix("+"))
