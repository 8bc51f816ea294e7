"""Unit: each rule of the check finds what it is for, at its place, with a code and a remedy; and no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voicebot.dialog import checking
from voicebot.dialog.checking.context import Surroundings
from voicebot.dialog.checking.finding import CODES, codes_reference
from voicebot.dialog.loading.loader import examine
from voicebot.errors import Problem

pytestmark = pytest.mark.unit

SLOTS = """\
slots:
  sure: yes_no
  size: {type: choice, choices: {small: [small], large: {hear: [large, big], key: 2}}}
  pin: {type: digits, length: 4}
  card: {type: digits, length: 16, sensitive: true}
  day: {type: date, optional: true}
  said: text
  note: recording
values: {tries: {type: number, start: 0}, status: text, when: datetime}
"""
DONE = "steps: {a: {end: x}}"
CARD = "ask: Hm?, fill: card, goto: b}"
END = "  z: {say: Bye., end: done}\n"


def found(text: str, surroundings: Surroundings | None = None) -> list[Problem]:
    examined = examine(f"dialog: x\n{text}", "x.yaml", surroundings=surroundings)
    return [p for p in (*examined.mistakes, *examined.warnings) if p.code != "unused"]


def step(first: str) -> str:
    return f"{SLOTS}steps:\n  a: {{{first}}}\n{END}"


@pytest.mark.parametrize(
    ("first", "code", "what", "remedy"),
    [
        # names
        ("goto: zz", "goto", "no step `zz`", "`z`?"),
        ("ask: Hm?, fill: pni", "slot", "no slot `pni`", "`pin`?"),
        ("ask: Hm?, fill: tries", "slot", "stands under `values`", "under `slots`"),
        ("say: '{stauts}', set: {status: '1 + 1'}", "value", "no value `stauts`", "`status`?"),
        ("say: '{status}'", "value", "never computed", "`set` or `keep`"),
        ("set: {attempts: 1}", "undeclared", "not declared", "values: {attempts"),
        ("fetch: {get: x, keep: {state: a}}", "undeclared", "not declared", "`status`?"),
        ("hook: {name: h, keep: {nothing_like: a}}", "undeclared", "not declared", "values:"),
        ("transfer: {to: a1, with: [nmae]}", "value", "no value `nmae`", ""),
        ("call: other", "include", "included as `other`", "lib/other.yaml"),
        # types
        ("if: tries == 'a', say: Hi.", "type", "cannot be compared", ""),
        ("ask: Hm?, fill: size, goto: {z: size == 'smal'}", "type", "never 'smal'", "small"),
        ("set: {tries: \"'many'\"}", "type", "'many' is none", "write 42"),
        ("set: {when: tries + 1}", "type", "this is a number", "declare"),
        ("set: {tries: tries +}", "expression", "no condition", ""),
        ("say: '{tries|dates}'", "template", "no filter `dates`", "`date`"),
        ("goto: {z: \"'yes'\"}", "expression", "a text, not a condition", "compare"),
        ("fetch: {get: x}, goto: {z: result == 404}", "result", "never 404", "accept: [404]"),
        # shapes
        ("ask: Hm?, fill: sure, fetch: {get: x}", "step", "both `ask` and `fetch`", "two steps"),
        ("record: true, fill: note, hook: h", "step", "both `record` and `hook`", "keep one"),
        ("goto: z, end: x", "step", "both `goto` and `end`", "keep one"),
        ("end: x, return: y", "step", "both `end` and `return`", "keep one"),
        ("say: Hi., fill: sure", "step", "needs a question", "`record`"),
        ("say: Hi., choices: {b: {goto: z}}", "step", "nothing is asked", "`ask`"),
        ("record: true", "slot", "needs one slot", "recording"),
        ("record: true, fill: pin", "slot", "of type digits", "recording"),
        ("ask: Hm?, fill: note", "slot", "a recording", "record: true"),
        ("say: Hi., failed: z", "step", "nothing can fail", "take it away"),
        ("say: Hi., goal: true", "step", "`goal` belongs", "put it there"),
        ("ask: Hm?, choices: {b: {goto: z}}, optional: true", "step", "`optional` needs", "fill"),
        ("llm: {about: Talk.}, fill: said", "step", "`fill` does nothing", "slots"),
        ("ask: Hm?, fill: [pin, said]", "slot", "may be anything", "of its own"),
        # answers
        ("ask: Hm?, choices: {b: {hear: Go on!, goto: z}, c: [go on]}", "phrase", "means `b`", "apart"),
        ("ask: Hm?, fill: size, choices: {b: {hear: big, goto: z}}", "phrase", "means `large`", "apart"),
        ("ask: Hm?, fill: pin, choices: {b: {key: 3, goto: z}}", "key", "from a digit", "*"),
        ("ask: Hm?, fill: size, choices: {b: {key: 2, goto: z}}", "key", "means `large`", "another"),
        # ways
        ("goto: a", "no-way-out", "no way leads", "end the call"),
        ("fetch: {get: x}, failed: a, goto: {a: result == 201, z: else}", "loop", "round and round", "count"),
        ("goto: {a: call.number == unknown, z: else}", "loop", "round and round", "count"),
        ("say: Hi., language: ko-KR", "language", "none of the dialog's languages", "en-US"),
        # prompts
        (f"say: {'All work and no play. ' * 15}", "long", "takes about 22 s", "shorten"),
        (f"say: {'All work and no play. ' * 30}", "long", "far too long", "when they ask"),
        (f"say: {'All work and no play. ' * 8}, bargein: false", "bargein", "cannot be interrupted", ""),
        ("ask: Hm?, fill: sure, bargein: false", "bargein", "answers early", "take `bargein"),
        ("ask: Hm?, choices: {b: {key: 1}, c: {key: 2}, d: {key: 3}, e: {key: 4}, f: {key: 5}, g: {key: 6}}",
         "menu", "6 options", "two questions"),
        # people
        (CARD + "\n  b: {say: 'It is {card}.'", "sensitive", "aloud", "last(card, 4)"),
        (CARD + "\n  b: {transfer: {to: c, with: [card]}", "sensitive", "transfer", "leave"),
        (CARD + "\n  b: {fetch: {get: 'https://x.org/{card}'}", "sensitive", "logs", "post"),
        (CARD + "\n  b: {fetch: {post: 'http://x.org', form: {c: '{card}'}}",
         "sensitive", "not https", "https"),
        (CARD + "\n  b: {llm: {about: 'It is {card}.'}", "sensitive", "model", "leave"),
        ("ask: Hm?, fill: card, set: {status: card}", "sensitive", "would hold `card`", "sensitive: true"),
    ],
)  # fmt: skip
def test_a_step(first: str, code: str, what: str, remedy: str) -> None:
    problems = found(step(first))
    assert {p.code for p in problems} <= CODES.keys()
    fitting = [p for p in problems if p.code == code and what in p.what and remedy in p.remedy]
    assert fitting, "\n".join(f"{p} [{p.code}]" for p in problems) or "nothing was found"
    assert all(p.line in (12, 13) and p.column and p.remedy for p in fitting)


@pytest.mark.parametrize(
    ("text", "code", "what", "line"),
    [
        ("needs: {unknown: text}\n" + DONE, "name", "a word of the conditions", 2),
        ("needs: {a: text}\nvalues: {a: text}\n" + DONE, "name", "under `needs` as well", 3),
        ("needs: {a: {type: date, default: soon}}\n" + DONE, "type", "`soon` is no date", 2),
        ("values: {a: {type: number, start: many}}\n" + DONE, "type", "`many` is no number", 2),
        ("values: {a: {type: text, currency: USD}}\n" + DONE, "type", "belongs to type `money`", 2),
        ("slots: {a: {type: date, between: [soon, later]}}\n" + DONE, "type", "`soon` is no date", 2),
        ("slots: {a: {type: date, between: [+9 days, today]}}\n" + DONE, "type", "is later", 2),
        ("slots: {a: {type: time, between: ['09:00', today]}}\n" + DONE, "type", "is no time", 2),
        ("slots: {a: {type: number, valid: b > 3}}\n" + DONE, "value", "no value `b`", 2),
        ("goals: [done]\nsteps: {a: {end: doen}}", "goal", "no step ends with `done`", 2),
        ("returns: [b]\nsteps: {a: {return: x}}", "value", "no value `b`", 2),
        ("always: {hm: {hear: hm}}\n" + DONE, "command", "does nothing", 2),
        ("always: {hm: {say: Hm.}}\n" + DONE, "command", "neither said nor keyed", 2),
        ("always: {hm: {off: true}}\n" + DONE, "command", "no command `hm`", 2),
        ("always: {hm: {hear: so, say: a}, hn: {hear: So!, say: b}}\n" + DONE, "phrase", "`hm`", 2),
        ("always: {hm: {key: 5, say: a}, hn: {key: 5, say: b}}\n" + DONE, "key", "`hm`", 2),
        ("always: {hm: {hear: so, key: 5, say: a}}\nsteps:\n  a: {ask: Hm?, choices: {b: {key: 5}}}\n"
            "  c: {end: x}", "key", "the command `hm`", 4),
        ("language: tlh\n" + DONE, "language", "no defaults", 2),
        ("languages: [en-US]\n" + DONE, "language", "twice", 2),
        ("languages: [ko-KR]\nsteps:\n  a: {say: Hi., end: x}", "translation", "no translations", 2),
        ("languages: [ko-KR]\ntranslations: {ko-KR: {Hi.: 안녕., So.: 자.}}\nsteps:\n  a: {say: Ha., end: x}",
            "translation", "`Ha.` is not translated", 5),
        ("languages: [ko-KR]\ntranslations: {ko-KR: {Hi.: 안녕., So.: 자.}}\nsteps:\n  a: {say: Hi., end: x}",
            "translation", "`So.` is nothing", 3),
        ("needs: {n: name}\nlanguages: [ko-KR]\ntranslations:\n  ko-KR:\n    'Hi {n}.': 안녕.\n"
            "steps:\n  a: {say: 'Hi {n}.', end: x}", "translation", "does not say `n`", 6),
        ("languages: [ko-KR]\ntranslations:\n  ko-KR: {Hi.: '안녕 {m}.'}\nsteps:\n  a: {say: Hi., end: x}",
            "value", "no value `m`", 4),
        ("translations: {ko: {Hi.: 안녕.}}\nsteps:\n  a: {say: Hi., end: x}", "language", "not one of", 2),
        ("outbound: true\nsteps:\n  a: {say: Pay now!, end: x}", "outbound", "who is calling", 4),
        ("outbound: true\nalways: {opt_out: {off: true}}\nsteps:\n  a: {say: This is Bo., end: x}",
            "outbound", "no more calls", 3),
        ("steps:\n  a: {say: Hi.}", "end", "leads nowhere", 3),
        ("steps:\n  a: {end: x}\n  b: {end: y}", "unreachable", "no step leads to `b`", 4),
    ],
)  # fmt: skip
def test_a_dialog(text: str, code: str, what: str, line: int) -> None:
    problems = found(text)
    fitting = [p for p in problems if p.code == code and what in p.what and p.line == line]
    assert fitting, "\n".join(f"{p} [{p.code}]" for p in problems) or "nothing was found"
    assert all(p.remedy and p.column for p in fitting)


@pytest.mark.parametrize(
    "first",
    [
        "say: 'Call {call.number|phone}, it is {now|time}.'",
        "fetch: {get: '{env.SHOP}/x', accept: [404], keep: {status: a.b}}, goto: {z: 'result in [200, 404]'}",
        "ask: Hm?, fill: [pin, size], help: Four digits., confirm: implicit, timeout: 8s",
        "record: true, fill: note, noinput: Please speak., failed: z",
        "ask: Hm?, fill: card, set: {status: 'last(card, 4)'}",
        CARD + "\n  b: {fetch: {post: '{env.PAY}', form: {c: '{card}'}}",
        "set: {tries: tries + 1}, goto: {a: tries < 3, z: else}",
        "ask: Hm?, fill: size, choices: {other: [another one]}, goto: {z: size == 'other'}",
        "llm: {about: Talk., slots: [said], tools: {z: The caller is done.}}, goto: z",
    ],
)
def test_what_is_right_is_not_told(first: str) -> None:
    assert found(step(first)) == []


def test_hooks_and_the_environment_are_looked_up_where_they_are_known() -> None:
    text = step("hook: tables, set: {status: env.SHOP}")
    assert found(text) == []
    here = Surroundings(hooks=("table",), environment=("SHOPS",))
    assert {(p.code, p.remedy) for p in found(text, here)} == {
        ("hook", "did you mean `table`?"),
        ("environment", "add SHOP to `env` under `[dialogs]` of the configuration"),
    }


def test_an_address_needs_its_values() -> None:
    first = (
        "fetch: {get: 'https://x.org/{status}', keep: {status: a.b}}, goto: {a: status != unknown, z: else}"
    )
    assert [(p.code, p.line) for p in found(step(first)) if p.code == "unknown"] == [("unknown", 12)]
    assert "unknown" not in {p.code for p in found(step(f"if: status != unknown, {first}"))}


@pytest.mark.parametrize(
    ("ways", "known"),
    [
        ("failed: b, goto: b", False),
        ("goto: b", True),
        ("goto: {b: said != unknown, z: else}", True),
        ("goto: {b: not (said == unknown or tries > 3), z: else}", True),
        ("goto: {z: said == unknown, b: else}", True),
        ("goto: {b: said == unknown, z: else}", False),
        ("optional: true, goto: b", False),
        ("choices: {aside: {goto: b}}, goto: b", False),
        ("set: {said: unknown}, goto: b", False),
        ("goto: {z: tries == 0, b: else}", True),
    ],
)
def test_what_is_known_depends_on_the_way(ways: str, known: bool) -> None:
    said = step(f"ask: Hm?, fill: said, {ways}}}\n  b: {{say: 'You said {{said}}.', end: x")
    guarded = said.replace("{said}.", "{said|else:nothing}.")
    assert ("unknown" not in {p.code for p in found(said)}) is known, found(said)
    assert "unknown" not in {p.code for p in found(guarded)}


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("https://x.org/{said}", True),
        ("https://x.org?q={said}", True),
        ("{env.SHOP}/{said}", True),
        ("https://{env.HOST}:8443/{said}", True),
        ("{env.SHOP}?q={said}", True),
        ("https://{said}/", False),
        ("https://{said}.x.org/", False),
        ("https://x.org:{said}/", False),
        ("https://{said}@x.org/", False),
        ("{said}", False),
        ("https://x.org{said}", False),
        ("{env.SHOP}{said}", False),
        ("https:{said}", False),
    ],
)
def test_no_words_of_a_caller_choose_the_server(address: str, fine: bool) -> None:
    told = found(step(f"ask: Hm?, fill: said}}\n  b: {{fetch: {{get: '{address}'}}, end: x"))
    assert any("which server" in p.what for p in told) is not fine, told


def test_the_page_of_codes_is_current() -> None:
    page = Path(checking.__file__).parents[3] / "docs" / "dialog-checks.md"
    assert page.read_text(encoding="utf-8").endswith(f"{codes_reference()}\n"), "run scripts/references"


def test_every_code_is_explained_and_used() -> None:
    folder = Path(checking.__file__).parent
    files = [*folder.rglob("*.py"), *(folder.parent / "loading").glob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files if path.name != "finding.py"]
    used = {word for text in texts for word in re.findall(r'"([a-z]+(?:-[a-z]+)*)"', text)}
    assert CODES.keys() - used == {"sound"}, "told by voicebot.authoring"
