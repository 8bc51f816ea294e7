"""Unit: several slots in one breath, values that are not possible, corrections, and the way back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from tests.unit.dialog.running.spoken import MONDAY, Talk, dialog
from voicebot.dialog.turns import Fetch, Fetched, Listen, Utterance
from voicebot.speech.stt import Transcript

pytestmark = pytest.mark.unit

TICKETS = dialog("""
slots:
  tickets: {type: number, between: [1, 9], ask: How many tickets?, called: [number of tickets, tickets]}
  day: {type: date, between: [today, +30 days], ask: For which day?}
  seat: {type: choice, choices: {front: [front, at the front], rear: [rear, at the back]}}
  who: {type: name, optional: true}
steps:
  order: {ask: What can I book for you?, fill: [tickets, day, seat]}
  who: {ask: Under which name?, fill: who}
  done: {say: "{tickets}, {day}, {seat}.", end: booked}
""")


def test_what_is_told_in_one_breath_is_not_asked_for() -> None:
    talk = Talk(TICKETS)
    assert talk.says("two tickets for Friday at the back please") == "Under which name?"
    assert talk.bot.slots == {"tickets": 2, "day": date(2027, 3, 5), "seat": "rear"}


def test_only_what_is_missing_is_asked_for() -> None:
    talk = Talk(TICKETS)
    assert talk.says("for friday") == "How many tickets?"
    assert talk.says("four") == "And what about the seat?"
    assert talk.says("front") == "Under which name?"


def test_while_one_slot_is_asked_for_others_may_be_told() -> None:
    assert Talk(TICKETS).says("friday", "three at the back") == "Under which name?"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("twenty", "Sorry, twenty is not possible. It has to be between one and nine. How many tickets?"),
        ("lots of them", "Sorry, I did not understand. How many tickets?"),
    ],
)
def test_what_is_not_possible_is_told_otherwise_than_what_was_not_understood(said: str, told: str) -> None:
    assert Talk(TICKETS).says("for friday", said) == told


def test_failures_in_a_form_count_for_each_question() -> None:
    talk = Talk(TICKETS)
    assert talk.says("blah", "blah", "friday", "blah", "blah").startswith("I am sorry, I still did not")
    assert talk.bot.outcome is None
    assert talk.says("blah") == "I am sorry that I could not help you. Goodbye. [failed]"


@pytest.mark.parametrize(
    ("correction", "slot", "value"),
    [
        ("no, I said Saturday", "day", date(2027, 3, 6)),
        ("sorry, I meant the tenth of march", "day", date(2027, 3, 10)),
        ("change the number of tickets to four", "tickets", 4),
        ("change the seat to the front", "seat", "front"),
    ],
)
def test_a_correction_changes_that_slot_only(correction: str, slot: str, value: object) -> None:
    talk = Talk(TICKETS)
    talk.says("two tickets for friday", "at the back")
    before = talk.bot.slots
    assert talk.says(correction).startswith("All right, ") and talk.said.endswith("Under which name?")
    assert talk.bot.slots == {**before, slot: value}
    understood = talk.bot.understood
    assert understood is not None and (understood.kind, understood.slot) == ("correction", slot)


def test_a_correction_without_a_value_asks_for_it() -> None:
    talk = Talk(TICKETS)
    assert talk.says("two tickets for friday", "at the back", "I want to change the day") == "For which day?"
    assert talk.says("saturday") == "Under which name?"
    assert talk.bot.slots["day"] == date(2027, 3, 6)


def test_an_impossible_correction_changes_nothing() -> None:
    talk = Talk(TICKETS)
    talk.says("two tickets for friday", "rear", "no, I said twenty")
    assert talk.bot.slots["tickets"] == 2


def test_only_an_explicit_correction_changes_a_name() -> None:
    of = dialog("""
slots: {who: name, pin: {type: digits, length: 4}}
steps: {a: {ask: Who?, fill: who}, b: {ask: Which digits?, fill: pin}, c: {end: done}}
""")
    talk = Talk(of)
    assert talk.says("Sara", "no idea").startswith("Sorry") and talk.bot.slots == {"who": "Sara"}
    assert talk.says("no, I said Clara") == "All right, Clara. Which digits?"


def test_a_correction_goes_through_the_steps_in_between_again() -> None:
    of = dialog("""
