"""From the text of a dialog file to a checked `Dialog`; all mistakes are told at once, with their places."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from rapidfuzz import process

from voicebot.dialog.base import Language
from voicebot.dialog.check import Finding, check
from voicebot.dialog.model import (
    Always,
    Choice,
    Dialog,
    DialogFile,
    Limits,
    Need,
    Say,
    Slot,
    Step,
    Transfer,
)
from voicebot.dialog.slots import SlotChoice
from voicebot.dialog.yamlfile import Path, YamlFile, read_yaml
from voicebot.errors import Problem, UserError

VERSION_LENGTH = 12
"""Hexadecimal digits of the SHA-256 of a dialog's text."""

_NEAR_ENOUGH = 60
"""Similarity (0 to 100) from which on a name is offered as "did you mean"."""

_MODELS: tuple[tuple[Path, type[Language]], ...] = (
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


def parse_dialog(text: str, source: str = "dialog.yaml", folder: str = "") -> Dialog:
    """Read a dialog. `source` names it in messages; `folder` is where its wav files lie.

    Raises UserError with every problem found. What does not keep it from running is in `Dialog.warnings`.
    """
    yaml = read_yaml(text, source)
    try:
        file = DialogFile.model_validate(yaml.data)
    except ValidationError as error:
        raise UserError(_problems(error, yaml, source)) from error
    findings = check(file)
    problems = [_problem(finding, yaml, source) for finding in findings if not finding.warning]
    if problems:
        raise UserError(_in_order(problems))
    warnings = tuple(_in_order([_problem(f, yaml, source) for f in findings if f.warning]))
    version = hashlib.sha256(text.encode()).hexdigest()[:VERSION_LENGTH]
    return Dialog(file, version, source, folder, warnings)


def near(word: str, among: Mapping[str, Any] | list[str]) -> str:
    """Return "did you mean ...?", or ""."""
    found = process.extractOne(word, list(among), score_cutoff=_NEAR_ENOUGH)
    return f"did you mean `{found[0]}`?" if found else ""


def _problem(finding: Finding, yaml: YamlFile, source: str) -> Problem:
    line, column = yaml.position(finding.path, key=finding.at_key) or (None, None)
    return Problem(finding.what, finding.remedy, source, line, column, finding.code)


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda p: (p.line or 0, p.column or 0))


def _problems(error: ValidationError, yaml: YamlFile, source: str) -> list[Problem]:
    found: dict[tuple[int | None, int | None, str], Problem] = {}
    for fault in error.errors():
        path, at_key = _path(fault["loc"], yaml.data)
        kind, message = fault["type"], fault["msg"].removeprefix("Value error, ")
        remedy = ""
        if kind == "extra_forbidden":
            what, at_key = f"`{path[-1]}` is not known here", True
            known = _known_keys(path[:-1])
            remedy = near(str(path[-1]), known) or f"known are {', '.join(known)}"
        elif kind == "missing":
            what = f"`{fault['loc'][-1]}` is missing"
            remedy = "see docs/dialogs.md"
            at_key = True
        elif kind == "literal_error":
            allowed = (
                str(fault.get("ctx", {}).get("expected", ""))
                .replace("'", "")
                .replace(" or ", ", ")
                .split(", ")
            )
            what = f"`{fault['input']}` is not possible here"
            remedy = near(str(fault["input"]), allowed) or f"possible are {', '.join(allowed)}"
        elif kind == "string_pattern_mismatch":
            what = f"`{fault['input']}` cannot be written so"
            usual = "use small letters, digits, - and _; begin with a letter"
            remedy = _PATTERNS.get(str(path[-1]) if path else "", usual)
        elif kind in ("model_type", "model_attributes_type", "dict_type"):
            what = (
                f"`{path[-1]}` must hold keys and values, not {_shape(fault['input'])}"
                if path
                else "is no mapping"
            )
            remedy = f"known keys are {', '.join(known)}" if (known := _known_keys(path)) else ""
        elif kind == "string_type":
            what = f"a text is wanted here, not {_shape(fault['input'])}"
            remedy = 'put it into quotes; a text that begins with { needs them: "{name}, hello"'
        else:
            name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
            what = f"{name}: {message}" if name else message
        line, column = yaml.position(path, key=at_key) or (None, None)
        problem = Problem(what, remedy, source, line, column, kind)
        found.setdefault((line, column, what), problem)
    return _in_order(list(found.values()))


_PATTERNS = {
    "wav": "a .wav file in the folder of the dialog, or below it",
    "key": "one key: 0 to 9, *, # or A to D",
    "language": "a language tag such as en-US or ko-KR",
    "to": "an extension of the dialplan, such as reception or 2001",
}


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
    model: type[Language] | None = None
    for pattern, candidate in _MODELS:
        if len(pattern) == len(path) and all(p in ("*", at) for p, at in zip(pattern, path, strict=True)):
            model = candidate
    if model is None and any(part in _SAYS for part in path[-2:]):
        model = Say
    return [info.alias or name for name, info in model.model_fields.items()] if model else []
