"""Category: integration. A small campaign by the command line: Asterisk, gateway, dialler, and who is called.

The callees are softphones behind a SIP trunk. One campaign goes through call files, one through AMI.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from _rig import Rig

from tests.contract.clocks import DAY, NIGHT, where
from voicebot.cli.campaign.status import over_of
from voicebot.config import load_config
from voicebot.softphone.callees import Callees, Manner
from voicebot.softphone.script import HangUp, Press, Say, StaySilent, WaitForBot, WaitForEnd
from voicebot.store.rows import Known
from voicebot.store.store import open_store

pytestmark = pytest.mark.integration

DATA = Path(__file__).resolve().parents[1] / "data"
COMMAND_TIMEOUT_S = 30.0
OVER_TIMEOUT_S = 40.0
LOOK_S = 0.1

DIALOG = """\
dialog: visit
outbound: true
goals: [coming]
needs: {first_name: name}
slots: {coming: yes_no}
steps:
  hello:
    say: This is the automated assistant of Green Clinic, 202 555 0100.
    ask: "{first_name}, will you come?"
    fill: coming
    goto: {coming: coming, not_coming: else}
  coming: {say: See you then., end: coming}
  not_coming: {say: Goodbye., end: not_coming}
"""
MESSAGE = """\
dialog: message
outbound: true
needs: {first_name: name}
steps:
  message: {say: "Hello {first_name}, this is Green Clinic, 202 555 0100. Please call us.", end: told}
"""
CAMPAIGN = """\
campaign: visit
dialog: visit.yaml
profile: us
caller: {number: "+12025550100", business: Green Clinic}
trunk: callees
columns:
  number: phone
  alternatives: [mobile]
  key: name
  zone: zone
  consent_at: agreed
  consent_by: who
  given: {first_name: name}
