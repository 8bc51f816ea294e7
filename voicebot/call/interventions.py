"""How a session carries out commands from outside: between turns, and in its own task.

A command that changes the dialog takes the floor: prompts stop (what was heard of them is in the record), the
utterance that goes on is dropped, and a new turn begins. While the bot is held nothing is said or heard;
what the dialog wants meanwhile, also because some work has ended, is done when it is released.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from voicebot.call.control import Asked, Command, Correct, GiveTo, Hold, Jump, Release, Repeat, Say
from voicebot.call.handover import ToPeople
from voicebot.call.working import Working
from voicebot.dialog.turns import BotTurn, End, Handover, Listen, Prompt, RecordMessage, Work
from voicebot.errors import CallEnded, UserError


class Leadable(Protocol):
    """A dialog that can be led from outside; see `voicebot.dialog.running.interventions`."""

    def fork(self) -> Leadable: ...

    def correct(self, slot: str, value: object, now: float, heard: str | None = None) -> BotTurn: ...

    def jump(self, step: str, now: float, heard: str | None = None) -> BotTurn: ...

    def say(self, text: str, now: float, heard: str | None = None) -> BotTurn: ...

    def repeat(self, now: float, heard: str | None = None) -> BotTurn: ...

    def hand_over(self, handover: Handover, now: float, heard: str | None = None) -> BotTurn: ...


class Interruptible(Protocol):
    """The session, as interventions need it. Its owner is the task that runs both."""

    @property
    def then(self) -> Listen | Work | End | Handover | None:
        """What the present turn waits for."""
        ...

    @property
    def working(self) -> Working | None:
        """The work that goes on."""
        ...

    async def say(self, turn: BotTurn) -> None:
        """Begin a turn of the dialog."""
        ...

    def speak(self, prompts: tuple[Prompt, ...]) -> None:
        """Say something beside the dialog; who has the floor keeps it."""
        ...

    async def take_floor(self, now: float) -> str | None:
        """Stop prompts and drop what the caller says; return what was heard of the prompts, None: all."""
        ...

    async def give_up_work(self) -> None:
        """Nobody waits any more for the work that goes on. A message that was begun is kept."""
        ...

    def wait_on(self, now: float) -> None:
        """All has been said for now, and work goes on."""
        ...


class Interventions:
    """Of one session. `held`: the bot is silent and deaf."""

    def __init__(self, session: Interruptible, lead: Leadable, on_held: Callable[[bool], None]) -> None:
        self._session = session
        self._on_held = on_held
        self._lead = lead
        self.held = False
        self.deadline: float | None = None
        """When the bot goes on by itself."""
        self._waiting: BotTurn | None = None  # for the release
        self._heard: str | None = None  # of what was said when it was held

    async def carry_out(self, asked: Asked, now: float) -> None:
        """Do what was asked, and tell how it went. Raises what ends the call."""
        if asked.outcome.done():
            return  # whoever asked has given up
        try:
            await self._do(asked.command, now)
        except UserError as error:
            asked.done(error)
        except (CallEnded, ToPeople):
            asked.done()  # this is how the dialog ends, as it was told to
            raise
        except BaseException:
            asked.done(UserError("the call has ended", "look at the live calls"))
            raise
        else:
            asked.done()

    def keep(self, turn: BotTurn) -> None:
        """Keep for the release what the dialog wants while it is held."""
        before = self._waiting.prompts if self._waiting is not None else ()
        self._waiting = BotTurn((*before, *turn.prompts), turn.then)

    async def _do(self, command: Command, now: float) -> None:
        then = self._waiting.then if self._waiting is not None else self._session.then
        goes_on = self.held and isinstance(command, Hold | Release)
        if isinstance(then, End | Handover) and not goes_on:
            raise UserError(
                "the dialog has come to its end", "release it" if self.held else "the bot says its last words"
            )
        match command:
            case Hold():
                await self._hold(command, now)
            case Release():
                await self.release(now)
            case Say(text) if self.held:
                spoken = self._lead.fork().say(text, now).prompts[:1]
                self._session.speak(spoken)
            case Repeat() if self.held:
                raise UserError("the bot is held", "release it: it asks its question then")
            case GiveTo() if self.held:
                await self.release(now)
                await self._change(command, now)
            case _:
                await self._change(command, now)

    async def _change(self, command: Command, now: float) -> None:
        """Lead the dialog, once it is known that it goes."""
        session, lead = self._session, self._lead
        would = _led(lead.fork(), command, now, None)  # raises where it is not possible
        if session.working is not None and would.then is session.working.work:
            turn = _led(lead, command, now, None)
            if not self.held:
                session.speak(turn.prompts)
            return
        heard = None if self.held else await session.take_floor(now)
        await session.give_up_work()
        turn = _led(lead, command, now, heard)
        if not self.held:
            await session.say(turn)
        elif self._waiting is not None and turn.then is self._waiting.then:
            self.keep(turn)
        else:
            self._waiting = turn  # what was to be said before has been overtaken

    async def _hold(self, hold: Hold, now: float) -> None:
        session = self._session
        if self.held:
            self.deadline = None if hold.longest_s is None else now + hold.longest_s
            return
        if session.working is not None and isinstance(session.working.work, RecordMessage):
            raise UserError("the caller is leaving a message", "wait for its end, or jump to another step")
        spoken = self._lead.fork().say(hold.words, now).prompts[:1] if hold.words else ()
        self._heard = await session.take_floor(now)
        self.held = True
        self._on_held(True)
        self.deadline = None if hold.longest_s is None else now + hold.longest_s
        if spoken:
            session.speak(spoken)

    async def release(self, now: float) -> None:
        """Let the bot go on."""
        session = self._session
        if not self.held:
            raise UserError("the bot is not held", "it speaks and listens")
        self.held, self.deadline = False, None
        self._on_held(False)
        heard, self._heard = self._heard, None
        turn, self._waiting = self._waiting, None
        await session.take_floor(now)  # from words that were said while it was held
        if turn is not None and (turn.prompts or not isinstance(turn.then, Listen)):
            await session.say(turn)
        elif session.working is not None:
            session.wait_on(now)
        else:
            await session.say(self._lead.repeat(now, heard))


def _led(dialog: Leadable, command: Command, now: float, heard: str | None) -> BotTurn:
    match command:
        case Say(text):
            return dialog.say(text, now, heard)
        case Correct(slot, value):
            return dialog.correct(slot, value, now, heard)
        case Jump(step):
            return dialog.jump(step, now, heard)
        case GiveTo(handover):
            return dialog.hand_over(handover, now, heard)
        case _:
            return dialog.repeat(now, heard)
