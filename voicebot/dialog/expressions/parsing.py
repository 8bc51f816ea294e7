"""From the text of an expression to its nodes, by the grammar beside this file (package `lark`, LALR)."""

from __future__ import annotations

import difflib
import re
from datetime import timedelta
from functools import lru_cache
from importlib import resources

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from voicebot.dialog.expressions.functions import FUNCTIONS
from voicebot.dialog.expressions.nodes import (
    Binary,
    Call,
    Conditional,
    ExpressionError,
    Literal,
    Logic,
    Many,
    Name,
    Node,
    Unary,
)
from voicebot.dialog.expressions.values import MOST_ITEMS, Result, compute

LONGEST = 500
"""Characters of an expression."""
DEEPEST = 25
"""Brackets within brackets, and operators that wait for others."""
_LONGEST_NUMBER = 15

_WORDS = {"true": True, "yes": True, "false": False, "no": False, "unknown": None}
_HINTS = {
    "**": "there are no powers",
    "=": "compare with ==",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or != for a comparison",
    ".": "a dot belongs into a name",
    "[": "a list has no index; `first(x)` and `last(x)` are its ends",
    "\\": "a text holds no backslash",
    "'": "the quote is not closed",
    '"': "the quote is not closed",
}
_FAULTY_WORD = re.compile(r"\*\*|[\w.]+|[=<>!]=|.", re.DOTALL)
_COMPARISON = frozenset(("COMPARISON", "IN"))


