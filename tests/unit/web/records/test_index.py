"""Category: unit. The index of records follows its files, whatever becomes of them, and of itself."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from voicebot.web.records import index as module
from voicebot.web.records.index import RecordIndex, Wanted
from voicebot.web.records.keeping import _catch_up

pytestmark = pytest.mark.unit


def write(var: Path, id: str = "a", **record: object) -> Path:
    """Write a record as the gateway does: aside, then in its place."""
    path = var / "calls" / "2026-11-22" / f"{id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps({"started_at": "2026-11-22T08:00:00+00:00", **record}))
    aside.rename(path)
    return path


def ids(index: RecordIndex, **wanted: str) -> list[str]:
    return [call["id"] for call in index.find(Wanted(**wanted)).calls]


@pytest.fixture
def index(tmp_path: Path) -> RecordIndex:
    index = RecordIndex(tmp_path)
    index.open()
    return index


def test_a_record_that_changes_within_one_tick_of_the_clock_is_read_anew(
    tmp_path: Path, index: RecordIndex
) -> None:
    path = write(tmp_path, outcome="open")
    folder = path.parent.stat()
    index.catch_up()
    write(tmp_path, outcome="booked")
    os.utime(path.parent, ns=(folder.st_atime_ns, folder.st_mtime_ns))  # as a coarse clock leaves it

    index.catch_up()

    assert ids(index, outcome="booked") == ["a"]


def test_a_record_that_is_none_any_more_is_forgotten(tmp_path: Path, index: RecordIndex) -> None:
    path = write(tmp_path, outcome="booked")
    index.catch_up()
    path.with_suffix(".part").write_text('{"started_at": "2026-')
    path.with_suffix(".part").rename(path)

    index.catch_up()

    assert ids(index) == []


@pytest.mark.parametrize("duration", [float("nan"), float("inf"), "long", None])
def test_figures_that_are_none_spoil_nothing(tmp_path: Path, index: RecordIndex, duration: object) -> None:
    write(tmp_path, duration_ms=duration)
    write(tmp_path, "b", turns=[{"latency_ms": duration}])

    assert index.catch_up() == 2
    assert sorted(ids(index)) == ["a", "b"]


@pytest.mark.parametrize("broken", [None, b"", b"no database at all", b"SQLite format 3\0" + bytes(4000)])
def test_an_index_that_is_deleted_or_broken_is_made_anew(
    tmp_path: Path, index: RecordIndex, broken: bytes | None
) -> None:
    write(tmp_path)
    _catch_up(index)
    file = tmp_path / "panel" / "records.db"
    if broken is None:
        file.unlink()
    else:
        file.write_bytes(broken)

    _catch_up(index)
    _catch_up(index)

    assert ids(index) == ["a"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_index_that_is_locked_for_long_is_kept(
    tmp_path: Path, index: RecordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a disk is full: to read a hundred thousand records anew would not make it better."""
    monkeypatch.setattr(module, "BUSY_S", 0.0)
    file = tmp_path / "panel" / "records.db"
    write(tmp_path, outcome="booked")
    _catch_up(index)
    first = file.stat().st_ino
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        _catch_up(index)

    assert ids(index, outcome="booked") == ["a"]
    assert file.stat().st_ino == first


def test_what_is_known_is_found_where_the_disk_takes_nothing(
    tmp_path: Path, index: RecordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, outcome="booked")
    _catch_up(index)
    connect = sqlite3.connect

    class Full(sqlite3.Connection):
        def execute(self, *asked: Any) -> sqlite3.Cursor:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE  # as WAL, it writes to be read
            raise error

    def full(there: str, **options: Any) -> sqlite3.Connection:
        return connect(there, **options, factory=Full if "mode=rw" in there else sqlite3.Connection)

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(sqlite3.OperationalError):
        index.catch_up()

    assert ids(index, outcome="booked") == ["a"]
    assert index.choices()["outcomes"] == ["booked"]
    assert index.day_of("a") == "2026-11-22"
