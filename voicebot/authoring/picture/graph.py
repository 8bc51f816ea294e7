"""A dialog as a picture's data: boxes for its steps, arrows for every way that a call may take between them.

Pure: whoever draws it (SVG, Mermaid, a web page) takes a `Graph`. A node's id is the name of its step, so
that it stays the same while a file is edited; a step of an inlined dialog is `<calling step>/<step>`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from voicebot.authoring.picture.texts import boxed, choice_label, else_label, said_in
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.step import Step
from voicebot.dialog.model.words import COMMAND_KEYS
from voicebot.errors import Problem

MOST_FAILED_ARROWS = 3
"""Where more steps than these lead to one step when they fail, their boxes say so and no arrow is drawn."""

DEEPEST = 8
"""Dialogs inlined within one another; no dialog includes itself, so that this is generous."""

Ways = Collection[tuple[str, str, str, str]]
"""The ways that tests have taken: dialog, step, way, target, as `Interpreter.taken` tells them."""

KINDS = (
    "ask", "say", "decide", "fetch", "hook", "record", "call", "llm",
    "end", "return", "transfer", "command", "returned", "missing",
)  # fmt: skip
"""What a box can be: a step by what it does; a command of the dialog; where an inlined dialog comes back;
a step that does not exist."""


@dataclass(frozen=True, slots=True)
class Node:
    """A box.

    title:     the step's name
    lines:     what else stands in it, each with its sort: `if`, `say`, `ask`, `do`, `set`, `failed`, `out`
    hover:     all that is said and done, unabridged
    line:      of the file, from 1
    group:     the id of the call that it is inlined under, "" for the dialog itself
    covered:   whether tests come here; None where nobody asked
    goal:      it is an end that the dialog is for
    """

    id: str
    kind: str
    title: str
    lines: tuple[tuple[str, str], ...] = ()
    hover: str = ""
    line: int | None = None
    group: str = ""
    problems: tuple[Problem, ...] = ()
    mistaken: bool = False
    covered: bool | None = None
    goal: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow. `kind`: next, goto, choice, passed, failed, command, tool, call or return."""

    source: str
    target: str
    kind: str
    label: str = ""
    covered: bool | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """The flow of a dialog. `groups`: the id of a call -> the name of the dialog inlined there.

    `problems`: those that belong to no step.
    """

    name: str
    about: str
    first: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    covered: bool = False

    def node(self, id_: str) -> Node:
        return next(node for node in self.nodes if node.id == id_)


def flow_graph(
    dialog: Dialog,
    *,
    deep: bool = False,
    lines: Mapping[str, int] | None = None,
    warnings: Iterable[Problem] = (),
    mistakes: Iterable[Problem] = (),
    coverage: Ways | None = None,
) -> Graph:
    """Return the flow of a dialog; with `deep` the dialogs that it calls stand within it.

    lines:     step -> its line in the file, to tell which step a problem belongs to
    coverage:  the ways that tests have taken; None leaves everything uncoloured
    """
    builder = _Builder(deep, coverage)
    builder.add(dialog, "")
    nodes, elsewhere = _with_problems(builder.nodes, lines or {}, tuple(mistakes), tuple(warnings))
    edges = _merged(_with_covered(builder.edges, coverage))
    return Graph(
        dialog.name,
        dialog.file.about,
        dialog.first_step,
        nodes,
        edges,
        builder.groups,
        elsewhere,
        coverage is not None,
    )


