"""Text for people: wrapped at a terminal; whole lines without colours in a file or a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

UNWRAPPED_COLUMNS = 10_000


def console() -> Console:
    """Return a console on standard output."""
    here = Console()
    return here if here.is_terminal else Console(width=UNWRAPPED_COLUMNS)


def print_table(console: Console, table: Table, *, wrap: bool = False) -> None:
    """Print a table without the blanks that would fill its lines up, and without cutting anything off.

    `wrap`: cells are wrapped at the terminal's edge; else a row is a line, for the terminal to wrap.
    """
    with console.capture() as captured:
        console.print(table, width=None if wrap else UNWRAPPED_COLUMNS, crop=False, no_wrap=not wrap)
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")
