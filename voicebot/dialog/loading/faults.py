"""What the validator of the models finds, in an author's words: what is wrong, where, and the remedy."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from voicebot.dialog.checking.suggest import near
from voicebot.dialog.loading.yamlfile import Path, YamlFile
from voicebot.dialog.model.base import Strict
from voicebot.dialog.model.dialog import Always, Choice, DialogFile, Limits, Need, Say, Slot, Step, Transfer
from voicebot.dialog.model.slots import SlotChoice
from voicebot.errors import Problem

_MODELS: tuple[tuple[Path, type[Strict]], ...] = (
    ((), DialogFile),
    (("limits",), Limits),
    (("needs", "*"), Need),
    (("slots", "*"), Slot),
    (("slots", "*", "choices", "*"), SlotChoice),
    (("always", "*"), Always),
    (("steps", "*"), Step),
    (("steps", "*", "choices", "*"), Choice),
    (("steps", "*", "transfer"), Transfer),
)
_SAYS = frozenset(("say", "ask", "help", "noinput", "nomatch"))
_FIRST_STEP = "such as `hi: {say: Hello., end: done}`"
_MAPPINGS = {
    "steps": f"begin with one step, {_FIRST_STEP}",
    "slots": "such as `attending: yes_no`",
    "needs": "such as `first_name: text`",
    "always": "such as `agent: {goto: person}`",
    "choices": "name each one, with what callers say for it: `sales: [sales, buy something]`",
    "goto": "name a step, or steps with their conditions: `goto: {confirmed: attending, person: else}`",
    "set": "give each value its expression: `set: {tries: tries + 1}`",
}
"""Remedies where keys and values are missing, by the key that must hold them."""
_RANGES = {
    "length": ("`length` is a number of digits, or the fewest and the most", "write 4, or [3, 6]"),
    "between": ("`between` is the least and the greatest number", "write [1, 10]"),
}
_PATTERNS = {
    "wav": "a .wav file in the folder of the dialog, or below it",
    "key": "one key: 0 to 9, *, # or A to D",
    "language": "a language tag such as en-US or ko-KR",
    "to": "an extension of the dialplan, such as reception or 2001",
}


def problems_of(error: ValidationError, yaml: YamlFile, source: str) -> list[Problem]:
    """Return every fault of a dialog's form; several about one thing are told once."""
    found: dict[tuple[int | None, int | None, str], Problem] = {}
    for fault in error.errors():
        path, at_key = _path(fault["loc"], yaml.data)
        if path[:1] == ("slots",) and len(path) > 2 and path[2] in _RANGES and fault["type"] != "value_error":
            path = path[:3]
            what, remedy = _RANGES[str(path[2])]
        else:
            what, remedy = _told(fault, path)
        at_key = at_key or fault["type"] in ("extra_forbidden", "missing")
        line, column = yaml.position(path, key=at_key) or (None, None)
        found.setdefault((line, column, what), Problem(what, remedy, source, line, column, fault["type"]))
    return list(found.values())


def _told(fault: ErrorDetails, path: Path) -> tuple[str, str]:
    """Return what is wrong, and the remedy."""
    given, limits = fault["input"], fault.get("ctx", {})
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    match fault["type"]:
        case "extra_forbidden":
            known = _known_keys(path[:-1])
            remedy = near(str(path[-1]), known) or f"known are {', '.join(known)}"
            return f"`{path[-1]}` is not known here", remedy
        case "missing":
            return f"`{fault['loc'][-1]}` is missing", "see docs/dialogs.md"
        case "literal_error":
            allowed = str(limits.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
            remedy = near(str(given), allowed) or f"possible are {', '.join(allowed)}"
            return f"`{given}` is not possible here", remedy
        case "string_pattern_mismatch":
            usual = "use small letters, digits, - and _; begin with a letter"
            return f"`{given}` cannot be written so", _PATTERNS.get(str(path[-1]) if path else "", usual)
        case "model_type" | "model_attributes_type" | "dict_type":
            return _no_mapping(given, path)
        case "string_type":
            return f"a text is wanted here, not {_shape(given)}", (
                "write one, or take it away"
                if given is None
                else 'put it into quotes; a text that begins with { needs them: "{name}, hello"'
            )
        case "string_too_short":
            return f"`{name}` is empty", "write it, or take it away"
        case "string_too_long":
            return f"`{name}` is longer than {limits['max_length']} characters", "make it shorter"
        case "too_short":
            return f"`{name}` is empty", _MAPPINGS.get(name, "write one, or take it away")
        case "too_long":
            return f"`{name}` holds more than {limits['max_length']}", "take some away"
        case "tuple_type":
            example = str(given) if isinstance(given, str) else "one, two"
            return f"`{name}` must be a list, not {_shape(given)}", f"write [{example}]"
        case "greater_than_equal":
            return f"`{name}` is too small", f"at least {limits['ge']}"
        case "less_than_equal":
            return f"`{name}` is too large", f"at most {limits['le']}"
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return f"`{name}` must be a whole number", "such as 3"
        case "bool_type" | "bool_parsing":
            return f"`{name}` is neither true nor false", "write true or false"
    message = fault["msg"].removeprefix("Value error, ")
    return (f"{name}: {message}" if name else message), ""


def _no_mapping(given: Any, path: Path) -> tuple[str, str]:
    if not path:
        return "is no mapping", f"known keys are {', '.join(_known_keys(path))}"
    what = f"`{path[-1]}` must hold keys and values, not {_shape(given)}"
    if isinstance(given, str) and len(path) > 1 and path[-2] == "choices":
        return what, f"write what callers say as a list: [{given}]"
    if known := _known_keys(path):
        return what, f"known keys are {', '.join(known)}"
    return what, _MAPPINGS.get(str(path[-1]), "")


def _shape(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys and values"
    return "a list" if isinstance(value, list) else "a text"


def _path(location: tuple[int | str, ...], data: Any) -> tuple[Path, bool]:
    """Follow a validator's location through the data, past its own names for branches and keys."""
    path: list[str | int] = []
    at_key = False
    for part in location:
        if part == "[key]":
            at_key = True
            continue
        children: Any = data if isinstance(data, dict) else {}
        if isinstance(data, list):
            children = dict(enumerate(data))
        if part in children:
            path.append(part)
            data = children[part]
    return tuple(path), at_key


def _known_keys(path: Path) -> list[str]:
    model: type[Strict] | None = None
    for pattern, candidate in _MODELS:
        if len(pattern) == len(path) and all(p in ("*", at) for p, at in zip(pattern, path, strict=True)):
            model = candidate
    if model is None and any(part in _SAYS for part in path[-2:]):
        model = Say
    return [info.alias or name for name, info in model.model_fields.items()] if model else []
