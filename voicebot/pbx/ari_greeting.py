"""Whether another gateway lives that has our application's name.

Asterisk lists an application long after its websocket has gone, and would let us take the name of a live one.
So whoever has it is greeted by an event, and answers in the one field of an application that we may write.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from voicebot.ari import requests
from voicebot.ari.events import ChannelUserevent, Event
from voicebot.pbx.persevering import Asked

GREETING = "VoicebotGreeting"
GREETING_TIMEOUT_S = 0.5
GREETING_POLL_S = 0.02


async def is_answered(ari: Asked, app: str) -> bool:
    """Greet whoever has the name. Raises PbxError."""
    nonce = os.urandom(8).hex()
    await ari.request(requests.user_event(app, GREETING, {"nonce": nonce}))
    with suppress(TimeoutError):
        async with asyncio.timeout(GREETING_TIMEOUT_S):
            while True:
                answer = await ari.request(requests.get_application(app))
                if {"type": f"{GREETING}-{nonce}"} in answer["events_disallowed"]:
                    return True
                await asyncio.sleep(GREETING_POLL_S)
    return False


def answer_to(event: Event) -> str | None:
    """Return what shows the other gateway that we live: one more type of event that we do not want.

    None: it is no greeting.
    """
    if isinstance(event, ChannelUserevent) and event.eventname == GREETING:
        return f"{GREETING}-{event.userevent.get('nonce', '')}"
    return None
