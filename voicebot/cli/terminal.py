"""Text for people: wrapped at a terminal; whole lines without colours in a file or a pipe."""

from __future__ import annotations

from rich.console import Console, RenderableType

UNWRAPPED_COLUMNS = 10_000


def console(*, wrap: bool = True) -> Console:
    """Return a console on standard output. Without `wrap` a line stays one line at a terminal as well.

    Brackets are brackets: what is printed holds names and words of others.
    """
    here = Console(markup=False, emoji=False)
    return here if wrap and here.is_terminal else Console(width=UNWRAPPED_COLUMNS, markup=False, emoji=False)


def print_table(console: Console, table: RenderableType) -> None:
    """Print a table without the blanks that would fill its lines up."""
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")
