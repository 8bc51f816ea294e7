"""Unit: a supervisor takes a hand in a conversation, in every state that it can be in."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dialog.running.spoken import Talk, dialog, words
from tests.unit.dialog.running.test_any_input import EVENTS, GIVEN, SHIPPED
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import (
    AskModel,
    End,
    Fetch,
    Fetched,
    Handover,
    HookDone,
    Listen,
    MessageRecorded,
    RecordMessage,
    Replied,
    Silence,
)
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

BOOKING = dialog("""
slots:
  day: {type: weekday}
  people: {type: number, between: [1, 8]}
  pin: {type: digits, length: 4, sensitive: true}
  table: {type: choice, choices: {inside: [inside, in the room], terrace: [terrace, outside]}}
  on: {type: date, between: [tomorrow, +30 days], valid: "weekday(on) != 'sunday'"}
  note: {type: text, optional: true}
steps:
  greet: {say: Hello.}
  day: {ask: Which day?, fill: day}
  both: {ask: How many and where?, fill: [people, table]}
  pin: {ask: Your PIN?, fill: pin}
  vip: {if: people > 6, ask: A big one. Wine?, choices: {yes: , no: }}
  on: {ask: Which date?, fill: on}
  done: {say: "{day}, {people}, {table}.", end: booked}
