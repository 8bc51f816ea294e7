"""An index of all call records, so that one among a hundred thousand is found at once.

The records are the truth; the index (SQLite, `var/panel/records.db`) is made from them and may be deleted at
any time. Everything here waits for disks: call it in threads.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from voicebot.web.records.paths import days, inside, read_json

FORM = 1
"""Of the tables: others are thrown away."""
AT_ONCE = 50
"""Records read in a row; then calls get the processor for BREATH_S."""
BREATH_S = 0.01
BUSY_S = 5.0
SETTLED_NS = 2_000_000_000
"""A folder that changed so recently is looked at again: a file of the same tick of its clock may have come
after we looked."""
PRIVATE = 0o600
UNWRITABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}
"""Codes (their lowest byte) of a disk that takes nothing."""

_TABLES = """
CREATE TABLE calls (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, day TEXT NOT NULL, changed INTEGER NOT NULL,
  started REAL NOT NULL, direction TEXT NOT NULL, caller TEXT NOT NULL, caller_name TEXT NOT NULL,
  called TEXT NOT NULL, dialog TEXT NOT NULL, outcome TEXT NOT NULL, goal INTEGER NOT NULL,
  ended_by TEXT NOT NULL, duration_ms INTEGER NOT NULL, campaign TEXT NOT NULL, recorded INTEGER NOT NULL,
  turns INTEGER NOT NULL, latency_ms INTEGER, faults INTEGER NOT NULL
);
CREATE INDEX calls_started ON calls (started DESC, id DESC);
CREATE INDEX calls_day ON calls (day);
CREATE TABLE days (day TEXT PRIMARY KEY, changed INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (text, tokenize='unicode61');
"""

COLUMNS = (
    "id, started, direction, caller, caller_name, called, dialog, outcome, goal, ended_by, duration_ms, "
    "campaign, recorded, turns, latency_ms, faults"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; empty: anything. text: words, each may be a beginning; number: of either side."""

    text: str = ""
    number: str = ""
    dialog: str = ""
    outcome: str = ""
    direction: str = ""
    campaign: str = ""
    goal: bool | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of calls, newest first. after: go on from there, "" where there are no more."""

    calls: list[dict[str, Any]]
    after: str


class RecordIndex:
    """Of one `var`. Safe for threads."""

    def __init__(self, var: Path) -> None:
        self._root = var / "calls"
        self._path = var / "panel" / "records.db"
        self._lock = threading.Lock()  # one writer
        self._stop = threading.Event()
        self._gone = 0
        self.ready = False

    # --- keeping up -------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make it, or take the one that is there. Raises OSError, sqlite3.Error: locked, or full."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._form() == FORM:
            return
        for left in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + left).unlink(missing_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE))
        with self._lock, closing(self._connect()) as connection:
            connection.executescript(_TABLES)
            connection.execute(f"PRAGMA user_version = {FORM}")

    def renew(self) -> None:
        """Throw it away, and begin anew: what is there cannot be read. Raises OSError, sqlite3.Error."""
        self._path.unlink(missing_ok=True)
        self.ready = False
        self.open()

    def _form(self) -> int:
        """Return the form of what is there; -1: nothing, or nothing of ours."""
        if not self._path.is_file():
            return -1
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_S)) as connection:
                return int(connection.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.OperationalError:
            raise  # locked, or a full disk: it is good all the same
        except sqlite3.DatabaseError:
            return -1

    def close(self) -> None:
        """Let `catch_up` end soon."""
        self._stop.set()

    def catch_up(self) -> int:
        """Take in what is new, let go of what is gone; how many records were read. May take minutes once."""
        there = days(self._root)
        with self._lock, closing(self._connect()) as connection:
            known = dict(connection.execute("SELECT day, changed FROM days"))
            for day in known.keys() - {path.name for path in there}:
                self._forget(connection, "day = ?", (day,))
                self._gone += 1
                connection.execute("DELETE FROM days WHERE day = ?", (day,))
            read = 0
            for folder in there:
                try:
                    changed = folder.stat().st_mtime_ns
                except OSError:
                    continue
                if known.get(folder.name) != changed:
                    read += self._take_day(connection, folder)
                    if self._stop.is_set():
                        return read
                    settled = time.time_ns() - changed > SETTLED_NS
                    values = (folder.name, changed if settled else 0)
                    connection.execute("REPLACE INTO days VALUES (?, ?)", values)
            if self._gone:
                connection.execute("INSERT INTO words (words) VALUES ('optimize')")  # no trace of it stays
                self._gone = 0
            self.ready = True
            return read

    def _take_day(self, connection: sqlite3.Connection, folder: Path) -> int:
        query = "SELECT id, changed FROM calls WHERE day = ?"
        known = dict(connection.execute(query, (folder.name,)))
        seen, read = set(), 0
        for path, changed in _records(folder):
            seen.add(path.stem)
            if known.get(path.stem) == changed:
                continue
            if read % AT_ONCE == 0:
                if read:
                    connection.execute("COMMIT")
                    time.sleep(BREATH_S)
                connection.execute("BEGIN")
            read += 1
            if self._stop.is_set():
                break
            record = read_json(path) if inside(path, self._root) else None
            self._put(connection, folder.name, changed, path.stem, record or {})
        if read:
            connection.execute("COMMIT")
        if not self._stop.is_set():
            for gone in known.keys() - seen:
                self._forget(connection, "id = ?", (gone,))
                self._gone += 1
        return read

    def _put(
        self, connection: sqlite3.Connection, day: str, changed: int, id: str, record: dict[str, Any]
    ) -> None:
        """Take in a record in place of what was known of it: nothing, where it is none (any more)."""
        self._forget(connection, "id = ?", (id,))
        row = _row(record)
        if row is None:
            return
        values = {"id": id, "day": day, "changed": changed, **row}
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        n = connection.execute(f"INSERT INTO calls ({names}) VALUES ({marks})", values).lastrowid
        connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (n, _text(record)))

    def _forget(self, connection: sqlite3.Connection, where: str, values: tuple[str, ...]) -> None:
        connection.execute(f"DELETE FROM words WHERE rowid IN (SELECT n FROM calls WHERE {where})", values)
        connection.execute(f"DELETE FROM calls WHERE {where}", values)

    # --- looking ----------------------------------------------------------------------------------------

    def find(self, wanted: Wanted, after: str = "", most: int = 50) -> Found:
        """Return a page. Raises ValueError for an `after` that was not given by a page."""
        where, values = _conditions(wanted)
        if after:
            started, _, id = after.partition("_")
            where.append("(started, id) < (?, ?)")
            values += [float(started), id]
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        query = f"SELECT {COLUMNS} FROM calls {condition} ORDER BY started DESC, id DESC LIMIT ?"
        with closing(self._look()) as connection:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute(query, [*values, most + 1])]
        more = len(rows) > most
        rows = rows[:most]
        for row in rows:
            row["goal"], row["recorded"] = bool(row["goal"]), bool(row["recorded"])
            row["started_at"] = row.pop("started")
        last = f"{rows[-1]['started_at']!r}_{rows[-1]['id']}" if more else ""
        return Found(rows, last)

    def choices(self) -> dict[str, list[str]]:
        """Return what one may choose from: dialogs, outcomes, campaigns."""
        with closing(self._look()) as connection:
            return {
                name: [
                    row[0]
                    for row in connection.execute(
                        f"SELECT {column} FROM calls WHERE {column} <> '' "
                        f"GROUP BY {column} ORDER BY count(*) DESC LIMIT 200"
                    )
                ]
                for name, column in (
                    ("dialogs", "dialog"),
                    ("outcomes", "outcome"),
                    ("campaigns", "campaign"),
                )
            }

    def day_of(self, id: str) -> str:
        """Return the folder in which a record was last seen, "" where it is not known."""
        with closing(self._look()) as connection:
            row = connection.execute("SELECT day FROM calls WHERE id = ?", (id,)).fetchone()
        return str(row[0]) if row else ""

    def _look(self) -> sqlite3.Connection:
        """Return a connection that only reads; where the disk takes no more, it sees what is in the file."""
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in UNWRITABLE:
                raise
        there = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
        return sqlite3.connect(there, timeout=BUSY_S, isolation_level=None, uri=True)

    def _connect(self) -> sqlite3.Connection:
        there = f"{self._path.absolute().as_uri()}?mode=rw"  # one that was deleted is made by `open` alone
        connection = sqlite3.connect(there, timeout=BUSY_S, isolation_level=None, uri=True)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # it can be made anew
        connection.execute("PRAGMA secure_delete = ON")  # who is erased is gone
        return connection


def _records(folder: Path) -> Iterator[tuple[Path, int]]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json"):
                with suppress(OSError):
                    yield Path(entry.path), entry.stat().st_mtime_ns


def _conditions(wanted: Wanted) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    for column in ("dialog", "outcome", "direction", "campaign"):
        if value := getattr(wanted, column):
            where.append(f"{column} = ?")
            values.append(value)
    if wanted.goal is not None:
        where.append("goal = ?")
        values.append(int(wanted.goal))
    if wanted.since is not None:
        where.append("started >= ?")
        values.append(wanted.since)
    if wanted.until is not None:
        where.append("started < ?")
        values.append(wanted.until)
    if digits := re.sub(r"[^0-9*#]", "", wanted.number):
        where.append("(caller LIKE ? OR called LIKE ?)")
        values += [f"%{digits}%"] * 2
    elif wanted.number:
        where.append("0")
    if wanted.text:
        words = re.findall(r"\w+", wanted.text)[:16]
        where.append("n IN (SELECT rowid FROM words WHERE words MATCH ?)" if words else "0")
        if words:
            values.append(" ".join(f'"{word}"*' for word in words))
    return where, values


def _row(record: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is kept of a record; None where it is none."""
    try:
        started = datetime.fromisoformat(str(record["started_at"])).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None
    caller, called, dialog = (_part(record, name) for name in ("caller", "called", "dialog"))
    turns = [turn for turn in _list(record, "turns") if isinstance(turn, dict)]
    waits = sorted(w for turn in turns if isinstance(w := turn.get("latency_ms"), int | float))
    return {
        "started": started,
        "direction": _word(record, "direction"),
        "caller": _word(caller, "number"),
        "caller_name": _word(caller, "name"),
        "called": _word(called, "number"),
        "dialog": _word(dialog, "name"),
        "outcome": _word(record, "outcome"),
        "goal": int(record.get("goal") is True),
        "ended_by": _word(record, "ended_by"),
        "duration_ms": _count(record.get("duration_ms")),
        "campaign": _word(_part(record, "outbound"), "campaign"),
        "recorded": int(bool(record.get("recording"))),
        "turns": len(turns),
        "latency_ms": _count(waits[len(waits) // 2]) if waits else None,
        "faults": len(_list(record, "faults")),
    }


def _text(record: dict[str, Any]) -> str:
    """Return everything that one may look for in words."""
    parts = [_word(_part(record, "caller"), "name"), _word(_part(record, "dialog"), "name")]
    for turn in _list(record, "turns"):
        if isinstance(turn, dict):
            parts += [_word(turn, "text"), _word(turn, "heard")]
    parts += [str(value) for value in _part(record, "slots").values() if isinstance(value, str | int)]
    return " ".join(dict.fromkeys(filter(None, parts)))


def _part(record: dict[str, Any], name: str) -> dict[str, Any]:
    part = record.get(name)
    return part if isinstance(part, dict) else {}


def _list(record: dict[str, Any], name: str) -> list[Any]:
    part = record.get(name)
    return part if isinstance(part, list) else []


def _word(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _count(value: Any) -> int:
    if not isinstance(value, int | float) or value != value:  # NaN, which Python's JSON may have
        return 0
    return int(max(0, min(value, 2**53)))
