"""The files that calls with one number left on this machine: records, recordings, messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from voicebot.call.record import CallRecord, list_records, read_record
from voicebot.errors import UserError

_NOT_DIGITS = re.compile("[^0-9]")
FEWEST_DIGITS = 7
"""Of a number as a network shows it, without its country."""


def records_of(var: Path, number: str, ids: Iterable[str] = ()) -> Iterator[tuple[Path, CallRecord]]:
    """Yield the records of calls with a number (E.164), whoever called whom, and those with one of the `ids`.

    Every record is looked at; what is no record is passed over.
    """
    wanted = set(ids)
    digits = _NOT_DIGITS.sub("", number)
    tail = digits[-FEWEST_DIGITS:].encode()
    for path in list_records(var):
        try:
            if path.stem not in wanted and tail not in path.read_bytes():
                continue
            record = read_record(path)
        except (OSError, UserError):
            continue
        parties = (_NOT_DIGITS.sub("", party.number) for party in (record.caller, record.called))
        if record.id in wanted or any(_same(digits, each) for each in parties):
            yield path, record


def files_of(path: Path) -> list[Path]:
    """Return a record's file and all that lies beside it under the call's id: recordings, messages."""
    beside = (each for each in path.parent.glob(f"{path.stem}*") if each != path)
    return [path, *sorted(each for each in beside if each.name[len(path.stem)] in ".-")]


def _same(number: str, shown: str) -> bool:
    """Whether a network's way to show a number means it: with or without its country."""
    return len(shown) >= FEWEST_DIGITS and (number.endswith(shown) or shown.removeprefix("00") == number)
