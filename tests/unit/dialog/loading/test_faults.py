"""Unit: whatever is written in place of a value, an author is told in plain words, with a remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from voicebot.dialog.checking.finding import CODES
from voicebot.dialog.loading.loader import examine
from voicebot.dialog.loading.shapes import known_keys, model_at
from voicebot.dialog.loading.yamlfile import Path
from voicebot.dialog.model.base import Strict

pytestmark = pytest.mark.unit

STEPS: dict[str, Any] = {"a": {"end": "x"}}
PLACES: dict[str, Path] = {
    "DialogFile": (),
    "Limits": ("limits",),
    "Need": ("needs", "n"),
    "Computed": ("values", "v"),
    "Slot": ("slots", "s"),
    "SlotChoice": ("slots", "s", "choices", "c"),
    "Always": ("always", "c"),
    "Step": ("steps", "a"),
    "Choice": ("steps", "a", "choices", "c"),
    "Say": ("steps", "a", "say"),
    "FetchRequest": ("steps", "a", "fetch"),
    "Hook": ("steps", "a", "hook"),
    "Call": ("steps", "a", "call"),
    "Record": ("steps", "a", "record"),
    "Llm": ("steps", "a", "llm"),
    "Transfer": ("steps", "a", "transfer"),
}
NEEDED: dict[str, dict[str, Any]] = {
    "Slot": {"type": "text"},
    "Hook": {"name": "h"},
    "Call": {"dialog": "d"},
    "Llm": {"about": "Talk."},
}
WRONG: tuple[Any, ...] = (
    "(!)",
    "x" * 9000,
    {"(!)": {"b": 1}},
    [[["(!)"]]],
    {},
    [],
    "-1",
    "999999999999999999999",
)
JARGON = (
    "Input should",
    "validat",
    "instance of",
    "dictionary",
    "tuple",
    "None",
    "pydantic",
    "type=",
    "str ",
)


def subclasses() -> set[str]:
    ours = "voicebot.dialog.model."
    return {model.__name__ for model in Strict.__subclasses__() if model.__module__.startswith(ours)}


def test_every_model_has_a_place_and_its_keys_are_known() -> None:
    assert set(PLACES) == subclasses()
    for name, path in PLACES.items():
        found = model_at(path)
        assert found is not None and found.__name__ == name
        assert known_keys(path) == [info.alias or key for key, info in found.model_fields.items()]


def written(path: Path, value: Any, needed: dict[str, Any]) -> str:
    """A dialog with `value` at `path`, as YAML (which JSON is)."""
    dialog: dict[str, Any] = {"dialog": "x", "steps": json.loads(json.dumps(STEPS))}
    here = dialog
    for part in path[:-1]:
        here = here.setdefault(str(part), {})
    here.update({key: given for key, given in needed.items() if key != path[-1]})
    if path[:2] == ("slots", "s") and len(path) > 3:
        dialog["slots"]["s"]["type"] = "choice"
    here[str(path[-1])] = value
    return json.dumps(dialog)


def keys() -> Iterator[tuple[str, Path]]:
    for name, path in PLACES.items():
        for key in known_keys(path):
            yield name, (*path, key)


@pytest.mark.parametrize(("name", "path"), list(keys()), ids=[f"{n}.{p[-1]}" for n, p in keys()])
def test_a_wrong_value_is_told_in_plain_words(name: str, path: Path) -> None:
    refused = 0
    for value in WRONG:
        text = written(path, value, NEEDED.get(name, {}))
        mistakes = examine(text, "x.yaml").mistakes
        forms = [p for p in mistakes if p.code == "form"]
        refused += bool(mistakes)
        for problem in forms:
            said = f"{problem.what} / {problem.remedy}"
            assert problem.remedy and problem.line == 1 and problem.column, said
            assert not any(word in said for word in JARGON), said
            assert len(said) < 800, said[:300]
        assert {p.code for p in mistakes} <= CODES.keys()
    assert refused >= 2, "nothing that was tried is wrong there"


@pytest.mark.parametrize("name", PLACES)
def test_a_wrong_key_is_told_with_those_that_are_known(name: str) -> None:
    path = PLACES[name]
    key = known_keys(path)[0]
    text = written((*path, f"{key}x"), "a", NEEDED.get(name, {}))
    fitting = [p for p in examine(text).mistakes if f"`{key}x` is not known" in p.what]
    assert fitting and key in fitting[0].remedy


@pytest.mark.parametrize(("wrong", "shape"), [("text", "a text"), (["a"], "a list"), (None, "nothing")])
@pytest.mark.parametrize("name", [name for name in PLACES if name != "DialogFile"])
def test_what_must_hold_keys_and_values(name: str, wrong: Any, shape: str) -> None:
    path = PLACES[name]
    for problem in examine(written(path, wrong, {})).mistakes:
        if problem.code == "form":
            assert problem.remedy and not any(word in problem.what for word in JARGON), problem
