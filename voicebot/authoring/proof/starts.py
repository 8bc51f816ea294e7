"""How a call may begin: when, and with which values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from voicebot.authoring.conversation.coverage import family
from voicebot.authoring.proof.facts import Compared, facts_of
from voicebot.authoring.proof.values import BIRTHDAY, possible
from voicebot.dialog.model.dialog import Dialog

STARTS = (
    datetime(2027, 3, 1, 10, 0, tzinfo=UTC),
    datetime(2027, 3, 1, 3, 0, tzinfo=UTC),
    datetime(2027, 3, 2, 19, 30, tzinfo=UTC),
    datetime(2027, 3, 6, 12, 0, tzinfo=UTC),
    datetime(2027, 3, 7, 12, 0, tzinfo=UTC),
)
"""When calls begin: a Monday morning; where the clock decides something, also at night, in the evening, and
at the weekend."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a call begins: when, and with which values."""

    started: datetime
    given: Mapping[str, object]


def starts_of(dialog: Dialog, given: Mapping[str, object]) -> Iterator[Start]:
    """Yield the ways in which a call may begin that can make a difference; the usual one first."""
    facts = facts_of(dialog)
    today = STARTS[0].date()
    usual: dict[str, object] = {}
    others: dict[str, list[object]] = {}
    for name, need in dialog.file.needs.items():
        compared = facts.compared.get(name, Compared())
        decides = name in facts.deciding and bool(
            compared.literals or compared.functions or not compared.names
        )
        values = possible(need.type, compared if decides else Compared(), decides, {}, today)
        if need.type == "date" and name in facts.deciding:
            values = list(dict.fromkeys([*values, BIRTHDAY.isoformat()]))
        if name in given or need.default is not None:
            values = [given.get(name, need.default), *(values if name not in given else ())]
        usual[name] = _written(values[0])
        others[name] = [_written(value) for value in values[1:]] if name in facts.deciding else []
    clocked = any(facts_of(each).clocked for each in family(dialog))
    for started in STARTS if clocked else STARTS[:1]:
        yield Start(started, usual)
    for name, values in others.items():
        for value in values:
            yield Start(STARTS[0], {**usual, name: value})


def _written(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
