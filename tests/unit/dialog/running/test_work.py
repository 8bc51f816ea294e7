"""Unit: look-ups, hooks, messages, included dialogs, free talk and languages, as a conversation has them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from tests.unit.dialog.running.spoken import Talk, dialog
from voicebot.dialog.turns import (
    AskModel,
    Fetch,
    Fetched,
    Handover,
    HookDone,
    HungUp,
    Keys,
    Listen,
    MessageRecorded,
    RecordMessage,
    Replied,
    RunHook,
    Silence,
    ToolUse,
)

pytestmark = pytest.mark.unit

LOOKUP = dialog("""
needs: {who: text, pin: {type: digits, sensitive: true}}
values: {balance: {type: money, currency: USD}, first: text, due: date}
steps:
  look:
    fetch:
      post: "{env.BANK}/of/{who}"
      query: {q: a b}
      headers: {X-Who: "{who}"}
      json: {who: "{who}", n: [1, "{today}"], deep: {pin: "no {who}"}}
      accept: [404]
      keep: {balance: account.balance, first: names.0, due: due}
      filler: [Let me see., Almost there.]
    goto: {none: result == 404, tell: else}
    failed: down
  tell: {say: "{first} has {balance}.", end: told}
  none: {say: Nobody., end: none}
  down: {say: Later., end: down}
""")


def lookup() -> Talk:
    return Talk(LOOKUP, {"who": "Zoë & Co", "pin": "1234"}, environment={"BANK": "https://bank.example/x"})


def test_a_request_is_filled_in() -> None:
    request = lookup().turn.then
    assert isinstance(request, Fetch)
    assert (request.method, request.url) == ("POST", "https://bank.example/x/of/Zo%C3%AB%20%26%20Co?q=a+b")
    assert request.headers == (("X-Who", "Zoë & Co"),) and request.content_type == "application/json"
    body = json.loads(request.body or b"")
    assert body == {"who": "Zoë & Co", "n": [1, "2027-03-01"], "deep": {"pin": "no Zoë & Co"}}
    assert [prompts[0].text for prompts in request.filler] == ["Let me see.", "Almost there."]  # type: ignore[union-attr]
    assert not request.sensitive


def test_what_a_reply_brings_is_read_as_declared() -> None:
    talk = lookup()
    reply = {"account": {"balance": "12.50"}, "names": ["Sara"], "due": "no date"}
    assert talk.says(Fetched(200, reply)) == "Sara has twelve dollars and fifty cents. [told]"
    assert talk.bot.slots == {"balance": Decimal("12.50"), "first": "Sara", "due": None}
    assert talk.took == "fetch:200"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Fetched(404), "Nobody. [none]"),
        (Fetched(500), "Later. [down]"),
        (Fetched(None, error="no answer in 3 s"), "Later. [down]"),
        (Fetched(200, "not JSON"), "has . [told]"),
    ],
)
def test_ways_that_a_look_up_can_go(result: Fetched, said: str) -> None:
    assert lookup().says(result) == said


def test_while_work_is_done_only_its_result_and_hanging_up_count() -> None:
    talk = lookup()
    waiting = talk.turn
    for event in (Silence(), "hello", HookDone(1), "<5>"):
        talk.says(event)
        assert talk.turn is waiting
    assert talk.says(HungUp()) == "[hangup]"


def test_a_failure_without_a_way_is_an_apology() -> None:
    of = dialog('steps: {look: {fetch: {get: "https://x"}}, done: {end: done}}')
    assert Talk(of).says(Fetched(503)).endswith("[error]")
    agent = dialog("""
always: {agent: {goto: person}}
steps:
  look: {fetch: {get: "https://x"}}
  done: {end: done}
  person: {transfer: {queue: desk, summary: Look-up failed.}}
""")
    talk = Talk(agent)
    talk.says(Fetched(503))
    assert talk.turn.then == Handover(
        "desk", queue=True, summary="Look-up failed.", language="en-US", shown="Look-up failed."
    )


def test_what_is_sensitive_makes_its_request_so() -> None:
    of = dialog("""
needs: {pin: {type: digits, sensitive: true}}
steps: {look: {fetch: {post: "https://x", form: {p: "{pin}"}}}, done: {end: done}}
""")
    request = Talk(of, {"pin": "1234"}).turn.then
    assert isinstance(request, Fetch) and request.sensitive and request.body == b"p=1234"


def test_hooks() -> None:
    of = dialog("""
