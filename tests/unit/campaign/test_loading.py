"""Unit tests of campaign files: every mistake is told with its place; what a file says is understood."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import jsonschema
import pytest

from voicebot.campaign.attempt import Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.loading import SCHEMA, campaign_schema, load_campaign, parse_campaign, schema_text
from voicebot.campaign.reference import campaign_reference
from voicebot.cli.dialog.files import dialogs_in
from voicebot.errors import Problem, UserError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "dialogs").rglob("*.campaign.yaml"))
SMALL = """\
campaign: reminder
dialog: reminder.yaml
profile: us
caller: {number: "+12025550100", business: Green Clinic}
trunk: main
consent: all
consent_note: Patients agreed in writing at their first visit.
"""


def told(text: str) -> dict[tuple[int | None, int | None], Problem]:
    with pytest.raises(UserError) as caught:
        parse_campaign(text)
    return {(problem.line, problem.column): problem for problem in caught.value.problems}


def test_a_file_becomes_a_campaign() -> None:
    campaign = parse_campaign(
        SMALL
        + "windows: [{days: [mon, tue], from: 09:00, to: '17:30'}]\n"
        + "retries: {busy: {after: 10m, at_most: 1}}\n"
        + "starts: 2027-03-01T09:00+01:00\n"
        + "given: {times: 3}\n"
    )
    assert campaign.windows[0].begin == time(9)
    assert campaign.windows[0].end == time(17, 30)
    assert campaign.retries[Disposition.BUSY].after == timedelta(minutes=10)
    assert campaign.starts == datetime(2027, 3, 1, 8, tzinfo=UTC)
    assert campaign.given == {"times": "3"}


def test_all_mistakes_are_told_at_once_with_their_places() -> None:
    found = told(
        """\
campaign: Reminder March
dialgo: reminder.yaml
profile: usa
caller: {number: 12025550100, business: Green Clinic}
trunk: PJSIP/x@trunk
windows:
  - {days: [mon, friday], from: 9, to: '17:30'}
pacing: {cps: 4, concurrent: many}
retries:
  busi: {after: 10 minutes}
limits: 3
ring_s: 5
prefixes: +1
starts: tomorrow
"""
    )
    remedies = {place: problem.remedy for place, problem in found.items()}
    assert "`dialog` is missing" in found[1, 1].what
    assert "did you mean `dialog`?" in remedies[2, 1]
    assert "did you mean `us`?" in remedies[3, 10]
    assert "+12025550100" in remedies[4, 18]
    assert "{number}" in found[5, 8].what
    assert "did you mean `fri`?" in remedies[7, 18]
    assert "'09:00'" in remedies[7, 33]
    assert "did you mean `calls_per_second`?" in remedies[8, 10]
    assert "whole number" in found[8, 30].what
    assert "did you mean `busy`?" in remedies[10, 3]
    assert "10m" in found[10, 17].what
    assert "keys and values" in found[11, 9].what
    assert remedies[12, 9] == "at least 15"
    assert remedies[13, 11] == "write [+1]"
    assert (14, 9) in found
    assert len(found) == 16  # and the name in line 1, and nothing else


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("starts: 2027-03-01T09:00", "no time zone"),
        ("starts: 2027-03-02T09:00Z\nends: 2027-03-01T09:00Z", "not after"),
        ("windows: [{from: '20:00', to: '08:00'}]", "no length"),
        ("retries: {opted_out: {after: 1d}}", "cannot have a retry"),
        ("answering: {machine: message}", "needs a `message`"),
        ("answering: {machine: message, message: note.yaml, detector: off}", "hear the beep"),
        ("columns: {alternatives: [Number]}", "first number already"),
        ("given: {a: 1}\ncolumns: {given: {a: a}}", "column as well"),
        ("given: {<<: {a: 1}}", "merge key"),
        ("record: maybe", "neither true nor false"),
    ],
)
def test_what_cannot_be_meant_is_told(line: str, words: str) -> None:
    assert any(words in problem.what for problem in told(f"{SMALL}{line}\n").values())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("consent: all", "consent: column", "agreed to be called"),
        ("consent_note: Patients agreed in writing at their first visit.", "", "consent_note"),
        ("dialog: reminder.yaml", "dialog: ../reminder.yaml", "outside"),
    ],
)
def test_what_is_missing_together_is_told(old: str, new: str, words: str) -> None:
    found = told(SMALL.replace(old, new))
    assert any(words in f"{problem.what} {problem.remedy}" for problem in found.values())


@pytest.mark.parametrize("text", ["", "- a\n", "campaign: a\n---\nb: c\n", "a: &x 1\nb: *x\n", "\x00"])
def test_what_is_no_campaign_is_refused(text: str) -> None:
    assert told(text)


def test_shipped_campaigns_are_right_and_fit_the_schema_for_editors() -> None:
    from ruamel.yaml import YAML

    validator = jsonschema.Draft202012Validator(campaign_schema())
    assert SHIPPED
    for path in SHIPPED:
        load_campaign(path)
        seen = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        validator.validate(json.loads(json.dumps(seen, default=str)))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"campaign": "x"})


def test_the_guides_example_is_right() -> None:
    guide = (ROOT / "docs" / "campaign-files.md").read_text(encoding="utf-8")
    example = guide.partition("```yaml\n")[2].partition("```")[0]
    assert parse_campaign(example).campaign == "reminder"


def test_a_folder_of_dialogs_may_hold_campaigns() -> None:
    dialogs = list(dialogs_in([ROOT / "dialogs"]))
    assert dialogs and not set(dialogs) & set(SHIPPED)


def test_schema_and_reference_are_those_of_the_model() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "run scripts/references"
    written = (ROOT / "docs" / "campaign-files.md").read_text(encoding="utf-8")
    assert written.endswith(f"{campaign_reference()}\n"), "run scripts/references"
    for name in Campaign.model_fields:
        assert f"| `{name}` |" in written


@pytest.mark.parametrize(
    "name", ["a\\nb", 'a\\"b', "a<b>", "a; b", "a #b", "\\u202eb", "a\\\\b", "\\x1b[2J", "가" * 30]
)
def test_a_callers_name_that_asterisk_would_misread_is_told_before_the_first_call(name: str) -> None:
    found = told(SMALL.replace("business:", f'name: "{name}", business:'))
    assert found
