"""What a condition implies: which values are known where it holds, and what `result` may be then.

What is not known is false in a condition, and comparing it yields false; so `score <= 3` implies `score`.
"""

from __future__ import annotations

from voicebot.dialog.expressions.expressions import Expression
from voicebot.dialog.expressions.nodes import Binary, Literal, Logic, Many, Name, Node, Unary

Names = frozenset[str]
_NONE: Names = frozenset()
_NOT_EQUAL = {"==": False, "!=": True, "in": False, "not in": True}


def implied(node: Node, holds: bool) -> Names:
    """Return the names that are known for sure where the condition holds, or where it does not."""
    match node:
        case Name(name):
            return frozenset((name,)) if holds else _NONE
        case Unary("not", operand):
            return implied(operand, not holds)
        case Logic(operator, operands):
            sets = [implied(operand, holds) for operand in operands]
            every = (operator == "and") == holds
            return frozenset.union(*sets) if every else frozenset.intersection(*sets)
        case Binary("==" | "!=" as operator, Name(name), Literal(None)):
            return frozenset((name,)) if holds == (operator == "!=") else _NONE
        case Binary("==" | "!=" as operator, left, right) if holds == (operator == "=="):
            return _named(left, right) if _is_value(left) or _is_value(right) else _NONE
        case Binary("<" | "<=" | ">" | ">=", left, right) if holds:
            return _named(left) | _named(right)
        case Binary("in", left, _) if holds:
            return _named(left)
    return _NONE


def denied(node: Node, holds: bool) -> Names:
    """Return the names that are unknown for sure where the condition holds, or where it does not."""
    match node:
        case Unary("not", operand):
            return denied(operand, not holds)
        case Logic(operator, operands):
            sets = [denied(operand, holds) for operand in operands]
            every = (operator == "and") == holds
            return frozenset.union(*sets) if every else frozenset.intersection(*sets)
        case Binary("==" | "!=" as operator, Name(name), Literal(None)):
            return frozenset((name,)) if holds == (operator == "==") else _NONE
    return _NONE


def _is_value(node: Node) -> bool:
    return isinstance(node, Literal) and node.value is not None


def _named(*nodes: Node) -> Names:
    return frozenset(node.name for node in nodes if isinstance(node, Name))


def results_of(expression: Expression, words: Names) -> tuple[Names, Names]:
    """Of the words that `result` may be, return those with which a condition may hold, and may not."""
    return _may(expression.node, words, True), _may(expression.node, words, False)


def _may(node: Node, words: Names, holds: bool) -> Names:
    match node:
        case Unary("not", operand):
            return _may(operand, words, not holds)
        case Binary("==" | "!=" as operator, Name("result"), Literal(value)):
            equal = holds != _NOT_EQUAL[operator]
            return words & {str(value)} if equal else words - {str(value)}
        case Binary("in" | "not in" as operator, Name("result"), Many(items)):
            listed = {str(item.value) for item in items if isinstance(item, Literal)}
            equal = holds != _NOT_EQUAL[operator]
            return words & listed if equal else words - listed
        case Logic(operator, operands):
            sets = [_may(operand, words, holds) for operand in operands]
            every = (operator == "and") == holds
            return frozenset.intersection(*sets) if every else frozenset.union(*sets)
    return words