needs: {n: number}
values: {vip: yes_no}
steps:
  ask:
    hook: {name: find, with: {double: n * 2}, keep: {vip: vip}}
    goto: {good: vip, bad: else}
    failed: bad
  good: {end: good}
  bad: {end: bad}
""")
    talk = Talk(of, {"n": 21})
    assert isinstance(talk.turn.then, RunHook) and talk.turn.then.arguments == (("double", 42),)
    assert talk.says(HookDone({"vip": True})) == "[good]"
    assert Talk(of, {"n": 21}).says(HookDone(error="it raised")) == "[bad]"


MESSAGE = dialog("""
slots: {message: recording}
limits: {failures: 2}
steps:
  record: {say: After the tone., record: {longest: 30s}, fill: message, failed: bye}
  thanks: {say: Thank you., end: left}
  bye: {say: Goodbye., end: nothing}
""")


def test_messages() -> None:
    talk = Talk(MESSAGE)
    assert isinstance(talk.turn.then, RecordMessage) and talk.turn.then.longest_ms == 30_000
    assert talk.says(MessageRecorded("")) == "Sorry, I did not hear anything."
    assert isinstance(talk.turn.then, RecordMessage)
    assert talk.says(MessageRecorded("/m.wav", 4000)) == "Thank you. [left]"
    assert talk.bot.slots == {"message": "/m.wav"}
    assert Talk(MESSAGE).says(MessageRecorded(""), MessageRecorded("")) == "Goodbye. [nothing]"
    assert Talk(MESSAGE).says(MessageRecorded("/m.wav", 900, "hangup")) == "Thank you. [left]"


PIN = dialog("""
needs: {right: digits}
slots: {pin: {type: digits, length: 4, sensitive: true}}
values: {tries: number}
returns: [tries]
steps:
  ask: {ask: Your pin?, fill: pin, set: {tries: tries + 1}}
  check: {goto: {good: pin == right, bad: tries >= 2, ask: else}}
  good: {return: verified}
  bad: {return: wrong}
""")
BANK = dialog("""
include: {pin: pin.yaml}
slots: {what: {type: choice, choices: {balance: [], card: []}}}
values: {n: number}
always: {agent: {goto: person}, hours: {hear: opening hours, say: Nine to five.}}
steps:
  check: {call: {dialog: pin, with: {right: "'4271'"}, keep: {n: tries}}, failed: sorry,
          goto: {sorry: result == 'wrong', ask: else}}
  ask: {ask: What?, fill: what}
  done: {say: "{n} {what}", end: done}
  sorry: {say: Sorry., end: sorry}
  person: {transfer: desk}
""", {"pin": PIN})  # fmt: skip


def test_an_included_dialog_takes_and_returns_values() -> None:
    talk = Talk(BANK)
    assert talk.said == "Your pin?" and talk.bot.dialog is PIN
    assert talk.says("1 2 3 4") == "Your pin?"
    assert talk.says("4 2 7 1", "balance") == "two balance [done]"
    assert talk.bot.slots == {"n": 2, "what": "balance"} and "4271" not in str(talk.bot.history)
    assert Talk(BANK).says("1111", "2222") == "Sorry. [sorry]"


def test_commands_of_the_outer_dialog_stay_in_force() -> None:
    assert Talk(BANK).says("what are your opening hours") == "Nine to five. Your pin?"
    talk = Talk(BANK)
    assert talk.says("an agent please") == "[to desk]" and talk.bot.dialog is BANK


def test_failing_in_an_included_dialog_is_its_callers_failure() -> None:
    assert Talk(BANK).says("", "", "") == "Sorry. [sorry]"
    assert Talk(BANK).says("forget it", "yes") == "Sorry. [sorry]"


def test_the_way_back_leads_into_an_included_dialog() -> None:
    talk = Talk(BANK)
    talk.says("4271")
    assert talk.says("go back") == "Your pin?" and talk.bot.dialog is PIN
    assert talk.says("4271") == "What?"


def test_an_included_dialog_stands_alone_as_well() -> None:
    talk = Talk(PIN, {"right": "4271"})
    assert talk.says("4271") == "[verified]" and talk.bot.outcome == "verified"


def test_a_call_goes_on_in_another_language() -> None:
    korean = {"Which size?": "어떤 크기요?", "small": ("작은 거", "작은 것"), "Fine.": "좋아요."}
    of = dialog(
        """
