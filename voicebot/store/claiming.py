"""Claims: contacts become attempts, within all limits, each judged by the rules, in one transaction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, Select, bindparam, case, cast, func, select, update

from voicebot.campaign.attempt import ATTEMPT_ID_BYTES, Order
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact
from voicebot.campaign.ledger import Telling
from voicebot.campaign.rules.history import ListState, PastCall
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.campaign.verdict import Check, Ruling, Verdict
from voicebot.store import tables
from voicebot.store.campaigns import change_state, row_of
from voicebot.store.database import among
from voicebot.store.errors import ClockSetBack
from voicebot.store.forms import aware, consent_fields, contact_of, day_of, ms, settings_of
from voicebot.store.histories import Past, Sums, list_states, past_of, sums
from voicebot.store.limits import Bucket, buckets, keep
from voicebot.store.rows import CampaignState, Claimed, Judge
from voicebot.store.writing import Tx

CLOCK_BACK_MS = 5_000
"""So far clocks of several machines may be apart."""
LEASE_MS = 30_000
LOOKED_AT = 500
"""Contacts that are judged in one transaction at the most: others wait for it."""
LEAST_PAGE = 50
DEFER_MS = 600_000
"""So long a contact waits for whom a rule said `later` without saying when."""
LEVELS = 8
"""Priorities that are looked through one by one; what is below them, together."""

_c = tables.contacts.c
_a = tables.attempts.c
_DUE = (
    select(tables.contacts)
    .where(_c.campaign_id == bindparam("campaign_id"), _c.state == "due", _c.due <= bindparam("now"))
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
DUE_ON_LEVEL = _DUE.where(_c.priority == bindparam("priority")).order_by(_c.due)
DUE_BELOW = _DUE.where(_c.priority <= bindparam("priority")).order_by(_c.priority.desc(), _c.due)


def _levels() -> Select[Any]:
    """The priorities of a campaign's due contacts, greatest first, each found by one look into the index."""
    due = tables.contacts.alias("due")
    of = (due.c.campaign_id == bindparam("campaign_id")) & (due.c.state == "due")
    first = select(func.max(due.c.priority).label("priority"), cast(1, Integer).label("level")).where(of)
    levels = first.cte("levels", recursive=True)
    below = select(func.max(due.c.priority)).where(of, due.c.priority < levels.c.priority).scalar_subquery()
    levels = levels.union_all(
        select(below, levels.c.level + 1).where(levels.c.priority.is_not(None), levels.c.level < LEVELS + 1)
    )
    return select(levels.c.priority).where(levels.c.priority.is_not(None)).order_by(levels.c.priority.desc())


