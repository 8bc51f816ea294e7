"""Category: unit. Who is next in a queue, and who takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.acd.agents import Agent, AgentState
from voicebot.acd.matching import Rules, Waiter, assign, best_agent, in_order, move, next_change, worth

pytestmark = pytest.mark.unit

RULES = {"q": Rules(aging_s=60, relax_skills_s=120)}
NOW = 1000.0


def waiter(id: str, waited: float, priority: int = 0, *skills: str) -> Waiter:
    return Waiter(id, "q", NOW - waited, int(1000 - waited), priority, skills)


def ids(waiters: list[Waiter], now: float = NOW) -> list[str]:
    return [each.id for each in in_order(waiters, RULES, now)]


def test_priority_overtakes_and_waiting_weighs_it_up() -> None:
    assert ids([waiter("old", 10), waiter("urgent", 0, 1)]) == ["urgent", "old"]
    assert ids([waiter("older", 61), waiter("urgent", 0, 1)]) == ["older", "urgent"]


@given(st.lists(st.tuples(st.integers(0, 10), st.floats(0, 5000)), min_size=1, max_size=20))
def test_nobody_starves_whoever_comes_later(callers: list[tuple[int, float]]) -> None:
    """Who has waited for eleven steps of aging is before everybody who comes from then on."""
    first = waiter("first", 5000, 0)
    later = [
        Waiter(str(n), "q", first.since + 60 * 11 + after, n + 5000, priority)
        for n, (priority, after) in enumerate(callers)
    ]
    assert ids([*later, first], NOW + 20_000)[0] == "first"


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 900)), min_size=2, max_size=12),
    st.floats(0, 10_000),
)
def test_the_order_never_changes_by_waiting_alone(callers: list[tuple[int, int]], later: float) -> None:
    waiters = [waiter(f"{n}", waited, priority) for n, (priority, waited) in enumerate(callers)]
    assert ids(waiters) == ids(waiters, NOW + later)


@given(st.lists(st.integers(0, 900), min_size=1, max_size=12), st.data())
def test_a_caller_can_be_moved_to_any_place(waits: list[int], data: st.DataObject) -> None:
    waiters = [waiter(f"{n}", waited) for n, waited in enumerate(waits)]
    moved = data.draw(st.sampled_from(waiters))
    position = data.draw(st.integers(1, len(waiters)))
    before = [each for each in ids(waiters) if each != moved.id]
    move(moved, position, waiters, RULES["q"], NOW)
    after = ids(waiters, NOW + 500)
    assert after.index(moved.id) == position - 1
    assert [each for each in after if each != moved.id] == before


def test_without_aging_only_priority_and_arrival_count() -> None:
    rules = Rules(aging_s=0)
    assert worth(waiter("a", 5000, 2), rules, NOW) == 2


def agent(name: str, idle: float = 0, **skills: int) -> Agent:
    return Agent(name, ("q",), skills, AgentState.READY, idle_since=NOW - idle)


def test_the_best_skilled_agent_is_rung_and_among_equals_who_was_idle_longest() -> None:
    agents = [agent("a", 10, billing=3), agent("b", 5, billing=9), agent("c", 20, billing=9), agent("d", 99)]
    found = best_agent(waiter("x", 0, 0, "billing"), agents, RULES["q"], NOW)
    assert found is not None
    assert found.name == "c"
    found = best_agent(waiter("x", 0), agents, RULES["q"], NOW)
    assert found is not None
    assert found.name == "d"


def test_skills_are_wanted_until_the_caller_has_waited_long() -> None:
    helpless = [agent("a")]
    assert not assign([waiter("x", 119, 0, "billing")], helpless, RULES, NOW)
    assert assign([waiter("x", 120, 0, "billing")], helpless, RULES, NOW)
    assert next_change([waiter("x", 100, 0, "billing")], RULES, NOW) == NOW + 20


def test_who_waits_for_a_skill_does_not_hold_up_others() -> None:
    picky, plain = waiter("picky", 60, 5, "billing"), waiter("plain", 1)
    pairs = assign([picky, plain], [agent("a")], RULES, NOW)
    assert [(each.id, who.name) for each, who in pairs] == [("plain", "a")]


def test_an_agent_who_rests_from_a_caller_is_asked_for_another() -> None:
    refused = waiter("refused", 60)
    refused.resting["a"] = NOW + 10
    pairs = assign([refused, waiter("other", 1)], [agent("a")], RULES, NOW)
    assert [each.id for each, _ in pairs] == ["other"]
    assert next_change([refused], RULES, NOW) == NOW + 10


def test_who_was_given_to_one_agent_waits_for_them_alone_and_not_for_ever() -> None:
    given_, agents = waiter("given", 60), [agent("b")]
    given_.wanted, given_.wanted_until = "a", NOW + 10
    assert not assign([given_], agents, RULES, NOW)
    assert next_change([given_], RULES, NOW) == NOW + 10
    assert [who.name for _, who in assign([given_], [*agents, agent("a")], RULES, NOW)] == ["a"]
    assert [who.name for _, who in assign([given_], agents, RULES, NOW + 10)] == ["b"]
    assert next_change([given_], RULES, NOW + 10) is None


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 900), st.booleans()), max_size=10),
    st.lists(st.tuples(st.booleans(), st.sampled_from(list(AgentState))), max_size=8),
)
def test_everybody_is_given_once_and_nobody_idles_who_could_help(
    callers: list[tuple[int, int, bool]], staff: list[tuple[bool, AgentState]]
) -> None:
    waiters = [
        waiter(f"{n}", waited, priority, *(("billing",) if picky else ()))
        for n, (priority, waited, picky) in enumerate(callers)
    ]
    agents = [
        Agent(f"{n}", ("q",), {"billing": 5} if able else {}, state) for n, (able, state) in enumerate(staff)
    ]
    pairs = assign(waiters, agents, RULES, NOW)
    assert len({id(each) for each, _ in pairs}) == len({id(each) for _, each in pairs}) == len(pairs)
    assert all(each.ready for _, each in pairs)
    left = [each for each in waiters if each not in [taken for taken, _ in pairs]]
    idle = [each for each in agents if each.ready and each not in [taken for _, taken in pairs]]
    assert not assign(left, idle, RULES, NOW)
