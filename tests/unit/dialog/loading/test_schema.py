"""Unit: the schema for editors takes every dialog that we take, explains every key, and marks usual slips."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from voicebot.authoring.reference.examples import EXAMPLES
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.loading.schema import STORED, schema_text

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[4]
DIALOGS = sorted(
    p for p in (ROOT / "dialogs").rglob("*.yaml") if not p.name.endswith((".test.yaml", ".campaign.yaml"))
)
SCHEMA = json.loads(STORED.read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
STEP = "dialog: x\nsteps:\n  a: {%s}\n"


def as_an_editor_reads(text: str) -> Any:
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))


def mistakes(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(as_an_editor_reads(text))]


def test_the_stored_schema_is_that_of_the_models() -> None:
    assert STORED.read_text(encoding="utf-8") == schema_text(EXAMPLES), "run scripts/references"
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
def test_it_takes_the_dialogs_that_come_along(path: Path) -> None:
    assert mistakes(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "step",
    [
        "say: 42, end: x",
        "say: [Hello., {wav: hi.wav, silence: 500ms}], end: x",
        "ask: Hm?, choices: {b: [go on], c: , d: {hear: 42, key: 0, goto: a}}",
        "ask: Hm?, fill: [b, c], goto: {a: b, d: else}, timeout: 1.5s",
        "fetch: {get: 'https://x.org', accept: [404], keep: {b: c.0.d}, timeout: 10s}, goto: a",
        "transfer: 2001",
        "record: true, fill: b",
        "if: true, end: x",
    ],
)
def test_it_takes_short_forms_and_scalars_of_every_look(step: str) -> None:
    assert mistakes(STEP % step) == []


@pytest.mark.parametrize(
    "text",
    [
        STEP % "sya: Hello.",
        STEP % "say: Hello., timeout: 5",
        STEP % "say: [1, [2]]",
        STEP % "ask: Hm?, choices: [b, c]",
        STEP % "ask: Hm?, confirm: sometimes",
        STEP % "fetch: {get: x, retries: 99}",
        STEP % "fetch: {gett: x}",
        STEP % "transfer: {too: x}",
        STEP % "llm: {turns: 3}",
        STEP % "end: Good Bye",
        "dialog: x\nsteps: {}\n",
        "dialog: x\nsteps: {A b: {end: x}}\n",
        "dialog: x\nslots: {a: colour}\nsteps: {a: {end: x}}\n",
        "steps: {a: {end: x}}\n",
    ],
)
def test_it_marks_what_is_wrong(text: str) -> None:
    assert mistakes(text)


def keys() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, model in {"dialog": SCHEMA, **SCHEMA["$defs"]}.items():
        for key, spec in model.get("properties", {}).items():
            yield f"{name}.{key}", spec


@pytest.mark.parametrize(("key", "spec"), list(keys()), ids=[key for key, _ in keys()])
def test_every_key_has_a_title_a_word_and_an_example_that_fits(key: str, spec: dict[str, Any]) -> None:
    assert spec["title"] and spec["description"]
    for example in spec["examples"]:
        assert list(VALIDATOR.evolve(schema={**spec, "$defs": SCHEMA["$defs"]}).iter_errors(example)) == []


def test_steps_have_snippets_that_are_steps() -> None:
    held = next(iter(SCHEMA["properties"]["steps"]["patternProperties"].values()))
    for snippet in held["defaultSnippets"]:
        filled = json.loads(_filled(json.dumps(snippet["body"])))
        assert mistakes(json.dumps({"dialog": "x", "steps": {"a": filled}})) == [], snippet["label"]


def _filled(body: str) -> str:
    """Take the editor's place holders away: ${1:day} is day."""
    return re.sub(r"\$\{\d+:([^}]*)\}", r"\1", body)


def test_a_dialog_names_its_schema_in_the_first_line() -> None:
    for path in DIALOGS:
        first = path.read_text(encoding="utf-8").split("\n", 1)[0]
        schema = first.partition("$schema=")[2].strip()
        assert (path.parent / schema).resolve() == STORED, path
        load_dialog(path)
