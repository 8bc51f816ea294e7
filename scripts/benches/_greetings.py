"""The labelled greetings of tests/data/greetings as they sound, and what telephone lines do to them."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ruamel.yaml import YAML

from voicebot.audio import g711
from voicebot.audio.wav import read_wav
from voicebot.rtp.concealment import conceal

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "data" / "greetings"
RATE = 8000
FRAME = RATE // 50
TAIL_S = 6.0
"""Silence after the last item: a person waits for us, a machine records."""
SPEECH_DB, BEEP_DB, MUSIC_DB = -20.0, -18.0, -22.0
IDLE_SIGMA = 2.0
"""Idle-channel noise, some -84 dBov."""
CED_HZ, CED_S = 2100.0, 3.3
CNG_HZ, CNG_S, CNG_PAUSE_S = 1100.0, 0.5, 3.0
SIT_HZ = (950.0, 1400.0, 1800.0)
KINDS = ("person", "machine", "announcement", "fax", "change")
PARTS = ("train", "held", "fresh")
CONDITIONS = ("clean", "noise 20 dB", "noise 10 dB", "loud", "faint", "loss 3 %", "mobile")

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Line:
    """A text that a voice speaks: one wav."""

    voice: str
    text: str

    @property
    def path(self) -> Path:
        words = "-".join(re.findall(r"[a-z0-9]+", self.text.lower().replace("'", ""))[:4])
        mark = f"{zlib.crc32(self.text.encode()) & 0xFFFF:04x}"
        return FOLDER / f"{'-'.join(filter(None, (self.voice, words, mark)))}.wav"


@dataclass
class Scene:
    """What is heard from the answer on, and who it is.

    by, then:  person or machine, at first and at last
    spoken:    (began_ms, ended_ms, line) of every line
    beeps:     (ended_ms, hz) of the tones after which a message may be left
    """

    name: str
    part: str
    kind: str
    by: str
    then: str
    language: str
    items: list[Any]
    spoken: list[tuple[int, int, Line]] = field(default_factory=list)
    beeps: list[tuple[int, float]] = field(default_factory=list)

    @property
    def lines(self) -> list[Line]:
        return [item for item in self.items if isinstance(item, Line)]

    @property
    def first_sound_ms(self) -> int:
        """Begin of the first voice."""
        return min((began for began, _, _ in self.spoken), default=0)


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(FOLDER / "greetings.yaml")
    return found


def voices() -> dict[str, dict[str, Any]]:
    return dict(document()["voices"])


def scenes() -> list[Scene]:
    """Return all scenes of both parts, without their sound."""
    found = []
    for part in PARTS:
        for kind, entries in document()[part].items():
            for number, entry in enumerate(entries, 1):
                (voice, items), *_ = entry.items()
                by = entry.get("is", "person" if kind == "person" else "machine")
                lines = [_line(item, voice) for item in items]
                language = voices()[voice].get("language", "en").split("-")[0]
                name = f"{part}-{kind}-{number:02}"
                found.append(Scene(name, part, kind, by, entry.get("then", by), language, lines))
    return found


def _line(item: Any, voice: str) -> Any:
    if isinstance(item, str):
        return Line(voice, item)
    if isinstance(item, dict) and "say" in item:
        return Line(item["voice"], item["say"])
    return item


def played(scene: Scene) -> Samples:
    """Return the scene on a quiet line, and fill in when what is heard."""
    parts: list[Floats] = []
    place = 0
    scene.spoken.clear()
    scene.beeps.clear()
    for item in scene.items:
        if isinstance(item, Line):
            sound = read_wav(item.path).samples.astype(np.float64)
            scene.spoken.append((place * 1000 // RATE, (place + len(sound)) * 1000 // RATE, item))
        elif isinstance(item, dict):
            sound = _sound(item)
            if "beep" in item:
                scene.beeps.append(((place + len(sound)) * 1000 // RATE, float(item["beep"])))
        else:
            sound = np.zeros(int(item * RATE))
        parts.append(sound)
        place += len(sound)
    parts.append(np.zeros(int(TAIL_S * RATE)))
    whole = np.concatenate(parts)
    whole = whole[: len(whole) // FRAME * FRAME]
    return np.clip(np.round(whole), -32768, 32767).astype(np.int16)


def on_the_line(clean: Samples, condition: str, name: str) -> Samples:
    """Return `clean` as it comes out of a line; `name` seeds chance."""
    chance = np.random.default_rng(zlib.crc32(f"{name} {condition}".encode()))
    sound = clean.astype(np.float64)
    match condition:
        case "clean":
            pass
        case "noise 20 dB" | "noise 10 dB":
            level = SPEECH_DB - float(condition.split()[1])
            sound = sound + pink(len(sound), chance) * 32768 * 10 ** (level / 20)
        case "loud":
            sound = sound * 10 ** (10 / 20)
        case "faint":
            sound = sound * 10 ** (-15 / 20)
        case "loss 3 %":
            sound = _lossy(_coded(sound, chance), chance, lost=0.03, goes_on=0.0).astype(np.float64)
        case "mobile":
            sound = narrowed(sound) + pink(len(sound), chance) * 32768 * 10 ** (-50 / 20)
            sound = _lossy(_coded(sound, chance), chance, lost=0.03, goes_on=0.4).astype(np.float64)
        case _:
            raise ValueError(condition)
    return _coded(sound, chance)


def _coded(sound: Floats, chance: np.random.Generator) -> Samples:
    idle = chance.normal(0, IDLE_SIGMA, len(sound))
    pcm = np.clip(np.round(sound + idle), -32768, 32767).astype(np.int16)
    return g711.decode(g711.encode(pcm))


def _lossy(pcm: Samples, chance: np.random.Generator, *, lost: float, goes_on: float) -> Samples:
    """Lose frames, each with `lost`, after a lost one with `goes_on`; conceal them as the gateway does."""
    frames = pcm.reshape(-1, FRAME).copy()
    gap = 0
    past = np.zeros(2 * FRAME, dtype=np.int16)
    for index in range(len(frames)):
        if chance.random() < (goes_on if gap else lost):
            if gap == 0:
                past = frames[max(0, index - 2) : index].reshape(-1)
            frames[index] = conceal(past, gap, RATE)
            gap += 1
        else:
            gap = 0
    return frames.reshape(-1)


def narrowed(sound: Floats) -> Floats:
    """Nothing below 300 and above 3400 Hz."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    return np.fft.irfft(spectrum, len(sound))


