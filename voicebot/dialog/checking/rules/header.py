"""What a dialog declares at its top: names, types, languages, commands, goals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.suggest import near_or_all
from voicebot.dialog.expressions.expressions import KEYWORDS
from voicebot.dialog.language.languages import known
from voicebot.dialog.model.dialog import DialogFile
from voicebot.dialog.model.words import COMMANDS, RUN_VALUES
from voicebot.dialog.understanding.values import value_of_given
from voicebot.dialog.understanding.when_bounds import bound

EXAMPLES = {
    "yes_no": "write yes or no",
    "weekday": "write a day in English: tuesday",
    "digits": 'write digits in quotes: "0471"',
    "number": "write 42",
    "money": "write 42.50",
    "date": "write 2027-03-02",
    "time": "write 15:00",
    "datetime": "write 2027-03-02T15:00",
    "phone": 'write "+12025550100"',
    "email": "write sara@example.org",
}
_ANY_DAY = datetime(2027, 1, 1, 10, tzinfo=UTC)
_BOUNDS: dict[str, tuple[type, ...]] = {
    "date": (date, datetime),
    "datetime": (date, datetime),
    "time": (time,),
}
_RESERVED = frozenset((*KEYWORDS, *RUN_VALUES, "call", "env"))


def header(context: Context) -> Iterator[Finding]:
    file = context.file
    yield from _names(file)
    yield from _languages(context)
    yield from _types(file)
    yield from _commands(file)
    yield from _goals(context)


def _names(file: DialogFile) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for group in ("needs", "slots", "values"):
        for name in getattr(file, group):
            if name in _RESERVED:
                what = f"`{name}` is a word of the conditions"
                yield Finding((group, name), what, "choose another name", "name", at_key=True)
            elif first.setdefault(name, group) != group:
                what = f"`{name}` stands under `{first[name]}` as well"
                yield Finding((group, name), what, "keep one, or rename it", "name", at_key=True)


def _languages(context: Context) -> Iterator[Finding]:
    file = context.file
    for path, tag in (
        (("language",), file.language),
        *((("languages", at), tag) for at, tag in enumerate(file.languages)),
    ):
        if not known(tag):
            remedy = "give `noinput`, `nomatch` and phrases in the dialog; the defaults are English"
            yield Finding(path, f"`{tag}` has no defaults", remedy, "language", warning=True)
    for at, tag in enumerate(file.languages):
        if tag == file.language or tag in file.languages[:at]:
            yield Finding(("languages", at), f"`{tag}` stands here twice", "take one away", "language")
    for name, step in file.steps.items():
        if step.language and step.language not in context.dialog.languages:
            what = f"`{step.language}` is none of the dialog's languages"
            remedy = near_or_all(step.language, context.dialog.languages) or "add it to `languages`"
            yield Finding(("steps", name, "language"), what, remedy, "language")


def _types(file: DialogFile) -> Iterator[Finding]:
    for name, need in file.needs.items():
        if need.default is not None:
            yield from _value(("needs", name, "default"), need.default, need.type)
    for name, value in file.values.items():
        if value.start is not None:
            yield from _value(("values", name, "start"), value.start, value.type)
    declared: Any = {"needs": file.needs, "values": file.values}
    for group, things in declared.items():
        for name, thing in things.items():
            if thing.currency and thing.type != "money":
                what = "`currency` belongs to type `money`"
                yield Finding((group, name, "currency"), what, "take it away", "type")
    for name, slot in file.slots.items():
        if slot.between is not None and slot.type in _BOUNDS:
            yield from _between(("slots", name, "between"), slot.between, slot.type)


def _value(path: Path, raw: object, kind: str) -> Iterator[Finding]:
    if value_of_given(raw, kind) is None:
        yield Finding(path, f"`{_short(raw)}` is no {kind}", EXAMPLES.get(kind, ""), "type")


def _between(path: Path, between: tuple[Any, Any], kind: str) -> Iterator[Finding]:
    ends: list[Any] = []
    for at, written in enumerate(between):
        try:
            found = bound(str(written), _ANY_DAY)
        except ValueError:
            found = None
        if not isinstance(found, _BOUNDS[kind]):
            what = f"`{_short(written)}` is no {kind}"
            remedy = (
                "write ['09:00', '17:30']" if kind == "time" else "write [tomorrow, +30 days] or ISO dates"
            )
            yield Finding((*path, at), what, remedy, "type")
        else:
            ends.append(found)
    if len(ends) == 2 and (ends[0] > ends[1] if kind == "time" else _moment(ends[0]) > _moment(ends[1])):
        yield Finding(path, "the first bound is later than the second", "write [earliest, latest]", "type")


def _moment(end: date | datetime) -> datetime:
    if isinstance(end, datetime):
        return end if end.tzinfo else end.replace(tzinfo=UTC)
    return datetime.combine(end, time(), UTC)


def _commands(file: DialogFile) -> Iterator[Finding]:
    keys: dict[str, str] = {}
    for name, command in file.always.items():
        path: Path = ("always", name)
        if command.off:
            if name not in COMMANDS:
                remedy = near_or_all(name, COMMANDS)
                yield Finding(
                    path, f"there is no command `{name}` to switch off", remedy, "command", at_key=True
                )
            continue
        if not (command.goto or command.say) and name not in COMMANDS:
            what = f"`{name}` does nothing"
            yield Finding(path, what, "give it `goto` or `say`", "command", at_key=True)
        if not (command.hear or command.key or name in COMMANDS):
            what = f"`{name}` can be neither said nor keyed"
            yield Finding(path, what, "give it `hear` or `key`", "command", at_key=True)
        if command.key and keys.setdefault(command.key, name) != name:
            what = f"key {command.key} means `{keys[command.key]}` as well"
            yield Finding((*path, "key"), what, "choose another key", "key")


def _goals(context: Context) -> Iterator[Finding]:
    steps = context.file.steps.values()
    outcomes = [word for step in steps for word in (step.end, step.return_) if word]
    if any(step.transfer for step in steps):
        outcomes.append("transferred")
    for at, goal in enumerate(context.file.goals):
        if goal not in outcomes:
            remedy = near_or_all(goal, dict.fromkeys(outcomes))
            yield Finding(("goals", at), f"no step ends with `{goal}`", remedy, "goal")


def _short(raw: object) -> str:
    text = str(raw)
    return text if len(text) <= 60 else f"{text[:60]}..."
