"""The schema as editors want it: few alternatives, titles, examples, snippets, scalars as YAML reads them.

A dialog's scalars are text to us, so `key: 0` and `hear: [42]` are right; an editor reads numbers there. And
a default is shown as an author writes it (`5s`), which the models hold in milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from voicebot.dialog.model.base import TIME_PATTERN

Schema = dict[str, Any]
Examples = Mapping[str, Mapping[str, str]]
"""Model ("" for the file itself) -> key -> an example of its value, as YAML."""

ALSO_NUMBERS = ("string", "number", "boolean")
"""What an editor may see where the file has a text."""

_TITLES = {
    "": "A dialog of voicebot",
    "Always": "A command",
    "Call": "Call of an included dialog",
    "Choice": "An answer",
    "Computed": "A computed value",
    "FetchRequest": "Request of a web service",
    "Hook": "A Python function",
    "JsonValue": "JSON",
    "Limits": "Limits",
    "Llm": "Free conversation",
    "Need": "A value from outside",
    "Record": "A message",
    "Say": "A prompt",
    "Slot": "A slot",
    "SlotChoice": "One value of a choice",
    "Step": "A step",
    "Transfer": "Transfer to a person",
}
_META = ("title", "description", "default", "examples")
_SNIPPETS: list[Schema] = [
    {
        "label": "ask for a slot",
        "description": "A question whose answer fills a slot.",
        "body": {"ask": "${1:Which day would suit you?}", "fill": "${2:day}", "failed": "${3:person}"},
    },
    {
        "label": "menu",
        "description": "A question with its answers, by voice or key.",
        "body": {
            "ask": "${1:Sales or support?}",
            "choices": {
                "${2:sales}": {"hear": ["${3:sales}"], "key": 1, "goto": "${4:sales}"},
                "${5:support}": {"hear": ["${6:support}"], "key": 2, "goto": "${7:support}"},
            },
        },
    },
    {
        "label": "yes or no",
        "description": "A question that is answered by yes or no.",
        "body": {
            "ask": "${1:Will you be there?}",
            "fill": "${2:attending}",
            "goto": {"${3:confirmed}": "${2:attending}", "${4:move}": "else"},
        },
    },
    {
        "label": "look up",
        "description": "Ask a web service, and keep what it says.",
        "body": {
            "fetch": {
                "get": "{env.${1:SHOP}}/${2:orders}/{${3:order}}",
                "keep": {"${4:status}": "${5:status}"},
                "filler": "One moment, please.",
            },
            "failed": "${6:person}",
        },
    },
    {
        "label": "switch",
        "description": "Go on by conditions.",
        "body": {"goto": {"${1:confirmed}": "${2:attending}", "${3:person}": "else"}},
    },
    {
        "label": "transfer",
        "description": "Hand the caller to a person.",
        "body": {"say": "I will put you through to a colleague.", "transfer": {"queue": "${1:reception}"}},
    },
    {"label": "end", "description": "Say good-bye.", "body": {"say": "${1:Goodbye.}", "end": "${2:done}"}},
]


def for_editors(models: Schema, examples: Examples) -> Schema:
    """Return the models' schema, tidied. `examples` are added to the keys that have one."""
    definitions = dict(models.get("$defs", {}))
    tidied = {name: _model(name, model, examples) for name, model in definitions.items()}
    root = _model("", {key: value for key, value in models.items() if key != "$defs"}, examples)
    for spec in root["properties"].values():
        if "$ref" in spec:  # a key that is all of a model is explained by it
            spec.setdefault("description", definitions[spec["$ref"].rpartition("/")[2]]["description"])
    shared = _Shared(tidied)
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **shared.within(root)}
    steps = whole["properties"]["steps"]
    for holder in (steps.get("additionalProperties"), *steps.get("patternProperties", {}).values()):
        if isinstance(holder, dict):
            holder["defaultSnippets"] = _SNIPPETS
    named = {name: shared.within(model) for name, model in tidied.items()}
    return {**whole, "$defs": {**named, **shared.definitions}}


def _model(name: str, model: Schema, examples: Examples) -> Schema:
    if "properties" not in model:
        return {**model, "title": _TITLES.get(name, name)}
    required = model.get("required", ())
    keys = {
        key: _key(name, key, spec, examples.get(name, {}).get(key, ""), required)
        for key, spec in model["properties"].items()
    }
    return {**model, "title": _TITLES.get(name, name), "properties": keys}


def _key(model: str, key: str, spec: Schema, example: str, required: Any) -> Schema:
    found: Schema = {"title": f"{_TITLES.get(model, model)}: {key}", **_shape(spec)}
    if description := spec.get("description"):
        found["description"] = description
    default = spec.get("default")
    if default not in (None, "", [], {}) and key not in required:
        found["default"] = _time(default) if _is_time(spec) and isinstance(default, int) else default
    if example:
        found["examples"] = [_value(example)]
    return found


