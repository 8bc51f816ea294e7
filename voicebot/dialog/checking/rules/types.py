"""Conditions and computed values: their form, and whether types fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.places import Written, expressions, readable
from voicebot.dialog.checking.rules.header import EXAMPLES
from voicebot.dialog.expressions.expressions import Expression, ExpressionError, parse_expression
from voicebot.dialog.expressions.nodes import Binary, Literal, Many, Name, children
from voicebot.dialog.expressions.typecheck import basic_type, infer, problems_in
from voicebot.dialog.model.step import Step
from voicebot.dialog.understanding.values import value_of_given

_SENTENCE = re.compile(r"[A-Za-z]\w*( [\w,]+)+[.?!]?")
_LIKE_TEXT = frozenset(("text", "any", "unknown"))
_MOMENTS = frozenset(("date", "time", "datetime"))


def types(context: Context) -> Iterator[Finding]:
    for written in expressions(context.file):
        try:
            expression = parse_expression(written.text)
        except ExpressionError as error:
            what = f"`{written.text}` is no condition: {error} (character {error.column})"
            yield Finding(written.path, what, _how_to_write(written), "expression")
            continue
        answer = _answer_taken_for_value(context, written, expression)
        if answer is not None:
            yield answer
        else:
            yield from _typed(context, written, expression)
    yield from _assigned(context)


def _how_to_write(written: Written) -> str:
    if written.path[2] in ("set", "call", "hook") and _SENTENCE.fullmatch(written.text):
        return f"for a text, write quotes within quotes: \"'{written.text}'\""
    return (
        "for example: 5 if vip else 0"
        if written.path[2] == "transfer"
        else "for example: attending and tries < 3"
    )


def _typed(context: Context, written: Written, expression: Expression) -> Iterator[Finding]:
    step = context.file.steps.get(written.step)
    found = problems_in(expression, context.types_in(step), context.choices)
    for problem in found:
        remedy = problem.remedy or "compare values of one type"
        where = f" (character {problem.column})" if len(written.text) > 40 else ""
        yield Finding(written.path, f"{problem.message}{where}", remedy, "type")
    if not found and written.path[2] in ("if", "goto", "valid"):
        yield from _constant(written, expression)
    if not found and written.path[2] == "transfer" and not _counts(expression, context.types_in(step)):
        what = f"`{written.text}` is no number, and a priority is 0 to 10"
        yield Finding(written.path, what, "for example: 5 if vip else 0", "type")


def _counts(expression: Expression, types: Mapping[str, str]) -> bool:
    return infer(expression, types) in ("number", "any", "unknown")


def _constant(written: Written, expression: Expression) -> Iterator[Finding]:
    """A condition that asks for nothing is a slip: `goto: {next: 'yes'}`."""
    if isinstance(expression.node, Literal) and isinstance(expression.node.value, str):
        what = f"`{written.text}` is a text, not a condition"
        yield Finding(written.path, what, "compare it: answer == 'yes'", "expression")


def _assigned(context: Context) -> Iterator[Finding]:
    """Computed values must fit their declared type."""
    file = context.file
    for name, step in file.steps.items():
        for variable, text in step.set.items():
            if variable in file.slots or variable in file.values:
                path: Path = ("steps", name, "set", variable)
                yield from misfit(context, path, text, variable, context.types[variable], step)


def misfit(
    context: Context, path: Path, text: str, name: str, wanted: str, step: Step | None
) -> Iterator[Finding]:
    """Yield a finding where an expression's value can never be one of type `wanted`."""
    expression = readable(text)
    if expression is None:
        return
    given, takes = infer(expression, context.types_in(step)), basic_type(wanted)
    node = expression.node
    if isinstance(node, Literal) and isinstance(node.value, str) and takes not in ("text", "any"):
        if value_of_given(node.value, wanted) is None:
            what = f"`{name}` is declared as {wanted}; '{node.value}' is none"
            yield Finding(path, what, EXAMPLES.get(wanted, ""), "type")
        return
    if given in _LIKE_TEXT or takes == "any" or given == takes or {given, takes} <= _MOMENTS:
        return
    remedy = "`text(x)` makes a text of it" if takes == "text" else f"declare `{name}` as it is used"
    yield Finding(path, f"`{name}` is declared as {wanted}; this is {_called(given)}", remedy, "type")


def _called(kind: str) -> str:
    article = {"yes_no": "yes or no", "number": "a number", "duration": "a duration", "list": "a list"}
    return article.get(kind, f"a {kind}")


def _answer_taken_for_value(context: Context, written: Written, expression: Expression) -> Finding | None:
    """A condition that names an answer, which is no value: `goto: {bread: bread}`, `if: size == large`."""
    if not written.step:
        return None
    path, text = written.path, written.text.strip()
    step = context.file.steps[written.step]
    slot_name = step.fill[0] if step.fill else ""
    slot = context.file.slots.get(slot_name)
    if path[2] == "goto" and not context.knows(text):
        remedy = ""
        if text in step.choices:
            remedy = f"write its target in the choice, `{text}: {{goto: {path[3]}}}`"
        elif slot is not None and slot.type == "yes_no" and text in ("yes", "no"):
            remedy = f"write `{path[3]}: {'not ' if text == 'no' else ''}{slot_name}`"
        elif text in context.choices.get(slot_name, ()):
            remedy = f"write `{path[3]}: {slot_name} == '{text}'`"
        if remedy:
            return Finding(path, f"`{text}` is an answer, not a condition", remedy, "value")
    for name in sorted(expression.names):
        if not context.knows(name) and any(
            name in choices for asked, choices in context.choices.items() if asked in expression.names
        ):
            return Finding(path, f"there is no value `{name}`", f"quote the answer: '{name}'", "value")
    for name in sorted(expression.names):
        if not context.knows(name) and (
            name in step.choices or any(name in choices for choices in context.choices.values())
        ):
            return Finding(
                path, f"there is no value `{name}`", f"quote it, if it is a text: '{name}'", "value"
            )
    return None


def compared_results(expression: Expression) -> Iterator[str]:
    """Yield the words and numbers with which `result` is compared."""
    todo = [expression.node]
    while todo:
        node = todo.pop()
        match node:
            case Binary("==" | "!=", Name("result"), Literal(value)) if value is not None:
                yield str(value)
            case Binary("in" | "not in", Name("result"), Many(items)):
                yield from (str(item.value) for item in items if isinstance(item, Literal))
        todo += children(node)
