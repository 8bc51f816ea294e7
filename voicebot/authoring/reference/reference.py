"""The reference of the dialog language, made from the models: each key, its type, default and meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voicebot.authoring.reference.examples import ABOUT_TYPES, EXAMPLES, FILTER_SAMPLES
from voicebot.dialog.expressions.functions import FUNCTIONS
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.loading.schema import dialog_schema
from voicebot.dialog.model.base import Strict
from voicebot.dialog.model.dialog import DialogFile
from voicebot.dialog.model.words import CALL_VALUES, COMMAND_KEYS, COMMANDS, ENVIRONMENT, RUN_VALUES
from voicebot.dialog.speaking.spoken import ARGUMENTS, FILTERS, say_value

TITLES = {
    "": ("The file", "The header of a dialog, and its steps."),
    "Need": ("needs", ""),
    "Slot": ("slots", ""),
    "SlotChoice": ("slots: choices", ""),
    "Computed": ("values", ""),
    "Always": ("always", ""),
    "Limits": ("limits", ""),
    "Step": ("steps", ""),
    "Choice": ("steps: choices", ""),
    "Say": (
        "Prompts",
        "What stands under `say`, `ask`, `help`, `noinput`, `nomatch`, `invalid` and `filler`.",
    ),
    "FetchRequest": ("fetch", ""),
    "Hook": ("hook", ""),
    "Call": ("call", ""),
    "Record": ("record", ""),
    "Llm": ("llm", ""),
    "Transfer": ("transfer", ""),
}
"""Models in the order of the reference: the heading, and what it is where the model itself does not tell."""

_PROMPT = "[prompt](#prompts)"
_PATTERNS = (
    ("^[0-9*#A-D]$", "a key: 0 to 9, *, #, A to D"),
    ("^[a-z][a-z0-9_-]{0,63}$", "name"),
    ("^[a-z][a-z0-9_]{0,63}$", "name"),
    ("^[a-z0-9_-]{1,64}$", "name"),
    ("^[A-Za-z]{2,3}(", "language tag"),
    ("^[A-Z]{3}$", "currency code"),
    ("^[A-Z]{2}$", "country code"),
    ("^([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*", "file"),
    ("^(([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*", "wav file"),
    ("^[A-Za-z0-9_-]+(\\.", "path in the reply"),
    ("^[A-Za-z_][A-Za-z0-9_.-]", "name"),
    ("^[A-Za-z0-9_+*#-]", "extension"),
    ("^[A-Za-z0-9_-]{1,64}$", "name"),
    ("^[A-Za-z0-9-]{1,64}$", "name"),
)
"""What a text with this pattern is called, by the beginning of the pattern."""
_MODELS: dict[str, type[Strict]] = {
    "": DialogFile,
    **{model.__name__: model for model in Strict.__subclasses__()},
}
_UNITS = ((3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms"))


def dialog_reference() -> str:
    """Return the reference as Markdown."""
    schema = dialog_schema()
    models: dict[str, Any] = {"": schema, **schema["$defs"]}
    parts = [_section(name, models[name], title, about) for name, (title, about) in TITLES.items()]
    return "\n\n".join([*parts, _types(), _filters(), _functions(), _names(), _commands()])


def undocumented() -> set[str]:
    """Return models, keys and types of the language that the reference would leave out."""
    schema = dialog_schema()
    models: dict[str, Any] = {"": schema, **schema["$defs"]}
    missing = {f"model {name}" for name in models if name not in TITLES and name != "JsonValue"}
    for name, model in models.items():
        keys = set(model.get("properties", {}))
        missing |= {f"{name}.{key}: no example" for key in keys - set(EXAMPLES.get(name, {}))}
        missing |= {f"{name}.{key}: no such key" for key in set(EXAMPLES.get(name, {})) - keys}
    kinds = set(models["Slot"]["properties"]["type"]["enum"])
    missing |= {f"type {kind}" for kind in kinds ^ set(ABOUT_TYPES)}
    return missing | {f"filter {name}" for name in FILTERS.keys() ^ FILTER_SAMPLES.keys()}


def _section(name: str, model: dict[str, Any], title: str, about: str) -> str:
    required = set(model.get("required", ()))
    about = about or _first_paragraph(model.get("description", ""))
    lines = [
        f"## {title}",
        "",
        about,
        "",
        "| key | type | default | meaning | example |",
        "|---|---|---|---|---|",
    ]
    for key, spec in model["properties"].items():
        kind = "time" if _is_time(name, key) else type_of(spec)
        default = "*required*" if key in required else _default(spec, key)
        meaning = _cell(spec.get("description", ""))
        example = EXAMPLES.get(name, {}).get(key, "")
        lines.append(f"| `{key}` | {_cell(kind)} | {default} | {meaning} | {_code(example)} |")
    return "\n".join(lines)


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def type_of(spec: dict[str, Any]) -> str:
    """Return the type of a JSON Schema in an author's words."""
    if "$ref" in spec:
        return _model(spec["$ref"].rpartition("/")[2])
    if "const" in spec:
        return f"`{str(spec['const']).lower()}`"
    if "enum" in spec:
        if "recording" in spec["enum"] or "datetime" in spec["enum"]:
            return "[type](#types)"
        return " ".join(f"`{member}`" if member else '`""`' for member in spec["enum"])
    if "anyOf" in spec:
        kinds = dict.fromkeys(type_of(each) for each in spec["anyOf"] if each.get("type") != "null")
        if _PROMPT in kinds:
            return f"{_PROMPT}, or a list of them" if any("list" in kind for kind in kinds) else _PROMPT
        if "number" in kinds:
            kinds.pop("whole number", None)
        return ", or ".join(kinds)
    match spec.get("type"):
        case "array" if "prefixItems" in spec:
            return f"[least, greatest], each {type_of(spec['prefixItems'][0])}"
        case "array":
            return f"list: {type_of(spec['items'])}"
        case "object":
            inner = next(iter(spec.get("patternProperties", {}).values()), spec.get("additionalProperties"))
            return f"name: {type_of(inner)}" if isinstance(inner, dict) else "mapping"
        case "boolean":
            return "true, false"
        case "integer":
            low, high = spec.get("minimum"), spec.get("maximum")
            return (
                f"whole number, {low} to {high}" if low is not None and high is not None else "whole number"
            )
        case "number":
            return "number"
        case "string":
            return _text_type(spec)
        case many if isinstance(many, list):
            return _text_type(spec)
    return "anything"


