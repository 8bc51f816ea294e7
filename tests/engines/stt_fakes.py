"""Recognisers that misbehave on demand, loaded by real worker processes in the tests beside this file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from voicebot.errors import UserError
from voicebot.speech.stt import Expectation, Transcript


class FakeRecognizer:
    """Does what a phrase of the expectation says: "crash", "hang", "raise", "slow"; else it counts bytes."""

    def __init__(self, marker: str = "") -> None:
        self.marker = marker

    def open(self, expectation: Expectation, sample_rate: int) -> FakeRecognition:
        return FakeRecognition(expectation.phrases[0] if expectation.phrases else "", self.marker)

    def lacks(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return ()

    def describe(self) -> int:
        print("chatter on standard output")
        return os.getpid()


class FakeRecognition:
    def __init__(self, manner: str, marker: str) -> None:
        self.manner = manner
        self.marker = marker
        self.heard = 0

    def accept(self, pcm: bytes) -> None:
        self.heard += len(pcm)

    def partial(self, alone: bool) -> str:
        return f"{self.heard} bytes"

    def finish(self) -> Transcript:
        if self.manner == "crash once" and not Path(self.marker).exists():
            Path(self.marker).touch()
            os._exit(3)
        if self.manner == "crash":
            os._exit(3)
        if self.manner == "hang":
            time.sleep(60)
        if self.manner == "slow":
            time.sleep(0.3)
        if self.manner == "raise":
            raise RuntimeError("no such thing")
        return Transcript(f"{self.heard} bytes", 1.0, engine="fake")


def broken_setup() -> FakeRecognizer:
    raise UserError("the model is missing", "get one")


def crashing_setup() -> FakeRecognizer:
    os._exit(3)
