"""How many answered calls would find a gateway, asked of the database a few times a second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from voicebot.campaign.pacing import Load
from voicebot.campaign.rules.history import Abandonment
from voicebot.outbound.dialler_book import Book
from voicebot.outbound.dialler_health import Health
from voicebot.store.rows import Gateway
from voicebot.store.store import Store

PLACES_FOR_S = 0.25
ABANDONMENT_FOR_S = 2.0


class Places:
    """Places at the gateways, and what competes for them.

    A gateway's word is seconds old. So what was answered since then is taken off, and what rings now.
    """

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
        self._gateways: tuple[Gateway, ...] = ()
        self._others = 0
        self._unserved_at: datetime | None = None
        self._abandonment: dict[str, tuple[float, Abandonment]] = {}

    async def load(self, campaign: str) -> Load:
        """Return what a campaign's pacer needs. Raises StoreUnavailable."""
        if self._mono() >= self._until:
            await self._refresh()
        if campaign not in self._abandonment or self._abandonment[campaign][0] < self._mono():
            await self._look_at_abandonment(campaign)
        answered = 0
        if self._gateways:
            answered = self._book.answered_since(min(gateway.seen_at for gateway in self._gateways))
        return Load(
            open=self._book.of(campaign),
            ringing=self._book.ringing,
            talking=sum(gateway.calls for gateway in self._gateways) + answered,
            free=_free(self._gateways) - answered - self._others,
            abandonment=self._abandonment[campaign][1],
        )

    def unserved(self, at: datetime) -> None:
        """An answered call found no gateway: believe none before it has told again that it is there."""
        self._unserved_at = at
        self._until = float("-inf")

    async def _refresh(self) -> None:
        now = self._now()
        gateways = await self._store.gateways(now)
        if since := self._unserved_at:
            gateways = tuple(gateway for gateway in gateways if gateway.seen_at > since)
        self._gateways = gateways
        self._others = 0
        if len(await self._store.diallers(now)) > 1:  # what rings for other diallers
            free, room = _free(self._gateways), await self._store.room(now)
            self._others = max(0, free - room - self._book.ringing) if room else free
        self._until = self._mono() + PLACES_FOR_S
        if any(gateway.capacity for gateway in self._gateways):
            self._health.good("gateways")
        else:
            self._health.bad("gateways", "none is there to take answered calls: start `voicebot serve`")

    async def _look_at_abandonment(self, campaign: str) -> None:
        status = await self._store.status(campaign, self._now())
        worse = max(status.abandonment_30_days, status.abandonment_today, key=lambda each: each.share)
        self._abandonment[campaign] = (self._mono() + ABANDONMENT_FOR_S, worse)


def _free(gateways: tuple[Gateway, ...]) -> int:
    return sum(max(0, gateway.capacity - gateway.calls) for gateway in gateways)
