"""The parts of `voicebot.toml` about hearing and speaking: engines, and who has the floor."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voicebot.config.section import Section


class SttConfig(Section):
    """One recogniser, under a name that routes use."""

    engine: Literal["vosk", "whisper", "pocketsphinx"] = Field(description="See docs/engines.md.")
    model: str = Field(
        "", description="Folder below `models/`, or an absolute path; empty: the engine's own default."
    )
    workers: int = Field(1, ge=0, le=64, description="Processes that hold the model; 0 runs it in a thread.")
    timeout_s: float = Field(2.0, gt=0, le=30, description="A result later than this counts as a hang.")
    reject_below: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Confidence under which a transcript counts as not understood; 0: the engine's own.",
    )


class TtsConfig(Section):
    """One synthesiser, under a name that routes use."""

    engine: Literal["pyttsx3", "espeak", "piper"] = Field(description="See docs/speaking.md.")
    voice: str = Field("", description="The engine's name of the voice; empty: its default for the language.")
    model: str = Field("", description="Piper only: voice file below `models/`, or an absolute path.")
    rate: int = Field(0, ge=0, le=450, description="Words a minute; 0: the engine's default.")
    workers: int = Field(1, ge=0, le=64, description="Processes that hold the voice; 0 runs it in a thread.")
    timeout_s: float = Field(5.0, gt=0, le=60, description="A sentence later than this counts as a hang.")


class VadConfig(Section):
    """Voice activity detection and end-pointing, in ms where not said otherwise."""

    engine: Literal["webrtcvad", "silero"] = Field(
        "webrtcvad", description="Silero resists noise better and costs more."
    )
    aggressiveness: int = Field(3, ge=0, le=3, description="webrtcvad's mode.")
    threshold: float = Field(
        0.5, gt=0, lt=1, description="Silero's probability above which a frame is speech."
    )
    onset_ms: int = Field(100, ge=20, le=1000, description="Speech this long starts an utterance.")
    preroll_ms: int = Field(
        300, ge=0, le=2000, description="Audio before the onset that recognition hears as well."
    )


class BargeInConfig(Section):
    """When a caller may take the floor from a prompt."""

    confirm_ms: int = Field(
        280, ge=40, le=3000, description="Speech shorter than this is a cough: the prompt resumes."
    )
    resume_back_ms: int = Field(400, ge=0, le=5000, description="How far a resumed prompt goes back.")
