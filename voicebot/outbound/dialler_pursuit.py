"""Following every open attempt to its end, by the files that the dialplan leaves and what AMI tells.

The files decide: they are there after any crash, ours or Asterisk's. AMI's events only say sooner where to
look, and its list of channels tells a call that goes on from one that Asterisk died over.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from voicebot.campaign.attempt import AttemptState, DialResult, Disposition, Order
from voicebot.campaign.fence import ATTEMPT
from voicebot.outbound.dialler_book import Book, Entry
from voicebot.outbound.dialler_health import Health
from voicebot.outbound.recovery import Decision, Live, Step, settle
from voicebot.outbound.spool import Spool, Traces
from voicebot.outbound.spool_health import SpoolUnavailable
from voicebot.outbound.spool_watch import ArchivedNews, DialledNews, SpoolWatch
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import Closed
from voicebot.store.store import Store

LOOK_S = 5.0
"""An attempt that nothing is heard of is looked after so often."""
SOON_S = 1.0
"""So long until an attempt is looked after again that could not be settled, or waits for its gateway."""
LIVE_FOR_S = 4.0
"""A list of live channels is good for so long."""
AT_ONCE = 256
"""Attempts that are settled together, so that the database writes them together."""

CANCELLED = "cancelled"
"""The word with which we begin a journal ourselves."""

log = structlog.get_logger(__name__)

Finished = Callable[[Entry, Disposition, Traces], None]


class Pursuit:
    """Looks after the entries of a book.

    live:     asks Asterisk which attempts have channels; None: cannot ask
    again:    hands orders over another time, under their ids
    finished: is told of each attempt that is closed
    """

    def __init__(
        self,
        store: Store,
        spool: Spool,
        book: Book,
        health: Health,
        *,
        now: Callable[[], datetime],
        mono: Callable[[], float],
        longest_call: timedelta,
        again: Callable[[list[Order]], Awaitable[None]],
        finished: Finished,
        live: Callable[[], Awaitable[Live | None]] | None = None,
    ) -> None:
        self._store, self._spool, self._book, self._health = store, spool, book, health
        self._now, self._mono = now, mono
        self._longest_call = longest_call
        self._again, self._finished, self._ask_live = again, finished, live
        self._live: Live | None = None
        self._live_until = 0.0
        self._watch = SpoolWatch(spool)
        self.heard_at = float("-inf")
        """When Asterisk last wrote into the spool, in s of the monotonic clock."""
        self._hints: set[str] = set()
        self._clean: set[str] = set()

    def hint(self, attempt: str) -> None:
        """Something happened to an attempt."""
        self._hints.add(attempt)

    async def turn(self) -> int:
        """Look after all that has news, or whose time has come. How many were looked at."""
        await self._read_news()
        entries = {entry.id: entry for entry in self._book.due(self._mono())}
        while self._hints and len(entries) < AT_ONCE:
            if (entry := self._book.get(self._hints.pop())) is not None:
                entries[entry.id] = entry
        waiting = list(entries.values())
        for first in range(0, len(waiting), AT_ONCE):
            await self._look_after(waiting[first : first + AT_ONCE])
        await self._tidy()
        return len(waiting)

    async def cancel(self, entries: Iterable[Entry], why: str) -> int:
        """Take back what was not dialled yet. How many were taken back."""
        back = Decision(Step.TAKE_BACK, Disposition.CANCELLED, why=why)
        done = await asyncio.gather(*(self._guarded(entry, back, Traces(entry.id)) for entry in entries))
        await self._tidy()
        return sum(done)

    # --- finding news -----------------------------------------------------------------------------------

    async def _read_news(self) -> None:
        """Hint at all attempts of which Asterisk wrote something into the spool."""
        try:
            news = await asyncio.to_thread(self._watch.look)
        except SpoolUnavailable as error:
            self._health.bad("spool", str(error))
            return
        if any(not isinstance(each, DialledNews) or each.journal.word != CANCELLED for each in news):
            self.heard_at = self._mono()
        for each in news:
            self._hints.add(
                each.name.removesuffix(".call") if isinstance(each, ArchivedNews) else each.attempt
            )

    async def _look_after(self, entries: list[Entry]) -> None:
        soon, later = self._mono() + SOON_S, self._mono() + LOOK_S
        for entry in entries:  # whatever happens below, it is looked after again
            self._book.look(entry, later)
        try:
            found = await self._traces(entries)
            if any(each.ended is None and (each.in_flight or each.journal) for each in found):
                # What ends after the list was made must have left its end before the traces are read.
                found = await self._traces(entries) if await self._refresh_live() else found
        except SpoolUnavailable as error:
            self._health.bad("spool", str(error))
            return
        now, work = self._now(), []
        await asyncio.gather(*(self._progress(*each) for each in zip(entries, found, strict=True)))
        for entry, traces in zip(entries, found, strict=True):
            decision = settle(
                entry.attempt, traces, now, longest_call=self._longest_call, live=self._live_if_fresh()
            )
            if decision.step is not Step.WAIT:
                work.append((entry, decision, traces))
            elif entry.attempt.ended_at is not None:
                work.append((entry, decision, traces))
                self._book.look(entry, soon)
        again = [entry.attempt.order for entry, decision, _ in work if decision.step is Step.HAND]
        if again:
            for entry, decision, _ in work:
                if decision.step is Step.HAND:
                    self._book.look(entry, soon)
            await self._again(again)
        await asyncio.gather(*(self._guarded(*each) for each in work if each[1].step is not Step.HAND))

    async def _progress(self, entry: Entry, traces: Traces) -> None:
        """Note how far an attempt is; the database is told of what is not over by now."""
        journal = traces.journal
        if journal is None or not journal.dialled:
            return
        if journal.answered_at is not None:
            self._book.answered(entry, journal.answered_at)
        elif entry.undialled:
            self._book.note(entry, state=AttemptState.DIALLING)
        if traces.ended is not None or entry.told is entry.attempt.state:
            return
        try:
            if entry.told in (AttemptState.CLAIMED, AttemptState.HANDED):
                await self._store.dialling(entry.id, journal.at)
            if journal.answered_at is not None:
                await self._store.answered(entry.id, journal.answered_at)
        except StoreUnavailable as error:  # its end tells it, too
            self._health.bad("database", str(error))
        else:
            entry.told = entry.attempt.state

    async def _traces(self, entries: list[Entry]) -> list[Traces]:
        return await asyncio.to_thread(lambda: [self._spool.traces(entry.id) for entry in entries])

    async def _refresh_live(self) -> bool:
        """Have a list of live channels. True: it is a new one."""
        if self._ask_live is None or self._mono() < self._live_until:
            return False
        self._live = await self._ask_live()
        self._live_until = self._mono() + LIVE_FOR_S
        return True

    def _live_if_fresh(self) -> Live | None:
        return self._live if self._mono() < self._live_until else None

    # --- settling ---------------------------------------------------------------------------------------

    async def _guarded(self, entry: Entry, decision: Decision, traces: Traces) -> bool:
        """Settle one; what cannot be done now is done later. True: it is closed."""
        try:
            closed = await self._settle(entry, decision, traces)
        except StoreUnavailable as error:
            self._health.bad("database", str(error))
        except SpoolUnavailable as error:
            self._health.bad("spool", str(error))
        else:
            self._health.good("database")
            if closed is None or not closed.known:
                return False
            if closed.closed and closed.disposition is not None:
                self._end(entry, closed.disposition, traces)
                return True
            if decision.result is not None:  # answered: its gateway has not told yet what came of it
                self._book.note(entry, ended_at=self._now())
        self._book.look(entry, self._mono() + SOON_S)
        return False

    async def _settle(self, entry: Entry, decision: Decision, traces: Traces) -> Closed | None:
        id_, now = entry.id, self._now()
        if decision.step is Step.TAKE_BACK:
            cancelled = await asyncio.to_thread(self._spool.cancel_attempt, id_, now)
            if not cancelled.in_time:
                self.hint(id_)
                return None
            assert decision.disposition is not None
            result = DialResult(id_, decision.disposition, now, detail=decision.why)
            return await self._store.close_dial(result, now)
        if decision.step is Step.CLOSE:
            assert decision.result is not None
            return await self._store.close_dial(decision.result, now)
        if decision.step is Step.GIVE_UP:
            assert decision.disposition is not None
            return await self._store.give_up(id_, decision.disposition, now, decision.why, at=decision.at)
        row = await self._store.attempt(id_)
        if row is None:
            return None
        entry.attempt = replace(entry.attempt, call_known=row.call is not None)
        return Closed(id_, closed=row.disposition is not None, disposition=row.disposition)

    def _end(self, entry: Entry, disposition: Disposition, traces: Traces) -> None:
        self._book.drop(entry)
        self._clean.add(entry.id)
        self._finished(entry, disposition, traces)

    async def _tidy(self) -> None:
        """Remove the files of what is closed for good. What a crash leaves is found by `strays`."""
        if not self._clean:
            return
        done, self._clean = self._clean, set()
        try:
            await asyncio.to_thread(self._spool.clean, done)
        except SpoolUnavailable as error:
            self._clean |= done
            self._health.bad("spool", str(error))

    async def strays(self) -> int:
        """Remove files of attempts that were closed before a crash kept us from it. How many attempts."""
        folders = (self._spool.dialled, self._spool.ended)
        names = set()
        for folder in folders:
            names |= set(await asyncio.to_thread(_names, folder))
        names -= set(await asyncio.to_thread(_names, self._spool.closed))
        names |= {
            name.removesuffix(".call")
            for name in await asyncio.to_thread(os.listdir, self._spool.done)
            if ATTEMPT.fullmatch(name.removesuffix(".call"))
        }
        strays = []
        for name in names:
            if self._book.get(name) is None:
                row = await self._store.attempt(name)
                if row is not None and row.state is AttemptState.CLOSED:
                    strays.append(name)
        await asyncio.to_thread(self._spool.clean, strays)
        return len(strays)


def _names(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if ATTEMPT.fullmatch(name)]  # noqa: PTH208
