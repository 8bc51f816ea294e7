"""One dialler for one spool: who it is, and that there is no other.

Only who sees a spool can tell what became of the attempts that went into it. So a dialler is known by its
spool, and open attempts of that name are its own when it starts again, at once. The name lies with the
fence's journals: where those are lost, so is it, and nobody takes what they told of for never dialled.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

LOCK = "dialler.lock"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}-[0-9a-f]{8}")


@contextlib.contextmanager
def sole_dialler(journals: Path) -> Iterator[str | None]:
    """Hold the spool whose journals are in `journals`; yield the dialler's name, None where another holds it.

    The kernel lets go of it when the process ends, however it ends. Raises OSError.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(journals / LOCK, flags, 0o660)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        name = os.pread(descriptor, 200, 0).decode("ascii", "replace").strip()
        if not _NAME.fullmatch(name):
            host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:60] or "dialler"
            name = f"{host}-{secrets.token_hex(4)}"
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{name}\n".encode(), 0)
            os.fsync(descriptor)
        yield name
    finally:
        os.close(descriptor)
