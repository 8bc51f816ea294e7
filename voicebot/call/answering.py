"""Who answered a call that we placed: all witnesses' evidence, and what a call may wait for because of it.

The bot greets at once and never waits for a judgement; the judgement comes beside the conversation, and may
be turned round. Witnesses are Asterisk's AMD(), our own detector, and the callee, who answers the dialog.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Literal

import structlog

from voicebot.audio.frames import to_samples
from voicebot.call.record import JudgementRecord
from voicebot.campaign.attempt import AnsweredBy
from voicebot.campaign.campaign import Answering
from voicebot.media.port import HeardFrame
from voicebot.speech.answering.detector import AnswerDetector
from voicebot.speech.answering.events import Answerer, AnswerEvent, Beep, Why

log = structlog.get_logger(__name__)

JUDGED = 0.6
"""Log-odds from which on somebody counts as a machine (above 0) or a person (below): as in AnswerRules."""
SURE = math.log(0.8 / 0.2)
"""Log-odds from which on a machine is hung up on, or gets its message."""
AMD_ALONE = {"MACHINE": 1.5, "HUMAN": -1.5}
"""Log-odds of Asterisk's AMDSTATUS where nobody else listens: it decides."""
AMD_BESIDE = {"MACHINE": 0.4, "HUMAN": -1.4}
"""Its log-odds beside our own detector. It calls two of three persons machines (docs/answering.md), so that
its MACHINE says little; its HUMAN says much."""
DIALOG_EVIDENCE = 1.5
"""Log-odds of an answer that the dialog understands: machines do not answer."""
LISTEN_S = 45.0
"""So long from the answer on the detector listens; longer only while a machine is waited for."""
SILENCE_S = 2.5
"""A machine that is silent for so long after its greeting records already, and has no beep."""
FRESH_BEEP_S = 1.0
"""A beep so shortly before we wait for one is the one."""

NO_MESSAGE = frozenset((Why.FAX, Why.MENU, Why.ANNOUNCEMENT, Why.INVALID))
"""Machines that take no message."""
LETS_THROUGH = Why.SCREENING
"""A robot that asks who calls: our greeting tells it, and a person may come after it."""

Cleared = Literal["beep", "silence", "talking", "person"]
"""`talking`: the machine talked on to the end of our patience."""


