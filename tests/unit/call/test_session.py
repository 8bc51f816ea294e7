"""unit: one consumer of a call's inbox, and what it makes of news that have been overtaken."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.unit.call.test_speaking import FakeLibrary, FakeTts
from voicebot.audio.playout import Playout, PromptFinished, PromptStarted
from voicebot.call.record import CallRecord
from voicebot.call.scribe import Scribe
from voicebot.call.session import Session
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
from voicebot.turn.machine import TurnMachine

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


async def test_the_end_of_a_prompt_that_a_key_has_overtaken_does_not_cut_off_the_goodbye() -> None:
    inbox: asyncio.Queue[ev.Event] = asyncio.Queue()
    playout = Playout(RATE)
    speaking = Speaking(
        tts=FakeTts(),
        library=FakeLibrary(),
        playout=playout,
        sample_rate=RATE,
        voice=Voice,
        on_began=lambda bargein: inbox.put_nowait(ev.PromptBegan(bargein)),
        on_done=lambda: inbox.put_nowait(ev.PromptsDone()),
        on_fault=print,
    )
    record = CallRecord.model_validate({"id": "a1", "started_at": "2027-03-01T12:00:00Z"})
    session = Session(
        inbox=inbox,
        machine=TurnMachine(),
        dialogue=Script(),
        hearing=cast(Any, SimpleNamespace(listen=lambda listen: None, span=None)),
        speaking=speaking,
        scribe=Scribe(record, 0.0),
        recording=None,
        resume_back_ms=400,
        hand_over=cast(Any, None),
        clock=asyncio.get_running_loop().time,
    )

    def tick(times: int) -> None:
        for _ in range(times):
            playout.next_frame()
            happened, playout.events = playout.events, []
            for event in happened:
                if isinstance(event, PromptStarted):
                    speaking.prompt_started(event.prompt_id, 0.0)
                elif isinstance(event, PromptFinished):
                    speaking.prompt_finished(event.prompt_id, 0.0)

    running = asyncio.create_task(session.run())
    await asyncio.sleep(0)
    tick(49)
    await asyncio.sleep(0)
    inbox.put_nowait(ev.KeyPressed("1"))
    tick(1)  # in the very tick in which the question ends
    for _ in range(5):
        await asyncio.sleep(0)
    assert not running.done(), "hung up before the goodbye was said"
    tick(50)
    with pytest.raises(CallEnded):
        await running
