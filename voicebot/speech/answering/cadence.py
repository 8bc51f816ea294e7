"""When they speak and when they wait. A person says a few words and waits for us; a machine speaks on."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

import numpy as np

from voicebot.audio.frames import FRAME_MS, Samples
from voicebot.speech.answering.rules import AnswerRules, at
from voicebot.speech.tonality import is_tone

BURST_MS = 80
"""Voice that counts: a click is shorter."""
BURST_GAP_MS = 80
"""Within a burst the mouth closes for as long."""
SIGNAL_MS = 350
"""Ringing and the like lasts longer; vowels that are tones, of one line or two, do not."""
SIGNAL_GAP_MS = 200
"""Its lines beat, so that for moments it seems none."""
TONE_SPREAD_DB = 6.0
"""A burst whose frames differ more than this in level is no tone."""
SHORT_TURN_MS = 1600
MOST_TURNS = 2
"""So many short turns after the greeting count."""

QUIETEST_DB, LOUDEST_NOISE_DB = -60.0, -25.0
"""Between these the line's noise is believed to be."""
NOISE_MARGIN_DB = 5.0
"""Voice stands out of the noise by so much."""
LOUDNESS_MARGIN_DB = 25.0
"""Voice is not fainter than this below their loudest so far: what is, are others in the room, or echo."""
SPAN_FRAMES, SPANS = 25, 6
"""The noise is the quietest frame of the last 3 s, kept as minima of spans."""


class Cadence:
    """One callee's speech in time. Times are ms since the answer.

    spoke:     whether they have spoken at all
    evidence:  of the cadence so far, in log-odds
    waiting:   they have spoken, and wait now
    loudest_db: of their frames so far
    """

    def __init__(self, sample_rate: int, rules: AnswerRules) -> None:
        self._rate = sample_rate
        self._rules = rules
        self._beginning: list[tuple[Samples, float]] = []  # of the burst
        self.spoke = False
        self.waiting = False
        self.evidence = 0.0
        self.began = 0  # of the greeting
        self.last = 0  # end of the last voice
        self._latest: deque[tuple[Samples, float]] = deque(maxlen=BURST_MS // FRAME_MS)
        self._tone_began = self._tone_last = -SIGNAL_MS
        self._burst = 0
        self._burst_began = 0
        self._last_frame = -BURST_GAP_MS
        self._closed = False  # the greeting is over for good
        self._turn_began = 0  # of the latest turn after it
        self._turns = 0
        self._noise = QUIETEST_DB
        self.loudest_db = QUIETEST_DB
        self._minima: deque[float] = deque(maxlen=SPANS)
        self._span_min = 0.0
        self._frames = 0

    @property
    def length(self) -> int:
        """The greeting's length so far, its pauses included."""
        return self.last - self.began if self.spoke else 0

    def hear(self, samples: Samples, speech: bool, level_db: float, at_ms: int) -> None:
        """Take the next frame, which ends at `at_ms`."""
        self._note_noise(level_db)
        self._latest.append((samples, level_db))
        if speech and level_db >= self._noise + NOISE_MARGIN_DB:
            if level_db > self.loudest_db:
                self.loudest_db = level_db
            if level_db >= self.loudest_db - LOUDNESS_MARGIN_DB:
                self._voice(samples, level_db, at_ms)
        if self.spoke:
            self._weigh(at_ms)

    def _note_noise(self, level_db: float) -> None:
        self._frames += 1
        if level_db < self._span_min:
            self._span_min = level_db
            if level_db < self._noise or self._frames < SPAN_FRAMES:
                self._noise = min(max(level_db, QUIETEST_DB), LOUDEST_NOISE_DB)
        if self._frames % SPAN_FRAMES == 0:
            self._minima.append(self._span_min)
            self._span_min = 0.0
            self._noise = min(max(min(self._minima), QUIETEST_DB), LOUDEST_NOISE_DB)

    def _voice(self, samples: Samples, level_db: float, at_ms: int) -> None:
        if at_ms - self._last_frame > BURST_GAP_MS + FRAME_MS:
            self._burst = 0
            self._beginning = []
            self._burst_began = at_ms - FRAME_MS
        self._burst += FRAME_MS
        self._last_frame = at_ms
        if len(self._beginning) < BURST_MS // FRAME_MS:
            self._beginning.append((samples, level_db))
        if self._burst >= BURST_MS and (self._burst > BURST_MS or not self._began_as_signal(at_ms)):
            self._speak(at_ms)

    def add(self, ms: int, at_ms: int) -> None:
        """Take what seemed a single tone for `ms` until `at_ms`, and was a vowel, or a line of a signal."""
        if self._is_tone(self._latest):
            self._note_tone(ms, at_ms)
        if at_ms - self._tone_last < SIGNAL_GAP_MS and self._is_signal():
            return
        if at_ms - ms - self._last_frame > BURST_GAP_MS:
            self._burst = 0
            self._burst_began = at_ms - ms
        self._burst += ms
        self._last_frame = max(self._last_frame, at_ms)
        if self._burst >= BURST_MS:
            self._speak(at_ms)

    def _speak(self, at_ms: int) -> None:
        """They speak, or spoke until `at_ms`."""
        if not self.spoke:
            self.spoke = True
            self.began = self._burst_began
        elif self._closed and self.waiting:
            self._turn_began = self._burst_began
        self.waiting = False
        self.last = max(self.last, at_ms)

    def _began_as_signal(self, at_ms: int) -> bool:
        """Detectors take ringing, keys and busy tones for speech: a burst that is one is looked at anew."""
        if not self._is_tone(self._beginning):
            return False
        self._burst = 0
        self._beginning = []
        self._note_tone(BURST_MS, at_ms)
        return self._is_signal()

    def _note_tone(self, ms: int, at_ms: int) -> None:
        if at_ms - ms - self._tone_last > SIGNAL_GAP_MS:
            self._tone_began = at_ms - ms
        self._tone_last = at_ms
        if self._is_signal() and self.spoke and self.began >= self._tone_began - BURST_MS:
            self.spoke = False  # all that was heard so far was the beginning of this

    def _is_signal(self) -> bool:
        return self._tone_last - self._tone_began >= SIGNAL_MS

    def _is_tone(self, frames: Collection[tuple[Samples, float]]) -> bool:
        levels = [level for _, level in frames]
        if max(levels) - min(levels) > TONE_SPREAD_DB:
            return False
        return is_tone(np.concatenate([samples for samples, _ in frames]), self._rate)

    def _weigh(self, at_ms: int) -> None:
        rules = self._rules
        silence = at_ms - self.last
        if self._turn_began:
            if silence >= rules.pause_ms and not self.waiting:
                self.waiting = True
                self._weigh_turn()
        elif silence < rules.pause_ms:
            if not self._closed:
                self.waiting = False
                self.evidence = at(rules.speaking, self.length)
        else:
            self.waiting = True
            self.evidence = at(rules.waited, self.length) + at(rules.patience, silence)
            self._closed = silence >= rules.turn_ms

    def _weigh_turn(self) -> None:
        """They said something after the greeting was over: a short word is a person's "hello?"."""
        rules = self._rules
        if self.last - self._turn_began < SHORT_TURN_MS and self._turns < MOST_TURNS:
            self._turns += 1
            self.evidence += rules.answered_again
