"""Recorded prompts: wav files decoded once, brought to a call's rate and to the loudness of synthesis."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from voicebot.audio.levels import normalise
from voicebot.audio.resample import resample
from voicebot.audio.wav import read_wav
from voicebot.errors import Problem, UserError
from voicebot.speech.tts import Samples

LONGEST_S = 600
"""A recording longer than this is a mistake."""


class RecordedPrompts:
    """The wav prompts of all dialogs, in memory; `fallback` makes what is played for one that is lost."""

    def __init__(self, fallback: Callable[[str, int], Samples]) -> None:
        self._fallback = fallback
        self._lock = threading.Lock()
        self._held: dict[tuple[Path, int], tuple[int, Samples]] = {}

    def load_ahead(self, paths: Iterable[Path], sample_rates: Sequence[int]) -> None:
        """Decode files before any call needs them, as after loading dialogs.

        Reads and computes: not for the event loop. Raises UserError naming every file that cannot be used.
        """
        problems: list[Problem] = []
        for path in dict.fromkeys(paths):
            try:
                for rate in sample_rates:
                    self._put(path, rate)
            except UserError as error:
                problems += error.problems
        if problems:
            raise UserError(problems)

    def load(self, path: Path, sample_rate: int) -> Samples:
        """Return a wav prompt, at once if it was loaded ahead. Raises UserError when it cannot be used.

        A file that vanished after it was loaded is still served.
        """
        held = self._held.get((path, sample_rate))
        return held[1] if held is not None else self._put(path, sample_rate)

    def fallback(self, language: str, sample_rate: int) -> Samples:
        """Return a canned apology that needs no engine."""
        return self._fallback(language, sample_rate)

    def _put(self, path: Path, sample_rate: int) -> Samples:
        """Decode a file, unless the version that we hold is the present one."""
        try:
            modified = path.stat().st_mtime_ns
        except OSError as error:
            raise UserError(
                Problem(
                    f"cannot be read: {error.strerror}",
                    "record it, or correct the path in the dialog",
                    str(path),
                )
            ) from error
        held = self._held.get((path, sample_rate))
        if held is not None and held[0] == modified:
            return held[1]
        wav = read_wav(path)
        if not len(wav.samples):
            raise UserError(Problem("has no audio in it", "record it anew", str(path)))
        if len(wav.samples) > LONGEST_S * wav.sample_rate:
            raise UserError(Problem(f"is longer than {LONGEST_S // 60} minutes", "cut it", str(path)))
        samples = normalise(resample(wav.samples, wav.sample_rate, sample_rate), sample_rate)
        samples = samples.copy()
        samples.flags.writeable = False  # calls share it
        with self._lock:
            self._held[path, sample_rate] = (modified, samples)
        return samples
