"""A supervisor on a call by telephone: rung, then in one of the modes, which keys 1 to 4 change.

listen     the telephone has our media for itself: a bot's call is heard through them, silent where the
           dialog is sensitive; a person's through a channel that snoops on the caller
whisper    a channel that snoops on the person's telephone, and speaks into it
barge      the telephone is in the call's own bridge; the bot is held
take_over  as well; the bot has left. Our media stay: others may listen, speak or record
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Literal

import structlog

from voicebot.audio.live_voice import LiveVoice, mixed
from voicebot.audio.playout import Playout
from voicebot.call.leg import LEFT_TALKING
from voicebot.call.people import Company
from voicebot.call.speaking import Beep, beep
from voicebot.errors import PbxError, UserError
from voicebot.switchboard.departing import Departing, Departure
from voicebot.switchboard.left_talking import leave_talking
from voicebot.switchboard.ringing import NotReached
from voicebot.switchboard.supervisors.modes import MODES, Mode, Presence, speaks
from voicebot.switchboard.supervisors.snoop import Snoop
from voicebot.switchboard.telephone import Telephone

RING_S = 45.0
"""So long a supervisor's telephone rings."""
REFUSED = Beep(ms=400, hz=300)
TAKEN = Beep(ms=120, hz=900)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """A supervisor on a call by telephone, as others see it. `since_at`: seconds of the epoch."""

    id: str
    call_id: str
    by: str
    channel: str
    mode: Mode
    state: Literal["ringing", "on_line", "over"]
    since_at: float


class _Phone(Telephone):
    """A telephone into which live voices can be spoken."""

    @property
    def playout(self) -> Playout:
        return self._port.playout