languages: [ko-KR]
slots: {size: {type: choice, choices: {small: [small], large: [large]}}}
steps:
  a: {ask: Which size?, choices: {korean: {hear: [한국어], goto: b}}, fill: size, goto: c}
  b: {language: ko-KR, ask: Which size?, fill: size}
  c: {say: Fine., end: done}
""",
        tables={"ko-KR": korean},
    )
    talk = Talk(of)
    assert talk.says("한국어") == "어떤 크기요?"
    assert isinstance(talk.turn.then, Listen) and talk.turn.then.expect.language == "ko-KR"
    assert talk.says("작은 것") == "좋아요. [done]" and talk.bot.slots == {"size": "small"}
    assert Talk(of, language="ko-KR").said == "어떤 크기요?"


TALK = dialog("""
slots: {day: date, size: {type: choice, choices: {small: [], large: []}}}
always: {agent: {goto: person}}
steps:
  talk:
    say: How can I help?
    llm: {about: You are a clerk., tools: {book: the caller wants to book}, slots: [day, size], turns: 3}
    failed: sorry
  book: {say: "{size} on {day}.", end: booked}
  sorry: {say: Sorry., end: sorry}
  person: {transfer: desk}
""")


def test_free_talk_is_led_back_into_the_dialog() -> None:
    talk = Talk(TALK)
    assert (
        talk.said == "How can I help?" and isinstance(talk.turn.then, Listen) and talk.turn.then.expect.open
    )
    talk.says("I would like one for tomorrow")
    asked = talk.turn.then
    assert isinstance(asked, AskModel)
    assert [m.role for m in asked.messages] == ["system", "user"]
    assert {tool.name for tool in asked.tools} == {"go_to_book", "note", "go_on"}
    talk.says(Replied("Small or large?"))
    assert isinstance(talk.turn.then, Listen)
    talk.says("large", Replied("", (ToolUse("note", '{"day": "tomorrow", "size": "large"}', "c1"),)))
    asked = talk.turn.then
    assert isinstance(asked, AskModel) and asked.messages[-1].text == "noted"
    said = talk.says(Replied("Here we go.", (ToolUse("go_to_book"),)))
    assert said == "large on Tuesday, March second. [booked]"
    assert talk.bot.slots == {"day": date(2027, 3, 2), "size": "large"}


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (["hello", Replied(error="no answer")], "Sorry. [sorry]"),
        (["a", Replied("b"), "c", Replied("d"), "e", Replied("f"), "g"], "Sorry. [sorry]"),
        (["a", *[Replied("", (ToolUse("note", "{}"),))] * 5], "Sorry. [sorry]"),
        (["a", Replied("Goodbye then.", (ToolUse("go_on"),))], "on . [booked]"),
        (["I want to talk to an agent"], "[to desk]"),
        (["", "", ""], "Sorry. [sorry]"),
        (
            ["a", Replied("", (ToolUse("go_to_nowhere"),)), Replied("", (ToolUse("go_to_book"),))],
            "on . [booked]",
        ),
    ],
)
def test_free_talk_is_held_on_a_short_leash(events: list[object], said: str) -> None:
    assert Talk(TALK).says(*events) == said  # type: ignore[arg-type]


def test_a_model_is_told_values_as_they_are_read() -> None:
    needs = "needs: {room: {type: digits, default: 412}, price: {type: money, default: 12.5, currency: EUR}}"
    about = "You know that room {room} costs {price}, and is free from {now|date}."
    talk = Talk(dialog(f"{needs}\nsteps: {{a: {{llm: {{about: '{about}'}}, failed: b}}, b: {{end: x}}}}"))
    talk.says("hello")
    asked = talk.turn.then
    assert isinstance(asked, AskModel)
    assert asked.messages[0].text == "You know that room 412 costs €12.50, and is free from 2027-03-01."


def test_a_model_cannot_note_what_is_not_possible() -> None:
    talk = Talk(TALK)
    for arguments in ('{"day": "the thirty second of May"}', "no JSON", '{"other": 1}', "[" * 5000):
        talk.says("x", Replied("", (ToolUse("note", arguments),)), Replied("What?"))
        if talk.bot.outcome:
            break
    assert talk.bot.slots == {}


def test_opting_out_is_always_possible_where_the_bot_calls() -> None:
    of = dialog("outbound: true\nslots: {ok: yes_no}\nsteps: {a: {ask: Ready?, fill: ok}, b: {end: done}}")
    assert Talk(of).says("please stop calling me").endswith("Goodbye. [opted_out]")
    assert Talk(of).says("<9>").endswith("[opted_out]")
    silent = dialog("slots: {ok: yes_no}\nsteps: {a: {ask: Ready?, fill: ok}, b: {end: done}}")
    assert "Sorry" in Talk(silent).says("stop calling me")


def test_in_free_talk_the_last_words_are_repeated_and_the_opening_is_not() -> None:
    talk = Talk(TALK)
    talk.says("hello", Replied("Which day?"))
    assert talk.says("what did you say") == "Which day?"
    assert talk.says("") == "Sorry, I did not hear anything."


def test_a_summary_is_for_reading_and_a_sensitive_hook_is_hidden() -> None:
    of = dialog("""
