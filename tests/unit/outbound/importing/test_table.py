"""Unit tests of tables: separators, quotes that are never closed, sheets; no row is lost without a word."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicebot.errors import UserError
from voicebot.outbound.importing.run import open_table
from voicebot.outbound.importing.sheet import text_of
from voicebot.outbound.importing.table import LONGEST_CELL, MOST_LINES, CsvTable, Row

pytestmark = pytest.mark.unit

PIECES = [
    *(bytes([each]) for each in b',;\t|"\n\r\x00a1\xff\xfe\xeb'),
    b"\xc3\xbc",
    b"\xef\xbb\xbf",
    b"phone",
    b"sep=;",
]


def table(folder: Path, text: str, **options: str) -> CsvTable:
    path = folder / "table.csv"
    path.write_bytes(text.encode())
    return CsvTable(path, **options)  # type: ignore[arg-type]


def read(folder: Path, text: str) -> list[Row]:
    return list(table(folder, text).rows())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_are_found(separator: str, end: str, tmp_path: Path) -> None:
    rows = [["phone", "name, first", "note; more|"], ["+12025550142", "Ann, B", "a;b|c\td"]]
    text = end.join(separator.join(f'"{cell}"' for cell in row) for row in rows) + end
    found = table(tmp_path, text)
    assert list(found.header) == rows[0]
    assert [row.cells for row in found.rows()] == [rows[1]]


def test_the_columns_that_are_wanted_tell_the_separator(tmp_path: Path) -> None:
    text = "phone;a,b,c,d\n+12025550142;1,2,3,4\n"
    path = tmp_path / "table.csv"
    path.write_text(text)
    assert list(CsvTable(path, wanted=("Phone",)).header) == ["phone", "a,b,c,d"]


def test_what_a_spreadsheet_says_of_its_separator_is_heard(tmp_path: Path) -> None:
    found = table(tmp_path, "sep=|\nphone|name\n+12025550142|a,b,c\n")
    assert (list(found.header), found.header_line) == (["phone", "name"], 2)
    assert [row.line for row in found.rows()] == [3]


def test_lines_are_counted_through_quoted_ones_and_empty_ones(tmp_path: Path) -> None:
    rows = read(tmp_path, 'a,b\n1,"two\nlines\nthree"\n\n,\n2,x\n')
    assert [(row.line, row.cells) for row in rows] == [(2, ["1", "two\nlines\nthree"]), (7, ["2", "x"])]


@pytest.mark.parametrize(
    "broken",
    [
        '1,"never closed',
        '1,"closed" too early\n1,"closed',
    ],
)
def test_a_stray_quote_breaks_its_own_line_alone(broken: str, tmp_path: Path) -> None:
    text = f"a,b\n{broken}\n" + "".join(f"{n},x\n" for n in range(2, 3000))
    rows = read(tmp_path, text)
    good = [row.cells for row in rows if not row.broken]
    assert [cells for cells in good if len(cells) == 2 and cells[1] == "x"] == [
        [str(n), "x"] for n in range(2, 3000)
    ]
    assert any("quote" in row.broken for row in rows)


def test_a_quote_open_at_the_end_swallows_nothing(tmp_path: Path) -> None:
    rows = read(tmp_path, 'a,b\n1,"x\n2,y\n3,z')
    assert [(row.line, bool(row.broken)) for row in rows] == [(2, True), (3, False), (4, False)]


def test_a_cell_without_end_is_told(tmp_path: Path) -> None:
    rows = read(tmp_path, f"a,b\n1,{'x' * (LONGEST_CELL + 10)}\n2,y\n")
    assert [(row.line, bool(row.broken)) for row in rows] == [(2, True), (3, False)]


def test_a_legitimate_cell_of_many_lines_is_read(tmp_path: Path) -> None:
    note = "\n".join("line" for _ in range(MOST_LINES - 10))
    assert [row.cells[1] for row in read(tmp_path, f'a,b\n1,"{note}"\n2,x\n')] == [note, "x"]


@pytest.mark.parametrize(
    ("text", "words"), [("", "is empty"), ("\n\n", "no rows"), ('"a\nb', "never closed")]
)
def test_what_is_no_table_is_told(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        open_table(path)


@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(raw)
    try:
        found = open_table(path, wanted=("phone",))
    except UserError:
        return
    lines = [row.line for row in found.rows()]
    assert lines == sorted(set(lines))
    assert all(line > found.header_line for line in lines)


@pytest.mark.parametrize("name", ["no.csv", "."])
def test_what_is_no_file_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError):
        open_table(tmp_path / name)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12025550142.0, "12025550142"),
        (45000, "45000"),
        (12.5, "12.5"),
        (0.1 + 0.2, "0.3"),
        (True, "yes"),
        (date(2027, 3, 4), "2027-03-04"),
        (datetime(2027, 3, 4, 15, 0), "2027-03-04 15:00:00"),
        (datetime(2027, 3, 4), "2027-03-04"),
        (time(15, 5), "15:05"),
        (timedelta(hours=15, minutes=5), "15:05"),
        ("0049", "0049"),
    ],
)
def test_cells_of_sheets_are_written_out(value: object, text: str) -> None:
    assert text_of(value) == text


def test_a_sheet_is_read_as_what_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    write_sheet(path)
    found = open_table(path)
    assert list(found.header) == ["phone", "day", "name"]
    assert [(row.line, list(row.cells)) for row in found.rows()] == [
        (2, ["12025550142", "2027-03-04", "=SUM(A1)"]),
        (4, ["", "", "Ann"]),
    ]
    with pytest.raises(UserError, match="no sheet `Other`"):
        open_table(path, sheet="Other")


def test_a_damaged_sheet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    path.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(UserError):
        open_table(path)


def write_sheet(path: Path) -> None:
    """Write the smallest XLSX with a number, a day and texts; day 46450 is 2027-03-04."""
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"

    def text(cell: str, value: str) -> str:
        return f'<c r="{cell}" t="inlineStr"><is><t>{value}</t></is></c>'

    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>'
        f'<row r="1">{text("A1", "phone")}{text("B1", "day")}{text("C1", "name")}</row>'
        f'<row r="2"><c r="A2"><v>12025550142</v></c><c r="B2" s="1"><v>46450</v></c>'
        f'{text("C2", "=SUM(A1)")}</row><row r="4">{text("C4", "Ann")}</row></sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as packed:
        for name, body in parts.items():
            packed.writestr(name, f"{head}\n{body}")
