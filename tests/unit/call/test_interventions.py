"""unit: commands from outside, in every state of a session. Media tick and clock are turned by hand."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from tests.unit.call.test_working import OK, Talk
from tests.unit.dialog.running.spoken import MONDAY, dialog
from voicebot.call.control import Asked, Command, Correct, GiveTo, Hold, Jump, Release, Repeat, Say
from voicebot.call.hearing import SpeechSpan
from voicebot.call.record import HIDDEN
from voicebot.call.scribe import Scribe
from voicebot.call.session import Session
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import Handover, Replied, Utterance
from voicebot.errors import CallEnded, UserError
from voicebot.speech.stt import Transcript
from voicebot.turn import events as ev
from voicebot.turn.machine import Floor

pytestmark = pytest.mark.unit

TALK = dialog("""
slots:
  day: {type: weekday}
  pin: {type: digits, length: 4, sensitive: true}
  memo: {type: recording}
steps:
  day: {ask: which day will it be please, fill: day}
  look: {fetch: {get: "https://x.example/{day}"}}
  found: {ask: is it all right, choices: {yes: , no: }}
  pin: {ask: your pin, fill: pin}
  memo: {say: speak, record: {longest: 10s}, fill: memo}
  chat: {llm: {about: be nice, model: m}}
  bye: {say: good bye, end: done}
""")


class Led(Talk):
    """A session with a real dialog that is led from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.running.cancel()
        self.hearing.utterance = SpeechSpan()  # type: ignore[assignment]
        self.held: list[bool] = []
        self.given: list[Handover] = []
        self.bot = Interpreter(TALK, started=MONDAY)
        self.session = Session(
            inbox=self.inbox,
            machine=self.machine,
            dialogue=self.bot,
            hearing=cast(Any, self.hearing),
            speaking=self.speaking,
            scribe=Scribe(self.record, 100.0),
            privacy=self.privacy,
            workers=self.desk,
            recorder=self.make_recorder,
            resume_back_ms=0,
            hand_over=self._give,
            clock=lambda: self.now,
            on_held=self.held.append,
        )
        self.running = asyncio.create_task(self.session.run())

    async def _give(self, handover: Handover) -> None:
        self.given.append(handover)

    async def ask(self, command: Command) -> None:
        asked = Asked(command)
        self.inbox.put_nowait(asked)
        await self.settle()
        assert asked.outcome.done(), "nobody carried it out"
        asked.outcome.result()

    async def answer(self, text: str) -> None:
        """The caller says something after the prompts."""
        await self.tick(len(self.said.split()) + 1)
        await self.happens(ev.SpeechStarted(), ev.SpeechEnded(800))
        number = self.machine._utterance
        await self.happens(ev.Recognised(number, Utterance(Transcript(text)), True, True))


@pytest.fixture
async def talk() -> Any:
    led = Led()
    await led.settle()
    yield led
    led.running.cancel()


async def test_a_command_over_a_prompt_stops_it_and_what_was_heard_is_kept(talk: Led) -> None:
    await talk.tick(3)
    await talk.ask(Say("hold on"))
    assert talk.said == "hold on | which day will it be please"
    (said,) = talk.record.turns
    assert (said.heard, said.interrupted_by) == ("which day will", "supervisor")  # type: ignore[union-attr]
    assert talk.bot.history[0].heard == "which day will"
    assert talk.machine.floor is Floor.BOT


async def test_a_command_while_the_caller_speaks_drops_the_utterance(talk: Led) -> None:
    await talk.tick(7)
    await talk.happens(ev.SpeechStarted())
    await talk.ask(Jump("found"))
    assert talk.hearing.done[-2:] == ["drop", "listen"] and talk.said == "is it all right"
    await talk.happens(ev.SpeechEnded(900), ev.Recognised(1, Utterance(Transcript("monday")), True, True))
    assert talk.bot.step == "found", "what was said before means nothing any more"


async def test_what_is_not_possible_changes_nothing_not_even_the_prompt(talk: Led) -> None:
    await talk.tick(3)
    for command in (Jump("cellar"), Correct("day", "someday"), Say(""), Release()):
        with pytest.raises(UserError):
            await talk.ask(command)
    assert talk.speaking.busy and talk.record.turns == []


async def test_who_is_released_does_not_wait_for_the_words_of_the_hold(talk: Led) -> None:
    await talk.tick(7)
    await talk.ask(Hold("one moment please I am looking"))
    await talk.tick(1)
    await talk.ask(Release())
    assert talk.said == "which day will it be please"


async def test_what_somebody_gave_up_waiting_for_is_not_done(talk: Led) -> None:
    asked = Asked(Jump("found"))
    asked.outcome.cancel()
    talk.inbox.put_nowait(asked)
    await talk.settle()
    assert talk.bot.step == "day"


async def test_who_asks_while_the_call_ends_is_told_so(talk: Led, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk.session, "give_up_work", asyncio.Event().wait)
    asked = Asked(Jump("found"))
    talk.inbox.put_nowait(asked)
    await talk.settle()
    assert not asked.outcome.done()
    talk.running.cancel()
    with pytest.raises(UserError, match="the call has ended"):
        await asked.outcome


