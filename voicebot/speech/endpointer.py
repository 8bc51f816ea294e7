"""The end-pointer: where in a caller's frames an utterance begins and ends.

A voice activity detector says "speech" too long (its hangover), at every tone, and of every click. Three
rules mend that. An utterance begins after `onset_ms` of voiced frames that are not a tone. A frame is
voiced when the detector says so *and* its level stands out of the noise and of this utterance's own tail,
so that the pause is counted from the last frame in which the caller really spoke. And one stray frame in a
pause does not prolong it.

    silent ──voiced──▶ pending ──onset_ms──▶ speaking ◀──2 voiced── pausing ──pause_ms──▶ silent
              ◀──gap, or a tone──                     ──unvoiced──▶         (or longest_ms)
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from voicebot.audio.frames import FRAME_MS, samples_per_frame, silence, to_samples
from voicebot.speech.tonality import is_tone

DEFAULT_PAUSE_MS = 600
DEFAULT_LONGEST_MS = 15_000

ONSET_GAP_FRAMES = 2
"""Unvoiced frames that may lie within an onset: a stop consonant closes the mouth for as long."""

ONSET_SLACK_FRAMES = 4
"""Gaps within an onset that the pre-roll has room for; after more it begins a little later."""

INAUDIBLE_DB = -57.0
"""A frame before the onset that is quieter than this is given to recognition as silence."""

RESUME_AFTER_FRAMES = 3
"""After a gap longer than this it takes two voiced frames in a row to go on: a click has one."""

TONE_SPREAD_DB = 6.0
"""An onset whose frames differ more than this in level cannot be a tone."""

NOISE_MARGIN_DB = 4.0
"""Voiced frames are this much above the noise."""
TAIL_MARGIN_DB = 30.0
"""Frames this much below the utterance's loudest one are its echo, not its end."""

DROPOUT_NOISE_MARGIN_DB = 20.0
DROPOUT_LOUDNESS_MARGIN_DB = 10.0
DROPOUT_FRAMES = 6
"""Inside an utterance a frame so loud is voiced even if the detector denies it, up to so many frames after a
voiced one: within a long vowel it loses faith for 100 ms."""

NOISE_FLOOR_MIN_DB = -60.0
"""The noise of a telephone line; nothing below it is taken for noise that speech should stand out of."""
NOISE_FLOOR_MAX_DB = -25.0
DIGITAL_SILENCE_DB = -90.0
LINE_OPENS_FRAMES = 40
"""For so long after the start digital silence does not mean a quiet line, but one that is not through yet."""
NOISE_SPAN_FRAMES = 25
NOISE_SPANS = 4
"""The noise is the quietest frame of the last 2 s, kept as minima of four spans: a speaker pauses within that
time, noise does not, whatever the detector says of it."""


