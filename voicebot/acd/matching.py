"""Who is next, and who takes them.

A caller's worth is their priority plus what they have waited; the worthiest caller for whom somebody is free
is next. Waiting counts alike for all callers of a queue, so that a later caller of the same priority never
overtakes, one of a higher priority overtakes only who came lately, and nobody waits for ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from voicebot.acd.agents import Agent

HIGHEST_PRIORITY = 10


@dataclass(frozen=True, slots=True)
class Rules:
    """Of one queue; seconds. aging_s: waiting that counts as one step of priority, 0: none does.
    relax_skills_s: after so long any agent of the queue will do, 0: never.
    """

    aging_s: float = 60.0
    relax_skills_s: float = 120.0


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody who waits in a queue, at the telephone or for a call-back.

    since:    when they came; order: breaks ties, it grows
    moved:    what somebody added to their worth, who moved them to another place
    wanted:   name of the only agent who may take them, until `wanted_until`; "" for any
    offered:  an agent is being rung for them
    resting:  until when an agent, by name, is not offered them again
    """

    id: str
    queue: str
    since: float
    order: int
    priority: int = 0
    skills: tuple[str, ...] = ()
    moved: float = 0.0
    wanted: str = ""
    wanted_until: float = math.inf
    offered: bool = False
    resting: dict[str, float] = field(default_factory=dict)


def worth(waiter: Waiter, rules: Rules, now: float) -> float:
    """Return how much a caller counts now, in steps of priority."""
    waited = max(0.0, now - waiter.since)
    aged = waited / rules.aging_s if rules.aging_s else 0.0
    return waiter.priority + waiter.moved + aged


def in_order(waiters: Iterable[Waiter], rules: Mapping[str, Rules], now: float) -> list[Waiter]:
    """Return the callers, the next one first."""
    return sorted(
        waiters, key=lambda each: (-round(worth(each, rules[each.queue], now), 6), each.since, each.order)
    )


def move(waiter: Waiter, position: int, waiters: Iterable[Waiter], rules: Rules, now: float) -> None:
    """Give a caller the place `position`, counted from 1, among all callers of their queue."""
    others = in_order((each for each in waiters if each is not waiter), {waiter.queue: rules}, now)
    at = min(max(1, position), len(others) + 1) - 1
    before = worth(others[at - 1], rules, now) if at > 0 else None
    behind = worth(others[at], rules, now) if at < len(others) else None
    if before is None and behind is None:
        return
    if before is None:
        target = (behind or 0.0) + 1.0
    elif behind is None:
        target = before - 1.0
    else:
        target = (before + behind) / 2
        if before - behind < 1e-3:  # the neighbours are alike: those before us make room
            for each in others[:at]:
                each.moved += 1.0
            target = behind + 0.5
    waiter.moved += target - worth(waiter, rules, now)


def fitness(agent: Agent, waiter: Waiter, rules: Rules, now: float) -> int | None:
    """Return how well an agent fits a caller, the more the better; None: not at all."""
    if waiter.wanted and now < waiter.wanted_until:
        return 0 if agent.name == waiter.wanted else None
    if waiter.queue not in agent.queues or waiter.resting.get(agent.name, now) > now:
        return None
    levels = [agent.skills.get(skill, 0) for skill in waiter.skills]
    relaxed = 0 < rules.relax_skills_s <= now - waiter.since
    if not all(levels) and not relaxed:
        return None
    return sum(levels)


def best_agent(waiter: Waiter, agents: Iterable[Agent], rules: Rules, now: float) -> Agent | None:
    """Return who should be rung for a caller: the best skilled of those who are free, the longest idle."""
    fits = [(fitness(agent, waiter, rules, now), agent) for agent in agents if agent.ready]
    able = [(fit, agent) for fit, agent in fits if fit is not None]
    if not able:
        return None
    return min(able, key=lambda each: (-each[0], each[1].idle_since, each[1].name))[1]


def assign(
    waiters: Iterable[Waiter], agents: Sequence[Agent], rules: Mapping[str, Rules], now: float
) -> list[tuple[Waiter, Agent]]:
    """Return which agents are to be rung now, each for whom; nobody is in it twice."""
    free = [agent for agent in agents if agent.ready]
    pairs: list[tuple[Waiter, Agent]] = []
    for waiter in in_order((each for each in waiters if not each.offered), rules, now):
        if not free:
            break
        agent = best_agent(waiter, free, rules[waiter.queue], now)
        if agent is not None:
            free.remove(agent)
            pairs.append((waiter, agent))
    return pairs


def next_change(waiters: Iterable[Waiter], rules: Mapping[str, Rules], now: float) -> float | None:
    """Return when `assign` may answer otherwise though nobody came or went; None: not before."""
    times = []
    for waiter in waiters:
        relax = rules[waiter.queue].relax_skills_s
        times += [until for until in waiter.resting.values() if until > now]
        if waiter.wanted and now < waiter.wanted_until < math.inf:
            times.append(waiter.wanted_until)
        if relax and waiter.skills and waiter.since + relax > now:
            times.append(waiter.since + relax)
    return min(times, default=None)
