"""One call-back, of a caller who hung up and kept their place: an agent is asked, then the caller called.

It waits in the queue as the caller did, with their time and priority. It has no call: it goes on in a task of
its own, and what becomes of it is added to the record of the call in which it was promised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog

from voicebot.acd.agents import Agent
from voicebot.acd.matching import Waiter
from voicebot.acd.offer import Q850_BUSY, Q850_NO_ANSWER, Outcome, Stage
from voicebot.acd.offer import Joined as OfferJoined
from voicebot.audio.frames import Samples
from voicebot.call.handover import HANDOVER_CONTEXT
from voicebot.call.record import CallRecord, PeopleRecord
from voicebot.call.services import Services, voice_of
from voicebot.config import Route
from voicebot.errors import PbxError, UserError
from voicebot.switchboard.hold_sound import rendered
from voicebot.switchboard.queues.asked import Asked
from voicebot.switchboard.queues.hall import Hall
from voicebot.switchboard.queues.music import ringing
from voicebot.switchboard.queues.side import Side
from voicebot.switchboard.queues.state import KeptCallBack
from voicebot.switchboard.queues.talk import Talk
from voicebot.switchboard.queues.targets import channel_to
from voicebot.switchboard.queues.texts import texts_of, whisper_text
from voicebot.switchboard.ringing import NotReached
from voicebot.switchboard.telephone import Telephone

ATTEMPTS = 2
"""How often a caller is called back before we give up."""
MOST_ATTEMPTS = 6
"""With those in which the agent hung up while it rang: nobody's telephone rings for ever."""
RING_S = 30.0
AGAIN_AFTER_S = 60.0
"""Between two attempts."""
WORDS_LIMIT_S = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Promise:
    """To whom, with what place in the queue. record, stay: of their call, and of their time in the queue"""

    waiter: Waiter
    number: str
    caller: str
    summary: str
    language: str
    services: Services
    route: Route
    record: CallRecord
    stay: PeopleRecord


