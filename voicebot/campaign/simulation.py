"""A campaign played through with a virtual clock, before anybody is called. Pure: chance is passed in.

The same pacer and the same retries as in real calls decide; what callees do is drawn from `Assumptions`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from math import log
from zoneinfo import ZoneInfo

from voicebot.campaign.attempt import Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.pacing import Load, Pacer
from voicebot.campaign.retries import after
from voicebot.campaign.rules.hours import next_legal

LONGEST = timedelta(days=60)
"""A campaign that is not over after it is not going to be."""
_SETTLE_S = 0.05


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What callees do: shares of dialled calls (the rest is not answered), and mean times in seconds."""

    answered: float = 0.45
    machine: float = 0.2
    busy: float = 0.06
    invalid: float = 0.02
    answer_s: float = 9.0
    talk_s: float = 45.0
    machine_s: float = 12.0


@dataclass(slots=True)
class Played:
    """What the played campaign came to.

    finished:   when the last contact was over; None: not within LONGEST
    left:       contacts that are still due then, or never may be called
    peak:       the most calls at once; talking: the most conversations at once
    by_hour:    calls by hour (UTC, start of it)
    """

    began: datetime
    finished: datetime | None = None
    contacts: int = 0
    left: int = 0
    never: int = 0
    calls: int = 0
    peak: int = 0
    talking: int = 0
    minutes: float = 0.0
    dispositions: Counter[Disposition] = field(default_factory=Counter)
    by_hour: Counter[datetime] = field(default_factory=Counter)
    hindrances: Counter[str] = field(default_factory=Counter)


