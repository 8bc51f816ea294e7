"""Unit: the campaign commands on a temporary SQLite file; nobody dials."""

from __future__ import annotations

import json
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.clocks import NIGHT, where
from tests.unit.cli.prompt import EVE, SARA, TOM, Operator
from voicebot.campaign.attempt import AnsweredBy, CallResult, DialResult, Disposition
from voicebot.store.store import Store

pytestmark = pytest.mark.unit


def test_every_command_can_be_repeated(operator: Operator) -> None:
    operator.ready()
    assert operator.told("create", str(operator.folder / "visit.campaign.yaml"))["state"] == "running"
    again = operator.told("import", "visit", str(operator.folder / "people.csv"))
    assert (again["new"], again["known"]) == (0, 3)
    for word, state in (
        ("start", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("stop", "stopped"),
    ):
        assert operator.told(word, "visit")["state"] == state
        assert operator.told(word, "visit")["state"] == state if word != "start" else True
    assert "stopped for good" in operator.refused("campaign", "start", "visit")
    kinds = [entry.kind for entry in operator.store(_ledger)]
    assert kinds.count("state") == 4, "a repeated command told nothing new"


async def _ledger(store: Store) -> list[object]:
    return [entry async for entry in store.entries("visit")]


@pytest.mark.parametrize(
    "words",
    [
        ("status",), ("start",), ("pause",), ("resume",), ("stop",), ("report",), ("release",),
        ("simulate",), ("audit",), ("import",),
    ],
)  # fmt: skip
def test_an_unknown_campaign_offers_the_near_one(operator: Operator, words: tuple[str, ...]) -> None:
    operator.ready()
    more = (str(operator.folder / "people.csv"),) if words == ("import",) else ()
    assert "did you mean `visit`?" in operator.refused("campaign", *words, "vist", *more)


def test_a_wrong_campaign_file_tells_line_and_remedy(operator: Operator) -> None:
    path = operator.folder / "visit.campaign.yaml"
    path.write_text(
        path.read_text().replace("profile: us", "profile: usa").replace("trunk: main", "trunk: mian")
    )
    told = operator.refused("campaign", "create", str(path))
    assert f"{path}:3:" in told and "did you mean `us`?" in told
    path.write_text(path.read_text().replace("profile: usa", "profile: us"))
    checked = operator.campaign("check", str(path))
    assert checked.exit_code == 2 and "there is no trunk `mian`" in checked.stdout
    assert "no such file" in operator.refused("campaign", "create", str(operator.folder / "no.yaml")).lower()


def test_values_that_no_dialog_needs_are_warned_of(operator: Operator) -> None:
    path = operator.folder / "visit.campaign.yaml"
    path.write_text(path.read_text().replace("{first_name: name}", "{first_name: name, firstname: name}"))
    assert "did you mean `first_name`?" in operator.campaign("check", str(path)).stdout


def test_start_refuses_what_would_halt_at_the_first_call(operator: Operator) -> None:
    path = operator.folder / "visit.campaign.yaml"
    path.write_text(path.read_text() + "do_not_call: [national, ours]\n")
    operator.campaign("create", str(path))
    told = operator.refused("campaign", "start", "visit")
    assert "`national` was never imported" in told and "`ours` was never imported" in told
    numbers = operator.folder / "numbers.txt"
    numbers.write_text(f"{SARA}\n")
    for name in ("national", "ours"):
        operator.campaign("do-not-call", "import", name, str(numbers), "--max-age", "1")

    async def older(store: Store) -> None:
        await store.import_list("ours", [SARA], datetime.now(UTC) - timedelta(days=3), max_age_days=1)

    operator.store(older)
    told = operator.refused("campaign", "start", "visit")
    assert "`ours`" in told and "older than 1 day" in told and "national" not in told


def test_status_tells_what_is_next_and_why_it_stands_still(operator: Operator) -> None:
    assert "no campaigns yet" in operator.campaign("status").stdout
    operator.ready()
    one = operator.campaign("status", "visit").stdout
    assert "0 of 3" in one and "none: run `voicebot serve`" in one
    operator.campaign("pause", "visit", "--why", "lunch")
    assert "lunch" in operator.campaign("status").stdout
    assert "campaign resume visit" in operator.campaign("status", "visit").stdout
    assert not any(line.endswith(" ") for line in operator.campaign("status", "visit").stdout.splitlines())


def test_an_explanation_is_made_of_sentences(operator: Operator) -> None:
    operator.ready()
    operator.campaign("do-not-call", "add", TOM, "--how", "a letter")
    order = next(each for each in operator.claim().orders if each.number == SARA)
    at = datetime.now(UTC)

    async def talk(store: Store) -> None:
        await store.close_dial(DialResult(order.attempt, Disposition.ANSWERED, at, 16, 200, "SIP 200 OK"))
        await store.finish_call(
            CallResult(
                order.attempt, at, at + timedelta(seconds=12), AnsweredBy.PERSON, "coming", True,
                first_audio_ms=40, slots={"coming": True}, record="abc",
            )
        )  # fmt: skip

    operator.store(talk)
    tom, sara = operator.campaign("why", TOM).stdout, operator.campaign("why", SARA).stdout
    assert "they may not be called, by the rules opted_out and consent" in tom
    assert "How: a letter." in tom and "47 CFR 64.1200" in tom
    assert "They heard us 40 ms after they answered." in sara and "They told: coming = yes." in sara
    assert "Consent: the desk, 2026-01-15, informational, not written; recorded in people.csv:2." in sara
    assert "{" not in tom + sara and "[]" not in tom + sara
    assert "✓ attempts: They were called 0 times of 3." in operator.campaign("why", SARA, "--all").stdout
    assert operator.told("why", SARA)["attempts"][0]["disposition"] == "answered"
    unknown = operator.campaign("why", "+12025550199")
    assert unknown.exit_code == 1 and "Nothing is known" in unknown.stdout


def test_rules_are_counted_by_what_they_decided(operator: Operator) -> None:
    _, zone = where(NIGHT)
    operator.table([("+442079460000", "Lon")], zone=zone)
    operator.ready()
    assert operator.claim().refused == 1
    assert operator.told("status", "visit")["rules"] == {"refused:prefix_allowed": 1}


def test_the_night_puts_off(operator: Operator) -> None:
    place, zone = where(NIGHT)
    nina = f"{place}49"
    operator.table([(nina, "Nina")], zone=zone)
    operator.ready()
    assert operator.claim().deferred == 1
    told = operator.campaign("why", nina).stdout
    assert "… quiet_hours: It is" in told and "never called; not to be called before" in told
    assert operator.told("status", "visit")["rules"] == {"deferred:quiet_hours": 1, "deferred:windows": 1}


def test_a_simulation_counts_people(operator: Operator) -> None:
    operator.ready()
    operator.campaign("do-not-call", "add", TOM)
    told = operator.told("simulate", "visit")
    assert (told["contacts"], told["barred"]) == (2, 1)
    assert "2 may be called, 1 may not" in operator.campaign("simulate", "visit").stdout


def test_an_audit_finds_what_was_changed_and_what_is_gone(operator: Operator, tmp_path: Path) -> None:
    operator.ready()
    operator.claim()
    assert "cannot be written" in operator.refused("campaign", "audit", "--save", "/nowhere/heads.json")
    heads = tmp_path / "heads.json"
    assert operator.campaign("audit", "--save", str(heads)).exit_code == 0
    assert stat.S_IMODE(heads.stat().st_mode) == 0o600
    kept = heads.read_text()
    with sqlite3.connect(operator.folder / "var" / "voicebot.db") as database:
        database.execute(
            "UPDATE ledger SET payload = replace(payload, 'desk', 'door') WHERE kind = 'claimed'"
        )
    changed = operator.campaign("audit", "visit", "--save", str(heads))
    assert changed.exit_code == 1 and "its digest does not fit" in changed.stdout
    assert heads.read_text() == kept, "heads of what was changed replace no good ones"
    heads.write_text(json.dumps([*json.loads(kept), {"campaign": "autumn", "seq": 7, "hash": "0" * 64}]))
    gone = operator.told("audit", "--anchors", str(heads))
    assert [each["sound"] for each in gone if each["campaign"] == "autumn"] == [False]
    assert "holds no heads" in operator.refused("campaign", "audit", "--anchors", str(operator.config))


def test_a_report_is_summed_up_and_written(operator: Operator, tmp_path: Path) -> None:
    operator.ready()
    page, table = tmp_path / "r.html", tmp_path / "r.csv"
    result = operator.campaign("report", "visit", "--html", str(page), "--csv", str(table))
    assert result.exit_code == 0 and "contacts" in result.stdout
    assert "<svg" in page.read_text() or "<html" in page.read_text()
    assert len(table.read_text().splitlines()) == 4
    assert operator.told("report", "visit")["contacts"] == 3
    both = operator.refused("campaign", "report", "visit", "--html", str(page), "--csv", str(page))
    assert "a file each" in both


def test_a_person_is_exported_and_forgotten(operator: Operator, tmp_path: Path) -> None:
    operator.ready()
    operator.claim()
    path = tmp_path / "sara.json"
    assert operator.campaign("export", SARA, "--to", str(path)).exit_code == 0
    assert json.loads(path.read_text())["contacts"][0]["given"] == {"first_name": "Sara"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "nobody agreed" in operator.refused("campaign", "erase", SARA)
    assert operator.campaign("erase", SARA, text="n\n").exit_code == 1
    assert operator.told("erase", SARA, "--yes")["contacts"] == 1
    told = operator.campaign("why", SARA).stdout
    assert "What was told here was erased." in told and "They were forgotten on" in told
    assert "Sara" not in told and "the desk" not in told
    assert operator.campaign("audit").exit_code == 0


def test_lists_stay_as_strict_as_they_were(operator: Operator) -> None:
    numbers = operator.folder / "numbers.txt"
    numbers.write_text(f"{SARA}\nnonsense\n{TOM}\n")
    operator.campaign("do-not-call", "import", "national", str(numbers), "--max-age", "31")
    again = operator.campaign("do-not-call", "import", "national", str(numbers))
    assert "0 new, 2 known" in again.stdout and "numbers.txt:2" in again.stderr
    (row,) = operator.told("do-not-call", "list")
    assert (row["max_age_days"], row["numbers"], row["stale"]) == (31, 2, False)
    assert "cannot be a list's name" in operator.refused(
        "campaign", "do-not-call", "import", "A B", str(numbers)
    )


def test_an_opt_out_is_undone_once(operator: Operator) -> None:
    operator.campaign("do-not-call", "add", EVE)
    removed = [operator.told("do-not-call", "remove", EVE, "--how", "a mistake")["removed"] for _ in range(2)]
    assert removed == [True, False]


def test_who_is_held_waits_for_a_person(operator: Operator) -> None:
    operator.ready()
    orders = operator.claim().orders

    async def crash(store: Store) -> None:
        for order in orders:
            await store.give_up(order.attempt, Disposition.INTERRUPTED, datetime.now(UTC), "a crash")

    operator.store(crash)
    shown = operator.campaign("release", "visit")
    assert SARA in shown.stdout and "3 people held" in shown.stdout
    assert "campaign release visit" in operator.campaign("status", "visit").stdout
    assert operator.told("release", "visit", "0", "nobody", "--drop") == {
        "held": ["0"], "not_held": ["nobody"], "changed": 1,
    }  # fmt: skip
    assert operator.told("release", "visit", "--call")["changed"] == 2
    assert operator.told("release", "visit", "--call")["changed"] == 0
    assert "opposite" in operator.refused("campaign", "release", "visit", "--call", "--drop")
    assert operator.told("status", "visit")["contacts"] == {
        "due": 2, "busy": 0, "done": 0, "refused": 1, "held": 0,
    }  # fmt: skip


def test_a_store_that_is_away_is_another_status_than_a_mistake(operator: Operator) -> None:
    text = operator.config.read_text()
    operator.config.write_text(f'{text}[store]\nurl = "postgresql://nobody@127.0.0.1:1/none"\n')
    away = operator.campaign("status")
    assert away.exit_code == 75 and "try again" in away.stderr
