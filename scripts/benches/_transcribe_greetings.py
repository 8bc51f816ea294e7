"""What the recognisers make of the greetings: writes tests/data/greetings/transcripts.json.

Usage: .venv/bin/python scripts/benches/_transcribe_greetings.py
Whisper hears the English lines, Vosk the Korean ones, each on a quiet line and 10 dB above noise, with
nothing expected. The file is kept, so that benches and tests need no models.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _answered import TRANSCRIPTS
from _greetings import FRAME, RATE, Line, on_the_line, scenes, voices

from voicebot.audio.frames import to_pcm
from voicebot.audio.wav import read_wav
from voicebot.engines.stt_vosk import VoskRecognizer
from voicebot.engines.stt_whisper import WhisperRecognizer
from voicebot.speech.stt import Expectation

MARGIN_MS = 300


def main() -> None:
    english, korean = WhisperRecognizer(), VoskRecognizer()
    lines: dict[str, Line] = {line.path.name: line for scene in scenes() for line in scene.lines}
    found: dict[str, dict[str, str]] = {"clean": {}, "noisy": {}}
    for name, line in sorted(lines.items()):
        language = voices()[line.voice].get("language", "en").split("-")[0]
        if language not in ("en", "ko"):
            continue
        engine = korean if language == "ko" else english
        margin = np.zeros(MARGIN_MS * RATE // 1000, dtype=np.int16)
        sound = np.concatenate([margin, read_wav(line.path).samples, margin])
        sound = sound[: len(sound) // FRAME * FRAME]
        for kind, condition in (("clean", "clean"), ("noisy", "noise 10 dB")):
            recognition = engine.open(Expectation(), RATE)
            recognition.accept(to_pcm(on_the_line(sound, condition, name)))
            found[kind][name] = recognition.finish().text
    TRANSCRIPTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
