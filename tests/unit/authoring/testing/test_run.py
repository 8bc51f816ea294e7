"""Unit: conversations that a dialog must hold: how they are read, run, compared and reported."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from voicebot.authoring.conversation.coverage import covered
from voicebot.authoring.testing.compare import missing_words, same_value, within
from voicebot.authoring.testing.format import Not
from voicebot.authoring.testing.load import (
    TESTS_SCHEMA,
    find_tests,
    load_cases,
    parse_cases,
    schema_of_tests,
)
from voicebot.authoring.testing.reference import reference_of_tests
from voicebot.authoring.testing.report import Report, as_junit, coverage_lines, failure_lines
from voicebot.authoring.testing.run import Result, run_case
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

PIZZA = """\
dialog: pizza
needs: {shop: text}
slots:
  size: {type: choice, choices: {small: [small], large: {hear: [large, big], key: 2}}}
  count: {type: digits, length: 2}
goals: [ordered]
steps:
  hello: {say: "{shop}.", ask: Small or large?, fill: size, failed: person}
  count: {ask: How many?, fill: count, goto: {thanks: "size == 'large'", none: else}}
  none: {say: No small ones., end: none}
  thanks: {say: "{size}, thank you.", end: ordered}
  person: {transfer: {to: kitchen}}
"""


@pytest.fixture(scope="module")
def pizza() -> Dialog:
    return parse_dialog(PIZZA, "pizza.yaml")


def run(dialog: Dialog, talk: str, head: str = "") -> Result:
    text = f"every: {{given: {{shop: Luigi}}}}\n---\n- conversation: it\n{head}  talk:\n{talk}"
    (case,) = parse_cases(text, Path("pizza.test.yaml"))
    return run_case(case, dialog)


def test_a_conversation_that_goes_as_written_passes(pizza: Dialog) -> None:
    talk = """\
    - bot: [/^Luigi/, large?, {not: How many}]
    - noise
    - understood: nomatch
    - slots: {size: null}
    - keys: 2
    - understood: "match: large"
    - step: count
    - keys: 07#
    - bot: large, thank
"""
    result = run(pizza, talk, "  outcome: ordered\n  goal: true\n  slots: {count: 07, size: large}\n")
    assert result.failures == []
    assert result.talk[-1].text == "large, thank you."


@pytest.mark.parametrize(
    ("talk", "head", "line", "expected", "got"),
    [
        ("    - bot: Mario\n", "", 5, '"Mario"', '"Luigi. Small or large?"'),
        ("    - bot: {not: [Mario, luigi]}\n", "", 5, 'not "luigi"', '"Luigi. Small or large?"'),
        ("    - step: count\n", "", 5, "count", "hello"),
        ("    - caller: big\n    - slots: {size: small}\n", "", 6, "small", "large"),
        ("    - caller: big\n    - understood: nomatch\n", "", 6, "nomatch", "match: large"),
        ("    - hangup\n", "  outcome: ordered\n", 4, "ordered", "hangup"),
        ("    - hangup\n    - caller: hello?\n", "", 6, "a `caller`", "the outcome hangup"),
        ("    - silence\n    - fetch: {get: /x}\n", "", 6, "a `fetch`", "it listens in step hello"),
        ("    - silence\n    - silence\n    - silence\n", "  to: bar\n", 4, "bar", "kitchen"),
        ("    - silence\n", "  goal: true\n", 4, "reached", "missed"),
        ("    - silence\n", "  slots: {size: large}\n", 4, "large", "unknown"),
        ("    - silence\n", "  outcome: ordered\n", 4, "ordered", "it still listens in step hello"),
    ],
)
def test_what_is_not_as_written_is_told_with_its_line(
    pizza: Dialog, talk: str, head: str, line: int, expected: str, got: str
) -> None:
    result = run(pizza, talk, head)
    (failure,) = result.failures
    assert (failure.line, failure.expected) == (line, expected)
    assert failure.got.startswith(got)


def test_all_that_is_wrong_in_a_conversation_is_told_not_just_the_first(pizza: Dialog) -> None:
    result = run(pizza, "    - bot: Mario\n    - step: count\n    - hangup\n", "  outcome: ordered\n")
    assert [failure.line for failure in result.failures] == [6, 7, 4]
    shown = [text for _, text in failure_lines(result)]
    assert shown[0] == "pizza.test.yaml:3: it"
    assert "pizza.test.yaml:6: the bot says something else" in shown
    assert "    got       hangup" in shown


def test_a_dialog_that_is_not_given_what_it_needs_fails_its_test(pizza: Dialog) -> None:
    (case,) = parse_cases("conversation: it\ntalk: [hangup]\n", Path("pizza.test.yaml"))
    (failure,) = run_case(case, pizza).failures
    assert "shop" in failure.got


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        (
            "- conversation: a\n  talk:\n    - caler: hello\n",
            3,
            "`caler` is not known here — did you mean `caller`",
        ),
        ("- conversation: a\n  talk:\n    - silent\n", 3, "silence"),
        ("- conversation: a\n  tlak: []\n", 2, "talk"),
        ("- conversation: a\n  talk:\n    - keys: five\n", 3, "digits"),
        ("- conversation: a\n  talk:\n    - bot: /(/\n", 3, "no pattern"),
        ("- conversation: a\n  talk:\n    - caller: a\n      bot: b\n", 3, "one thing"),
        ("- conversation: a\n  now: noon\n", 2, "no date and time"),
        ("- conversation: a\n- conversation: a\n  conversation: b\n", 3, "twice"),
        ("- conversation: &a x\n", 1, "anchor"),
        ("- conversation: a\n\ttalk: []\n", 2, "not valid YAML"),
        ("", 1, "holds no conversation"),
        ("every: {given: {a: b}}\n", 1, "holds no conversation"),
        ("just words\n", 1, "must hold keys and values"),
    ],
)
def test_mistakes_in_a_test_file_come_with_their_line(text: str, line: int, part: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_cases(text, Path("a.test.yaml"))
    assert (caught.value.problems[0].line, part in str(caught.value)) == (line, True), str(caught.value)


def test_what_is_true_of_every_conversation_is_put_in_and_may_be_said_otherwise() -> None:
    text = """\
