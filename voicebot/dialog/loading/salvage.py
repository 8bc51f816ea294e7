"""What can still be said of a file whose form is wrong: names that do not exist, texts that cannot be read.

An author who mistyped a key and a name is told of both at once. The parts with a wrong form are left out;
what is told then is only what these parts cannot have changed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.rules.targets import targets, values
from voicebot.dialog.checking.rules.templates import templated
from voicebot.dialog.checking.rules.types import types
from voicebot.dialog.checking.suggest import nearest
from voicebot.dialog.loading.faults import place_of
from voicebot.dialog.model.dialog import Dialog, DialogFile

MOST_ROUNDS = 5
"""Faults may hide others; what is not sound by then is left."""

_GROUPS = frozenset(("needs", "slots", "values", "steps", "always", "include"))
_BY_NAME = frozenset(("goto", "slot", "value"))
_BY_FORM = frozenset(("template", "expression"))
_OF_ANSWERS = (("goto",), ("if",), ("valid",))
"""Conditions, which may speak of answers that were left out."""


def salvaged(data: Any, error: ValidationError) -> Iterator[Finding]:
    """Yield what is wrong for sure in the sound parts of a dialog file."""
    kept = copy.deepcopy(data)
    left_out: list[Path] = []
    for _ in range(MOST_ROUNDS):
        if not _leave_out(kept, error, left_out):
            return
        try:
            file = DialogFile.model_validate(kept)
            break
        except ValidationError as further:
            error = further
    else:
        return
    touched = {path[:2] for path in left_out}
    names = {str(path[1]) for path in left_out if len(path) == 2}
    context = Context(Dialog(file, ""))
    for rule in (targets, values, types, templated):
        for finding in rule(context):
            missing = finding.code in _BY_NAME and finding.what.startswith("there is no")
            if not (missing or finding.code in _BY_FORM):
                continue
            conditions = finding.path[:2] in touched and finding.path[2:3] in _OF_ANSWERS
            if conditions and finding.code == "value":
                continue
            if not any(f"`{name}`" in finding.what for name in names):
                yield finding


def _leave_out(data: Any, error: ValidationError, left_out: list[Path]) -> bool:
    """Take the parts with a wrong form out of `data`; False where nothing would be left to judge."""
    for fault in error.errors(include_url=False, include_input=False):
        path, _ = place_of(fault["loc"], data)
        if path == () and fault["loc"] == ("dialog",):
            data["dialog"] = "unnamed"
            continue
        while path and isinstance(path[-1], int):
            path = path[:-1]  # a list goes as a whole
        if not path or (len(path) == 1 and path[0] in _GROUPS):
            return False
        meant = nearest(str(path[0]), _GROUPS) if len(path) == 1 else None
        if meant is not None and meant not in data:
            data[meant] = data.pop(path[0])  # mistyped, but all that it declares is there
            continue
        holder: Any = data
        for part in path[:-1]:
            holder = holder[part]
        del holder[path[-1]]
        left_out.append(path)
    return True