def _value(example: str) -> Any:
    """Return an example as an editor reads it; a day, or what needs quotes, is a text."""
    try:
        value = YAML(typ="safe", pure=True).load(example)
    except YAMLError:
        return example
    return example if value is None or isinstance(value, date) else value


def _is_time(spec: Schema) -> bool:
    return _shape(spec).get("pattern") == f"^{TIME_PATTERN}$"


def _time(ms: int) -> str:
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if ms and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"


def _shape(spec: Schema) -> Schema:
    """Return a schema without its words: alternatives flat, no null, text also as number."""
    inner = {key: value for key, value in spec.items() if key not in _META}
    if "anyOf" in inner:
        ways: list[Schema] = []
        for way in inner["anyOf"]:
            shape = _shape(way)
            ways += shape["anyOf"] if set(shape) == {"anyOf"} else [shape]
        present = [way for way in _distinct(ways) if way.get("type") != "null"]
        if {"type": list(ALSO_NUMBERS)} in present:  # which takes numbers, too
            present = [way for way in present if way not in ({"type": "integer"}, {"type": "number"})]
        # A bound on all alternatives is one on their list only.
        many = {"maxItems": inner.get("maxLength", inner.get("maxItems"))}
        present = [
            {**w, **{k: v for k, v in many.items() if v}} if w.get("type") == "array" else w for w in present
        ]
        if len(present) == 1:
            return present[0]
        return {"anyOf": present}
    if inner.get("type") == "string" and "enum" not in inner and "const" not in inner:
        return {**inner, "type": _scalar(inner)}
    if inner.get("type") == "boolean" and "const" not in inner:
        return {"type": "boolean"}
    for key in ("items", "additionalProperties"):
        if isinstance(inner.get(key), dict):
            inner[key] = _nullable(inner[key]) if key == "additionalProperties" else _shape(inner[key])
    if "patternProperties" in inner:
        inner["patternProperties"] = {
            pattern: _nullable(value) for pattern, value in inner["patternProperties"].items()
        }
        inner["additionalProperties"] = False
    if "prefixItems" in inner:
        inner["prefixItems"] = [_shape(item) for item in inner["prefixItems"]]
    return inner


def _nullable(spec: Schema) -> Schema:
    """A named thing may be written without anything after the colon, where the model says so."""
    shape = _shape(spec)
    if any(way.get("type") == "null" for way in spec.get("anyOf", ())):
        return {"anyOf": [*shape.get("anyOf", [shape]), {"type": "null"}]}
    return shape


def _scalar(spec: Schema) -> list[str] | str:
    """Which scalars of YAML a text may look like."""
    pattern = spec.get("pattern", "")
    if not pattern:
        return list(ALSO_NUMBERS)
    return ["string", "integer"] if pattern.startswith(("^[0-9", "^[A-Za-z0-9_+")) else "string"


def _distinct(ways: list[Schema]) -> list[Schema]:
    return list({json.dumps(way, sort_keys=True): way for way in ways}.values())


class _Shared:
    """Gives alternatives that occur in many places one name each."""

    def __init__(self, models: Mapping[str, Schema]) -> None:
        counts: dict[str, int] = {}
        for model in models.values():
            for spec in model.get("properties", {}).values():
                if "anyOf" in spec:
                    shape = _dumped(spec)
                    counts[shape] = counts.get(shape, 0) + 1
        often = sorted((shape for shape, count in counts.items() if count > 1), key=len, reverse=True)
        self._names = {shape: name for shape in often if (name := _name_of(json.loads(shape)))}
        taken: dict[str, int] = {}
        for shape, name in self._names.items():
            taken[name] = taken.get(name, 0) + 1
            if taken[name] > 1:
                self._names[shape] = f"{name}{taken[name]}"
        self.definitions = {name: json.loads(shape) for shape, name in self._names.items()}

    def within(self, model: Schema) -> Schema:
        """Return a model whose keys refer to the shared shapes."""
        if "properties" not in model:
            return model
        keys = {key: self._referring(spec) for key, spec in model["properties"].items()}
        return {**model, "properties": keys}

    def _referring(self, spec: Schema) -> Schema:
        name = self._names.get(_dumped(spec)) if "anyOf" in spec else None
        if name is None:
            return spec
        meta = {key: spec[key] for key in _META if key in spec}
        return {**meta, "$ref": f"#/$defs/{name}"}


def _dumped(spec: Schema) -> str:
    return json.dumps({key: value for key, value in spec.items() if key not in _META}, sort_keys=True)


def _name_of(shape: Schema) -> str:
    """Name what is shared after what it is."""
    text = json.dumps(shape)
    if "#/$defs/Say" in text:
        return "Attempts" if '"maxItems": 20' in text else "Prompts"
    return "Words" if "array" in text else ""
