"""Prompts as files that Asterisk plays. What may not be kept is written to memory only, and goes at once."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voicebot.audio.frames import Samples
from voicebot.errors import Problem, UserError
from voicebot.fastagi.dialogs.playout import SAMPLE_RATE

ENDING = ".sln"
MEMORY = Path("/dev/shm")
READABLE = 0o644
"""Asterisk often is another user."""
SILENCE = "silence"
SILENCE_S = 20
"""Played while a key is awaited: unlike WAIT FOR DIGIT it ends without a warning in Asterisk's log, and the
caller's line stays open."""
MOST_FILES = 20_000
"""So many prompts are kept; then those go that were not played for longest."""


class PromptFiles:
    """Files in `folder`, which Asterisk sees as `seen_as`. Raises UserError where it cannot be written."""

    def __init__(self, folder: Path, seen_as: str = "") -> None:
        self._folder = folder
        self._seen_as = seen_as.rstrip("/") or str(folder)
        self._known: dict[str, None] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
            self._known = dict.fromkeys(
                path.stem for path in sorted(folder.glob(f"*{ENDING}"), key=lambda path: path.stat().st_mtime)
            )
            self._known.pop(SILENCE, None)
            _write(folder / f"{SILENCE}{ENDING}", bytes(2 * SAMPLE_RATE * SILENCE_S))
        except OSError as error:
            what = f"agi.prompts: {folder} cannot be used: {error.strerror}"
            raise UserError(
                Problem(what, "name a folder that voicebot may write and Asterisk may read")
            ) from error

    @property
    def silence(self) -> str:
        """The name of a file with SILENCE_S of silence."""
        return f"{self._seen_as}/{SILENCE}"

    @contextmanager
    def kept(self, samples: Samples, *, secret: bool) -> Iterator[str]:
        """Have the samples (8 kHz) in a file while the block runs; gives its name as Asterisk knows it.

        Raises OSError, for instance on a full disk.
        """
        data = samples.astype("<i2").tobytes()
        if secret:
            name = f"voicebot-{secrets.token_hex(16)}"
            path = (MEMORY if MEMORY.is_dir() else self._folder) / f"{name}{ENDING}"
            try:
                _write(path, data)
                yield str(path.with_suffix(""))
            finally:
                path.unlink(missing_ok=True)
            return
        name = hashlib.sha256(data).hexdigest()[:32]
        if name not in self._known or not (self._folder / f"{name}{ENDING}").exists():
            _write(self._folder / f"{name}{ENDING}", data)
        self._known.pop(name, None)
        self._known[name] = None
        if len(self._known) > MOST_FILES:
            oldest = next(iter(self._known))
            del self._known[oldest]
            (self._folder / f"{oldest}{ENDING}").unlink(missing_ok=True)
        yield f"{self._seen_as}/{name}"


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_bytes(data)
        aside.chmod(READABLE)
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