class Keeper(Protocol):
    """Who keeps all promises, as one of them needs it.

    stopping: no agent is asked any more; what is promised is kept for the next start
    pen:      who writes a record holds it
    """

    @property
    def stopping(self) -> bool: ...

    @property
    def pen(self) -> asyncio.Lock: ...

    def number_to_call(self, queue: str, number: str) -> str:
        """Return what a number is dialled as. Raises UserError where it may not be called back."""
        ...

    def serve(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do what is done with an agent; the end of the gateway cuts it short."""
        ...

    def write(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what the end of the gateway waits for."""
        ...

    def due_no_more(self, promised: CallBack) -> None: ...


class CallBack:
    """One promise at work. A `Member` of the queue."""

    call_back = True

    def __init__(self, hall: Hall, keeper: Keeper, promise: Promise) -> None:
        self.waiter = promise.waiter
        self.agent = ""
        self.caller = promise.caller
        self.number = promise.number
        self.summary = promise.summary
        self.talk: Talk | None = None
        self._hall = hall
        self._keeper = keeper
        self._config = hall.config_of(promise.waiter.queue)
        self._services = promise.services
        self._route = promise.route
        self._language = promise.language
        self._texts = texts_of(promise.language)
        self._record = promise.record
        self._stay = promise.stay
        self._clock = hall.clock
        self._task: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None

    @property
    def kept(self) -> KeptCallBack:
        """What must be known to keep the promise after a restart."""
        waited = self._clock() - self.waiter.since
        return KeptCallBack(
            call_id=self.waiter.id,
            started_at=self._record.started_at,
            queue=self.waiter.queue,
            route=self._route.number,
            number=self.number,
            caller=self.caller,
            summary=self.summary,
            language=self._language,
            since_at=self._hall.epoch() - waited,
            priority=self.waiter.priority,
            skills=self.waiter.skills,
        )

    # --- what the queue says ----------------------------------------------------------------------------

    def assigned(self, agent: Agent) -> None:
        self.agent = agent.name
        if self._keeper.stopping:
            self._hall.offer_ended(self, agent, "withdrawn")
            self._hall.hold(self, True)
            return
        asked = Asked(
            self._hall,
            self,
            agent,
            self._services,
            number=self.number,
            whisper=True,
            words=self._whisper,
            stay=self._stay,
            ms=self._ms,
        )
        self._task = self._keeper.serve(self._serve(asked))
        self._task.add_done_callback(lambda _: asked.end("withdrawn"))  # also where it never began

    def dropped(self) -> None:
        """It is forgotten, unless somebody is on the line already."""
        if self.talk is None:
            if self._task is not None:
                self._task.cancel()
            self._finish("dropped")

    def close(self) -> None:
        if self._again is not None:
            self._again.cancel()

    # --- calling ----------------------------------------------------------------------------------------

    async def _serve(self, asked: Asked) -> None:
        outcome: Outcome = "withdrawn"
        try:
            await asked.run()
            if asked.offer.stage is Stage.JOINING:
                asked.offer.handle(OfferJoined(), self._clock())
            outcome = asked.offer.outcome or "unreachable"
            if outcome != "accepted":
                await asked.phone.close()
            asked.end(outcome)
            if outcome == "accepted":
                await self._call(asked.agent, asked.phone)
        except Exception:  # a mistake of ours must neither stop the queue nor lose the promise
            log.exception("call-back failed")
            if outcome == "accepted" and self._open:
                self._note("failed")
                self._later()
            outcome = "unreachable"  # not this agent again at once
        finally:
            await asked.phone.close()
            asked.end(outcome)

    async def _whisper(self) -> Samples | None:
        text = whisper_text(
            self._texts,
            caller=self.caller or self.number,
            summary=self.summary,
            key=self._config.accept_key,
            call_back=True,
        )
        return await self._rendered(text)

    async def _call(self, agent: Agent, phone: Telephone) -> None:
        """The agent hears it ring; the caller answers, or not."""
        hall = self._hall
        hall.talk_began(self, agent)
        began = self._clock()
        talked: float | None = None
        caller = Telephone(
            self._services, self._way_out(), number=hall.config.dialling.caller, name=self.waiter.queue
        )
        try:
            phone.sound.start(ringing(phone.sample_rate))
            outcome = await self._dial_while_there(phone, caller)
            phone.sound.stop()
            side = await self._joined(phone, caller) if outcome == "answered" else None
            if side is not None:
                self._note("answered")
                hall.called_back(self.waiter.queue)
                self._stay.agent, self._stay.accepted_ms = agent.name, self._ms()
                self._finish("answered")
                try:
                    await self._talk(agent, phone, caller, side)
                finally:
                    self._write_soon()
                talked = self._clock() - began
                return
            if outcome == "answered":
                outcome = "hung_up" if phone.gone.done() else "failed"
            self._note(outcome)
            samples = await self._rendered(self._texts.not_answered)
            if samples is not None and not phone.gone.done():
                await asyncio.wait({phone.sound.say(samples)}, timeout=WORDS_LIMIT_S)
            self._later()
        finally:
            try:
                await caller.close()
                await phone.close()  # their telephone is free before they are
            finally:
                if self._stay.left_talking:
                    hall.talk_goes_on(self)
                else:
                    hall.talk_ended(self, agent, talked)

    async def _dial_while_there(self, phone: Telephone, caller: Telephone) -> str:
        """Call the caller; an agent who hangs up meanwhile stops it."""
        dialling = asyncio.create_task(self._dial(caller), name="calling back")
        waits: set[asyncio.Future[str]] = {dialling, phone.gone}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return dialling.result() if dialling.done() else "hung_up"
        finally:
            if not dialling.done():
                dialling.cancel()
                await asyncio.wait({dialling})

    async def _dial(self, caller: Telephone) -> str:
        try:
            self._keeper.number_to_call(self.waiter.queue, self.number)
        except UserError as why_not:
            log.warning("call-back not dialled", why=str(why_not))
            return "forbidden"
        try:
            async with asyncio.timeout(RING_S):
                await caller.ring()
        except NotReached as why:
            if why.cause in Q850_BUSY:
                return "busy"
            return "no_answer" if why.cause in Q850_NO_ANSWER else "unreachable"
        except TimeoutError:
            return "no_answer"
        return "answered"

    async def _joined(self, phone: Telephone, caller: Telephone) -> Side | None:
        """Bring the two together; None where that cannot be."""
        music = self._hall.music_of(self.waiter.queue)
        side = Side(self._services.ari, caller.leg, caller.sound, music, set())
        if phone.gone.done():
            return None
        try:
            await side.admit(phone)
        except PbxError as error:
            log.warning("call-back not joined", why=str(error))
            return None
        return side

    async def _talk(self, agent: Agent, phone: Telephone, caller: Telephone, side: Side) -> None:
        self.talk = talk = Talk(
            services=self._services,
            side=side,
            phone=phone,
            person=self._hall.title_of(agent.name),
            record=self._stay,
            dialled=partial(channel_to, self._hall.config),
            ms=self._ms,
            clock=self._clock,
            on_person=self._person_changed,
            departing=self._hall.departing,
            on_second=partial(self._hall.second, self),
        )
        caller.on_replaced = talk.repair
        began = self._clock()
        talking = asyncio.create_task(talk.run(), name="talk")
        waits: set[asyncio.Future[Any]] = {talking, caller.gone}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            talking.cancel()
            await asyncio.wait({talking})
            self.talk = None
            self._stay.talked_ms += round((self._clock() - began) * 1000)
        if not talking.cancelled():
            await self._give_on(caller, talking.result().to)

    def _person_changed(self, person: str) -> None:
        self._hall.agent_left(self)

    async def _give_on(self, caller: Telephone, to: str) -> None:
        """A blind transfer of somebody who was called back: the dialplan has them, if it is an extension."""
        if to and ":" not in to:
            await caller.leg.hand_over(HANDOVER_CONTEXT, to)

    def _way_out(self) -> str:
        dial = self._hall.config.trunks[self._config.call_back_trunk].dial
        return dial.replace("{number}", self.number).replace("{digits}", self.number.removeprefix("+"))

    # --- ends -------------------------------------------------------------------------------------------

    @property
    def _open(self) -> bool:
        """Whether the promise has yet to be kept."""
        return self._stay.call_back is not None and not self._stay.call_back.outcome

    def _later(self) -> None:
        """Try once more in a while, or give up; the place in the queue stays. `hung_up` was the agent."""
        assert self._stay.call_back is not None, "it was promised"
        attempts = self._stay.call_back.attempts
        if sum(each != "hung_up" for each in attempts) >= ATTEMPTS or len(attempts) >= MOST_ATTEMPTS:
            self._finish("failed")
            return
        self.waiter.offered = True
        self._hall.enter(self)
        loop = asyncio.get_running_loop()
        self._again = loop.call_later(AGAIN_AFTER_S, self._hall.hold, self, False)

    def _note(self, outcome: str) -> None:
        assert self._stay.call_back is not None, "it was promised"
        self._stay.call_back.attempts.append(outcome)
        self._write_soon()

    def _finish(self, outcome: str) -> None:
        """It is over: the record of the call is told."""
        assert self._stay.call_back is not None, "it was promised"
        self._stay.call_back.outcome = outcome
        self._hall.leave(self)
        if self._again is not None:
            self._again.cancel()
        self._write_soon()
        self._keeper.due_no_more(self)

    def _write_soon(self) -> None:
        if self._record.ended_at is not None:  # else the call writes all of it at its end
            self._keeper.write(self._write())

    async def _write(self) -> None:
        async with self._keeper.pen:
            await self._services.records.keep(self._record)

    async def _rendered(self, text: str) -> Samples | None:
        voice = voice_of(self._services.config, self._route, self._texts.language)
        rate = self._services.config.media.sample_rate
        return await rendered(self._services.tts, text, voice, rate)

    def _ms(self) -> int:
        """Milliseconds since the call was answered in which it was promised."""
        return round((self._hall.epoch() - self._record.started_at.timestamp()) * 1000)
