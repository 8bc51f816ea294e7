"""When a transcript counts as not understood: one rule for all engines, thresholds measured for each.

Engines that are held to a grammar force whatever they hear into it, so their confidence decides; an engine
that writes what it heard needs less, since the dialog's grammar sees for itself that the words do not fit.
"""

from __future__ import annotations

from dataclasses import replace

from voicebot.speech.stt import Expectation, Transcript

THRESHOLDS = {"vosk": 0.5, "whisper": 0.25, "pocketsphinx": 0.5}
"""Confidence under which an engine's words are not taken, where the step expects certain phrases."""
OPEN_THRESHOLDS = {"vosk": 0.35, "whisper": 0.25, "pocketsphinx": 0.5}
"""The same where anything may be said and no grammar forces the words."""


def judge(transcript: Transcript, expectation: Expectation, reject_below: float = 0.0) -> Transcript:
    """Return `transcript`, or one without words if the engine was too unsure of them.

    `reject_below` 0 takes the engine's own threshold. An engine without confidence is believed.
    """
    if transcript.no_speech:
        return replace(transcript, text="", words=(), alternatives=())
    thresholds = OPEN_THRESHOLDS if expectation.open else THRESHOLDS
    least = reject_below or thresholds.get(transcript.engine, 0.0)
    if transcript.confidence is None or transcript.confidence >= least:
        return transcript
    return replace(transcript, text="", words=(), alternatives=())