class PhoneVisit:
    """One visit. `await run()` is its whole life; `view` tells how it stands."""

    def __init__(self, presence: Presence, mode: Mode, by: str, channel: str, departing: Departing) -> None:
        call = presence.call
        self.id = secrets.token_hex(8)
        self.mode = mode
        self.by = by
        self.channel = channel
        self.failure: UserError | None = None
        self._departing = departing
        self._presence = presence
        self._call = call
        self._services = call.stage.services
        self._state: Literal["ringing", "on_line", "over"] = "ringing"
        self._since = time.time()
        caller = call.record.person
        name = f"{mode.replace('_', ' ')}: {caller.name or caller.number or 'call'}"
        self._phone = _Phone(self._services, channel, number=caller.number, name=name)
        self._stirred = asyncio.Event()
        self._left = False
        self._lock = asyncio.Lock()
        self._snoop: Snoop | None = None
        self._ear: asyncio.Task[None] | None = None
        self._voice: LiveVoice | None = None
        self._where: tuple[Mode, Company | None, str] | None = None
        self._keys: set[asyncio.Task[None]] = set()

    @property
    def view(self) -> Visit:
        return Visit(self.id, self._call.id, self.by, self.channel, self.mode, self._state, self._since)

    def leave(self) -> None:
        """Hang up."""
        self._left = True
        self._stirred.set()

    async def run(self) -> None:
        """Ring, be there, and leave nothing behind."""
        call, phone = self._call, self._phone
        stir = lambda *_: self._stirred.set()  # noqa: E731
        call.over.add_done_callback(stir)
        phone.gone.add_done_callback(stir)
        call.on_company.append(self._stirred.set)
        try:
            if not await self._ring():
                return
            self._state, self._since = "on_line", time.time()
            phone.on_key = self._press
            await self._go(self.mode)
            with self._departing.of(self._stirred.set):
                while not (self._left or call.over.done() or phone.gone.done()):
                    self._stirred.clear()
                    await self._follow_company()
                    if await self._depart():
                        return
                    await self._stirred.wait()
        except UserError as error:
            self.failure = error
        except PbxError as error:
            self.failure = UserError(f"this did not work: {error}", "look how the call stands")
            log.warning("visit failed", call=call.id, by=self.by, error=str(error))
        finally:
            self._state = "over"
            call.on_company.remove(self._stirred.set)
            for task in self._keys:
                task.cancel()
            if self._keys:
                await asyncio.wait(set(self._keys))
            try:
                await self._presence.leave(self)
                await self._part()
            finally:
                await phone.close()

    async def _depart(self) -> bool:
        """Leave caller and supervisor to themselves if the gateway stops. Returns whether the visit is over.

        Who has taken the call over needs us for its recording alone; whoever else speaks to the caller, for
        the bot that goes on after them.
        """
        call, leg, phone = self._call, self._call.stage.leg, self._phone.leg
        stage, now = self._departing.stage, self._departing.stage is Departure.NOW
        recorded = call.recording is not None and call.recording.state == "on"
        needed = recorded or self.mode != "take_over"
        if stage is Departure.NONE or (needed and not now):
            return False
        if speaks(self.mode) and call.company is None and leg.ended is None:
            async with self._lock:
                await leave_talking(self._services.ari, leg, phone, or_here=now)
            if leg.talks_on:
                call.end(LEFT_TALKING)
        return now or leg.talks_on

    async def _ring(self) -> bool:
        """Ring until somebody answers; False where nobody does, or is needed any more."""
        ringing = asyncio.create_task(self._phone.ring(), name="supervisor's telephone")
        stirring = asyncio.create_task(self._until_needless(), name="needless")
        try:
            await asyncio.wait({ringing, stirring}, timeout=RING_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ringing, stirring):
                task.cancel()
            await asyncio.wait({ringing, stirring})
        if ringing.cancelled():
            if not self._left and not self._call.over.done():
                self.failure = UserError("nobody answered", "is the telephone with its owner?")
            return False
        try:
            ringing.result()
        except NotReached as error:
            self.failure = UserError(f"the telephone was not reached: {error}", error.remedy)
            return False
        return True

    async def _until_needless(self) -> None:
        while not (self._left or self._call.over.done()):
            self._stirred.clear()
            await self._stirred.wait()

    # --- modes ------------------------------------------------------------------------------------------

    async def change(self, mode: Mode) -> None:
        """Be there in another mode. Raises UserError; then it is as it was."""
        self._presence.check(mode, self.by, self)
        if self._state == "ringing":
            self.mode = mode
            return
        if self._state == "over":
            raise UserError("this visit is over", "begin another one")
        try:
            await self._go(mode)
        except PbxError as error:
            raise UserError(f"this did not work: {error}", "try again") from error

    async def _go(self, mode: Mode) -> None:
        """Raises UserError, PbxError; then the telephone is where it was, or the visit ends."""
        async with self._lock:
            self._presence.check(mode, self.by, self)
            try:
                await self._arrange(mode)
                await self._presence.enter(self, self.by, mode)
            except (UserError, PbxError):
                if mode != self.mode:
                    await self._go_back()
                raise
            self.mode = mode
            self._stirred.set()
            if mode == "listen":
                self._phone.sound.say(beep(TAKEN, self._phone.sample_rate))

    async def _go_back(self) -> None:
        try:
            await self._arrange(self.mode)
        except (UserError, PbxError) as error:
            log.warning("supervisor's telephone is nowhere", call=self._call.id, why=str(error))
            self._stirred.set()  # the visit tries once more, and ends where that fails as well

    async def _follow_company(self) -> None:
        """Another person has the caller, or none any more; or the call has another bridge."""
        if self._where == self._place_of(self.mode):
            return
        await self._go("listen" if self.mode == "whisper" and self._call.company is None else self.mode)

    def _company_of(self, mode: Mode) -> Company | None:
        return None if speaks(mode) else self._call.company

    def _place_of(self, mode: Mode) -> tuple[Mode, Company | None, str]:
        """Return the mode, whom it is about beside the caller, and the call's bridge if it is spoken into."""
        return mode, self._company_of(mode), self._call.stage.leg.bridge_id if speaks(mode) else ""

    async def _arrange(self, mode: Mode) -> None:
        """Put the telephone where the mode wants it. Raises PbxError, UserError."""
        call, phone = self._call, self._phone
        _, company, bridge = place = self._place_of(mode)
        if self._where == place or (self._where is not None and bridge and self._where[2] == bridge):
            self._where = place
            return
        await self._part()
        if speaks(mode):
            await phone.join(bridge)
        else:
            await phone.home()
            if company is None:
                self._listen_by_ear()
            else:
                snooped = company.channel_id if mode == "whisper" else call.stage.leg.channel_id
                self._snoop = Snoop(self._services.ari)
                await self._snoop.open(snooped, spy="both", whisper="out" if mode == "whisper" else "none")
                await self._snoop.join(phone.leg.bridge_id)
        self._where = place

    def _listen_by_ear(self) -> None:
        ear = self._call.live.listen()
        voice = self._voice = LiveVoice(self._phone.sample_rate)
        self._phone.playout.join(voice)

        async def pump() -> None:
            async for caller, bot in ear:
                voice.feed(mixed([caller, bot]) or b"")

        self._ear = asyncio.create_task(pump(), name="supervisor listens")
        self._ear.add_done_callback(lambda _: ear.close())

    async def _part(self) -> None:
        """Undo what the mode needed; the telephone stays where it is."""
        self._where = None
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.cancel()
        if self._voice is not None:
            self._phone.playout.leave(self._voice)
            self._voice = None
        snoop, self._snoop = self._snoop, None
        if snoop is not None:
            await snoop.close()

    # --- keys -------------------------------------------------------------------------------------------

    def _press(self, digit: str) -> None:
        if digit in "1234":
            task = asyncio.create_task(self._pressed(MODES[int(digit) - 1]), name="supervisor's key")
            self._keys.add(task)
            task.add_done_callback(self._keys.discard)

    async def _pressed(self, mode: Mode) -> None:
        try:
            await self.change(mode)
        except UserError as error:
            log.info("supervisor's key refused", call=self._call.id, by=self.by, why=str(error))
            if not speaks(self.mode):
                self._phone.sound.say(beep(REFUSED, self._phone.sample_rate))
