"""Engines: a prompt that is spoken well is heard rightly over a telephone line, and a mangled one is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from voicebot.audio.wav import read_wav
from voicebot.authoring.prompts.intelligible import compare
from voicebot.authoring.prompts.listening import Ears, best_model
from voicebot.authoring.prompts.sounding import RATE, Voices, telephone
from voicebot.cli import app
from voicebot.config import Config
from voicebot.dialog.turns import SpokenPause, SpokenText
from voicebot.engines.models import list_models

pytestmark = pytest.mark.engines

WORDS = "Would you like to leave a message, or is it an emergency?"
CONFIG = '[tts.english]\nengine = "piper"\n\n[stt.english]\nengine = "whisper"\n'
DIALOG = """\
dialog: sample
steps:
  greet: {say: Would you like to leave a message?}
  mangled: {say: Grzbl frnk uvwt xoompf., end: done}
"""


async def test_what_is_said_is_heard(tmp_path: Path) -> None:
    config = Config.model_validate({"tts": {"english": {"engine": "piper"}}, "base": tmp_path})
    async with Voices(config) as voices, Ears(config.models) as ears:
        said = await voices.speak([SpokenText(WORDS, "en-US"), SpokenPause(400)])
        assert np.abs(said[-RATE // 4 :]).max() == 0  # the silence after it
        heard = await ears.hear(telephone(said), "en-US")
        assert compare(WORDS, heard, "en-US").rate <= 0.1
        assert ears.name("en-US").startswith("whisper")
        assert await ears.hear(np.zeros(RATE, np.int16), "en-US") == ""


def test_the_best_ear_for_a_language_is_chosen(tmp_path: Path) -> None:
    models = list_models(tmp_path)
    english, korean = best_model(models, "en-GB"), best_model(models, "ko-KR")
    assert english is not None and english.engine == "whisper"
    assert korean is not None and korean.engine == "vosk"
    assert best_model(models, "xx") is None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "voicebot.toml").write_text(CONFIG)
    (tmp_path / "sample.yaml").write_text(DIALOG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_names_the_prompt_that_is_misheard(folder: Path) -> None:
    done = CliRunner().invoke(app, ["dialog", "intelligible", "sample.yaml", "--json"])
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert not rows["greet.say"]["misheard"]
    assert rows["mangled.say"]["misheard"] and rows["mangled.say"]["line"] == 4
    assert rows["mangled.say"]["words"] and rows["mangled.say"]["remedy"]


def test_prompts_are_written_as_the_phone_has_them(folder: Path) -> None:
    done = CliRunner().invoke(app, ["dialog", "say", "sample.yaml", "--all", "-o", "out", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    wav = read_wav(folder / "out" / "greet.say.wav")
    assert wav.sample_rate == RATE
    assert rows[0]["ms"] == len(wav.samples) * 1000 // RATE > 500