every: {now: 2027-03-01T10:00, given: {a: x, b: y}, language: en-US}
---
conversation: one
given: {b: z}
---
conversation: two
now: 2028-01-01T00:00
"""
    one, two = (case.spec for case in parse_cases(text, Path("a.test.yaml")))
    assert (one.given, one.now is not None and one.now.year, one.language) == (
        {"a": "x", "b": "z"},
        2027,
        "en-US",
    )
    assert two.now is not None
    assert two.now.year == 2028


@pytest.mark.parametrize(
    ("wanted", "given", "same"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": {"b": "2"}}, {"a": {"b": 2}}, True),
        ({"a": 1}, {"b": 1}, False),
        ([1, 2], [1, 2, 3], False),
        ({"a": None}, {"a": "None"}, False),
    ],
)
def test_what_is_sent_must_hold_all_that_is_wanted(wanted: object, given: object, same: bool) -> None:
    assert within(wanted, given) is same


def test_values_are_compared_as_they_are_written() -> None:
    noon = datetime(2027, 3, 5, 12, tzinfo=UTC)
    same = [
        ("2027-03-05T12:00", noon),
        ("2027-03-05T13:00+01:00", noon),
        ("yes", True),
        ("true", True),
        ("12.50", Decimal("12.5")),
        ("3", 3.0),
        ("17:30", time(17, 30)),
        ("2027-03-05", date(2027, 3, 5)),
        (None, None),
    ]
    other = [("2027-03-05T12:01", noon), ("no", True), ("12.51", Decimal("12.5")), (None, False), ("x", None)]
    assert [pair for pair in same if not same_value(*pair)] == []
    assert [pair for pair in other if same_value(*pair)] == []


def test_words_are_found_whatever_their_case_and_patterns_as_they_stand() -> None:
    said = "See you on  Tuesday."
    assert missing_words(("you on tuesday", "/Tues/", "/tues/i"), said) == []
    assert missing_words(("/tues/", Not.model_validate({"not": ["/Mon/", "see"]})), said) == [
        "/tues/",
        'not "see"',
    ]


def test_coverage_counts_what_was_come_to_and_names_the_rest_with_its_line(
    tmp_path: Path, pizza: Dialog
) -> None:
    path = tmp_path / "pizza.yaml"
    path.write_text(PIZZA)
    dialog = parse_dialog(PIZZA, str(path))
    taken = {
        ("pizza", "hello", "next", "count"),
        ("pizza", "count", "goto", "thanks"),
        ("pizza", "thanks", "end", ""),
    }
    (found,) = covered([dialog], taken, {way[:2] for way in taken})
    assert (found.steps_covered, found.steps, found.ways_covered, found.ways) == (3, 5, 3, 7)
    assert [(each.line, each.what) for each in found.uncovered] == [
        (8, "hello: failed to person"),
        (9, "count: goto to none"),
        (10, "step none"),
        (12, "step person"),
    ]
    assert next(iter(coverage_lines([found]))).endswith("ways 3/7 (42.8 %)")


def test_build_servers_can_read_the_report(pizza: Dialog) -> None:
    report = Report([run(pizza, "    - hangup\n"), run(pizza, '    - bot: "\\x07Mario"\n    - hangup\n')])
    root = ElementTree.fromstring(as_junit(report))
    (suite,) = root
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")
    told = suite[1].find("failure")
    assert told is not None
    assert "got" in (told.text or "")


def test_tests_stand_beside_their_dialog_or_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.test.yaml", "deep/b.test.yaml"):
        (tmp_path / name).write_text("conversation: x\ntalk: [hangup]\n")
    assert find_tests([tmp_path]) == [tmp_path / "a.test.yaml", tmp_path / "deep" / "b.test.yaml"]
    assert find_tests([tmp_path / "a.yaml"]) == [tmp_path / "a.test.yaml"]
    assert load_cases(tmp_path / "a.test.yaml")[0].dialog == tmp_path / "a.yaml"
    (tmp_path / "c.yaml").touch()
    with pytest.raises(UserError, match=r"c\.test\.yaml"):
        find_tests([tmp_path / "c.yaml"])
    with pytest.raises(UserError, match="no such dialog"):
        find_tests([tmp_path / "d.yaml"])


DOCS = Path(__file__).resolve().parents[4] / "docs" / "dialog-tests.md"
DIALOGS = DOCS.parents[1] / "dialogs"


def test_the_example_of_the_docs_passes() -> None:
    text = DOCS.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (case,) = parse_cases(text, DIALOGS / "appointment.test.yaml")
    assert run_case(case, load_dialog(case.dialog)).failures == []


def test_the_reference_and_the_schema_are_those_of_the_models() -> None:
    made = DOCS.read_text(encoding="utf-8").partition("<!-- made by scripts/references -->")[2].strip()
    assert made == reference_of_tests(), "run scripts/references"
    assert TESTS_SCHEMA.read_text(encoding="utf-8") == schema_of_tests(), "run scripts/references"


SHOP = parse_dialog(
    """\
