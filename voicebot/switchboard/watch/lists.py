"""What is asked of Asterisk by AMI to know how things stand; what events do not tell is asked for again."""

from __future__ import annotations

from collections.abc import Container

from voicebot.ami.actions import Action
from voicebot.ami.pbx_actions import (
    BridgeList,
    DeviceStateList,
    PJSIPShowEndpoints,
    PJSIPShowRegistrationsOutbound,
    QueueStatus,
)

LISTS: tuple[Action, ...] = (
    BridgeList(),
    DeviceStateList(),
    QueueStatus(),
    PJSIPShowRegistrationsOutbound(),
    PJSIPShowEndpoints(),
)
"""Asked at the start, and after a gap."""
PHONES = DeviceStateList.name


def lists_to_renew(hidden: Container[str]) -> tuple[str, ...]:
    """Return the lists to ask for again and again, () for all. hidden: what our user may not see"""
    if "contacts" not in hidden:
        return ()
    return ("CoreShowChannels", *(each.name for each in LISTS if each.name != PJSIPShowEndpoints.name))
