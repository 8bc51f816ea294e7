"""`voicebot dialog graph`: a picture of a dialog's flow."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from voicebot.authoring.picture.drawing import svg_of
from voicebot.authoring.picture.graph import Graph, Ways
from voicebot.authoring.picture.load import graph_of_file
from voicebot.authoring.picture.mermaid import markdown_of, mermaid_of
from voicebot.cli.options import Json
from voicebot.errors import Problem, UserError

Format = Literal["svg", "mermaid", "markdown"]
_SUFFIXES: dict[str, Format] = {
    ".svg": "svg",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "markdown",
}


def graph(
    file: Annotated[Path, typer.Argument(help="A dialog file.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write (.svg, .mmd, .md); else standard output."),
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="What to write; else as the output's name says, or svg.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Draw the dialogs that it calls within it.")] = False,
    problems: Annotated[bool, typer.Option("--problems", help="Colour in what `check` finds.")] = False,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Colour in what the tests beside the dialog come to.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Draw a dialog: its steps, and every way between them.

    With --problems a dialog that has mistakes is drawn as well, as far as it can be read. SVG needs Graphviz
    (pip install 'voicebot[graph]', or the program `dot`); Mermaid needs nothing.
    """
    wanted = format_ or ("svg" if output is None or as_json else _SUFFIXES.get(output.suffix.lower()))
    if wanted is None:
        raise UserError(
            Problem(f"`{output}` has no ending that tells what to write", "end it in .svg, .mmd or .md")
        )
    drawn = graph_of_file(file, deep=deep, problems=problems, coverage=_ways(file) if coverage else None)
    text = _json_of(drawn) if as_json else _TEXTS[wanted](drawn)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            Problem(f"cannot be written: {reason}", "is there such a folder?", str(output))
        ) from error
    typer.echo(_told(output, drawn))


_TEXTS = {"svg": svg_of, "mermaid": mermaid_of, "markdown": markdown_of}


def _json_of(drawn: Graph) -> str:
    return json.dumps(asdict(drawn), ensure_ascii=False) + "\n"


def _ways(file: Path) -> Ways:
    """Hold the conversations beside `file`; return the ways that they took."""
    # Loaded here: a picture without tests shall not wait for them.
    from voicebot.authoring.testing.load import find_tests, load_cases
    from voicebot.authoring.testing.run import run_case
    from voicebot.dialog.loading.files import load_dialog

    ways: set[tuple[str, str, str, str]] = set()
    dialogs = {}
    for path in find_tests([file]):
        for case in load_cases(path):
            if case.dialog not in dialogs:
                dialogs[case.dialog] = load_dialog(case.dialog)
            result = run_case(case, dialogs[case.dialog])
            ways |= result.ways
            ways |= {(dialog, step, "visited", "") for dialog, step in result.visited}
    return ways


def _told(output: Path, drawn: Graph) -> str:
    steps = [node for node in drawn.nodes if node.kind not in ("command", "returned", "missing")]
    told = f"{output}: {len(steps)} steps, {len(drawn.edges)} ways"
    if drawn.covered:
        told += f"; tests come to {sum(bool(node.covered) for node in steps)} of the steps"
    if wrong := sum(len(node.problems) for node in drawn.nodes) + len(drawn.problems):
        told += f"; {wrong} problem{'s' if wrong > 1 else ''}"
    return told