async def test_while_held_no_key_no_word_and_no_time_counts(talk: Led) -> None:
    await talk.tick(3)
    await talk.ask(Hold("one moment"))
    assert talk.said == "one moment" and talk.held == [True]
    await talk.tick(4)
    await talk.happens(ev.KeyPressed("1"), ev.SpeechStarted(), ev.SpeechEnded(900))
    await talk.wait(60)
    assert talk.machine.floor is Floor.IDLE and talk.bot.step == "day"
    with pytest.raises(UserError, match="is held"):
        await talk.ask(Repeat())
    await talk.ask(Release())
    assert talk.said == "which day will it be please" and talk.held == [True, False]


async def test_a_forgotten_hold_ends_by_itself_and_one_without_a_limit_does_not(talk: Led) -> None:
    await talk.ask(Hold(longest_s=300))
    await talk.wait(299)
    assert talk.held == [True]
    await talk.ask(Hold(longest_s=None))
    await talk.wait(3600)
    assert talk.held == [True]
    await talk.ask(Hold(longest_s=10))
    await talk.wait(10)
    assert talk.held == [True, False] and talk.speaking.busy


async def test_what_is_led_while_it_is_held_is_said_on_release(talk: Led) -> None:
    await talk.ask(Hold())
    await talk.ask(Jump("found"))
    await talk.ask(Say("I am still here"))
    assert talk.said == "I am still here" and talk.bot.step == "found"
    await talk.tick(5)
    await talk.ask(Release())
    assert talk.said == "is it all right"


async def test_what_is_put_right_while_it_is_held_costs_no_word_of_what_waits(talk: Led) -> None:
    for command in (Hold(), Jump("memo"), Correct("day", "friday"), Release()):
        await talk.ask(command)
    assert talk.said == "speak" and talk.bot.slots["day"] == "friday"


async def test_a_look_up_that_ends_while_it_is_held_waits_for_the_release(talk: Led) -> None:
    await talk.answer("monday")
    assert talk.bot.step == "look"
    await talk.ask(Say("I look it up"))
    assert talk.said == "I look it up"
    await talk.tick(5)
    await talk.ask(Hold())
    await talk.done(OK)
    await talk.wait(30)
    assert talk.bot.step == "found" and not talk.speaking.busy
    await talk.ask(Release())
    assert talk.said == "is it all right" and talk.machine.floor is Floor.BOT


async def test_a_jump_gives_up_a_look_up(talk: Led) -> None:
    await talk.answer("monday")
    with pytest.raises(UserError, match="at work"):
        await talk.ask(Correct("day", "friday"))
    await talk.ask(Jump("day"))
    assert talk.desk.cancelled and talk.said == "which day will it be please"
    await talk.answer("friday")
    assert talk.bot.step == "look"


async def test_after_a_jump_out_of_a_secret_step_the_next_answer_stays_secret(talk: Led) -> None:
    await talk.ask(Jump("pin"))
    assert talk.privacy.secret
    await talk.ask(Jump("found"))
    assert talk.privacy.secret, "the caller may still be at the number"
    await talk.ask(Repeat())
    assert talk.privacy.secret
    await talk.answer("four two seven one")
    assert [turn.text for turn in talk.record.turns if turn.who == "caller"] == [HIDDEN]
    assert not talk.privacy.secret
    await talk.answer("yes")
    assert talk.bot.step == "pin" and talk.record.turns[-1].text == "yes"


async def test_a_message_is_not_spoken_into_and_is_kept_when_the_dialog_is_led_away(talk: Led) -> None:
    await talk.ask(Jump("memo"))
    await talk.tick(5)
    assert talk.recorders
    for command in (Say("hello"), Hold(), Repeat()):
        with pytest.raises(UserError):
            await talk.ask(command)
    await talk.ask(Jump("found"))
    assert talk.said == "is it all right"
    assert [(work.kind, work.ended_by) for work in talk.record.work] == [("message", "supervisor")]


async def test_a_model_goes_on_in_silence_while_it_is_held_and_says_it_then(talk: Led) -> None:
    await talk.ask(Jump("chat"))
    await talk.ask(Hold())
    talk.desk.pieces.put_nowait("Nice to meet you. ")
    talk.desk.pieces.put_nowait(Replied("Nice to meet you."))
    await talk.settle()
    assert not talk.speaking.busy
    await talk.ask(Release())
    assert talk.said == "Nice to meet you." and talk.machine.floor is Floor.BOT


async def test_a_caller_is_handed_over_also_by_a_held_bot(talk: Led) -> None:
    await talk.ask(Hold())
    await talk.ask(GiveTo(Handover("reception")))
    with pytest.raises(CallEnded):
        await talk.running
    assert talk.given == [Handover("reception", language="en-US")]


async def test_the_last_words_cannot_be_led_but_a_held_end_can_be_released(talk: Led) -> None:
    await talk.ask(Hold())
    await talk.ask(Jump("bye"))
    with pytest.raises(UserError, match="come to its end"):
        await talk.ask(Jump("day"))
    await talk.ask(Release())
    with pytest.raises(UserError, match="come to its end"):
        await talk.ask(Say("wait"))
    await talk.tick(4)
    with pytest.raises(CallEnded):
        await talk.running


async def test_whoever_asks_too_late_is_told(talk: Led) -> None:
    late = Asked(Repeat())
    talk.running.cancel()
    talk.inbox.put_nowait(late)
    await talk.session.close()
    with pytest.raises(UserError, match="has ended"):
        late.outcome.result()
