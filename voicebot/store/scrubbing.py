"""What was deleted from SQLite's file is still in its free pages and in its WAL: here it leaves the disk."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from voicebot.store.errors import StoreUnavailable

PATIENCE_S = 30.0
"""So long others may keep us from it; the file is written anew at about 100 MB a second."""
AGAIN_S = 0.05


def scrub(path: Path, patience_s: float = PATIENCE_S) -> None:
    """Write the file anew, with nothing but what is in its tables, and empty the WAL. Blocks.

    Nobody else writes meanwhile. Raises StoreUnavailable where somebody reads, or writes, for too long, or
    the disk has no room for a second copy.
    """
    until = time.monotonic() + patience_s
    try:
        with closing(sqlite3.connect(path, timeout=patience_s, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > until:
                    raise StoreUnavailable("somebody reads it: its WAL holds still what was erased")
                time.sleep(AGAIN_S)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"what was erased is still in its unused pages: {error}") from error
