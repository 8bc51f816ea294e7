"""Unit: mistakes of authors are all told at once, each with its place and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.running.static_prompts import static_prompts
from voicebot.errors import Problem, UserError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[4]
DIALOGS = sorted(
    p for p in (ROOT / "dialogs").rglob("*.yaml") if not p.name.endswith((".test.yaml", ".campaign.yaml"))
)

FAULTY = "steps:\n  a: {%s}\n"
HEADER = "dialog: test\nslots: {sure: yes_no, pin: {type: digits, length: 4}, said: text}\nsteps:\n"
FIRST_STEP_LINE = 4


def problems_of(text: str) -> list[Problem]:
    try:
        return list(parse_dialog(text, "test.yaml").warnings)
    except UserError as error:
        return list(error.problems)


def assert_problem(text: str, what: str, line: int | None = None, remedy: str = "") -> None:
    problems = problems_of(text)
    fitting = [p for p in problems if what in p.what and remedy in p.remedy and line in (None, p.line)]
    assert fitting, "\n".join(f"{p} [{p.code}]" for p in problems) or "no problem found"


@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
def test_the_dialogs_that_come_along_are_flawless(path: Path) -> None:
    assert load_dialog(path).warnings == ()


def test_the_smallest_dialog() -> None:
    dialog = parse_dialog("dialog: hello\nsteps:\n  hi: {say: Hello., end: done}\n")
    assert dialog.language == "en-US" and dialog.first_step == "hi"
    assert "Hello." in [prompt.text for prompt in static_prompts(dialog)]
    assert len(dialog.version) == 12
    assert dialog.version != parse_dialog("dialog: hello\nsteps:\n  hi: {say: Hello!, end: done}\n").version


def test_words_stay_words() -> None:
    steps = (
        "  a:\n    ask: Well?\n    choices: {yes: {key: 1, goto: b}, no: {key: 0, goto: b}}\n  b: {end: on}"
    )
    step = parse_dialog(HEADER + steps).steps["a"]
    assert set(step.choices) == {"yes", "no"} and step.choices["no"].key == "0"


@pytest.mark.parametrize(
    ("text", "what", "line", "remedy"),
    [
        ("dialog: x\nsteps:\n  a: {sya: Hi, end: x}", "`sya` is not known here", 3, "`say`"),
        ("dialog: x\nsteps:\n  a: {say: Hi, goto: bye}\n  by: {end: x}", "no step `bye`", 3, "`by`"),
        ("dialog: x\nlanguage: en\nlanguage: ko\nsteps: {a: {end: x}}", "stands here twice", 3, ""),
        ("dialog: x\nabout: &a hi\nlanguage: *a\nsteps: {a: {end: x}}", "alias", 3, "write the value out"),
        ("dialog: x\nabout: !!python/name:os.system x\nsteps: {a: {end: x}}", "is a tag", 2, ""),
        (
            "dialog: x\nvalues: {name: number}\nsteps:\n  a: {say: 'Hi {nmae}', set: {name: 1}, end: x}",
            "no value `nmae`",
            4,
            "`name`",
        ),
        ("dialog: x\nsteps:\n  a: {say: 'Hi {', end: x}", "`{`", 3, ""),
        ("dialog: x\nsteps:\n  a: {if: 'x = 1', end: x}", "compare with ==", 3, ""),
        ("dialog: x\nsteps:\n  a: {say: Hi}", "leads nowhere", 3, "`end`"),
        ("dialog: x\nsteps:\n  a: {say: Hi, goto: b}\n  b: {goto: a}", "no way leads to", 3, ""),
        ("dialog: x\nsteps:\n  a: {end: x}\n  b: {end: y}", "no step leads to `b`", 4, ""),
        ("dialog: x\nslots: {a: colour}\nsteps: {a: {end: x}}", "not possible here", 2, ""),
        ("dialog: x\nsteps:\n  a: {ask: Hm?, end: x}", "takes no answer", 3, ""),
        ("dialog: x\nsteps:\n  a: {end: x, transfer: y}", "both `end` and `transfer`", 3, ""),
        (
            "dialog: x\nsteps:\n  a:\n    transfer: {to: y, conference: z}",
            "needs either `to`, `queue` or `conference`",
            4,
            "`conference: weekly`",
        ),
        (
            "dialog: x\nsteps:\n  a: {transfer: {to: y, host: true}}",
            "belongs to a conference",
            3,
            "host: true",
        ),
        ("dialog: x\nsteps:\n  a: {transfer: {conference: Z}}", "cannot be written so", 3, "small letters"),
        ("dialog: x\ngoals: [done]\nsteps:\n  a: {end: doen}", "no step ends with `done`", 2, "`doen`"),
        ("dialog: x\nsteps:\n  a: {end: x, timeout: 5}", "800ms or 5s", 3, ""),
        ("dialog: x\nneeds: {n: {type: digits, default: x}}\nsteps: {a: {end: x}}", "is no digits", 2, ""),
        ("dialog: x\nsteps:\n  a: {say: {wav: ../../etc/x.wav}, end: x}", "cannot be written so", 3, ".wav"),
        ("- dialog", "is not a dialog", 1, ""),
        ("", "is not a dialog", 1, ""),
        ("dialog: [", "`[` that begins here is not closed", 1, "`]`"),
        ("dialog: x\nabout: 'it is\nsteps: {a: {end: x}}", "not closed", 2, "close it"),
        ("dialog: x\n---\ndialog: y", "a second document", 2, ""),
        ("a: " + "[" * 60 + "]" * 60, "nested deeper", 1, ""),
        ("x" * (1 << 21), "larger than 1 MiB", None, ""),
    ],
)
def test_mistakes_have_a_place_and_a_remedy(text: str, what: str, line: int | None, remedy: str) -> None:
    assert_problem(text, what, line, remedy)


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        ("  a: {ask: Hm?, choices: {b: {key: 1, goto: c}, d: {key: 1, goto: c}}}\n  c: {end: x}",
         "key 1 means `b`"),
        ("  a: {ask: Hm?, fill: sure, choices: {b: {key: 1, goto: c}}}\n  c: {end: x}", "key 1 means `yes`"),
        ("  a: {ask: Hm?, fill: pin, choices: {b: {key: 3, goto: c}}}\n  c: {end: x}",
         "cannot be told from a digit"),
        ("  a: {ask: Hm?, choices: {b: [go on], d: [Go on!]}, goto: c}\n  c: {end: x}", "means `b` as well"),
        ("  a: {ask: Hm?, fill: pni}\n  c: {end: x}", "no slot `pni`"),
        ("  a: {say: '{said}', end: x}", "never filled"),
        ("  a: {ask: Hm?, fill: sure, goto: {b: sure, c: else}}\n  b: {ask: So?, fill: said}\n"
            "  c: {say: '{said}', end: x}",
         "may not be known yet"),
    ],
)  # fmt: skip
def test_what_is_well_formed_but_wrong(steps: str, what: str) -> None:
    assert_problem(HEADER + steps, what)


BAKERY = (
    "dialog: x\nslots: {sure: yes_no, size: {type: choice, choices: {small: , large: }}}\nsteps:\n"
    "  a:\n    ask: Bread or cake?\n    %s\n    goto: {bread: %s, cake: %s}\n"
    "  bread: {say: Bread., end: bread}\n  cake: {say: Cake., end: cake}\n"
)


@pytest.mark.parametrize(
    ("answers", "first", "second", "remedy"),
    [
        ("choices: {bread: , cake: }", "bread", "cake", "`bread: {goto: bread}`"),
        ("choices: {yes: , no: }", "yes", "no", "`yes: {goto: bread}`"),
        ("fill: sure", "yes", "no", "`cake: not sure`"),
        ("fill: size", "small", "large", "`bread: size == 'small'`"),
        ("fill: size", "size == small", "else", "'small'"),
    ],
)
def test_an_answer_is_no_condition(answers: str, first: str, second: str, remedy: str) -> None:
    problems = problems_of(BAKERY % (answers, first, second))
    assert {p.line for p in problems} == {7}
    assert any(remedy in p.remedy for p in problems), problems
    assert not any("call.number" in p.remedy for p in problems)


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("steps: {}", "`steps` is empty", "hi: {say: Hello., end: done}"),
        ("steps:", "not nothing", "hi: {say: Hello., end: done}"),
        ("limits: {failures: 0}", "`failures` is too small", "at least 1"),
        ("limits: {failures: 99}", "`failures` is too large", "at most 10"),
        ("limits: {failures: many}", "whole number", "3"),
        ("bargein: maybe", "neither true nor false", "true"),
        ("goals: done", "must be a list", "[done]"),
        ("slots: {p: {type: digits, length: four}}", "number of digits", "[3, 6]"),
        ("slots: {p: {type: digits, length: [1, 2, 3]}}", "number of digits", "[3, 6]"),
        ("slots: {p: {type: number, between: [a, b]}}", "two numbers", "[1, 10]"),
        ("slots: {p: {type: number, between: [1]}}", "the least and the greatest", "[1, 10]"),
        ("about: " + "a" * 1001, "longer than 1000", "shorter"),
        ("always: {hm: {hear: [''], say: Hm.}}", "is empty", "take it away"),
        ("always: {hm: {hear: hm, say: [" + "a, " * 51 + "]}}", "more than 50", "take some"),
        ("steps: {a: {ask: Hm?, choices: [b, c]}}", "not a list", "sales: ["),
        ("steps: {a: {ask: Hm?, choices: {b: hello}}}", "not a text", "[hello]"),
        ("steps: {a: {goto: [b]}}", "not a list", "goto: {confirmed: attending"),
    ],
)
def test_the_form_is_told_in_plain_words(text: str, what: str, remedy: str) -> None:
    steps = "" if text.startswith("steps") else "\nsteps: {a: {end: done}}"
    problems = problems_of(f"dialog: x\n{text}{steps}")
    assert [(what in p.what, remedy in p.remedy, p.line) for p in problems] == [(True, True, 2)], problems


def test_all_mistakes_are_told_at_once_in_order() -> None:
    text = "dialog: x\nlanguge: en\nsteps:\n  a: {say: Hi, gotto: b}\n  b: {end: X Y}\n"
    found = problems_of(text)
    assert [p.line for p in found] == [2, 4, 5]
    assert all(p.column and p.source == "test.yaml" for p in found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dialog: x\n" + FAULTY % "sya: Hi., say: 'Hi {nmae}.', goto: b", "3 form, 3 value, 3 goto"),
        ("slots: {s: colour}\ndialog: x\n" + FAULTY % "ask: Hm?, fill: s, goto: {b: s, c: t}, say: '{s}'",
         "1 form, 4 goto, 4 goto, 4 value"),
        ("dialog: x\nslots: [s]\n" + FAULTY % "ask: Hm?, fill: s, goto: b", "2 form"),
        (FAULTY % "goto: b", "1 form, 2 goto"),
        ("dialog: x\n" + FAULTY % "goto: {b: 'x =', a: else}, ask: [[1]]", "3 goto, 3 expression, 3 form"),
        ("dialog: x\n" + FAULTY % "ask: Hm?, choices: {b: c}, goto: {a: b, z: else}", "3 form, 3 goto"),
    ],
)  # fmt: skip
def test_a_wrong_form_hides_no_wrong_name(text: str, told: str) -> None:
    assert ", ".join(f"{p.line} {p.code}" for p in problems_of(text)) == told


def test_words_of_other_tools_are_understood() -> None:
    text = "dialog: x\nneeds: {a: string}\nsteps:\n  a: {question: Hm?, options: {b: {dtmf: 1}}, next: b}\n"
    remedies = [p.remedy for p in problems_of(text)]
    assert remedies == [f"did you mean `{word}`?" for word in ("text", "ask", "choices", "goto")]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_dialog(tmp_path / "nothing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"dialog: \xe9")
    with pytest.raises(UserError, match="UTF-8"):
        load_dialog(tmp_path / "latin.yaml")
    (tmp_path / "wav.yaml").write_text("dialog: x\nsteps:\n  a: {say: {wav: hi.wav, text: Hi}, end: x}\n")
    with pytest.raises(UserError, match=r"there is no hi\.wav"):
        load_dialog(tmp_path / "wav.yaml")


@given(st.text(alphabet="dialogsteps:{}[]-&*!'\"\n ,|>#%@`x1", max_size=120))
def test_any_text_is_a_dialog_or_a_user_error(text: str) -> None:
    problems_of(text)
    problems_of("dialog: x\nsteps:\n  a:\n    say: " + text)
