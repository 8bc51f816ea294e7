"""The values that a dialog needs from outside: a campaign row, a route, or its own defaults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.understanding.values import value_of_given
from voicebot.errors import Problem, UserError

_LONGEST_SHOWN = 100
"""Characters of a wrong value, in a problem."""


def given_values(
    dialog: Dialog, given: Mapping[str, object], now: datetime | None = None
) -> dict[str, object]:
    """Return a value for each of the dialog's needs; others in `given` are left out.

    A time without a zone is in that of `now`, the call's clock.

    Raises UserError with all that are missing or of the wrong type.
    """
    values: dict[str, object] = {}
    problems = []
    for name, need in dialog.file.needs.items():
        raw = given.get(name, need.default)
        if raw is None:
            remedy = "give it in the campaign or the route, or give it a `default` in the dialog"
            problems.append(
                Problem(f"the dialog needs `{name}` ({need.type})", remedy, dialog.source, code="need")
            )
            continue
        value = value_of_given(raw, need.type, now)
        if value is None:
            shown = "the value" if need.sensitive else f"`{str(raw)[:_LONGEST_SHOWN]}`"
            what = f"{shown} given for `{name}` is no {need.type}"
            problems.append(Problem(what, "", dialog.source, code="need"))
        values[name] = value
    if problems:
        raise UserError(problems)
    return values
