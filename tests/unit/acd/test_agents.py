"""Category: unit. An agent's working day."""

from __future__ import annotations

import pytest

from voicebot.acd.agents import (
    AWAY_RETRY_S,
    NO_ASTERISK,
    NOBODY_ANSWERS,
    NOT_REGISTERED,
    TRANSITIONS,
    UNANSWERED_MOST,
    Accepted,
    Agent,
    AgentState,
    Declined,
    Event,
    Pause,
    Registered,
    Ring,
    SignIn,
    SignOut,
    TalkEnded,
    TimeUp,
    Unanswered,
    Unpause,
    Unreachable,
    Unregistered,
    Withdrawn,
)

pytestmark = pytest.mark.unit


def test_a_call_from_ring_to_rest() -> None:
    agent = Agent("anna")
    assert agent.handle(Ring("c1"), 10)
    assert (agent.state, agent.call_id) == (AgentState.RINGING, "c1")
    assert agent.handle(Accepted(), 12)
    assert (agent.state, agent.since, agent.call_id) == (AgentState.TALKING, 12, "c1")
    assert agent.handle(TalkEnded(10), 60)
    assert (agent.state, agent.deadline, agent.call_id) == (AgentState.WRAP_UP, 70, "")
    assert not agent.handle(TimeUp(), 69.9)
    assert agent.handle(TimeUp(), 70)
    assert agent.ready
    assert agent.idle_since == 70


@pytest.mark.parametrize(
    ("event", "then"), [(Pause("lunch"), AgentState.PAUSED), (SignOut(), AgentState.SIGNED_OUT)]
)
def test_who_wants_to_go_while_they_talk_goes_after_it(event: Pause | SignOut, then: AgentState) -> None:
    agent = Agent("anna")
    for each in (Ring("c1"), Accepted(), event):
        assert agent.handle(each, 1)
    assert agent.state is AgentState.TALKING
    assert not agent.on_duty
    agent.handle(TalkEnded(10), 5)
    assert agent.state is then
    assert agent.reason == ("lunch" if then is AgentState.PAUSED else "")


def test_who_changes_their_mind_stays() -> None:
    agent = Agent("anna")
    for each in (Ring("c1"), Accepted(), SignOut(), SignIn(), TalkEnded(0)):
        agent.handle(each, 1)
    assert agent.ready


def test_who_lets_it_ring_again_and_again_is_paused() -> None:
    agent = Agent("anna")
    for n in range(UNANSWERED_MOST):
        assert agent.ready
        agent.handle(Ring(f"c{n}"), n)
        agent.handle(Unanswered(), n)
    assert (agent.state, agent.reason) == (AgentState.PAUSED, NOBODY_ANSWERS)
    agent.handle(Unpause(), 9)
    assert (agent.ready, agent.unanswered) == (True, 0)


def test_a_refusal_is_an_answer() -> None:
    agent = Agent("anna")
    for each in (
        Ring("a"),
        Unanswered(),
        Ring("b"),
        Unanswered(),
        Ring("c"),
        Declined(),
        Ring("d"),
        Unanswered(),
    ):
        agent.handle(each, 1)
    assert agent.ready


def test_a_caller_who_goes_says_nothing_of_whether_the_agent_is_there() -> None:
    agent = Agent("anna")
    for n in range(UNANSWERED_MOST):
        for event in (Ring(f"a{n}"), Withdrawn(), Ring(f"b{n}"), Unanswered()):
            agent.handle(event, n)
    assert (agent.state, agent.reason) == (AgentState.PAUSED, NOBODY_ANSWERS)


def test_who_answers_or_signs_in_anew_begins_to_count_anew() -> None:
    for there in ((Ring("c"), Accepted(), TalkEnded(0)), (SignOut(), SignIn())):
        agent = Agent("anna")
        for _ in range(UNANSWERED_MOST - 1):
            for event in (Ring("c"), Unanswered(), *there):
                agent.handle(event, 1)
        assert (agent.ready, agent.unanswered) == (True, 0)


