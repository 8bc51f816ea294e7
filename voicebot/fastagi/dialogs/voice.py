"""The caller's voice over EAGI: Asterisk gives it to the program that it starts, which hands it on to us.

The program (`voicebot agi dialog`, see `relay.py`) listens on this machine, and names port and password in
the URL of its session: `agi://127.0.0.1/dialog/600?voice=PORT:TOKEN`. Nothing outside of this machine is
asked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import NamedTuple

import structlog

from voicebot.agi.messages import Environment

HOST = "127.0.0.1"
CONNECT_S = 2.0
READ_BYTES = 3200
"""200 ms at 8 kHz: what is read at once at the most."""

log = structlog.get_logger(__name__)

_PLACE = re.compile(r"([0-9]{1,5}):([0-9a-f]{32})")


class VoicePlace(NamedTuple):
    """Where the voice of one session is to be had."""

    port: int
    token: str


def voice_of(environment: Environment) -> VoicePlace | None:
    """Return where the caller's voice comes from; None where it does not come."""
    found = _PLACE.fullmatch(environment.query.get("voice", ""))
    return VoicePlace(int(found[1]), found[2]) if found and 0 < int(found[1]) < 65536 else None


async def follow_voice(place: VoicePlace, answered: asyncio.Event, feed: Callable[[bytes], None]) -> None:
    """Give a call its caller's voice once it is answered, until the voice ends or this is cancelled."""
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(HOST, place.port)
    except (OSError, TimeoutError) as error:
        log.warning("the caller's voice does not come", why=str(error) or "time-out")
        return
    try:
        writer.write(f"{place.token}\n".encode())
        await answered.wait()
        while pcm := await reader.read(READ_BYTES):
            feed(pcm)
    except OSError as error:
        log.warning("the caller's voice broke off", why=str(error))
    finally:
        writer.close()
