"""Unit: nothing that callers, services or models do breaks a dialog, or keeps it from ending."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dialog.running.spoken import MONDAY
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import (
    BotTurn,
    End,
    Event,
    Fetched,
    Handover,
    HookDone,
    HungUp,
    Keys,
    Listen,
    MessageRecorded,
    Replied,
    Silence,
    ToolUse,
    Unheard,
    Utterance,
)
from voicebot.speech.stt import Transcript

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).resolve().parents[4] / "dialogs"
SHIPPED = [
    load_dialog(path)
    for path in sorted(FOLDER.rglob("*.yaml"))
    if not path.name.endswith((".test.yaml", ".campaign.yaml"))
]
GIVEN = {
    "text": "some",
    "name": "Sara",
    "digits": "4271",
    "number": "3",
    "yes_no": "yes",
    "phone": "+12025550100",
    "date": "2027-03-04",
    "time": "15:00",
    "datetime": "2027-03-04T15:00",
    "money": "12.50",
}

WORDS = st.sampled_from(
    """
yes
no
agent
help
repeat
go back
skip
never mind
stop calling me
no, I said tuesday
change the day to friday
next tuesday at half past three
four two seven one
twenty
my name is Sara Miller
sara at example dot com
one main street
cancel
move it
예
아니요
내일 오후 세 시
on the fourth
large
it is five
""".splitlines()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
CALLER = st.one_of(
    st.builds(Utterance, st.builds(Transcript, WORDS | st.text(max_size=40), st.none() | st.floats(0, 1))),
    st.builds(Keys, st.text(alphabet="0123456789*#A٣", max_size=8)),
    st.just(Silence()),
    st.just(Unheard()),
)
WORK = st.one_of(
    st.builds(Fetched, st.none() | st.integers(100, 599), JSON, st.sampled_from(["", "", "no answer"])),
    st.builds(HookDone, JSON, st.sampled_from(["", "", "it raised"])),
    st.builds(
        MessageRecorded, st.sampled_from(["", "/m.wav"]), st.integers(0, 99999),
        st.sampled_from(["silence", "key", "hangup", "error"]),
    ),
    st.builds(
        Replied, st.text(max_size=20),
        st.lists(st.builds(ToolUse, st.sampled_from(["note", "go_on", "go_to_person", "x"]),
                           JSON.map(json.dumps) | st.text(max_size=9)), max_size=2).map(tuple),
        st.sampled_from(["", "", "", "down"]),
    ),
)  # fmt: skip
EVENTS = st.one_of(CALLER, CALLER, CALLER, WORK, WORK, st.just(HungUp()))


def begun(of: Dialog, seed: int = 0) -> tuple[Interpreter, BotTurn]:
    values = {name: GIVEN[need.type] for name, need in of.file.needs.items() if need.default is None}
    bot = Interpreter(of, values, seed=seed, started=MONDAY, environment={"API": "https://api.example"})
    return bot, bot.begin(0.0)


@settings(max_examples=150)
@given(st.sampled_from(SHIPPED), st.lists(EVENTS, max_size=20), st.integers(0, 3))
def test_nothing_breaks_a_dialog(of: Dialog, events: list[Event], seed: int) -> None:
    bot, turn = begun(of, seed)
    for at, event in enumerate(events, 1):
        before, ended = turn, bot.outcome is not None
        fork = bot.fork()
        turn = bot.handle(event, float(at))
        assert isinstance(turn.then, End | Handover) == (bot.outcome is not None)
        assert not ended or turn == before
        assert turn == fork.handle(event, float(at)), "a fork goes the same way"
        assert bot.state() == fork.state()
    assert all(isinstance(entry.text, str) for entry in bot.history)


@settings(max_examples=60)
@given(st.sampled_from(SHIPPED), st.lists(EVENTS, max_size=8), st.sampled_from([Silence(), Unheard()]))
def test_a_caller_who_falls_silent_is_let_go(of: Dialog, events: list[Event], nothing: Event) -> None:
    bot, turn = begun(of)
    for at, event in enumerate(events, 1):
        turn = bot.handle(event, float(at))
    for at in range(100, 200):
        if bot.outcome is not None:
            return
        event = nothing if isinstance(turn.then, Listen) else Fetched(None, error="no answer")
        for result in (event, HookDone(error="x"), MessageRecorded(""), Replied(error="x")):
            turn = bot.handle(result, float(at))
    raise AssertionError(f"{of.name} goes on for ever in {bot.step}")
