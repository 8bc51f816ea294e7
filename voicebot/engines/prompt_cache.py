"""Prompts rendered ahead: in memory for the calls, on disk for the next start.

Only what is put here with `keep` reaches the disk, so the rule that nothing sensitive or personal is stored
is kept by whoever calls `put`. A full or read-only disk costs the next start some time, and no call anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections import OrderedDict
from dataclasses import astuple, dataclass
from pathlib import Path

import structlog

from voicebot.audio.wav import parse_wav, serialize_wav
from voicebot.engines.tts_finish import FINISH_VERSION
from voicebot.errors import UserError
from voicebot.speech.tts import Samples

log = structlog.get_logger(__name__)

MEMORY_BYTES = 64 * 1024 * 1024
"""About an hour of prompts at 8 kHz; the least recently used go first, and come back from the disk."""
DISK_BYTES = 1024 * 1024 * 1024
"""At `open` the oldest files above this are deleted."""
LEFTOVER_S = 3600
"""An unfinished file this old was left by a process that died; a younger one may be being written."""


@dataclass(frozen=True, slots=True)
class PromptKey:
    """All that a rendered prompt depends on. `rate` in words a minute, `sample_rate` in Hz."""

    engine: str
    version: str
    language: str
    voice: str
    rate: int
    text: str
    sample_rate: int
    finish: int = FINISH_VERSION

    @property
    def file_name(self) -> str:
        """A name that tells nothing of the text."""
        return hashlib.sha256(repr(astuple(self)).encode(errors="replace")).hexdigest()[:40] + ".wav"


class PromptCache:
    """Rendered prompts below `folder`; `open()` first. Safe to use from several threads."""

    def __init__(self, folder: Path, memory_bytes: int = MEMORY_BYTES, disk_bytes: int = DISK_BYTES) -> None:
        self.folder = folder
        self._memory_bytes = memory_bytes
        self._disk_bytes = disk_bytes
        self._held = 0
        self._memory: OrderedDict[PromptKey, Samples] = OrderedDict()
        self._on_disk: set[str] = set()
        self._lock = threading.Lock()
        self._warned = False

    def open(self) -> None:
        """Find out what the disk holds; delete leftovers, and the oldest prompts where there are too many."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            found = [(path.stat().st_mtime, path.stat().st_size, path) for path in self.folder.iterdir()]
        except OSError as error:
            self._warn(error)
            return
        total = 0
        for modified, size, path in sorted(found, reverse=True):
            finished = path.suffix == ".wav"
            total += size if finished else 0
            if finished and total <= self._disk_bytes:
                self._on_disk.add(path.name)
            elif finished or modified < time.time() - LEFTOVER_S:
                with contextlib.suppress(OSError):
                    path.unlink()

    @property
    def memory_held(self) -> int:
        """Bytes of prompts in memory."""
        return self._held

    def get(self, key: PromptKey) -> Samples | None:
        """Return a prompt, None if it is not there. Reads a file only when memory had to let it go."""
        with self._lock:
            samples = self._memory.get(key)
            if samples is not None:
                self._memory.move_to_end(key)
                return samples
            if not self._on_disk:
                return None
        name = key.file_name
        if name not in self._on_disk:
            return None
        samples = self._read(name, key.sample_rate)
        if samples is not None:
            self._remember(key, samples)
        return samples

    def put(self, key: PromptKey, samples: Samples, keep: bool) -> None:
        """Add a prompt; on disk only if `keep`."""
        samples = samples.copy()
        samples.flags.writeable = False  # calls share it
        self._remember(key, samples)
        if keep:
            self._write(key.file_name, serialize_wav(samples, key.sample_rate))

    def _remember(self, key: PromptKey, samples: Samples) -> None:
        with self._lock:
            before = self._memory.pop(key, None)
            self._held += samples.nbytes - (before.nbytes if before is not None else 0)
            self._memory[key] = samples
            while self._held > self._memory_bytes and len(self._memory) > 1:
                _, dropped = self._memory.popitem(last=False)
                self._held -= dropped.nbytes

    def _read(self, name: str, sample_rate: int) -> Samples | None:
        """Return what a file holds; a damaged one is deleted and rendered anew."""
        path = self.folder / name
        try:
            data = path.read_bytes()
            wav = parse_wav(data, name)
            whole = serialize_wav(wav.samples, wav.sample_rate) == data
        except (OSError, UserError):
            whole = False
        if whole and wav.sample_rate == sample_rate:
            wav.samples.flags.writeable = False
            return wav.samples
        self._on_disk.discard(name)
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        unfinished = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            unfinished.write_bytes(data)
            unfinished.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            self._warn(error)
        else:
            self._on_disk.add(name)

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            log.warning(
                "prompts are not stored, the next start will render them again",
                folder=str(self.folder),
                error=error.strerror or str(error),
            )