""")


def booking(*said: str) -> Talk:
    talk = Talk(BOOKING)
    talk.says(*said)
    return talk


def problem(error: pytest.ExceptionInfo[UserError]) -> tuple[str, str]:
    (only,) = error.value.problems
    return only.what, only.remedy


# --- what is possible -----------------------------------------------------------------------------------


def test_what_can_be_done_is_listed_without_what_is_sensitive() -> None:
    talk = booking("monday", "four inside", "4271")
    possible = talk.bot.possible()
    assert [step.name for step in possible.steps] == ["greet", "day", "both", "pin", "vip", "on", "done"]
    assert [(step.name, step.label) for step in possible.steps if step.now] == [("on", "Which date?")]
    slots = {slot.name: slot for slot in possible.slots}
    assert (slots["day"].value, slots["people"].value, slots["table"].options) == (
        "monday",
        "4",
        ("inside", "terrace"),
    )
    assert (slots["pin"].value, slots["pin"].known, slots["pin"].sensitive) == ("", True, True)
    assert not slots["on"].known


# --- correcting -----------------------------------------------------------------------------------------


def test_an_answer_is_put_right_and_all_later_ones_stand() -> None:
    talk = booking("monday", "four inside", "4271")
    turn = talk.bot.correct("day", "friday", talk.now)
    assert talk.bot.values["day"] == "friday" and talk.bot.values["pin"] == "4271"
    assert words(turn).endswith("Which date?") and talk.bot.step == "on"
    assert talk.says("go back") == "Your PIN?"


def test_a_corrected_answer_that_leads_elsewhere_is_followed() -> None:
    talk = booking("monday", "four inside", "4271")
    assert words(talk.bot.correct("people", 8, talk.now)).endswith("A big one. Wine?")


def test_a_slot_that_was_not_asked_is_filled_and_its_step_asks_for_the_rest_only() -> None:
    talk = booking()
    turn = talk.bot.correct("table", "outside", talk.now)
    assert words(turn) == "Which day?" and isinstance(turn.then, Listen)
    assert talk.says("monday") == "And what about the people?"
    assert talk.says("three") == "Your PIN?"
    assert talk.bot.values["table"] == "terrace"


def test_a_question_that_was_answered_beforehand_is_passed_over_once() -> None:
    talk = booking("monday", "four inside")
    talk.bot.correct("on", "2027-03-05", talk.now)
    fork = talk.bot.fork()
    assert talk.says("4271") == "Monday, four, inside. [booked]"
    assert words(fork.jump("on", talk.now)) == "Which date?", "who jumps there wants to ask"
    talk = booking("monday", "four inside")
    talk.bot.correct("on", "2027-03-05", talk.now)
    assert talk.bot.state() != booking("monday", "four inside").bot.state()


def test_an_answer_that_is_taken_back_is_asked_for_again_and_all_later_ones_stand() -> None:
    talk = booking("monday", "four inside", "4271")
    assert words(talk.bot.correct("people", None, talk.now)) == "And what about the people?"
    assert talk.bot.values["people"] is None
    assert talk.says("three") == "Which date?"
    talk = booking("monday")
    with pytest.raises(UserError, match="nothing is known"):
        talk.bot.correct("pin", None, talk.now)
    talk.bot.correct("on", "2027-03-05", talk.now)
    talk.bot.correct("on", None, talk.now)
    talk.says("four inside", "4271")
    assert talk.bot.step == "on", "it is not passed over"


def test_the_slot_that_is_asked_for_is_answered() -> None:
    talk = booking()
    assert words(talk.bot.correct("day", "tuesday", talk.now)) == "How many and where?"
    assert words(talk.bot.correct("people", "4", talk.now)) == "And what about the table?"
    assert words(talk.bot.correct("table", "inside", talk.now)) == "Your PIN?"
    turn = talk.bot.correct("pin", "4271", talk.now)
    assert words(turn) == "Which date?" and talk.bot.understood is not None and talk.bot.understood.sensitive


@pytest.mark.parametrize(
    ("slot", "value", "taken"),
    [
        ("day", "Friday", "friday"),
        ("people", "three", 3),
        ("people", 3, 3),
        ("table", "terrace", "terrace"),
        ("on", "2027-03-05", date(2027, 3, 5)),
        ("on", "next friday", date(2027, 3, 12)),
        ("note", "By the   window, O'Neill", "By the window, O'Neill"),
    ],
)
def test_values_are_read_as_callers_say_them_and_as_programs_write_them(
    slot: str, value: object, taken: object
) -> None:
    talk = booking()
    talk.bot.correct(slot, value, talk.now)
    assert talk.bot.values[slot] == taken


@pytest.mark.parametrize(
    ("slot", "value", "what", "remedy"),
    [
        (
            "colour",
            "red",
            "there is no slot `colour` here",
            "slots of this dialog: day, people, pin, table, on",
        ),
        ("table", "cellar", "`table` cannot be `cellar`", "give one of: inside, terrace"),
        ("people", "12", "`people` cannot be `12` (out of range)", "give a number, between 1 and 8"),
        ("people", "", "`people` cannot be ``", "give a number, between 1 and 8"),
        ("on", "2027-03-07", "`on` cannot be `2027-03-07` (the slot's condition is not met)", "so that"),
        ("on", "2029-01-01", "`on` cannot be `2029-01-01` (out of range)", "between tomorrow and +30 days"),
        ("pin", "98765", "`pin` cannot be what was given (length)", "give digits, 4 of them"),
    ],
)
def test_what_cannot_be_changes_nothing_and_is_told(slot: str, value: str, what: str, remedy: str) -> None:
    talk = booking("monday")
    before = talk.bot.state()
    with pytest.raises(UserError) as error:
        talk.bot.correct(slot, value, talk.now)
    told = problem(error)
    assert told[0] == what and remedy in told[1]
    assert talk.bot.state() == before


def test_a_value_that_no_answer_brought_is_replaced_where_it_stands() -> None:
    talk = Talk(
        dialog("""
slots: {day: {type: weekday}, sure: {type: yes_no}}
steps:
  one: {ask: Day?, fill: day}
  two: {set: {day: "'sunday'"}}
  three: {ask: "Sure?", fill: sure}
  four: {say: "{day}.", end: done}
""")
    )
    talk.says("monday")
    assert words(talk.bot.correct("day", "friday", talk.now)) == "Sure?"
    assert talk.says("yes") == "Friday. [done]"


def test_a_pending_question_is_asked_again_and_a_confirmed_slot_can_be_put_right() -> None:
    talk = Talk(
        dialog("""
