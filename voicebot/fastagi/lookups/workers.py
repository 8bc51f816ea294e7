"""Threads that ask databases whose drivers wait, and a lean way there and back.

A short query takes less time than waking a thread and being woken by it. So questions that come in one round
of the event loop wake one thread together, and their answers come back together; another thread is woken only
where a question was not taken up soon. A slow query holds up its own thread, and no other question for longer
than LOOK_S.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any, Protocol

from sqlalchemy import TextClause

from voicebot.fastagi.deadlines import Deadlines
from voicebot.fastagi.lookups.asking import DRIVER_ERRORS, DatabaseFailed, Row, why

LOOK_S = 0.002
"""Between two looks at whether questions wait for a thread, and answers for us."""


class Asker(Protocol):
    """One thread's way to a database. All but `interrupt` is called in its thread."""

    def first(self, statement: TextClause, values: Mapping[str, str]) -> Row | None:
        """Return the first row by its columns. May raise whatever the driver does."""
        ...

    def interrupt(self) -> None:
        """End what `first` does now, where the driver can. Called from another thread."""
        ...

    def close(self) -> None: ...


class _Question:
    """What is asked, and who waits for it."""

    __slots__ = ("answer", "slot", "statement", "values")

    def __init__(
        self, statement: TextClause, values: Mapping[str, str], answer: asyncio.Future[Row | None]
    ) -> None:
        self.statement = statement
        self.values = values
        self.answer = answer
        self.slot: _Slot | None = None

    def overdue(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(TimeoutError())


class _Slot:
    """One thread, and what it is at; `lock` keeps an interruption from the question after."""

    def __init__(self, asker: Asker) -> None:
        self.asker = asker
        self.lock = threading.Lock()
        self.question: _Question | None = None


class Workers:
    """`count` threads, begun with the first question; `make` is called once in the place of each.

    They end with the process, whatever a driver does: nobody waits for a database that hangs.
    """

    def __init__(self, count: int, make: Callable[[], Asker]) -> None:
        self._loop = asyncio.get_running_loop()
        self._make = make
        self._count = count
        self._slots: list[_Slot] = []
        self._wake: SimpleQueue[bool] = SimpleQueue()  # False: end
        self._questions: deque[_Question] = deque()
        self._answers: deque[tuple[_Question, Row | None, Exception | None]] = deque()
        self._deadlines = Deadlines(self._loop)
        self._out = 0  # questions that somebody waits for
        self._waking = False  # at the end of this round of the loop
        self._taken_up = False  # a thread is at the questions
        self._telling = False  # the loop was told that there are answers
        self._looking: asyncio.TimerHandle | None = None

    async def first(self, statement: TextClause, values: Mapping[str, str], timeout_s: float) -> Row | None:
        """Return the first row. Raises DatabaseFailed, also where there is none within `timeout_s`."""
        question = _Question(statement, values, self._loop.create_future())
        self._questions.append(question)
        self._out += 1
        if not self._waking:
            self._waking = True
            self._loop.call_soon(self._wake_one)
        self._deadlines.set(question, self._loop.time() + timeout_s)
        try:
            return await question.answer
        except TimeoutError:
            self._give_up(question)
            raise DatabaseFailed(f"no answer within {timeout_s:g} s") from None
        except asyncio.CancelledError:
            self._give_up(question)
            raise
        except DRIVER_ERRORS as error:
            raise DatabaseFailed(why(error)) from error
        finally:
            self._out -= 1
            self._deadlines.drop(question)

    def close(self) -> None:
        """Ask nothing more. What a thread is at is ended where the driver can."""
        if self._looking is not None:
            self._looking.cancel()
        self._questions.clear()
        for slot in self._slots:
            with slot.lock:
                if slot.question is not None:
                    slot.asker.interrupt()
            self._wake.put(False)

    # --- on the loop ------------------------------------------------------------------------------------

    def _wake_one(self) -> None:
        self._waking = False
        if not self._slots:
            for _ in range(self._count):
                slot = _Slot(self._make())
                self._slots.append(slot)
                threading.Thread(target=self._work, args=(slot,), name="lookup", daemon=True).start()
        if self._questions and not self._taken_up:
            self._taken_up = True
            self._wake.put(True)
        if self._looking is None:
            self._looking = self._loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._looking = None
        if self._answers:
            self._tell()
        if self._questions and self._wake.empty():
            self._wake.put(True)
        if self._out:
            self._looking = self._loop.call_later(LOOK_S, self._look)

    def _tell(self) -> None:
        self._telling = False
        while self._answers:
            question, row, error = self._answers.popleft()
            if question.answer.done():
                continue
            if error is None:
                question.answer.set_result(row)
            else:
                question.answer.set_exception(error)

    @staticmethod
    def _give_up(question: _Question) -> None:
        question.answer.cancel()  # done: a thread that has not begun with it need not
        slot = question.slot
        if slot is not None:
            with slot.lock:
                if slot.question is question:
                    slot.asker.interrupt()

    # --- in threads -------------------------------------------------------------------------------------

    def _work(self, slot: _Slot) -> None:
        questions, answers = self._questions, self._answers
        while self._wake.get():
            while questions:
                try:
                    question = questions.popleft()
                except IndexError:
                    break  # another thread was quicker
                if not question.answer.done():
                    answers.append(self._ask(slot, question))
            self._taken_up = False
            if questions and self._wake.empty():  # it came just now, and nobody else was woken for it
                self._taken_up = True
                self._wake.put(True)
            if answers and not self._telling:
                self._telling = True
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    self._loop.call_soon_threadsafe(self._tell)
        slot.asker.close()

    @staticmethod
    def _ask(slot: _Slot, question: _Question) -> tuple[_Question, Row | None, Exception | None]:
        question.slot = slot
        with slot.lock:
            slot.question = question
        row: Row | None = None
        error: Exception | None = None
        try:
            row = slot.asker.first(question.statement, question.values)
        except Exception as found:  # a thread has nobody above it; drivers raise what they like
            error = found
        with slot.lock:
            slot.question = None
        return question, row, error


class PooledAsker:
    """Any database of SQLAlchemy by a driver that waits: a connection of the engine's pool each time."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect

    def first(self, statement: TextClause, values: Mapping[str, str]) -> Row | None:
        with self._connect() as connection:
            row = connection.execute(statement, values).first()
            return None if row is None else dict(row._mapping)

    def interrupt(self) -> None:
        """It ends by itself; the thread waits for it."""

    def close(self) -> None:
        """The engine closes its connections."""
