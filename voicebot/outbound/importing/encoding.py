"""In which encoding a text file was saved: by its mark, its bytes, at last by its words."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from voicebot.errors import Problem, UserError

BLOCK_BYTES = 1 << 20
SAMPLE_BYTES = 32_768
"""Of lines with letters beyond ASCII, from which an encoding without a mark is guessed."""
DAMAGED_SHARE = 0.05
"""A file with a smaller share of bytes that are no UTF-8 is UTF-8 with damage; its rows are told."""
NULS_SHARE = 0.3
"""Of the first bytes: so many zeros are halves of UTF-16."""
EXAMPLE_WORD = 40

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TELLING = frozenset(("cp949", "cp932", "big5", "gb18030", "euc_jp", "cp1251", "cp1253"))
"""Encodings whose letters look like nothing else."""
_BAD = re.compile("[\udc80-\udcff]")
_BEYOND = re.compile("[^\x00-\x7f\udc80-\udcff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAN = re.compile("[\u4e00-\u9fff]")
_WORD_BEYOND = re.compile(r"\w*[^\x00-\x7f\W]\w*")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to read a file. example: a word of it as it was read, where the encoding was guessed."""

    name: str
    guessed: bool = False
    example: str = ""


def encoding_of(path: Path, named: str = "") -> Encoding:
    """Look at the whole file (about 1 GB/s) and return its encoding; `named` is what its owner says it is.

    Raises UserError where it cannot be read, is none that exists, or none that fits.
    """
    if named:
        try:
            "a".encode(named)  # a codec may be for something else than text
            return Encoding(codecs.lookup(named).name)
        except (LookupError, ValueError):
            raise UserError(
                Problem(f"there is no encoding `{named}`", "such as utf-8, cp1252 or euc-kr")
            ) from None
    good = bad = 0
    sample = bytearray()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with path.open("rb") as file:
        head = file.read(4)
        if found := next((name for mark, name in _MARKS if head.startswith(mark)), ""):
            return Encoding(found)
        file.seek(0)
        first = True
        while block := file.read(BLOCK_BYTES):
            if first and (wide := _wide(block[:4096])):
                return Encoding(wide)
            first = False
            if block.isascii() and not decoder.getstate()[0]:
                continue
            text = decoder.decode(block)
            if broken := len(_BAD.findall(text)):
                bad += broken
                good += len(_BEYOND.findall(text))
            else:
                good += len(block) - len(text)
            if len(sample) < SAMPLE_BYTES:
                lines = (line for line in block.splitlines() if not line.isascii())
                sample += b"\n".join(lines)[:SAMPLE_BYTES] + b"\n"
    if bad <= DAMAGED_SHARE * good:
        return Encoding("utf-8")
    return _guessed(bytes(sample[:SAMPLE_BYTES]), str(path))


def _wide(head: bytes) -> str:
    if head[1::2].count(0) > NULS_SHARE * len(head) / 2:
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) > NULS_SHARE * len(head) / 2 else ""


def _guessed(sample: bytes, source: str) -> Encoding:
    from charset_normalizer import from_bytes  # here, since most files are UTF-8

    sample = sample[: sample.rfind(b"\n") + 1] or sample
    likely = [match.encoding for match in from_bytes(sample) if not match.encoding.startswith("utf")]
    name = next(iter(likely), "")
    western = _decoded(sample, "cp1252")
    # Tables of one byte a letter all fit; where the West's gives letters only, it is the likeliest by far.
    letters = western and all(letter.isalpha() for letter in western if ord(letter) > 0x7F)
    if (letters and name not in _TELLING) or (western and not name):
        name = "cp1252"
    # Bytes of one Asian encoding often stand for signs in another: mixed ones, if it is the wrong one.
    korean = _BEYOND.findall(_decoded(sample, "cp949"))
    chinese = _BEYOND.findall(_decoded(sample, "gb18030"))
    if name != "cp932" and korean and all(map(_HANGUL.match, korean)):
        name = "cp949"
    elif name == "cp949" and chinese and all(map(_HAN.match, chinese)):
        name = "gb18030"
    if not name:
        what = "the file's encoding cannot be told"
        raise UserError(Problem(what, "save it as UTF-8, or name it: --encoding cp1252", source))
    found = _WORD_BEYOND.search(_decoded(sample, name))
    return Encoding(name, guessed=True, example=found[0][:EXAMPLE_WORD] if found else "")


def _decoded(sample: bytes, name: str) -> str:
    try:
        return sample.decode(name)
    except (UnicodeDecodeError, LookupError):
        return ""
