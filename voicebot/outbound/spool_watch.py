"""Follow what Asterisk writes into the spool: who is being dialled, how each ended, which files it archived.

Folders are looked at when their mtime changes: three system calls a look, and nothing to lose when either
side starts anew. What was there before is told first; whoever acts on news cleans up after (`Spool.clean`),
so what is told again after a restart is what was not finished.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from voicebot.campaign.fence import ATTEMPT, Ended, Journal, read_ended, read_journal
from voicebot.outbound.spool import Spool, archived_status, small_text
from voicebot.outbound.spool_health import SpoolUnavailable, problem_of

POLL_S = 0.1
AWAY_POLL_S = 1.0
"""While the spool cannot be read."""
COARSE_MTIME_S = 1.0
"""A folder changed within so much of a look may have changed after it, too, without a sign."""
STATUS_WITHIN_S = 5.0
"""Asterisk adds the status right after archiving; if it takes longer, Asterisk was killed between."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DialledNews:
    """An attempt came to the fence. Later entries of its journal are not told: see `Spool.traces`."""

    attempt: str
    journal: Journal


@dataclass(frozen=True, slots=True)
class EndedNews:
    """The dialling of an attempt ended."""

    attempt: str
    ended: Ended


@dataclass(frozen=True, slots=True)
class ArchivedNews:
    """Asterisk is done with a call file. status: Completed, Expired, Failed; "": it was killed before."""

    name: str
    status: str


News = DialledNews | EndedNews | ArchivedNews


@dataclass(slots=True)
class _Folder:
    """One folder. `read` returns the news of a file, None while it is not whole."""

    path: Path
    read: Callable[[Path], News | None]
    pattern: re.Pattern[str] | None = None
    told: set[str] = field(default_factory=set)
    looked: int | None = None

    def look(self) -> Iterator[News]:
        changed = self.path.stat().st_mtime_ns
        if changed == self.looked:
            return
        names = set(os.listdir(self.path))  # noqa: PTH208 - names alone, a dozen times as fast
        self.told &= names
        fresh = names - self.told
        if self.pattern is not None:
            fresh = set(filter(self.pattern.fullmatch, fresh))
        whole = True
        for name in sorted(fresh):
            if (news := self.read(self.path / name)) is not None:
                self.told.add(name)
                yield news
            else:
                whole = False
        settled = time.time() - changed / 1e9 > COARSE_MTIME_S
        self.looked = changed if whole and settled else None


class SpoolWatch:
    """News of one spool, each told once in the life of this object."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._folders = (
            _Folder(spool.dialled, _dialled, ATTEMPT),
            _Folder(spool.ended, _ended, ATTEMPT),
            _Folder(spool.done, _archived),
        )

    def look(self) -> tuple[News, ...]:
        """Return what is new; dialled before ended before archived. Blocks. Raises SpoolUnavailable."""
        self._spool.check_same()
        found: list[News] = []
        for folder in self._folders:
            try:
                found += folder.look()
            except FileNotFoundError as error:
                if folder.path != self._spool.done or not self._spool.outgoing.is_dir():
                    raise SpoolUnavailable([problem_of(error, folder.path)]) from error
            except OSError as error:
                raise SpoolUnavailable([problem_of(error, folder.path)]) from error
        return tuple(found)

    async def news(self) -> AsyncIterator[tuple[News, ...]]:
        """Yield what is new as it comes, for ever. While the spool is away it says so once, and waits."""
        away = False
        while True:
            try:
                found = await asyncio.to_thread(self.look)
            except SpoolUnavailable as error:
                if not away:
                    log.warning("spool_away", problem=str(error))
                away = True
                await asyncio.sleep(AWAY_POLL_S)
                continue
            if away:
                log.info("spool_back")
            away = False
            if found:
                yield found
            await asyncio.sleep(POLL_S)


def _dialled(path: Path) -> News | None:
    journal = read_journal(small_text(path))
    return DialledNews(path.name, journal) if journal is not None else None


def _ended(path: Path) -> News | None:
    ended = read_ended(small_text(path))
    return EndedNews(path.name, ended) if ended is not None else None


def _archived(path: Path) -> News | None:
    try:
        age_s = time.time() - path.stat().st_ctime
        status = archived_status(small_text(path))
    except FileNotFoundError:
        return None
    return ArchivedNews(path.name, status) if status or age_s > STATUS_WITHIN_S else None
