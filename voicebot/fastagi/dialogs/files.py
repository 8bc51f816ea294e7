"""Prompts as files that Asterisk plays. What may not be kept is written to memory only, and goes at once."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from voicebot.audio.frames import Samples
from voicebot.errors import Problem, UserError
from voicebot.fastagi.dialogs.playout import SAMPLE_RATE

log = structlog.get_logger(__name__)

ENDING = ".sln"
MEMORY = Path("/dev/shm")
"""Where there is none, what may not be kept is not played: it fails closed."""
PASSING = "voicebot-"
"""Begins the names of files in memory, before the process that plays them."""
READABLE = 0o644
"""Asterisk often is another user."""
SILENCE = "silence"
SILENCE_S = 20
"""Played while a key is awaited: unlike WAIT FOR DIGIT it ends without a warning in Asterisk's log, and the
caller's line stays open."""
SILENT = bytes(2 * SAMPLE_RATE * SILENCE_S)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""A disk that takes no more now: who begins on such a day plays from memory."""
MOST_FILES = 20_000
"""So many prompts are kept; then those go that were not played for longest."""


class PromptFiles:
    """Files in `folder`, which Asterisk sees as `seen_as`.

    Raises UserError where it cannot be written for another cause than that the disk is full.
    """

    def __init__(self, folder: Path, seen_as: str = "") -> None:
        self._folder = folder
        self._seen_as = seen_as.rstrip("/") or str(folder)
        self._known: dict[str, None] = {}
        self._full = False
        self._silence = Path()
        _sweep()
        try:
            self._open()
        except OSError as error:
            what = f"agi.prompts: {folder} cannot be used: {error.strerror}"
            raise UserError(
                Problem(what, "name a folder that voicebot may write and Asterisk may read")
            ) from error

    def _open(self) -> None:
        """Look at what is there, and have silence to play."""
        path = self._folder / f"{SILENCE}{ENDING}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o755)
            there = sorted(self._folder.glob(f"*{ENDING}"), key=lambda path: path.stat().st_mtime)
            self._known = dict.fromkeys(path.stem for path in there)
            self._known.pop(SILENCE, None)
            _write(path, SILENT)
        except OSError as error:
            if error.errno not in FULL:
                raise
            log.error("prompts are played from memory", folder=str(self._folder), why=error.strerror)
            path = MEMORY / f"{PASSING}{os.getpid()}-{SILENCE}{ENDING}"
            _write(path, SILENT)
        self._silence = path

    @property
    def silence(self) -> str:
        """The name of a file with SILENCE_S of silence; it comes back where somebody has emptied the folder.
        Raises OSError."""
        if not self._silence.exists():
            self._open()
        place = self._seen_as if self._silence.parent == self._folder else self._silence.parent
        return f"{place}/{self._silence.stem}"

    @asynccontextmanager
    async def kept(self, samples: Samples, *, secret: bool) -> AsyncIterator[str]:
        """Have the samples (8 kHz) in a file while the block runs; gives its name as Asterisk knows it.

        What cannot be written to the folder, as on a full disk, is played from memory. Raises OSError where
        that is full as well.
        """
        data = samples.astype("<i2").tobytes()
        name = "" if secret else await self._keep(data)
        if name:
            yield f"{self._seen_as}/{name}"
            return
        path = MEMORY / f"{PASSING}{os.getpid()}-{secrets.token_hex(16)}{ENDING}"
        try:
            _write(path, data)
            yield str(path.with_suffix(""))
        finally:
            path.unlink(missing_ok=True)

    async def _keep(self, data: bytes) -> str:
        """Have it in the folder, and return its name; "" where that is not possible."""
        name = hashlib.sha256(data).hexdigest()[:32]
        path = self._folder / f"{name}{ENDING}"
        if name not in self._known or not path.exists():
            try:
                await asyncio.to_thread(_write, path, data)
            except OSError as error:
                if not self._full:
                    log.error("a prompt cannot be kept", folder=str(self._folder), why=error.strerror)
                self._full = True
                return ""
            self._full = False
        self._known.pop(name, None)
        self._known[name] = None
        if len(self._known) > MOST_FILES:
            oldest = next(iter(self._known))
            del self._known[oldest]
            (self._folder / f"{oldest}{ENDING}").unlink(missing_ok=True)
        return name


def _sweep() -> None:
    """Remove what a gateway left in memory that was killed while it played."""
    for path in MEMORY.glob(f"{PASSING}*{ENDING}"):
        owner = path.name.removeprefix(PASSING).partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        aside.write_bytes(data)
        aside.chmod(READABLE)
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
