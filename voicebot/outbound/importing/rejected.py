"""The file of rejected rows: what is wrong with each, and the row itself, to be mended and imported again."""

from __future__ import annotations

import csv
import filecmp
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from voicebot.errors import Problem, UserError
from voicebot.outbound.cells import harmless_cell
from voicebot.outbound.importing.columns import REJECTED
from voicebot.outbound.importing.contacts import Fault, without_rejection
from voicebot.outbound.importing.table import Row

PRIVATE = 0o600
"""The rows hold what the operator's table holds: names, numbers."""


class RejectedFile:
    """`<file>.rejected.csv`, made with the first row that is rejected; complete when it has its name.

    An earlier one is never overwritten, for somebody may be mending it: the next gets a number. Where nothing
    has changed the earlier one stays.
    """

    def __init__(self, source: Path, header: Sequence[str]) -> None:
        self._source = source
        self._kept = without_rejection(header)
        self._header = header
        self._part = source.with_name(f".{source.name}.rejected.{os.getpid()}.part")
        self._open: TextIO | None = None
        self.rows = 0
        self.path: Path | None = None

    def __enter__(self) -> RejectedFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            self._open.close()
            self._part.unlink(missing_ok=True)

    def add(self, row: Row, faults: Sequence[Fault]) -> None:
        """Write one row. Raises UserError where the folder cannot be written to, or the disk is full."""
        try:
            if self._open is None:
                self._begin()
            told = ", ".join(dict.fromkeys(fault.column for fault in faults if fault.column))
            why = "; ".join(dict.fromkeys(fault.reason for fault in faults))
            remedy = "; ".join(dict.fromkeys(fault.remedy for fault in faults if fault.remedy))
            beyond = list(row.cells[len(self._header) :])
            cells = [row.cells[index] if index < len(row.cells) else "" for index in self._kept]
            self._write([str(row.line), told, why, remedy, *cells, *beyond])
            self.rows += 1
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self) -> None:
        """Give the file its name."""
        if self._open is None:
            return
        try:
            self._open.close()
            self.path = self._place()
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            self._open = None

    def _begin(self) -> None:
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        # Spreadsheets know UTF-8 by its mark; what was no text is told as such.
        file = os.fdopen(descriptor, "w", encoding="utf-8-sig", errors="replace", newline="")
        self._open, self._writer = file, csv.writer(file)
        self._writer.writerow([*REJECTED, *(harmless_cell(self._header[index]) for index in self._kept)])

    def _write(self, cells: Sequence[str]) -> None:
        self._writer.writerow([harmless_cell(cell) for cell in cells])

    def _place(self) -> Path:
        number = 1
        while True:
            mark = "rejected" if number == 1 else f"rejected-{number}"
            path = self._source.with_name(f"{self._source.name}.{mark}.csv")
            if not path.exists():
                return self._part.rename(path)
            if filecmp.cmp(self._part, path, shallow=False):
                self._part.unlink()
                return path
            number += 1

    def _unwritable(self, error: OSError) -> UserError:
        what = f"the rejected rows cannot be written: {error.strerror}"
        return UserError(
            Problem(what, "free some space, or copy the file to a folder of yours", str(self._part))
        )
