"""Unit: a sensitive number, however it is said, keyed, corrected or handed on, is in nothing that is kept."""

from __future__ import annotations

import json

import pytest

from tests.unit.dialog.running.spoken import MONDAY, dialog
from voicebot.authoring.conversation.written import read_input
from voicebot.call.hearing import SpeechSpan
from voicebot.call.record import CallRecord
from voicebot.call.scribe import Scribe
from voicebot.call.speaking import Spoken
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import End, Event, Fetched, HookDone, Listen, Replied, ToolUse, Work
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

CANARY = ("4271", "four two seven one", "4, 2, 7, 1", "4 2 7 1", "1990")
SLOTS = """
slots:
  pin: {type: digits, length: 4, sensitive: true, called: [pin]}
  born: {type: datetime, between: [1900-01-01, tomorrow], sensitive: true, confirm: never}
  code: {type: digits, length: 4}
  happy: yes_no
"""
NEVER = "pin: {type: digits, length: 4, sensitive: true, confirm: always, called: [pin]}"
STORIES: dict[str, tuple[str, tuple[str | Event, ...]]] = {
    "asked for, said back": (
        SLOTS + "steps: {a: {ask: Pin?, fill: pin}, b: {say: 'It is {pin}.', end: x}}",
        ("four two seven one",),
    ),
    "keyed": (SLOTS + "steps: {a: {ask: Pin?, fill: pin}, b: {say: 'It is {pin}.', end: x}}", ("<4271>",)),
    "of a sensitive step": (
        SLOTS + "steps: {a: {ask: Code?, fill: code, sensitive: true}, b: {say: 'It is {code}.', end: x}}",
        ("four two seven one",),
    ),
    "said back by a recording": (
        SLOTS + "steps: {a: {ask: Pin?, fill: pin}, b: {say: {wav: x.wav, text: 'It is {pin}.'}, end: x}}",
        ("<4271>",),
    ),
    "asked back, denied with another": (
        f"slots: {{{NEVER}}}\nsteps: {{a: {{ask: Pin?, fill: pin}}, b: {{say: 'It is {{pin}}.', end: x}}}}",
        ("nine nine nine nine", "no, four two seven one", "yes"),
    ),
    "too long": (SLOTS + "steps: {a: {ask: Pin?, fill: pin}, b: {end: x}}", ("four two seven one nine",)),
    "corrected in a later step": (
        SLOTS + "steps: {a: {ask: Pin?, fill: pin}, b: {ask: Happy?, fill: happy},"
        " c: {say: '{pin}', end: x}}",
        ("nine nine nine nine", "no, the pin is four two seven one", "yes"),
    ),
    "corrected in a later step, of a sensitive step": (
        SLOTS + "steps: {a: {ask: Code?, fill: code, sensitive: true}, b: {ask: Happy?, fill: happy},"
        " c: {say: '{code}', end: x}}",
        ("nine nine nine nine", "no, I said four two seven one"),
    ),
    "said where nobody asked for it": (
        SLOTS + "steps: {a: {ask: Pin?, fill: pin}, b: {ask: Happy?, fill: happy}, c: {end: x}}",
        ("four two seven one", "four two seven one", "I already told you it is four two seven one", "yes"),
    ),
    "half of a moment": (
        SLOTS + "steps: {a: {ask: When were you born?, fill: born}, b: {end: x}}",
        ("the third of march 1990", "at noon"),
    ),
    "looked up": (
        SLOTS + "values: {found: {type: digits, sensitive: true}}\n"
        "steps: {a: {fetch: {get: 'https://x.org/', keep: {found: a}}}, b: {say: '{found}', end: x}}",
        (Fetched(200, {"a": "4271"}),),
    ),
    "looked up in a sensitive step": (
        SLOTS + "values: {found: digits}\n"
        "steps: {a: {sensitive: true, hook: {name: f, keep: {found: a}}}, b: {say: '{found}', end: x}}",
        (HookDone({"a": "4271"}),),
    ),
    "noted by a model": (
        SLOTS + "steps: {a: {say: Hello., llm: {about: Ask for the pin., slots: [pin]}},"
        " b: {say: '{pin}', end: x}}",
        (
            "my pin is 4271",
            Replied("So 4271.", (ToolUse("note", '{"pin": "4271"}'), ToolUse("go_on", "{}"))),
        ),
    ),
    "told to a model": (
        SLOTS + "steps: {a: {ask: Pin?, fill: pin}, b: {llm: {about: 'The pin is {pin}.'}}, c: {end: x}}",
        ("<4271>", Replied("It is 4271.", (ToolUse("go_on", '{"x": "4271"}'),))),
    ),
}  # fmt: skip


def kept(text: str, events: tuple[str | Event, ...]) -> str:
    """Return everything that is kept of a conversation: the call's record, the history, what was learnt."""
    bot = Interpreter(dialog(text), started=MONDAY)
    record = CallRecord(id="c", started_at=MONDAY)
    scribe = Scribe(record, 0.0)
    turn, now = bot.begin(0.0), 0.0
    for event in [*events, None]:
        scribe.bot_begins(bot.step, [Spoken(1, p) for p in turn.prompts])
        scribe.bot_ends(now)
        then, now = turn.then, now + 1
        if event is None:
            break
        given = read_input(event) if isinstance(event, str) else event
        turn = bot.handle(given, now)
        if isinstance(then, Listen):
            scribe.caller(given, then, bot.understood, SpeechSpan(), now)
        else:
            assert isinstance(then, Work)
            scribe.work(then, given, bot.understood, now, now)
    reason = then.reason if isinstance(then, End) else ""
    return f"{record.model_dump_json()} {bot.history} {bot.slots} {reason}"


@pytest.mark.parametrize("name", STORIES)
def test_nothing_of_it_is_kept(name: str) -> None:
    told = kept(*STORIES[name])
    for canary in CANARY:
        assert canary not in told, told


def test_a_story_without_secrets_is_kept() -> None:
    text = SLOTS + "steps: {a: {ask: Code?, fill: code}, b: {say: 'It is {code}.', end: x}}"
    told = kept(text, ("four two seven one",))
    assert "four two seven one" in told and "4, 2, 7, 1" in told and "'code': '4271'" in told


def test_a_value_that_an_included_dialog_cannot_use_is_not_told() -> None:
    inner = dialog("needs: {day: date}\nsteps: {a: {end: x}}")
    bot = Interpreter(
        dialog(
            "needs: {pin: {type: digits, sensitive: true}}\ninclude: {in: in.yaml}\n"
            "steps: {a: {call: {dialog: in, with: {day: pin}}}, b: {end: x}}",
            {"in": inner},
        ),
        {"pin": "4271"},
    )
    turn = bot.begin(0.0)
    assert isinstance(turn.then, End) and turn.then.outcome == "error" and "4271" not in turn.then.reason


def test_a_wrong_value_of_great_length_is_cut() -> None:
    with pytest.raises(UserError) as refused:
        Interpreter(dialog("needs: {day: date}\nsteps: {a: {end: x}}"), {"day": "x" * 99_999})
    assert len(refused.value.problems[0].what) < 300 and json.dumps(refused.value.problems[0].what)
