"""Types of expressions: what one yields, and what in it cannot be meant.

A type is one of `yes_no, number, text, date, time, datetime, duration, list, unknown, any`. What is declared
may say more (`digits`, `money`, `choice`): here it counts as the type of its values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from voicebot.dialog.expressions.expressions import Expression
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
from voicebot.dialog.expressions.values import KINDS, Scalar, as_text, moment_of
from voicebot.dialog.language.dates import ISO_WEEKDAYS

_MOMENTS = frozenset(("date", "time", "datetime"))
_ANY = frozenset(("any", "unknown"))

_BASIC = {
    **{kind: kind for kind in KINDS.values()},
    "any": "any",
    "money": "number",
    **dict.fromkeys(("digits", "phone", "name", "spelled", "email", "choice", "weekday", "intent"), "text"),
}
_CALLED = {
    "yes_no": "yes or no",
    "number": "a number",
    "text": "a text",
    "date": "a date",
    "time": "a time of day",
    "datetime": "a datetime",
    "duration": "a duration",
    "list": "a list",
    "money": "a sum of money",
    "phone": "a phone number",
    "name": "a name",
    "spelled": "a text",
    "email": "an e-mail address",
    "choice": "a choice",
    "weekday": "a weekday",
}


@dataclass(frozen=True, slots=True)
class ExpressionProblem:
    """What cannot be meant; `column` counts from 1 within the expression."""

    message: str
    column: int
    remedy: str = ""


def basic_type(declared: str) -> str:
    """Return the type of a declared type's values: `digits` are text. What is not known here is `any`."""
    head = declared.partition(":")[0]
    return "list" if head.startswith("list") else _BASIC.get(head, "any")


def infer(expression: Expression | Node, types: Mapping[str, str]) -> str:
    """Return the type of what an expression yields. `types` are the declared types of its names."""
    return _Typing(types, {}).of(_node(expression))


def problems_in(
    expression: Expression | Node,
    types: Mapping[str, str],
    choices: Mapping[str, Collection[str]] | None = None,
) -> list[ExpressionProblem]:
    """Return what in an expression cannot be meant, from left to right.

    `types` are the declared types of names; one that is missing may be anything. `choices` are the only
    values that a name can have, where they are known.
    """
    typing = _Typing(types, choices or {})
    typing.of(_node(expression))
    return sorted(typing.problems, key=lambda problem: problem.column)


def _node(expression: Expression | Node) -> Node:
    return expression.node if isinstance(expression, Expression) else expression


