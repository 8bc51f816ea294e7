"""Conditions and computed values: a small closed language over the dialog's values.

    attending and not (day in ['saturday']) or tries >= 3
    appointment - now < 2 hours

Names, numbers, 'texts', true/false (also yes/no), `unknown`, lists, durations (`2 days`), `and or not`,
comparisons, `in`, `+ - * / %`, `a if b else c`, and a closed list of functions. There are no attributes, no
indexes and no functions of anyone's own, so that nothing of Python can be reached; a dot is part of a name
(`call.number`). Evaluation never raises and its cost is bounded: what is not known is false, and what cannot
be compared differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from voicebot.dialog.expressions.compiling import Run, compiled
from voicebot.dialog.expressions.nodes import ExpressionError, Name, Node, children
from voicebot.dialog.expressions.parsing import LONGEST, parse
from voicebot.dialog.expressions.values import Result, Scalar

__all__ = [
    "KEYWORDS",
    "LONGEST",
    "Expression",
    "ExpressionError",
    "Result",
    "Scalar",
    "evaluate",
    "is_true",
    "names_in",
    "parse_expression",
]

KEYWORDS = frozenset(("and", "or", "not", "in", "if", "else", "true", "false", "yes", "no", "unknown"))
"""Words that cannot be names. Functions and units can: `date` is one only before a bracket."""

_MOST_REMEMBERED = 8192


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed text, ready to be evaluated. `names` are the values that it asks for."""

    text: str
    node: Node
    names: frozenset[str]
    _run: Run = field(repr=False, compare=False)

    def evaluate(self, values: Mapping[str, object]) -> Result:
        """Compute against `values`; a name that is not there is unknown (None). Never raises."""
        return self._run(values)

    def holds(self, values: Mapping[str, object]) -> bool:
        """Whether the condition is true; what is unknown is not. Never raises."""
        return bool(self._run(values))


@lru_cache(maxsize=_MOST_REMEMBERED)
def parse_expression(text: str) -> Expression:
    """Parse `text`. Raises ExpressionError with the column of the first fault."""
    node = parse(text)
    return Expression(text, node, frozenset(_names(node)), compiled(node))


def names_in(expression: Expression) -> frozenset[str]:
    """Return all names that an expression asks for."""
    return expression.names


def evaluate(expression: Expression, values: Mapping[str, object]) -> Result:
    """Evaluate against `values`; a name that is not there is unknown (None). Never raises."""
    return expression.evaluate(values)


def is_true(text: str, values: Mapping[str, object]) -> bool:
    """Evaluate the condition `text`; `else` always holds. Raises ExpressionError if it was never checked."""
    return text.strip() == "else" or parse_expression(text).holds(values)


def _names(node: Node) -> set[str]:
    if isinstance(node, Name):
        return {node.name}
    return {name for child in children(node) for name in _names(child)}
