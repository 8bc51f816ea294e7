"""What a spool that cannot be used is told by, and how names in it are brought to the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from voicebot.errors import Problem, VoicebotError


class SpoolUnavailable(VoicebotError):
    """The spool cannot be used now: missing, full, not writable, or no place for call files. Try later."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


_NO_LEAVE = ("we may not write here", "see docs/call-files.md for owner and group", "spool.permission")
_KNOWN = {
    errno.ENOSPC: ("the disk is full", "make room", "spool.full"),
    errno.EDQUOT: ("the quota is used up", "make room", "spool.full"),
    errno.EACCES: _NO_LEAVE,
    errno.EPERM: _NO_LEAVE,
    errno.EROFS: ("it is mounted read-only", "mount it writable", "spool.read-only"),
    errno.EXDEV: ("it is on another filesystem than outgoing/", "have the whole spool on one filesystem",
                  "spool.filesystem"),
    errno.ENOENT: ("it is missing", "is the spool mounted, and dialling.spool right?", "spool.missing"),
    errno.EEXIST: ("it is handed over already", "choose another name", "spool.exists"),
}  # fmt: skip


def problem_of(error: OSError, path: Path) -> Problem:
    """Tell an error of the operating system to people."""
    what, remedy, code = _KNOWN.get(error.errno or 0, (error.strerror or str(error), "", "spool.error"))
    return Problem(what, remedy, str(path), code=code)


def identities(*folders: Path) -> tuple[tuple[int, int], ...]:
    """Return by what a folder is known however it is called: filesystem and inode; (0, 0): it is away."""
    return tuple(map(_identity, folders))


def _identity(folder: Path) -> tuple[int, int]:
    try:
        found = folder.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def lost(spool: Path) -> Problem:
    """Tell that folders are gone in which it was written who has been dialled."""
    return Problem(
        "it, or a folder in it, is gone, replaced, or hidden by a mount, so nobody can tell who was dialled",
        "put it back; if it is lost, start the dialler anew: calls that were open are held, not called again",
        str(spool),
        code="spool.lost",
    )


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
