"""What a page of figures tells, counted contact by contact. Pure; nothing of a single person is kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from voicebot.dialog.model.slots import SlotKind, meaning_of
from voicebot.outbound.reporting.gather import Call, Reported

GROUPS = {
    "goal": "goal reached",
    "talked": "answered, goal missed",
    "opted_out": "opted out",
    "machine": "machine",
    "no_answer": "no answer",
    "busy": "busy or rejected",
    "invalid": "no such number",
    "abandoned": "abandoned",
    "trouble": "trunk failed",
    "interrupted": "interrupted",
}
"""What calls come to, as charts over time show it, the best first: key -> words."""
_GROUP_OF = {
    "answered": "talked",
    "rejected": "busy",
    "congestion": "trouble",
    "trunk_failure": "trouble",
    "codec_error": "trouble",
}
TALK_BOUNDS_S = (5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600)
SHOWN_KINDS: frozenset[SlotKind] = frozenset(("yes_no", "choice", "weekday"))
"""Slots whose values are counted by value; of others (names, numbers) a page tells how many there are."""
MOST_VALUES = 12
MOST_DAYS_BY_HOUR = 3
MOST_BUCKETS = 60


@dataclass(slots=True)
class Figures:
    """The sums. slot_kinds: kind by name of what the dialog may learn; others are not counted.

    hours:  (calls, answered) by hour of the callee's day
    by_hour: calls by (hour on the callee's clock, without a zone; group)
    persons: (answered by a person, abandoned) by day (UTC)
    """

    slot_kinds: Mapping[str, SlotKind] = field(default_factory=dict)
    contacts: int = 0
    called: int = 0
    reached: int = 0
    goals: int = 0
    attempts: int = 0
    calls: int = 0
    talk_s: float = 0.0
    states: Counter[str] = field(default_factory=Counter)
    dispositions: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    tries: Counter[int] = field(default_factory=Counter)
    hours: dict[int, list[int]] = field(default_factory=lambda: {hour: [0, 0] for hour in range(24)})
    by_hour: Counter[tuple[datetime, str]] = field(default_factory=Counter)
    persons: dict[date, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    talks: Counter[int] = field(default_factory=Counter)
    talk_times: Counter[int] = field(default_factory=Counter)
    audio_late: int = 0
    slots: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    numbers: dict[str, list[float]] = field(default_factory=dict)

    def add(self, reported: Reported) -> None:
        """Count one contact."""
        self.contacts += 1
        self.states[reported.contact.state.value] += 1
        self.attempts += len(reported.calls)
        calls = [call for call in reported.calls if call.dialled]
        if not calls:
            return
        self.called += 1
        self.tries[len(calls)] += 1
        self.reached += any(call.person for call in calls)
        self.goals += any(call.goal for call in calls)
        zone = _zone(reported.contact.zones[0]) if reported.contact.zones else _zone("UTC")
        for call in calls:
            self._call(call, zone)
        self._slots({name: value for call in calls for name, value in call.slots})

    def _call(self, call: Call, zone: ZoneInfo) -> None:
        self.calls += 1
        self.dispositions[call.disposition] += 1
        if call.outcome:
            self.outcomes[call.outcome] += 1
        local = call.at.astimezone(zone).replace(tzinfo=None, minute=0, second=0, microsecond=0)
        self.by_hour[local, group_of(call)] += 1
        hour = self.hours[local.hour]
        hour[0] += 1
        hour[1] += call.person
        if call.person:
            day = self.persons[call.at.date()]
            day[0] += 1
            day[1] += call.disposition == "abandoned"
        if call.talk_s is not None and (call.person or call.answered_by):
            self.talk_s += call.talk_s
            self.talk_times[round(call.talk_s)] += 1
            self.talks[sum(call.talk_s >= bound for bound in TALK_BOUNDS_S)] += 1

    def _slots(self, learned: Mapping[str, Any]) -> None:
        for name, value in learned.items():
            kind = self.slot_kinds.get(name)
            if kind is None or value in (None, ""):
                continue
            if kind in SHOWN_KINDS:
                self.slots[name][meaning_of(value)] += 1
            else:
                self.slots[name]["told"] += 1

    @property
    def median_talk_s(self) -> int:
        """Median length of a conversation, whole seconds; 0 where there is none."""
        half, seen = (sum(self.talk_times.values()) + 1) // 2, 0
        for seconds in sorted(self.talk_times):
            seen += self.talk_times[seconds]
            if seen >= half:
                return seconds
        return 0

    def over_time(self) -> tuple[list[datetime], timedelta, dict[str, list[int]]]:
        """Return when each bucket begins, how long it is, and by group how many calls are in each."""
        hours = sorted({hour for hour, _ in self.by_hour})
        if not hours:
            return [], timedelta(days=1), {}
        step = _step(hours[0], hours[-1])
        first = hours[0] if step < timedelta(days=1) else hours[0].replace(hour=0)
        count = int((hours[-1] - first) / step) + 1
        groups = {group: [0] * count for group in GROUPS}
        for (hour, group), calls in self.by_hour.items():
            groups[group][int((hour - first) / step)] += calls
        begins = [first + index * step for index in range(count)]
        return begins, step, {group: counts for group, counts in groups.items() if any(counts)}

    def abandonment(self) -> list[tuple[date, float]]:
        """Return for each day with calls the share of abandoned among answered, over the 30 days up to it."""
        shares = []
        for day in sorted(self.persons):
            month = [n for other, n in self.persons.items() if day - timedelta(days=30) < other <= day]
            answered, abandoned = (sum(each) for each in zip(*month, strict=True))
            shares.append((day, abandoned / answered if answered else 0.0))
        return shares


def group_of(call: Call) -> str:
    """Return which of GROUPS a call belongs to."""
    if call.disposition == "answered" and call.goal:
        return "goal"
    group = _GROUP_OF.get(call.disposition, call.disposition)
    return group if group in GROUPS else "interrupted"


def _step(first: datetime, last: datetime) -> timedelta:
    """Return how long a bucket is: an hour, a day, or as many days as give few enough of them."""
    if last - first <= timedelta(days=MOST_DAYS_BY_HOUR):
        return timedelta(hours=1)
    days = (last - first).days + 1
    return timedelta(days=next(size for size in (1, 7, 14, 28, days) if days / size <= MOST_BUCKETS))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
