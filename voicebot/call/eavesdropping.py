"""Recognises what is said while we wait for a machine, or leave it a message: a person may come to it."""

from __future__ import annotations

from collections.abc import Callable

from voicebot.call.hearing import Hearing
from voicebot.call.stage import Stage
from voicebot.dialog.turns import Listen, Utterance
from voicebot.media.port import HeardFrame
from voicebot.speech.stt import Expectation, Transcript
from voicebot.turn import events as ev


class Eavesdropper:
    """`told(transcript, language)` gets what was said. Asks for no answer, and stops no prompt."""

    def __init__(self, stage: Stage, language: str, told: Callable[[Transcript, str], None]) -> None:
        self._language = language
        self._told = told
        self._utterance = 0
        self._hearing = Hearing(
            stt=stage.services.stt,
            call_id=stage.call_id,
            sample_rate=stage.port.sample_rate,
            endpointer=stage.endpointer(),
            emit=self._take,
            expected=lambda transcript: False,
            on_fault=stage.scribe.fault,
        )
        self._hearing.listen(Listen("", Expectation(language=language, open=True)))

    def heard(self, frame: HeardFrame) -> None:
        self._hearing.heard(frame)

    def close(self) -> None:
        self._hearing.drop()

    def _take(self, event: ev.Event) -> None:
        match event:
            case ev.SpeechStarted():
                self._hearing.open()
            case ev.SpeechPaused():
                self._hearing.guess()
            case ev.SpeechEnded():
                self._utterance += 1
                self._hearing.finish(self._utterance)
            case ev.Recognised(input=Utterance(transcript)):
                self._told(transcript, self._language)
