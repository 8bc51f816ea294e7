"""Progress of slow starts, on standard error, only where somebody looks."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class RenderProgress:
    """A bar for the prompts that are rendered ahead; appears with the first one that is not cached yet."""

    def __init__(self) -> None:
        out = Console(stderr=True)
        self._progress = Progress(
            TextColumn("[dim]prompts"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=out,
            transient=True,
            disable=not out.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> RenderProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._progress.stop()

    def update(self, done: int, total: int) -> None:
        """Show that `done` of `total` prompts are ready."""
        if self._task is None:
            self._task = self._progress.add_task("prompts", total=total)
            self._progress.start()
        self._progress.update(self._task, completed=done, total=total)
