"""How many answered calls would find a gateway, asked of the database a few times a second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from voicebot.campaign.pacing import Load
from voicebot.campaign.rules.history import Abandonment
from voicebot.outbound.dialler_book import Book
from voicebot.outbound.dialler_health import Health
from voicebot.store.store import Store

PLACES_FOR_S = 0.25
ABANDONMENT_FOR_S = 2.0


class Places:
    """Free places at the gateways, kept current between two questions by what we began and saw answered."""

    def __init__(
        self,
        store: Store,
        book: Book,
        health: Health,
        *,
        now: Callable[[], datetime],
        mono: Callable[[], float],
    ) -> None:
        self._store, self._book, self._health = store, book, health
        self._now, self._mono = now, mono
        self._until = float("-inf")
        self._room = self._talking = 0
        self._ringing_then = self._answered_then = 0
        self._abandonment: dict[str, tuple[float, Abandonment]] = {}

    async def load(self, campaign: str) -> Load:
        """Return what a campaign's pacer needs. Raises StoreUnavailable."""
        if self._mono() >= self._until:
            await self._refresh()
        if campaign not in self._abandonment or self._abandonment[campaign][0] < self._mono():
            await self._look_at_abandonment(campaign)
        answered = self._book.answered - self._answered_then
        return Load(
            open=self._book.of(campaign),
            ringing=self._book.ringing,
            talking=self._talking + answered,
            free=self._room + self._ringing_then - answered,
            abandonment=self._abandonment[campaign][1],
        )

    async def _refresh(self) -> None:
        now = self._now()
        ringing, answered = self._book.ringing, self._book.answered
        gateways = await self._store.gateways(now)
        self._room = await self._store.room(now)
        self._talking = sum(gateway.calls for gateway in gateways)
        self._ringing_then, self._answered_then = ringing, answered
        self._until = self._mono() + PLACES_FOR_S
        if not any(gateway.capacity for gateway in gateways):
            self._health.bad("gateways", "no gateway is there to take answered calls: start `voicebot serve`")
        else:
            self._health.good("gateways")

    async def _look_at_abandonment(self, campaign: str) -> None:
        status = await self._store.status(campaign, self._now())
        worse = max(status.abandonment_30_days, status.abandonment_today, key=lambda each: each.share)
        self._abandonment[campaign] = (self._mono() + ABANDONMENT_FOR_S, worse)