PRIORITIES = _levels()
ON_THE_WAY = (
    select(
        _a.campaign_id,
        _a.trunk,
        func.count().label("calls"),
        func.sum(
            case((_a.answered_at.is_not(None), (bindparam("now") - _a.answered_at) // 60_000 + 1), else_=0)
        ).label("minutes"),
    )
    .where(_a.state != "closed")
    .group_by(_a.campaign_id, _a.trunk)
)
ADD = tables.attempts.insert()
TAKE = {
    postgres: update(tables.contacts).where(among(_c.id, "ids", postgres)).values(state="busy")
    for postgres in (False, True)
}
REFUSE = {
    postgres: update(tables.contacts).where(among(_c.id, "ids", postgres)).values(state="refused")
    for postgres in (False, True)
}
DEFER = update(tables.contacts).where(_c.id == bindparam("of")).values(due=bindparam("until"))


@dataclass(slots=True)
class Room:
    """How many calls may begin now, and what stands against more."""

    calls: int
    limit: str = ""
    wait_s: float = 0.0

    def at_most(self, n: float, limit: str, wait_s: float = 0.0) -> None:
        if n < self.calls:
            self.calls, self.limit, self.wait_s = max(0, int(n + 1e-6)), limit, wait_s


@dataclass(slots=True)
class Harvest:
    """What a claim came to so far."""

    orders: list[Order] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    deferred: list[dict[str, Any]] = field(default_factory=list)
    halted: Check | None = None
    looked_at: int = 0
    chance: bytes = b""

    def fresh_id(self) -> str:
        """Return an attempt's id."""
        if not self.chance:
            self.chance = os.urandom(ATTEMPT_ID_BYTES * LEAST_PAGE)
        id, self.chance = self.chance[:ATTEMPT_ID_BYTES], self.chance[ATTEMPT_ID_BYTES:]
        return id.hex()


@dataclass(frozen=True, slots=True)
class Claim:
    """What is asked for."""

    campaign: str
    dialler: str
    most: int
    now: datetime
    policy: Policy
    trunk: Trunk
    judge: Judge
    expires_ms: int

    async def __call__(self, tx: Tx) -> Claimed:
        """Do it."""
        at = ms(self.now)
        gate = await tx.gate()
        if at < gate.at - CLOCK_BACK_MS:
            raise ClockSetBack(self.now, aware(gate.at))
        row = await row_of(tx, self.campaign)
        state = CampaignState(row.state)
        if state is not CampaignState.RUNNING or self.most <= 0:
            return Claimed(state=state)
        settings = settings_of(row)
        of = await buckets(tx, max(at, gate.at), settings, self.trunk, self.policy)
        room, today = await self._room(tx, row.id, settings, of, at)
        harvest = Harvest()
        more = False
        if room.calls:
            more = await self._harvest(tx, row.id, settings, room.calls, today, harvest)
        await self._write(tx, row, harvest, of, at)
        if harvest.halted is not None:
            state = CampaignState.HALTED
        held_back = room.limit if len(harvest.orders) >= room.calls else ""
        return Claimed(
            tuple(harvest.orders),
            len(harvest.refused),
            len(harvest.deferred),
            harvest.halted,
            state,
            more and not held_back and state is CampaignState.RUNNING,
            held_back,
            room.wait_s if held_back else 0.0,
        )

    async def _room(
        self, tx: Tx, campaign_id: int, settings: Campaign, of: Sequence[Bucket], at: int
    ) -> tuple[Room, Sums]:
        """How many calls all limits allow, over all machines."""
        everywhere = here = on_trunk = minutes = all_minutes = 0
        for row in await tx.rows(ON_THE_WAY, {"now": at}):
            everywhere += row.calls
            all_minutes += int(row.minutes)
            if row.campaign_id == campaign_id:
                here += row.calls
                minutes += int(row.minutes)
            if row.trunk == self.trunk.name:
                on_trunk += row.calls
        today = await sums(tx, campaign_id, at, minutes, all_minutes)
        room = Room(self.most)
        room.at_most(settings.pacing.concurrent - here, "campaign")
        room.at_most(self.trunk.concurrent - on_trunk, "trunk")
        room.at_most(self.policy.concurrent - everywhere, "all")
        for bucket in of:
            room.at_most(bucket.tokens, "rate", bucket.wait_s)
        calls = min(
            settings.limits.calls_a_day - today.campaign.calls,
            self.policy.calls_a_day - today.everyone.calls,
        )
        room.at_most(calls, "calls_a_day")
        if (
            today.campaign.minutes >= settings.limits.minutes_a_day
            or today.everyone.minutes >= self.policy.minutes_a_day
        ):
            room.at_most(0, "minutes_a_day")
        return room, today

    async def _harvest(
        self, tx: Tx, campaign_id: int, settings: Campaign, room: int, today: Sums, harvest: Harvest
    ) -> bool:
        """Judge due contacts until there are orders for the room. Returns whether more may be due."""
        states = await list_states(tx, settings.do_not_call)
        levels = [row.priority for row in await tx.rows(PRIORITIES, {"campaign_id": campaign_id})]
        at = ms(self.now)
        for level, priority in enumerate(levels):
            last = level == LEVELS
            page = max(LEAST_PAGE, room - len(harvest.orders))
            values = {"campaign_id": campaign_id, "now": at, "priority": priority, "most": page}
            rows = await tx.rows(DUE_BELOW if last else DUE_ON_LEVEL, values)
            keys = {number: tx.key(number) for row in rows for number in row.numbers.split()}
            past = await past_of(tx, list(keys.values()), at) if rows else Past()
            for index, row in enumerate(rows):
                harvest.looked_at += 1
                self._judge(tx, row, settings, keys, past, states, today, harvest)
                if harvest.halted is not None:
                    return False
                if len(harvest.orders) >= room or harvest.looked_at >= LOOKED_AT:
                    return index + 1 < len(rows) or len(rows) == page or level + 1 < len(levels)
            if len(rows) == page:
                return True  # the rest of this priority comes before what is below
            if last:
                break
        return False

    def _judge(
        self,
        tx: Tx,
        row: Row[Any],
        settings: Campaign,
        keys: dict[str, str],
        past: Past,
        states: dict[str, ListState],
        today: Sums,
        harvest: Harvest,
    ) -> None:
        """Judge one contact, and note what is to be written."""
        contact = contact_of(row, self.campaign)
        number = _number(row)
        key = keys[number]
        theirs = (key, *(keys[each] for each in contact.numbers if each != number))
        verdict = self.judge(
            settings, self.policy, contact, past.history(number, theirs, states, today), self.now
        )
        at = ms(self.now)
        evidence = _evidence(contact, verdict)
        rule = " ".join(verdict.rules)

        def tell(kind: str, payload: dict[str, Any], attempt: str = "") -> None:
            tx.tell(row.campaign_id, Telling(at, kind, payload, attempt, row.id, key, rule))

        for check in verdict.checks:
            if check.ruling is verdict.ruling is not Ruling.ALLOWED:  # the rules that decided
                tx.count(row.campaign_id, "rules", f"{check.ruling}:{check.rule}")
        if verdict.ruling is Ruling.ALLOWED:
            id = harvest.fresh_id()
            order = self._order(id, settings, number, verdict.legal_until)
            attempt = self._attempt(order, row, key, at)
            harvest.orders.append(order)
            harvest.rows.append(attempt)
            harvest.taken.append(row.id)
            past.calls[key].append(PastCall(self.now, self.campaign, row.id, None))
            today.called()
            tell("claimed", {**evidence, **{name: attempt[name] for name in CLAIMED}}, id)
        elif verdict.ruling is Ruling.REFUSED:
            harvest.refused.append(row.id)
            tell("refused", evidence)
        elif verdict.ruling is Ruling.DEFERRED:
            until = at + DEFER_MS if verdict.until is None else max(ms(verdict.until), at + 1)
            harvest.deferred.append({"of": row.id, "until": until})
            tell("deferred", evidence)
        else:
            harvest.halted = next(
                (check for check in verdict.checks if check.ruling is Ruling.HALTED),
                Check("halted", Ruling.HALTED, "a rule halted the campaign"),
            )
            tell("halted", evidence)

    def _order(self, id: str, settings: Campaign, number: str, legal_until: datetime | None) -> Order:
        dial = self.trunk.dial.replace("{number}", number).replace("{digits}", number.removeprefix("+"))
        expires = aware(ms(self.now) + self.expires_ms)
        if legal_until is not None:  # a file may lie in the spool when the evening comes
            expires = min(expires, legal_until)
        return Order(
            id,
            self.campaign,
            number,
            dial,
            settings.caller.number,
            settings.caller.name,
            self.now,
            expires,
            settings.ring_s,
            settings.answering.detector in ("asterisk", "both"),
        )

    def _attempt(self, order: Order, row: Row[Any], key: str, at: int) -> dict[str, Any]:
        return {
            "id": order.attempt,
            "campaign_id": row.campaign_id,
            "contact_id": row.id,
            "number": order.number,
            "number_key": key,
            "number_index": min(row.number_index, row.numbers.count(" ")),
            "trunk": self.trunk.name,
            "dial": order.dial,
            "caller_number": order.caller_number,
            "caller_name": order.caller_name,
            "ring_s": order.ring_s,
            "ask_amd": int(order.ask_amd),
            "due": at,
            "expires": ms(order.expires),
            "state": "claimed",
            "dialler": self.dialler,
            "lease_until": at + LEASE_MS,
            "claimed_at": at,
            "minutes": 0,
        }

    async def _write(self, tx: Tx, row: Row[Any], harvest: Harvest, of: Sequence[Bucket], at: int) -> None:
        calls = len(harvest.orders)
        if harvest.orders:
            await tx.run(TAKE[tx.postgresql], {"ids": tx.listed(harvest.taken)})
            await tx.run(ADD, harvest.rows)
            tx.count(row.id, "contacts", "busy", calls)
            tx.count(row.id, "calls_by_hour", f"{self.now.astimezone(aware(0).tzinfo).hour:02}", calls)
            for campaign_id in (0, row.id):
                tx.count(campaign_id, "calls", day_of(at), calls)
        if harvest.refused:
            await tx.run(REFUSE[tx.postgresql], {"ids": tx.listed(harvest.refused)})
            tx.count(row.id, "contacts", "refused", len(harvest.refused))
        if harvest.deferred:
            await tx.run(DEFER, harvest.deferred)
        tx.count(row.id, "contacts", "due", -calls - len(harvest.refused))
        if harvest.halted is not None:
            why = f"{harvest.halted.rule}: {harvest.halted.why}"
            await change_state(tx, row.id, row.state, CampaignState.HALTED, why, at)
        if harvest.looked_at:
            await keep(tx, of, calls)


CLAIMED = (
    "number",
    "number_index",
    "trunk",
    "dial",
    "caller_number",
    "caller_name",
    "ring_s",
    "ask_amd",
    "due",
    "expires",
)
"""Columns of an attempt that its first entry in the ledger holds; `audit` compares them."""


def _number(row: Row[Any]) -> str:
    numbers: list[str] = row.numbers.split()
    return numbers[min(int(row.number_index), len(numbers) - 1)]


def _evidence(contact: Contact, verdict: Verdict) -> dict[str, Any]:
    return {
        "number": verdict.number,
        "key": contact.key,
        "zones": list(contact.zones),
        "attempts": contact.attempts,
        "consent": None if contact.consent is None else consent_fields(contact.consent),
        "checks": [
            [check.rule, check.ruling, check.why, check.until and check.until.isoformat()]
            for check in verdict.checks
        ],
        "until": verdict.until and verdict.until.isoformat(),
    }
