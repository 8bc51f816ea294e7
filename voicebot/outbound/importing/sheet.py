"""A spreadsheet's first sheet, or a named one, as rows of text: XLSX, XLSB, XLS, ODS."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from voicebot.errors import Problem, UserError
from voicebot.outbound.importing.table import Row

LARGEST_BYTES = 2 << 30
"""Unpacked; a small file that holds more is made to fill a memory."""
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def is_sheet(path: Path) -> bool:
    """Whether the file's first bytes are those of a spreadsheet, whatever its name says."""
    with path.open("rb") as file:
        head = file.read(8)
    return head.startswith((_ZIP, _OLE))


class SheetTable:
    """One sheet. Numbers and days are written out: 12025550142, not 1.2e10; 2027-03-04, not 46450."""

    def __init__(self, path: Path, *, sheet: str = "") -> None:
        """Read it. Raises UserError where it cannot be read, or has no such sheet."""
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorksheetNotFound

        _check_size(path)
        source = str(path)
        try:
            book = CalamineWorkbook.from_path(source)
            names = book.sheet_names
            found = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
        except PasswordError as error:
            raise UserError(Problem("is protected by a password", "save it without one", source)) from error
        except WorksheetNotFound as error:
            raise UserError(
                Problem(f"there is no sheet `{sheet}`", f"there are {', '.join(names)}", source)
            ) from error
        except (CalamineError, OSError, ValueError, IndexError) as error:
            raise UserError(
                Problem(f"is no spreadsheet that can be read: {error}", "save it as CSV in UTF-8", source)
            ) from error
        self.how = f"sheet `{names[0]}` of {len(names)}" if len(names) > 1 and not sheet else ""
        self._rows = found.iter_rows()
        self.size = found.total_height
        self._number = found.start[0] if found.start else 0
        header = next((row for row in self._texts() if any(cell.strip() for cell in row.cells)), None)
        if header is None:
            raise UserError(Problem("the sheet is empty", "its first row names the columns", source))
        self.header: Sequence[str] = [cell.strip() for cell in header.cells]
        self.header_line = header.line

    @property
    def read(self) -> int:
        return self._number

    def rows(self) -> Iterator[Row]:
        for row in self._texts():
            if any(cell and not cell.isspace() for cell in row.cells):
                yield row

    def _texts(self) -> Iterator[Row]:
        for values in self._rows:
            self._number += 1
            yield Row(self._number, [text_of(value) for value in values])


def text_of(value: object) -> str:
    """Return a cell's value as a person would write it into a CSV file."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
        case datetime():
            midnight = value.time() == time()
            return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("seconds" if value.second else "minutes")
        case timedelta():
            minutes, seconds = divmod(int(value.total_seconds()), 60)
            return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
        case _:
            return str(value)


def _check_size(path: Path) -> None:
    """Refuse a small file that would fill the memory once it is unpacked."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(each.file_size for each in packed.infolist())
    except zipfile.BadZipFile as error:
        raise UserError(Problem(f"is damaged: {error}", "save it again", str(path))) from error
    if size > LARGEST_BYTES:
        what = f"holds {size >> 20:,} MiB, unpacked"
        raise UserError(Problem(what, "save it as CSV in UTF-8", str(path)))