slots: {day: {type: weekday, confirm: always}, sure: {type: yes_no}}
steps: {one: {ask: Day?, fill: day}, two: {ask: Sure?, fill: sure}, three: {say: "{day}.", end: done}}
""")
    )
    asked_back = talk.says("monday")
    assert words(talk.bot.repeat(talk.now)) == asked_back
    assert words(talk.bot.correct("sure", "no", talk.now)) == asked_back
    assert words(talk.bot.correct("day", "friday", talk.now)) == "Friday. [done]"


# --- jumping --------------------------------------------------------------------------------------------


def test_a_jump_asks_the_question_there_even_if_all_was_told() -> None:
    talk = booking("monday", "four inside", "4271")
    assert words(talk.bot.jump("both", talk.now)) == "How many and where?"
    assert words(talk.bot.jump("day", talk.now)) == "Which day?"
    assert words(talk.bot.jump("done", talk.now)).endswith("[booked]")
    with pytest.raises(UserError, match="come to its end"):
        talk.bot.jump("day", talk.now)


def test_a_step_that_is_not_there_or_passed_over_is_no_goal() -> None:
    talk = booking("monday", "four inside")
    with pytest.raises(UserError, match=r"no step `cellar`.*greet, day, both"):
        talk.bot.jump("cellar", talk.now)
    with pytest.raises(UserError, match="`people > 6` does not hold"):
        talk.bot.jump("vip", talk.now)
    assert talk.bot.step == "pin"


OUTER = dialog(
    """
include: {inner: inner.yaml}
slots: {name: {type: name}}
steps:
  name: {ask: Name?, fill: name}
  into: {call: {dialog: inner}}
  bye: {say: "Bye {name}.", end: done}
""",
    {
        "inner": dialog("""
slots: {age: {type: number}, ok: {type: yes_no}}
steps: {age: {ask: Age?, fill: age}, ok: {ask: Ok?, fill: ok}}
""")
    },
)


def test_from_an_included_dialog_one_can_jump_out_and_correct_the_outer_one() -> None:
    talk = Talk(OUTER)
    talk.says("Sara", "forty")
    assert [slot.name for slot in talk.bot.possible().slots] == ["age", "ok", "name"]
    assert words(talk.bot.correct("name", "Zoe McDonald", talk.now)).endswith("Ok?")
    assert words(talk.bot.jump("bye", talk.now)) == "Bye Zoe McDonald. [done]"


# --- saying ---------------------------------------------------------------------------------------------


def test_a_sentence_is_said_and_the_question_comes_again() -> None:
    talk = booking("monday")
    before = talk.bot.state()
    turn = talk.bot.say("  One moment,\nplease. ", talk.now)
    assert words(turn) == "One moment, please. How many and where?"
    assert talk.bot.state() == before
    for text in ("", " \x00", "a" * 501):
        with pytest.raises(UserError):
            talk.bot.say(text, talk.now)


# --- while work goes on ---------------------------------------------------------------------------------

WORKING = dialog("""
slots: {day: {type: weekday}, name: {type: name}, memo: {type: recording}}
steps:
  day: {ask: Day?, fill: day}
  look: {fetch: {get: "https://x.example/{day}"}}
  memo: {say: Speak., record: {longest: 10s}, fill: memo}
  name: {ask: Name?, fill: name}
  talk: {llm: {about: Be nice., model: m, slots: [name]}}
  bye: {end: done}
