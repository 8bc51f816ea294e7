"""Files that are whole or not there, whatever dies while they are written."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

EVERYBODY = 0o666
"""Whom files are for that are no secret; the process's umask takes away from it."""


def write_whole(path: Path, data: bytes, *, mode: int = EVERYBODY, lasting: bool = False) -> None:
    """Write a file, in the place of one that is there, whole or not at all. Raises OSError.

    lasting: it is on the disk when this returns
    """
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
