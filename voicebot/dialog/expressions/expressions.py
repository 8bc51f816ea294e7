"""Conditions: a small closed language over the dialog's values.

    attending and not (day in ['saturday', 'sunday']) or tries >= 3

Names, numbers, 'strings', true/false (also yes/no), `unknown`, lists, `and or not`, comparisons, `in`, `+ -`.
There are no calls, no attributes and no indexes, so that nothing of Python can be reached; a dot is part
of a name (`call.number`). Evaluation never raises: what is not known is false, and what cannot be compared
differs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 500
"""Characters of an expression."""
_DEEPEST = 25
_LONGEST_STRING = 1000
_LARGEST = 1e15

Scalar = bool | int | float | str | None
Result = Scalar | tuple[Scalar, ...]

KEYWORDS = frozenset(("and", "or", "not", "in", "true", "false", "yes", "no", "unknown", "else"))

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r"|'(?P<single>[^'\\]*)'|\"(?P<double>[^\"\\]*)\"|(?P<op>==|!=|<=|>=|[<>()\[\],+\-]))"
)
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">=", "in", "not in"))


class ExpressionError(ValueError):
    """The text is not an expression; `column` counts from 1 within it."""

    def __init__(self, message: str, column: int) -> None:
        self.column = column
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Literal:
    value: Scalar


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Many:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node


Node = Literal | Name | Many | Unary | Binary


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Node:
    """Parse `text`. Raises ExpressionError with the column of the first fault."""
    if len(text) > LONGEST:
        raise ExpressionError(f"longer than {LONGEST} characters", 1)
    return _Parser(_tokens(text)).whole()


def names_in(node: Node) -> frozenset[str]:
    """Return all names that an expression asks for."""
    match node:
        case Name(name):
            return frozenset((name,))
        case Many(items):
            return frozenset().union(*(names_in(item) for item in items))
        case Unary(_, operand):
            return names_in(operand)
        case Binary(_, left, right):
            return names_in(left) | names_in(right)
    return frozenset()


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found:
            at += len(text[at:]) - len(text[at:].lstrip())
            hint = "; compare with ==" if text[at] == "=" else ""
            raise ExpressionError(f"`{text[at]}` has no meaning here{hint}", at + 1)
        kind = str(found.lastgroup)
        tokens.append(_Token(kind, found[kind], found.start(kind) + 1))
        at = found.end()
    tokens.append(_Token("end", "", len(text) + 1))
    return tokens


class _Parser:
    """Precedence, weakest first: or, and, not, comparison, + and -."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._or()
        if self._next.kind != "end":
            raise ExpressionError(f"`{self._next.text}` was not expected here", self._next.column)
        return node

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _word(self, *words: str) -> str:
        token = self._next
        if token.kind in ("name", "op") and token.text in words:
            self._at += 1
            return token.text
        return ""

    def _or(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError("nested too deeply", self._next.column)
        node = self._and()
        while self._word("or"):
            node = Binary("or", node, self._and())
        self._depth -= 1
        return node

    def _and(self) -> Node:
        node = self._not()
        while self._word("and"):
            node = Binary("and", node, self._not())
        return node

    def _not(self) -> Node:
        count = 0
        while self._word("not"):
            count += 1
        node = self._comparison()
        return Unary("not", node) if count % 2 else node

    def _comparison(self) -> Node:
        left = self._sum()
        operator = self._word("==", "!=", "<", "<=", ">", ">=", "in")
        if not operator and self._next.text == "not" and self._tokens[self._at + 1].text == "in":
            self._at += 2
            operator = "not in"
        if not operator:
            return left
        node = Binary(operator, left, self._sum())
        if self._next.kind == "op" and self._next.text in _COMPARISONS:
            raise ExpressionError("comparisons cannot be chained; join them with `and`", self._next.column)
        return node

    def _sum(self) -> Node:
        node = self._operand()
        while operator := self._word("+", "-"):
            node = Binary(operator, node, self._operand())
        return node

    def _operand(self) -> Node:
        token = self._next
        self._at += 1
        if token.kind == "number":
            if len(token.text) > 15:
                raise ExpressionError("the number is too long", token.column)
            return Literal(float(token.text) if "." in token.text else int(token.text))
        if token.kind in ("single", "double"):
            return Literal(token.text)
        if token.text == "-" and self._next.kind == "number":
            return Binary("-", Literal(0), self._operand())
        if token.text == "(":
            node = self._or()
            self._close(")")
            return node
        if token.text == "[":
            items: list[Node] = []
            while self._next.text != "]":
                items.append(self._or())
                if not self._word(","):
                    break
            self._close("]")
            return Many(tuple(items))
        if token.kind == "name" and token.text in ("true", "yes"):
            return Literal(True)
        if token.kind == "name" and token.text in ("false", "no"):
            return Literal(False)
        if token.text == "unknown":
            return Literal(None)
        if token.kind == "name" and token.text not in KEYWORDS:
            return Name(token.text)
        self._at -= 1
        what = f"`{token.text}`" if token.text else "the end"
        raise ExpressionError(f"a value was expected, not {what}", token.column)

    def _close(self, bracket: str) -> None:
        if not self._word(bracket):
            raise ExpressionError(f"`{bracket}` is missing", self._next.column)


def evaluate(node: Node, values: Mapping[str, object]) -> Result:
    """Evaluate against `values`; a name that is not there is unknown (None). Never raises."""
    match node:
        case Literal(value):
            return value
        case Name(name):
            return _scalar(values.get(name))
        case Many(items):
            return tuple(_scalar(evaluate(item, values)) for item in items)
        case Unary(_, operand):
            return not evaluate(operand, values)
        case Binary("and", left, right):
            return bool(evaluate(left, values)) and bool(evaluate(right, values))
        case Binary("or", left, right):
            return bool(evaluate(left, values)) or bool(evaluate(right, values))
        case Binary(operator, left, right):
            return _binary(operator, evaluate(left, values), evaluate(right, values))


def is_true(text: str, values: Mapping[str, object]) -> bool:
    """Evaluate the condition `text`; `else` always holds. Raises ExpressionError if it was never checked."""
    return text.strip() == "else" or bool(evaluate(parse_expression(text), values))


def _scalar(value: object) -> Scalar:
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)


def _binary(operator: str, left: Result, right: Result) -> Result:
    if operator in ("in", "not in"):
        inside = _contains(left, right)
        return inside if operator == "in" else not inside
    if operator in ("==", "!="):
        return _same(left, right) == (operator == "==")
    if operator in ("+", "-"):
        return _add(operator, left, right)
    if _is_number(left) and _is_number(right):
        first, second = float(left), float(right)  # type: ignore[arg-type]
    elif isinstance(left, str) and isinstance(right, str):
        return _ordered(operator, (left > right) - (left < right))
    else:
        return False
    return _ordered(operator, (first > second) - (first < second))


def _ordered(operator: str, sign: int) -> bool:
    return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[operator]


def _same(left: Result, right: Result) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def _contains(item: Result, group: Result) -> bool:
    if isinstance(group, tuple):
        return any(_same(item, member) for member in group)
    return isinstance(group, str) and isinstance(item, str) and item in group


def _is_number(value: Result) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _add(operator: str, left: Result, right: Result) -> Result:
    """Numbers add, with unknown as 0 so that a count needs no start; strings join."""
    left, right = (0 if left is None else left), (0 if right is None else right)
    if _is_number(left) and _is_number(right):
        total: float = left + right if operator == "+" else left - right  # type: ignore[operator, assignment]
        return total if abs(total) < _LARGEST else None
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return (left + right)[:_LONGEST_STRING]
    return None