def _text_type(spec: dict[str, Any]) -> str:
    pattern = spec.get("pattern", "")
    for beginning, name in _PATTERNS:
        if pattern.startswith(beginning):
            return name
    return "expression" if spec.get("maxLength") == 500 else "text"


def _is_time(model: str, key: str) -> bool:
    """Whether a value is written `5s`: to the schema that is any text, since our own code reads it."""
    fields = _MODELS[model].model_fields
    field = next(field for name, field in fields.items() if (field.alias or name) == key)
    return "_milliseconds" in f"{field.metadata}{field.annotation}"


def _model(name: str) -> str:
    if name == "Say":
        return _PROMPT
    if name == "JsonValue":
        return "anything"
    title = TITLES[name][0]
    return f"[{title}](#{title.replace(':', '').replace(' ', '-').lower()})"


def _default(spec: dict[str, Any], key: str) -> str:
    value = spec.get("default")
    if value in (None, "", [], {}) and not isinstance(value, bool | int):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int) and spec.get("type") == "string":
        return f"`{_time(value)}`"
    return f"`{value}`"


def _time(ms: int) -> str:
    """Return milliseconds as an author writes them."""
    if not ms:
        return "0s"
    size, unit = next((size, unit) for size, unit in _UNITS if ms % size == 0)
    return f"{ms // size}{unit}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _types() -> str:
    lines = ["## Types", "", "What a slot may be, and with it a need or a computed value.", ""]
    lines += ["| type | callers say | its value |", "|---|---|---|"]
    lines += [f"| `{kind}` | {said} | {value} |" for kind, (said, value) in ABOUT_TYPES.items()]
    return "\n".join(lines)


def _filters() -> str:
    lines = [
        "## Filters",
        "",
        "`{name|filter}` says a value in its way; without one it is said as its declared type is.",
        "",
    ]
    lines += ["| filter | said of | | with an argument |", "|---|---|---|---|"]
    for name in FILTERS:
        sample = FILTER_SAMPLES[name]
        shown = ", ".join(sample) if isinstance(sample, tuple) else sample
        argument = ARGUMENTS[name][1] if name in ARGUMENTS else ""
        lines.append(f"| `{name}` | {shown} | {say_value(sample, name, 'en-US')} | {argument} |")
    return "\n".join(lines)


def _functions() -> str:
    lines = [
        "## Functions",
        "",
        "In conditions and computed values. What a function cannot use, is unknown.",
        "",
    ]
    lines += ["| function | result | meaning |", "|---|---|---|"]
    lines += [f"| `{f.form}` | {f.result} | {_cell(f.about)} |" for f in FUNCTIONS.values()]
    return "\n".join(lines)


def _names() -> str:
    about = {
        "call.number": "the caller's number",
        "call.called": "the called number",
        "call.id": "the call's id",
        "result": "status of the last look-up, value of the last hook, or word of the last included dialog",
        "now": "date and time of the call's clock",
        "today": "its day",
        "error": "why the last look-up or hook failed",
    }
    lines = ["## Names that are always there", "", "| name | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {about.get(name, '')} |" for name in (*CALL_VALUES, *RUN_VALUES)]
    lines.append(f"| `{ENVIRONMENT}NAME` | a value of the operator's environment, as far as it is allowed |")
    return "\n".join(lines)


def _commands() -> str:
    lines = [
        "## Commands",
        "",
        "Understood in every step without a line of yours, and changed under `always`.",
        "",
        "| command | key | callers say, for example |",
        "|---|---|---|",
    ]
    lines += list(_command_rows())
    return "\n".join(lines)


def _command_rows() -> Iterator[str]:
    heard = lexicon_of("en-US").commands
    for name in COMMANDS:
        key = f"`{COMMAND_KEYS[name]}`" if name in COMMAND_KEYS else ""
        yield f"| `{name}` | {key} | {', '.join(heard.get(name, ())[:4])} |"