class _Typing:
    """Types a tree from the bottom up and notes what does not fit."""

    def __init__(self, types: Mapping[str, str], choices: Mapping[str, Collection[str]]) -> None:
        self._types = types
        self._choices = choices
        self.problems: list[ExpressionProblem] = []

    def of(self, node: Node) -> str:
        match node:
            case Literal(value):
                return KINDS[type(value)]
            case Name(name):
                return basic_type(self._types.get(name, "any"))
            case Many(items):
                for item in items:
                    self.of(item)
                return "list"
            case Unary("not", operand):
                self.of(operand)
                return "yes_no"
            case Unary(_, operand):
                kind = self.of(operand)
                if kind not in ("number", "duration", *_ANY):
                    self._note(f"{self._shown(operand)} has no negative", node.column)
                return kind
            case Logic(_, operands):
                for operand in operands:
                    self.of(operand)
                return "yes_no"
            case Conditional(condition, then, otherwise):
                kinds = {self.of(then), self.of(otherwise)} - {"unknown"}
                self.of(condition)
                return kinds.pop() if len(kinds) == 1 else "any" if kinds else "unknown"
            case Call(function, arguments):
                return self._call(function, arguments)
            case Binary("in" | "not in"):
                self._membership(node)
                return "yes_no"
            case Binary(operator) if operator in "+-*/%":
                return self._arithmetic(node)
            case Binary():
                self._comparison(node, self.of(node.left), self.of(node.right))
                return "yes_no"

    def _note(self, message: str, column: int, remedy: str = "") -> None:
        self.problems.append(ExpressionProblem(message, column, remedy))

    def _shown(self, node: Node) -> str:
        """An operand in a sentence: "`card` (digits)", "the text 'x'", "a number"."""
        match node:
            case Name(name):
                return f"`{name}` ({self._declared(name)})"
            case Literal(value):
                return _written(value)
        return _CALLED.get(_Typing(self._types, {}).of(node), "a value")

    def _declared(self, name: str) -> str:
        declared = self._types.get(name, "any").partition(":")[0]
        return _CALLED.get(declared, declared)

    def _subject(self, node: Node) -> str:
        """The same at the head of "... cannot be compared"."""
        if isinstance(node, Name):
            return f"`{node.name}` is {self._declared(node.name)} and"
        return _upper_first(self._shown(node))

    def _call(self, function: str, arguments: tuple[Node, ...]) -> str:
        known = FUNCTIONS[function]
        kinds = [self.of(argument) for argument in arguments]
        for at, (argument, kind) in enumerate(zip(arguments, kinds, strict=True)):
            takes = known.takes[min(at, len(known.takes) - 1)]
            if not takes & {kind, "any"} and kind not in _ANY:
                wanted = " or ".join(_CALLED[name] for name in sorted(takes))
                message = f"`{function}` takes {wanted}, not {self._shown(argument)}"
                self._note(message, argument.column, _remedy_for_text(takes, argument, kind))
            elif takes & _MOMENTS and _unreadable(argument, ""):
                self._note(f"{self._shown(argument)} is no date or time", argument.column, _ISO)
        if known.result != "any":
            return known.result
        if function in ("min", "max") and len(set(kinds)) == 1 and kinds[0] != "list":
            return kinds[0]
        return kinds[0] if len(kinds) == 2 and function in ("first", "last") else "any"

    def _comparison(self, node: Binary, left: str, right: str) -> None:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            self._is_possible(one, other)
        ordering = node.operator not in ("==", "!=")
        if left in _ANY or right in _ANY:
            kind = right if left in _ANY else left
            if ordering and kind in ("yes_no", "list"):
                self._note(f"{_CALLED[kind]} has no order", node.column, "compare with == or !=")
            return
        if left == right:
            if ordering and left in ("yes_no", "list"):
                self._note(f"{_CALLED[left]} has no order", node.column, "compare with == or !=")
            return
        both = {left, right}
        if both in ({"date", "datetime"}, {"time", "datetime"}):
            return
        if "text" in both and both & _MOMENTS:
            text, moment = (node.left, node.right) if left == "text" else (node.right, node.left)
            if _unreadable(text, right if left == "text" else left):
                message = f"{self._subject(moment)} cannot be compared with {self._shown(text)}"
                self._note(message, node.column, _ISO)
            return
        subject, other, swapped = node.left, node.right, False
        if isinstance(subject, Literal):
            subject, other, swapped = other, subject, True
        message = f"{self._subject(subject)} cannot be compared with {self._shown(other)}"
        kinds = (right, left) if swapped else (left, right)
        self._note(message, node.column, self._remedy(node.operator, subject, other, kinds))

    def _remedy(self, operator: str, subject: Node, other: Node, kinds: tuple[str, str]) -> str:
        value = other.value if isinstance(other, Literal) else None
        if kinds == ("text", "number") and value is not None:
            return f"write '{as_text(value)}'"
        if kinds == ("number", "text") and isinstance(value, str) and value.strip().isdecimal():
            return f"write {value.strip()}"
        if kinds[0] == "yes_no" and isinstance(value, str) and isinstance(subject, Name):
            word = value.strip().lower()
            if word in ("yes", "true", "no", "false"):
                positive = (word in ("yes", "true")) == (operator == "==")
                return f"write `{subject.name}`" if positive else f"write `not {subject.name}`"
        if kinds[1] == "list":
            return "write `in` for a list"
        if "number" in kinds and "text" in kinds:
            return "`number(x)` reads a text as a number"
        if "duration" in kinds and "number" in kinds:
            return "write a duration: 2 days, 30 minutes"
        return ""

    def _is_possible(self, name: Node, written: Node) -> None:
        """A comparison with a text that the value can never be."""
        if not (isinstance(name, Name) and isinstance(written, Literal) and isinstance(written.value, str)):
            return
        among: Collection[str] | None = self._choices.get(name.name)
        if among is None and self._types.get(name.name) == "weekday":
            among = ISO_WEEKDAYS
        if among and written.value not in among:
            alike = [value for value in among if value.lower() == written.value.strip().lower()]
            remedy = f"write '{alike[0]}'" if alike else f"it is one of {', '.join(list(among)[:12])}"
            self._note(f"`{name.name}` is never '{written.value}'", written.column, remedy)

    def _membership(self, node: Binary) -> None:
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.right, Many):
            for item in node.right.items:
                kind = self.of(item)
                self._comparison(Binary("==", node.left, item, item.column), left, kind)
            return
        if right not in ("list", "text", *_ANY):
            message = f"`in` needs a list or a text on its right, not {self._shown(node.right)}"
            self._note(message, node.column, "write a list: ['a', 'b']")
        if right == "text" and left not in ("text", *_ANY):
            message = f"only a text can be in a text, not {self._shown(node.left)}"
            self._note(message, node.column, "write it in quotes")

    def _arithmetic(self, node: Binary) -> str:
        left, right = self.of(node.left), self.of(node.right)
        result = _ARITHMETIC.get((left, node.operator, right))
        if result is None:
            known = right if left in _ANY else left if right in _ANY else ""
            if known and known != "yes_no":
                same_again = known in ("number", "text", "list") and node.operator == "+"
                return known if same_again or known == "number" else "any"
            message = f"`{node.operator}` cannot join {self._shown(node.left)} and {self._shown(node.right)}"
            self._note(message, node.column, _arithmetic_remedy(node.operator, left, right))
            return "any"
        return result