""")


def test_a_look_up_goes_on_while_something_is_said_or_filled_but_its_ground_stays() -> None:
    talk = Talk(WORKING)
    talk.says("monday")
    work = talk.turn.then
    assert isinstance(work, Fetch)
    assert talk.bot.say("Wait.", talk.now).then is work
    assert talk.bot.correct("name", "Sara", talk.now).then is work
    with pytest.raises(UserError, match="at work"):
        talk.bot.correct("day", "friday", talk.now)
    with pytest.raises(UserError, match="at work"):
        talk.bot.repeat(talk.now)
    assert isinstance(talk.bot.jump("day", talk.now).then, Listen)
    assert isinstance(talk.bot.handle(Fetched(200), talk.now).then, Listen), (
        "what was given up is not awaited"
    )


def test_nothing_is_said_into_a_message() -> None:
    talk = Talk(WORKING)
    talk.says("monday", Fetched(200))
    assert isinstance(talk.turn.then, RecordMessage)
    with pytest.raises(UserError, match="leaving a message"):
        talk.bot.say("Hello?", talk.now)
    assert talk.says(MessageRecorded("/x.wav", 900, "silence")) == "Name?"
    with pytest.raises(UserError, match=r"is a recording"):
        talk.bot.correct("memo", "x", talk.now)


def test_a_model_is_told_what_was_put_right() -> None:
    talk = Talk(WORKING)
    talk.says("monday", Fetched(200), MessageRecorded("/x.wav", 900, "silence"), "Sara")
    work = talk.turn.then
    assert isinstance(work, AskModel)
    assert talk.bot.correct("name", "Zoe", talk.now).then is work
    talk.says(Replied("Hello Sara."), "my name is Zoe")
    assert isinstance(talk.turn.then, AskModel)
    assert "name is now known to be: Zoe" in [message.text for message in talk.turn.then.messages]
    assert talk.bot.values["name"] == "Zoe"


# --- any sequence ---------------------------------------------------------------------------------------

DIALOGS = [*SHIPPED, BOOKING, OUTER, WORKING]
VALUES = st.sampled_from([None, *GIVEN.values(), "monday", "next friday", "yes", "nonsense", "", "inside"])
RESULTS = (
    Fetched(None, error="down"),
    HookDone(error="down"),
    MessageRecorded("", 0, "silence"),
    Replied(error="down"),
)
DEED = st.one_of(
    st.tuples(st.just("correct"), st.integers(0, 30), VALUES),
    st.tuples(st.just("jump"), st.integers(0, 60), st.just("")),
    st.tuples(st.just("say"), st.just(0), VALUES),
    st.tuples(st.just("repeat"), st.just(0), st.just("")),
    st.tuples(st.just("event"), EVENTS, st.just("")),
)


def do(bot: Interpreter, deed: tuple[str, object, str | None], now: float) -> None:
    kind, which, value = deed
    possible = bot.possible()
    try:
        if kind == "correct" and possible.slots:
            bot.correct(possible.slots[int(str(which)) % len(possible.slots)].name, value, now)
        elif kind == "jump" and possible.steps:
            bot.jump(possible.steps[int(str(which)) % len(possible.steps)].name, now)
        elif kind == "say":
            bot.say(value or "", now)
        elif kind == "repeat":
            bot.repeat(now)
        elif kind == "event":
            bot.handle(which, now)  # type: ignore[arg-type]
    except UserError as error:
        assert all(problem.what and problem.remedy for problem in error.problems)


@settings(max_examples=300)
@given(st.sampled_from(DIALOGS), st.lists(DEED, max_size=12))
def test_after_any_interventions_the_dialog_can_be_copied_and_replayed_and_ends(
    of: object, deeds: list[tuple[str, object, str | None]]
) -> None:
    file = of.file  # type: ignore[attr-defined]
    bot = Interpreter(of, {name: GIVEN[need.type] for name, need in file.needs.items() if need.type in GIVEN})  # type: ignore[arg-type]
    twin = bot.fork()
    turn = bot.begin(0.0)
    twin.begin(0.0)
    for at, deed in enumerate(deeds):
        do(bot, deed, float(at))
        fork = twin.fork()
        do(twin, deed, float(at))
        do(fork, deed, float(at))
        assert bot.state() == twin.state() == fork.state(), "not deterministic"
    for at in range(40):
        turn = bot.handle(Silence(), 100.0 + at)
        for result in RESULTS:
            turn = bot.handle(result, 100.0 + at)
        if isinstance(turn.then, End | Handover):
            return
    raise AssertionError(f"never ends: {turn.then}")
