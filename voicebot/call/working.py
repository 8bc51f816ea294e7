"""Work that a dialog has done in mid-call, and what the caller hears meanwhile.

Work is done in a task of its own, which tells how it went by news in the call's inbox. So the session stays
the only one who talks to the dialog, and nobody waits for a web service but the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import structlog

from voicebot.dialog.turns import (
    AskModel,
    Fetch,
    Fetched,
    Fillers,
    HookDone,
    Prompt,
    RecordMessage,
    Replied,
    RunHook,
    Work,
    WorkResult,
)
from voicebot.work.cutting import SentenceCutter

log = structlog.get_logger(__name__)

FIRST_FILLER_S = 0.5
"""So long after the prompts of its turn a caller is told that something takes its time."""
FIRST_WORDS_S = 1.0
"""The same for a language model, whose first sentence is mostly there by then."""
NEXT_FILLER_S = 3.0
"""So long after a filler they hear the next one."""
AGAIN_S = 5.0
"""So long after the last filler they hear it again; and so long after a sentence of a model a filler."""
TALKED_OVER_S = 0.6
"""Whoever speaks for longer over a model's words interrupts it; less may be a cough."""


class Workers(Protocol):
    """Who does the work; see `voicebot.work.desk`. None of them raises for what services do."""

    async def fetch(self, work: Fetch, /) -> Fetched: ...

    async def run_hook(self, work: RunHook, /) -> HookDone: ...

    def ask(self, work: AskModel, /) -> AsyncGenerator[str | Replied, None]: ...


@dataclass(frozen=True, slots=True)
class WorkSaid:
    """A language model has said a sentence."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class WorkDone:
    """The work is done, or has failed."""

    number: int
    result: WorkResult


WorkNews = WorkSaid | WorkDone


class Working:
    """One piece of work, from its begin to its news. Times in seconds of the event loop's clock."""

    def __init__(
        self, number: int, work: Work, workers: Workers, emit: Callable[[WorkNews], None], now: float
    ) -> None:
        self.number = number
        self.work = work
        self.began_at = now
        self.said: list[str] = []
        self.filler_at: float | None = None
        self.interrupt_at: float | None = None
        self._workers = workers
        self._emit = emit
        self._fillers: Fillers = () if isinstance(work, RecordMessage) else work.filler
        self._told = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def deadline(self) -> float | None:
        """When something is due though nothing happens."""
        return min((at for at in (self.filler_at, self.interrupt_at) if at is not None), default=None)

    def start(self) -> None:
        """Begin. For messages nothing is done here: the session records them."""
        if not isinstance(self.work, RecordMessage):
            self._task = asyncio.create_task(self._do(self.work), name=f"work of {self.work.step}")

    def cancel(self) -> None:
        """Give it up; no news will come."""
        if self._task is not None:
            self._task.cancel()

    def caller_waits(self, now: float) -> None:
        """Nothing is said any more, from now on."""
        if self._fillers:
            self.filler_at = now + self._patience_s

    @property
    def _patience_s(self) -> float:
        if self.said or self._told >= len(self._fillers):
            return AGAIN_S
        if self._told:
            return NEXT_FILLER_S
        return FIRST_WORDS_S if isinstance(self.work, AskModel) else FIRST_FILLER_S

    def next_filler(self) -> tuple[Prompt, ...]:
        """Return what is said to a caller who waits; after the last filler, that one again."""
        self.filler_at = None
        self._told += 1
        return self._fillers[min(self._told, len(self._fillers)) - 1]

    async def _do(self, work: Fetch | RunHook | AskModel) -> None:
        try:
            match work:
                case Fetch():
                    result: WorkResult = await self._workers.fetch(work)
                case RunHook():
                    result = await self._workers.run_hook(work)
                case AskModel():
                    result = await self._ask(work)
        except Exception as error:  # a mistake of ours; the dialog knows what to do when work fails
            if not work.sensitive:
                log.exception("work failed", step=work.step)
            result = _failed(work, type(error).__name__)
        self._emit(WorkDone(self.number, result))

    async def _ask(self, work: AskModel) -> Replied:
        cutter = SentenceCutter()
        async with aclosing(self._workers.ask(work)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Replied):
                    if not piece.error:  # half a sentence is better left unsaid
                        self._say(cutter.end())
                    return piece
                self._say(cutter.feed(piece))
        return Replied(error="the model gave no reply")

    def _say(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self._emit(WorkSaid(self.number, sentence))


def _failed(work: Work, why: str) -> WorkResult:
    match work:
        case Fetch():
            return Fetched(None, error=why)
        case RunHook():
            return HookDone(error=why)
        case _:
            return Replied(error=why)
