"""What the ways between the states of a call tell: rounds, ways out, and how long a call can last.

Definitions are in docs/dialog-proof.md. Pure graph theory; nothing here knows what a dialog is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from voicebot.authoring.proof.exploring import Arrow

MOST_TRIES = 50_000
"""Places that are looked at in search of the longest way; after that all of a round are counted."""


@dataclass(frozen=True, slots=True)
class Longest:
    """The longest way through a call, with rounds left out: in turns and in seconds, and how it goes.

    `exact`: False where it is only known that no way is longer.
    """

    turns: int
    seconds: float
    by_turns: tuple[Arrow, ...]
    by_seconds: tuple[Arrow, ...]
    exact: bool


def components(count: int, arrows: Iterable[Arrow]) -> list[list[int]]:
    """Return the strongly connected components of states, those that others lead to first."""
    return connected(count, ((arrow.source, arrow.target) for arrow in arrows))


def connected(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the strongly connected components, those that others lead to first (Tarjan, 1972)."""
    onwards: list[list[int]] = [[] for _ in range(count)]
    for source, target in pairs:
        onwards[source].append(target)
    index, low = [-1] * count, [0] * count
    on_stack = [False] * count
    stack: list[int] = []
    found: list[list[int]] = []
    number = 0
    for root in range(count):
        if index[root] >= 0:
            continue
        work = [(root, 0)]
        while work:
            at, done = work.pop()
            if done == 0:
                index[at] = low[at] = number
                number += 1
                stack.append(at)
                on_stack[at] = True
            for place in range(done, len(onwards[at])):
                target = onwards[at][place]
                if index[target] < 0:
                    work += [(at, place + 1), (target, 0)]
                    break
                if on_stack[target]:
                    low[at] = min(low[at], index[target])
            else:
                if low[at] == index[at]:
                    part = []
                    while True:
                        member = stack.pop()
                        on_stack[member] = False
                        part.append(member)
                        if member == at:
                            break
                    found.append(part)
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[at])
    return found


def rounds(count: int, arrows: Sequence[Arrow]) -> list[list[int]]:
    """Return the components that one can go round in, each with its states in their order."""
    alone = {arrow.source for arrow in arrows if arrow.source == arrow.target}
    return [sorted(part) for part in components(count, arrows) if len(part) > 1 or part[0] in alone]


def reaching(count: int, arrows: Iterable[Arrow], goals: Iterable[int]) -> list[bool]:
    """Return for each state whether one of `goals` can be reached from it."""
    backwards: list[list[int]] = [[] for _ in range(count)]
    for arrow in arrows:
        backwards[arrow.target].append(arrow.source)
    found = [False] * count
    todo = list(goals)
    for goal in todo:
        found[goal] = True
    while todo:
        for source in backwards[todo.pop()]:
            if not found[source]:
                found[source] = True
                todo.append(source)
    return found


def round_from(start: int, part: Iterable[int], arrows: Iterable[Arrow]) -> list[Arrow]:
    """Return the shortest way round from `start`, within the states of `part`."""
    inside = set(part)
    onwards: dict[int, list[Arrow]] = {}
    for arrow in arrows:
        if arrow.source in inside and arrow.target in inside:
            onwards.setdefault(arrow.source, []).append(arrow)
    came: dict[int, Arrow] = {}
    todo = [start]
    for at in todo:
        for arrow in onwards.get(at, ()):
            if arrow.target == start:
                way = [arrow]
                while way[-1].source != start:
                    way.append(came[way[-1].source])
                return way[::-1]
            if arrow.target not in came:
                came[arrow.target] = arrow
                todo.append(arrow.target)
    return []


def longest(places: Sequence[int], arrows: Sequence[Arrow], roots: Sequence[int]) -> Longest:
    """Return the longest way from `roots` that comes to no place twice.

    `places`: state -> its place. In a place a way goes on only by what is not understood; arrows that come
    back to the same place by an answer are rounds.
    """
    turns, by_turns, exact = _Ways(places, arrows, lambda arrow: float(arrow.turn)).best(roots)
    seconds, by_seconds, also = _Ways(places, arrows, lambda arrow: arrow.seconds).best(roots)
    return Longest(round(turns), seconds, by_turns, by_seconds, exact and also)


_Way = tuple[int, "_Way"] | None
"""Places one after the other, as a linked list."""

_Best = dict[int, tuple[float, _Way]]
"""Place -> the weight of the longest way that begins there, and that way."""


