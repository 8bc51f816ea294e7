"""What authors want to know of a dialog: its mistakes, its picture.

Seconds of a processor for large ones: `aside.Desk` does it in a process that has nothing of the panel, so all
that is given and returned is pickled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from voicebot.authoring.picture.drawing import svg_of
from voicebot.authoring.picture.graph import Graph
from voicebot.authoring.picture.load import graph_of_file
from voicebot.dialog.loading.files import DiskFiles, examine_dialog
from voicebot.dialog.loading.loader import examine
from voicebot.errors import Problem, UserError


@dataclass(frozen=True, slots=True)
class Examined:
    """runs: calls can have it"""

    runs: bool
    mistakes: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()


def examine_file(path: Path) -> Examined:
    """Look at a dialog's file as it is now."""
    try:
        found = examine_dialog(path)
    except UserError as error:
        return Examined(False, tuple(error.problems))
    return Examined(found.dialog is not None, tuple(found.mistakes), tuple(found.warnings))


def examine_text(text: str) -> Examined:
    """Look at a dialog that is not saved: it reads no files of this machine."""
    try:
        found = examine(text, "draft.yaml", "/nowhere", DiskFiles(), None, ())
    except UserError as error:
        return Examined(False, tuple(error.problems))
    return Examined(found.dialog is not None, tuple(found.mistakes), tuple(found.warnings))


def drawn(path: Path, deep: bool, calls: dict[str, int]) -> str | tuple[Problem, ...]:
    """Return a dialog's picture as SVG, or why there is none. calls: how many are at which step."""
    try:
        graph: Graph = graph_of_file(path, deep=deep, problems=True)
    except UserError as error:
        return tuple(error.problems)
    if calls:
        nodes = tuple(
            replace(node, lines=(*node.lines, ("out", _calls(calls[node.id])))) if node.id in calls else node
            for node in graph.nodes
        )
        graph = replace(graph, nodes=nodes)
    return svg_of(graph)


def _calls(count: int) -> str:
    return f"{count} call{'s' if count > 1 else ''} here"
