"""Which steps of a dialog, and which ways out of them, conversations have taken.

Counted is what its author wrote: every step, each `goto`, the fall to the next step, choices, failures, ends,
conditions of steps (`if`) where they do not hold, texts for `noinput`, `nomatch` and `invalid`, and the
commands under `always`. What every dialog can do without a line (help, repeat, ...) is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from voicebot.dialog.loading.yamlfile import YamlFile, read_yaml
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.step import Step
from voicebot.errors import UserError

Taken = tuple[str, str, str, str]
"""Dialog, step, way, target: an entry of `Interpreter.taken`."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way on from a step ("" for any step). `target` is "" where it does not matter.

    place:  where it is written, as a path of keys
    """

    step: str
    way: str
    target: str
    place: tuple[str | int, ...]

    def __str__(self) -> str:
        where = f"{self.step}: " if self.step else ""
        return f"{where}{self.way.replace(':', ' ')}{f' to {self.target}' if self.target else ''}"


@dataclass(frozen=True, slots=True)
class Uncovered:
    """What no conversation has come to; `line` is None where the text of the dialog is not at hand."""

    line: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one dialog file."""

    dialog: str
    file: str
    steps: int
    steps_covered: int
    ways: int
    ways_covered: int
    uncovered: tuple[Uncovered, ...]

    @property
    def steps_percent(self) -> float:
        return percent(self.steps_covered, self.steps)

    @property
    def ways_percent(self) -> float:
        return percent(self.ways_covered, self.ways)


def percent(part: int, whole: int) -> float:
    """Return a share in percent, rounded down to a tenth; all of nothing is 100."""
    return part * 1000 // whole / 10 if whole else 100.0


def family(dialog: Dialog) -> list[Dialog]:
    """Return a dialog and all that it includes, each once."""
    found: dict[str, Dialog] = {}
    todo = [dialog]
    while todo:
        each = todo.pop(0)
        if each.version not in found:
            found[each.version] = each
            todo += each.included.values()
    return list(found.values())


def ways_of(dialog: Dialog) -> list[Way]:
    """Return every way that the dialog's author wrote."""
    ways = [way for name, step in dialog.steps.items() for way in _ways_of_step(dialog, name, step)]
    for name, command in dialog.file.always.items():
        if not command.off and (command.goto or command.say):
            ways.append(Way("", f"command:{name}", "", ("always", name)))
    return ways


def _ways_of_step(dialog: Dialog, name: str, step: Step) -> Iterator[Way]:
    here = ("steps", name)
    if step.if_:
        yield Way(name, "if", "", (*here, "if"))
    for choice in step.choices:
        yield Way(name, f"choice:{choice}", "", (*here, "choices", choice))
    for target in step.goto:
        yield Way(name, "goto", target, (*here, "goto", target))
    for target in step.llm.tools if step.llm else ():
        yield Way(name, "goto", target, (*here, "llm", "tools", target))
    if step.failed:
        yield Way(name, "failed", step.failed, (*here, "failed"))
    for kind in ("noinput", "nomatch", "invalid"):
        if getattr(step, kind):
            yield Way(name, kind, "", (*here, kind))
    if step.end:
        yield Way(name, "end", "", (*here, "end"))
    if step.return_:
        yield Way(name, "return", "", (*here, "return"))
    if step.transfer:
        yield Way(name, "transfer", "", (*here, "transfer"))
    only_choices = bool(step.choices) and not step.fill and all(c.goto for c in step.choices.values())
    open_end = not (step.leaves or only_choices or _always_holds(step))
    if open_end and (after := dialog.step_after(name)) is not None:
        yield Way(name, "next", after, here)


def _always_holds(step: Step) -> bool:
    """Whether one of the conditions of a `goto` is sure to hold."""
    conditions = {" ".join(condition.split()) for condition in step.goto.values()}
    return "else" in conditions or any(f"not {condition}" in conditions for condition in conditions)


def covered(
    dialogs: Iterable[Dialog], taken: Iterable[Taken], visited: Iterable[tuple[str, str]]
) -> list[Coverage]:
    """Return the coverage of each dialog by what conversations have taken, and the steps they came to."""
    all_taken, all_visited = set(taken), set(visited)
    exact = all_taken | {(dialog, step, way, "") for dialog, step, way, _ in all_taken}
    exact |= {(dialog, "", way, "") for dialog, _, way, _ in all_taken}
    result = []
    for dialog in dialogs:
        places = _places(dialog)
        missed_steps = [name for name in dialog.steps if (dialog.name, name) not in all_visited]
        ways = ways_of(dialog)
        missed_ways = [way for way in ways if (dialog.name, way.step, way.way, way.target) not in exact]
        uncovered = [Uncovered(_line(places, ("steps", name)), f"step {name}") for name in missed_steps]
        uncovered += [
            Uncovered(_line(places, way.place), str(way))
            for way in missed_ways
            if way.step not in missed_steps  # that the step was never come to says it all
        ]
        result.append(
            Coverage(
                dialog=dialog.name,
                file=dialog.source,
                steps=len(dialog.steps),
                steps_covered=len(dialog.steps) - len(missed_steps),
                ways=len(ways),
                ways_covered=len(ways) - len(missed_ways),
                uncovered=tuple(sorted(uncovered, key=lambda each: each.line or 0)),
            )
        )
    return result


def _places(dialog: Dialog) -> YamlFile | None:
    try:
        return read_yaml(Path(dialog.source).read_text(encoding="utf-8-sig"), dialog.source)
    except (OSError, UnicodeDecodeError, UserError):
        return None


def _line(places: YamlFile | None, path: tuple[str | int, ...]) -> int | None:
    if places is None:
        return None
    position = places.position(path, key=True)
    return position[0] if position else None
