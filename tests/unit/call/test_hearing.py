"""Category: unit. When the caller said what was recognised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from voicebot.call.hearing import Hearing
from voicebot.dialog.turns import Listen
from voicebot.media.port import HeardFrame
from voicebot.speech.endpointer import Endpointer
from voicebot.speech.stt import Expectation, OnPartial, SttStream, Transcript
from voicebot.turn import events as turn

pytestmark = pytest.mark.unit

FRAME_S = 0.02


class Recogniser:
    """Knows what was said when it is told to."""

    def __init__(self) -> None:
        self.known: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()

    def open_stream(
        self, call_id: str, expectation: Expectation, sample_rate: int, on_partial: OnPartial | None = None
    ) -> SttStream:
        return self

    def feed(self, pcm: bytes) -> None:
        return

    def guess(self) -> None:
        return

    def close(self) -> None:
        return

    def finish(self) -> Awaitable[Transcript]:
        return self.known


async def test_who_speaks_on_while_they_are_recognised_said_it_before() -> None:
    recogniser, events = Recogniser(), asyncio.Queue[turn.Event]()

    def emit(event: turn.Event) -> None:
        events.put_nowait(event)
        if isinstance(event, turn.SpeechEnded):
            hearing.finish(1)

    hearing = Hearing(
        stt=recogniser,
        call_id="c",
        sample_rate=8000,
        endpointer=Endpointer(8000),
        emit=emit,
        expected=lambda _: True,
        on_fault=pytest.fail,
    )
    hearing.listen(Listen("ask", Expectation(open=True), longest_ms=2000))

    def speak(since: float, until: float) -> None:
        for n in range(round(since / FRAME_S), round(until / FRAME_S)):
            hearing.heard(HeardFrame(bytes(320), True, -20.0, False, n * FRAME_S))

    speak(0.0, 0.5)
    hearing.open()
    speak(0.5, 3.5)  # which is longer than 2 s: it is cut, and they go on
    recogniser.known.set_result(Transcript("all this"))
    kinds = [type(await events.get()) for _ in range(4)]
    assert kinds == [turn.SpeechStarted, turn.SpeechEnded, turn.SpeechStarted, turn.Recognised]
    assert hearing.utterance.began_at == pytest.approx(0.0, abs=0.1)
    assert hearing.utterance.ended_at == pytest.approx(2.0, abs=0.1)
    assert hearing.speaking_for(3.5) < 1.6
