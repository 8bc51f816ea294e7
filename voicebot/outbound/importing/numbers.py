"""A file of numbers that nobody may call: one a line, or a column of a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from voicebot.campaign.numbers import WrongNumber, normalise
from voicebot.dialog.checking.suggest import near_or_all
from voicebot.errors import Problem, UserError
from voicebot.outbound.cells import without_guard
from voicebot.outbound.importing.run import open_table
from voicebot.outbound.importing.table import Row, Table

MOST_REJECTED = 10_000
"""Problems that are kept; of more only the first are told."""
FEWEST_GOOD = 0.5
"""Where fewer of the first rows are numbers it is the wrong file, or the wrong column."""
JUDGED_ROWS = 200
REMEDY = "write it like +12025550142"


class NumberFile:
    """The numbers of a file, in E.164: iterate over `numbers` once; `rejected` fills up meanwhile."""

    def __init__(self, path: Path, *, column: str = "", region: str = "US", encoding: str = "") -> None:
        self._source, self._region = str(path), region
        self._table: Table = open_table(path, encoding=encoding, wanted=(column,) if column else ())
        self.rejected: list[Problem] = []
        self.how = self._table.how
        header = [name.casefold() for name in self._table.header]
        self._first: Row | None = None
        self._index = 0
        if column:
            if column.strip().casefold() not in header:
                what = f"there is no column `{column}`"
                remedy = near_or_all(column, self._table.header)
                raise UserError(Problem(what, remedy, self._source, self._table.header_line))
            self._index = header.index(column.strip().casefold())
        elif self._number(self._table.header[0]) is not None:
            self._first = Row(self._table.header_line, self._table.header)  # numbers alone, without a header

    @property
    def numbers(self) -> Iterator[str]:
        """Yield the numbers. Raises UserError where most of the first rows hold none."""
        good = rows = 0
        for row in self._rows():
            rows += 1
            text = row.cells[self._index] if self._index < len(row.cells) else ""
            try:
                yield normalise(without_guard(text.strip()), self._region).number
                good += 1
            except WrongNumber as error:
                if len(self.rejected) < MOST_REJECTED:
                    self.rejected.append(Problem(row.broken or str(error), REMEDY, self._source, row.line))
            if rows == JUDGED_ROWS and good < FEWEST_GOOD * rows:
                break
        if rows and good < FEWEST_GOOD * min(rows, JUDGED_ROWS) and rows <= JUDGED_ROWS:
            what = f"only {good} of {rows} rows hold a number"
            remedy = "name the right column with --column, or the country with --region"
            raise UserError([Problem(what, remedy, self._source), *self.rejected[:5]])

    def _rows(self) -> Iterator[Row]:
        if self._first is not None:
            yield self._first
        yield from self._table.rows()

    def _number(self, text: str) -> str | None:
        try:
            return normalise(without_guard(text), self._region).number
        except WrongNumber:
            return None


def read_numbers(path: Path, *, column: str = "", region: str = "US", encoding: str = "") -> NumberFile:
    """Open a file of numbers. column: of a table with a header; empty: the first.

    Raises UserError where it cannot be read or has no such column.
    """
    return NumberFile(path, column=column, region=region, encoding=encoding)
