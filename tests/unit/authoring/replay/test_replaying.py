"""Unit: recorded calls against a dialog as it is now."""

from __future__ import annotations

from typing import Any

import pytest

from voicebot.authoring.replay.replaying import Replay, replay, replay_all
from voicebot.call.record import HIDDEN, CallRecord
from voicebot.dialog.loading.loader import parse_dialog

pytestmark = pytest.mark.unit

DIALOG = """\
dialog: pay
slots:
  sure: yes_no
  card: {type: digits, length: 16, check: luhn, sensitive: true}
values: {receipt: text}
steps:
  ask: {say: Hello., ask: Will you pay now?, fill: sure, goto: {card: sure, later: not sure}}
  card: {ask: "Your card, please.", fill: card}
  charge: {fetch: {post: "http://bank.example/charge", keep: {receipt: deep.receipt}}, failed: sorry}
  thanks: {say: "Thank you, {receipt}.", end: paid}
  later: {say: Call again., end: later}
  sorry: {say: Sorry., end: failed_to_pay}
"""


def bot(step: str, text: str) -> dict[str, Any]:
    return {"who": "bot", "step": step, "text": text}


def caller(step: str, text: str, understood: str, meaning: str = "", kind: str = "speech") -> dict[str, Any]:
    keys = ("who", "kind", "step", "text", "understood", "meaning")
    return dict(zip(keys, ("caller", kind, step, text, understood, meaning), strict=True))


PAID = [
    bot("ask", "Hello. Will you pay now?"),
    caller("ask", "yes", "match", "yes"),
    bot("card", "Your card, please."),
    caller("card", HIDDEN, "match", HIDDEN, "dtmf"),
    bot("thanks", "Thank you, R 12."),
]


def record(turns: list[dict[str, Any]], outcome: str, **more: Any) -> CallRecord:
    head = {"id": "c1", "started_at": "2027-03-01T12:00:00Z", "dialog": {"name": "pay", "language": "en-US"}}
    return CallRecord.model_validate({**head, "turns": turns, "outcome": outcome, "ended_by": "bot", **more})


def run(call: CallRecord, text: str = DIALOG) -> Replay:
    return replay(call, parse_dialog(text), {})


def test_a_call_against_its_own_dialog_is_the_same_though_secrets_and_replies_were_not_recorded() -> None:
    found = run(record(PAID, "paid", slots={"sure": True, "receipt": "R 12"}))
    assert (found.same, found.why) == (True, "")
    assert [row.guessed for row in found.rows] == [False, False, True]


@pytest.mark.parametrize(
    ("old", "new", "differs", "row"),
    [
        ("Your card, please.", "The card.", ("said",), 1),
        ("{card: sure, later: not sure}", "{later: sure, card: not sure}", ("step", "said"), 1),
        ("sure: yes_no", "sure: weekday", ("understood", "step", "said"), 1),
        ("say: Hello.", "say: Hi.", ("said",), 0),
    ],
)
def test_the_first_difference_is_told(old: str, new: str, differs: tuple[str, ...], row: int) -> None:
    text = (
        DIALOG.replace(old, new).replace(
            "goto: {card: sure, later: not sure}", "goto: {card: sure == 'monday', later: else}"
        )
        if "weekday" in new
        else DIALOG.replace(old, new)
    )
    found = run(record(PAID, "paid", slots={"sure": True, "receipt": "R 12"}), text)
    assert found.first is not None
    assert (found.first.differs, found.rows.index(found.first)) == (differs, row)
    assert not found.same


def test_another_outcome_and_other_slots_are_told() -> None:
    turns = [*PAID[:1], caller("ask", "no", "match", "no"), bot("later", "Call again.")]
    found = run(record(turns, "refused", slots={"sure": True}))
    assert (found.outcome_then, found.outcome_now) == ("refused", "later")
    assert found.slots == {"sure": ("yes", "no")}


def test_a_call_that_goes_on_where_the_dialog_now_ends_says_so() -> None:
    found = run(record(PAID, "paid"), DIALOG.replace("card: sure, later: not sure", "later: else"))
    assert "ends before" in found.stopped


def test_a_caller_who_hung_up_hangs_up_again() -> None:
    assert run(record(PAID[:3], "hangup", ended_by="caller", slots={"sure": True})).same


def test_many_calls_are_summed_up() -> None:
    other = record([], "x")
    other.dialog.name = "survey"
    calls = [record(PAID, "paid", slots={"sure": True, "receipt": "R 12"}), record(PAID[:1], "late"), other]
    summary = replay_all(calls, parse_dialog(DIALOG), {})
    assert (summary.same, len(summary.different), summary.others) == (1, 1, 1)
    assert summary.outcomes == {("paid", "paid"): 1, ("late", ""): 1}


def test_what_services_answered_is_taken_from_the_record_where_it_is_there() -> None:
    answered = [{"kind": "fetch", "step": "charge", "status": 200, "result": {"deep": {"receipt": "R 13"}}}]
    found = run(record(PAID, "paid", slots={"sure": True, "receipt": "R 12"}, work=answered))
    assert found.rows[-1].said_now == "Thank you, R 13."
    failed = [{"kind": "fetch", "step": "charge", "status": None, "error": "timeout"}]
    assert run(record(PAID, "paid", work=failed)).outcome_now == "failed_to_pay"