def _sums() -> dict[tuple[str, str, str], str]:
    results = {("number", operator, "number"): "number" for operator in "+-*/%"}
    results |= {("text", "+", "text"): "text", ("list", "+", "list"): "list"}
    results |= {("duration", operator, "duration"): "duration" for operator in "+-%"}
    results |= {("duration", "/", "duration"): "number"}
    results |= {("duration", operator, "number"): "duration" for operator in "*/"}
    results |= {("number", "*", "duration"): "duration"}
    for moment in _MOMENTS:
        # Whether a date with a duration stays one depends on the duration: it may hold hours.
        after = "any" if moment == "date" else moment
        results |= {(moment, "+", "duration"): after, (moment, "-", "duration"): after}
        results |= {("duration", "+", moment): after, (moment, "-", moment): "duration"}
    for one, other in (("date", "datetime"), ("time", "datetime")):
        results |= {(one, "-", other): "duration", (other, "-", one): "duration"}
    return results


_ARITHMETIC = _sums()
_ISO = "write 2027-03-02, 15:00 or 2027-03-02T15:00 in quotes"


def _arithmetic_remedy(operator: str, left: str, right: str) -> str:
    kinds = {left, right}
    if kinds == {"text", "number"}:
        if operator == "+":
            return "`text(x)` makes a text of a number, `number(x)` a number of a text"
        return "`number(x)` reads a text as a number"
    if "number" in kinds and kinds & {*_MOMENTS, "duration"}:
        return "write a duration: 2 days, 30 minutes"
    return ""


def _remedy_for_text(takes: frozenset[str], node: Node, kind: str) -> str:
    if "text" in takes and isinstance(node, Literal) and kind == "number":
        return f"write '{as_text(node.value)}'"
    if takes == {"number"} and kind == "text":
        return "`number(x)` reads a text as a number"
    if "text" in takes and kind == "number":
        return "`text(x)` makes a text of it"
    return ""


def _unreadable(node: Node, beside: str) -> bool:
    """A text in quotes that is no date or time, or none to compare with the type `beside`."""
    if not (isinstance(node, Literal) and isinstance(node.value, str)):
        return False
    moment = moment_of(node.value)
    return moment is None or {KINDS[type(moment)], beside} == {"date", "time"}


def _written(value: Scalar) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"the text '{value}'"
    if isinstance(value, int | float | Decimal):
        return f"the number {as_text(value)}"
    return "a duration" if value is not None else "unknown"


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
