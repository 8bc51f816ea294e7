"""One caller who waits in a queue of ours, from the dialog's last word until persons are done with them.

It all happens on the call's own media: music and words come from our playout, keys from the call's leg, and
the recording goes on. One task does it, so that whatever it began is undone when the caller hangs up.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import structlog

from voicebot.acd import offer as offer_rules
from voicebot.acd.agents import Agent
from voicebot.acd.matching import Waiter
from voicebot.acd.offer import Outcome, Stage
from voicebot.audio.frames import Samples
from voicebot.call.people import Presenter
from voicebot.call.record import CallBackRecord
from voicebot.dialog.turns import Handover
from voicebot.errors import PbxError
from voicebot.media.port import HeardFrame
from voicebot.pbx.persevering import finish
from voicebot.switchboard.hold_sound import HoldSound
from voicebot.switchboard.queues.announcer import Announcer
from voicebot.switchboard.queues.asked import Asked
from voicebot.switchboard.queues.callbacks import CallBacks
from voicebot.switchboard.queues.hall import Hall
from voicebot.switchboard.queues.handed_over import composed
from voicebot.switchboard.queues.number_question import KeyedAnswer, NumberQuestion
from voicebot.switchboard.queues.promise import Promise
from voicebot.switchboard.queues.side import PersonOnLine, Side
from voicebot.switchboard.queues.stay import Stay
from voicebot.switchboard.queues.talk import Talk, TalkEnd
from voicebot.switchboard.queues.targets import channel_to
from voicebot.switchboard.queues.texts import texts_of, whisper_text
from voicebot.switchboard.telephone import Telephone

JOIN_GRACE_S = 1.0
"""An agent who is gone so soon after the join has not had the call: the caller has their old place again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Assigned:
    agent: Agent