class _Ways:
    """The longest way, by one weight of arrows."""

    def __init__(
        self, places: Sequence[int], arrows: Sequence[Arrow], weigh: Callable[[Arrow], float]
    ) -> None:
        self._places, self._weigh = places, weigh
        self._inside: dict[int, list[Arrow]] = {}
        self._between: dict[int, dict[int, list[Arrow]]] = {}
        for arrow in arrows:
            source, target = places[arrow.source], places[arrow.target]
            if source != target:
                self._between.setdefault(source, {}).setdefault(target, []).append(arrow)
            elif not arrow.wish and arrow.source != arrow.target:
                self._inside.setdefault(arrow.source, []).append(arrow)
        self._chain: dict[int, tuple[float, Arrow | None]] = {}
        self._chains(len(places))
        self._weight: dict[int, float] = {}
        for state in range(len(places)):
            place = places[state]
            self._weight[place] = max(self._weight.get(place, 0.0), self._chain[state][0])
        self._onwards = {
            source: {target: max(map(weigh, these)) for target, these in targets.items()}
            for source, targets in self._between.items()
        }
        self._tries = 0
        self._exact = True

    def _chains(self, count: int) -> None:
        """Find for each state the longest way on in its place."""
        arrows = [arrow for each in self._inside.values() for arrow in each]
        for part in components(count, arrows):
            for state in part:
                best: tuple[float, Arrow | None] = (0.0, None)
                for arrow in self._inside.get(state, ()):
                    if arrow.target in self._chain:  # else it is a loop, which is told by itself
                        weight = self._weigh(arrow) + self._chain[arrow.target][0]
                        best = max(best, (weight, arrow), key=lambda each: each[0])
                self._chain[state] = best

    def best(self, roots: Sequence[int]) -> tuple[float, tuple[Arrow, ...], bool]:
        starts = {self._places[root] for root in roots}
        found = self._solve(sorted(set(self._places)), {}, starts)
        start = max(starts, key=lambda place: found[place][0])
        weight, way = found[start]
        root = next(root for root in roots if self._places[root] == start)
        return weight, tuple(self._arrows(root, way)), self._exact

    def _solve(self, region: Sequence[int], beyond: _Best, entrances: set[int]) -> _Best:
        """Return the longest ways that begin at places of `region` where it can be entered.

        `beyond`: for places of the region the longest way that leaves it at once.
        A way that enters a component leaves it behind, and comes to its entrance but once. So without its
        entrance the component falls apart into smaller ones, down to single places.
        """
        best: _Best = {}
        parts, inwards = self._parts(region)
        for part in parts:
            own = set(part)
            leaving: _Best = {}
            for place in part:
                leaving[place] = beyond.get(place, (0.0, None))
                for target, weight in self._onwards.get(place, {}).items():
                    if target in best and target not in own:
                        total = weight + best[target][0]
                        if total > leaving[place][0] or leaving[place][1] is None:
                            leaving[place] = (total, best[target][1])
            if len(part) == 1:
                place = part[0]
                best[place] = (self._weight.get(place, 0.0) + leaving[place][0], (place, leaving[place][1]))
                continue
            for entrance in (
                place for place in part if place in entrances or inwards.get(place, set()) - own
            ):
                best[entrance] = self._through(part, entrance, leaving)
        return best

    def _through(self, part: Sequence[int], entrance: int, leaving: _Best) -> tuple[float, _Way]:
        self._tries += len(part)
        if self._tries > MOST_TRIES:
            self._exact = False
            total = sum(
                self._weight.get(place, 0.0) + max(self._onwards.get(place, {0: 0.0}).values())
                for place in part
            )
            weight, way = max(leaving.values(), key=lambda each: each[0])
            return total + weight, (entrance, way)
        onwards = self._onwards.get(entrance, {})
        rest = [place for place in part if place != entrance]
        inner = self._solve(rest, leaving, onwards.keys() & set(rest))
        found = leaving[entrance]
        for target, weight in onwards.items():
            if target in inner and weight + inner[target][0] > found[0]:
                found = (weight + inner[target][0], inner[target][1])
        return self._weight.get(entrance, 0.0) + found[0], (entrance, found[1])

    def _parts(self, region: Sequence[int]) -> tuple[list[list[int]], dict[int, set[int]]]:
        """Return the components of a region, those that others lead to first; and for places those before."""
        number = {place: at for at, place in enumerate(region)}
        pairs = [
            (number[source], number[target])
            for source in region
            for target in self._onwards.get(source, ())
            if target in number
        ]
        inwards: dict[int, set[int]] = {}
        for source, target in pairs:
            inwards.setdefault(region[target], set()).add(region[source])
        return [[region[at] for at in part] for part in connected(len(region), pairs)], inwards

    def _arrows(self, state: int, way: _Way) -> Iterator[Arrow]:
        """Yield the arrows of a way: in each place all that is not understood, as far as the way goes on."""
        while way is not None:
            rest = way[1]
            chain = []
            at = state
            while (arrow := self._chain[at][1]) is not None:
                chain.append(arrow)
                at = arrow.target
            if rest is None:
                yield from chain
                return
            leaving = {a.source: a for a in self._between.get(way[0], {}).get(rest[0], ())}
            while at not in leaving and chain:
                at = chain.pop().source
            if at not in leaving:
                return
            yield from chain
            yield leaving[at]
            state, way = leaving[at].target, rest
