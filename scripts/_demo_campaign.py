"""A campaign calls six people through a real Asterisk: `scripts/demo --campaign`.

They are callees of the softphone at the far end of a SIP trunk: one keeps the appointment, one wants no more
calls, one has a voicemail, one is busy, one number does not exist, and one has opted out before.

Exit status: 0 everybody was treated as they should be, 1 somebody was not, 2 the set-up failed.
"""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from _rig import PROJECT, Rig, RigFault
from rich.console import Console

from voicebot.softphone.callees import Callees, Manner
from voicebot.softphone.script import Press, Say, StaySilent, WaitForBot, WaitForEnd

CALLER = PROJECT / "tests" / "data" / "caller"
GREETINGS = PROJECT / "tests" / "data" / "greetings"
COMMAND_TIMEOUT_S = 60.0
OVER_TIMEOUT_S = 120.0
LOOK_S = 0.5
PLACES = (
    ("+120255501", "Pacific/Guam"),
    ("+120255501", "America/New_York"),
    ("+120255501", "Pacific/Honolulu"),
    ("+493023125", "Europe/Berlin"),
)
"""Beginnings of numbers, each with a time zone of its country. One of them has day at any time: the demo may
be run at night."""
DAY = range(9, 20)
PLACE, ZONE = next(place for place in PLACES if datetime.now(ZoneInfo(place[1])).hour in DAY)

CAMPAIGN = """\
campaign: check_up
dialog: check_up.yaml
profile: us
caller: {number: "+12025550100", business: Green Street Clinic}
trunk: demo
columns:
  number: phone
  zone: zone
  consent_at: agreed
  consent_by: who
  given: {first_name: name, day: day}
windows: [{from: "08:00", to: "21:00"}]
pacing: {calls_per_second: 2, concurrent: 3}
answering: {detector: voicebot, machine: message, message: check_up_message.yaml}
retries: {busy: {after: 1h, at_most: 1}}
"""
PEOPLE = {
    f"{PLACE}41": ("Sara", "answered"),
    f"{PLACE}42": ("Tom", "opted_out"),
    f"{PLACE}43": ("Joe", "machine"),
    f"{PLACE}44": ("Ann", "busy"),
    f"{PLACE}45": ("Bob", "invalid"),
    f"{PLACE}46": ("Eve", ""),
}
"""Number -> name, and what shall become of the call; "" for who may not be called."""


def manners() -> dict[str, Manner]:
    """Return what each number does when it is called."""
    voicemail = [
        StaySilent(0.5),
        Say(GREETINGS / "joe-hi-this-is-joe-3c7c.wav"),
        StaySilent(0.4),
        Say(GREETINGS / "joe-please-leave-a-message-0dfc.wav"),
        StaySilent(0.4),
        Say(CALLER / "tone.wav"),
        WaitForEnd(60.0),
    ]
    return {
        f"{PLACE}41": Manner(
            ring_s=1.0,
            script=[
                Say(CALLER / "yes-this-is-she.wav"),
                WaitForBot(),
                Say(CALLER / "yes.wav"),
                WaitForEnd(30.0),
            ],
        ),
        f"{PLACE}42": Manner(ring_s=1.5, script=[WaitForBot(), Press("9"), WaitForEnd(30.0)]),
        f"{PLACE}43": Manner(ring_s=1.0, script=voicemail),
        f"{PLACE}44": Manner(refuse=486),
        f"{PLACE}45": Manner(refuse=404),
    }


async def demonstrate(out: Console, tell: Any, *, as_json: bool) -> int:
    """Run the demo; return the exit status."""
    async with Callees(manners()) as callees:
        rig = Rig(
            arguments=["--talk"],
            changes={
                "dialling.enabled": True,
                "dialling.prefixes": ["+1", "+49"],
                "trunks.demo.dial": f"PJSIP/caller/sip:{{number}}@127.0.0.1:{callees.port}",
                "trunks.demo.concurrent": 3,
            },
            tell=tell,
            heard=lambda line: out.print(line, highlight=False, markup=False, soft_wrap=True),
        )
        async with rig:
            _write(rig.folder)
            for words in (
                ("create", "check_up.campaign.yaml"),
                ("import", "check_up", "people.csv"),
                ("do-not-call", "add", f"{PLACE}46", "--how", "told the desk"),
                ("simulate", "check_up"),
                ("start", "check_up"),
            ):
                out.print(f"[bold]$ voicebot campaign {' '.join(words)}[/]", highlight=False)
                out.print(await _voicebot(rig, *words), highlight=False, markup=False, end="")
            status = await _until_over(rig)
            for words in (("status", "check_up"), ("why", f"{PLACE}46"), ("audit",)):
                out.print(f"[bold]$ voicebot campaign {' '.join(words)}[/]", highlight=False)
                out.print(await _voicebot(rig, *words), highlight=False, markup=False, end="")
            page = PROJECT / "var" / "demo-campaign.html"
            page.parent.mkdir(exist_ok=True)
            await _voicebot(rig, "report", "check_up", "--html", str(page))
            tell(f"· the report: {page}")
            wrong = await _wrong(rig, callees)
        for line in wrong:
            out.print(f"[red]{line}[/]", highlight=False)
        if as_json:
            print(
                json.dumps({"status": status, "dialled": callees.dialled, "wrong": wrong}, ensure_ascii=False)
            )
        return 1 if wrong else 0


def _write(folder: Path) -> None:
    """Write campaign, dialogs and contacts, whose clocks show the middle of the day."""
    for name in ("check_up.yaml", "check_up_message.yaml"):
        shutil.copy(PROJECT / "dialogs" / name, folder)
    (folder / "check_up.campaign.yaml").write_text(CAMPAIGN)
    with (folder / "people.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("phone", "name", "day", "zone", "agreed", "who"))
        for number, (name, _) in PEOPLE.items():
            rows.writerow((number, name, "2027-03-05", ZONE, "2026-01-15", f"{name}, at the desk"))


async def _voicebot(rig: Rig, *words: str) -> str:
    """Run `voicebot campaign ...` as an operator would; return what it prints. Raises RigFault."""
    command = (sys.executable, "-m", "voicebot", "campaign", *words, "--config", str(rig.config_file))
    process = await asyncio.create_subprocess_exec(
        *command, cwd=rig.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(COMMAND_TIMEOUT_S):
        said, complaints = await process.communicate()
    if process.returncode:
        raise RigFault(f"voicebot campaign {' '.join(words)}: {complaints.decode().strip()}")
    return said.decode()


async def _until_over(rig: Rig) -> Mapping[str, Any]:
    """Wait until nobody is on the line, and nobody is due but the one who was busy."""
    async with asyncio.timeout(OVER_TIMEOUT_S):
        while True:
            status: Mapping[str, Any] = json.loads(await _voicebot(rig, "status", "check_up", "--json"))
            if status["over"] == len(PEOPLE) - 1 and not any(status["open"].values()):
                return status
            await asyncio.sleep(LOOK_S)


async def _wrong(rig: Rig, callees: Callees) -> list[str]:
    """Return whatever did not come out as it should."""
    wrong = list(callees.failures)
    for number, (name, expected) in PEOPLE.items():
        known = json.loads(await _voicebot(rig, "why", number, "--json"))
        became = [attempt["disposition"] for attempt in known["attempts"]]
        if became != ([expected] if expected else []):
            wrong.append(f"{name} at {number}: {became}, not {expected or 'no call'}")
        if callees.dialled.count(number) != len(became):
            wrong.append(f"{name} at {number}: dialled {callees.dialled.count(number)} times")
    return wrong
