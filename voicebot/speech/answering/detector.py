"""Who answered: judged while we talk already, and judged anew when more is known.

Three kinds of evidence are added up as log-odds: when the callee speaks and waits (`cadence`), single tones
(`tones`), and recognised words (`phrases`). The same frames and words give the same events, always.
"""

from __future__ import annotations

import math

from voicebot.audio.frames import Samples
from voicebot.audio.levels import level_db as level_of
from voicebot.speech.answering.cadence import Cadence
from voicebot.speech.answering.events import Answerer, AnswerEvent, Beep, Judged, Why
from voicebot.speech.answering.phrases import said_by
from voicebot.speech.answering.rules import AnswerRules
from voicebot.speech.answering.tones import Tone, Tones

SHORTEST_BEEP_MS, LONGEST_BEEP_MS = 120, 2000
RINGBACK_HZ = (400.0, 455.0)
"""Ringing, busy and congestion of most countries: no beep, as long as nobody has spoken."""
CNG_HZ, CED_HZ = (1062.0, 1138.0), (2075.0, 2125.0)
"""ITU-T T.30: calling tone 1100 ± 38 Hz for 0.5 s, called tone 2100 ± 15 Hz for 2.6 s and more."""
CNG_MS = (425, 575)
CED_MS = 1000
SIT_HZ = ((900.0, 1000.0), (1350.0, 1450.0), (1750.0, 1825.0))
"""Special information tones (ITU-T E.180): three of 330 ms each, rising, one right after the other."""
SIT_MS = (180, 480)
SIT_GAP_MS = 120
BEEP_BELOW_SPEECH_DB = 20.0
"""A tone fainter than their speech by more than this comes from the room."""
CERTAIN_BEEP_MS = 400
STANDS_OUT_DB = 8.0
"""A shorter tone must stand out so much of what is around it: else it may be a vowel."""
VOWEL_MS, VOWEL_HZ = 250, 600.0
"""What is shorter and lower may be the vowel of "who" or "through", a single tone on a telephone."""
MOST_BEEP_TONES = 2
SHORT_GREETING_MS = 2200
OLDER = 0.5
"""What evidence of before is worth when new words were recognised."""
STEPS = (0.8, 0.9, 0.95)
"""A judgement is told again when its confidence passes one of these."""
_OF_CADENCE = (Why.SHORT_GREETING, Why.WAITING, Why.LONG_GREETING)
_NOTHING: tuple[AnswerEvent, ...] = ()


