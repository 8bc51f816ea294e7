"""The one 20 ms tick that serves every call of the process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from voicebot.errors import UserError
from voicebot.media.port import MediaListener, MediaPort
from voicebot.speech.vad import Vad


class PortsExhausted(UserError):
    """Every even port of the configured range is taken."""


@dataclass(frozen=True, slots=True)
class LoopStatistics:
    """How punctual the tick is. Lateness in ms over the last minute; `skipped` ticks since the start."""

    ticks: int = 0
    skipped: int = 0
    lateness_p50_ms: float = 0.0
    lateness_p99_ms: float = 0.0
    busy_ms: float = 0.0
    ports: int = 0


class MediaLoop:
    """Drives all ports of this process from one timer.

    `failed` is told of an exception in a call's listener or tap: (call_id, error); that port then goes silent
    and deaf, all others go on. `stopped` is done when the loop stops, with the exception if it broke.
    """

    stopped: asyncio.Future[None]

    def __init__(
        self,
        host: str,
        first_port: int,
        last_port: int,
        failed: Callable[[str, Exception], None] | None = None,
    ) -> None: ...

    def start(self) -> None:
        """Begin to tick on the running event loop."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop the tick and close every port. Idempotent."""
        raise NotImplementedError

    def open_port(self, call_id: str, codec: str, *, vad: Vad, listener: MediaListener) -> MediaPort:
        """Bind a free even port of the range for a call.

        `codec` is `ulaw`, `alaw`, `slin` or `g722`. Raises PortsExhausted when none is free, UserError when the
        codec's library is missing.
        """
        raise NotImplementedError

    def statistics(self) -> LoopStatistics:
        raise NotImplementedError