class _Builder:
    """Collects boxes and arrows, those of inlined dialogs among them."""

    def __init__(self, deep: bool, coverage: Ways | None) -> None:
        self._deep = deep
        self._seen = None if coverage is None else {(where, step) for where, step, _, _ in coverage}
        self.nodes: list[Node] = []
        self.edges: list[tuple[Edge, str]] = []
        self.groups: dict[str, str] = {}

    def add(self, dialog: Dialog, within: str, depth: int = 0) -> None:
        """Add the steps of `dialog`, which stands `within` a call ("" for the root)."""
        prefix = f"{within}/" if within else ""
        edges = [*_edges(dialog), *_command_edges(dialog)]
        told = _told_in_boxes(edges)
        for name, step in dialog.steps.items():
            failed = step.failed if (step.failed or "") in told else None
            node = _step_node(dialog, name, step, failed)
            covered = None if self._seen is None else (dialog.name, name) in self._seen
            self.nodes.append(replace(node, id=prefix + name, group=within, covered=covered))
        for command in _command_nodes(dialog):
            self.nodes.append(replace(command, id=prefix + command.id, group=within))
        targets = {edge.target for edge in edges} - dialog.steps.keys()
        self.nodes += [
            Node(prefix + t, "missing", t, (("do", "does not exist"),), group=within) for t in targets
        ]
        for edge in edges:
            if edge.kind == "failed" and edge.target in told:
                continue
            source = edge.source
            if self._inlines(dialog, source, depth) and edge.kind != "passed":
                source = f"{source}/(returned)"
            self.edges.append(
                (replace(edge, source=prefix + source, target=prefix + edge.target), dialog.name)
            )
        for name in dialog.steps:
            if self._inlines(dialog, name, depth):
                self._inline(dialog, name, prefix + name, depth)

    def _inlines(self, dialog: Dialog, name: str, depth: int) -> bool:
        step = dialog.steps.get(name)
        call = step.call if step else None
        return bool(self._deep and depth < DEEPEST and call and call.dialog in dialog.included)

    def _inline(self, dialog: Dialog, name: str, id_: str, depth: int) -> None:
        call = dialog.steps[name].call
        assert call is not None
        inner = dialog.included[call.dialog]
        self.groups[id_] = inner.name
        back = f"{id_}/(returned)"
        self.edges.append((Edge(id_, f"{id_}/{inner.first_step}", "call"), dialog.name))
        self.add(inner, id_, depth + 1)
        self.nodes.append(Node(back, "returned", f"back in {name}", group=id_))
        names = list(inner.steps)
        for at, (step_name, step) in enumerate(inner.steps.items()):
            runs_out = at == len(names) - 1 and not (step.leaves or "else" in step.goto.values())
            if step.return_ or runs_out:
                word = step.return_ or "done"
                self.edges.append((Edge(f"{id_}/{step_name}", back, "return", word), inner.name))


# --- boxes ----------------------------------------------------------------------------------------------


def _kind(step: Step) -> str:
    for kind in ("ask", "record", "fetch", "hook", "call", "llm"):
        if getattr(step, kind):
            return kind
    if step.transfer:
        return "transfer"
    if step.end or step.return_:
        return "end" if step.end else "return"
    return "decide" if len(step.goto) > 1 or (step.goto and "else" not in step.goto.values()) else "say"


def _step_node(dialog: Dialog, name: str, step: Step, failed: str | None) -> Node:
    outcome = step.end or step.return_ or ("transferred" if step.transfer else "")
    goal = bool(outcome) and (step.goal or outcome in dialog.file.goals)
    return Node(name, _kind(step), name, boxed(step, failed), said_in(step), goal=goal)


def _command_nodes(dialog: Dialog) -> Iterator[Node]:
    """Yield a box for each command that leads somewhere; the others only say something."""
    for name, target in _commands(dialog).items():
        command = dialog.file.always.get(name)
        key = (command.key if command else None) or COMMAND_KEYS.get(name, "")
        heard = ", ".join(command.hear) if command else ""
        title = f"{name.replace('_', ' ')} · {key}" if key else name.replace("_", " ")
        lines = (("do", "at any time"),) if target else (("do", "at any time"), ("out", "ends: opted_out"))
        yield Node(f"always:{name}", "command", title, lines, f"At any time: {heard or name}")


def _commands(dialog: Dialog) -> dict[str, str]:
    """Return command -> the step that it leads to, "" where it ends the call by itself."""
    found = {name: c.goto for name, c in dialog.file.always.items() if c.goto and not c.off}
    opt_out = dialog.file.always.get("opt_out")
    if dialog.file.outbound and "opt_out" not in found and not (opt_out and opt_out.off):
        found["opt_out"] = ""
    return found


# --- arrows ---------------------------------------------------------------------------------------------


def _edges(dialog: Dialog) -> Iterator[Edge]:
    for name, step in dialog.steps.items():
        after = dialog.step_after(name)
        for meaning, choice in step.choices.items():
            if choice.goto:
                yield Edge(name, choice.goto, "choice", choice_label(meaning, choice.key))
        for target in step.llm.tools if step.llm else ():
            yield Edge(name, target, "tool", target)
        alone = len(step.goto) == 1
        for target, condition in step.goto.items():
            label = ("" if alone else "else") if condition.strip() == "else" else condition
            yield Edge(name, target, "goto", label)
        if after and _falls_through(step):
            yield Edge(name, after, "next", else_label(step))
        elif after and step.if_:
            yield Edge(name, after, "passed", "passed over")
        if step.failed:
            yield Edge(name, step.failed, "failed", "failed")


