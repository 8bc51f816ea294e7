"""A test conversation by sound: a whole call without Asterisk, on a clock of its own.

The caller's words go through a bad line as RTP packets to a real socket; behind it everything is what a call
has: media loop, jitter buffer, voice activity, end-pointer, recogniser, turn-taking, session. Only time is
ours: a tick passes when everybody is done with the last one, so a minute's call takes seconds.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np

from voicebot.audio import g711
from voicebot.audio.frames import Samples
from voicebot.authoring.audio.dialogue import ScriptedDialogue
from voicebot.authoring.audio.line import FRAME, Impairment, Line
from voicebot.authoring.audio.waiting import Busy, WaitedStt, WaitedTts
from voicebot.authoring.testing.run import Result, Script
from voicebot.call.hearing import Hearing
from voicebot.call.privacy import Privacy
from voicebot.call.record import CallRecord
from voicebot.call.scribe import Scribe
from voicebot.call.session import InboxEvent, Session
from voicebot.call.speaking import PromptLibrary, Speaking
from voicebot.config import Config
from voicebot.dialog.turns import (
    Handover,
    HungUp,
    Keys,
    Unheard,
    Utterance,
)
from voicebot.errors import CallEnded, SpeechUnavailable
from voicebot.media.loop import MediaLoop
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.rtp.packet import HEADER
from voicebot.speech.endpointer import Endpointer
from voicebot.speech.stt import SttService, Transcript
from voicebot.speech.tts import TtsService, Voice
from voicebot.speech.vad import Vad
from voicebot.turn import events as ev
from voicebot.turn.machine import Floor, TurnMachine, TurnRules

HOST = "127.0.0.1"
FIRST_PORT, LAST_PORT = 30_000, 39_998
TICK_S = 0.02
REACTION_S = 0.5
"""From the end of the question until the caller begins."""
KEY_TICKS = 10
"""From one key to the next."""
LONGEST_CALL_S = 900.0
"""On the call's clock."""
ENGINE_PATIENCE_S = 60.0
"""On the wall's: so long nobody waits for a recogniser or a voice."""
NOISE_MS = 600
"""What a forced `noise`, `unheard` or unsure answer lasts."""


@dataclass(frozen=True, slots=True)
class Engines:
    """What listens and speaks. `tts` None: prompts are silent and short (nothing of them comes back).

    `lines`: what the caller says, at 8 kHz and the level of telephone speech, by its words
    """

    config: Config
    stt: SttService
    vad: Callable[[], Vad]
    library: PromptLibrary
    lines: Mapping[str, Samples]
    tts: TtsService | None = None
    voice: Callable[[str], Voice] = Voice


class _SteppedMedia(MediaLoop):
    """The media loop on a clock that its owner moves."""

    def begin(self, clock: Callable[[], float]) -> None:
        self._loop = cast(Any, _Clock(clock))
        self.stopped = asyncio.get_running_loop().create_future()
        self._running = True

    def step(self) -> None:
        """Let 20 ms pass. Raises what broke the loop."""
        self._tick(0, 0.0)
        if self.stopped.done() and (error := self.stopped.exception()):
            raise error


class _Clock:
    def __init__(self, clock: Callable[[], float]) -> None:
        self.time = clock


