"""Unit tests of encodings: a table is read as it was saved, marked or not, damaged or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.errors import UserError
from voicebot.outbound.importing.encoding import BLOCK_BYTES, encoding_of

pytestmark = pytest.mark.unit

WEST = "7,Jürgen Groß,030 123\n8,Zoë,030 124\n"
KOREAN = "1001,김민수,010-1234-5678\n1002,이영희,010-2345-6789\n"


def written(folder: Path, raw: bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_told_by_its_mark_or_its_bytes(name: str, tmp_path: Path) -> None:
    text = "number,name\n" + KOREAN * 50
    found = encoding_of(written(tmp_path, text.encode(name)))
    assert not found.guessed
    assert (tmp_path / "table.csv").read_bytes().decode(found.name).removeprefix("\ufeff") == text


@pytest.mark.parametrize(
    ("name", "text", "example"),
    [
        ("cp1252", WEST, "Jürgen"),
        ("euc_kr", KOREAN, "김민수"),
        ("cp949", "1,똠방각하,010\n", "똠방각하"),
        ("shift_jis", "1,山田太郎,03-1234\n2,佐藤花子,03-1111\n", "山田太郎"),
        ("cp1251", "1,Иванов Иван,495\n2,Петрова Анна,495\n", "Иванов"),
        ("cp1250", "1,Łukasz Żółć,22\n2,Dvořák,22\n", "Łukasz"),
        ("gb18030", "1,王小明,010\n2,李娜,021\n", "王小明"),
    ],
)
def test_others_are_guessed_and_shown(name: str, text: str, example: str, tmp_path: Path) -> None:
    found = encoding_of(written(tmp_path, b"key,name,phone\n" + text.encode(name)))
    assert (found.guessed, found.example) == (True, example)


def test_the_whole_file_is_looked_at(tmp_path: Path) -> None:
    plain = b"1,Ann,+12025550142\n" * (BLOCK_BYTES // 19 + 100)
    assert encoding_of(written(tmp_path, plain)).name == "utf-8"
    found = encoding_of(written(tmp_path, plain + WEST.encode("cp1252")))
    assert (found.name, found.example) == ("cp1252", "Jürgen")


def test_a_letter_on_the_border_of_two_blocks_is_no_damage(tmp_path: Path) -> None:
    raw = b"a" * (BLOCK_BYTES - 1) + "ü,\n".encode() + KOREAN.encode()
    assert encoding_of(written(tmp_path, raw)).name == "utf-8"


def test_a_damaged_byte_does_not_spoil_a_file(tmp_path: Path) -> None:
    raw = (KOREAN * 50).encode() + b"3,Zo\xeb,010\n"
    found = encoding_of(written(tmp_path, raw))
    assert (found.name, found.guessed) == ("utf-8", False)


def test_a_named_encoding_must_exist(tmp_path: Path) -> None:
    path = written(tmp_path, WEST.encode("cp850"))
    assert encoding_of(path, "CP850").name == "cp850"
    for name in ("utf-99", "hex"):
        with pytest.raises(UserError, match=f"no encoding `{name}`"):
            encoding_of(path, name)