slots: {size: {type: choice, choices: {small: [], large: []}}, day: weekday, ok: yes_no}
values: {price: number}
steps:
  size: {ask: Which size?, fill: size, set: {price: "20 if size == 'large' else 10"}}
  day: {say: "Fine, {size}.", ask: Which day?, fill: day}
  ok: {say: "{size} on {day} for {price}.", ask: All right?, fill: ok}
  bye: {end: done}
""")
    talk = Talk(of)
    assert talk.says("small", "tuesday") == "small on Tuesday for ten. All right?"
    assert talk.says("no, I said large") == "All right, large. large on Tuesday for twenty. All right?"
    assert (
        talk.says("no I meant Wednesday") == "All right, Wednesday. large on Wednesday for twenty. All right?"
    )
    assert talk.says("yes") == "[done]"


def test_a_correction_that_changes_the_way_asks_anew() -> None:
    of = dialog("""
slots: {kind: {type: choice, choices: {bread: [], cake: []}}, topping: weekday, ok: yes_no}
steps:
  kind: {ask: Bread or cake?, fill: kind, goto: {loaf: kind == 'bread', tart: else}}
  loaf: {ask: For which day the bread?, fill: topping, goto: ok}
  tart: {ask: For which day the cake?, fill: topping}
  ok: {ask: All right?, fill: ok}
  bye: {end: done}
""")
    talk = Talk(of)
    talk.says("bread", "monday")
    assert talk.says("I meant cake") == "All right, cake. For which day the cake?"


def test_the_way_back() -> None:
    talk = Talk(TICKETS)
    assert talk.says("go back") == "This is the first question. What can I book for you?"
    assert talk.says("two tickets for friday", "go back") == "What can I book for you?"
    assert talk.bot.slots == {}
    assert talk.says("two for friday", "front", "one step back") == "And what about the seat?"


def test_only_optional_questions_are_skipped() -> None:
    talk = Talk(TICKETS)
    assert "skip" not in str(talk.turn.then.expect.phrases) if isinstance(talk.turn.then, Listen) else False
    assert talk.says("two tickets friday front", "skip this question").endswith("[booked]")


def test_whoever_wants_to_stop_is_asked_and_let_go() -> None:
    talk = Talk(TICKETS)
    assert talk.says("never mind") == "Do you want to stop here?"
    assert talk.says("no") == "What can I book for you?"
    assert talk.says("forget it", "yes") == "All right. Goodbye. [cancelled]"


WHEN = dialog("""
slots: {at: {type: datetime, between: [now, +30 days]}}
steps: {when: {ask: When?, fill: at}, done: {say: "{at}.", end: done}}
""")


def test_a_day_waits_for_its_time_and_a_time_for_its_day() -> None:
    talk = Talk(WHEN)
    assert talk.says("next tuesday") == "On Tuesday, March ninth. At what time?"
    assert talk.says("half past three") == "Tuesday, March ninth at 3:30 PM. [done]"
    assert talk.bot.slots["at"] == datetime(2027, 3, 9, 15, 30, tzinfo=MONDAY.tzinfo)
    assert Talk(WHEN).says("at three", "on tuesday the ninth").endswith("[done]")


def test_both_together_must_still_be_possible() -> None:
    talk = Talk(WHEN)
    assert talk.says("today", "at nine in the morning").startswith("Sorry, ")
    assert talk.says("today at three in the afternoon").endswith("[done]")


def test_a_condition_of_the_slot() -> None:
    of = dialog("""
slots: {from: date, to: {type: date, valid: to > from, invalid: That is before you arrive.}}
steps: {a: {ask: From?, fill: from}, b: {ask: To?, fill: to}, c: {end: done}}
""")
    assert Talk(of).says("friday", "thursday") == "That is before you arrive."
    assert Talk(of).says("friday", "saturday") == "[done]"


@pytest.mark.parametrize(
    ("rule", "confidence", "said"),
    [
        ("implicit", None, "All right, forty two. Next?"),
        ("always", None, "I understood forty two. Is that right?"),
        ("unsure", 0.5, "I understood forty two. Is that right?"),
        ("unsure", 0.9, "Next?"),
        ("never", 0.5, "Next?"),
    ],
)
def test_confirming(rule: str, confidence: float | None, said: str) -> None:
    of = dialog(f"""
