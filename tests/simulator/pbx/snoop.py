"""Channels that snoop on others, as Asterisk's do: they hear both directions, and speak into one ear.

Driven by what comes from the party that is snooped on: a softphone sends a packet every 20 ms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from tests.simulator.pbx.world import Channel, World
from voicebot.audio.g711 import decode, encode

MOST = 10
"""Packets that wait for their other half."""


def snoop(world: World, target: Channel, id_: str, spy: str, whisper: str) -> Channel:
    """Return a channel that snoops on `target`, not yet in an application."""
    line = _Line(whisper in ("out", "both"))
    channel = Channel(id_, f"Snoop/{target.id}-00000000", cast(Any, line), state="Up")
    rtp = target.rtp
    heard, send, gone = rtp._heard, rtp.send, target.on_gone

    def hear(payload: bytes, timestamp: int, marker: bool) -> None:
        if line.open:
            said = line.said.popleft() if line.said else b""
            pieces = [payload if spy in ("in", "both") else b"", said if spy in ("out", "both") else b""]
            world.pass_on(channel, mixed(*pieces), timestamp, False)
        heard(payload, timestamp, marker)

    def say(payload: bytes, timestamp: int, marker: bool) -> None:
        if line.open:
            line.said.append(payload)
            payload = mixed(payload, line.whispered.popleft() if line.whispered else b"")
        send(payload, timestamp, marker)

    def leave(cause: int) -> None:
        if line.open and channel.id in world.channels:
            world.hang_up(channel, 16, soft=False)
        gone(cause)

    rtp._heard, rtp.send, target.on_gone = hear, cast(Callable[..., None], say), leave  # type: ignore[method-assign]
    return channel


def mixed(one: bytes, other: bytes) -> bytes:
    """Return two pieces of mu-law as one; b"" is silence."""
    if not one or not other:
        return one or other or b"\xff" * 160
    length = min(len(one), len(other))
    both = [decode(np.frombuffer(each[:length], np.uint8)).astype(np.int32) for each in (one, other)]
    return encode(np.clip(both[0] + both[1], -32768, 32767).astype(np.int16)).tobytes()


class _Line:
    """What a bridge says to a snooping channel goes to the ear of the party, or nowhere."""

    host, port, remote, received = "", 0, None, 0

    def __init__(self, whispers: bool) -> None:
        self.open = True
        self.said: deque[bytes] = deque(maxlen=MOST)
        self.whispered: deque[bytes] = deque(maxlen=MOST)
        self._whispers = whispers

    def send(self, payload: bytes, timestamp: int, marker: bool) -> None:
        if self._whispers:
            self.whispered.append(payload)

    def close(self) -> None:
        self.open = False