@dataclass(frozen=True, slots=True)
class _Offered:
    """This agent has decided, or was not there."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class _CallBackWanted:
    pass


@dataclass(frozen=True, slots=True)
class _CallBackKeyed:
    answer: KeyedAnswer


@dataclass(frozen=True, slots=True)
class _Dropped:
    pass


@dataclass(frozen=True, slots=True)
class _GivenOn:
    to: str
    by: str


@dataclass(frozen=True, slots=True)
class _TimeUp:
    pass


_News = _Assigned | _Offered | _CallBackWanted | _CallBackKeyed | _Dropped | _GivenOn | _TimeUp


class Waiting:
    """An `Attendant`, and a `Member` of the queue. `await run()` returns where the dialplan goes on, or None.

    side: what the caller hears and the bridge they are in; the next stay of the same caller takes it over
    """

    call_back = False

    def __init__(
        self,
        hall: Hall,
        call_backs: CallBacks,
        presenter: Presenter,
        handover: Handover,
        waiter: Waiter,
        side: Side | None,
    ) -> None:
        stage = presenter.stage
        self.waiter = waiter
        self.agent = ""
        person = stage.scribe.record.person
        self.caller = person.name or person.number
        self._told = handover.summary or composed(handover)
        self.summary = handover.shown or self._told
        self.language = handover.language or stage.scribe.record.dialog.language
        self.handover = handover
        self.stage = stage
        self.presenter = presenter
        self.talk: Talk | None = None
        self._hall = hall
        self._call_backs = call_backs
        self._config = hall.config_of(waiter.queue)
        self._clock = hall.clock
        self._texts = texts_of(self.language)
        self._number = person.number
        self.side = side or self._new_side()
        self._again = side is not None
        self._announcer = Announcer(
            stage, presenter.route, hall.phrases, self._texts, self.side, lambda: self._occupied
        )
        self._news: asyncio.Queue[_News] = asyncio.Queue()
        self._asked: Asked | None = None
        self._offering: asyncio.Task[None] | None = None
        self._asking: NumberQuestion | None = None
        self._leaves = False
        self._stay = Stay(stage, waiter, self.summary)

    def _new_side(self) -> Side:
        stage = self.stage
        keep = {"call"} if stage.live.view().recording == "on" else set()
        sound = HoldSound(stage.port.playout, stage.port.sample_rate, stage.prompts)
        return Side(stage.services.ari, stage.leg, sound, self._hall.music_of(self.waiter.queue), keep)

    # --- the caller's ear and keys ----------------------------------------------------------------------

    def heard(self, frame: HeardFrame) -> None:
        """What callers say while they wait means nothing."""

    def prompt_started(self, prompt_id: int, at: float) -> None:
        self.side.sound.prompt_started(prompt_id)

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        self.side.sound.prompt_finished(prompt_id)

    def press(self, digit: str) -> None:
        if self.talk is not None:
            return
        if self._asking is not None:
            if (answer := self._asking.press(digit)) is not None:
                self._news.put_nowait(_CallBackKeyed(answer))
        elif self._config.call_back and digit == self._config.call_back_key:
            self._news.put_nowait(_CallBackWanted())

    @property
    def _occupied(self) -> bool:
        """Whether the caller talks to somebody, answers a question, or hears our last words."""
        return self._asking is not None or self.side.with_person or self._leaves

    def media_replaced(self) -> None:
        if self.talk is not None:
            self.talk.repair()

    # --- what the queue says ----------------------------------------------------------------------------

    def assigned(self, agent: Agent) -> None:
        """This agent is to be asked."""
        self.agent = agent.name
        self._news.put_nowait(_Assigned(agent))

    def dropped(self) -> None:
        self._news.put_nowait(_Dropped())

    def give_on(self, to: str, by: str) -> None:
        self._news.put_nowait(_GivenOn(to, by))

    # --- waiting ----------------------------------------------------------------------------------------

    async def run(self) -> TalkEnd | Handover | None:
        """Returns how the stay ended: where the dialplan goes on, a transfer to another queue or agent
        (`TalkEnd`), or None where the call is over.
        """
        self.presenter.attend(self)
        self._stay.waits()
        if not self.side.sound.on:
            self.side.sound.start(self.side.music)
        try:
            if not self._again and self._hall.full(self.waiter.queue):
                return await self._nobody("full")
            return await self._wait()
        except BaseException:
            # Who is still on the line was taken over by a supervisor, or we end all calls.
            self._stay.end("abandoned" if self.stage.leg.ended is not None else "ended")
            self.side.sound.stop()
            raise
        finally:
            self._hall.leave(self, abandoned=self._stay.record.outcome == "abandoned")
            await finish(self._withdraw())  # or the agent would be held for nobody

    async def _wait(self) -> TalkEnd | Handover | None:
        self._hall.enter(self)
        telling = self._announcer.announce(self._config, lambda: self._hall.position(self))
        announcing = asyncio.create_task(telling, name="announcements")
        try:
            return await self._until_over()
        finally:
            announcing.cancel()

    async def _until_over(self) -> TalkEnd | Handover | None:
        until = self._clock() + self._config.longest_wait_s
        while True:
            match await self._next(until):
                case _Assigned(agent) if agent.name == self.agent:  # not withdrawn meanwhile
                    self._ask(agent)
                case _Offered(asked) if asked is self._asked:
                    end = await self._offered(asked)
                    if end is not None:
                        return await self._after(end)
                case _CallBackWanted():
                    await self._ask_for_number()
                case _CallBackKeyed(answer):
                    if await self._call_back_keyed(answer):
                        return None
                case _GivenOn(to, _):
                    self._stay.end("transferred")
                    return await self._after(TalkEnd("transfer", to))
                case _Dropped():
                    return await self._nobody("dropped")
                case _TimeUp() if self._asking is not None:
                    self._go_on_waiting()
                case _TimeUp():
                    return await self._nobody("nobody")

    async def _next(self, until: float) -> _News:
        """Return what happens next. An agent who is being asked is waited for, however late it is."""
        due: float | None = None if self._offering is not None else until
        if self._asking is not None:
            due = self._asking.until
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - self._clock())):
                return await self._news.get()
        except TimeoutError:
            return _TimeUp()

    async def _nobody(self, outcome: Literal["full", "dropped", "nobody"]) -> Handover | None:
        """The caller goes on to `otherwise`, or hears that nobody can take the call."""
        self._leaves = True
        self._hall.leave(self)
        await self._withdraw()
        self._stay.end(outcome)
        self._hall.given_on(self.waiter.queue)
        if self._config.otherwise:
            return self._onward(self._config.otherwise)
        await self._announcer.say(self._texts.nobody)
        return None

    def _onward(self, extension: str) -> Handover:
        return Handover(extension, self.handover.context, summary=self._told, language=self.language)

    # --- agents -----------------------------------------------------------------------------------------

    def _ask(self, agent: Agent) -> None:
        self._asked = Asked(
            self._hall,
            self,
            agent,
            self.stage.services,
            number=self._number,
            whisper=self._config.whisper,
            words=self._whisper,
            stay=self._stay.record,
            ms=self._stay.ms,
        )
        self._offering = asyncio.create_task(self._run_offer(self._asked), name="offer")

    async def _run_offer(self, asked: Asked) -> None:
        try:
            await asked.run()
        except Exception:  # a mistake of ours must not leave the caller waiting for it
            log.exception("offer failed")
        self._news.put_nowait(_Offered(asked))

    async def _whisper(self) -> Samples | None:
        text = whisper_text(
            self._texts,
            caller=self.caller,
            summary=self._told,
            key=self._config.accept_key,
            call_back=False,
        )
        return await self._announcer.rendered(text)

    async def _offered(self, asked: Asked) -> TalkEnd | None:
        """The agent has decided. Returns how the talk ended; None: the caller waits on."""
        self._offering = None
        if asked.offer.stage is Stage.JOINING:
            try:
                await self.side.admit(asked.phone)
            except PbxError as error:
                log.warning("agent not joined", agent=asked.agent.name, why=str(error))
                asked.offer.handle(offer_rules.Gone(), self._clock())
            else:
                asked.offer.handle(offer_rules.Joined(), self._clock())
                self._asked = None
                asked.end("accepted")
                return await self._meet(asked.agent, asked.phone)
        await self._close_offer(asked, asked.offer.outcome or "unreachable")
        return None

    async def _withdraw(self) -> None:
        """Stop asking the agent who is being asked. Cancelled half-way it may be begun again."""
        if self._offering is not None:
            self._offering.cancel()
            await asyncio.wait({self._offering})
            self._offering = None
        if self._asked is not None:
            await self._close_offer(self._asked, "withdrawn")
        elif self.agent:  # they were to be asked just now
            self._hall.offer_ended(self, self._hall.agent(self.agent), "withdrawn")

    async def _close_offer(self, asked: Asked, outcome: Outcome) -> None:
        await asked.phone.close()
        self._asked = None
        asked.end(outcome)

    async def _meet(self, agent: Agent, phone: Telephone) -> TalkEnd | None:
        """Let the two talk. None: the agent was gone at once, and the caller has their old place again."""
        title = self._hall.title_of(agent.name)
        self._stay.accepted(agent.name)
        self._stay.with_person(title)
        talk = self.talk = Talk(
            services=self.stage.services,
            side=self.side,
            phone=phone,
            person=title,
            record=self._stay.record,
            dialled=partial(channel_to, self._hall.config),
            ms=self._stay.ms,
            clock=self._clock,
            on_person=self._person_changed,
            departing=self._hall.departing,
            afterwards=self._config.afterwards,
            on_second=partial(self._hall.second, self),
        )
        self._hall.talk_began(self, agent)
        self._accompany(talk, title)
        began = self._clock()
        lost = False
        try:
            end = await talk.run()
            lost = end.kind == "left" and self._clock() - began < JOIN_GRACE_S
        finally:
            self.talk = None
            self.presenter.company = None
            talked = self._clock() - began
            self._stay.record.talked_ms += round(talked * 1000)
            if not lost:
                self._stay.end("answered")
            if self._stay.record.left_talking:
                self._hall.talk_goes_on(self)
            else:
                self._hall.talk_ended(self, agent, None if lost else talked)
        if not lost:
            return end
        self._stay.lost()
        await self.side.hold()
        self._stay.waits()
        self._hall.back(self)
        return None

    def _person_changed(self, person: str) -> None:
        """An attended transfer is complete: the agent is free again."""
        agent = self._hall.agent_left(self)
        if agent is not None:
            person = self._hall.title_of(agent.name)
        self._stay.with_person(person)
        if self.talk is not None:
            self.talk.person = person
            self._accompany(self.talk, person)

    def _accompany(self, talk: Talk, person: str) -> None:
        """Tell the call who has the caller now: for supervisors."""
        self.presenter.company = PersonOnLine(person, talk.channel_id, self.side)

    async def _after(self, end: TalkEnd) -> TalkEnd | Handover | None:
        match end:
            case TalkEnd("transfer", to) if to.startswith("conference:"):
                self.side.sound.stop()
                return replace(self._onward(to.removeprefix("conference:")), conference=True)
            case TalkEnd("transfer", to) if ":" not in to:
                return self._onward(to)
            case TalkEnd("left"):
                return self._onward(self._config.afterwards) if self._config.afterwards else None
            case TalkEnd("goes_on"):
                return None
            case TalkEnd("back"):
                return TalkEnd("transfer", f"queue:{self.waiter.queue}")
        return end

    # --- call-back --------------------------------------------------------------------------------------

    async def _ask_for_number(self) -> None:
        if self._asking is not None:
            return
        await self._withdraw()
        self._hall.hold(self, True)
        dialled = partial(self._call_backs.number_to_call, self.waiter.queue)
        self._asking = NumberQuestion(self.stage, self._announcer, self.side, dialled, self._number)
        await self._asking.ask()

    async def _call_back_keyed(self, answer: KeyedAnswer) -> bool:
        """Returns whether the caller hangs up now, and keeps the place."""
        asking = self._asking
        if asking is None:
            return False
        match asking.settle(answer):
            case "confirmed":
                await self._promise(asking.number)
                return True
            case "changed":
                await asking.ask()
            case "refused":
                self._go_on_waiting()
                await self._announcer.say(self._texts.still_there)
            case "impossible":
                self._go_on_waiting()
                await self._announcer.say(self._texts.not_possible)
        return False

    async def _promise(self, number: str) -> None:
        self._stay.record.call_back = CallBackRecord(number=number, asked_at=datetime.now(UTC))
        self._stay.end("call_back")
        self._leaves = True
        self._call_backs.add(
            Promise(
                self.waiter,
                number=number,
                caller=self.caller,
                summary=self.summary,
                language=self.language,
                services=self.stage.services,
                route=self.presenter.route,
                record=self.stage.scribe.record,
                stay=self._stay.record,
            )
        )
        await self._announcer.say(self._texts.promised)

    def _go_on_waiting(self) -> None:
        self._asking = None
        self._hall.hold(self, False)
