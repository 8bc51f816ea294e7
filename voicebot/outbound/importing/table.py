"""A table as rows of cells, each with the line it begins in, whatever program wrote it: CSV in all its kinds.

A quote that is never closed swallows all that follows, and a CSV reader says nothing. So a record that goes
over several lines must be well formed; otherwise its first line alone is told as broken, and reading goes on
in the next one.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from voicebot.errors import Problem, UserError
from voicebot.outbound.importing.encoding import Encoding, encoding_of

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
LONGEST_CELL = 131_072
"""Characters; a longer one is an unclosed quote."""
MOST_LINES = 1000
"""Of one record, for the same reason."""
SNIFFED_CHARACTERS = 65_536
MOST_COLUMNS = 2000
LONGEST_LINE = 1 << 20
"""Characters of one line."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table. line: where it begins, from 1. broken: why it cannot be read; empty: it can."""

    line: int
    cells: Sequence[str]
    broken: str = ""


class Table(Protocol):
    """header: the names of the columns as they are written. how: what it was read as; or empty."""

    header: Sequence[str]
    header_line: int
    how: str
    size: int

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header, without empty ones, once."""

    @property
    def read(self) -> int:
        """How much of `size` was read: bytes, or rows of a sheet."""


def check_readable(path: Path) -> None:
    """Raise UserError for what is no file, cannot be read, or is empty."""
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "there is no such file"
            raise UserError(Problem(what, "is the path right?", str(path)))
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise UserError(
            Problem(f"cannot be read: {error.strerror}", "is it yours to read?", str(path))
        ) from error
    if empty:
        raise UserError(Problem("the file is empty", "its first line names the columns", str(path)))


class CsvTable:
    """A CSV file, read as it is needed: never all of it at once."""

    def __init__(
        self, path: Path, *, encoding: str = "", separator: str = "", wanted: Iterable[str] = ()
    ) -> None:
        """Open it. `wanted` are names of columns, which tell the right separator.

        Raises UserError where it cannot be read or has no header.
        """
        self._path = path
        found = encoding_of(path, encoding)
        self.size = path.stat().st_size
        self._lines = Lines(path, found.name)
        self._separator, said = self._sniffed(separator, wanted)
        self.how = _how(found, self._separator, bool(separator))
        self._records = _Records(self._lines, self._separator)
        header = next((row for row in self._records if any(cell.strip() for cell in row.cells)), None)
        if said and header is not None:  # Excel's first line `sep=;`
            header = next((row for row in self._records if any(cell.strip() for cell in row.cells)), None)
        if header is None or header.broken:
            what = header.broken if header else "the file has no rows"
            raise UserError(Problem(what, "its first line names the columns", str(path), 1))
        if len(header.cells) > MOST_COLUMNS:
            what = f"the first line has {len(header.cells):,} cells"
            raise UserError(Problem(what, "is it a table?", str(path), header.line))
        self.header: Sequence[str] = [cell.strip() for cell in header.cells]
        self.header_line = header.line
        self._records.columns = len(self.header)

    @property
    def read(self) -> int:
        return self._lines.bytes_read

    def rows(self) -> Iterator[Row]:
        for row in self._records:
            if row.broken or any(cell and not cell.isspace() for cell in row.cells):
                yield row

    def _sniffed(self, named: str, wanted: Iterable[str]) -> tuple[str, bool]:
        """Return the separator, and whether the file's first line does nothing but tell it."""
        head = self._lines.peek(SNIFFED_CHARACTERS)
        first = head.partition("\n")[0].strip("\r\n \ufeff").strip('"')
        said = first[4:5] if first[:4].lower() == "sep=" and len(first) == 5 else ""
        if named or said:
            return named or said, bool(said)
        names = {name.casefold() for name in wanted}

        def fitness(separator: str) -> tuple[int, float, int]:
            records: list[list[str]] = []
            with suppress(csv.Error):  # a cell that is too long is told where it is read
                records += islice(csv.reader(io.StringIO(head, newline=""), delimiter=separator), 20)
            cells = [cell.strip().casefold() for cell in records[0]] if records else []
            same = sum(len(record) == len(cells) for record in records if record)
            return len(names.intersection(cells)), (len(cells) > 1) * same / max(1, len(records)), len(cells)

        return max(SEPARATORS, key=fitness), False


