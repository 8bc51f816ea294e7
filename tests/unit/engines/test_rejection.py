"""Unit: what an engine was too unsure of is not taken."""

from __future__ import annotations

import pytest

from voicebot.engines.rejection import THRESHOLDS, judge
from voicebot.speech.stt import Expectation, Transcript

pytestmark = pytest.mark.unit

STEP = Expectation(phrases=("yes", "no"))


@pytest.mark.parametrize("engine", THRESHOLDS)
def test_each_engine_has_its_own_threshold(engine: str) -> None:
    unsure = Transcript("yes", THRESHOLDS[engine] - 0.01, engine=engine, alternatives=("yeah",))
    sure = Transcript("yes", THRESHOLDS[engine], engine=engine)
    assert judge(sure, STEP) == sure
    rejected = judge(unsure, STEP)
    # The dialog tries alternatives when the text means nothing: a rejected one must not come back that way.
    assert (rejected.text, rejected.alternatives, rejected.confidence) == ("", (), unsure.confidence)


def test_an_operator_may_set_the_threshold() -> None:
    heard = Transcript("yes", 0.8, engine="vosk")
    assert judge(heard, STEP, reject_below=0.9).text == ""
    assert judge(heard, STEP, reject_below=0.3).text == "yes"


def test_free_speech_is_measured_differently() -> None:
    heard = Transcript("my name is sara", 0.4, engine="vosk")
    assert judge(heard, STEP).text == ""
    assert judge(heard, Expectation(open=True)).text == "my name is sara"


def test_noise_has_no_words_and_no_confidence_is_believed() -> None:
    assert judge(Transcript("you", 0.9, no_speech=True, engine="whisper"), STEP).text == ""
    assert judge(Transcript("yes", None, engine="vosk"), STEP).text == "yes"
