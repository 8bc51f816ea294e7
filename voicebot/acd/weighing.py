"""What comes along with a caller decides how they are queued: rules in the expressions of dialogs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from voicebot.acd.matching import HIGHEST_PRIORITY
from voicebot.dialog.expressions.expressions import Scalar, parse_expression

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,8})")
_YES_NO = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Rule:
    """Where `when` holds, the priority changes by so much, and these skills are wanted as well."""

    when: str
    priority: int = 0
    skills: tuple[str, ...] = ()


def read(value: str) -> Scalar:
    """Return what a value that came along is: values go along as text."""
    if _NUMBER.fullmatch(value):
        return int(value)
    return _YES_NO.get(value, value)


def weigh(
    rules: Iterable[Rule], context: Mapping[str, str], priority: int, skills: tuple[str, ...]
) -> tuple[int, tuple[str, ...]]:
    """Return a caller's priority, 0 to 10, and the skills that they need.

    A name in a rule that did not come along is unknown: the rule does not hold. Raises ExpressionError for
    rules that were never checked.
    """
    values = {name: read(value) for name, value in context.items()}
    wanted = dict.fromkeys(skills)
    for rule in rules:
        if parse_expression(rule.when).holds(values):
            priority += rule.priority
            wanted |= dict.fromkeys(rule.skills)
    return min(HIGHEST_PRIORITY, max(0, priority)), tuple(wanted)
