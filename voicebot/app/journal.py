"""What must not be lost while the database is away: a folder of small files, each fsynced."""

from __future__ import annotations

import os
from pathlib import Path

from voicebot.files import write_whole

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


class Journal:
    """A folder of entries by name; keeping one again replaces it. All of it blocks: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, name: str, text: bytes) -> None:
        """Return once the entry is on the disk, whole. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        path = self.folder / f"{name}.json"
        write_whole(path, text, mode=PRIVATE_FILE, lasting=True)
        self._sync()

    def names(self) -> list[str]:
        """Return what is kept, in the order of the names."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def read(self, name: str) -> bytes:
        """Return an entry. Raises OSError."""
        return (self.folder / f"{name}.json").read_bytes()

    def drop(self, name: str) -> None:
        """Forget an entry that the database has."""
        (self.folder / f"{name}.json").unlink(missing_ok=True)

    def _sync(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
