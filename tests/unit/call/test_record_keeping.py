"""unit: records that the disk does not take. The disk is a temporary folder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from voicebot.call import record_keeping as module
from voicebot.call.record import CallRecord, list_records, write_record
from voicebot.call.record_keeping import RecordKeeper

pytestmark = pytest.mark.unit


def record(id: str) -> CallRecord:
    return CallRecord(id=id, started_at=datetime(2027, 3, 1, tzinfo=UTC), outcome="agreed")


class Disk:
    """One that is full until it has `room`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = False
        self.tried = asyncio.Event()
        monkeypatch.setattr(module, "write_record", self.write)
        self._loop = asyncio.get_running_loop()

    def write(self, var: Path, record: CallRecord) -> Path:
        self._loop.call_soon_threadsafe(self.tried.set)
        if not self.room:
            raise OSError(28, "No space left on device")
        return write_record(var, record)


async def test_a_record_that_finds_no_room_is_written_once_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    keeper = RecordKeeper(tmp_path)
    with capture_logs() as logs:
        assert [await keeper.keep(record(id)) for id in ("a", "b")] == [None, None]
        disk.room = True
        assert await keeper.keep(record("c")) is not None
        await keeper.close()
    assert sorted(path.stem for path in list_records(tmp_path)) == ["a", "b", "c"]
    assert [entry["event"] for entry in logs] == [
        *["call record waits for the disk"] * 2,
        *["call record written late"] * 2,
    ]


async def test_it_is_tried_again_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    disk = Disk(monkeypatch)
    keeper = RecordKeeper(tmp_path)
    await keeper.keep(record("a"))
    async with asyncio.timeout(5):
        for disk.room in (False, True):
            disk.tried.clear()
            await disk.tried.wait()
    await keeper.close()
    assert [path.stem for path in list_records(tmp_path)] == ["a"]


async def test_what_never_finds_room_is_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    Disk(monkeypatch)
    keeper = RecordKeeper(tmp_path)
    with capture_logs() as logs:
        for id in ("a", "b"):
            await keeper.keep(record(id))
        await keeper.close()
    lost = [(entry["call"], entry["outcome"]) for entry in logs if entry["event"] == "call record lost"]
    assert lost == [("a", "agreed"), ("b", "agreed")]
