"""Unit: what prove finds in dialogs that have one defect each, and nothing in their mended twins."""

from __future__ import annotations

import textwrap

import pytest

from voicebot.authoring.proof.proving import Proof, prove
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.model.dialog import Dialog

pytestmark = pytest.mark.unit


def dialog(text: str, header: str = "") -> Dialog:
    whole = f"dialog: tried\n{textwrap.dedent(header)}\n{textwrap.dedent(text)}"
    return parse_dialog(whole, "tried.yaml")


def codes(proof: Proof, *, warnings: bool = False) -> set[str]:
    return {finding.code for finding in proof.findings if warnings or not finding.warning}


def conversation(proof: Proof, code: str) -> str:
    found = next(finding for finding in proof.findings if finding.code == code)
    assert found.conversation is not None
    return found.conversation.yaml(code)


TWINS = {
    "unknown: a slot that may be skipped is said": (
        "unknown",
        """
        slots: {day: {type: weekday, optional: true}}
        steps:
          day: {ask: Which day?, fill: day}
          bye: {say: "See you on {day}.", end: done}
        """,
        """
        slots: {day: {type: weekday, optional: true}}
        steps:
          day: {ask: Which day?, fill: day, goto: {none: day == unknown, bye: else}}
          bye: {say: "See you on {day}.", end: done}
          none: {say: Good-bye., end: none}
        """,
    ),
    "unknown: a reply lacks a field": (
        "unknown",
        """
        values: {shop: text}
        steps:
          find: {fetch: {get: "http://shops.example", keep: {shop: shop.name}}, failed: sorry}
          told: {say: "It is in {shop}.", end: told}
          sorry: {say: I do not know., end: unknown}
        """,
        """
        values: {shop: text}
        steps:
          find:
            fetch: {get: "http://shops.example", keep: {shop: shop.name}}
            failed: sorry
            goto: {sorry: shop == unknown, told: else}
          told: {say: "It is in {shop}.", end: told}
          sorry: {say: I do not know., end: unknown}
        """,
    ),
    "error: steps go round without anybody being asked": (
        "error",
        """
        values: {tries: {type: number, start: 0}}
        slots: {again: yes_no}
        steps:
          ask: {ask: Once more?, fill: again, goto: {one: again, bye: else}}
          one: {say: One., set: {tries: tries - 1}}
          two: {say: Two., goto: {bye: tries >= 3, one: else}}
          bye: {say: Bye., end: done}
        """,
        """
        values: {tries: {type: number, start: 0}}
        slots: {again: yes_no}
        steps:
          ask: {ask: Once more?, fill: again, goto: {one: again, bye: else}}
          one: {say: One., set: {tries: tries + 1}}
          two: {say: Two., goto: {bye: tries >= 3, one: else}}
          bye: {say: Bye., end: done}
        """,
    ),
    "error: a look-up fails, and nobody has said what then": (
        "error",
        """
        steps:
          ask: {fetch: {get: "http://a.example"}}
          bye: {say: Bye., end: done}
        """,
        """
        steps:
          ask: {fetch: {get: "http://a.example"}, failed: bye}
          bye: {say: Bye., end: done}
        """,
    ),
    "trap: no answer leads to an end": (
        "trap",
        """
        slots: {n: {type: number, between: [1, 9]}}
        steps:
          menu: {ask: Which number?, fill: n, goto: {bye: n * 2 > 100, menu: else}}
          bye: {say: Bye., end: done}
        """,
        """
        slots: {n: {type: number, between: [1, 9]}}
        steps:
          menu: {ask: Which number?, fill: n, goto: {bye: n * 2 > 10, menu: else}}
          bye: {say: Bye., end: done}
        """,
    ),
    "wordless: the bot hangs up without good-bye": (
        "wordless",
        """
        slots: {right: yes_no}
        steps:
          right: {ask: Is that you?, fill: right}
          gone: {end: done}
        """,
        """
        slots: {right: yes_no}
        steps:
          right: {ask: Is that you?, fill: right}
          gone: {say: Good-bye., end: done}
        """,
    ),
    "agent: a slot of digits takes the key, a choice the words": (
        "agent",
        """
        always: {agent: {hear: [the boss], goto: person, key: 0}}
        slots: {what: {type: choice, choices: {boss: {hear: [the boss], key: 0}, nobody: {hear: nobody}}}}
        steps:
          who: {ask: Who is it?, fill: what}
          bye: {say: Bye., end: done}
          person: {transfer: person}
        """,
        """
        always: {agent: {hear: [the boss], goto: person, key: 0}}
        slots: {what: {type: choice, choices: {chief: {hear: [the chief], key: 1}, nobody: {hear: nobody}}}}
        steps:
          who: {ask: Who is it?, fill: what}
          bye: {say: Bye., end: done}
          person: {transfer: person}
        """,
    ),
    "goal: the counter never gets there": (
        "goal",
        """
        goals: [sold]
        slots: {more: yes_no}
        values: {count: {type: number, start: 0}}
        steps:
          more: {ask: More?, fill: more, set: {count: count + 1}, goto: {bye: count >= 1, sold: else}}
          bye: {say: Bye., end: none}
          sold: {say: Sold., end: sold}
        """,
        """
        goals: [sold]
        slots: {more: yes_no}
        values: {count: {type: number, start: 0}}
        steps:
          more: {ask: More?, fill: more, set: {count: count + 1}, goto: {bye: count > 1, sold: else}}
          bye: {say: Bye., end: none}
          sold: {say: Sold., end: sold}
        """,
    ),
    "loop: a look-up is done again for ever": (
        "loop",
        """
        steps:
          ask:
            fetch: {get: "http://a.example", accept: [404]}
            failed: bye
            goto: {bye: result == 200, ask: else}
          bye: {say: Bye., end: done}
        """,
        """
        values: {tries: {type: number, start: 0}}
        steps:
          ask:
            fetch: {get: "http://a.example", accept: [404]}
            failed: bye
            set: {tries: tries + 1}
            goto: {bye: result == 200 or tries >= 3, ask: else}
          bye: {say: Bye., end: done}
        """,
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_defect_is_found_and_its_mended_twin_is_proven(name: str) -> None:
    code, broken, mended = TWINS[name]
    found = prove(dialog(broken))
    assert code in codes(found)
    assert not found.cut
    twin = prove(dialog(mended))
    assert codes(twin) == set()
    assert twin.proven


def test_the_counter_example_is_a_shortest_conversation_that_can_be_pasted() -> None:
    found = prove(dialog(TWINS["unknown: a slot that may be skipped is said"][1]))
    lines = conversation(found, "unknown").splitlines()
    assert lines[:5] == [
        '- conversation: "unknown"',
        "  now: 2027-03-01T10:00",
        "  talk:",
        '    - bot: "Which day?"',
        '    - caller: "skip"',
    ]
    assert lines[5].endswith('See you on ."')
    assert lines[6:] == ["  outcome: done"]
    shown = next(finding for finding in found.findings if finding.code == "unknown")
    assert (shown.step, shown.source) == ("bye", "tried.yaml")


def test_a_count_without_end_is_followed_no_further_than_it_matters() -> None:
    proof = prove(
        dialog("""
        slots: {more: yes_no}
        values: {count: {type: number, start: 0}}
        steps:
          more:
            ask: More?
            fill: more
            set: {count: count + 1}
            goto: {more: more and count > 0, bye: else}
          bye: {say: Bye., end: done}
        """)
    )
    assert proof.proven
    assert proof.states < 150
    assert ("more",) in proof.rounds


def test_values_that_decide_nothing_are_not_told_apart() -> None:
    questions = "\n".join(f"  q{n}: {{ask: Question {n}?, fill: s{n}}}" for n in range(8))
    slots = ", ".join(f"s{n}: yes_no" for n in range(8))
    proof = prove(dialog(f"slots: {{{slots}}}\nsteps:\n{questions}\n  bye: {{say: Bye., end: done}}\n"))
    assert proof.proven
    assert proof.states < 8 * 40  # and not 2 ** 8 times as many


def test_values_that_decide_something_are() -> None:
    proof = prove(
        dialog("""
        goals: [both]
        slots: {a: yes_no, b: yes_no}
        steps:
          a: {ask: A?, fill: a}
          b: {ask: B?, fill: b, goto: {both: a and b, none: else}}
          both: {say: Both., end: both}
          none: {say: No., end: none}
        """)
    )
    assert proof.proven


def test_bounds_are_tried_on_both_sides() -> None:
    proof = prove(
        dialog("""
        goals: [low, middle, high]
        slots: {n: {type: number, between: [1, 100]}}
        steps:
          n: {ask: How many?, fill: n, goto: {low: n < 2, high: n > 99, middle: else}}
          low: {say: Low., end: low}
          middle: {say: Middle., end: middle}
          high: {say: High., end: high}
        """)
    )
    assert proof.proven


def test_a_call_that_may_last_longer_than_allowed_is_shown() -> None:
    text = """
        slots: {a: yes_no, b: yes_no}
        steps:
          a: {ask: A?, fill: a}
          b: {ask: B?, fill: b}
          bye: {say: Bye., end: done}
        """
    proof = prove(dialog(text))
    assert proof.longest is not None and proof.longest.exact
    assert prove(dialog(text), most_turns=proof.longest.turns).proven
    tight = prove(dialog(text), most_turns=proof.longest.turns - 1)
    assert codes(tight) == {"turns"}
    caller = [line for line in conversation(tight, "turns").splitlines() if "bot:" not in line]
    assert len(caller) - len(("conversation", "now", "talk", "outcome")) == proof.longest.turns
    assert "seconds" in codes(prove(dialog(text), most_seconds=5.0))


def test_what_was_not_finished_is_not_called_proven() -> None:
    proof = prove(dialog(TWINS["goal: the counter never gets there"][2]), most_states=5)
    assert proof.cut == "at 5 states"
    assert not proof.proven
    assert prove(dialog(TWINS["goal: the counter never gets there"][2]), stop=lambda: True).cut


def test_the_clock_is_tried_by_day_night_and_weekend() -> None:
    proof = prove(
        dialog("""
        goals: [open, closed]
        steps:
          now: {goto: {open: hour(now) >= 9 and hour(now) < 17, closed: else}}
          open: {say: We are open., end: open}
          closed: {say: We are closed., end: closed}
        """)
    )
    assert proof.proven


def test_opt_out_is_asked_for_wherever_an_outbound_dialog_listens() -> None:
    header = "outbound: true"
    broken = """
        slots: {n: {type: choice, choices: {stop: {hear: [stop calling me], key: 9}, go: {hear: go, key: 1}}}}
        always: {opt_out: {hear: [stop calling me]}}
        steps:
          n: {ask: Stop or go?, fill: n}
          bye: {say: Bye., end: done}
        """
    assert "opt_out" in codes(prove(dialog(broken, header)))
    assert prove(dialog(broken.replace("stop calling me], key: 9", "halt], key: 2"), header)).proven