slots: {{n: {{type: number, confirm: {rule}}}, m: number}}
steps: {{a: {{ask: Which?, fill: n}}, b: {{ask: Next?, fill: m}}, c: {{end: done}}}}
""")
    heard = Talk(of).says(Utterance(Transcript("forty two", confidence)))
    assert heard == said


def test_variants_in_turn() -> None:
    of = dialog("""
slots: {more: yes_no}
steps: {a: {say: [One., Two.], ask: More?, vary: turn, fill: more, goto: {a: more, b: else}}, b: {end: done}}
""")
    talk = Talk(of)
    assert [talk.said, talk.says("yes"), talk.says("yes")] == ["One. More?", "Two. More?", "One. More?"]


def test_a_call_that_lasts_too_long_is_ended() -> None:
    of = dialog("limits: {time: 60s}\nslots: {a: text}\nsteps: {q: {ask: Well?, fill: a, goto: q}}")
    talk = Talk(of)
    talk.says("this", "that")
    assert talk.says("more", after=timedelta(minutes=2).total_seconds()).endswith("[timeout]")


def test_a_fork_goes_its_own_way_and_equal_states_are_equal() -> None:
    talk = Talk(TICKETS)
    talk.says("two tickets")
    fork = talk.bot.fork()
    assert fork.state() == talk.bot.state()
    fork.handle(Utterance(Transcript("friday")), 9.0)
    assert fork.state() != talk.bot.state() and "day" not in talk.bot.slots
    assert len(fork.taken) > len(talk.bot.taken)


def test_an_intent_is_found_by_its_examples_or_rejected() -> None:
    of = dialog("""
slots:
  wish:
    type: choice
    choices:
      repair: {hear: [repair], examples: [my washing machine is broken, it does not work any more, it leaks]}
      invoice: {hear: [invoice], examples: [I have a question about my bill, you charged me too much]}
steps: {a: {ask: What is it about?, fill: wish}, b: {say: "{wish}.", end: done}}
""")
    assert Talk(of).says("the machine that I bought is broken") == "repair. [done]"
    assert Talk(of).says("I think I was charged too much money") == "invoice. [done]"
    assert Talk(of).says("is it going to rain tomorrow").startswith("Sorry")


PICKUP = dialog("""
slots:
  day: date
  part: {type: choice, choices: {morning: [morning, in the morning], evening: [evening, in the evening]}}
  right: yes_no
steps:
  when: {ask: When?, fill: [day, part]}
  sure: {ask: "{day|date}, in the {part}. Is that right?", fill: right, goto: {bye: right, when: else}}
  bye: {end: done}
""")


def test_a_no_with_a_value_corrects_what_the_question_has_read_back() -> None:
    talk = Talk(PICKUP)
    assert talk.says("saturday evening") == "Saturday, March sixth, in the evening. Is that right?"
    said = talk.says("no, the morning")
    assert said == "All right, morning. Saturday, March sixth, in the morning. Is that right?"
    assert talk.says("yes") == "[done]"


def test_several_slots_are_asked_back_once_and_what_is_not_denied_stays() -> None:
    of = dialog("""
slots:
  day: date
  party: {type: number, called: [people, party]}
  part: {type: choice, choices: {morning: [], evening: []}}
steps:
  when: {ask: When?, fill: [day, part, party], confirm: always}
  bye: {end: done}
""")
    talk = Talk(of)
    assert talk.says("saturday evening") == "And what about the people?"
    assert talk.says("four") == "I understood Saturday, March sixth, evening, people four. Is that right?"
    said = talk.says("no, morning")
    assert said == "I understood Saturday, March sixth, morning, people four. Is that right?"
    assert talk.says("no") == "Sorry about that. When?"
    assert talk.says("sunday morning", "for two", "yes") == "[done]"


def test_a_value_with_the_name_of_its_slot_corrects_that_slot() -> None:
    of = dialog("""
slots: {party: {type: number, called: [people, party]}, at: time}
steps: {a: {ask: How many and when?, fill: [party, at]}, b: {ask: At what time?, fill: at}, c: {end: done}}
""")
    talk = Talk(of)
    talk.says("for two people", "no, four people")
    assert talk.bot.slots == {"party": 4}


def test_words_for_what_is_unknown_and_prompts_of_another_language() -> None:
    of = dialog("""
