"""Unit: conversations, as the interpreter leads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.dialog.running.spoken import dialog as unchecked
from voicebot.authoring.conversation.written import converse, read_input
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.running.static_prompts import static_prompts
from voicebot.dialog.turns import (
    End,
    Handover,
    Keys,
    Listen,
    Silence,
    SpokenAudio,
    SpokenPause,
    SpokenText,
    Unheard,
    Utterance,
)
from voicebot.errors import UserError
from voicebot.speech.stt import Transcript

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).resolve().parents[4] / "dialogs"
APPOINTMENT, MENU_KO, ECHO = (load_dialog(FOLDER / f"{n}.yaml") for n in ("appointment", "menu_ko", "echo"))


def dialog(steps: str, header: str = "") -> Dialog:
    return parse_dialog(f"dialog: test\n{header}\nsteps:\n{steps}")


def started(of: Dialog, *inputs: str, **options: object) -> Interpreter:
    interpreter = Interpreter(of, **options)  # type: ignore[arg-type]
    interpreter.begin(0.0)
    for now, line in enumerate(inputs, 1):
        interpreter.handle(read_input(line), float(now))
    return interpreter


@pytest.mark.parametrize(
    ("inputs", "outcome", "goal"),
    [
        (["My name is Sara Miller.", "It's 4 2 7 1.", "Yes, please."], "confirmed", True),
        (["Sara", "four two seven one", "what a lovely day", "yes"], "confirmed", True),
        (["Sara", "<4271>", "no", "move it", "on Sunday", "then Tuesday"], "moved", True),
        (["Sara", "<1111>", "", "repeat", "<4271>", "I'd like to cancel"], "cancelled", True),
        (["Sara", "<1111>", "<2222>", "<3333>"], "transferred", False),
        (["help", "Sara", "help", "<4271>", "help", "<3>", "help", "<2>"], "moved", True),
        (["I want to talk to a person"], "transferred", False),
        (["<0>"], "transferred", False),
        (["", "", ""], "transferred", False),
        (["Sara", "<hangup>"], "hangup", False),
    ],
)
def test_the_appointment(inputs: list[str], outcome: str, goal: bool) -> None:
    interpreter = started(APPOINTMENT, *inputs)
    assert (interpreter.outcome, interpreter.goal) == (outcome, goal)


def test_the_appointment_says_what_it_knows() -> None:
    lines = converse(APPOINTMENT, ["Sara Miller", "4 2 7 1"])
    assert lines[1].startswith("Thank you, Sara Miller.")
    assert "Thursday, March fourth at 3 PM" in lines[2]


@pytest.mark.parametrize(
    ("inputs", "outcome"),
    [
        (["예약", "아니요"], "done"),
        (["바나나", "<3>", "네", "환불", "<2>"], "done"),
        (["상담원"], "transferred"),
        (["<4>"], "transferred"),
    ],
)
def test_the_korean_menu(inputs: list[str], outcome: str) -> None:
    assert started(MENU_KO, *inputs).outcome == outcome


def test_the_echo_repeats_words_and_keys() -> None:
    lines = converse(ECHO, ["Open the window", "<5>", "<123>", "goodbye"])
    assert ["Open the window" in lines[1], "5" in lines[2], "123" in lines[3]] == [True] * 3
    assert lines[-1] == "Goodbye. [done]"
    assert started(ECHO, "<#>").outcome == "done"
    assert started(ECHO).handle(Keys(""), 1.0).then == End("done", True, reason="bye")  # the terminator alone


QUESTION = dialog("  q: {ask: Will you come?, fill: coming, goto: {a: coming, b: else}}\n"
                  "  a: {end: a}\n  b: {end: b}",
                  "slots: {coming: yes_no}")  # fmt: skip


def test_failures_escalate_and_end() -> None:
    assert converse(QUESTION, ["", "purple", ""]) == [
        "Will you come?",
        "Sorry, I did not hear anything. Will you come?",
        "Sorry, I did not understand. Will you come?",
        "I am sorry that I could not help you. Goodbye. [failed]",
    ]
    third = converse(QUESTION, ["", ""])[2]
    assert third == "I still cannot hear you. Will you come? Say yes, or press 1. Say no, or press 2."


def test_authors_words_replace_the_defaults_by_attempt() -> None:
    of = dialog("  q: {ask: Ready?, fill: r, nomatch: [What?, Once more?], failed: f, goto: f}\n"
                "  f: {say: Bye., end: f}",
                "slots: {r: yes_no}\nlimits: {failures: 4}")  # fmt: skip
    assert converse(of, ["x", "x", "x", "x"]) == ["Ready?", "What?", "Once more?", "Once more?", "Bye. [f]"]


SPOKEN = dialog("  q: {ask: Small or large?, fill: size, goto: e}\n  e: {end: done}",
                "slots: {size: {type: choice, choices: {small: [small], large: [large]}}}")  # fmt: skip


def test_who_keys_where_only_words_answer_is_told_to_speak() -> None:
    told = "Sorry, keys do not work for this question. Please say your answer. Small or large?"
    assert converse(SPOKEN, ["<5551234567>", "<1>"])[1:] == [told, told + " You can say small or large."]
    assert converse(SPOKEN, ["<5551234567>", "large"])[-1].endswith("[done]")
    assert "did not understand" in converse(QUESTION, ["<7>"])[1], "other keys answer this one"


def test_who_keys_in_vain_is_told_so_before_the_authors_own_words() -> None:
    of = dialog("  q: {ask: Who?, fill: who, nomatch: Your name?}\n  e: {end: e}", "slots: {who: name}")
    assert converse(of, ["<55>"])[1].endswith("Please say your answer. Your name?")


def test_our_own_deafness_is_not_the_callers_failure() -> None:
    interpreter = started(QUESTION)
    for _ in range(2):
        turn = interpreter.handle(Unheard("worker died"), 1.0)
        assert isinstance(turn.then, Listen)
    assert interpreter.understood is not None and interpreter.understood.kind == "unheard"
    turn = interpreter.handle(Silence(), 2.0)
    assert "did not hear anything" in str(turn.prompts[0])  # the first attempt still
    for _ in range(3):
        turn = interpreter.handle(Unheard(), 3.0)
    assert turn.then == End("failed", reason="q")


def test_commands_do_not_count_as_failures() -> None:
    interpreter = started(QUESTION, "repeat", "help", "repeat", "help", "", "")
    assert interpreter.outcome is None
    assert converse(QUESTION, ["what did you say"])[1] == "Will you come?"
    assert "Say yes, or press 1" in converse(QUESTION, ["help"])[1]


def test_own_commands_are_heard_everywhere() -> None:
    of = dialog("  q: {ask: Ready?, fill: r, goto: e}\n  e: {end: e}\n  out: {say: Removed., end: opted_out}",
                "slots: {r: yes_no}\nalways:\n  stop: {hear: [stop calling me], key: 9, goto: out}\n"
                "  hours: {hear: opening hours, say: From nine to five.}")  # fmt: skip
    assert converse(of, ["please stop calling me"])[-1] == "Removed. [opted_out]"
    assert converse(of, ["<9>"])[-1] == "Removed. [opted_out]"
    assert converse(of, ["what are your opening hours"])[-1] == "From nine to five. Ready?"


def test_asking_back_when_unsure() -> None:
    of = dialog("  q: {ask: Which number?, fill: n, confirm: always, goto: e}\n"
                "  e: {say: 'Got {n|digits}.', end: e}",
                "slots: {n: {type: digits, length: 2}}")  # fmt: skip
    assert converse(of, ["four two", "blah", "yes"]) == [
        "Which number?",
        "I understood 4, 2. Is that right?",
        "Sorry, I did not understand. I understood 4, 2. Is that right?",
        "Got 4, 2. [e]",
    ]
    assert converse(of, ["four two", "no, four three", "yes"])[-1] == "Got 4, 3. [e]"
    assert converse(of, ["four two", "no"])[-1] == "Sorry about that. Which number?"
    unsure = dialog(
        "  q: {ask: Which?, fill: n, confirm: unsure, goto: e}\n  e: {end: e}", "slots: {n: yes_no}"
    )
    interpreter = started(unsure)
    assert isinstance(interpreter.handle(Utterance(Transcript("yes", 0.5)), 1.0).then, Listen)
    assert started(unsure, "yes").outcome == "e"


def test_conditions_and_sums() -> None:
    of = dialog("  a: {set: {n: n + 1}, goto: {a: n < 3, b: else}}\n  b: {if: n > 5, say: Never.}\n"
                "  c: {say: 'Said {n}.', goal: true, end: c}", "values: {n: number}")  # fmt: skip
    interpreter = Interpreter(of)
    turn = interpreter.begin(0.0)
    assert [getattr(p, "text", "") for p in turn.prompts] == ["Said three."]
    assert turn.then == End("c", True, reason="c") and interpreter.slots == {"n": 3}


def test_asking_what_would_be_understood_changes_nothing() -> None:
    interpreter = started(QUESTION)
    assert interpreter.expects(Utterance(Transcript("yes please")))
    assert interpreter.expects(Keys("2")) and interpreter.expects(Utterance(Transcript("repeat")))
    assert not interpreter.expects(Utterance(Transcript("purple"))) and not interpreter.expects(Silence())
    assert interpreter.understood is None and len(interpreter.history) == 1
    assert not started(QUESTION, "yes").expects(Utterance(Transcript("yes")))


def test_an_endless_loop_ends_with_an_apology() -> None:
    of = unchecked("steps:\n  a: {say: Round., goto: {a: not over, b: else}}\n  b: {end: b}")
    turn = Interpreter(of).begin(0.0)
    assert turn.then == End("error", reason="endless loop") and len(turn.prompts) <= 101


def test_prompts_keep_their_ways(tmp_path: Path) -> None:
    of = parse_dialog(
        "dialog: test\nslots: {card: {type: digits, length: 4, sensitive: true}}\nsteps:\n"
        "  a:\n    bargein: false\n    say: {wav: hi.wav, text: Hi., silence: 300ms}\n"
        "    ask: {text: 'Your card?', bargein: true}\n    fill: card\n    timeout: 7s\n    pause: 900ms\n"
        "  b: {say: 'Card {card|digits}.', transfer: {to: desk, with: [card]}}\n",
        folder="/dialogs",
    )
    interpreter = Interpreter(of)
    turn = interpreter.begin(0.0)
    assert turn.prompts == (
        SpokenAudio("/dialogs/hi.wav", "Hi.", bargein=False),
        SpokenPause(300, bargein=False),
        SpokenText("Your card?", "en-US"),
    )
    assert isinstance(turn.then, Listen)
    assert (turn.then.noinput_ms, turn.then.pause_ms, turn.then.sensitive) == (7000, 900, True)
    turn = interpreter.handle(Keys("4271"), 1.0)
    assert turn.then == Handover("desk", (("card", "4271"),), language="en-US", sensitive=("card",))
    assert turn.prompts == (SpokenText("Card 4, 2, 7, 1.", "en-US", static=False, sensitive=True),)
    assert interpreter.understood is not None and interpreter.understood.sensitive
    assert "4271" not in str(interpreter.history) and interpreter.slots == {}


def test_history_keeps_what_was_really_heard() -> None:
    interpreter = started(APPOINTMENT)
    interpreter.handle(Utterance(Transcript("Sara")), 2.0, heard="Hello, this is the")
    bot, caller, answer = interpreter.history
    assert (bot.heard, bot.at, caller.text, caller.at, answer.speaker) == (
        "Hello, this is the",
        0.0,
        "Sara",
        2.0,
        "bot",
    )


def test_variants_follow_the_seed() -> None:
    of = dialog("  a: {say: [One., Two., Three.], end: a}")
    said = {seed: converse(of, [], seed=seed) for seed in range(12)}
    assert len({line for lines in said.values() for line in lines}) == 3
    assert all(converse(of, [], seed=seed) == lines for seed, lines in said.items())


def test_needs_are_checked_before_the_call() -> None:
    of = dialog("  a: {say: 'Hi {who}', end: a}", "needs: {who: text, at: datetime}")
    with pytest.raises(UserError) as caught:
        Interpreter(of, {"at": "tomorrow"})
    assert [problem.code for problem in caught.value.problems] == ["need", "need"]
    assert converse(of, [], {"who": "Sara", "at": "2027-01-01T10:00", "more": 1}) == ["Hi Sara [a]"]


def test_all_that_is_said_without_values_can_be_rendered_ahead() -> None:
    ahead = {prompt.text for prompt in static_prompts(APPOINTMENT)}
    for inputs in (["", "help", "x"], ["Sara", "", "x", "<9999>", "help"]):
        interpreter = Interpreter(APPOINTMENT)
        turns = [interpreter.begin(0.0), *(interpreter.handle(read_input(i), 1.0) for i in inputs)]
        said = {p.text for turn in turns for p in turn.prompts if isinstance(p, SpokenText) and p.static}
        assert said and said <= ahead
    given = {"patient_number": "1", "clinic_phone": "1", "appointment": "2027-03-02T15:00"}
    assert any("March second" in prompt.text for prompt in static_prompts(APPOINTMENT, given))


def test_a_caller_who_talks_for_ever_is_let_go() -> None:
    interpreter = started(ECHO, *["more and more"] * 101)
    assert interpreter.outcome == "failed"
