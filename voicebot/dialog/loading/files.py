"""The one place where dialogs are read from disk."""

from __future__ import annotations

import hashlib
import os
import stat
import wave
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from voicebot.dialog.checking.check import Surroundings
from voicebot.dialog.loading.loader import Examined, Rule, examine
from voicebot.dialog.loading.sources import LIBRARY, Sound
from voicebot.dialog.loading.yamlfile import LARGEST_BYTES
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import Problem, UserError

LARGEST_WAV_BYTES = 64 << 20
"""An hour at 8 kHz; a prompt is seconds."""


def load_dialog(path: Path, surroundings: Surroundings | None = None) -> Dialog:
    """Read and check a dialog file with all that it includes and plays. Raises UserError with all faults."""
    found = examine_dialog(path, surroundings)
    if found.dialog is None:
        raise UserError(found.mistakes)
    return found.dialog


def examine_dialog(
    path: Path, surroundings: Surroundings | None = None, rules: Sequence[Rule] = ()
) -> Examined:
    """Read a dialog file and tell all that is wrong with it. Raises UserError where it cannot be read."""
    text = read_text(str(path))
    folder = str(path.resolve().parent)
    return examine(text, str(path), folder, DiskFiles(), surroundings, rules)


@cache
def library() -> Path | None:
    """Return the folder of the ready dialogs: in the package, or in the checkout that this is run from."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "library", package.parent / "dialogs" / "lib"):
        if folder.is_dir():
            return folder
    return None


class DiskFiles:
    """Files on this machine's disk. A path is absolute, and the same however it is written."""

    def find(self, name: str, folder: str) -> str | None:
        """Look beside the dialog, then, for a name under `lib/`, among the ready dialogs."""
        beside = Path(folder, name)
        if beside.is_file():
            return os.path.realpath(beside)
        ready = library()
        if ready is not None and name.startswith(LIBRARY) and (ready / name[len(LIBRARY) :]).is_file():
            return os.path.realpath(ready / name[len(LIBRARY) :])
        return None

    def text(self, path: str) -> str:
        return read_text(path)

    def sound(self, path: str) -> Sound:
        """Look at a wav file: it must be 16-bit mono PCM."""
        try:
            if Path(path).stat().st_size > LARGEST_WAV_BYTES:
                return Sound(fault="is larger than 64 MiB", remedy="cut it")
            raw = Path(path).read_bytes()
            with wave.open(path, "rb") as sound:
                if sound.getsampwidth() != 2 or sound.getnchannels() != 1:
                    return Sound(fault="is not 16-bit mono", remedy="convert it")
        except (OSError, EOFError, wave.Error) as error:
            return Sound(fault=f"cannot be played: {error}", remedy="save it as PCM wav")
        return Sound(hashlib.sha256(raw).hexdigest())


def read_bytes(path: str, largest: int = LARGEST_BYTES) -> bytes:
    """Return what stands in a file, one byte more than `largest` at the most.

    Raises UserError where it cannot be read, and for a pipe or a device, which may never end or begin.
    """
    try:
        # Not blocking: a pipe that nobody writes to would keep whoever opens it waiting.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UserError(Problem("is no file, but a pipe or a device", _COPY, path, code="file"))
            return file.read(largest + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            Problem(f"cannot be read: {reason}", "is the path right?", path, code="file")
        ) from error


def read_text(path: str, what: str = "dialog") -> str:
    """Return the text of a file. Raises UserError where it cannot be read, is too large, or is no UTF-8."""
    raw = read_bytes(path)
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UserError(Problem("is UTF-16 text, not UTF-8", _SAVE, path, 1, 1, "encoding"))
    if len(raw) > LARGEST_BYTES:
        raise UserError(Problem("larger than 1 MiB", f"split the {what}", path, code="size"))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise UserError(Problem("is not UTF-8 text", _SAVE, path, line, column, "encoding")) from error


_SAVE = "save the file as UTF-8"
_COPY = "write it to a file first"
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