class AudioCall:
    """One test conversation by sound; `run` fills its result."""

    def __init__(
        self, script: Script, result: Result, engines: Engines, impairment: Impairment, seed: int = 0
    ) -> None:
        self.now = 1000.0
        self._result, self._engines = result, engines
        self._script = script
        self._busy = Busy()
        self._line = Line(impairment, seed)
        self._mouth: deque[Samples] = deque()
        self._keys: deque[str] = deque()
        self._key_in = 0
        self._open_at: float | None = None
        self._hung_up = False
        self._inbox: asyncio.Queue[InboxEvent] = asyncio.Queue()
        self._machine = TurnMachine(TurnRules(engines.config.bargein.confirm_ms))
        self._dialogue = ScriptedDialogue(script, result)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._media = _SteppedMedia(HOST, FIRST_PORT, LAST_PORT, self._failed)
        self._broken: Exception | None = None
        self._hearing: Hearing | None = None
        self._speaking: Speaking | None = None

    async def run(self) -> bool:
        """Hold the call; return whether it came to the end of its talk.

        Raises what broke in the call; a dialog that goes wrong is in the result.
        """
        self._media.begin(lambda: self.now)
        try:
            self._socket.setblocking(False)
            self._socket.bind((HOST, 0))
            vad = self._engines.vad()
            port = self._media.open_port("test", "ulaw", vad=vad, listener=self)
            port.connect(*self._socket.getsockname())
            await self._converse(port, vad.hangover_ms)
        finally:
            self._media.stop()
            self._socket.close()
        return not self._dialogue.stopped

    async def _converse(self, port: MediaPort, hangover_ms: int) -> None:
        session = asyncio.create_task(self._session(port, hangover_ms).run())
        ends = self.now + LONGEST_CALL_S
        try:
            while True:
                await self._settle(session)
                if session.done() or self._broken or self._hung_up:
                    break
                if self.now > ends:
                    self._script.fail_here("the call takes too long", f"{LONGEST_CALL_S:g} s", "no end")
                    self._dialogue.stopped = True
                    break
                self._act()
                self._tick()
        finally:
            session.cancel()
            if self._hearing is not None:
                self._hearing.drop()
            if self._speaking is not None:
                self._speaking.stop()
            outcome = (await asyncio.gather(session, return_exceptions=True))[0]
        if self._broken is not None:
            raise self._broken
        if isinstance(outcome, Exception) and not isinstance(outcome, CallEnded):
            raise outcome

    async def _settle(self, session: asyncio.Task[None]) -> None:
        """Let everybody do what is to be done at this moment of the call, engines included."""
        until = time.monotonic() + ENGINE_PATIENCE_S
        while True:
            for _ in range(6):
                await asyncio.sleep(0)
            if session.done() or (self._inbox.empty() and not self._busy.count):
                return
            if self._busy.count:
                if time.monotonic() > until:
                    raise SpeechUnavailable(f"an engine gave no answer within {ENGINE_PATIENCE_S:g} s")
                await asyncio.sleep(0.002)

    def _tick(self) -> None:
        self.now += TICK_S
        bot = self._bot_frame()
        said = self._mouth.popleft() if self._mouth else None
        for packet in self._line.tick(said, bot):
            self._socket.sendto(packet, self._peer)
        self._media.step()
        if self._keys:
            self._key_in -= 1
            if self._key_in <= 0:
                self._key_in = KEY_TICKS
                self._inbox.put_nowait(ev.KeyPressed(self._keys.popleft()))
        if self._machine.deadline is not None and self.now >= self._machine.deadline:
            self._inbox.put_nowait(ev.TimeUp())

    def _bot_frame(self) -> Samples | None:
        frame = None
        try:
            while True:
                datagram = self._socket.recv(2048)
                frame = np.frombuffer(datagram[HEADER.size :], np.uint8)
        except BlockingIOError:
            return None if frame is None else g711.decode(frame, "ulaw")

    # --- the caller -------------------------------------------------------------------------------------

    def _act(self) -> None:
        """Do what the caller does next, once the bot has asked."""
        if self._machine.floor is not Floor.OPEN:
            self._open_at = None
            return
        if self._open_at is None:
            self._open_at = self.now
        item = self._dialogue.item
        if item is None or self._dialogue.acted or self.now < self._open_at + REACTION_S:
            return
        self._dialogue.acted = True
        event, _, shown = self._script.event_of(item)
        if isinstance(event, HungUp):
            self._hung_up = True
            self._script.give(event, "caller", shown)
            self._dialogue.hang_up()
        elif isinstance(event, Keys):
            self._keys.extend(item.keys or event.digits)
        elif isinstance(event, Unheard):
            self._force(SpeechUnavailable("not recognised"))
        elif isinstance(event, Utterance):
            text, confidence = event.transcript.text, event.transcript.confidence
            if not text or confidence is not None or self._dialogue.meant_for_nothing(event):
                self._force(event.transcript)
            else:
                samples = self._engines.lines[text]
                self._mouth.extend(samples.reshape(-1, FRAME))

    def _force(self, result: Transcript | SpeechUnavailable) -> None:
        """Let a recognition come out as the test wants it, whatever is heard."""
        self._busy.forced.append(result)
        self._inbox.put_nowait(ev.SpeechStarted())
        self._inbox.put_nowait(ev.SpeechEnded(NOISE_MS))

    # --- the call ---------------------------------------------------------------------------------------

    def _session(self, port: MediaPort, hangover_ms: int) -> Session:
        config, run = self._engines.config, self._script.run
        record = CallRecord(id="test", started_at=datetime.now(UTC))
        scribe = Scribe(record, self.now)
        self._peer = (port.host, port.port)
        self._hearing = Hearing(
            stt=WaitedStt(self._engines.stt, self._busy),
            call_id="test",
            sample_rate=port.sample_rate,
            endpointer=Endpointer(
                port.sample_rate,
                onset_ms=config.vad.onset_ms,
                preroll_ms=config.vad.preroll_ms,
                hangover_ms=hangover_ms,
            ),
            emit=self._inbox.put_nowait,
            expected=lambda transcript: run.interpreter.expects(Utterance(transcript)),
            on_fault=scribe.fault,
        )
        self._speaking = Speaking(
            tts=WaitedTts(self._engines.tts, self._busy),
            library=self._engines.library,
            playout=port.playout,
            sample_rate=port.sample_rate,
            voice=self._engines.voice,
            on_began=lambda bargein: self._inbox.put_nowait(ev.PromptBegan(bargein)),
            on_done=lambda: self._inbox.put_nowait(ev.PromptsDone()),
            on_fault=scribe.fault,
        )
        return Session(
            inbox=self._inbox,
            machine=self._machine,
            dialogue=cast(Any, self._dialogue),
            hearing=self._hearing,
            speaking=self._speaking,
            scribe=scribe,
            privacy=Privacy(),
            workers=cast(Any, None),  # the script answers all work before the session hears of it
            recorder=cast(Any, None),
            resume_back_ms=config.bargein.resume_back_ms,
            hand_over=_nothing,
            clock=lambda: self.now,
        )

    def _failed(self, _call: str, error: Exception) -> None:
        self._broken = error

    # MediaListener

    def heard(self, frame: HeardFrame) -> None:
        if self._hearing is not None:
            self._hearing.heard(frame)

    def prompt_started(self, prompt_id: int, at: float) -> None:
        if self._speaking is not None:
            self._speaking.prompt_started(prompt_id, at)

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        if self._speaking is not None:
            self._speaking.prompt_finished(prompt_id, at)

    def keyed(self, digit: str) -> None:
        """Keys come as events, as from Asterisk."""


async def _nothing(_: Handover) -> None:
    """Nobody is handed over in a test."""
