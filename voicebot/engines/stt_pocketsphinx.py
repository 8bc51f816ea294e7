"""PocketSphinx held to the step's JSGF grammar: English, small, and its result costs next to nothing.

It fits anything said into the grammar. What speaks for a result is therefore how much better it explains the
audio than a free loop of phones does: the confidence is that ratio of likelihoods, on a scale of 0 to 1.
"""

from __future__ import annotations

import math
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np

from voicebot.engines.stt_whole import WholeRecognition
from voicebot.errors import Problem, UserError
from voicebot.speech.stt import Expectation, Recognition, Transcript, Word

RATE = 16000
FRAME_MS = 10
EVEN = -3.0
"""Log-likelihood ratio a frame, in the engine's units, that makes a confidence of 0.5."""
SLOPE = 0.35
GRAMMARS = 64
"""Compiled grammars that are kept; a dialog has about as many steps."""
_HEADER = "#JSGF V1.0 UTF-8 en;\ngrammar step;\n"
_TOKEN = re.compile(r"<[^>]*>|[^\s<>()\[\]|*+=;/]+")
_VOID = "<VOID>"
_FILLERS = re.compile(r"<sil>|\[.*\]|\(NULL\)|<.*>|\+\+.*\+\+")


def bundled_model() -> Path | None:
    """Return the English model inside the wheel of PocketSphinx, if that is installed."""
    try:
        import pocketsphinx
    except ImportError:
        return None
    return Path(pocketsphinx.get_model_path()) / "en-us"


class PocketsphinxRecognizer:
    """A decoder with an acoustic model. `model`: a folder with `en-us`-like contents; "" for the wheel's own.

    Raises UserError if the extra or the model is missing. The engine holds the interpreter lock.
    """

    def __init__(self, model: str = "") -> None:
        try:
            import pocketsphinx
        except ImportError as error:
            remedy = "pip install 'voicebot[pocketsphinx]'"
            raise UserError("the recogniser pocketsphinx is not installed", remedy) from error
        folder = Path(model) if model else bundled_model() or Path()
        acoustic = next((d.parent for d in sorted(folder.rglob("mdef"))), None)
        dictionary = next(iter(sorted(folder.rglob("*.dict"))), None)
        if acoustic is None or dictionary is None:
            raise UserError(Problem("no acoustic model and dictionary in it", "", str(folder)))
        phones = next(iter(sorted(folder.rglob("*phone.lm*"))), None)
        self._decoder = pocketsphinx.Decoder(
            hmm=str(acoustic), dict=str(dictionary), lm=None, bestpath=False, loglevel="FATAL"
        )
        self._judges = phones is not None
        if phones is not None:
            self._decoder.add_allphone_file("phones", str(phones))
        self._unit = math.log(1.0001)
        self._using = threading.Lock()
        self._grammars: dict[str, str] = {}
        self._loaded = 0

    def lacks(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(w for text in words for w in text.split() if not self._knows(w)))

    def _knows(self, word: str) -> bool:
        return self._decoder.lookup_word(word.lower()) is not None

    def describe(self) -> dict[str, Any]:
        """Return what the model says of itself."""
        return {"languages": "en", "sample_rate": RATE}

    def open(self, expectation: Expectation, sample_rate: int) -> Recognition:
        return WholeRecognition(lambda samples: self.recognise(samples, expectation), sample_rate, RATE)

    def jsgf(self, expectation: Expectation) -> str:
        """Return the step's grammar without the alternatives that hold words the dictionary lacks."""
        text = expectation.jsgf
        if not text:
            phrases = [p for p in expectation.phrases if p.strip()]
            words = [w for w in expectation.words if w.strip()]
            answers = [*phrases, *([f"( {' | '.join(words)} )+"] if words else [])]
            if not answers:
                return ""
            text = f"{_HEADER}public <answer> = {' | '.join(answers)};\n"
        head: list[str] = []
        rules: list[str] = []
        for line in text.splitlines():
            (head if line.startswith(("#", "grammar")) else rules).append(line)
        return "\n".join(head) + "\n" + without_unknown("\n".join(rules), self._knows) + "\n"

    def recognise(self, samples: np.ndarray[Any, np.dtype[np.int16]], expectation: Expectation) -> Transcript:
        """Recognise one utterance of 16-bit samples at 16 kHz."""
        grammar = "" if expectation.open else self.jsgf(expectation)
        if not grammar or not len(samples):
            return Transcript("", 0.0, engine="pocketsphinx")
        with self._using:
            try:
                name = self._load(grammar)
            except RuntimeError:
                return Transcript("", 0.0, engine="pocketsphinx")  # nothing of it is in the dictionary
            pcm = samples.tobytes()
            score = self._search(name, pcm)
            hypothesis = self._decoder.hyp()
            if hypothesis is None or not hypothesis.hypstr:
                return Transcript("", 0.0, engine="pocketsphinx")
            text = str(hypothesis.hypstr)
            words = tuple(
                Word(re.sub(r"\(\d+\)$", "", s.word), s.start_frame * FRAME_MS, (s.end_frame + 1) * FRAME_MS)
                for s in self._decoder.seg()
                if not _FILLERS.fullmatch(s.word)
            )
            confidence = None
            if self._judges:
                frames = max(sum(w.end_ms - w.start_ms for w in words) // FRAME_MS, 1)
                ratio = (score - self._search("phones", pcm)) / frames
                confidence = 1 / (1 + math.exp(-SLOPE * (ratio - EVEN)))
        return Transcript(text, confidence, words=words, engine="pocketsphinx")

    def _load(self, grammar: str) -> str:
        """Make `grammar` known to the decoder; return its name there. Raises RuntimeError if it is empty."""
        name = self._grammars.get(grammar)
        if name is None:
            if len(self._grammars) >= GRAMMARS:
                self._decoder.remove_search(self._grammars.pop(next(iter(self._grammars))))
            self._loaded += 1
            name = f"grammar{self._loaded}"
            self._decoder.add_jsgf_string(name, grammar)
            self._grammars[grammar] = name
        return name

    def _search(self, name: str, pcm: bytes) -> float:
        """Decode with a search; return the log-likelihood of its best path in the engine's units."""
        decoder = self._decoder
        decoder.activate_search(name)
        decoder.start_utt()
        decoder.process_raw(pcm, False, True)
        decoder.end_utt()
        found = decoder.hyp()
        return math.log(max(found.best_score, 1e-300)) / self._unit if found else -math.inf


def without_unknown(rules: str, knows: Any) -> str:
    """Drop the alternatives of JSGF rules with an unknown word; `<VOID>` stands for an empty group."""

    def judged(match: re.Match[str]) -> str:
        token = match[0]
        return token if token.startswith("<") or token == "public" or knows(token) else _VOID

    text = _TOKEN.sub(judged, rules)
    text = re.sub(r"[^|()\[\]=;]*<VOID>[^|()\[\]=;]*", f" {_VOID} ", text)
    before = ""
    while before != text:
        before = text
        text = re.sub(r"<VOID>\s*\|\s*", "", text)
        text = re.sub(r"\s*\|\s*<VOID>", "", text)
    return text