values: {who: name}
steps:
  a: {say: {all: ["{who|else:Somebody} calls.", {text: 한국어는 칠번, language: ko-KR}]}}
  b: {end: done}
""")
    talk = Talk(of)
    assert talk.said == "Somebody calls. 한국어는 칠번 [done]"
    assert [p.language for p in talk.turn.prompts] == ["en-US", "ko-KR"]  # type: ignore[union-attr]


GARAGE = dialog("""
slots:
  car: {type: choice, choices: {golf: [golf], polo: [polo]}, ask: Which car?}
  day:
    type: date
    between: [tomorrow, +30 days]
    valid: weekday(day) not in ['saturday', 'sunday']
    ask: On which day?
    invalid: We are open Monday to Friday. On which day?
  hour: {type: time, between: ['08:00', '17:00'], ask: At what time?}
steps:
  book: {ask: "Which car, and when?", fill: [car, day, hour]}
  done: {say: "{car}, {day}, {hour}.", end: booked}
""")


@pytest.mark.parametrize(
    ("said", "told", "known"),
    [
        ("the golf on sunday at nine", "We are open Monday to Friday. On which day?", {"car", "hour"}),
        ("the golf yesterday at nine", "We are open Monday to Friday. On which day?", {"car", "hour"}),
        ("sunday", "We are open Monday to Friday. On which day?", set()),
        (
            "the golf on tuesday at eleven in the evening",
            "Sorry, 11 PM is not possible. It has to be between 8 AM and 5 PM. At what time?",
            {"car", "day"},
        ),
    ],
)
def test_of_several_answers_only_the_impossible_one_is_asked_again_in_its_own_words(
    said: str, told: str, known: set[str]
) -> None:
    talk = Talk(GARAGE)
    assert talk.says(said) == told
    assert {name for name, value in talk.bot.slots.items() if value is not None} == known


def test_who_says_the_impossible_again_and_again_has_failed() -> None:
    talk = Talk(GARAGE)
    assert "failed" in talk.says("the golf on sunday at nine", *["sunday"] * 3)


DINNER = dialog("""
slots:
  party:
    type: number
    between: [1, 12]
    called: [people, party]
    ask: For how many?
    invalid: One to twelve. For how many?
  at:
    type: datetime
    between: [now, +60 days]
    valid: hour(at) >= 17
    ask: When?
    invalid: We open at five. When?
steps:
  book: {ask: "For how many, and when?", fill: [party, at]}
  done: {say: "{party}, {at}.", end: booked}
""")


@pytest.mark.parametrize(
    "said",
    [
        ["it's for two, friday at eight"],
        ["for two on friday", "at eight"],
        ["friday at eight", "two"],
        ["at eight for two people", "on friday"],
        ["two on friday at half past seven, no, eight"],
        ["eight o'clock for two people on friday"],
        ["friday at eight in the evening for two"],
    ],
)
def test_a_bare_hour_is_in_the_half_of_the_day_that_is_possible(said: list[str]) -> None:
    talk = Talk(DINNER)
    assert talk.says(*said) == "two, Friday, March fifth at 8 PM. [booked]"


def test_a_condition_that_neither_half_of_the_day_meets_is_told_by_its_own_slot() -> None:
    talk = Talk(DINNER)
    assert talk.says("two on friday at three") == "We open at five. When?"
    assert talk.says("friday at eight in the morning") == "We open at five. When?"
    assert talk.says("friday at six").endswith("[booked]")
    talk = Talk(DINNER)
    assert talk.says("twenty people on friday at eight") == "One to twelve. For how many?"
    assert talk.says("twelve") == "twelve, Friday, March fifth at 8 PM. [booked]"


def test_a_bare_hour_that_is_over_is_in_the_evening_only_where_the_slot_wants_that() -> None:
    assert Talk(DINNER).says("for two today at eight") == "two, Monday, March first at 8 PM. [booked]"
    assert Talk(DINNER).says("for two", "today at nine") == "two, Monday, March first at 9 PM. [booked]"
    assert Talk(WHEN).says("today at nine").startswith("Sorry, ")


TABLE = dialog("""
slots:
  party: {type: number, between: [1, 12], called: [the party, the number of people], ask: For how many?}
  day: {type: date, between: [today, +60 days], ask: Which day?}
  hour: {type: time, between: ['17:00', '21:30'], ask: What time?}
