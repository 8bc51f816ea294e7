"""Unit: the words of a model are read from its files, and a damaged file is told."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicebot.engines.lexicons import lacking
from voicebot.errors import UserError

pytestmark = pytest.mark.unit


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<i", len(encoded)) + encoded


def graph(*words: str, flags: int = 3) -> bytes:
    """An OpenFst file as far as the end of its first symbol table, and something after it."""
    header = struct.pack("<i", 2125659606) + text("ngram") + text("standard")
    header += struct.pack("<iiQqqq", 4, flags, 0, 0, 0, 0)
    symbols = struct.pack("<i", 2125658996) + text("words.txt") + struct.pack("<qq", len(words), len(words))
    symbols += b"".join(text(word) + struct.pack("<q", at) for at, word in enumerate(words))
    return header + symbols + b"arcs"


def test_words_of_vosk_in_a_list(tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "words.txt").write_text("<eps> 0\nyes 1\n\nno 2\n")
    assert lacking("vosk", str(tmp_path), ("yes", "nay", "no")) == ("nay",)


def test_words_of_vosk_in_a_graph(tmp_path: Path) -> None:
    (tmp_path / "Gr.fst").write_bytes(graph("<eps>", "예약", "yes"))
    assert lacking("vosk", str(tmp_path), ("예약", "예", "arcs", "yes")) == ("예", "arcs")


def test_words_of_pocketsphinx(tmp_path: Path) -> None:
    (tmp_path / "en.dict").write_text("yes Y EH S\nread R EH D\nread(2) R IY D\n")
    assert lacking("pocketsphinx", str(tmp_path), ("read", "yes", "nay")) == ("nay",)


def test_an_engine_without_a_list_lacks_nothing() -> None:
    assert lacking("whisper", "/nowhere", ("xyzzy",)) == ()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("Gr.fst", b""),
        ("Gr.fst", b"no graph at all, but long enough for a header"),
        ("Gr.fst", graph("yes", flags=0)),
        ("Gr.fst", graph("yes", "no")[:-20]),
        ("README", b"no words"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, file: str, content: bytes) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError, match="its words cannot be read"):
        lacking("vosk", str(tmp_path), ("yes",))
    with pytest.raises(UserError, match="there is no such model"):
        lacking("vosk", str(tmp_path / "nowhere"), ("yes",))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(at=st.integers(0, 150), byte=st.integers(0, 255))
def test_damage_is_told_or_does_no_harm(tmp_path: Path, at: int, byte: int) -> None:
    content = bytearray(graph("<eps>", "yes", "no"))
    content[at % len(content)] = byte
    (tmp_path / "Gr.fst").write_bytes(content)
    with contextlib.suppress(UserError):
        assert set(lacking("vosk", str(tmp_path), ("yes", "no"))) <= {"yes", "no"}