def pink(count: int, chance: np.random.Generator) -> Floats:
    """Return 1/f noise of unit power, without what a telephone cuts off below 100 Hz."""
    spectrum = np.fft.rfft(chance.normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[hertz < 100] = 0
    spectrum[1:] /= np.sqrt(hertz[1:])
    noise = np.fft.irfft(spectrum, count)
    return noise / np.sqrt(np.mean(noise**2))


def _sound(item: dict[str, Any]) -> Floats:
    match item:
        case {"beep": hz, "s": length}:
            return _at_level(tone([hz], length), BEEP_DB)
        case {"ring": lines, "s": length}:
            return _at_level(tone(lines, length), BEEP_DB)
        case {"sit": lengths}:
            tones = [tone([hz], length) for hz, length in zip(SIT_HZ, lengths, strict=True)]
            return _at_level(np.concatenate(tones), BEEP_DB)
        case {"fax": "called"}:
            return _at_level(tone([CED_HZ], CED_S), BEEP_DB)
        case {"fax": "calling"}:
            one = np.concatenate([tone([CNG_HZ], CNG_S), np.zeros(int(CNG_PAUSE_S * RATE))])
            return np.concatenate([one, one]) * 32768 * 10 ** (BEEP_DB / 20) * np.sqrt(2)
        case {"music": length}:
            return _at_level(_music(length), MUSIC_DB)
    raise ValueError(f"no such sound: {item}")


def tone(lines: list[float], length: float) -> Floats:
    """Return a tone of unit amplitude a line, that begins and ends within 3 ms."""
    time = np.arange(int(length * RATE)) / RATE
    ramp = np.minimum(1.0, np.minimum(time, length - time) / 0.003)
    return np.sum([np.sin(2 * np.pi * hz * time) for hz in lines], axis=0) * ramp / len(lines)


def _at_level(sound: Floats, level_db: float) -> Floats:
    return sound * 32768 * 10 ** (level_db / 20) / np.sqrt(np.mean(sound**2))


def _music(length: float) -> Floats:
    """A waltz, as on hold: chords under a melody, plucked."""
    chance = np.random.default_rng(3)
    scale = 261.63 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    time = np.arange(int(length * RATE)) / RATE
    sound = np.zeros(len(time))
    for number, begin in enumerate(np.arange(0, length, 0.3)):
        since = time - begin
        notes = [scale[chance.integers(8)] * 2, *([scale[0], scale[2], scale[4]] if number % 3 == 0 else [])]
        for hz in notes:
            decay = np.where(since >= 0, np.exp(-since / 0.4), 0)
            for harmonic in range(1, 5):
                sound += decay * np.sin(2 * np.pi * hz * harmonic * since) / harmonic**1.3
    return sound