dialog: shop
slots: {message: recording}
values: {state: text, found: number}
steps:
  hi: {ask: Which order?, choices: {mine: {hear: [mine], goto: look},
       note: {hear: [note], goto: leave}, talk: {hear: [talk], goto: free},
       hook: {hear: [hook], goto: run}}, failed: sorry}
  look: {fetch: {post: "{env.SHOP}/find", json: {who: "{call.number}"}, keep: {state: order.state}},
         failed: sorry}
  tell: {say: "It is {state}.", end: told}
  run: {hook: {name: count, with: {a: 2 + 1}, keep: {found: n}}, failed: sorry}
  ran: {say: "{found} found.", end: counted}
  leave: {say: Speak., record: true, fill: message, failed: sorry}
  left: {say: Thanks., end: left}
  free: {say: Ask me., llm: {about: You help., tools: {tell: They ask for it.}}, failed: sorry}
  sorry: {say: Sorry., end: sorry}
""",
    "shop.yaml",
)


@pytest.mark.parametrize(
    ("talk", "outcome"),
    [
        (
            "- caller: mine\n- fetch: {post: /find, sent: {who: '12'}, reply: {order: {state: late}}}\n"
            "- bot: late",
            "told",
        ),
        ("- caller: mine\n- fetch: {fail: timeout}", "sorry"),
        ("- caller: mine\n- fetch: {status: 500}", "sorry"),
        ("- caller: hook\n- hook: {name: count, with: {a: 3}, returns: {n: 7}}\n- bot: seven", "counted"),
        ("- caller: note\n- bot: Speak\n- records: 12s\n- bot: Thanks", "left"),
        (
            "- caller: talk\n- caller: where are you\n- model: A shop.\n- bot: A shop\n"
            "- caller: and mine\n- model: {uses: tell}",
            "told",
        ),
        ("- caller: mine\n- hangup", "hangup"),
    ],
)
def test_a_talk_answers_for_services_hooks_recorders_and_models(talk: str, outcome: str) -> None:
    lines = "".join(f"    {line}\n" for line in talk.splitlines())
    text = f"conversation: it\ncall: {{number: '12'}}\ntalk:\n{lines}outcome: {outcome}\n"
    (case,) = parse_cases(text, Path("shop.test.yaml"))
    assert run_case(case, SHOP).failures == []


def test_what_is_asked_of_a_service_is_checked() -> None:
    text = "conversation: it\ntalk:\n- caller: mine\n- fetch: {get: /find, sent: {who: x}, reply: {}}\n"
    (case,) = parse_cases(text, Path("shop.test.yaml"))
    address, sent = run_case(case, SHOP).failures
    assert (address.line, address.expected, address.got) == (4, "GET /find", "POST http://shop.example/find")
    assert (sent.expected, sent.got) == ('{"who": "x"}', '{"who": null}')


def test_stubs_answer_where_the_talk_does_not() -> None:
    text = """\
conversation: it
stubs: [{fetch: {post: /find, reply: {order: {state: sent}}}}]
talk: [caller: mine, bot: sent]
outcome: told
"""
    (case,) = parse_cases(text, Path("shop.test.yaml"))
    assert run_case(case, SHOP).failures == []
    (case,) = parse_cases(
        text.replace("[caller: mine,", "[caller: mine, fetch: {fail: x},")
        .replace("bot: sent", "bot: Sorry")
        .replace("told", "sorry"),
        Path("shop.test.yaml"),
    )
    assert run_case(case, SHOP).failures == []
