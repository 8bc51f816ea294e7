"""Simulator tests of imports: files on a disk, processes that judge, the real store in SQLite."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from voicebot.campaign.contact import ContactState
from voicebot.campaign.loading import load_campaign
from voicebot.errors import UserError
from voicebot.outbound.importing import run as importing
from voicebot.outbound.importing.numbers import read_numbers
from voicebot.outbound.importing.run import Progress, import_contacts
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import CampaignRow
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator

DIALOGS = Path(__file__).parents[2] / "dialogs"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEADER = "patient,first_name,phone,mobile,state,appointment,agreed_on,agreed_how"


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Store, CampaignRow]]:
    async with Store.open(f"sqlite:///{folder / 'store.db'}", patience_s=10) as store:
        campaign = load_campaign(DIALOGS / "reminder.campaign.yaml")
        yield store, await store.create_campaign(campaign, str(DIALOGS), NOW)


def table(folder: Path, rows: int, *more: str) -> Path:
    path = folder / "people.csv"
    lines = [f"{n},Ann,+1202555{n:04},,DC,2027-03-04 15:00,2026-01-01,form" for n in range(100, 100 + rows)]
    path.write_text("\n".join([HEADER, *lines, *more]) + "\n", encoding="utf-8")
    return path


async def test_a_file_is_added_once_and_its_bad_rows_come_back_mended(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        50,
        "7,=SUM(A1),=cmd,,DC,2027-03-04 15:00,2026-01-01,form",
        "100,Twice,+12025550300,,DC,2027-03-04 15:00,2026-01-01,form",
    )
    async with opened(tmp_path) as (store, campaign):
        first = await import_contacts(store, campaign, path, NOW)
        assert (first.rows, first.new, first.known, first.rejected) == (52, 50, 0, 2)
        again = await import_contacts(store, campaign, path, NOW)
        assert (again.new, again.known, again.rejected) == (0, 50, 2)
        assert first.rejected_file == again.rejected_file is not None
        assert [problem.line for problem in first.examples] == [52, 53]

        with first.rejected_file.open(encoding="utf-8-sig", newline="") as file:
            kept = list(csv.DictReader(file))
        assert [row["rejected_line"] for row in kept] == ["52", "53"]
        assert kept[0]["first_name"] == "'=SUM(A1)" and kept[0]["phone"] == "'=cmd"
        assert "line 2 has the same key" in kept[1]["rejected_reason"]
        mended = first.rejected_file.read_text(encoding="utf-8").replace("'=cmd", "+12025550301")
        first.rejected_file.write_text(mended.replace(",100,Twice", ",101x,Twice"), encoding="utf-8")
        second = await import_contacts(store, campaign, first.rejected_file, NOW)
        assert (second.new, second.rejected, second.rejected_file) == (2, 0, None)
        found = {contact.key: contact for contact in await store.contacts("reminder")}
        assert found["7"].given["first_name"] == "=SUM(A1)"
        assert len(found) == 52
        assert oct(first.rejected_file.stat().st_mode & 0o777) == "0o600"


async def test_a_file_that_is_being_mended_is_not_overwritten(tmp_path: Path) -> None:
    path = table(tmp_path, 1, "7,Bob,12,,DC,2027-03-04 15:00,2026-01-01,form")
    async with opened(tmp_path) as (store, campaign):
        first = await import_contacts(store, campaign, path, NOW)
        assert first.rejected_file is not None
        first.rejected_file.write_text("half mended", encoding="utf-8")
        second = await import_contacts(store, campaign, path, NOW)
        assert second.rejected_file == path.with_name("people.csv.rejected-2.csv")
        assert first.rejected_file.read_text(encoding="utf-8") == "half mended"
        assert not list(tmp_path.glob("*.part")) and not list(tmp_path.glob(".*.part"))


async def test_processes_judge_as_one_does_and_the_order_stays(tmp_path: Path) -> None:
    path = table(tmp_path, 4500, "7,Bob,12,,DC,2027-03-04 15:00,2026-01-01,form")
    seen: list[Progress] = []
    async with opened(tmp_path) as (store, campaign):
        done = await import_contacts(store, campaign, path, NOW, workers=2, progress=seen.append)
        assert (done.rows, done.new, done.rejected) == (4501, 4500, 1)
        keys = [contact.key for contact in await store.contacts("reminder", most=5000)]
        assert keys == [str(n) for n in range(100, 4600)]
        assert (await import_contacts(store, campaign, path, NOW, workers=0)).known == 4500
    assert [each.rows for each in seen] == sorted(each.rows for each in seen)
    assert seen[-1].done == seen[-1].size == path.stat().st_size


async def test_who_is_on_a_list_is_kept_as_refused(tmp_path: Path) -> None:
    path = table(tmp_path, 3, "9,Bob,+12025550400,+12025550401,DC,2027-03-04 15:00,2026-01-01,form")
    async with opened(tmp_path) as (store, campaign):
        await store.opt_out("+12025550101", "by letter", NOW)
        await store.opt_out("+12025550401", "by letter", NOW)  # the other number of somebody
        done = await import_contacts(store, campaign, path, NOW)
        assert (done.new, done.blocked) == (4, 2)
        states = {contact.key: contact.state for contact in await store.contacts("reminder")}
        assert states == {
            "100": ContactState.DUE,
            "101": ContactState.REFUSED,
            "102": ContactState.DUE,
            "9": ContactState.REFUSED,
        }
        entries = (await store.why("+12025550101")).entries
        assert any("opt-outs" in str(entry.payload) for entry in entries if entry.kind == "refused")
        assert (await import_contacts(store, campaign, path, NOW)).blocked == 2


async def test_an_import_that_was_cut_goes_on_where_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(tmp_path, 4500)
    monkeypatch.setattr(importing, "WAITS_S", (0.0, 0.0))
    async with opened(tmp_path) as (store, campaign):
        add, calls = store.add_contacts, 0

        async def fails(*args: object) -> object:
            nonlocal calls
            calls += 1
            if calls > 1:
                raise StoreUnavailable("the disk is full")
            return await add(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(store, "add_contacts", fails)
        with pytest.raises(UserError, match="the disk is full") as caught:
            await import_contacts(store, campaign, path, NOW)
        assert "nothing is added twice" in caught.value.problems[0].remedy
        monkeypatch.setattr(store, "add_contacts", add)
        done = await import_contacts(store, campaign, path, NOW)
        assert 0 < done.known < 4500 and done.new + done.known == 4500


async def test_a_list_of_numbers_is_read_with_or_without_a_header(tmp_path: Path) -> None:
    plain, columns = tmp_path / "plain.txt", tmp_path / "list.csv"
    plain.write_text("+12025550142\n(202) 555-0143\nnobody\n202.555.0142\n")
    columns.write_text("name;telephone\nAnn;2025550144\n")
    found = read_numbers(plain)
    async with opened(tmp_path) as (store, _):
        done = await store.import_list("national", found.numbers, NOW)
        assert (done.new, [problem.line for problem in found.rejected]) == (2, [3])
        await store.import_list("national", read_numbers(columns, column="Telephone").numbers, NOW)
        assert (await store.lists())[0].numbers == 3
    with pytest.raises(UserError, match="no column `phone`"):
        read_numbers(columns, column="phone")
    with pytest.raises(UserError, match="hold a number"):
        list(read_numbers(columns).numbers)