class _Desk:
    """Who is due when: a heap, and the legal hours of each set of zones looked up once a moment."""

    def __init__(self, campaign: Campaign, began: datetime) -> None:
        self._campaign = campaign
        self._began = began
        self._order = count()
        self._heap: list[tuple[float, int, int, Contact, int]] = []
        self._open_from: dict[tuple[str, ...], tuple[datetime, datetime | None]] = {}
        self._called: Counter[tuple[int, int, date]] = Counter()

    def add(self, contact: Contact, due: datetime, number: int = 0) -> bool:
        """Take a contact in. False: there is no hour at which it may be called."""
        at = max(due, self._began)
        legal = at if contact.asked else self._legal(contact.zones, at)
        if legal is None:
            return False
        at_s = (legal - self._began).total_seconds()
        heapq.heappush(self._heap, (at_s, -contact.priority, next(self._order), contact, number))
        return True

    def next_s(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def take(self, now_s: float) -> tuple[Contact, int] | None:
        """Return who is due and may be called; who may not any more is put back to their next legal hour."""
        now = self._began + timedelta(seconds=now_s)
        while self._heap and self._heap[0][0] <= now_s:
            _, _, _, contact, number = heapq.heappop(self._heap)
            if contact.asked or self._legal(contact.zones, now) == now:
                self._called[contact.id, number, self._day(contact, now)] += 1
                return contact, number
            self.add(contact, now + timedelta(minutes=1), number)
        return None

    def again(self, contact: Contact, due: datetime, number: int) -> bool:
        """Put back who was called: on a day that has had its calls to the number, not before the next one."""
        day = self._day(contact, due)
        while self._called[contact.id, number, day] >= self._campaign.limits.per_day:
            day += timedelta(days=1)
            due = datetime.combine(day, time(), ZoneInfo(contact.zones[0])).astimezone(UTC)
        return self.add(contact, due, number)

    def __len__(self) -> int:
        return len(self._heap)

    @staticmethod
    def _day(contact: Contact, at: datetime) -> date:
        return at.astimezone(ZoneInfo(contact.zones[0])).date()

    def _legal(self, zones: tuple[str, ...], at: datetime) -> datetime | None:
        """Return the next legal moment; within one minute the answer is the same for all of the zones."""
        minute = at.replace(second=0, microsecond=0)
        known = self._open_from.get(zones)
        if known is None or known[0] != minute:
            known = (minute, next_legal(self._campaign, zones, minute))
            self._open_from[zones] = known
        legal = known[1]
        return None if legal is None else max(legal, at)


def play(
    campaign: Campaign,
    contacts: Iterable[Contact],
    began: datetime,
    *,
    chance: Callable[[], float],
    assumptions: Assumptions = Assumptions(),
    places: int = 200,
    progress: Callable[[int, int], None] = lambda over, total: None,
) -> Played:
    """Play a campaign from `began` (aware) on.

    chance: returns numbers from 0 up to 1; places: conversations that gateways hold at once
    """
    began = began.astimezone(UTC)
    played = Played(began)
    desk = _Desk(campaign, began)
    for contact in contacts:
        played.contacts += 1
        played.never += not desk.add(contact, contact.due)
    pacer = Pacer(campaign.pacing, ring_s=campaign.ring_s)
    ends: list[tuple[float, int, bool, Contact, int, Disposition, float, float]] = []
    order = count()
    now, opened, talking, over = 0.0, 0, 0, played.never
    last = 0.0
    while (desk or ends) and now <= LONGEST.total_seconds():
        while ends and ends[0][0] <= now:
            at, _, final, contact, number, disposition, answer_s, talk_s = heapq.heappop(ends)
            if not final:  # answered: the conversation begins
                talking += 1
                played.talking = max(played.talking, talking)
                heapq.heappush(
                    ends, (at + talk_s, next(order), True, contact, number, disposition, answer_s, talk_s)
                )
                continue
            opened -= 1
            talking -= talk_s > 0
            last = at
            pacer.ended(at, disposition, answer_s=answer_s if talk_s else None, talk_s=talk_s or None)
            over += not _again(desk, campaign, contact, number, disposition, began + timedelta(seconds=at))
        load = Load(open=opened, ringing=opened - talking, talking=talking, free=places - talking)
        most = pacer.allowance(now, load) if len(desk) else 0
        begun = 0
        while begun < most and (due := desk.take(now)) is not None:
            contact, number = due
            disposition, answer_s, talk_s = _drawn(campaign, assumptions, chance)
            ends_s = now + answer_s
            heapq.heappush(
                ends, (ends_s, next(order), not talk_s, contact, number, disposition, answer_s, talk_s)
            )
            begun += 1
            played.calls += 1
            played.minutes += talk_s / 60
            played.dispositions[disposition] += 1
            played.by_hour[(began + timedelta(seconds=now)).replace(minute=0, second=0, microsecond=0)] += 1
        pacer.begun(now, begun)
        opened += begun
        played.peak = max(played.peak, opened)
        if begun:
            progress(over, played.contacts)
        waits = [ends[0][0]] if ends else []
        if (due_s := desk.next_s()) is not None:
            if due_s > now:
                waits.append(due_s)
            elif begun == most and pacer.hindrance in ("rate", "breaker"):
                played.hindrances[pacer.hindrance] += 1
                waits.append(now + max(pacer.wait_s(now), _SETTLE_S))
            elif begun < most or not ends:
                waits.append(now + _SETTLE_S)
            else:
                played.hindrances[pacer.hindrance] += 1
        now = max(min(waits), now) if waits else now
    played.left = len(desk) + len(ends)
    if not played.left:
        played.finished = began + timedelta(seconds=last)
    return played


def _again(
    desk: _Desk, campaign: Campaign, contact: Contact, number: int, disposition: Disposition, at: datetime
) -> bool:
    """Put a contact back that is to be called again; False where it is over."""
    here = contact.numbers[min(number, len(contact.numbers) - 1)]
    called = _called_once_more(contact)
    following = after(campaign, called, here, disposition, None, at)
    if following.state is not ContactState.DUE or following.due is None:
        return False
    return desk.again(called, following.due, following.number_index)


def _called_once_more(contact: Contact) -> Contact:
    return replace(contact, attempts=contact.attempts + 1)


def _drawn(
    campaign: Campaign, assumed: Assumptions, chance: Callable[[], float]
) -> tuple[Disposition, float, float]:
    """Return what becomes of a call, how long it rings, and how long the conversation is (0: none)."""
    drawn = chance()
    rings = min(-log(1.0 - chance()) * assumed.answer_s, campaign.ring_s)
    if drawn < assumed.answered:
        return Disposition.ANSWERED, rings, max(2.0, -log(1.0 - chance()) * assumed.talk_s)
    drawn -= assumed.answered
    if drawn < assumed.machine:
        stays = campaign.answering.machine != "hang_up"
        return Disposition.MACHINE, rings, assumed.machine_s if stays else 4.0
    drawn -= assumed.machine
    if drawn < assumed.busy:
        return Disposition.BUSY, 1.0, 0.0
    if drawn - assumed.busy < assumed.invalid:
        return Disposition.INVALID, 0.5, 0.0
    return Disposition.NO_ANSWER, float(campaign.ring_s), 0.0
