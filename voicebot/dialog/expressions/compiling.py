"""Nodes as closures: a condition of a step costs a microsecond or two."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from voicebot.dialog.expressions.functions import FUNCTIONS
from voicebot.dialog.expressions.nodes import (
    Binary,
    Call,
    Conditional,
    Literal,
    Logic,
    Many,
    Name,
    Node,
    Unary,
)
from voicebot.dialog.expressions.values import (
    LARGEST,
    LONGEST_TEXT,
    Result,
    closed,
    compare,
    compute,
    holds,
    same,
)

Run = Callable[[Mapping[str, object]], Result]

_ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def compiled(node: Node) -> Run:
    """Return what computes `node` from values. It never raises."""
    match node:
        case Literal(value):
            return lambda values: value
        case Name(name):
            return _name(name)
        case Many(items):
            return _many(items)
        case Unary("not", operand):
            truth = compiled(operand)
            return lambda values: not truth(values)
        case Unary(_, operand):
            return _negative(compiled(operand))
        case Logic(operator, operands):
            return _logic(operator, tuple(compiled(operand) for operand in operands))
        case Binary(operator, left, right):
            return _binary(operator, compiled(left), compiled(right), right)
        case Call(function, arguments):
            return _call(FUNCTIONS[function].call, tuple(compiled(argument) for argument in arguments))
        case Conditional(condition, then, otherwise):
            when, first, second = compiled(condition), compiled(then), compiled(otherwise)
            return lambda values: first(values) if when(values) else second(values)


def _name(name: str) -> Run:
    def run(values: Mapping[str, object]) -> Result:
        value = values.get(name)
        if value is None or value is True or value is False:
            return value
        if type(value) is str and len(value) <= LONGEST_TEXT:
            return value
        if type(value) is int and -LARGEST <= value <= LARGEST:
            return value
        return closed(value)

    return run


def _many(items: tuple[Node, ...]) -> Run:
    if all(isinstance(item, Literal) for item in items):
        members = tuple(item.value for item in items if isinstance(item, Literal))
        return lambda values: members
    runs = tuple(compiled(item) for item in items)
    return lambda values: closed(tuple(run(values) for run in runs))


def _negative(operand: Run) -> Run:
    def run(values: Mapping[str, object]) -> Result:
        value = operand(values)
        return None if value is None else compute("*", value, -1)

    return run


def _logic(operator: str, operands: tuple[Run, ...]) -> Run:
    if len(operands) == 2:
        left, right = operands
        if operator == "and":
            return lambda values: bool(left(values)) and bool(right(values))
        return lambda values: bool(left(values)) or bool(right(values))
    stops_at = operator == "or"

    def run(values: Mapping[str, object]) -> Result:
        for operand in operands:
            if bool(operand(values)) is stops_at:
                return stops_at
        return not stops_at

    return run


def _binary(operator: str, left: Run, right: Run, written: Node) -> Run:
    match operator:
        case "==" | "!=":
            return _equal(left, right, written, operator == "==")
        case "in":
            return lambda values: holds(left(values), right(values))
        case "not in":
            return lambda values: not holds(left(values), right(values))
        case "<" | "<=" | ">" | ">=":
            return _ordered(_ORDERS[operator], left, right)
    return lambda values: compute(operator, left(values), right(values))


def _equal(left: Run, right: Run, written: Node, wanted: bool) -> Run:
    if isinstance(written, Literal) and isinstance(written.value, str):
        text = written.value

        def run(values: Mapping[str, object]) -> Result:
            value = left(values)
            return ((value == text) if type(value) is str else same(value, text)) is wanted

        return run
    return lambda values: same(left(values), right(values)) is wanted


def _ordered(decides: Callable[[int], bool], left: Run, right: Run) -> Run:
    def run(values: Mapping[str, object]) -> Result:
        sign = compare(left(values), right(values))
        return sign is not None and decides(sign)

    return run


def _call(function: Callable[..., Result], arguments: tuple[Run, ...]) -> Run:
    if len(arguments) == 1:
        only = arguments[0]
        return lambda values: function(only(values))
    return lambda values: function(*[argument(values) for argument in arguments])