steps:
  book: {ask: "For how many, on which day, and when?", fill: [party, day, hour]}
  done: {say: "{party}, {day}, {hour}.", end: booked}
""")


@pytest.mark.parametrize(
    ("said", "party", "day", "hour"),
    [
        ("at nine on friday", None, 5, 21),
        ("friday eight", None, 5, 20),
        ("for nine", 9, None, None),
        ("nine people", 9, None, None),
        ("nine", 9, None, None),
        ("tomorrow at 8 for 2", 2, 2, 20),
        ("a party of six tomorrow at half past seven", 6, 2, 19),
        ("dinner for two for eight o'clock tomorrow", 2, 2, 20),
        ("friday, four, eight", 4, 5, 20),
        ("four on friday", 4, 5, None),
        ("two thirty", None, None, None),
        ("seven thirty for six of us on the third", 6, 3, 19),
        ("Tuesday, March second 2027", None, 2, None),
        ("March second 2027 at eight for four", 4, 2, 20),
        ("for two", 2, None, None),
    ],
)
def test_numbers_of_people_of_days_and_of_hours(
    said: str, party: int | None, day: int | None, hour: int | None
) -> None:
    talk = Talk(TABLE)
    talk.says(said)
    known = talk.bot.slots
    day_told, hour_told = known.get("day"), known.get("hour")
    assert known.get("party") == party
    assert (day_told.day if isinstance(day_told, date) else None) == day
    assert (hour_told.hour if isinstance(hour_told, time) else None) == hour


def test_a_bare_number_is_for_the_slot_that_was_asked_for() -> None:
    talk = Talk(TABLE)
    assert talk.says("friday") == "For how many?"
    assert talk.says("four") == "What time?"
    assert talk.says("eight") == "four, Friday, March fifth, 8 PM. [booked]"


LOOKED_UP = dialog("""
slots:
  day: {type: weekday, called: the day}
  plate: {type: digits, length: 4, called: the plate}
  mail: {type: yes_no}
  right: yes_no
values: {owner: name, open: yes_no}
steps:
  day: {ask: On which day?, fill: day}
  plate: {ask: Your plate?, fill: plate}
  who: {fetch: {get: "https://x/{plate}", keep: {owner: owner}}}
  known: {say: "You are {owner}."}
  mail: {ask: A letter?, fill: mail}
  free: {fetch: {get: "https://x/days/{day}", keep: {open: open}}, goto: {closed: not open, check: else}}
  check: {ask: "{day|weekday}. Right?", fill: right, goto: {done: right, day: else}}
  done: {say: Done., end: done}
  closed: {say: "Closed on {day|weekday}.", end: closed}
""")


def looked_up() -> Talk:
    talk = Talk(LOOKED_UP)
    assert talk.says("tuesday", "4271", Fetched(200, {"owner": "Sara"})) == "You are Sara. A letter?"
    assert talk.says("yes", Fetched(200, {"open": True})) == "Tuesday. Right?"
    return talk


def test_a_correction_repeats_only_look_ups_that_depend_on_it_and_asks_nothing_twice() -> None:
    talk = looked_up()
    assert talk.says("no, friday") == "All right, Friday."
    assert isinstance(talk.turn.then, Fetch) and talk.turn.then.url == "https://x/days/friday"
    assert talk.took == "correction:friday"
    assert talk.says(Fetched(200, {"open": True})) == "Friday. Right?"
    assert talk.says("yes") == "Done. [done]"
    assert talk.bot.slots["owner"] == "Sara"


def test_what_a_changed_way_has_to_say_is_said() -> None:
    talk = looked_up()
    talk.says("no, friday")
    assert talk.says(Fetched(200, {"open": False})) == "Closed on Friday. [closed]"


def test_answers_after_a_look_up_that_came_out_otherwise_are_kept() -> None:
    talk = looked_up()
    assert talk.says("change the plate to 1111") == "All right, 1, 1, 1, 1."
    assert talk.says(Fetched(200, {"owner": "Tom"})) == "Tuesday. Right?"
    assert talk.bot.slots["owner"] == "Tom"


TRIP = dialog("""
slots:
  day: {type: date, valid: weekday(day) != 'sunday', called: the day, ask: Which day?}
  party: {type: number, between: [1, 12], called: [people, party]}
  size: {type: choice, choices: {small: [small], large: [large]}}
  who: name
  ok: yes_no
