"""From the text of a campaign file to a `Campaign`; all mistakes are told at once, with their places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from voicebot.campaign.attempt import NOT_DIALLED, Disposition
from voicebot.campaign.campaign import Campaign, Columns
from voicebot.campaign.faults import problems_of
from voicebot.dialog.loading.files import read_text
from voicebot.dialog.loading.yamlfile import Path as Place
from voicebot.dialog.loading.yamlfile import YamlFile, read_yaml
from voicebot.errors import Problem, UserError

SCHEMA = Path(__file__).with_name("schema.json")
"""The schema for editors, which campaign files name in their first line; written by `scripts/references`."""
SUFFIXES = (".campaign.yaml", ".campaign.yml")
"""Endings by which a folder's campaign files are told from its dialogs."""
BEGIN = "begin with `campaign: a-name`; see docs/campaign-files.md"
NEVER_AGAIN = NOT_DIALLED | {Disposition.OPTED_OUT, Disposition.INTERRUPTED}
"""What no entry of `retries` can change: these were no calls, or are never followed by one of ours."""


def load_campaign(path: Path) -> Campaign:
    """Read a campaign file. Raises UserError with every mistake in it, each with line and column.

    The dialog that it names is not looked at: whether a campaign may start is another question.
    """
    return parse_campaign(read_text(str(path), "campaign"), str(path))


def parse_campaign(text: str, source: str = "campaign.yaml") -> Campaign:
    """Read a campaign from text; `source` names it in messages. Raises UserError with every mistake."""
    yaml = read_yaml(text, source, what="campaign", remedy=BEGIN)
    problems = [_cut(yaml, path, source) for path in yaml.cut]
    try:
        campaign = Campaign.model_validate(yaml.data)
    except ValidationError as error:
        problems += problems_of(error, yaml, source)
    else:
        problems += [
            yaml.problem(place, what, remedy, source, "campaign") for place, what, remedy in _doubts(campaign)
        ]
    if problems:
        raise UserError(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return campaign


def _cut(yaml: YamlFile, path: Place, source: str) -> Problem:
    what = "a comment begins right behind this text"
    return yaml.problem(path, what, "quote the text, or put two spaces before the #", source, "comment")


def _doubts(campaign: Campaign) -> Iterator[tuple[Place, str, str]]:
    """Yield what no field can say of itself: (place, what is wrong, remedy)."""
    for name in ("starts", "ends"):
        at = getattr(campaign, name)
        if at is not None and at.tzinfo is None:
            yield (
                (name,),
                f"`{name}` has no time zone",
                f"write {at.isoformat(timespec='minutes')}+00:00 (UTC)",
            )
    begins, ends = campaign.starts, campaign.ends
    if begins and ends and begins.tzinfo and ends.tzinfo and begins >= ends:
        yield ("ends",), "`ends` is not after `starts`", "turn them round"
    for index, window in enumerate(campaign.windows):
        if window.begin >= window.end:
            what = f"the window from {window.begin:%H:%M} to {window.end:%H:%M} has no length"
            yield ("windows", index), what, "`to` is later on the same day; write two windows for a night"
    if campaign.dialog.startswith("/") or ".." in campaign.dialog.split("/"):
        yield ("dialog",), "the dialog is outside the campaign's folder", "put it beside the campaign file"
    if campaign.consent == "all" and not campaign.consent_note.strip():
        remedy = "write who agreed, when, and how it is known: the ledger keeps it"
        yield ("consent",), "`consent: all` needs a `consent_note`", remedy
    if campaign.consent == "column" and not (campaign.columns.consent_at and campaign.columns.consent_by):
        remedy = (
            "name the columns `consent_at` and `consent_by`, or write `consent: all` and a `consent_note`"
        )
        yield ("columns",), "no column tells when and how callees agreed to be called", remedy
    answering = campaign.answering
    if answering.machine == "message" and not answering.message:
        yield ("answering",), "`machine: message` needs a `message`", "name its dialog: `message: note.yaml`"
    if answering.message and answering.machine != "message":
        yield ("answering", "message"), "nothing leaves this message", "write `machine: message`"
    if answering.machine == "message" and answering.detector == "off":
        yield ("answering", "detector"), "nobody would hear the beep", "write `detector: voicebot`"
    for disposition in campaign.retries:
        if disposition in NEVER_AGAIN:
            what = f"`{disposition}` cannot have a retry"
            yield ("retries", disposition.value), what, "take it away: what follows it is fixed"
    if campaign.pacing.abandoned_brake > campaign.pacing.abandoned_stop:
        yield ("pacing", "abandoned_brake"), "it stops before it slows down", "brake below `abandoned_stop`"
    yield from _columns(campaign.columns)
    for name in sorted(campaign.given.keys() & campaign.columns.given.keys()):
        yield ("given", name), f"`{name}` has a column as well", "keep one: the same for all, or a column"


def _columns(columns: Columns) -> Iterator[tuple[Place, str, str]]:
    if not columns.number:
        yield ("columns", "number"), "`number` names no column", "name the column of the number to call"
    for index, name in enumerate(columns.alternatives):
        if not name:
            yield ("columns", "alternatives", index), "this names no column", "take it away"
        elif name.casefold() == columns.number.casefold():
            yield ("columns", "alternatives", index), "that is the first number already", "take it away"
    for need, name in columns.given.items():
        if not name:
            yield ("columns", "given", need), f"`{need}` names no column", f"write `{need}: {need}`"


def campaign_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of campaign files, for editors.

    A file's scalars are texts to us, but an editor reads numbers there: `number: +12025550142`.
    """
    schema = _for_editors(Campaign.model_json_schema(by_alias=True))
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**head, **schema, "title": "A campaign of voicebot"}


def schema_text() -> str:
    """Return the schema as it is kept beside this file."""
    return json.dumps(campaign_schema(), indent=1, ensure_ascii=False) + "\n"


def _for_editors(value: Any) -> Any:
    if isinstance(value, list):
        return [_for_editors(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: _for_editors(each) for key, each in value.items()}
    if found.get("type") == "string" and "enum" not in found and "const" not in found:
        if found.get("format") == "duration":
            del found["format"]
            found["pattern"] = "^[0-9]+(\\.[0-9]+)?[smhd]$"
        else:
            found["type"] = ["string", "number"]
        if found.get("format") in ("time", "date-time"):
            del found["format"]  # 09:00 is enough for us
    return found
