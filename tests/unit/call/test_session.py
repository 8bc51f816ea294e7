"""unit: one consumer of a call's inbox, and what it makes of news that have been overtaken."""

from __future__ import annotations

import asyncio
import math
from typing import Any, cast

import pytest

from tests.unit.call.test_speaking import FakeLibrary, FakeTts
from voicebot.audio.playout import Playout, PromptFinished, PromptStarted
from voicebot.call.privacy import Privacy
from voicebot.call.record import CallRecord
from voicebot.call.scribe import Scribe
from voicebot.call.session import InboxEvent, Session
from voicebot.call.speaking import Speaking
from voicebot.dialog.turns import (
    BotTurn,
    CallerInput,
    DtmfExpectation,
    End,
    Listen,
    SpokenText,
    Understood,
)
from voicebot.errors import CallEnded
from voicebot.speech.stt import Expectation
from voicebot.speech.tts import Voice
from voicebot.turn import events as ev
from voicebot.turn.machine import Floor, TurnMachine

pytestmark = pytest.mark.unit

RATE = 8000
SAID = (SpokenText("cached words here now", "en"),)
ASK = BotTurn(SAID, Listen("ask", Expectation(), DtmfExpectation(keys="1", max_digits=1)))
GOODBYE = BotTurn(SAID, End("done"))


class Script:
    """Asks, then says goodbye whatever comes."""

    understood: Understood | None = None
    step = "ask"

    def begin(self, now: float) -> BotTurn:
        return ASK

    def handle(self, given: CallerInput, now: float, heard: str | None = None) -> BotTurn:
        return GOODBYE


class FakeHearing:
    """An ear that opens utterances and hears what the test says the caller has been saying."""

    utterance = None

    def __init__(self) -> None:
        self.speaking_s = math.inf
        self.opened = 0

    def listen(self, listen: Listen) -> None:
        return

    def open(self) -> None:
        self.opened += 1

    def speaking_for(self, now: float) -> float:
        return self.speaking_s


class Talk:
    """A session whose media tick the test turns by hand."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[InboxEvent] = asyncio.Queue()
        self.playout = Playout(RATE)
        self.hearing = FakeHearing()
        self.machine = TurnMachine()
        self.speaking = Speaking(
            tts=FakeTts(),
            library=FakeLibrary(),
            playout=self.playout,
            sample_rate=RATE,
            voice=Voice,
            on_began=lambda bargein: self.inbox.put_nowait(ev.PromptBegan(bargein)),
            on_done=lambda: self.inbox.put_nowait(ev.PromptsDone()),
            on_fault=print,
        )
        record = CallRecord.model_validate({"id": "a1", "started_at": "2027-03-01T12:00:00Z"})
        session = Session(
            inbox=self.inbox,
            machine=self.machine,
            dialogue=Script(),
            hearing=cast(Any, self.hearing),
            speaking=self.speaking,
            scribe=Scribe(record, 0.0),
            privacy=Privacy(),
            workers=cast(Any, None),
            recorder=cast(Any, None),
            resume_back_ms=400,
            hand_over=cast(Any, None),
            clock=asyncio.get_running_loop().time,
        )
        self.running = asyncio.create_task(session.run())

    def tick(self, times: int) -> None:
        for _ in range(times):
            self.playout.next_frame()
            happened, self.playout.events = self.playout.events, []
            for event in happened:
                if isinstance(event, PromptStarted):
                    self.speaking.prompt_started(event.prompt_id, 0.0)
                elif isinstance(event, PromptFinished):
                    self.speaking.prompt_finished(event.prompt_id, 0.0)

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_the_end_of_a_prompt_that_a_key_has_overtaken_does_not_cut_off_the_goodbye() -> None:
    talk = Talk()
    await talk.settle()
    talk.tick(49)
    await talk.settle()
    talk.inbox.put_nowait(ev.KeyPressed("1"))
    talk.tick(1)  # in the very tick in which the question ends
    await talk.settle()
    assert not talk.running.done(), "hung up before the goodbye was said"
    talk.tick(50)
    with pytest.raises(CallEnded):
        await talk.running


@pytest.mark.parametrize(("speaking_s", "heard"), [(0.4, True), (5.0, False), (math.inf, False)])
async def test_an_answer_that_begins_over_the_end_of_a_prompt_counts_but_talk_all_through_it_does_not(
    speaking_s: float, heard: bool
) -> None:
    talk = Talk()
    await talk.settle()
    talk.hearing.speaking_s = speaking_s
    talk.tick(50)
    await talk.settle()
    assert (talk.hearing.opened, talk.machine.floor) == ((1, Floor.CALLER) if heard else (0, Floor.OPEN))
    talk.running.cancel()
