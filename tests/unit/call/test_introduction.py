"""Unit: callees hear who calls before anything counts as an answer."""

from __future__ import annotations

import pytest

from voicebot.call.introduction import MOST_INTERRUPTIONS, MOST_RESTARTS, Introduction

pytestmark = pytest.mark.unit


@pytest.fixture
def introduction() -> Introduction:
    made = Introduction(answered_at=100.0)
    made.begins(2)  # who calls, and the question
    made.prompt_began()
    return made


def test_what_they_say_into_the_first_words_is_a_greeting(introduction: Introduction) -> None:
    assert introduction.absorbs(100.2, "")
    assert introduction.absorbs(101.9, "repeat")


@pytest.mark.parametrize("command", ["opt_out", "agent"])
def test_who_wants_no_call_is_heard_at_once(introduction: Introduction, command: str) -> None:
    assert not introduction.absorbs(100.2, command)


def test_the_question_may_be_answered_while_it_is_asked(introduction: Introduction) -> None:
    introduction.prompt_began()
    assert not introduction.absorbs(102.0, "")


def test_a_single_prompt_is_heard_when_it_is_over() -> None:
    introduction = Introduction(answered_at=100.0)
    introduction.begins(1)
    introduction.prompt_began()
    assert introduction.absorbs(101.0, "")
    introduction.prompts_done()
    assert not introduction.absorbs(102.0, "")


def test_who_goes_on_talking_over_it_is_heard_in_the_end(introduction: Introduction) -> None:
    assert [introduction.absorbs(103.0 + n, "") for n in range(MOST_INTERRUPTIONS + 1)] == [
        *[True] * MOST_INTERRUPTIONS, False,
    ]  # fmt: skip


def test_whoever_talks_on_hears_the_rest_of_it_and_no_third_beginning(introduction: Introduction) -> None:
    again = []
    for n in range(MOST_RESTARTS + 2):
        assert introduction.absorbs(103.0 + n, "")
        again.append(introduction.starts_over)
    assert again == [*[True] * MOST_RESTARTS, False, False]


def test_a_dialog_that_begins_anew_introduces_itself_again(introduction: Introduction) -> None:
    introduction.prompts_done()
    introduction.begins(2)
    assert introduction.absorbs(109.0, "")
