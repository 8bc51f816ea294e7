"""Callers who hung up and kept their place: an agent is asked first, then the caller is called.

A call-back waits in the queue as the caller did, with their time and priority. It has no call: it goes on in
a task of its own, and what becomes of it is added to the record of the call in which it was promised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import structlog

from voicebot.acd.agents import Agent
from voicebot.acd.matching import Waiter
from voicebot.acd.offer import Q850_BUSY, Q850_NO_ANSWER, Offer, Outcome, Stage
from voicebot.acd.offer import Joined as OfferJoined
from voicebot.audio.frames import Samples
from voicebot.call.handover import HANDOVER_CONTEXT
from voicebot.call.record import (
    CallRecord,
    OfferRecord,
    PeopleRecord,
    folder_for,
    read_record,
    write_record,
)
from voicebot.call.services import Services, voice_of
from voicebot.config import Route
from voicebot.errors import PbxError, UserError
from voicebot.switchboard.hold_sound import rendered
from voicebot.switchboard.queues.music import ringing
from voicebot.switchboard.queues.offering import Offering
from voicebot.switchboard.queues.side import Side
from voicebot.switchboard.queues.state import (
    CALL_BACKS_FILE,
    KeptCallBack,
    StateFile,
    call_backs_text,
    read_call_backs,
)
from voicebot.switchboard.queues.talk import Talk
from voicebot.switchboard.queues.texts import texts_of, whisper_text
from voicebot.switchboard.ringing import NotReached
from voicebot.switchboard.telephone import Telephone

if TYPE_CHECKING:
    from voicebot.switchboard.queues.house import QueueHouse
    from voicebot.switchboard.queues.waiting import Waiting

ATTEMPTS = 2
"""How often a caller is called back before we give up."""
RING_S = 30.0
AFTER_START_S = 5.0
"""Before a gateway that has just started calls anybody back."""
AGAIN_AFTER_S = 60.0
"""Between two attempts."""
WORDS_LIMIT_S = 10.0

log = structlog.get_logger(__name__)


class CallBacks:
    """All call-backs that are due."""

    def __init__(self, house: QueueHouse) -> None:
        self._house = house
        self._due: set[CallBack] = set()
        self._state = StateFile(house.config.var / CALL_BACKS_FILE)
        self._start: asyncio.TimerHandle | None = None
        self.pen = asyncio.Lock()
        """Who writes a record holds it."""
        self._serving: set[asyncio.Task[None]] = set()
        self.stopping = False
        """No agent is asked any more; what is promised is kept for the next start."""
        self._writing: set[asyncio.Task[None]] = set()

    def serve(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do what is done with an agent; the end of the gateway cuts it short."""
        return _spawn(self._serving, work)

    def write(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what the end of the gateway waits for."""
        _spawn(self._writing, work)

    def add(self, waiting: Waiting, number: str) -> None:
        """Take a caller's place over."""
        promised = CallBack(
            self._house,
            waiting.waiter,
            number=number,
            caller=waiting.caller,
            summary=waiting.summary,
            language=waiting.language,
            services=waiting.stage.services,
            route=waiting.presenter.route,
            record=waiting.stage.scribe.record,
            stay=waiting.record,
            over=self._due_no_more,
        )
        waiting.waiter.offered = False
        self._due.add(promised)
        self._house.enter(promised)
        self._keep()

    def restore(self, services: Callable[[Route], Services]) -> None:
        """Take up what was promised before the gateway ended, once Asterisk is likely to be there."""
        routes = {route.number: route for route in self._house.config.routes}
        for kept in read_call_backs(self._house.config.var):
            route = routes.get(kept.route)
            if route is None or kept.queue not in self._house.config.queues:
                log.warning("call-back forgotten: its route or queue is gone", call=kept.call_id)
                continue
            try:
                self._take_up(kept, services(route), route)
            except (UserError, StopIteration) as error:
                log.warning("call-back forgotten: its record is gone", call=kept.call_id, error=str(error))
        if self._due:
            self._start = asyncio.get_running_loop().call_later(AFTER_START_S, self._begin)

    def _take_up(self, kept: KeptCallBack, services: Services, route: Route) -> None:
        house = self._house
        path = folder_for(house.config.var, kept.started_at) / f"{kept.call_id}.json"
        record = read_record(path)
        stay = next(each for each in record.people if each.call_back and not each.call_back.outcome)
        since = house.clock() - max(0.0, house.epoch() - kept.since_at)
        waiter = Waiter(kept.call_id, kept.queue, since, 0, kept.priority, kept.skills, offered=True)
        promised = CallBack(
            house,
            waiter,
            number=kept.number,
            caller=kept.caller,
            summary=kept.summary,
            language=kept.language,
            services=services,
            route=route,
            record=record,
            stay=stay,
            over=self._due_no_more,
        )
        self._due.add(promised)
        house.enter(promised)

    def _begin(self) -> None:
        for promised in self._due:
            self._house.hold(promised, False)

    def _due_no_more(self, promised: CallBack) -> None:
        self._due.discard(promised)
        self._keep()

    def _keep(self) -> None:
        self._state.keep(call_backs_text(each.kept for each in self._due))

    async def quiet(self) -> None:
        """Begin no more, and return once nobody is on the line for a call-back."""
        self.stopping = True
        while self._serving:
            await asyncio.wait(set(self._serving))

    async def close(self) -> None:
        if self._start is not None:
            self._start.cancel()
        for promised in tuple(self._due):
            promised.close()
        for task in self._serving:
            task.cancel()
        for tasks in (self._serving, self._writing):
            if tasks:
                await asyncio.wait(set(tasks))
        await self._state.close()


class CallBack:
    """One promise. A `Member` of the queue."""

    call_back = True

    def __init__(
        self,
        house: QueueHouse,
        waiter: Waiter,
        *,
        number: str,
        caller: str,
        summary: str,
        language: str,
        services: Services,
        route: Route,
        record: CallRecord,
        stay: PeopleRecord,
        over: Callable[[CallBack], None],
    ) -> None:
        self.waiter = waiter
        self.agent = ""
        self.caller = caller
        self.number = number
        self.summary = summary
        self.talk: Talk | None = None
        self._house = house
        self._config = house.config_of(waiter.queue)
        self._services = services
        self._route = route
        self._language = language
        self._texts = texts_of(language)
        self._record = record
        self._stay = stay
        self._over = over
        self._clock = house.clock
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
            since_at=self._house.epoch() - waited,
            priority=self.waiter.priority,
            skills=self.waiter.skills,
        )

    # --- what the queue says ----------------------------------------------------------------------------

    def assigned(self, agent: Agent) -> None:
        self.agent = agent.name
        if self._house.call_backs.stopping:
            self._house.offer_ended(self, agent, "withdrawn")
            self._house.hold(self, True)
            return
        self._task = self._house.call_backs.serve(self._serve(agent))

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

    async def _serve(self, agent: Agent) -> None:
        phone = Telephone(
            self._services, self._house.channel_of(agent.name), number=self.number, name=self.caller
        )
        offer = Offer(
            self._clock(), ring_s=self._config.ring_s, accept_key=self._config.accept_key, whisper=True
        )
        note = OfferRecord(agent=agent.name, at_ms=self._ms())
        self._stay.offers.append(note)
        outcome: Outcome = "withdrawn"
        try:
            await Offering(phone, offer, self._whisper, self._clock).run()
            if offer.stage is Stage.JOINING:
                offer.handle(OfferJoined(), self._clock())
            outcome = offer.outcome or "unreachable"
            note.outcome, note.ended_ms = outcome, self._ms()
            if outcome != "accepted":
                await phone.close()
            self._house.offer_ended(self, agent, outcome)
            if outcome == "accepted":
                await self._call(agent, phone)
        except Exception:  # a mistake of ours must not stop the queue
            log.exception("call-back failed")
        finally:
            await phone.close()
            if self.agent:
                note.outcome, note.ended_ms = "withdrawn", self._ms()
                self._house.offer_ended(self, agent, "withdrawn")

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
        house = self._house
        house.talk_began(self, agent)
        began = self._clock()
        talked: float | None = None
        caller = Telephone(
            self._services, self._way_out(), number=house.config.dialling.caller, name=self.waiter.queue
        )
        try:
            phone.sound.start(ringing(phone.sample_rate))
            outcome = await self._dial_while_there(phone, caller)
            phone.sound.stop()
            if outcome == "answered" and not phone.gone.done():
                self._note(outcome)
                house.called_back(self.waiter.queue)
                self._stay.agent, self._stay.accepted_ms = agent.name, self._ms()
                self._finish("answered")
                try:
                    await self._talk(agent, phone, caller)
                finally:
                    self._write_soon()
                talked = self._clock() - began
                return
            self._note(outcome if outcome != "answered" else "hung_up")
            samples = await self._rendered(self._texts.not_answered)
            if samples is not None and not phone.gone.done():
                await asyncio.wait({phone.sound.say(samples)}, timeout=WORDS_LIMIT_S)
            self._later()
        finally:
            await caller.close()
            house.talk_ended(self, agent, talked)

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
            self._house.number_to_call(self.waiter.queue, self.number)
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

    async def _talk(self, agent: Agent, phone: Telephone, caller: Telephone) -> None:
        side = Side(
            self._services.ari, caller.leg, caller.sound, self._house.music_of(self.waiter.queue), set()
        )
        try:
            await side.admit(phone)
        except PbxError as error:
            log.warning("call-back not joined", why=str(error))
            return
        self.talk = talk = Talk(
            services=self._services,
            side=side,
            phone=phone,
            person=self._house.title_of(agent.name),
            record=self._stay,
            dialled=self._house.dialled,
            ms=self._ms,
            clock=self._clock,
            on_person=lambda person: self._house.agent_left(self),
        )
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

    async def _give_on(self, caller: Telephone, to: str) -> None:
        """A blind transfer of somebody who was called back: the dialplan has them, if it is an extension."""
        if to and ":" not in to:
            await caller.leg.hand_over(HANDOVER_CONTEXT, to)

    def _way_out(self) -> str:
        dial = self._house.config.trunks[self._config.call_back_trunk].dial
        return dial.replace("{number}", self.number).replace("{digits}", self.number.removeprefix("+"))

    # --- ends -------------------------------------------------------------------------------------------

    def _later(self) -> None:
        """Try once more in a while, or give up; the place in the queue stays."""
        assert self._stay.call_back is not None, "it was promised"
        if len(self._stay.call_back.attempts) >= ATTEMPTS:
            self._finish("failed")
            return
        self.waiter.offered = True
        self._house.enter(self)
        loop = asyncio.get_running_loop()
        self._again = loop.call_later(AGAIN_AFTER_S, self._house.hold, self, False)

    def _note(self, outcome: str) -> None:
        assert self._stay.call_back is not None, "it was promised"
        self._stay.call_back.attempts.append(outcome)
        self._write_soon()

    def _finish(self, outcome: str) -> None:
        """It is over: the record of the call is told."""
        assert self._stay.call_back is not None, "it was promised"
        self._stay.call_back.outcome = outcome
        self._house.leave(self)
        if self._again is not None:
            self._again.cancel()
        self._write_soon()
        self._over(self)

    def _write_soon(self) -> None:
        self._house.call_backs.write(self._write())

    async def _write(self) -> None:
        try:
            async with self._house.call_backs.pen:
                await asyncio.to_thread(write_record, self._house.config.var, self._record)
        except (OSError, ValueError) as error:
            log.error("call-back not in the record", error=str(error))

    async def _rendered(self, text: str) -> Samples | None:
        voice = voice_of(self._services.config, self._route, self._texts.language)
        rate = self._services.config.media.sample_rate
        return await rendered(self._services.tts, text, voice, rate)

    def _ms(self) -> int:
        """Milliseconds since the call was answered in which it was promised."""
        return round((self._house.epoch() - self._record.started_at.timestamp()) * 1000)


def _spawn(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name="call-back")
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task
