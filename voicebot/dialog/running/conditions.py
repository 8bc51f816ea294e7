"""Whether what was told meets the conditions (`valid`) of the slots.

A bare hour may mean either half of the day: the one that meets them is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta

from voicebot.dialog.expressions.expressions import parse_expression
from voicebot.dialog.model.slots import Value, meaning_of
from voicebot.dialog.running.state import Frame
from voicebot.dialog.understanding.grammar import Match

Refused = tuple[str, Value, str]
"""A value that is not possible: slot, value, why."""

_DAYS_TRIED = 7
"""Days on which a time without a day is tried: conditions look at hours and weekdays."""


def holds(frame: Frame, name: str, fills: Mapping[str, object]) -> bool:
    """Whether the slot's condition is met where `fills` are told."""
    valid = frame.slot(name).valid
    return not valid or parse_expression(valid).holds({**frame.values, **fills})


def settled_half(frame: Frame, match: Match, fills: Mapping[str, Value]) -> dict[str, Value]:
    """Return `fills` with bare hours in that half of the day which the conditions allow."""
    chosen = dict(fills)
    for name, other in match.instead:
        if name in chosen and not _possible(frame, name, chosen):
            instead = chosen | {name: other}
            if _possible(frame, name, instead):
                chosen = instead
    return chosen


def _possible(frame: Frame, name: str, fills: Mapping[str, Value]) -> bool:
    """Whether the slot's condition is met; of a moment of which only the time is known, on some day."""
    value, now = fills[name], frame.values.get("now")
    if frame.slot(name).type != "datetime" or not isinstance(value, time) or not isinstance(now, datetime):
        return holds(frame, name, fills)
    days = (now.date() + timedelta(days=ahead) for ahead in range(_DAYS_TRIED))
    moments = (datetime.combine(day, value, now.tzinfo) for day in days)
    return any(holds(frame, name, {**fills, name: moment}) for moment in moments)


def checked(frame: Frame, match: Match, fills: Mapping[str, Value]) -> Match:
    """Hold the values against the conditions of their slots; refuse those alone that do not meet them."""
    if match.instead:
        match = _not_over(frame, match, fills)
        fills = dict(match.fills) or fills
        parts = {name: value for name, value, why in match.refused if why == "incomplete"}
        settled = settled_half(frame, match, parts | dict(fills))
        refused_too = tuple((name, settled.get(name, value), why) for name, value, why in match.refused)
        fills = {name: settled[name] for name in fills}
        match = replace(_with(match, fills), refused=refused_too)
    if match.invalid:
        return match
    refused = [(name, value, "valid") for name, value in fills.items() if not holds(frame, name, fills)]
    if not refused:
        return match
    wrong = {name for name, _, _ in refused}
    kept = {name: value for name, value in fills.items() if name not in wrong}
    if kept:
        return replace(_with(match, kept), refused=(*match.refused, *refused))
    name, value, why = refused[0]
    return replace(_with(match, {name: value}), invalid=why)


def _not_over(frame: Frame, match: Match, fills: Mapping[str, Value]) -> Match:
    """Take "today at eight", said in the morning, for the evening where the slot's condition wants that."""
    over = {name for name, _, why in match.refused if why == "past"}
    over |= set(fills) if match.invalid == "past" else set()
    for name, other in match.instead:
        if name in over and frame.slot(name).valid and holds(frame, name, {**fills, name: other}):
            refused = tuple(told for told in match.refused if told[0] != name)
            match = replace(_with(match, {**fills, name: other}), invalid="", refused=refused)
    return match


def _with(match: Match, fills: Mapping[str, Value]) -> Match:
    if tuple(fills.items()) == match.fills:
        return match
    values = tuple(fills.values())
    meaning = " ".join(meaning_of(value) for value in values)
    return replace(match, meaning=meaning, value=values[0], fills=tuple(fills.items()))
