"""How supervisors are on a call, what a call must be like for it, and what they are to its bot."""

from __future__ import annotations

import asyncio
from typing import Literal

import structlog

from voicebot.audio.playout import Playout
from voicebot.call.control import Hold, Release
from voicebot.call.handle import CallHandle
from voicebot.errors import PbxError, UserError
from voicebot.pbx.persevering import finish

Mode = Literal["listen", "whisper", "barge", "take_over"]
MODES: tuple[Mode, ...] = ("listen", "whisper", "barge", "take_over")
"""In the order of the keys 1 to 4 of a supervisor's telephone."""
MOST = 20
"""Supervisors on one call at once."""

log = structlog.get_logger(__name__)


def speaks(mode: Mode) -> bool:
    """Whether the caller hears a supervisor in this mode."""
    return mode in ("barge", "take_over")


class Presence:
    """Who is on one call, and how. While somebody speaks to the caller the bot is held.

    Whoever is there has a key of their own: a visit, a microphone.
    """

    def __init__(self, call: CallHandle) -> None:
        self.call = call
        self._on: dict[object, tuple[str, Mode]] = {}
        self._by_hand = False
        self._lock = asyncio.Lock()
        self._settling: set[asyncio.Task[None]] = set()
        call.on_company.append(self._company_changed)

    def _company_changed(self) -> None:
        if self._on:
            settling = asyncio.create_task(self._settle(), name="supervisors settle")
            self._settling.add(settling)
            settling.add_done_callback(self._settling.discard)

    def check(self, mode: Mode, by: str, key: object = None) -> None:
        """Raise UserError where `by` cannot be on the call in this mode, as things stand."""
        call = self.call
        if mode not in MODES:
            raise UserError(f"there is no way `{mode}` to be on a call", f"one of: {', '.join(MODES)}")
        if call.over.done():
            raise UserError("the call is over", "look at the live calls")
        if call.live.in_conference:
            raise UserError("this call is in a conference", "join the conference: have it invite you")
        if speaks(mode) and not isinstance(call.stage.port.playout, Playout):
            raise UserError(
                "this call came by AGI, where nobody can speak into it", "use `say`, or transfer it"
            )
        if key not in self._on and len(self._on) >= MOST:
            raise UserError(f"{MOST} supervisors are on this call", "wait until one of them has left")
        if mode == "whisper" and call.company is None:
            who = "no person has this call" if call.mind is None else "a bot has this call, and has no ears"
            raise UserError(who, "use `say`, or barge in")
        was = self._on.get(key)
        if call.taken_over and was is not None and was[1] == "take_over" and mode != "take_over":
            raise UserError("you have the caller, and nobody else has", "hang up: the call ends then")
        if call.taken_over and mode == "take_over" and (was is None or was[1] != "take_over"):
            raise UserError(f"{call.taken_by} has taken this call over", "barge in")

    async def enter(self, key: object, by: str, mode: Mode) -> None:
        """Be there in this mode, or in another one than before. Raises UserError; then all is as it was.

        Done to its end even if cancelled, so that nobody holds a bot and is not there: `leave` is due then.
        """
        await finish(self._enter(key, by, mode))

    async def _enter(self, key: object, by: str, mode: Mode) -> None:
        async with self._lock:
            self.check(mode, by, key)
            others = any(speaks(each) for other, (_, each) in self._on.items() if other is not key)
            if mode == "take_over":
                self.call.take_over(by)
            else:
                await self._lead_bot(speaks(mode) or others)
            if self._on.get(key) != (by, mode):
                self.call.note(by, mode)
            self._on[key] = (by, mode)
            await self._settle()

    async def leave(self, key: object) -> None:
        """Be there no more. Idempotent. A caller who was taken over and is left alone is hung up.

        Done to its end even if cancelled.
        """
        await finish(self._leave(key))

    async def _leave(self, key: object) -> None:
        async with self._lock:
            if (was := self._on.pop(key, None)) is None or self.call.over.done():
                return
            self.call.note(was[0], "leave")
            try:
                await self._lead_bot(self._anybody_speaks)
            except UserError as error:  # the dialog ends just now
                log.info("bot not released", call=self.call.id, why=str(error))
            await self._settle()
            if self.call.taken_over and not self._anybody_speaks:
                self.call.leave_alone()

    async def hold(self, by: str, wanted: bool, words: str = "") -> None:
        """Let the bot fall silent by hand, or go on. Raises UserError."""
        async with self._lock:
            if wanted:
                await self.call.ask(Hold(words))
            elif self._anybody_speaks:
                raise UserError("a supervisor is speaking to the caller", "let them leave first")
            else:
                await self.call.ask(Release())
            self._by_hand = wanted
            self.call.note(by, "hold" if wanted else "release", words)

    @property
    def _anybody_speaks(self) -> bool:
        return any(speaks(mode) for _, mode in self._on.values())

    async def _lead_bot(self, spoken_over: bool) -> None:
        call = self.call
        if call.mind is None or call.taken_over:
            return
        if spoken_over:
            self._by_hand = self._by_hand and call.live.is_held  # it may have gone on by itself
            await call.ask(Hold(longest_s=None))
        elif call.live.is_held:
            await call.ask(Hold() if self._by_hand else Release())

    async def _settle(self) -> None:
        """Tell who is there, and keep our media with the two persons while somebody speaks by them."""
        call = self.call
        call.live.supervisors(sorted({by for by, _ in self._on.values()}))
        if call.company is not None:
            try:
                await call.company.keep("supervisors", self._anybody_speaks)
            except PbxError as error:
                log.warning("media not kept", call=call.id, error=str(error))