windows: [{from: "08:00", to: "21:00"}]
ring_s: 15
pacing: {calls_per_second: 5, concurrent: 8}
answering: {detector: voicebot, machine: message, message: message.yaml}
retries: {invalid: {after: 1s, at_most: 1, next_number: true}}
limits: {attempts: 3, per_day: 2}
"""
(DAY_PLACE, DAY_ZONE), (NIGHT_PLACE, NIGHT_ZONE) = where(DAY), where(NIGHT)
PEOPLE: dict[str, tuple[str, str, list[str]]] = {
    "Sara": (f"{DAY_PLACE}41", "", ["answered"]),
    "Tom": (f"{DAY_PLACE}42", "", ["opted_out"]),
    "Joe": (f"{DAY_PLACE}43", "", ["machine"]),
    "Ann": (f"{DAY_PLACE}44", "", ["busy"]),
    "Kim": (f"{DAY_PLACE}45", f"{DAY_PLACE}35", ["invalid", "answered"]),
    "Max": (f"{DAY_PLACE}46", "", ["rejected"]),
    "Eve": (f"{DAY_PLACE}47", "", []),
    "Lon": ("+442079460000", "", []),
    "Nina": (f"{NIGHT_PLACE}49", "", []),
}
"""Name -> number, a further one, and what shall become of each call."""
NINA = f"{NIGHT_PLACE}49"


def manners() -> dict[str, Manner]:
    voicemail = [
        StaySilent(0.5),
        Say(DATA / "greetings" / "joe-hi-this-is-joe-3c7c.wav"),
        StaySilent(0.3),
        Say(DATA / "greetings" / "joe-please-leave-a-message-0dfc.wav"),
        StaySilent(0.3),
        Say(DATA / "caller" / "tone.wav"),
        WaitForEnd(30.0),
    ]
    yes = [WaitForBot(), Say(DATA / "caller" / "yes.wav"), WaitForEnd(20.0)]
    return {
        f"{DAY_PLACE}41": Manner(ring_s=0.5, script=yes),
        f"{DAY_PLACE}42": Manner(ring_s=0.5, script=[WaitForBot(), Press("9"), WaitForEnd(20.0)]),
        f"{DAY_PLACE}43": Manner(ring_s=0.5, script=voicemail),
        f"{DAY_PLACE}44": Manner(refuse=486),
        f"{DAY_PLACE}45": Manner(refuse=404),
        f"{DAY_PLACE}35": Manner(ring_s=0.5, script=[Say(DATA / "caller" / "yes-this-is-she.wav"), *yes]),
        f"{DAY_PLACE}46": Manner(refuse=603),
    }


class Set:
    """Everything that runs, and an operator who types."""

    def __init__(self, rig: Rig, callees: Callees) -> None:
        self.rig, self.callees = rig, callees

    async def voicebot(self, *words: str, status: int = 0) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "voicebot", *words, "--config", str(self.rig.config_file)),
            cwd=self.rig.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            said, complaints = await process.communicate()
        assert process.returncode == status, complaints.decode()
        return said.decode()

    async def told(self, *words: str, status: int = 0) -> Any:
        return json.loads(await self.voicebot("campaign", *words, "--json", status=status))

    async def known(self, number: str) -> Known:
        """What the store knows of a number, without the wait for a command."""
        async with open_store(load_config(self.rig.config_file)) as store:
            return await store.why(number)

    async def dialled(self, calls: int) -> None:
        """Wait until so many calls have arrived."""
        async with asyncio.timeout(OVER_TIMEOUT_S):
            while True:
                if len(self.callees.dialled) >= calls:
                    return
                await asyncio.sleep(LOOK_S)

    async def until(self, name: str, over: int) -> Any:
        """Wait until so many contacts need no more calls, and nobody is on the line."""
        async with asyncio.timeout(OVER_TIMEOUT_S), open_store(load_config(self.rig.config_file)) as store:
            while True:
                status = await store.status(name, datetime.now(UTC))
                if over_of(status) >= over and not any(status.open.values()):
                    return await self.told("status", name)
                await asyncio.sleep(LOOK_S)

    def table(self, name: str, rows: list[tuple[str, str, str, str]]) -> None:
        """Write contacts: name, number, further number, zone."""
        with (self.rig.folder / name).open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(("name", "phone", "mobile", "zone", "agreed", "who"))
            out.writerows((*row, "2026-01-15", f"{row[0]}, by letter") for row in rows)


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Set]:
    talk = Manner(ring_s=0.3, script=[StaySilent(0.3), HangUp()])
    async with Callees(manners(), otherwise=talk) as callees:
        trunk = {"dial": f"PJSIP/caller/sip:{{number}}@127.0.0.1:{callees.port}", "calls_per_second": 20.0}
        rig = Rig(
            folder=tmp_path / "rig",
            changes={
                "dialling.enabled": True,
                "dialling.prefixes": ["+1", "+49"],
                "dialling.caller": "+12025550100",
                "dialling.business": "Green Clinic",
                "dialling.trunk": "callees",
                "trunks.callees": trunk,
            },
        )
        async with rig:
            for name, text in (("visit", DIALOG), ("message", MESSAGE), ("visit.campaign", CAMPAIGN)):
                (rig.folder / f"{name}.yaml").write_text(text)
            yield Set(rig, callees)


async def test_everybody_is_called_once_as_the_rules_allow(place: Set) -> None:
    rows = [
        (name, number, more, NIGHT_ZONE if number == NINA else DAY_ZONE)
        for name, (number, more, _) in PEOPLE.items()
    ]
    place.table("people.csv", rows)
    await place.told("create", "visit.campaign.yaml")
    assert (await place.told("import", "visit", "people.csv"))["new"] == len(PEOPLE)
    await place.told("do-not-call", "add", PEOPLE["Eve"][0], "--how", "by letter")
    await place.told("start", "visit")
    status = await place.until("visit", len(PEOPLE) - 1)  # for Nina it is night

    assert place.callees.failures == []
    assert status["dispositions"] == Counter(each for *_, became in PEOPLE.values() for each in became)
    assert status["outcomes"] == {"coming": 2, "opted_out": 1, "told": 1}
    assert status["goals"] == 2
    assert {"refused:opted_out", "refused:prefix_allowed", "deferred:quiet_hours"} <= status["rules"].keys()
    for number, more, became in PEOPLE.values():
        calls = [place.callees.dialled.count(each) for each in (number, more) if each]
        assert sum(calls) == len(became) and max(calls) <= 1, f"{number} was called {calls} times"
        known = [await place.known(each) for each in (number, more) if each]
        assert [str(each.disposition) for one in known for each in one.attempts] == became
    why = await place.voicebot("campaign", "why", NINA)
    assert "… quiet_hours: It is" in why and "never called; not to be called before" in why
    report = await place.told("report", "visit", "--csv", "r.csv", "--html", "r.html")
    assert (report["called"], report["goals"], report["contacts"]) == (6, 2, len(PEOPLE))
    with (place.rig.folder / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["key"]: row["outcome"] for row in csv.DictReader(file)}["Sara"] == "coming"
    person = json.loads(await place.voicebot("campaign", "export", PEOPLE["Sara"][0]))
    assert len(person["call_records"]) == 1
    erased = await place.told("erase", PEOPLE["Sara"][0], "--yes")
    assert (erased["contacts"], erased["files"] >= 1) == (1, True)
    assert all(each["sound"] for each in await place.told("audit"))


async def test_pause_opt_out_resume_by_ami_and_a_call_by_hand(place: Set) -> None:
    numbers = [f"{DAY_PLACE}{n}" for n in range(50, 66)]
    path = place.rig.folder / "visit.campaign.yaml"
    slower = CAMPAIGN.replace("calls_per_second: 5", "calls_per_second: 3")
    path.write_text(f"{slower}way: originate\n")
    place.table("people.csv", [(f"Ann {n}", number, "", DAY_ZONE) for n, number in enumerate(numbers)])
    await place.told("create", "visit.campaign.yaml")
    await place.told("import", "visit", "people.csv")
    await place.told("start", "visit")
    await place.dialled(2)
    assert (await place.told("pause", "visit"))["state"] == "paused"
    halfway = await place.until("visit", 1)
    assert halfway["over"] < len(numbers)
    last = numbers[-1]
    assert last not in place.callees.dialled
    await place.told("do-not-call", "add", last)

    followed = (
        "call",
        f"{DAY_PLACE}41",
        "--dialog",
        "visit.yaml",
        "--given",
        "first_name=Sara",
        "--asked",
        "her",
    )
    call = json.loads(await place.voicebot(*followed, "--follow", "--json"))
    assert (call["disposition"], call["outcome"]) == ("answered", "coming")
    assert len(place.callees.dialled) == halfway["over"] + 1, "nobody is called while it is paused"

    await place.told("resume", "visit")
    status = await place.until("visit", len(numbers))
    assert status["dispositions"] == {"answered": len(numbers) - 1}
    assert Counter(place.callees.dialled) == Counter([*numbers[:-1], f"{DAY_PLACE}41"])
    assert all(each["sound"] for each in await place.told("audit"))
