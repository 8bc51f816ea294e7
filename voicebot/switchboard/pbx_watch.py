"""Asterisk as a whole, watched over its manager interface: who is connected to whom, and what is stuck.

    async with PbxWatch(config, hub, held=gateway.held) as pbx:
        pbx.state().channels
        await pbx.dial("PJSIP/anna", "+12025550142", by="anna")

docs/pbx-watch.md tells what it sees and does. News of topic `pbx`: `changed {parts of PbxState}`, a few a
second, `link {connected, trouble}`, `warning {...Stuck}` and `hung_up {channel, why}`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Literal, Protocol, Self

from voicebot.call.live import Hub
from voicebot.config import Config
from voicebot.errors import Problem, UserError
from voicebot.supervision.state import PbxState

Monitoring = Literal["start", "stop", "pause", "resume"]


class MayDial(Protocol):
    """Whose word it is what click-to-dial may call."""

    def may_dial(self, number: str) -> bool: ...


class PbxWatch:
    """Live state of one Asterisk, and what a supervisor does to it; an async context manager.

    Entering never fails for Asterisk's sake: it is tried again and again. Without `supervision.ami_user` the
    watch sees nothing, and whatever it is asked to do raises a UserError that says so.

    held:    ids of the channels and bridges that calls, agents' offers and the like hold now
    permits: what click-to-dial may call; None: what the configuration says
    clock:   seconds of the epoch
    """

    def __init__(
        self,
        config: Config,
        hub: Hub,
        held: Callable[[], AbstractSet[str]],
        *,
        permits: MayDial | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = config.supervision
        self._hub = hub
        self._held = held
        self._clock = clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    # --- looking ----------------------------------------------------------------------------------------

    def state(self) -> PbxState:
        """Return how the PBX looks now."""
        return PbxState(configured=bool(self._settings.ami_user))

    def presence(self, channel: str) -> str:
        """Return the state of a telephone (`PJSIP/anna`) as an Endpoint has it; `unknown` where it is."""
        return "unknown"

    # --- doing: all raise UserError with a remedy -------------------------------------------------------

    async def dial(self, channel: str, number: str, by: str) -> str:
        """Ring `channel` (`PJSIP/anna`), and when it is answered call `number`. Returns the leg's id."""
        raise self._absent()

    async def hang_up(self, channel: str, by: str) -> None:
        """End a channel, by its name or id."""
        raise self._absent()

    async def queue_pause(
        self, queue: str, member: str, paused: bool, reason: str = "", by: str = ""
    ) -> None:
        """Pause a member of one of Asterisk's own queues, or let it take calls again; "": of all queues."""
        raise self._absent()

    async def monitor(self, channel: str, action: Monitoring, by: str = "") -> None:
        """Record a channel with MixMonitor, or pause, resume or end its recording."""
        raise self._absent()

    def _absent(self) -> UserError:
        return UserError(
            Problem(
                "there is no supervision by AMI",
                "set supervision.ami_user and ami_password_file in voicebot.toml; see docs/pbx-watch.md",
            )
        )
