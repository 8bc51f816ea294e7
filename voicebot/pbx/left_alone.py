"""Persons who talk to each other in a bridge whose gateway died: nobody disturbs them, and who stays is told.

Asterisk holds them together without us. But it would leave the last of them alone in silence: so we wait
until one is left, hang up, and delete the bridge.
"""

from __future__ import annotations

from typing import Any, Protocol

from voicebot.ari import requests
from voicebot.ari.events import (
    BridgeDestroyed,
    ChannelDestroyed,
    ChannelLeftBridge,
    Event,
    StasisEnd,
    Vanished,
)
from voicebot.ari.requests import Request
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.persevering import tolerant


class Ari(Protocol):
    """What this needs of the client."""

    app: str

    async def request(self, request: Request) -> Any: ...

    def subscribe(self, *ids: str) -> EventInbox: ...


async def end_with_last(ari: Ari, bridge: str, persons: frozenset[str]) -> None:
    """Wait until fewer than two persons are in the bridge; then undo what is left."""
    inbox = ari.subscribe(bridge, *persons)
    try:
        await tolerant(
            ari, requests.subscribe(ari.app, f"bridge:{bridge}", *map("channel:{}".format, persons))
        )
        for person in persons:  # in a conference some were muted, and nobody is there to let them speak
            await tolerant(ari, requests.mute(person, False))
        left = set(persons)
        while len(left) > 1:
            event = await inbox.get()
            if isinstance(event, BridgeDestroyed) or (isinstance(event, Vanished) and event.id == bridge):
                break
            left -= _gone(event, bridge)
        for person in left:
            await tolerant(ari, requests.hang_up(person))
        await tolerant(ari, requests.delete_bridge(bridge))
    finally:
        inbox.close()


def _gone(event: Event, bridge: str) -> set[str]:
    match event:
        case ChannelLeftBridge() if event.bridge.id == bridge:
            return {event.channel.id}
        case StasisEnd() | ChannelDestroyed():
            return {event.channel.id}
        case Vanished():
            return {event.id}
    return set()