def parse(text: str) -> Node:
    """Parse `text`. Raises ExpressionError with the column of the first fault."""
    if len(text) > LONGEST:
        raise ExpressionError(f"longer than {LONGEST} characters", 1)
    try:
        built = _grammar().parse(text)
    except UnexpectedInput as error:
        raise _explained(text, error) from None
    return built.node  # type: ignore[attr-defined, no-any-return]


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    grammar = resources.files(__package__).joinpath("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=_Builder(), maybe_placeholders=False)


class _Built:
    """A node and how deep it is."""

    __slots__ = ("depth", "node")

    def __init__(self, node: Node, *parts: _Built) -> None:
        self.node = node
        self.depth: int = 1 + max((part.depth for part in parts), default=0)
        if self.depth > DEEPEST:
            raise ExpressionError("nested too deeply", node.column)


_Part = _Built | Token


class _Builder(Transformer[Token, _Built]):
    """Builds nodes from the bottom up, so that no text can exhaust the stack."""

    def start(self, parts: list[_Built]) -> _Built:
        return parts[0]

    def conditional(self, parts: list[_Built]) -> _Built:
        then, condition, otherwise = (part.node for part in parts)
        return _Built(Conditional(condition, then, otherwise, then.column), *parts)

    def either(self, parts: list[_Built]) -> _Built:
        return _logic("or", parts)

    def both(self, parts: list[_Built]) -> _Built:
        return _logic("and", parts)

    def negated(self, parts: list[_Part]) -> _Built:
        token, operand = _token(parts[0]), _built(parts[1])
        return _Built(Unary("not", operand.node, _column(token)), operand)

    def compared(self, parts: list[_Part]) -> _Built:
        left, right, words = _built(parts[0]), _built(parts[-1]), [_token(part) for part in parts[1:-1]]
        return _Built(Binary(" ".join(words), left.node, right.node, _column(words[0])), left, right)

    def joined(self, parts: list[_Part]) -> _Built:
        left, operator, right = _built(parts[0]), _token(parts[1]), _built(parts[2])
        return _Built(Binary(str(operator), left.node, right.node, _column(operator)), left, right)

    def signed(self, parts: list[_Part]) -> _Built:
        sign, operand = _token(parts[0]), _built(parts[1])
        column = _column(sign)
        if sign == "+":
            raise ExpressionError("a value was expected, not `+`", column)
        if isinstance(operand.node, Literal) and operand.node.value is not None:
            return _Built(_literal(compute("*", operand.node.value, -1), column))
        return _Built(Unary("-", operand.node, column), operand)

    def number(self, parts: list[Token]) -> _Built:
        return _Built(Literal(_number(parts[0]), _column(parts[0])))

    def duration(self, parts: list[Token]) -> _Built:
        number, unit = parts
        duration = timedelta(**{f"{unit.rstrip('s')}s": 1})
        return _Built(_literal(compute("*", duration, _number(number)), _column(number)))

    def string(self, parts: list[Token]) -> _Built:
        return _Built(Literal(parts[0][1:-1], _column(parts[0])))

    def word(self, parts: list[Token]) -> _Built:
        return _Built(Literal(_WORDS[parts[0]], _column(parts[0])))

    def name(self, parts: list[Token]) -> _Built:
        return _Built(Name(str(parts[0]), _column(parts[0])))

    def call(self, parts: list[_Part]) -> _Built:
        token, arguments = _token(parts[0]), [_built(part) for part in parts[1:]]
        column = _column(token)
        function = FUNCTIONS.get(token)
        if function is None:
            near = difflib.get_close_matches(token, FUNCTIONS, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(FUNCTIONS)}"
            raise ExpressionError(f"there is no function `{token}`; {hint}", column)
        if not function.fewest <= len(arguments) <= function.most:
            raise ExpressionError(f"write `{function.form}`", column)
        return _Built(Call(str(token), tuple(part.node for part in arguments), column), *arguments)

    def many(self, parts: list[_Part]) -> _Built:
        column, items = _column(_token(parts[0])), [_built(part) for part in parts[1:]]
        if len(items) > MOST_ITEMS:
            raise ExpressionError(f"a list has at most {MOST_ITEMS} members", column)
        for item in items:
            if isinstance(item.node, Many):
                raise ExpressionError("a list holds no lists", item.node.column)
        return _Built(Many(tuple(item.node for item in items), column), *items)

    def group(self, parts: list[_Built]) -> _Built:
        return _Built(parts[0].node, *parts)


def _built(part: _Part) -> _Built:
    assert isinstance(part, _Built)
    return part


def _token(part: _Part) -> Token:
    assert isinstance(part, Token)
    return part


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _literal(value: Result, column: int) -> Literal:
    return Literal(None if isinstance(value, tuple) else value, column)


def _logic(operator: str, parts: list[_Built]) -> _Built:
    nodes = tuple(part.node for part in parts)
    return _Built(Logic(operator, nodes, nodes[0].column), *parts)


def _number(token: Token) -> int | float:
    if len(token) > _LONGEST_NUMBER:
        raise ExpressionError("the number is too long", _column(token))
    return float(token) if "." in token else int(token)


def _explained(text: str, error: UnexpectedInput) -> ExpressionError:
    """Say in an author's words what the parser did not expect."""
    at, kind, expected = len(text), "", set(getattr(error, "allowed", None) or ())
    if isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
    elif isinstance(error, UnexpectedToken):
        expected = set(error.accepts or error.expected)
        if error.token.type != "$END":
            at, kind = error.token.start_pos or 0, error.token.type
    if text[at - 1 : at + 1] == "**":
        at -= 1
    found = _FAULTY_WORD.match(text, at)
    word = found[0] if found else ""
    value_expected = "NAME" in expected
    if not value_expected and kind in _COMPARISON:
        return ExpressionError("comparisons cannot be chained; join them with `and`", at + 1)
    if not word:
        missing = next((bracket for name, bracket in _BRACKETS.items() if name in expected), "")
        if missing and not value_expected:
            return ExpressionError(f"`{missing}` is missing", at + 1)
    elif hint := _HINTS.get(word) or (_HINTS.get(word[0], "") if not kind else ""):
        return ExpressionError(f"`{word}` has no meaning here; {hint}", at + 1)
    if value_expected and word == "not":
        return ExpressionError("put `not ...` in brackets here", at + 1)
    if value_expected:
        return ExpressionError(f"a value was expected, not {f'`{word}`' if word else 'the end'}", at + 1)
    shown = f"`{word}` was" if word else "the end was"
    return ExpressionError(f"{shown} not expected here", at + 1)


_BRACKETS = {"RPAR": ")", "RSQB": "]", "_ELSE": "else"}
