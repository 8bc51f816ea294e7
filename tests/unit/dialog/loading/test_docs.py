"""Unit: the reference for authors names everything that there is; its and the README's examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from voicebot.authoring.chat import converse
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.model.dialog import Always, Choice, DialogFile, Limits, Need, Say, Slot, Step, Transfer
from voicebot.dialog.model.slots import SlotKind
from voicebot.dialog.speaking.templates import FILTERS

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[4]
TEXT = (ROOT / "docs" / "dialogs.md").read_text()
README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT + README, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0])
def test_every_example_is_flawless(example: str) -> None:
    assert parse_dialog(example).warnings == ()


def test_the_first_conversation_is_as_shown() -> None:
    shown = re.search(r"```text\n(.*?)```", TEXT, re.DOTALL)
    assert shown is not None
    lines = [line.split(">", 1) for line in shown[1].splitlines()]
    said = [text.strip() for who, text in lines if who == "caller"]
    assert converse(parse_dialog(EXAMPLES[0]), said) == [text.strip() for who, text in lines if who == "bot"]


def test_everything_is_documented() -> None:
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`|```.*?```", TEXT, re.DOTALL))))
    models = (DialogFile, Need, Slot, Always, Limits, Step, Choice, Say, Transfer)
    names = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert not (names | set(get_args(SlotKind)) | set(FILTERS)) - words