steps:
  a: {ask: Which day?, fill: day}
  b: {ask: How many?, fill: party}
  c: {ask: "Small or large?", fill: size}
  d: {ask: Who?, fill: who}
  e: {ask: "{day|date}, {party}, {size}. Right?", fill: ok}
  f: {end: done}
""")


@pytest.mark.parametrize(
    "said",
    [
        "actually make it Friday", "sorry, Friday I mean", "not Tuesday, Friday", "Friday, not Tuesday",
        "friday instead", "can we make that friday", "the day should be friday", "friday is better",
        "can I change the day to friday", "the wrong day, sorry, friday", "no friday", "wait, I said friday",
    ],
)  # fmt: skip
@pytest.mark.parametrize("answers", [["tuesday"], ["tuesday", "two"], ["tuesday", "two", "small", "Sara"]])
def test_a_day_is_corrected_in_any_order_of_words(said: str, answers: list[str]) -> None:
    talk = Talk(TRIP)
    talk.says(*answers)
    before = talk.bot.slots
    assert talk.says(said).startswith("All right, Friday, March fifth. ")
    assert talk.bot.slots == {**before, "day": date(2027, 3, 5)}


@pytest.mark.parametrize("said", ["no, large", "actually large", "large I mean", "not small, large"])
def test_where_a_name_is_asked_for_only_who_takes_something_back_corrects(said: str) -> None:
    talk = Talk(TRIP)
    assert talk.says("tuesday", "two", "small", said) == "All right, large. Who?"
    assert talk.says("it is Large").endswith("large. Right?") and talk.bot.slots["who"] == "Large"


def test_a_yes_with_an_exception_corrects_what_was_read_back() -> None:
    talk = Talk(TRIP)
    talk.says("tuesday", "two", "small", "Sara")
    assert talk.says("yes, but large") == "All right, large. Tuesday, March second, two, large. Right?"
    assert talk.says("yes, but only with my dog") == "[done]"


@pytest.mark.parametrize("said", ["friday", "I will not", "no idea", "no, sunday", "not tuesday", "actually"])
def test_what_takes_nothing_back_changes_nothing(said: str) -> None:
    talk = Talk(TRIP)
    talk.says("tuesday", said)
    assert talk.bot.slots == {"day": date(2027, 3, 2)}
    assert talk.took == "nomatch:"


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("for three, no wait, four of us", {"party": 4}),
        ("party of 4, March 12th, 6:45", {"party": 4, "day": date(2027, 3, 12), "hour": time(18, 45)}),
        ("two on thursday or friday", {"party": 2}),
        ("half seven", {"hour": time(19, 30)}),
    ],
)
def test_what_is_undecided_or_corrected_in_one_breath(said: str, known: dict[str, object]) -> None:
    talk = Talk(TABLE)
    talk.says(said)
    assert talk.bot.slots == known


def test_where_a_name_is_asked_for_the_number_of_people_may_be_corrected() -> None:
    talk = Talk(TRIP)
    assert talk.says("tuesday", "two", "small", "actually make that five people") == "All right, five. Who?"


@pytest.mark.parametrize("said", ["금요일 여덟 시에 두 명이요", "두 명 금요일 여덟 시", "3월 5일 8시 2명"])
def test_numbers_of_people_and_hours_in_korean(said: str) -> None:
    talk = Talk(
        dialog("""
language: ko-KR
slots:
  party: {type: number, between: [1, 12]}
  day: {type: date, between: [today, +60 days]}
  hour: {type: time, between: ['17:00', '21:30']}
steps: {a: {ask: 몇 분이 언제 오세요?, fill: [party, day, hour]}, b: {end: done}}
""")
    )
    talk.says(said)
    assert talk.bot.slots == {"party": 2, "day": date(2027, 3, 5), "hour": time(20)}
