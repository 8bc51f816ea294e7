"""What an expression consists of, once parsed. Columns count from 1 and are no part of what it means."""

from __future__ import annotations

from dataclasses import dataclass, field

from voicebot.dialog.expressions.values import Scalar


class ExpressionError(ValueError):
    """The text is not an expression; `column` counts from 1 within it."""

    def __init__(self, message: str, column: int) -> None:
        self.column = column
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it is written."""

    value: Scalar
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A value of the dialog."""

    name: str
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    items: tuple[Node, ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`not` or `-`."""

    operator: str
    operand: Node
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` between two or more."""

    operator: str
    operands: tuple[Node, ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison, `in`, `not in`, or arithmetic; `column` is that of the operator."""

    operator: str
    left: Node
    right: Node
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One of the closed list of functions."""

    function: str
    arguments: tuple[Node, ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Conditional:
    """`then if condition else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node
    column: int = field(default=1, compare=False)


Node = Literal | Name | Many | Unary | Logic | Binary | Call | Conditional


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts of a node, in the order in which they are written."""
    match node:
        case Many(items):
            return items
        case Unary(_, operand):
            return (operand,)
        case Logic(_, operands):
            return operands
        case Binary(_, left, right):
            return (left, right)
        case Call(_, arguments):
            return arguments
        case Conditional(condition, then, otherwise):
            return (then, condition, otherwise)
    return ()
