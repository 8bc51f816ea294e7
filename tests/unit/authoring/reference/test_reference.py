"""Unit: the reference of dialogs leaves nothing out, its examples are possible, and the docs are in step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from voicebot.authoring.reference.examples import EXAMPLES
from voicebot.authoring.reference.reference import dialog_reference, type_of, undocumented
from voicebot.dialog.loading.yamlfile import read_yaml
from voicebot.dialog.model.base import Strict
from voicebot.dialog.model.dialog import DialogFile

pytestmark = pytest.mark.unit

PAGE = Path(__file__).resolve().parents[4] / "docs" / "dialog-reference.md"
MODELS: dict[str, type[Strict]] = {"": DialogFile, **{m.__name__: m for m in Strict.__subclasses__()}}
EACH = [(model, key, text) for model, keys in EXAMPLES.items() for key, text in keys.items()]


def test_nothing_is_left_out() -> None:
    assert undocumented() == set()


def test_the_page_is_what_the_models_say() -> None:
    made = PAGE.read_text(encoding="utf-8").partition("<!-- made by scripts/references -->")[2].strip()
    assert made == dialog_reference(), "run scripts/references"


@pytest.mark.parametrize(("model", "key", "text"), EACH, ids=[f"{m or 'file'}.{k}" for m, k, _ in EACH])
def test_every_example_is_one(model: str, key: str, text: str) -> None:
    value = read_yaml(_in_yaml(key, text), "example").data[key]
    try:
        MODELS[model].model_validate({key: value})
    except ValidationError as error:  # about other keys, which are missing, but not about this one
        assert not [fault for fault in error.errors() if fault["loc"][:1] == (key,)]


def _in_yaml(key: str, text: str) -> str:
    """Quote what an author has to quote: a text with a brace at its start, and the one-character keys."""
    braces = text.startswith("{") and (":" not in text.split("}")[0] or text.startswith("{env."))
    return f"{key}: {text!r}" if braces or text in ("#", "*") else f"{key}: {text}"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"type": "boolean"}, "true, false"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "whole number"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "whole number, 1 to 9"),
        ({"enum": ["chance", "turn"], "type": "string"}, "`chance` `turn`"),
        ({"$ref": "#/$defs/Say"}, "[prompt](#prompts)"),
        ({"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{3}$"}}, "list: currency code"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "name: text"),
    ],
)
def test_types_are_told_in_words(spec: dict[str, Any], words: str) -> None:
    assert type_of(spec) == words