class _State(Enum):
    SILENT = auto()
    PENDING = auto()
    SPEAKING = auto()
    PAUSING = auto()


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller speaks.

    preroll:   PCM from `preroll_ms` before the first voiced frame up to and with the frame just pushed
    position:  of the first voiced frame, in samples since the first frame pushed
    age_ms:    from there to the end of the frame just pushed
    """

    preroll: bytes
    position: int
    age_ms: int


@dataclass(frozen=True, slots=True)
class PossibleEnd:
    """Half of the pause has passed: a recogniser may prepare its guess."""

    voiced_ms: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """After a PossibleEnd the caller speaks on."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The utterance is over.

    position:   end of the last voiced frame, in samples since the first frame pushed
    age_ms:     from there to the end of the frame just pushed: the pause that was waited for
    voiced_ms:  how long the caller was voiced; a cough is less than about 280
    cut:        it was ended by `longest_ms`, the caller still speaks
    """

    position: int
    age_ms: int
    voiced_ms: int
    cut: bool = False


SpeechEvent = SpeechStarted | PossibleEnd | SpeechResumed | SpeechEnded
_NOTHING: tuple[SpeechEvent, ...] = ()


class Endpointer:
    """Finds one caller's utterances. Push every 20 ms frame, speech or not; times in ms, positions in
    samples.

    onset_ms:     voiced frames that make an utterance
    preroll_ms:   audio before the onset that recognition hears as well
    hangover_ms:  the detector's; only taken off where noise hides the end of speech, so that levels do not
    show it
    """

    __slots__ = (
        "_first",
        "_frame_samples",
        "_frames",
        "_gate_db",
        "_guess_frames",
        "_guessed",
        "_hangover_frames",
        "_hears_line",
        "_last",
        "_longest_frames",
        "_look_at",
        "_loudest_db",
        "_noise_db",
        "_onset_frames",
        "_pause_frames",
        "_preroll_frames",
        "_quietest_db",
        "_rate",
        "_recent",
        "_run",
        "_silence",
        "_span_db",
        "_spans_db",
        "_state",
        "_stray",
        "_voiced",
    )  # fmt: skip

    def __init__(
        self, sample_rate: int, *, onset_ms: int = 100, preroll_ms: int = 300, hangover_ms: int = 0
    ) -> None:
        self._rate = sample_rate
        self._frame_samples = samples_per_frame(sample_rate)
        self._onset_frames = max(1, onset_ms // FRAME_MS)
        self._preroll_frames = preroll_ms // FRAME_MS
        self._hangover_frames = hangover_ms // FRAME_MS
        # The frames that a pre-roll may need, with their numbers: none of silence, none from within an
        # utterance. Memory that is written once a tick and not read costs more than all the rest of this.
        kept = self._preroll_frames + self._onset_frames + ONSET_SLACK_FRAMES
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=kept)
        self._silence = silence(sample_rate)
        self._frames = 0  # pushed so far
        self._hears_line = False
        self._noise_db = NOISE_FLOOR_MIN_DB
        self._span_db = 0.0  # quietest frame of the span of noise that goes on
        self._spans_db: deque[float] = deque([0.0] * (NOISE_SPANS - 1), maxlen=NOISE_SPANS - 1)
        self.configure()
        self.reset()

    def configure(self, *, pause_ms: int = DEFAULT_PAUSE_MS, longest_ms: int = DEFAULT_LONGEST_MS) -> None:
        """Set the pause that ends an utterance and the longest one, from the next frame on."""
        self._pause_frames = max(1, -(-pause_ms // FRAME_MS))
        self._guess_frames = max(1, self._pause_frames // 2)
        self._longest_frames = max(1, longest_ms // FRAME_MS)
        self._look_at = 0  # frame at which a pause has lasted long enough for something

    def reset(self) -> None:
        """Forget the utterance that goes on, without an event."""
        self._state = _State.SILENT
        self._first = 0  # number of the first voiced frame
        self._last = 0  # number after the last voiced frame
        self._voiced = 0  # frames, but for the run that goes on
        self._run = 0  # number before the first frame of that
        self._stray = 0  # number after a voiced frame that has not ended the pause
        self._loudest_db = -96.0
        self._quietest_db = 0.0  # of the voiced frames after the first
        self._guessed = False
        self._set_gate()

    @property
    def speaking(self) -> bool:
        """An utterance goes on: SpeechStarted has come, SpeechEnded not yet."""
        return self._state in (_State.SPEAKING, _State.PAUSING)

    @property
    def voiced_ms(self) -> int:
        """How long the caller has been voiced in the utterance that goes on."""
        run = self._frames - self._run if self._state is _State.SPEAKING else 0
        return (self._voiced + run) * FRAME_MS

    def push(self, speech: bool, level_db: float, pcm: bytes) -> tuple[SpeechEvent, ...]:
        """Take the next frame with the detector's verdict and its level in dBFS; return what it brought
        about.
        """
        self._frames = frames = self._frames + 1
        if level_db < self._span_db:
            self._note_quiet(level_db)
        if not frames % NOISE_SPAN_FRAMES:
            self._end_span()
        # First what nearly every frame is: nobody speaks, somebody speaks on, or pauses on.
        state = self._state
        if state is _State.SPEAKING:
            if speech and level_db >= self._gate_db and frames < self._look_at:
                if level_db > self._loudest_db:
                    self._note_loud(level_db)
                return _NOTHING
            self._end_run(frames - 1)
        elif level_db > INAUDIBLE_DB:
            self._recent.append((frames, pcm))
        if not speech:
            if state is _State.SILENT:
                return _NOTHING
            if state is _State.PAUSING and level_db < self._gate_db and frames < self._look_at:
                return _NOTHING
        voiced = speech and level_db >= self._gate_db
        dropout = not voiced and self._is_dropout(level_db)
        if state is _State.SILENT or state is _State.PENDING:
            return self._await_onset(voiced, dropout, level_db)
        return self._await_end(voiced or dropout, speech, level_db)

    # --- levels ----------------------------------------------------------------------------------------

    def _note_quiet(self, level_db: float) -> None:
        if level_db < DIGITAL_SILENCE_DB and not self._hears_line and self._frames < LINE_OPENS_FRAMES:
            return  # no audio has come yet: nothing is known of the line
        self._hears_line = True
        self._span_db = level_db
        if level_db < self._noise_db > NOISE_FLOOR_MIN_DB or self._frames < NOISE_SPAN_FRAMES:
            self._set_noise()

    def _end_span(self) -> None:
        self._spans_db.append(self._span_db)
        self._span_db = 0.0
        self._set_noise()

    def _set_noise(self) -> None:
        quietest = min(self._span_db, *self._spans_db)
        self._noise_db = min(max(quietest, NOISE_FLOOR_MIN_DB), NOISE_FLOOR_MAX_DB)
        self._set_gate()

    def _note_loud(self, level_db: float) -> None:
        self._loudest_db = level_db
        self._set_gate()

    def _set_gate(self) -> None:
        self._gate_db = max(self._noise_db + NOISE_MARGIN_DB, self._loudest_db - TAIL_MARGIN_DB)

    def _is_dropout(self, level_db: float) -> bool:
        """A frame in the middle of a loud sound, which the detector denies for a moment."""
        return (
            self._state is not _State.SILENT
            and self._frames - self._last <= DROPOUT_FRAMES
            and level_db >= self._noise_db + DROPOUT_NOISE_MARGIN_DB
            and level_db >= self._loudest_db - DROPOUT_LOUDNESS_MARGIN_DB
        )

    # --- states ----------------------------------------------------------------------------------------

    def _await_onset(self, voiced: bool, dropout: bool, level_db: float) -> tuple[SpeechEvent, ...]:
        if dropout:
            return _NOTHING  # it may turn out to belong to speech, but does not prove it
        if not voiced:
            if self._state is _State.PENDING and self._frames - self._last > ONSET_GAP_FRAMES:
                self.reset()
            return _NOTHING
        if self._state is _State.SILENT:
            self._state = _State.PENDING
            self._first = self._frames - 1
        else:
            self._quietest_db = min(self._quietest_db, level_db)
        self._note_voiced(level_db)
        if self._voiced < self._onset_frames:
            return _NOTHING
        steady = self._loudest_db - self._quietest_db < TONE_SPREAD_DB
        if steady and is_tone(to_samples(self._last_pcm(self._onset_frames)), self._rate):
            self.reset()
            return _NOTHING
        self._begin_run()
        span = self._frames - self._first
        preroll = self._last_pcm(span + self._preroll_frames)
        return (SpeechStarted(preroll, self._first * self._frame_samples, span * FRAME_MS),)

    def _last_pcm(self, count: int) -> bytes:
        """The last frames, fewer at the beginning of a call."""
        kept = dict(self._recent)
        numbers = range(max(0, self._frames - count) + 1, self._frames + 1)
        return b"".join([kept.get(number, self._silence) for number in numbers])

    def _begin_run(self) -> None:
        """From the next frame on the caller speaks without a gap, so that nothing needs to be counted."""
        self._state = _State.SPEAKING
        self._run = self._frames
        self._look_at = self._first + self._longest_frames

    def _end_run(self, frames: int) -> None:
        """Count what was voiced up to this frame."""
        self._voiced += frames - self._run
        self._run = self._last = frames

    def _note_voiced(self, level_db: float) -> None:
        self._voiced += 1
        self._last = self._frames
        if level_db > self._loudest_db:
            self._note_loud(level_db)

    def _await_end(self, voiced: bool, speech: bool, level_db: float) -> tuple[SpeechEvent, ...]:
        events: list[SpeechEvent] = []
        if voiced:
            events += self._go_on(level_db)
        elif self._state is _State.SPEAKING:
            self._pause(speech)
        silent = self._frames - self._last
        cut = self._frames - self._first >= self._longest_frames
        if cut or silent >= self._pause_frames:
            ended = SpeechEnded(self._last * self._frame_samples, silent * FRAME_MS, self.voiced_ms, cut)
            self.reset()
            return (*events, ended)
        if silent >= self._guess_frames and not self._guessed:
            self._guessed = True
            events.append(PossibleEnd(self.voiced_ms))
        if self._state is _State.PAUSING:
            next_frames = self._pause_frames if self._guessed else self._guess_frames
            self._look_at = min(self._last + next_frames, self._first + self._longest_frames)
        return tuple(events)

    def _go_on(self, level_db: float) -> list[SpeechEvent]:
        """A voiced frame: the utterance goes on, unless it is a stray one after a gap."""
        alone = self._stray != self._frames - 1
        self._stray = self._frames
        if self._frames - self._last > RESUME_AFTER_FRAMES and alone:
            return []
        self._note_voiced(level_db)
        self._begin_run()
        if not self._guessed:
            return []
        self._guessed = False
        return [SpeechResumed()]

    def _pause(self, speech: bool) -> None:
        """The first unvoiced frame decides from where the pause counts."""
        self._state = _State.PAUSING
        if not speech:
            # Not the level but the detector's own verdict ended it, and that comes late.
            self._last = max(self._first + 1, self._last - self._hangover_frames)
