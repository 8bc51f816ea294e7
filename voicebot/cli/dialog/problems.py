"""Problems as a compiler tells them: by file, each with its line and a caret under its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

import typer

from voicebot.dialog.loading.files import read_bytes
from voicebot.errors import Problem, UserError

WIDEST = 100
"""Characters of a line that are shown."""


def report(mistakes: Iterable[Problem], warnings: Iterable[Problem]) -> Iterator[str]:
    """Yield the lines of a report."""
    told = [(problem, True) for problem in mistakes] + [(problem, False) for problem in warnings]
    by_source: dict[str, list[tuple[Problem, bool]]] = {}
    for problem, fault in told:
        by_source.setdefault(problem.source, []).append((problem, fault))
    for source, found in by_source.items():
        lines = _lines(source)
        yield typer.style(_plain(source), bold=True)
        for problem, fault in sorted(found, key=lambda f: (f[0].line or 0, f[0].column or 0)):
            yield from _told(problem, fault, lines)
        yield ""


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _told(problem: Problem, fault: bool, lines: list[str]) -> Iterator[str]:
    kind = typer.style("mistake", fg="red", bold=True) if fault else typer.style("warning", fg="yellow")
    place = ":".join(str(n) for n in (problem.line, problem.column) if n is not None)
    code = typer.style(f" [{problem.code}]", dim=True) if problem.code else ""
    yield f"  {place + ' ' if place else ''}{kind} {_plain(problem.what)}{code}"
    if problem.line is not None and 0 < problem.line <= len(lines) and problem.column is not None:
        text, column = _window(lines[problem.line - 1], problem.column)
        gutter = f"{problem.line:>6} | "
        yield typer.style(gutter, dim=True) + text
        yield " " * (len(gutter) + _width(text[: column - 1])) + typer.style("^", fg="cyan", bold=True)
    if problem.remedy:
        yield f"         {typer.style(_plain(problem.remedy), fg='cyan')}"


def _window(line: str, column: int) -> tuple[str, int]:
    """Return the part of a long line around a column, and the column in it."""
    line = _plain(line.rstrip())
    if len(line) <= WIDEST:
        return line, column
    begin = max(0, min(column - WIDEST // 2, len(line) - WIDEST))
    cut = line[begin : begin + WIDEST]
    return ("..." + cut, column - begin + 3) if begin else (cut, column)


def _plain(text: str) -> str:
    """What stands in a file may not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _lines(source: str) -> list[str]:
    try:
        text = read_bytes(source).decode("utf-8-sig", "replace")
    except UserError:
        return []
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