needs: {tel: phone, at: datetime, sum: {type: money, currency: USD}}
values: {card: {type: digits, sensitive: true}, who: name}
steps:
  find: {hook: {name: find, with: {tel: tel}, keep: {card: card}}}
  over: {transfer: {queue: desk, summary: "{who|else:Somebody} ({tel}), {at}, {sum}"}}
""")
    talk = Talk(of, {"tel": "+12025550100", "at": "2027-03-02T15:00", "sum": "12.5"})
    assert isinstance(talk.turn.then, RunHook) and talk.turn.then.sensitive
    talk.says(HookDone({"card": "4271"}))
    assert talk.bot.understood is not None and talk.bot.understood.sensitive
    assert isinstance(talk.turn.then, Handover)
    assert talk.turn.then.summary == "Somebody (+12025550100), 2027-03-02 15:00, $12.50"


@pytest.mark.parametrize("host", [False, True])
def test_a_caller_is_handed_over_to_a_conference(host: bool) -> None:
    talk = Talk(dialog(f"steps:\n  in: {{transfer: {{conference: weekly, host: {str(host).lower()}}}}}\n"))
    assert isinstance(talk.turn.then, Handover)
    assert talk.turn.then == Handover("weekly", conference=True, host=host, language="en-US")


def test_who_wants_a_person_in_free_talk_is_left_to_the_model_where_no_agent_is() -> None:
    of = dialog("""
steps:
  talk: {say: Hello?, llm: {about: You are a clerk., tools: {desk: the caller wants a person}}}
  desk: {transfer: desk}
""")
    talk = Talk(of)
    talk.says("an agent please")
    assert isinstance(talk.turn.then, AskModel)


@pytest.mark.parametrize(
    ("priority", "number"),
    [
        ("5", 5),
        ("9 if vip else 1", 9),
        ("unknown", 0),
        ("'high'", 0),
        ("3 * 7", 10),
        ("0 - 2", 0),
        ("2.6", 3),
    ],
)
def test_a_caller_comes_to_a_queue_with_priority_and_skills(priority: str, number: int) -> None:
    steps = (
        "values: {vip: yes_no}\nsteps:\n  a: {set: {vip: 'true'}}\n"
        f'  b: {{transfer: {{queue: desk, priority: "{priority}", skills: [billing]}}}}\n'
    )
    then = Talk(dialog(steps)).turn.then
    assert isinstance(then, Handover)
    assert (then.priority, then.skills) == (number, ("billing",))


def test_others_than_the_person_see_nothing_sensitive_of_the_summary() -> None:
    steps = (
        "slots: {card: {type: digits, length: 4, sensitive: true}}\nsteps:\n  a: {ask: Card?, fill: card}\n"
        '  b: {transfer: {queue: desk, with: [card], summary: "Card {card}."}}\n'
    )
    talk = Talk(dialog(steps))
    talk.says(Keys("4271"))
    then = talk.turn.then
    assert isinstance(then, Handover)
    assert (then.summary, then.shown, then.sensitive) == ("Card 4271.", "Card •••.", ("card",))
