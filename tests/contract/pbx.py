"""What a call scenario needs of a PBX, be it the simulated one or a real Asterisk with a SIP softphone.

`Caller` is the caller's chair: `voicebot.softphone.call.SoftphoneCall` is one, on both kinds of PBX.
Times are `time.monotonic()` seconds; audio is 8 kHz G.711 mu-law or a wav file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from voicebot.softphone.hearing import BotSpeech
from voicebot.softphone.line import ReceivedFrame
from voicebot.softphone.mouth import Saying
from voicebot.softphone.uac import Ended

UP_TIMEOUT_S = 10.0


class Caller(Protocol):
    """Somebody on the phone with the bot."""

    number: str
    answered_at: float | None
    ended: asyncio.Future[Ended]

    @property
    def bot_speech(self) -> BotSpeech: ...

    @property
    def received(self) -> Sequence[ReceivedFrame]: ...

    @property
    def keys_received(self) -> str: ...

    async def answered(self, timeout: float) -> None: ...

    async def say(self, audio: bytes | Path) -> Saying: ...

    async def press(self, keys: str) -> float: ...

    async def pause(self, seconds: float) -> None: ...

    async def bot_speaks(self, timeout: float, since: float | None = None) -> float: ...

    async def bot_quiet(self, ms: float, timeout: float) -> float: ...

    async def hang_up(self) -> Ended: ...


class Pbx(Protocol):
    """A PBX whose dialplan sends every number to our application, and its faults."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The [asterisk] section of a voicebot.toml: ari_url, ari_user, ari_password, app, ..."""
        ...

    def place(self, number: str, caller: str | None = None) -> Caller:
        """Dial without waiting for an answer (`caller.answered()` waits)."""
        ...

    async def dial(self, number: str, timeout: float = UP_TIMEOUT_S, caller: str | None = None) -> Caller:
        """Dial and wait for the answer. Raises `softphone.uac.CallFailed` where there is none."""
        ...

    async def left_over(self) -> list[str]:
        """Return the ids of all channels and bridges that exist now."""
        ...

    async def hang_up_channel(self, channel_id: str) -> None:
        """Have an operator hang up a channel: a caller's, or a media channel behind the bot's back."""
        ...

    async def delete_bridge(self, bridge_id: str) -> None:
        """Have an operator delete a bridge behind the bot's back."""
        ...

    async def crash(self) -> None:
        """Let the PBX die on the spot."""
        ...

    async def start(self) -> None:
        """Start it again, at the same addresses, with nothing of what it had."""
        ...
