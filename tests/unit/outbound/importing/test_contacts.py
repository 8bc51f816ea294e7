"""Unit tests of rows: what a row says becomes a contact, and all that is wrong with it is told at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voicebot.campaign.campaign import Campaign
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.errors import UserError
from voicebot.outbound.importing.columns import Plan, plan_of
from voicebot.outbound.importing.contacts import Fault, contacts_of
from voicebot.outbound.importing.table import Row
from voicebot.store.rows import NewContact

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DIALOG = parse_dialog(
    """\
dialog: reminder
language: en-US
needs:
  name: {type: name}
  at: {type: datetime}
  fee: {type: money, default: "0"}
  pin: {type: digits, default: "0", sensitive: true}
steps:
  hi: {say: "Hello {name}, {at|date} {fee} {pin}.", end: done}
"""
)
HEADER = ["Phone", "Mobile", "Name", "When", "Fee", "Pin", "Zone", "Due", "Agreed", "How", "Prio", "Id"]
ROW = {
    "Phone": "(202) 555-0142",
    "Name": "Ann",
    "When": "2027-03-04 15:00",
    "Agreed": "2026-01-01",
    "How": "form",
    "Id": "17",
}


def campaign(**columns: Any) -> Campaign:
    given = {"name": "name", "at": "when", "fee": "fee", "pin": "pin"}
    roles = {
        "number": "phone",
        "alternatives": ["mobile"],
        "zone": "zone",
        "due": "due",
        "consent_at": "agreed",
        "consent_by": "how",
        "priority": "prio",
        "key": "id",
        "given": given,
    }
    return Campaign.model_validate(
        {
            "campaign": "reminder",
            "dialog": "reminder.yaml",
            "profile": "us",
            "caller": {"number": "+12025550100", "business": "Green Clinic"},
            "trunk": "main",
            "columns": {**roles, **columns},
        }
    )


PLAN = plan_of(campaign(), DIALOG, HEADER, "table.csv", NOW)


def read(plan: Plan = PLAN, **cells: str) -> tuple[NewContact | None, tuple[Fault, ...]]:
    row = {**ROW, **cells}
    batch = contacts_of(plan, [Row(7, [row.get(name, "") for name in HEADER])])
    return (batch.contacts or [None])[0], dict(batch.rejected).get(0, ())


def test_a_row_becomes_a_contact() -> None:
    contact, faults = read(Mobile="+49 30 901820", Fee="12.50", Prio="3", Zone="America/Denver")
    assert faults == ()
    assert contact is not None and contact.consent is not None
    assert (contact.key, contact.numbers) == ("17", ("+12025550142", "+4930901820"))
    assert contact.zones == ("America/Denver", "Europe/Berlin")
    assert contact.given == {"name": "Ann", "at": "2027-03-04T15:00:00", "fee": "12.50"}
    assert (contact.due, contact.priority, contact.line) == (NOW, 3, 7)
    assert contact.consent.at == datetime(2026, 1, 1, 7, tzinfo=UTC)  # midnight in Denver
    assert (contact.consent.by, contact.consent.source) == ("form", "table.csv:7")


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    contact, faults = read(
        Phone="=cmd|' /C calc'!A0", When="soon", Fee="1,2,3", Prio="high", Agreed="", Zone="Mars/Base", Id=""
    )
    assert contact is None
    assert {fault.column for fault in faults} == {"Phone", "When", "Fee", "Zone", "Prio", "Agreed", "Id"}
    assert all(fault.remedy for fault in faults)


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("Phone", "", "no number"),
        ("Phone", "1-800-FLOWERS", "`F`"),
        ("Phone", "1.20256E+10", "spreadsheet"),
        ("Phone", "+12025550142\n+12025550143", "U+000A"),
        ("Phone", "+12025550142;ext=7", "extension"),
        ("Phone", "\x00+12025550142", "U+0000"),
        ("Mobile", "12", "too"),
        ("Name", "", "needs `name`"),
        ("Name", "x" * 501, "longer than 500"),
        ("Name", "Zo\udceb", "no text"),
        ("Name", "Zo\ufffd", "no text"),
        ("When", "03/04/2027 3pm", "no datetime"),
        ("Zone", "Mars/Base", "no time zone"),
        ("Due", "tomorrow", "no day"),
        ("Agreed", "2030-01-01", "still to come"),
        ("Agreed", "May", "no day"),
        ("How", "", "no record"),
        ("Prio", "1e9", "no whole number"),
        ("Id", "a\x1bb", "control character"),
    ],
)
def test_a_wrong_cell_is_told_with_its_column(column: str, cell: str, words: str) -> None:
    contact, faults = read(**{column: cell})
    assert contact is None
    assert [(fault.column, words in fault.reason) for fault in faults] == [(column, True)]


def test_a_sensitive_value_is_not_repeated() -> None:
    _, faults = read(Pin="12ab")
    assert [fault.reason for fault in faults] == ["the value is no digits"]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("=1+1", "=1+1"),
        ("'=1+1", "=1+1"),
        ("'Ann'", "'Ann'"),
        ("two\nlines\x07; and `more`", "two lines ; and `more`"),
    ],
)
def test_texts_are_kept_as_they_are_in_one_line(cell: str, name: str) -> None:
    contact, _ = read(Name=cell)
    assert contact is not None
    assert contact.given["name"] == name


def test_times_without_a_zone_are_the_callees() -> None:
    contact, _ = read(Phone="+12125550142", Due="2027-03-01 09:00", Zone="America/New_York")
    assert contact is not None
    assert contact.due == datetime(2027, 3, 1, 14, tzinfo=UTC)
    contact, _ = read(Phone="+18005550142", Due="2027-03-01 09:00")  # anywhere in America: the latest of all
    assert contact is not None and len(contact.zones) > 1
    assert contact.due > datetime(2027, 3, 1, 17, tzinfo=UTC)


def test_with_several_numbers_they_may_be_where_any_of_them_is() -> None:
    contact, _ = read(Phone="+12125550142", Mobile="+13105550143")
    assert contact is not None
    assert contact.zones == ("America/New_York", "America/Los_Angeles")


def test_consent_of_today_is_not_still_to_come_where_the_day_began_earlier() -> None:
    contact, _ = read(Agreed=(NOW + timedelta(hours=14)).date().isoformat())
    assert contact is not None and contact.consent is not None
    assert contact.consent.at <= NOW


def test_one_consent_may_cover_all_and_a_row_may_have_its_own() -> None:
    settings = campaign().model_copy(update={"consent": "all", "consent_note": "at the first visit"})
    plan = plan_of(settings, DIALOG, HEADER, "table.csv", NOW)
    without, own = read(plan, Agreed="", How="")[0], read(plan)[0]
    assert without is not None and without.consent is None
    assert own is not None and own.consent is not None and own.consent.by == "form"
    assert [fault.column for fault in read(plan, How="")[1]] == ["How"]  # half a record is none


@pytest.mark.parametrize("cells", [[], ["+12025550142"], ["x"] * (len(HEADER) + 1)])
def test_a_row_of_the_wrong_length_is_told(cells: list[str]) -> None:
    batch = contacts_of(PLAN, [Row(7, cells)])
    assert f"has {len(cells)} cells, the header has {len(HEADER)}" in batch.rejected[0][1][0].reason


def test_without_a_key_a_row_is_known_by_what_it_says() -> None:
    plan = plan_of(campaign(key=""), DIALOG, HEADER, "table.csv", NOW)
    one, other = read(plan)[0], read(plan, Name="Bob")[0]
    again = read(plan, Phone="202.555.0142", Prio="3")[0]
    assert one is not None and other is not None and again is not None
    assert one.key == again.key != other.key


def test_all_missing_columns_are_told_at_once_with_near_names() -> None:
    header = ["Telephone", "Mobil", "Name", "name", "When", "Fee", "Pin", "Zone", "Due", "Agreed", "How"]
    with pytest.raises(UserError) as caught:
        plan_of(campaign(), DIALOG, header, "table.csv", NOW)
    told = [f"{problem.what} — {problem.remedy}" for problem in caught.value.problems]
    assert told[0] == "there is no column `phone` — did you mean `Telephone`?"
    assert told[1] == "there is no column `mobile` — did you mean `Mobil`?"
    assert any("`name` is there 2 times: 3, 4" in line for line in told)
    assert any("no column `prio`" in line for line in told)
    assert any("no column `id`" in line for line in told)


def test_a_table_without_a_header_is_told() -> None:
    with pytest.raises(UserError, match="does not name the columns"):
        plan_of(campaign(), DIALOG, ["+12025550142", "Ann"], "table.csv", NOW)


def test_what_the_dialog_needs_and_what_is_given_must_fit() -> None:
    with pytest.raises(UserError) as caught:
        plan_of(campaign(given={"nam": "name", "at": "when"}), DIALOG, HEADER, "table.csv", NOW)
    told = "\n".join(str(problem) for problem in caught.value.problems)
    assert "does not need `nam`" in told and "did you mean `name`?" in told
    assert "needs `name` (name), and no column gives it" in told