class AnswerWatch:
    """The evidence of one call. Times in seconds of the event loop's clock, `answered_at` among them.

    judgements: all that was judged, the last one holds
    """

    def __init__(
        self,
        answering: Answering,
        *,
        answered_at: float,
        sample_rate: int,
        amd_status: str = "",
        amd_cause: str = "",
        clock: Callable[[], float],
    ) -> None:
        own = answering.detector in ("voicebot", "both")
        self._detector = AnswerDetector(sample_rate) if own else None
        self._asks_amd = answering.detector in ("asterisk", "both")
        self._answered_at = answered_at
        self._clock = clock
        self._news = asyncio.Event()
        self._amd = self._dialog = 0.0
        self._began_to_wait: float | None = None
        self._last_voice: float | None = None
        self._beep_at: float | None = None
        self.judgements: list[JudgementRecord] = []
        self.speech_ended_ms: int | None = None
        """When the callee's first words were over, in ms since the answer."""
        evidence = AMD_BESIDE if own else AMD_ALONE
        if self._asks_amd and amd_status in evidence:
            self._amd = evidence[amd_status]
            self._judge("asterisk", amd_cause or amd_status)

    @property
    def by(self) -> AnsweredBy:
        """The judgement that holds."""
        return AnsweredBy(self.judgements[-1].by) if self.judgements else AnsweredBy.UNKNOWN

    @property
    def why(self) -> str:
        return self.judgements[-1].why if self.judgements else ""

    @property
    def evidence(self) -> float:
        """All witnesses' log-odds that it is a machine."""
        return self._own + self._amd + self._dialog

    @property
    def _own(self) -> float:
        detector = self._detector
        if detector is None or detector.by is Answerer.UNKNOWN:
            return 0.0
        sure = min(0.999, max(0.5, detector.confidence))
        odds = math.log(sure / (1 - sure))
        return odds if detector.by is Answerer.MACHINE else -odds

    def ms(self, at: float) -> int:
        return max(0, round((at - self._answered_at) * 1000))

    # --- what witnesses tell ----------------------------------------------------------------------------

    def heard(self, frame: HeardFrame) -> None:
        """Take the next 20 ms; from the media tick."""
        if frame.speech:
            self._last_voice = frame.at
        elif self.speech_ended_ms is None and self._last_voice is not None:
            self.speech_ended_ms = self.ms(self._last_voice)
        if self._detector is None:
            return
        if self._began_to_wait is None and frame.at - self._answered_at > LISTEN_S:
            return
        try:
            self._take(
                self._detector.heard(to_samples(frame.pcm), frame.speech, self.ms(frame.at), frame.level_db)
            )
        except Exception:  # a mistake there must not end the call
            log.exception("who answered is not judged any more")
            self._detector = None

    def recognised(self, text: str, language: str) -> None:
        """What the callee said was recognised."""
        if self._detector is not None and text:
            self._take(self._detector.recognised(text, language, self.ms(self._clock())))

    def understood(self, by_key: bool) -> None:
        """The dialog understood an answer, or took a key, which is always a person's."""
        before, self._dialog = self._dialog, -2 * DIALOG_EVIDENCE if by_key else -DIALOG_EVIDENCE
        self._dialog = min(before, self._dialog)
        if self._dialog != before and (self._detector is not None or self._asks_amd):
            self._judge("dialog", "a key" if by_key else "an answer")

    def _take(self, events: tuple[AnswerEvent, ...]) -> None:
        for event in events:
            if isinstance(event, Beep):
                self._beep_at = self._clock()
                self._news.set()
            else:
                self._judge("voicebot", event.why)

    def _judge(self, source: Literal["voicebot", "asterisk", "dialog"], why: str) -> None:
        evidence = self.evidence
        by = self.by
        if abs(evidence) >= JUDGED:
            by = AnsweredBy.MACHINE if evidence > 0 else AnsweredBy.PERSON
        confidence = round(1 / (1 + math.exp(-abs(evidence))), 3)
        self.judgements.append(
            JudgementRecord(
                at_ms=self.ms(self._clock()), by=by.value, confidence=confidence, why=str(why), source=source
            )
        )
        self._news.set()

    # --- what a call waits for --------------------------------------------------------------------------

    async def machine(self) -> None:
        """Return once a machine answered, surely enough to act on it."""
        while not (self.evidence >= SURE and self.why != LETS_THROUGH):
            await self._next()

    async def person(self) -> None:
        """Return once a person has answered, or come to it."""
        while self.by is not AnsweredBy.PERSON:
            await self._next()

    async def beep(self) -> None:
        """Return at the next beep."""
        before = self._beep_at
        while self._beep_at == before:
            await self._next()

    async def until_clear(self, limit_s: float) -> Cleared:
        """Wait until a message may be spoken, or there is somebody to talk to, `limit_s` at the most."""
        began = self._began_to_wait = self._clock()
        while True:
            now = self._clock()
            if self.by is AnsweredBy.PERSON:
                return "person"
            if self._beep_at is not None and self._beep_at >= began - FRESH_BEEP_S:
                return "beep"
            quiet_at = max(began, self._last_voice or 0.0) + SILENCE_S
            if now >= quiet_at:
                return "silence"
            if now >= began + limit_s:
                return "talking"
            await self._next(min(quiet_at, began + limit_s) - now)

    async def _next(self, timeout_s: float | None = None) -> None:
        """Wait for news; for so long at the most."""
        self._news.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return
