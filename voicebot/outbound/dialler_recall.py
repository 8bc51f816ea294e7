"""Takes back what is spooled and must not be dialled: of campaigns, of numbers, or while Asterisk is away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from voicebot.campaign.attempt import AttemptState
from voicebot.outbound.dialler_book import Book
from voicebot.outbound.dialler_health import Health
from voicebot.outbound.dialler_pursuit import LOOK_S, Pursuit
from voicebot.store.errors import StoreUnavailable
from voicebot.store.store import Store

JUST_NOW_S = 0.25
"""What was claimed so shortly ago need not be judged again."""
SILENT = timedelta(seconds=3)
"""Asterisk takes a call file within a second; where one waits so long and nothing is heard, it is away."""

log = structlog.get_logger(__name__)


class Recall:
    """Of one dialler, `name`. lists_of: the do-not-call lists of a campaign, besides our own"""

    def __init__(
        self,
        store: Store,
        book: Book,
        health: Health,
        pursuit: Pursuit,
        *,
        name: str,
        lists_of: Callable[[str], Sequence[str]],
        now: Callable[[], datetime],
        mono: Callable[[], float],
    ) -> None:
        self._store, self._book, self._health, self._pursuit = store, book, health, pursuit
        self._name = name
        self._lists_of = lists_of
        self._now, self._mono = now, mono

    async def campaign(self, name: str) -> None:
        """Take back what a campaign has spooled and nobody dialled yet."""
        undialled = [entry for entry in self._book if entry.campaign == name and entry.undialled]
        if count := await self._pursuit.cancel(undialled, "the campaign does not run any more"):
            log.info("taken back", campaign=name, attempts=count, of=len(undialled))

    async def revoked(self) -> None:
        """Take back what is spooled for numbers that must not be called any more, or that were erased."""
        since = self._mono() - JUST_NOW_S
        undialled = {entry.id: entry for entry in self._book if entry.undialled and entry.begun_at < since}
        if not undialled:
            return
        try:
            rows = await self._store.open_attempts(
                dialler=self._name, states=(AttemptState.CLAIMED, AttemptState.HANDED)
            )
            revoked = [row.order.attempt for row in rows if not row.order.number]
            if rows:
                revoked += await self._store.revoked()
            for name in {row.order.campaign for row in rows}:
                numbers = sorted({row.order.number for row in rows if row.order.campaign == name} - {""})
                blocked = await self._store.blocked(numbers, self._lists_of(name)) if numbers else {}
                revoked += [row.order.attempt for row in rows if blocked.get(row.order.number)]
        except StoreUnavailable as error:
            self._health.bad("database", str(error))
            return
        entries = [undialled[attempt] for attempt in revoked if attempt in undialled]
        if entries:
            count = await self._pursuit.cancel(entries, "a revocation, or a do-not-call list")
            if count:
                log.info("taken back: must not be called", attempts=count, of=len(entries))

    async def unheard(self) -> None:
        """Notice that Asterisk takes no files; take back what waits, lest it all rings when it returns."""
        now = self._now()
        stuck = [
            entry
            for entry in self._book
            if entry.attempt.state is AttemptState.HANDED
            and entry.undialled
            and entry.attempt.since is not None
            and now >= max(entry.attempt.order.due, entry.attempt.since) + SILENT
        ]
        for entry in stuck:
            if entry.look_at > self._mono() + LOOK_S:
                self._book.look(entry, self._mono() + LOOK_S)
        silent = self._mono() - self._pursuit.heard_at >= SILENT.total_seconds()
        if stuck and silent:  # one file that Asterisk died over holds up nobody else
            why = "it does not come to its call files: does it run, and has it loaded pbx_spool.so?"
            self._health.bad("asterisk", why)
            oldest = min(stuck, key=lambda entry: entry.begun_at)  # it tells when Asterisk is back
            await self._pursuit.cancel([entry for entry in stuck if entry is not oldest], "Asterisk was away")
        else:
            self._health.good("asterisk")