def _how(encoding: Encoding, separator: str, named: bool) -> str:
    """Say how the file was read, where it is not what everybody expects."""
    told = []
    if encoding.guessed:
        example = f", for example `{encoding.example}`" if encoding.example else ""
        told.append(f"{encoding.name}{example}: if that is wrong, name the encoding or save it as UTF-8")
    elif encoding.name not in ("utf-8", "utf-8-sig", "ascii"):
        told.append(encoding.name)
    if separator != "," and not named:
        told.append(f"cells that end with a {NAMES.get(separator, separator)}")
    return "; ".join(told)


class Lines:
    """The physical lines of a text file; some may be put back. Counts them, and the bytes read."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._raw = path.open("rb")
        self._size = path.stat().st_size
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        self._text = io.TextIOWrapper(io.BufferedReader(self._raw), encoding, errors, newline="")
        self._back: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []
        """Lines of the record that is being read."""

    @property
    def bytes_read(self) -> int:
        return self._size if self._raw.closed else self._raw.tell()

    def peek(self, characters: int) -> str:
        """Return the beginning of the file, whole lines of it, which stay to be read."""
        lines: list[str] = []
        length = 0
        while length < characters and (line := self._text.readline(LONGEST_LINE)):
            if not lines:
                line = line.removeprefix("\ufeff")  # the mark of an encoding
            lines.append(line)
            length += len(line)
        self._back.extend(lines)
        return "".join(lines)

    def put_back(self, count: int) -> None:
        """Put the last `count` lines of the record back."""
        for line in reversed(self.taken[len(self.taken) - count :]):
            self._back.appendleft(line)
        del self.taken[len(self.taken) - count :]
        self.number -= count

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        if self._back:
            line = self._back.popleft()
        elif self._raw.closed:  # asked again: lines had been put back
            raise StopIteration
        else:
            line = self._text.readline(LONGEST_LINE)
        if not line:
            self._raw.close()
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        if len(self.taken) > MOST_LINES:
            raise csv.Error("a quote is never closed")
        return line


class _Records:
    """Records of a CSV file, the broken ones told and passed over a line at a time."""

    def __init__(self, lines: Lines, separator: str) -> None:
        csv.field_size_limit(LONGEST_CELL)
        self._lines, self._separator = lines, separator
        self._reader = csv.reader(lines, delimiter=separator)
        self.columns = 0

    def __iter__(self) -> Iterator[Row]:
        lines = self._lines
        while True:
            lines.taken.clear()
            line = lines.number + 1
            broken = ""
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                cells, broken = [], _reason(error)
            if broken or (len(lines.taken) > 1 and (broken := self._doubt(cells))):
                first = lines.taken[0]
                lines.put_back(len(lines.taken) - 1)
                self._reader = csv.reader(lines, delimiter=self._separator)
                yield Row(line, first.rstrip("\r\n")[:LONGEST_CELL].split(self._separator), broken)
                continue
            if cells:
                yield Row(line, cells)

    def _doubt(self, cells: list[str]) -> str:
        """Say what is wrong with a record of several lines."""
        if self.columns and len(cells) != self.columns:
            return "a quote is never closed"
        try:
            list(csv.reader(self._lines.taken, delimiter=self._separator, strict=True))
        except csv.Error as error:
            return _reason(error)
        return ""


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "field larger" in text or "unexpected end" in text or "never closed" in text:
        return "a quote is never closed"
    if "expected after" in text:
        return "a quote ends in the middle of a cell"
    return f"cannot be read: {text}"