def _falls_through(step: Step) -> bool:
    """Whether the step may go on to the next one of the file, besides being passed over."""
    if step.leaves or "else" in (condition.strip() for condition in step.goto.values()):
        return False
    only_choices = bool(step.choices) and not step.fill and all(c.goto for c in step.choices.values())
    return not only_choices


def _command_edges(dialog: Dialog) -> Iterator[Edge]:
    for name, target in _commands(dialog).items():
        if target:
            yield Edge(f"always:{name}", target, "command")


def _told_in_boxes(edges: Iterable[Edge]) -> frozenset[str]:
    """Return the steps that so many lead to on failure that arrows would hide the rest."""
    counts: dict[str, int] = {}
    for edge in edges:
        if edge.kind == "failed":
            counts[edge.target] = counts.get(edge.target, 0) + 1
    return frozenset(target for target, count in counts.items() if count > MOST_FAILED_ARROWS)


def _merged(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Let one arrow stand for several choices that lead to the same step."""
    found: dict[tuple[str, str, str], Edge] = {}
    for edge in edges:
        key = (edge.source, edge.target, edge.kind)
        if key in found and edge.kind in ("choice", "return"):
            old = found[key]
            covered = None if edge.covered is None else bool(old.covered or edge.covered)
            label = ", ".join(dict.fromkeys((old.label, edge.label)))
            found[key] = replace(old, label=label, covered=covered)
        else:
            found[key] = edge
    return tuple(found.values())


# --- what is coloured in --------------------------------------------------------------------------------


_SORTS = {"passed": ("if",), "next": ("next", "returned"), "goto": ("goto",), "choice": ("choice",)}
"""Kind of an arrow -> the ways of `Ways` that go along it."""


def _with_covered(edges: Iterable[tuple[Edge, str]], coverage: Ways | None) -> Iterator[Edge]:
    """Yield arrows, each with the dialog that it belongs to, as covered or not."""
    if coverage is None:
        yield from (edge for edge, _ in edges)
        return
    taken = {(where, step, way.partition(":")[0], target) for where, step, way, target in coverage}
    commands = {(where, way, target) for where, _, way, target in coverage if way.startswith("command:")}
    left = {(where, step, way) for where, step, way, _ in coverage}
    for edge, dialog in edges:
        source, target = _step_of(edge.source), _step_of(edge.target)
        if edge.kind == "command":
            covered = (dialog, f"command:{source.removeprefix('always:')}", target) in commands
        elif edge.kind == "return":
            covered = any((dialog, source, way) in left for way in ("return", "next", "returned"))
        elif edge.kind == "call":
            covered = (dialog, source, "call") in left
        else:
            sorts = _SORTS.get(edge.kind, (edge.kind, "goto", "choice"))
            covered = any((dialog, source, sort, target) in taken for sort in sorts)
        yield replace(edge, covered=covered)


def _step_of(id_: str) -> str:
    """Return the step's own name of a node's id; of a `(returned)` that of its call."""
    parts = id_.split("/")
    return parts[-2] if parts[-1] == "(returned)" else parts[-1]


def _with_problems(
    nodes: list[Node],
    lines: Mapping[str, int],
    mistakes: tuple[Problem, ...],
    warnings: tuple[Problem, ...],
) -> tuple[tuple[Node, ...], tuple[Problem, ...]]:
    """Give each problem to the step within whose lines it stands; return also those of no step."""
    starts = sorted((line, name) for name, line in lines.items())
    found: dict[str, list[Problem]] = {}
    wrong: set[str] = set()
    elsewhere: list[Problem] = []
    for problem in (*mistakes, *warnings):
        inside = [name for line, name in starts if line <= (problem.line or 0)]
        if not inside:
            elsewhere.append(problem)
            continue
        found.setdefault(inside[-1], []).append(problem)
        if problem in mistakes:
            wrong.add(inside[-1])
    return tuple(
        replace(
            node,
            line=lines.get(node.id),
            problems=tuple(found.get(node.id, ())),
            mistaken=node.id in wrong,
        )
        for node in nodes
    ), tuple(elsewhere)
