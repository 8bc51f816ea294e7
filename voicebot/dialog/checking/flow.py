"""A dialog as a graph of steps: where a step may lead, and what is known on each way.

Known on a way is what the step before learnt, and what the condition of the way implies: who comes by
`goto: {shipped: arrives != unknown}` knows `arrives`. A value that was never set since the call began is what
`start` says, so that `goto: {check: rounds > 0, city: else}` leads to `city` the first time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from voicebot.dialog.checking.context import CANCELLED, Context, learns, words_of
from voicebot.dialog.checking.finding import Path
from voicebot.dialog.checking.implied import denied, implied, results_of
from voicebot.dialog.checking.places import readable
from voicebot.dialog.expressions.expressions import Expression
from voicebot.dialog.expressions.nodes import Literal
from voicebot.dialog.model.dialog import Dialog, DialogFile
from voicebot.dialog.model.step import Step
from voicebot.dialog.understanding.values import value_of_given

Names = frozenset[str]
NONE: Names = frozenset()
MOST_STARTS = 6
"""Values that are followed from their start; each may double the work."""


def targets_of(file: DialogFile) -> Iterator[tuple[Path, str]]:
    """Yield every step that the file names, with its place."""
    for name, command in file.always.items():
        if command.goto:
            yield ("always", name, "goto"), command.goto
    for name, step in file.steps.items():
        for target in step.goto:
            yield ("steps", name, "goto", target), target
        for meaning, choice in step.choices.items():
            if choice.goto:
                yield ("steps", name, "choices", meaning, "goto"), choice.goto
        if step.failed:
            yield ("steps", name, "failed"), step.failed
        for target in step.llm.tools if step.llm else ():
            yield ("steps", name, "llm", "tools", target), target


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one step to another.

    way:     `if` (passed over), `choice`, `goto`, `next`, `failed`, `command` or `tool`
    learnt:   what is known at its end, beside what was known before
    lost:     what is not known any more
    changed:  what may have another value than before
    only:     conditions that hold, or do not, on this way
    """

    target: str
    way: str
    learnt: Names = NONE
    lost: Names = NONE
    changed: Names = NONE
    only: tuple[tuple[Expression, bool], ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the step did what it is for."""
        return self.way not in ("failed", "command")


class Flow:
    """The graph of one dialog. Steps that do not exist are left out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._file = context.file
        self._commands = [c.goto for c in self._file.always.values() if c.goto and not c.off]
        names = list(self._file.steps)
        self._following = dict(zip(names, [*names[1:], ""], strict=True))

    @cached_property
    def edges(self) -> dict[str, list[Edge]]:
        return {
            name: [edge for edge in self._edges(name, step) if edge.target in self._file.steps]
            for name, step in self._file.steps.items()
        }

    def _edges(self, name: str, step: Step) -> Iterator[Edge]:
        following = self._following[name]
        if step.if_:
            skipped = readable(step.if_)
            only = ((skipped, False),) if skipped else ()
            yield Edge(following, "if", _implied(step.if_, holds=False), only=only)
        here = _implied(step.if_, holds=True) if step.if_ else NONE
        if step.ask or step.call or step.llm or step.record:
            yield from (Edge(target, "command", here) for target in self._commands)
        if step.failed:
            yield Edge(step.failed, "failed", here)
        elif step.fetch or step.hook or step.llm:
            agent = self._file.always.get("agent")
            yield Edge((agent.goto or "") if agent and not agent.off else "", "failed", here)
        for target in step.llm.tools if step.llm else ():
            yield Edge(target, "tool", here)
        for choice in step.choices.values():
            if choice.goto:
                yield Edge(choice.goto, "choice", here)
        diverted = bool(step.choices) and not step.fill and all(c.goto for c in step.choices.values())
        if not step.leaves and not diverted:
            yield from self._onward(name, step, here)

    def _onward(self, name: str, step: Step, here: Names) -> Iterator[Edge]:
        """The ways after the step has done what it is for."""
        learnt, lost = self._learnt(step)
        returned = self._returned(step)
        words = frozenset(returned)
        refuted: list[tuple[Expression, bool]] = []
        for target, condition in (*step.goto.items(), (self._following[name], "else")):
            otherwise = condition.strip() == "else"
            expression = None if otherwise else readable(condition)
            held, refused = results_of(expression, words) if expression else (words, words)
            if held or not words:
                kept = _common([returned[word] for word in held])
                known = here | learnt | kept
                missing = NONE
                if expression is not None:
                    known |= implied(expression.node, True)
                    missing = denied(expression.node, True)
                way = "goto" if target in step.goto else "next"
                only = (*refuted, (expression, True)) if expression else tuple(refuted)
                gone = lost | missing
                yield Edge(target, way, known - gone, gone, learns(step), only)
            if otherwise:
                return
            words = refused
            if expression is not None:
                here |= implied(expression.node, False)
                refuted.append((expression, False))
            if returned and not words:
                return

    def _learnt(self, step: Step) -> tuple[Names, Names]:
        slots = self._file.slots
        learnt = {
            name for name in step.fill if not (step.optional or (name in slots and slots[name].optional))
        }
        for work in (step.fetch, step.hook):
            learnt |= set(work.keep) if work is not None else set()
        lost = set()
        for name, text in step.set.items():
            expression = readable(text)
            unset = expression is not None and isinstance(expression.node, Literal)
            if unset and expression is not None and getattr(expression.node, "value", 0) is None:
                lost.add(name)
            else:
                learnt.add(name)
        return frozenset(learnt), frozenset(lost)

    def _returned(self, step: Step) -> dict[str, Names]:
        """For each word that a called dialog comes back with, what is learnt then."""
        if step.call is None or step.call.dialog not in self._context.dialog.included:
            return {}
        inner = self._context.dialog.included[step.call.dialog]
        known = known_on_return(inner)
        return {
            word: frozenset(mine for mine, theirs in step.call.keep.items() if theirs in names)
            for word, names in known.items()
        }

    @cached_property
    def reached(self) -> Names:
        """The steps that a call may come to."""
        return self._reached_from(next(iter(self._file.steps)))

    def _reached_from(self, first: str) -> Names:
        found = {first}
        todo = [first]
        while todo:
            for edge in self.edges[todo.pop()]:
                if edge.target not in found:
                    found.add(edge.target)
                    todo.append(edge.target)
        return frozenset(found)

    @cached_property
    def ways_out(self) -> Names:
        """The steps from which an end can be reached by answers."""
        before: dict[str, list[str]] = {name: [] for name in self.edges}
        for name, edges in self.edges.items():
            for edge in edges:
                if edge.answered:
                    before[edge.target].append(name)
        out = {name for name, step in self._file.steps.items() if step.leaves or self.runs_out(name)}
        todo = list(out)
        while todo:
            for name in before[todo.pop()]:
                if name not in out:
                    out.add(name)
                    todo.append(name)
        return frozenset(out)

    def runs_out(self, name: str) -> bool:
        """Whether the conversation may come to its end after this step without a word for it."""
        step = self._file.steps[name]
        if self._following[name]:
            return False
        if step.if_:
            return True
        diverted = bool(step.choices) and not step.fill and all(c.goto for c in step.choices.values())
        return not (step.leaves or "else" in (c.strip() for c in step.goto.values()) or diverted)

    @cached_property
    def known(self) -> dict[str, Names]:
        """What is known at the beginning of each step, on whatever way it was reached."""
        file = self._file
        starts = {n: value_of_given(v.start, v.type) for n, v in file.values.items() if v.start is not None}
        given = frozenset((*file.needs, *starts))
        first = next(iter(file.steps))
        # For each step and each set of values that are still as they began: what is known.
        known: dict[tuple[str, Names], Names] = {(first, frozenset(list(starts)[:MOST_STARTS])): given}
        todo = deque(known)
        while todo:
            name, unchanged = here = todo.popleft()
            for edge in self.edges[name]:
                still = unchanged - edge.changed
                if not _possible(edge, unchanged if edge.way == "if" else still, starts):
                    continue
                at = edge.target, still
                learnt = (known[here] - edge.lost) | edge.learnt
                merged = learnt if at not in known else known[at] & learnt
                if merged != known.get(at):
                    known[at] = merged
                    todo.append(at)
        found: dict[str, Names] = {}
        for (name, _), names in known.items():
            found[name] = found[name] & names if name in found else names
        return found


def _possible(edge: Edge, unchanged: Names, starts: Mapping[str, object]) -> bool:
    """Whether a way can be taken while values are what they were at the beginning."""
    return all(
        bool(expression.holds(starts)) is holds
        for expression, holds in edge.only
        if expression.names and expression.names <= unchanged
    )


def _implied(condition: str, *, holds: bool) -> Names:
    expression = readable(condition)
    return implied(expression.node, holds) if expression else NONE


def _common(sets: list[Names]) -> Names:
    return frozenset.intersection(*sets) if sets else NONE


@lru_cache(maxsize=64)
def known_on_return(dialog: Dialog) -> dict[str, Names]:
    """For each word that an included dialog may come back with, which of its values are known then.

    Without `cancelled`: a caller may say it at any time, and who wants to tell it apart asks for it.
    """
    flow = Flow(Context(dialog))
    found: dict[str, Names] = {}
    for name, before in flow.known.items():
        step = dialog.steps[name]
        word = step.return_ or ("done" if flow.runs_out(name) else "")
        if word:
            learnt, lost = flow._learnt(step)
            at_end = (before | learnt) - lost
            found[word] = found[word] & at_end if word in found else at_end
    return {word: found.get(word, NONE) for word in words_of(dialog) if word != CANCELLED or word in found}
