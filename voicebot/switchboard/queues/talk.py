"""A talk of a caller and a person, and its transfers: blind, attended, by the person's keys or from outside.

In an attended transfer the person and a second one talk in the person's own bridge, while the caller hears
music in theirs. Who of them talks to whom is a matter of where the person's channel is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from voicebot.acd.keys import AgentKeys, Cancel, Complete, Swap, TransferTo, Wish
from voicebot.acd.offer import Q850_BUSY, Q850_NO_ANSWER
from voicebot.call.record import PeopleRecord, TransferRecord
from voicebot.call.services import Services
from voicebot.call.speaking import Beep, beep
from voicebot.errors import PbxError, UserError
from voicebot.pbx.persevering import finish
from voicebot.switchboard.departing import Departing, Departure
from voicebot.switchboard.left_talking import leave_talking
from voicebot.switchboard.queues.music import ringing
from voicebot.switchboard.queues.side import Side
from voicebot.switchboard.ringing import NotReached
from voicebot.switchboard.telephone import Telephone

Second = Literal["rings", "talks", "gone"]
SECOND_RING_S = 30.0
"""For so long a second person is rung."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TalkEnd:
    """How a talk ended for the caller, who is there yet: the person has `left`; they are to be given on `to`;
    or they are to wait again (`back`): whom they were promised did not answer. Or it goes on without us, for
    the gateway stops (`goes_on`).
    """

    kind: Literal["left", "transfer", "back", "goes_on"]
    to: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    wish: Wish
    by: str


@dataclass(frozen=True, slots=True)
class _Gone:
    phone: Telephone


@dataclass(frozen=True, slots=True)
class _Replaced:
    """Somebody's media or bridge were lost, and made anew."""


@dataclass(frozen=True, slots=True)
class _Rung:
    """The second person has answered, or not: `fault`."""

    phone: Telephone
    fault: NotReached | None


@dataclass(frozen=True, slots=True)
class _Stirred:
    """The gateway stops, or who needs our media between the two is another one."""


_Event = _Asked | _Gone | _Replaced | _Rung | _Stirred


