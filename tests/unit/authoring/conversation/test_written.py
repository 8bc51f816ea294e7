"""Unit: what an author types in a chat, and what is shown of the run."""

from __future__ import annotations

import pytest

from voicebot.authoring.conversation.conversation import Conversation
from voicebot.authoring.conversation.written import Order, as_json, read_line, written
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.turns import (
    AskModel,
    CallerInput,
    Event,
    Fetch,
    Fetched,
    HookDone,
    HungUp,
    Keys,
    MessageRecorded,
    RecordMessage,
    Replied,
    RunHook,
    Silence,
    Tool,
    ToolUse,
    Utterance,
    Work,
)
from voicebot.errors import UserError
from voicebot.speech.stt import Transcript

pytestmark = pytest.mark.unit

FETCH = Fetch("look", "get", "http://shop.example/orders")
HOOK = RunHook("find", "find")
RECORD = RecordMessage("leave", 60_000, 1000, 3000, 5000)
MODEL = AskModel("talk", (), (Tool("go_to_book", "Book it."),))

ORDER = parse_dialog(
    """\
dialog: order
slots: {number: {type: digits, length: 4}}
values: {state: text}
steps:
  ask: {ask: Which number?, fill: number}
  look: {fetch: {get: "{env.SHOP}/orders/{number}", keep: {state: state}}, failed: sorry}
  tell: {say: "It is {state}.", end: told}
  sorry: {say: Sorry., end: sorry}
"""
)


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("", Silence()),
        ("/silence", Silence()),
        ("hello there", Utterance(Transcript("hello there"))),
        ("/dtmf 4271#", Keys("4271")),
        ("/dtmf #", Keys("#")),
        ("<4271>", Keys("4271")),
        ("/noise", Utterance(Transcript(""))),
        ("/unsure friday", Utterance(Transcript("friday", 0.4))),
        ("/hangup", HungUp()),
    ],
)
def test_what_a_caller_does_is_written_so(line: str, event: CallerInput) -> None:
    assert read_line(line, None) == event


@pytest.mark.parametrize(
    ("work", "line", "event"),
    [
        (FETCH, '/fetch 404 {"a": 1}', Fetched(404, {"a": 1})),
        (FETCH, '/fetch {"a": 1}', Fetched(200, {"a": 1})),
        (FETCH, "/fail", Fetched(None, error="timeout")),
        (HOOK, "/return 3", HookDone(3)),
        (RECORD, "/record 12s", MessageRecorded("message.wav", 12_000)),
        (RECORD, "", MessageRecorded("")),
        (MODEL, "We are open.", Replied("We are open.")),
        (MODEL, "/use book", Replied("", (ToolUse("go_to_book", "{}", "1"),))),
        (FETCH, "/hangup", HungUp()),
        (FETCH, "/back", Order("back")),
    ],
)
def test_what_others_answer_is_written_so(work: Work, line: str, event: Event | Order) -> None:
    assert read_line(line, work) == event


@pytest.mark.parametrize(
    ("work", "line", "part"),
    [
        (None, "/dmtf 5", "there is no /dmtf"),
        (None, "/dtmf five", "no keys"),
        (None, "/fetch 200", "not possible now"),
        (FETCH, "hello", "/fetch 200"),
        (FETCH, "/fetch 200 {a", "no JSON"),
        (FETCH, "/return 1", "not possible now"),
        (RECORD, "/record long", "no time"),
        (MODEL, "/use bok", "go_to_book"),
    ],
)
def test_what_cannot_be_is_told_with_its_remedy(work: Work | None, line: str, part: str) -> None:
    with pytest.raises(UserError, match=part):
        read_line(line, work)


def test_a_conversation_waits_for_look_ups_and_goes_on_with_their_answers() -> None:
    talk = Conversation(ORDER)
    talk.take(Keys("4271"))
    work = talk.waits_for
    assert isinstance(work, Fetch)
    assert (work.url, talk.listens) == ("http://shop.example/orders/4271", False)
    turn = talk.take(Fetched(200, {"state": "late"}))
    assert (written(turn), talk.outcome, talk.slots["state"]) == ("It is late. [told]", "told", "late")


def test_a_fork_goes_its_own_way() -> None:
    talk = Conversation(ORDER)
    other = talk.fork()
    other.take(Keys("4271"))
    other.take(Fetched(None, error="timeout"))
    assert (other.outcome, talk.outcome, len(talk.turns)) == ("sorry", None, 1)


def test_time_passes_as_if_somebody_talked() -> None:
    talk = Conversation(ORDER)
    talk.take(Silence())
    assert 5 < talk.now < 7


def test_programs_are_told_what_changed() -> None:
    talk = Conversation(ORDER)
    line = as_json(talk.take(Keys("4271")), {})
    assert line["caller"] == "/dtmf 4271"
    assert line["understood"]["kind"] == "match"
    assert line["changed"] == {"number": "4271"}
    assert line["path"] == ["ask", "look"]
    assert line["work"] == "GET http://shop.example/orders/4271"
