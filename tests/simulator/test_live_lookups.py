"""Category: simulator. A file of look-ups that is saved while calls go on, and threads that answer them."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from voicebot.agi.messages import environment
from voicebot.errors import UserError
from voicebot.fastagi.lookups import live
from voicebot.fastagi.lookups.asking import Row, statement
from voicebot.fastagi.lookups.live import LiveLookups
from voicebot.fastagi.lookups.parameters import Parameters
from voicebot.fastagi.lookups.workers import Workers

pytestmark = pytest.mark.simulator

WITHIN_S = 5.0
GIVEN = Parameters(environment("agi://x/lookup/vip", [("callerid", "+1202")]))
SLOW = "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x LIMIT 3000000) SELECT max(n) FROM x"


def yaml(query: str) -> str:
    head = "databases: {crm: 'sqlite:///a.db'}\nlookups:\n  vip:\n"
    return f"{head}    query: {query}\n    set: {{VIP: tier}}\n    timeout: {WITHIN_S:g}s\n"


@pytest.fixture
async def lookups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveLookups]:
    monkeypatch.setattr(live, "FRESH_S", 0.0)
    monkeypatch.setattr(live, "SETTLE_S", 0.02)
    monkeypatch.setattr(live, "WATCH_S", 3600.0)
    sqlite3.connect(tmp_path / "a.db").close()
    (tmp_path / "lookups.yaml").write_text(yaml("SELECT 'gold' AS tier"))
    async with LiveLookups(tmp_path / "lookups.yaml") as found:
        yield found


async def tier(lookups: LiveLookups) -> str:
    async with asyncio.timeout(WITHIN_S):
        return (await lookups.look_up("vip", GIVEN)).variables["VIP"]


async def test_what_is_saved_is_live_for_the_next_call(lookups: LiveLookups, tmp_path: Path) -> None:
    assert await tier(lookups) == "gold"
    with capture_logs() as logs:
        (tmp_path / "lookups.yaml").write_text(yaml("SELECT 'silver' AS tier"))
        assert await tier(lookups) == "silver"
        assert await tier(lookups) == "silver"
    assert [each["event"] for each in logs] == ["look-ups reloaded"]


async def test_a_file_with_faults_keeps_the_version_before_and_is_told_once(
    lookups: LiveLookups, tmp_path: Path
) -> None:
    file = tmp_path / "lookups.yaml"
    with capture_logs() as logs:
        file.write_text(yaml("DELETE FROM t"))
        assert [await tier(lookups) for _ in range(3)] == ["gold"] * 3
    (told,) = logs
    assert told["log_level"] == "error" and ":4" in told["problems"][0]
    assert lookups.problems
    file.unlink()
    assert await tier(lookups) == "gold"
    file.write_text(yaml("SELECT 'silver' AS tier"))
    assert await tier(lookups) == "silver"
    assert not lookups.problems


async def test_who_was_asking_goes_on_with_the_version_before(lookups: LiveLookups, tmp_path: Path) -> None:
    slow = SLOW.replace("max(n)", "'bronze' || max(n) AS tier")
    (tmp_path / "lookups.yaml").write_text(yaml(f'"{slow}"'))
    asking = asyncio.create_task(tier(lookups))
    while "bronze" not in str(lookups._now.lookups._file) or not lookups._now.users:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    (tmp_path / "lookups.yaml").write_text(yaml("SELECT 'silver' AS tier"))
    assert await tier(lookups) == "silver"
    assert not asking.done(), "the slow one goes on"
    assert (await asking).startswith("bronze")


async def test_a_password_that_was_changed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FRESH_S", 0.0)
    monkeypatch.setattr(live, "SETTLE_S", 0.02)
    (tmp_path / "password").write_text("one")
    url = "{url: 'postgresql://u@127.0.0.1:1/x', password_file: password}"
    (tmp_path / "lookups.yaml").write_text(yaml("SELECT 1 AS tier").replace("'sqlite:///a.db'", url))
    async with LiveLookups(tmp_path / "lookups.yaml") as found:
        with capture_logs() as logs:
            (tmp_path / "password").write_text("another")
            await tier(found)
            (tmp_path / "password").unlink()
            await tier(found)
    events = [each["event"] for each in logs if each["event"].startswith("look-ups")]
    assert events == ["look-ups reloaded", "look-ups not reloaded, the version before stays"]


async def test_a_file_with_faults_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "lookups.yaml").write_text(yaml("DELETE FROM t"))
    with pytest.raises(UserError):
        async with LiveLookups(tmp_path / "lookups.yaml"):
            pass


class Sleeper:
    """An asker that answers at once, or only when it is told to."""

    def __init__(self) -> None:
        self.interrupted = False

    def first(self, statement: object, values: object) -> Row | None:
        if str(statement) == "slow":
            until = time.monotonic() + WITHIN_S
            while not self.interrupted and time.monotonic() < until:
                time.sleep(0.001)
            self.interrupted = False
            raise OSError("interrupted")
        return {"n": 1}

    def interrupt(self) -> None:
        self.interrupted = True

    def close(self) -> None:
        """Nothing is open."""


async def test_a_slow_question_holds_up_no_other_and_a_thread_that_was_given_up_serves_again() -> None:
    workers = Workers(2, Sleeper)
    try:
        slow = asyncio.create_task(workers.first(statement("slow"), {}, WITHIN_S))
        began = time.monotonic()
        quick = await asyncio.gather(*(workers.first(statement("quick"), {}, WITHIN_S) for _ in range(50)))
        assert quick == [{"n": 1}] * 50
        assert time.monotonic() - began < 1
        slow.cancel()  # its caller has hung up
        with pytest.raises(asyncio.CancelledError):
            await slow
        hung = [asyncio.create_task(workers.first(statement("slow"), {}, 0.05)) for _ in range(4)]
        failed = await asyncio.gather(*hung, return_exceptions=True)
        assert all("within 0.05 s" in str(error) for error in failed)
        assert await workers.first(statement("quick"), {}, WITHIN_S) == {"n": 1}
    finally:
        workers.close()
