"""How well callers' words are understood: the tables of tests/data/understanding, and how fast."""

from __future__ import annotations

import csv
import statistics
import time as clock
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.understanding.phrases import ACCEPT
from voicebot.dialog.understanding.reading import Reading, read_slot

TABLE = Path(__file__).resolve().parents[2] / "tests" / "data" / "understanding"
ZONES = {"en-US": "America/New_York", "en-GB": "Europe/London", "ko": "Asia/Seoul"}
_ROUNDS = 20
"""How often the table is read to time it."""


class Row(NamedTuple):
    """A phrase of the table and what it must mean."""

    phrase: str
    type: str
    language: str
    slot: Slot
    now: datetime
    expected: str


def table(name: str) -> list[Row]:
    """Return the rows of `en` or `ko`."""
    with (TABLE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [_row(fields) for fields in csv.DictReader(file)]


def _row(fields: dict[str, str]) -> Row:
    zone = ZoneInfo(ZONES[fields["language"]])
    now = datetime.fromisoformat(fields["now"]).replace(tzinfo=zone)
    options: dict[str, Any] = {"type": fields["type"]}
    for option in filter(None, fields["options"].split(";")):
        key, _, value = option.strip().partition("=")
        ends = value.split("..")
        if key == "between":
            options[key] = [float(e) for e in ends] if fields["type"] in ("number", "money") else ends
        elif key == "length":
            options[key] = [int(e) for e in ends] if len(ends) > 1 else int(value)
        else:
            options[key] = True if value == "true" else value
    slot = Slot.model_validate(options)
    return Row(fields["phrase"], fields["type"], fields["language"], slot, now, fields["expected"])


def read(row: Row) -> str:
    """Return what is read, in the form of the column `expected`."""
    reading = read_slot(row.slot, row.phrase, lexicon_of(row.language), row.now, row.language)
    if reading is None or reading.score < ACCEPT:
        return "none"
    if reading.invalid:
        part = f" {_text(reading)}" if reading.invalid == "incomplete" else ""
        return f"!{reading.invalid}{part}"
    return _text(reading)


def _text(reading: Reading) -> str:
    value = reading.value
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="minutes")
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    return value.isoformat() if isinstance(value, date) else str(value)


def right(row: Row, got: str) -> bool:
    """Whether `got` is what the table expects; amounts may have more noughts."""
    if row.type in ("money", "number") and got[0] not in "n!" and row.expected[0] not in "n!":
        return Decimal(got) == Decimal(row.expected)
    return got == row.expected


def misses(name: str) -> list[tuple[Row, str]]:
    """Return the rows that are read wrongly, with what was read."""
    return [(row, got) for row in table(name) if not right(row, got := read(row))]


def accuracy() -> dict[str, Any]:
    """Return, by language and type, how many phrases there are, how many are read rightly, and the time."""
    report: dict[str, Any] = {}
    for name in ("en", "ko"):
        rows = table(name)
        wrong = {row.phrase + row.type + row.language for row, _ in misses(name)}
        types: dict[str, dict[str, Any]] = {}
        for row in rows:
            counts = types.setdefault(row.type, {"phrases": 0, "right": 0})
            counts["phrases"] += 1
            counts["right"] += row.phrase + row.type + row.language not in wrong
        for counts in types.values():
            counts["accuracy"] = round(counts["right"] / counts["phrases"], 3)
        total = sum(counts["right"] for counts in types.values())
        report[name] = {"phrases": len(rows), "right": total, "accuracy": round(total / len(rows), 3)}
        report[name]["refused"] = sum(row.expected[0] == "!" or row.expected == "none" for row in rows)
        report[name]["types"] = types
        report[name]["us_per_phrase"] = _timed(rows)
    return report


def _timed(rows: list[Row]) -> dict[str, float]:
    best = [float("inf")] * len(rows)
    for _ in range(_ROUNDS):
        for at, row in enumerate(rows):
            start = clock.perf_counter()
            read_slot(row.slot, row.phrase, lexicon_of(row.language), row.now, row.language)
            best[at] = min(best[at], clock.perf_counter() - start)
    micros = sorted(1e6 * seconds for seconds in best)
    return {"median": round(statistics.median(micros), 1), "worst": round(micros[-1], 1)}
