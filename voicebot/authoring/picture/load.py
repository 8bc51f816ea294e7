"""From a dialog file to its graph, also where the file has mistakes."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from voicebot.authoring.picture.graph import Graph, Ways, flow_graph
from voicebot.dialog.loading.files import load_dialog, read_text
from voicebot.dialog.loading.yamlfile import YamlFile, read_yaml
from voicebot.dialog.model.dialog import Dialog, DialogFile
from voicebot.errors import Problem, UserError


def graph_of_file(
    path: Path, *, deep: bool = False, problems: bool = False, coverage: Ways | None = None
) -> Graph:
    """Return the graph of a dialog file.

    With `problems` what `check` finds is in it; then a file with mistakes is drawn, too, as far as it has the
    shape of a dialog. Raises UserError where it cannot be drawn.
    """
    mistakes: tuple[Problem, ...] = ()
    try:
        dialog = load_dialog(path)
    except UserError as error:
        if not problems:
            raise
        dialog = _as_far_as_it_goes(path, error)
        mistakes = error.problems
    return flow_graph(
        dialog,
        deep=deep,
        lines=step_lines(path),
        mistakes=mistakes,
        warnings=dialog.warnings if problems else (),
        coverage=coverage,
    )


def step_lines(path: Path) -> dict[str, int]:
    """Return the line, from 1, of each step."""
    keys = _yaml(path).keys
    return {str(place[1]): at[0] for place, at in keys.items() if len(place) == 2 and place[0] == "steps"}


def _yaml(path: Path) -> YamlFile:
    return read_yaml(read_text(str(path)), str(path))


def _as_far_as_it_goes(path: Path, error: UserError) -> Dialog:
    """Read a file that has mistakes; raise `error` where it is not even a dialog in shape."""
    try:
        file = DialogFile.model_validate(_yaml(path).data)
    except (ValidationError, UserError, OSError, UnicodeDecodeError):
        raise error from None
    return Dialog(file, "", str(path), str(path.resolve().parent))
