"""One running campaign: decide how many, claim them, hand them over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from voicebot.campaign.attempt import NOT_DIALLED, AttemptState, Disposition, Order
from voicebot.campaign.pacing import Pacer
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.errors import PbxError
from voicebot.outbound.dialler_book import Book, Entry
from voicebot.outbound.dialler_hands import Hands
from voicebot.outbound.dialler_health import Health
from voicebot.outbound.dialler_places import Places
from voicebot.outbound.recovery import EXPIRY_MARGIN, Open
from voicebot.outbound.spool import Traces
from voicebot.outbound.spool_health import SpoolUnavailable
from voicebot.store.errors import ClockSetBack, StoreUnavailable
from voicebot.store.rows import CampaignRow, CampaignState, Claimed, Judge
from voicebot.store.store import Store

MOST_AT_ONCE = 100
"""Attempts of one claim: they are committed, and handed over, together."""
HANDING_AT_ONCE = 4
"""Hand-overs of one campaign that may be under way while the next attempts are claimed."""
LEAST_WAIT_S = 0.002
MOST_WAIT_S = 0.25
IDLE_S = 0.5
FAR_S = 1.0
"""So long until it is asked again whether somebody is due, where nobody is."""
EXPIRES_S = 120.0
REFUSED_IN_A_ROW = 10
"""After so many hand-overs in a row that came to nothing the campaign is paused: something is wrong with the
set-up, and nobody else would be reached either."""

log = structlog.get_logger(__name__)


class CampaignRun:
    """Dials for one campaign, turn by turn. Whatever it claims is in the book from then on."""

    def __init__(
        self,
        row: CampaignRow,
        store: Store,
        book: Book,
        health: Health,
        places: Places,
        hands: Hands,
        *,
        dialler: str,
        policy: Policy,
        trunk: Trunk,
        judge: Judge,
        now: Callable[[], datetime],
        mono: Callable[[], float],
        holds_back: Callable[[str], str],
    ) -> None:
        self.name = row.name
        self._holds_back = holds_back
        self.settings = row.settings
        self.pacer = Pacer(row.settings.pacing, ring_s=row.settings.ring_s)
        self.hands = hands
        self._store, self._book, self._health, self._places = store, book, health, places
        self._dialler, self._policy, self._trunk, self._judge = dialler, policy, trunk, judge
        self._now, self._mono = now, mono
        self._handing: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._said = ""

    async def run(self, stopping: asyncio.Event) -> None:
        """Dial until told to stop; hand-overs that began are finished."""
        try:
            while not stopping.is_set():
                wait_s = await self.turn()
                if wait_s > IDLE_S / 2:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await stopping.wait()
                else:
                    await asyncio.sleep(wait_s)
        finally:
            await self.settled()

    async def settled(self) -> None:
        """Return once no hand-over is under way."""
        while self._handing:
            await asyncio.wait(self._handing)

    async def turn(self) -> float:
        """Begin as many calls as may begin now. Returns how long to wait before the next turn, in s."""
        if self._health.why("gateways", "database", "clock"):
            return MOST_WAIT_S
        if self._refused >= REFUSED_IN_A_ROW:
            return await self._pause()
        if why := self.hands.hindrance() or self._holds_back(self.name):
            self._say(why, grave=True)
            return MOST_WAIT_S
        if len(self._handing) >= HANDING_AT_ONCE:
            await asyncio.wait(self._handing, return_when=asyncio.FIRST_COMPLETED)
            return 0.0
        try:
            load = await self._places.load(self.name)
            now = self._mono()
            most = min(self.pacer.allowance(now, load), MOST_AT_ONCE)
            if most <= 0:
                self._say(self.pacer.hindrance)
                return min(MOST_WAIT_S, max(LEAST_WAIT_S, self.pacer.wait_s(now)))
            claimed = await self._claim(most)
        except StoreUnavailable as error:
            self._health.bad("database", str(error))
            return MOST_WAIT_S
        except ClockSetBack as error:
            self._health.bad("clock", str(error))
            return IDLE_S
        self._health.good("clock")
        self._health.good("database")
        return await self._went(claimed)

    async def _claim(self, most: int) -> Claimed:
        claimed = await self._store.claim(
            self.name,
            dialler=self._dialler,
            most=most,
            now=self._now(),
            policy=self._policy,
            trunk=self._trunk,
            judge=self._judge,
            expires_s=EXPIRES_S,
        )
        began = self._mono()
        self.pacer.begun(began, len(claimed.orders))
        for order in claimed.orders:
            look_at = began + EXPIRES_S + EXPIRY_MARGIN.total_seconds()
            attempt = Open(order, AttemptState.CLAIMED, self.hands.way, self._now())
            self._book.add(attempt, began, look_at)
        return claimed

    async def _went(self, claimed: Claimed) -> float:
        if claimed.orders:
            task = asyncio.create_task(self.hand_over(list(claimed.orders)), name=f"hand-over {self.name}")
            self._handing.add(task)
            task.add_done_callback(self._handing.discard)
        if claimed.halted is not None:
            log.error("a rule halts the campaign", campaign=self.name, rule=claimed.halted.rule,
                      why=claimed.halted.why)  # fmt: skip
        if claimed.state is not CampaignState.RUNNING:
            return IDLE_S
        if claimed.orders or claimed.more or claimed.refused or claimed.deferred:
            self._say("")
            return max(LEAST_WAIT_S, self.pacer.wait_s(self._mono()))
        if claimed.limit:
            self._say(claimed.limit)
            return min(IDLE_S, max(LEAST_WAIT_S, claimed.wait_s or MOST_WAIT_S))
        return await self._idle()

    async def _idle(self) -> float:
        """Nobody is due: later, or never."""
        try:
            due = await self._store.next_due(self.name)
            busy = due is not None or self._book.of(self.name)
            if not busy and not await self._store.open_attempts(campaign=self.name):
                state = await self._end(CampaignState.DONE, "nobody is left to call")
                if state is CampaignState.DONE:
                    log.info("campaign done", campaign=self.name)
        except StoreUnavailable as error:
            self._health.bad("database", str(error))
            return MOST_WAIT_S
        self._say("nobody is due")
        if due is None:
            return FAR_S
        return min(FAR_S, max(LEAST_WAIT_S, (due - self._now()).total_seconds()))

    async def hand_over(self, orders: list[Order]) -> None:
        """Give attempts to Asterisk; those that it did not get stay claimed, and are looked after."""
        soon = self._mono() + 1.0
        try:
            given = await self.hands.hand(orders, self._now())
        except SpoolUnavailable as error:
            self._health.bad("spool", str(error))
            for order in orders:
                self._look(order, soon)
            return
        except PbxError as error:
            for order in orders:
                await self._close(order, str(error), never=False)
            return
        handed = [each.order for each in given if each.handed]
        for order in handed:
            entry = self._book.get(order.attempt)
            if entry is not None and entry.attempt.state is AttemptState.CLAIMED:
                self._book.note(entry, state=AttemptState.HANDED)
        for each in given:
            if each.never:
                log.error(
                    "cannot be handed over", campaign=self.name, attempt=each.order.attempt, why=each.why
                )
                await self._close(each.order, each.why, never=True)
            elif each.certain:
                await self._close(each.order, each.why, never=False)
            elif not each.handed:
                self._health.bad("spool", each.why)
                self._look(each.order, soon)
        if handed:
            try:
                await self._store.handed([order.attempt for order in handed], self._now())
            except StoreUnavailable as error:  # its end closes it all the same
                self._health.bad("database", str(error))

    def ended(self, entry: Entry, disposition: Disposition, traces: Traces, *, never: bool = False) -> None:
        """An attempt of the campaign is closed. never: it was wrong in itself."""
        journal, ended = traces.journal, traces.ended
        answer_s = talk_s = None
        if journal is not None and journal.answered_at is not None:
            answer_s = (journal.answered_at - journal.at) / timedelta(seconds=1)
            if ended is not None and ended.answered_ms is not None:
                talk_s = ended.answered_ms / 1000
        self.pacer.ended(self._mono(), disposition, begun_at=entry.begun_at, answer_s=answer_s, talk_s=talk_s)
        malformed = journal is not None and journal.word == "malformed"
        unseen = traces.done is not None or (entry.attempt.gone and journal is None)
        if disposition is Disposition.NOT_HANDED and (malformed or never or unseen):
            self._refused += 1
        elif disposition not in NOT_DIALLED:
            self._refused = 0

    async def _close(self, order: Order, why: str, *, never: bool) -> None:
        """It did not leave us, for certain. never: nor would it another time."""
        try:
            await self._store.give_up(order.attempt, Disposition.NOT_HANDED, self._now(), why)
        except StoreUnavailable:
            return
        if entry := self._book.get(order.attempt):
            self._book.drop(entry)
            self.ended(entry, Disposition.NOT_HANDED, Traces(order.attempt), never=never)

    async def _pause(self) -> float:
        why = (
            f"{self._refused} calls in a row were not dialled: see the log and `voicebot doctor`, "
            "then `voicebot campaign resume`"
        )
        try:
            await self._end(CampaignState.PAUSED, why)
        except StoreUnavailable:
            return IDLE_S
        log.error("campaign paused", campaign=self.name, why=why)
        self._refused = 0
        return IDLE_S

    async def _end(self, state: CampaignState, why: str) -> CampaignState:
        """Leave RUNNING, unless somebody else ended that meanwhile. Returns the state that it has now."""
        row = await self._store.set_state(self.name, state, why, self._now(), was=CampaignState.RUNNING)
        return row.state

    def _look(self, order: Order, at: float) -> None:
        if entry := self._book.get(order.attempt):
            self._book.look(entry, at)

    def _say(self, hindrance: str, *, grave: bool = False) -> None:
        """Tell what holds the campaign back, once each time it changes; limits of every day are no news."""
        if hindrance == self._said:
            return
        self._said = hindrance
        if grave or hindrance in ("breaker", "abandonment"):
            log.warning("campaign waits", campaign=self.name, because=hindrance)
        elif hindrance:
            log.debug("campaign waits", campaign=self.name, because=hindrance)
