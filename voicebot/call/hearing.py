"""The bot's ear in one call: frames to utterances to transcripts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from voicebot.dialog.turns import CallerInput, Listen, Unheard, Utterance
from voicebot.errors import SpeechUnavailable
from voicebot.media.port import HeardFrame
from voicebot.speech import endpointer as ep
from voicebot.speech.stt import Expectation, OnPartial, SttService, SttStream, Transcript
from voicebot.turn import events as turn

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SpeechSpan:
    """When the caller spoke; seconds of the event loop's clock."""

    began_at: float = 0.0
    ended_at: float = 0.0


class Hearing:
    """Feeds the end-pointer with every frame, the recogniser with every utterance that the machine opens.

    `emit` receives turn events; it is called from the media tick, so it must be quick. `on_partial` is asked,
    for each utterance, who wants to read it while it is spoken; "" tells that it was nothing.
    """

    def __init__(
        self,
        *,
        stt: SttService,
        call_id: str,
        sample_rate: int,
        endpointer: ep.Endpointer,
        emit: Callable[[turn.Event], None],
        expected: Callable[[Transcript], bool],
        on_fault: Callable[[str], None],
        on_partial: Callable[[], OnPartial | None] = lambda: None,
    ) -> None:
        self._stt = stt
        self._call_id = call_id
        self._rate = sample_rate
        self._endpointer = endpointer
        self._emit = emit
        self._expected = expected
        self._on_fault = on_fault
        self._who_reads = on_partial
        self._on_partial: OnPartial | None = None  # of the utterance that is being recognised
        self._expect = Expectation()
        self._audio = bytearray()  # of the speech that goes on, pre-roll included
        self._told = 0  # bytes of it that the recogniser has
        self._in_speech = False
        self._pausing = False
        self._stream: SttStream | None = None
        self._task: asyncio.Task[None] | None = None
        self.utterance = SpeechSpan()
        """Of what was last recognised: a caller may speak on meanwhile."""
        self._span = SpeechSpan()  # of what was last spoken
        self.tap: Callable[[HeardFrame], None] | None = None
        """Is given every frame as well, while a message is recorded."""

    def speaking_for(self, now: float) -> float:
        """Return for how long, in s, the caller has been speaking; infinity when they do not."""
        return now - self._span.began_at if self._in_speech else math.inf

    def listen(self, listen: Listen) -> None:
        """From the next utterance on, expect what `listen` expects."""
        self._expect = listen.expect
        self._endpointer.configure(pause_ms=listen.pause_ms, longest_ms=listen.longest_ms)

    def heard(self, frame: HeardFrame) -> None:
        """Take the next 20 ms of the caller; called from the media tick."""
        if self.tap is not None:
            self.tap(frame)
        if self._in_speech:
            self._audio += frame.pcm
        for event in self._endpointer.push(frame.speech, frame.level_db, frame.pcm):
            if isinstance(event, ep.SpeechStarted):
                self._in_speech = True
                self._span = SpeechSpan(began_at=frame.at - event.age_ms / 1000, ended_at=frame.at)
                self._audio = bytearray(event.preroll)
                self._told = 0
                self._emit(turn.SpeechStarted())
            elif isinstance(event, ep.PossibleEnd):
                self._tell()
                self._pausing = True
                self._emit(turn.SpeechPaused())
            elif isinstance(event, ep.SpeechResumed):
                self._pausing = False
            elif isinstance(event, ep.SpeechEnded):
                self._in_speech = self._pausing = False
                self._span.ended_at = frame.at - event.age_ms / 1000
                self._emit(turn.SpeechEnded(event.voiced_ms))
        if self._in_speech and not self._pausing:
            self._tell()

    def open(self) -> None:
        """Begin to recognise the speech that goes on, from its pre-roll on."""
        self.drop()
        if (on_partial := self._who_reads()) is None:
            self._stream = self._stt.open_stream(self._call_id, self._expect, self._rate)
        else:
            self._stream = self._stt.open_stream(self._call_id, self._expect, self._rate, on_partial)
        self._on_partial = on_partial
        self._told = 0
        self._tell()

    def guess(self) -> None:
        """Let the recogniser prepare its result; void if the caller goes on."""
        if self._stream is not None:
            self._stream.guess()

    def finish(self, number: int) -> None:
        """Ask for the transcript; a `Recognised` with `number` is emitted whatever happens."""
        self.utterance = self._span
        if self._stream is None:
            self._emit(turn.Recognised(number, Unheard("no recogniser"), speech=True, expected=False))
            return
        self._task = asyncio.create_task(self._await_result(number, self._stream), name="recognition")

    def drop(self) -> None:
        """Forget the utterance that is being recognised, if there is one."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._stream is not None:
            self._stream.close()
            self._stream = None
            if self._on_partial is not None:
                self._on_partial("", 0.0)

    def _tell(self) -> None:
        """Give the recogniser what it has not had yet.

        Not in a pause that may be the end: so a guess made there still holds when the pause is over.
        """
        if self._stream is not None and self._task is None and self._told < len(self._audio):
            self._stream.feed(bytes(self._audio[self._told :]))
            self._told = len(self._audio)

    async def _await_result(self, number: int, stream: SttStream) -> None:
        result: CallerInput
        speech, expected = True, False
        try:
            transcript = await stream.finish()
            result = Utterance(transcript)
            speech = not transcript.no_speech
            expected = bool(transcript.text) and self._expected(transcript)
        except SpeechUnavailable as error:
            log.warning("recognition failed", error=str(error))
            self._on_fault(f"recognition: {error}")
            result = Unheard(str(error))
        finally:
            stream.close()
            if self._stream is stream:
                self._stream = None
                self._task = None
        self._emit(turn.Recognised(number, result, speech=speech, expected=expected))
