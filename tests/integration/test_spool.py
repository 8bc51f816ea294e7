"""Category: integration. Call files from the command line, and news of them, with a real Asterisk."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.mortal import MortalAsterisk, an_order
from voicebot.campaign.callfile import CallFile
from voicebot.campaign.fence import for_attempt
from voicebot.outbound.spool import Handing, call_file_name
from voicebot.outbound.spool_watch import ArchivedNews, DialledNews, EndedNews, News, SpoolWatch

pytestmark = pytest.mark.integration

COMMAND_WITHIN_S = 30
NEWS_WITHIN_S = 15.0


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MortalAsterisk]:
    instance = MortalAsterisk(tmp_path_factory.mktemp("spool") / "pbx")
    instance.start()
    try:
        yield instance
    finally:
        instance.down()


def callfile(pbx: MortalAsterisk, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "voicebot", "callfile", *arguments, "--spool", str(pbx.spool.folder)],
        capture_output=True, text=True, check=False, timeout=COMMAND_WITHIN_S,
    )  # fmt: skip


def test_a_call_is_written_and_followed_to_its_end(pbx: MortalAsterisk) -> None:
    who = secrets.token_hex(4)
    run = callfile(
        pbx, "write", "--channel", f"Local/take{who}@callees", "--application", "Wait", "--data", "1",
        "--caller", "+12025550100", "--caller-name", "Café", "--set", "A=x=y", "--codecs", "ulaw", "--follow",
        "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["state"], told["status"]) == ("completed", "Completed")
    assert told["file"]["variables"] == [["A", "x=y"]]
    assert told["notes"][0]["kind"] == "StartRetry" and told["notes"][0]["pid"] == pbx.process_id
    assert pbx.called(who) == 1


def test_asterisk_tries_again_by_itself_and_gives_up(pbx: MortalAsterisk) -> None:
    who = secrets.token_hex(4)
    run = callfile(
        pbx, "write", "--channel", f"Local/busy{who}@callees", "--context", "c", "--extension", "1",
        "--max-retries", "1", "--retry-time", "1", "--follow",
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stdout.splitlines()[-1] == "expired"
    assert pbx.called(who) == 2


def test_a_call_is_put_off_listed_and_taken_back(pbx: MortalAsterisk) -> None:
    who = secrets.token_hex(4)
    call = ("--channel", f"Local/take{who}@callees", "--application", "Wait", "--data", "1")
    assert callfile(pbx, "write", *call, "--at", "+1h", "--name", "wake-up.call").stdout == "wake-up.call\n"
    (listed,) = json.loads(callfile(pbx, "list", "--json").stdout)
    assert listed["name"] == "wake-up.call" and listed["state"] == "waiting"
    due = datetime.fromisoformat(listed["due"])
    assert timedelta(minutes=59) < due - datetime.now(UTC) <= timedelta(minutes=60, seconds=1)
    assert "Local/take" in callfile(pbx, "show", "wake-up.call").stdout
    assert callfile(pbx, "cancel", "wake-up.call").returncode == 0
    assert json.loads(callfile(pbx, "list", "--json").stdout) == []
    again = callfile(pbx, "cancel", "wake-up.call")
    assert again.returncode == 2 and "list" in again.stderr
    assert pbx.called(who) == 0


def test_a_call_that_is_due_later_is_dialled_then(pbx: MortalAsterisk) -> None:
    who = secrets.token_hex(4)
    due = datetime.now(UTC) + timedelta(seconds=2)
    pbx.spool.hand_over(
        [Handing("later.call", CallFile(f"Local/busy{who}@callees", application="Wait"), due)]
    )
    while not pbx.called(who):
        assert datetime.now(UTC) < due + timedelta(seconds=5)
        time.sleep(0.02)
    assert datetime.now(UTC) >= due


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("write", "--channel", "nothing"), "technology/resource"),
        (("write", "--channel", "Local/1@x", "--application", "System", "--data", "id"), "runs programs"),
        (("write", "--channel", "Local/1@x", "--application", "Wait", "--set", "FILE(/x)=1"), "FILE()"),
        (("write", "--channel", "Local/1@x", "--application", "Wait", "--data", "1\nSetvar: A=1"), "control"),
        (("write", "--channel", "Local/1@x", "--application", "Wait", "--at", "yesterday"), "yesterday"),
        (("write", "--channel", "Local/1@x", "--application", "Wait", "--name", "../x"), "no name"),
        (("follow", "nobody.call"), "no call file"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(
    pbx: MortalAsterisk, arguments: tuple[str, ...], told: str
) -> None:
    run = callfile(pbx, *arguments)
    assert run.returncode == 2 and told in run.stderr and "Traceback" not in run.stderr
    assert not any(pbx.spool.outgoing.iterdir())


async def collect(watch: SpoolWatch, found: list[News], wanted: int) -> None:
    async with asyncio.timeout(NEWS_WITHIN_S):
        async for news in watch.news():
            found += news
            if len(found) >= wanted:
                return


async def test_news_survive_that_either_side_starts_anew(pbx: MortalAsterisk, tmp_path: Path) -> None:
    for archived in pbx.spool.done.iterdir():
        archived.unlink()
    attempts = [secrets.token_hex(16) for _ in range(8)]

    def hand_over(some: list[str]) -> None:
        pbx.spool.hand_over(
            Handing(call_file_name(one), for_attempt(an_order(one, "Local/busy{id}@callees"))) for one in some
        )

    found: list[News] = []
    watch = SpoolWatch(pbx.spool)
    hand_over(attempts[:4])
    await collect(watch, found, 12)
    pbx.kill()
    hand_over(attempts[4:])  # while Asterisk is away
    pbx.revive()
    await collect(watch, found, 24)
    for kind, names in (
        (DialledNews, {each.attempt for each in found if isinstance(each, DialledNews)}),
        (EndedNews, {each.attempt for each in found if isinstance(each, EndedNews)}),
        (ArchivedNews, {each.name.removesuffix(".call") for each in found if isinstance(each, ArchivedNews)}),
    ):
        assert names == set(attempts), kind
    assert len(found) == 24, "nothing twice"
    pbx.spool.clean(attempts[:6])
    again: list[News] = []
    await collect(SpoolWatch(pbx.spool), again, 8 + 2 + 2)  # keys stay until the expiry
    assert {each.attempt for each in again if isinstance(each, EndedNews)} == set(attempts[6:])