class Talk:
    """`await run()` returns how it ended; whoever is still on the line then is closed.

    phone:   the person's; in the caller's bridge already
    dialled: returns the channel to ring for an extension or `agent:NAME`; raises UserError
    departing: tells that the gateway stops;  afterwards: where the caller goes on once the person has hung up
    on_person: is told who has the caller now
    on_second: is told what becomes of whom is asked in an attended transfer, up to its completion
    """

    def __init__(
        self,
        *,
        services: Services,
        side: Side,
        phone: Telephone,
        person: str,
        record: PeopleRecord,
        dialled: Callable[[str], str],
        ms: Callable[[], int],
        clock: Callable[[], float],
        departing: Departing,
        afterwards: str = "",
        on_person: Callable[[str], None] = lambda person: None,
        on_second: Callable[[str, Second], None] = lambda to, what: None,
    ) -> None:
        self.side = side
        self.person = person
        self._services = services
        self._phone = phone
        self._record = record
        self._dialled = dialled
        self._ms = ms
        self._clock = clock
        self._departing = departing
        self._afterwards = afterwards
        self._on_person = on_person
        self._on_second = on_second
        self._second: Telephone | None = None
        self._second_there = False
        self._to = ""
        self._note: TransferRecord | None = None
        self._ringing: asyncio.Task[None] | None = None
        self._events: asyncio.Queue[_Event] = asyncio.Queue()
        self._closing: set[asyncio.Task[None]] = set()
        self._hear(phone)

    @property
    def channel_id(self) -> str:
        """The channel of the person."""
        return self._phone.channel_id

    # --- from outside -----------------------------------------------------------------------------------

    def ask(self, wish: Wish, by: str = "") -> None:
        """Have a transfer begun, completed, cancelled. Raises UserError where it is not the moment."""
        if isinstance(wish, TransferTo):
            if self._second is not None:
                raise UserError("a transfer goes on already", "complete or cancel it first")
            if wish.kind == "attended":
                self._dialled(wish.number)
        elif self._second is None:
            raise UserError("no attended transfer goes on", "begin one first")
        self._events.put_nowait(_Asked(wish, by or self.person))

    def repair(self) -> None:
        """A bridge is another one now: whoever was in it joins there."""
        self._events.put_nowait(_Replaced())

    async def run(self) -> TalkEnd:
        self.side.kept_changed = self._stir
        with self._departing.of(self._stir):
            try:
                self._stir()
                while True:
                    end = await self._handle(await self._events.get()) or await self._depart()
                    if end is not None:
                        if end.kind in ("transfer", "back"):
                            await self.side.hold()
                        return end
            finally:
                await finish(self._close_all())

    def _stir(self) -> None:
        self._events.put_nowait(_Stirred())

    async def _depart(self) -> TalkEnd | None:
        """Leave the two to themselves if the gateway stops, as soon as nobody needs us between them."""
        now = self._departing.stage is Departure.NOW
        if now and (end := await self._cancel("cancelled")) is not None:
            return end
        busy = self._second is not None or not self.side.with_person or self._phone.gone.done()
        if self._departing.stage is Departure.NONE or busy or (self.side.kept and not now):
            return None
        caller, person = self.side.leg, self._phone.leg
        try:
            await leave_talking(self._services.ari, caller, person, afterwards=self._afterwards, or_here=now)
        finally:  # the call may end, and we with it, before Asterisk's answer is here
            self._record.left_talking = caller.talks_on
        return TalkEnd("goes_on") if caller.talks_on else None

    # --- events -----------------------------------------------------------------------------------------

    async def _handle(self, event: _Event) -> TalkEnd | None:
        match event:
            case _Gone(phone):
                return await self._gone(phone)
            case _Rung(second, fault) if second is self._second:
                return await self._rung(second, fault)
            case _Replaced():
                await self._moved(self.side.repair(self._phone))
                if self._second is not None and self._second_there:
                    await self._moved(self._second.join(self._phone.leg.bridge_id))
            case _Asked(TransferTo("blind", to), by):
                if self._second is None:
                    self._begin_note("blind", to, by)
                    self._end_note("completed")
                    return TalkEnd("transfer", to)
            case _Asked(TransferTo("attended", to), by):
                await self._consult(to, by)
            case _Asked(Complete()):
                return await self._complete()
            case _Asked(Cancel()):
                return await self._cancel("cancelled")
            case _Asked(Swap()):
                await self._swap()
        return None

    def _hear(self, phone: Telephone) -> None:
        keys = AgentKeys()

        def pressed(digit: str) -> None:
            if phone is self._phone and (wish := keys.press(digit, self._clock())) is not None:
                self._events.put_nowait(_Asked(wish, self.person))

        phone.on_key = pressed
        phone.on_replaced = self.repair
        phone.gone.add_done_callback(lambda _: self._events.put_nowait(_Gone(phone)))

    async def _gone(self, phone: Telephone) -> TalkEnd | None:
        if phone is self._second:
            return await self._cancel("hung_up")
        if phone is self._phone:
            if self._second is None:
                return TalkEnd("left")
            if self._second_there:
                return await self._complete()
            # They hung up while it rings: the caller is put through once the second person answers.
        return None

    # --- attended ---------------------------------------------------------------------------------------

    async def _consult(self, to: str, by: str) -> None:
        """Let the caller hear music, and ring the second person for the first one."""
        if self._second is not None:
            return
        try:
            channel = self._dialled(to)
        except UserError as error:
            log.warning("transfer refused", to=to, why=str(error))
            return
        self._begin_note("attended", to, by)
        self._to = to
        await self.side.hold()
        if not await self._moved(self._phone.home()):
            self._end_note("failed")
            await self._moved(self.side.admit(self._phone))  # they may be there yet, beside the music
            return
        self._phone.sound.start(ringing(self._phone.sample_rate))
        second = self._second = Telephone(self._services, channel, name=self.person)
        self._on_second(to, "rings")
        self._ringing = asyncio.create_task(self._ring(second), name="second person")

    async def _ring(self, second: Telephone) -> None:
        fault: NotReached | None = None
        try:
            async with asyncio.timeout(SECOND_RING_S):
                await second.ring()
        except NotReached as why:
            fault = why
        except TimeoutError:
            fault = NotReached(19, "no answer")
        self._events.put_nowait(_Rung(second, fault))

    async def _rung(self, second: Telephone, fault: NotReached | None) -> TalkEnd | None:
        if fault is not None:
            busy = "busy" if fault.cause in Q850_BUSY else "unreachable"
            outcome = "no_answer" if fault.cause in Q850_NO_ANSWER else busy
            if self._phone.gone.done():
                self._end_note(outcome)
                return TalkEnd("back")
            return await self._cancel(outcome)
        self._second_there = True
        self._on_second(self._to, "talks")
        self._hear(second)
        if self._phone.gone.done():
            return await self._complete()
        self._phone.sound.stop()
        await self._moved(second.join(self._phone.leg.bridge_id))
        return None

    async def _complete(self) -> TalkEnd | None:
        """The caller and the second person go on without the first one."""
        second = self._second
        if second is None:
            return None
        if not self._second_there:  # once they answer
            self._close_soon(self._phone)
            return None
        if not await self._moved(self.side.admit(second)):
            if not self._phone.gone.done():
                return await self._cancel("hung_up")
            self._end_note("hung_up")
            return TalkEnd("back")
        first, self._phone = self._phone, second
        self._second, self._second_there = None, False
        self._end_note("completed")
        self.person = self._to.removeprefix("agent:")
        self._on_person(self.person)
        self._close_soon(first)
        return None

    async def _cancel(self, outcome: str) -> TalkEnd | None:
        """The person comes back to the caller, who waits again where that is not possible."""
        second, self._second, self._second_there = self._second, None, False
        if second is None:
            return None
        self._on_second(self._to, "gone")
        self._end_note(outcome)
        if self._ringing is not None:
            self._ringing.cancel()
        self._close_soon(second)
        sound = self._phone.sound
        sound.stop()
        if outcome not in ("cancelled", "hung_up"):
            sound.say(beep(Beep(ms=200, hz=425), self._phone.sample_rate))
            await asyncio.sleep(0.25)
            sound.stop()
        if self.side.with_person or await self._moved(self.side.admit(self._phone)):
            return None
        return TalkEnd("back")

    async def _swap(self) -> None:
        """The person talks to the other of the two; who is left hears music."""
        if self._second is None or not self._second_there:
            return
        if self.side.with_person:
            await self.side.hold()
            await self._moved(self._phone.home())
            self._phone.sound.stop()
        else:
            self._phone.sound.start(self.side.music)
            await self._moved(self.side.admit(self._phone))

    async def _moved(self, move: Awaitable[None]) -> bool:
        """Do it; False where whoever should be moved is gone, which is told by itself."""
        try:
            await move
        except PbxError as error:
            log.info("nobody to move", why=str(error))
            return False
        return True

    # --- notes and ends ---------------------------------------------------------------------------------

    def _begin_note(self, kind: Literal["blind", "attended"], to: str, by: str) -> None:
        self._note = TransferRecord(kind=kind, to=to, by=by, at_ms=self._ms())
        self._record.transfers.append(self._note)

    def _end_note(self, outcome: str) -> None:
        if self._note is not None:
            self._note.outcome = outcome
            self._note = None

    def _close_soon(self, phone: Telephone) -> None:
        task = asyncio.create_task(phone.close(), name="hanging up")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close_all(self) -> None:
        self._end_note("cancelled")
        if self._ringing is not None:
            self._ringing.cancel()
        if self._second is not None:
            self._on_second(self._to, "gone")
            await self._second.close()
        await self._phone.close()
        if self._closing:
            await asyncio.wait(set(self._closing))
