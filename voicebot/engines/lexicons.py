"""The words that a recogniser's model can hear, read from its files: no model is loaded for that.

Vosk's large models have a list of words as text; its small ones keep it as the symbol table of a graph, in
OpenFst's binary format (fst.h: FstHeader, symbol-table.h). PocketSphinx has a dictionary.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Collection
from pathlib import Path

from voicebot.engines import stt_pocketsphinx, stt_vosk
from voicebot.errors import Problem, UserError

WITH_LEXICON = ("vosk", "pocketsphinx")
"""Engines that hear the words of a list only; the others can write any word."""

_FST_MAGIC = 2125659606
_SYMBOLS_MAGIC = 2125658996
_HAS_SYMBOLS = 0x1 | 0x2
_LONGEST_NAME = 4096
"""Bytes of a name or word in a file that is sound."""


def lacking(engine: str, model: str, words: Collection[str]) -> tuple[str, ...]:
    """Return those of `words` (lower case) that the model can never hear.

    `model` is its folder, "" for the one that comes with the engine. A tenth of a second for half a million
    words. Raises UserError if there is no model, or none that can be read.
    """
    if engine not in WITH_LEXICON or not words:
        return ()
    bundled = stt_vosk.bundled_model if engine == "vosk" else stt_pocketsphinx.bundled_model
    folder = Path(model) if model else bundled()
    if folder is None or not folder.is_dir():
        what = f"{folder}: there is no such model" if folder else f"the recogniser {engine} has no model"
        raise UserError(what, "voicebot models list tells which there are")
    wanted = set(words)
    try:
        found = _vosk(folder, wanted) if engine == "vosk" else _pocketsphinx(folder, wanted)
    except (OSError, struct.error, ValueError) as error:
        raise UserError(
            Problem(f"its words cannot be read ({error})", "is it complete?", str(folder))
        ) from error
    return tuple(word for word in words if word not in found)


def _vosk(folder: Path, wanted: set[str]) -> set[str]:
    for name in ("graph/words.txt", "words.txt"):
        if (folder / name).is_file():
            return _first_columns(folder / name, wanted)
    for name in ("graph/Gr.fst", "Gr.fst"):
        if (folder / name).is_file():
            return _symbols(folder / name, wanted)
    raise ValueError("no words.txt and no Gr.fst in it")


def _pocketsphinx(folder: Path, wanted: set[str]) -> set[str]:
    dictionary = next(iter(sorted(folder.rglob("*.dict"))), None)
    if dictionary is None:
        raise ValueError("no dictionary in it")
    return _first_columns(dictionary, wanted)


def _first_columns(path: Path, wanted: set[str]) -> set[str]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        return wanted.intersection(line.split(maxsplit=1)[0] for line in lines if not line.isspace())


def _symbols(path: Path, wanted: set[str]) -> set[str]:
    """Look for `wanted` in the first symbol table of an OpenFst file."""
    sought = {word.encode() for word in wanted}
    found = set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = _after_header(data)
        (magic,) = struct.unpack_from("<i", data, at)
        if magic != _SYMBOLS_MAGIC:
            raise ValueError("no table of words in its graph")
        at = _after_text(data, at + 4)
        _, count = struct.unpack_from("<qq", data, at)
        at += 16
        length_of = struct.Struct("<i").unpack_from
        for _ in range(count):
            (length,) = length_of(data, at)
            if not 0 <= length <= _LONGEST_NAME:
                raise ValueError("its table of words is damaged")
            word = data[at + 4 : at + 4 + length]
            if word in sought:
                found.add(word.decode())
            at += 12 + length
    return found


def _after_header(data: mmap.mmap) -> int:
    magic, _ = struct.unpack_from("<ii", data, 0)
    if magic != _FST_MAGIC:
        raise ValueError("its graph is not in OpenFst's format")
    at = _after_text(data, _after_text(data, 4))
    _, flags = struct.unpack_from("<ii", data, at)
    if not flags & _HAS_SYMBOLS:
        raise ValueError("no table of words in its graph")
    return at + 8 + 8 + 3 * 8  # version and flags, properties, start, states, arcs


def _after_text(data: mmap.mmap, at: int) -> int:
    (length,) = struct.unpack_from("<i", data, at)
    if not 0 <= length <= _LONGEST_NAME:
        raise ValueError("its graph is damaged")
    return int(at + 4 + length)
