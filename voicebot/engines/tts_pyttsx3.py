"""pyttsx3, made fit for a server.

Its ways: `runAndWait()` returns while espeak's own thread is still at work; of several `save_to_file` only
the last is written; two threads crash the process; '' trips an assertion; faults go to callbacks instead of
the caller; and it prints to standard output. The file that it insists on is one in memory: no
disk can be full. So: one engine a process, under a lock, and nothing is believed that was not checked.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import threading
import time
import wave
from collections.abc import Iterator
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import numpy as np

from voicebot.engines.tts_espeak import (
    LOCK,
    SPEAKABLE,
    library_paths,
    speakable,
    voice_candidates,
    words_a_minute,
)
from voicebot.errors import UserError
from voicebot.speech.tts import AudioChunk, Samples, Voice

SONAME = "libespeak-ng.so.1"
IDLE_WAIT_S = 30.0
"""How long espeak's thread may be at work; the pool gives up on us earlier."""
IDLE_POLL_S = 0.0005


class Pyttsx3Synthesizer:
    """The espeak driver of pyttsx3, on the library that espeakng-loader brings."""

    def __init__(self) -> None:
        library, data = library_paths("pyttsx3")
        # pyttsx3 asks the linker for the bare SONAME, which resolves to what this process has loaded already.
        ctypes.CDLL(str(library.with_name(SONAME)))
        os.environ["ESPEAK_DATA_PATH"] = str(data)
        with LOCK:
            try:
                import pyttsx3

                self._engine: Any = pyttsx3.init("espeak")
            except (ImportError, RuntimeError, OSError) as error:
                raise UserError(
                    f"pyttsx3 does not start: {error}", "run: pip install --force-reinstall pyttsx3"
                ) from error
            driver = importlib.import_module("pyttsx3.drivers.espeak")
            driver.__dict__["print"] = lambda *_, **__: None
            # Its loop sleeps 10 ms after every sentence, ten times as long as the sentence takes.
            driver.__dict__["time"] = SimpleNamespace(sleep=lambda _: time.sleep(IDLE_POLL_S))
            self._library = importlib.import_module("pyttsx3.drivers._espeak")
            # On every start pyttsx3 cancels what espeak's thread has in hand, be it only a changed rate, and
            # the new sentence with it. Nothing of ours is ever to be cancelled.
            self._library.__dict__["Cancel"] = lambda: 0
            self._engine.runAndWait()  # until its first run it would only queue what it is told
            self._await_idle()
            self._ids = {str(voice.id).lower() for voice in self._engine.getProperty("voices")}
            self._variants = {path.name for path in (data / "voices" / "!v").iterdir()}
            self._faults: list[BaseException] = []
            self._finished = threading.Event()
            self._engine.connect("finished-utterance", lambda name=None, completed=None: self._finished.set())
            self._engine.connect("error", lambda name=None, exception=None: self._faults.append(exception))
        self._file = os.memfd_create("pyttsx3.wav")
        self._path = f"/proc/self/fd/{self._file}"

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def synthesize(self, text: str, voice: Voice) -> Iterator[AudioChunk]:
        """Yield the speech of `text`, nothing if it has no words. Raises ValueError for an unknown voice."""
        text = speakable(text, voice)
        if not text:
            return
        with LOCK:
            chunk = self._render(text, voice)
        if len(chunk.samples):
            yield chunk

    def describe(self) -> dict[str, str]:
        """Return the engine's name and version, which cached prompts depend on."""
        return {"engine": "pyttsx3", "version": f"{version('pyttsx3')} {SPEAKABLE}"}

    def voices(self) -> list[str]:
        """Return the names that `Voice.name` may have; +f1, +m3, ... after one is a variant."""
        return sorted(self._ids)

    def _render(self, text: str, voice: Voice) -> AudioChunk:
        os.ftruncate(self._file, 0)
        self._faults.clear()
        self._finished.clear()
        self._choose(voice)
        self._engine.setProperty("rate", words_a_minute(voice))
        self._await_idle()
        self._engine.save_to_file(text, self._path)
        self._engine.runAndWait()
        if self._faults:
            raise RuntimeError(f"pyttsx3 failed: {self._faults[0]}")
        if not self._finished.wait(IDLE_WAIT_S):
            raise RuntimeError(f"pyttsx3 was not done after {IDLE_WAIT_S:.0f} s")
        self._await_idle()
        return _read(self._path)

    def _await_idle(self) -> None:
        """Wait until espeak's thread has nothing left to do.

        It says "finished" first and puts pyttsx3's state right afterwards: what came between would be lost.
        """
        deadline = time.monotonic() + IDLE_WAIT_S
        while self._library.IsPlaying():
            if time.monotonic() > deadline:
                raise RuntimeError(f"espeak's thread was not done after {IDLE_WAIT_S:.0f} s")
            time.sleep(IDLE_POLL_S)

    def _choose(self, voice: Voice) -> None:
        """Set the voice. The driver does it at once, but its faults arrive in `_faults`."""
        for name in voice_candidates(voice):
            _, _, variant = name.partition("+")
            if variant and variant not in self._variants:
                continue  # the library would drop the variant without a word
            self._engine.setProperty("voice", name)
            if not self._faults:
                return
            self._faults.clear()
        raise ValueError(f"pyttsx3 has no voice {voice.name or voice.language!r}")


def _read(path: str) -> AudioChunk:
    """Return the samples of a wav file. Raises RuntimeError if it is missing, empty or cut short."""
    try:
        with open(path, "rb") as file, wave.open(file) as wav:  # noqa: PTH123
            expected = wav.getnframes()
            samples: Samples = np.frombuffer(wav.readframes(expected), "<i2").astype(np.int16)
            rate = wav.getframerate()
    except (EOFError, OSError, wave.Error) as error:
        raise RuntimeError(f"pyttsx3 wrote no usable file: {error}") from error
    if len(samples) != expected:
        raise RuntimeError(f"pyttsx3 wrote {len(samples)} of {expected} samples")
    return AudioChunk(samples, rate)