class AnswerDetector:
    """One call's detector. Feed it every 20 ms frame from the answer on, and what was recognised.

    by, confidence, why: the judgement that holds
    """

    def __init__(self, sample_rate: int, rules: AnswerRules | None = None) -> None:
        self._rules = rules or AnswerRules()
        self._cadence = Cadence(sample_rate, self._rules)
        self._tones = Tones(sample_rate)
        self._tone_evidence = 0.0
        self._tone_why = Why.BEEP
        self._word_evidence = 0.0
        self._word_why = Why.GREETING_WORDS
        self._tones_held: list[Tone] = []  # that followed each other at once
        self._silence_told = False
        self._step = 0
        self._weighed = 0.0
        self.by = Answerer.UNKNOWN
        self.confidence = 0.5
        self.why = Why.SILENCE

    def heard(
        self, samples: Samples, speech: bool, at_ms: int, level_db: float | None = None
    ) -> tuple[AnswerEvent, ...]:
        """Take the next 20 ms.

        samples:  int16, shape (samples_per_frame,)
        speech:   what a voice activity detector says of them
        at_ms:    end of the frame, in ms since the answer
        level_db: RMS in dBFS, if it is known already
        """
        if level_db is None:
            level_db = level_of(samples)
        tone = self._tones.hear(samples, level_db, at_ms, CED_MS)
        cadence = self._cadence
        if self._tones.passed_ms:
            cadence.add(self._tones.passed_ms, at_ms)
            self._tones.passed_ms = 0
        cadence.hear(samples, speech and not self._tones.sounding, level_db, at_ms)
        if tone is not None:
            return self._chain(tone, at_ms)
        if self._tones_held and self._is_chain_over(at_ms):
            return self._end_chain(at_ms)
        if cadence.evidence != self._weighed:
            self._weighed = cadence.evidence
            return self._judge(at_ms)
        if not self._silence_told and at_ms >= self._rules.silence_ms:
            self._silence_told = True
            if not cadence.spoke and self.by is Answerer.UNKNOWN:
                return (Judged(Answerer.UNKNOWN, 0.5, Why.SILENCE, at_ms),)
        return _NOTHING

    def recognised(self, text: str, language: str, at_ms: int) -> tuple[AnswerEvent, ...]:
        """Take a transcript of what the callee said; `language` is a BCP 47 tag."""
        said = said_by(text, language)
        if said is None:
            return _NOTHING
        by, why, sure = said
        rules = self._rules
        if by is Answerer.PERSON:
            weight = rules.person_words if sure else -rules.hint_words
        else:
            weight = rules.machine_words if sure else rules.hint_words
        if sure or weight * (self._word_evidence + self._tone_evidence) < 0:
            # The newest words count most: somebody may have picked up meanwhile.
            self._word_evidence *= OLDER
            self._tone_evidence *= OLDER
        self._word_evidence += weight
        self._word_why = why
        return self._judge(at_ms)

    # --- evidence --------------------------------------------------------------------------------------

    def _chain(self, tone: Tone, at_ms: int) -> tuple[AnswerEvent, ...]:
        """Take a tone: it may be one of several that follow each other."""
        if tone.sounding:
            if CED_HZ[0] <= tone.hz <= CED_HZ[1]:
                return self._believe(self._rules.fax, Why.FAX, at_ms)
            return _NOTHING
        self._tones_held.append(tone)
        if len(self._tones_held) == len(SIT_HZ) and all(map(_is_sit, self._tones_held, SIT_HZ)):
            self._tones_held.clear()
            return self._believe(self._rules.operator, Why.ANNOUNCEMENT, at_ms)
        return _NOTHING

    def _is_chain_over(self, at_ms: int) -> bool:
        return not self._tones.running and at_ms - self._tones_held[-1].ended_ms >= SIT_GAP_MS

    def _end_chain(self, at_ms: int) -> tuple[AnswerEvent, ...]:
        """No further tone followed: a beep is one tone, or two; more are a chime."""
        tones, self._tones_held = self._tones_held, []
        first, last = tones[0], tones[-1]
        length = last.ended_ms - first.began_ms
        stands_out = min(first.rise_db, last.fall_db)
        spoke = self._cadence.spoke
        if len(tones) > MOST_BEEP_TONES or not SHORTEST_BEEP_MS <= length <= LONGEST_BEEP_MS:
            return _NOTHING
        if (length < CERTAIN_BEEP_MS and stands_out < STANDS_OUT_DB) or (
            length < VOWEL_MS and last.hz < VOWEL_HZ
        ):
            self._cadence.add(length, last.ended_ms)
            return _NOTHING
        if last.hz >= CED_HZ[0]:
            return _NOTHING  # a fax machine's, told while it sounded
        if not spoke and RINGBACK_HZ[0] <= first.hz <= RINGBACK_HZ[1]:
            return _NOTHING
        if not spoke and CNG_HZ[0] <= first.hz <= CNG_HZ[1] and CNG_MS[0] <= length <= CNG_MS[1]:
            return self._believe(self._rules.fax, Why.FAX, at_ms)
        if spoke and last.level_db < self._cadence.loudest_db - BEEP_BELOW_SPEECH_DB:
            return _NOTHING
        return (Beep(last.ended_ms, last.hz, length), *self._believe(self._rules.beep, Why.BEEP, at_ms))

    def _believe(self, evidence: float, why: Why, at_ms: int) -> tuple[AnswerEvent, ...]:
        self._tone_evidence = max(self._tone_evidence, evidence)
        self._tone_why = why
        return self._judge(at_ms)

    def _judge(self, at_ms: int) -> tuple[AnswerEvent, ...]:
        """Add all evidence up; tell what is new."""
        cadence = self._cadence
        total = cadence.evidence + self._tone_evidence + self._word_evidence
        if abs(total) < self._rules.judged:
            return _NOTHING  # what was judged before holds
        by = Answerer.MACHINE if total > 0 else Answerer.PERSON
        sure = 1 / (1 + math.exp(-abs(total)))
        why = self._reason(total > 0)
        step = sum(sure >= limit for limit in STEPS)
        if by is self.by and step <= self._step and (why is self.why or why in _OF_CADENCE):
            return _NOTHING
        self.by, self.why, self._step = by, why, step
        self.confidence = round(sure, 3)
        return (Judged(by, self.confidence, why, at_ms),)

    def _reason(self, machine: bool) -> Why:
        """The strongest evidence for it."""
        sign = 1 if machine else -1
        if machine:
            cadence = Why.LONG_GREETING
        else:
            cadence = Why.SHORT_GREETING if self._cadence.length < SHORT_GREETING_MS else Why.WAITING
        reasons = (
            (sign * self._word_evidence, 2, self._word_why),
            (sign * self._tone_evidence, 1, self._tone_why),
            (sign * self._cadence.evidence, 0, cadence),
        )
        return max(reasons)[2]


def _is_sit(tone: Tone, hz: tuple[float, float]) -> bool:
    return hz[0] <= tone.hz <= hz[1] and SIT_MS[0] <= tone.ms <= SIT_MS[1]