@pytest.mark.parametrize("over", [Declined(), Withdrawn(), Unanswered(), Unreachable("busy")])
def test_however_an_offer_ends_the_agent_is_free_or_goes_where_they_wanted(over: Event) -> None:
    agent = Agent("anna")
    for event in (Ring("c"), over):
        assert agent.handle(event, 1)
    assert agent.state is (AgentState.AWAY if isinstance(over, Unreachable) else AgentState.READY)
    assert agent.call_id == ""
    agent = Agent("anna")
    for event in (Ring("c"), Pause("lunch"), over):
        assert agent.handle(event, 1)
    assert (agent.state, agent.reason, agent.pauses) == (AgentState.PAUSED, "lunch", False)
    agent = Agent("anna")
    for event in (Ring("c"), SignOut()):
        assert agent.handle(event, 1)
    assert agent.leaves
    assert agent.handle(over, 1)
    assert (agent.state, agent.leaves) == (AgentState.SIGNED_OUT, False)


def test_a_pause_has_a_reason_until_it_ends_also_one_that_was_wished_in_a_call() -> None:
    agent = Agent("anna")
    assert agent.handle(Pause("lunch"), 1)
    assert (agent.state, agent.reason) == (AgentState.PAUSED, "lunch")
    assert agent.handle(Pause("training"), 2)
    assert (agent.state, agent.reason, agent.since) == (AgentState.PAUSED, "training", 1)
    assert agent.handle(Unpause(), 3)
    assert (agent.state, agent.reason) == (AgentState.READY, "")
    for event in (Ring("c"), Pause("lunch"), Accepted()):
        agent.handle(event, 4)
    assert (agent.state, agent.reason, agent.pauses) == (AgentState.TALKING, "lunch", True)
    assert agent.handle(Unpause(), 5)
    assert (agent.state, agent.reason, agent.pauses) == (AgentState.TALKING, "", False)


def test_a_telephone_that_cannot_be_rung_is_tried_again() -> None:
    agent = Agent("anna")
    agent.handle(Ring("c1"), 1)
    agent.handle(Unreachable(), 2)
    assert (agent.state, agent.on_duty) == (AgentState.AWAY, True)
    assert not agent.handle(TimeUp(), 1.9 + AWAY_RETRY_S)
    agent.handle(TimeUp(), 2 + AWAY_RETRY_S)
    assert agent.ready


def test_nobody_is_rung_who_is_not_ready() -> None:
    for state in AgentState:
        assert ((state, Ring) in TRANSITIONS) == (state is AgentState.READY)


def test_everybody_can_sign_out_and_come_back() -> None:
    for state in AgentState:
        agent = Agent("anna", state=state)
        agent.handle(SignOut(), 1)
        agent.handle(Unanswered(), 1)
        agent.handle(TalkEnded(5), 1)
        assert agent.state is AgentState.SIGNED_OUT
        assert agent.handle(SignIn(), 2)
        assert agent.ready


def test_who_has_no_telephone_is_away_until_it_is_registered() -> None:
    agent = Agent("anna")
    assert not agent.handle(Registered(), 0)
    assert agent.handle(Unregistered(), 1)
    assert (agent.state, agent.reason, agent.deadline) == (AgentState.AWAY, NOT_REGISTERED, None)
    assert not agent.on_duty
    assert not agent.handle(Unregistered(), 2)
    assert agent.handle(Registered(), 500)
    assert agent.ready
    assert agent.on_duty
    assert agent.reason == ""


def test_who_is_away_knows_why() -> None:
    agent = Agent("anna")
    agent.handle(Unregistered(NO_ASTERISK), 1)
    assert (agent.on_duty, agent.reason) == (False, NO_ASTERISK)
    assert agent.handle(Unregistered(), 2)  # Asterisk is back, the telephone is not
    assert (agent.reason, agent.since) == (NOT_REGISTERED, 1)
    assert agent.handle(Registered(), 3) and agent.ready
    agent.handle(Ring("c1"), 3)
    agent.handle(Unreachable("busy"), 4)
    assert (agent.state, agent.reason, agent.on_duty) == (AgentState.AWAY, "busy", True)


def test_a_telephone_that_was_busy_is_tried_after_its_time_though_it_is_registered() -> None:
    agent = Agent("anna")
    agent.handle(Ring("c1"), 0)
    agent.handle(Unreachable(), 1)
    assert not agent.handle(Registered(), 2)
    assert agent.state is AgentState.AWAY
    assert agent.handle(Unregistered(), 3)  # it was not busy, it was gone
    assert agent.handle(Registered(), 4)
    assert agent.ready
