"""Is this folder a spool into which call files can be put, and if not, what must be mended?"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterable, Iterator
from pathlib import Path

from voicebot.errors import Problem

RESERVE_MB = 64
"""Free space below which nothing is handed over: Asterisk must be able to write its once-keys."""
RESERVE_FILES = 1000
"""Free inodes below which nothing is handed over."""
NETWORK_FILESYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.glusterfs", "ceph", "afs")
OWN_FOLDERS = ("aside", "dialled", "ended", "closed")
"""Below voicebot/ in the spool; what is in them: outbound/spool.py."""


def folder_problems(spool: Path, outgoing: Path, own: Iterable[Path]) -> Iterator[Problem]:
    """Tell what is wrong with a spool: `own` are the folders that we need beside outgoing/, aside/ first."""
    if not outgoing.is_dir():
        what = "there is no outgoing/ in it, so Asterisk reads no call files here"
        yield Problem(what if spool.is_dir() else "there is no such folder",
                      "set dialling.spool to Asterisk's astspooldir, and load pbx_spool.so there",
                      str(spool), code="spool.missing")  # fmt: skip
        return
    own = tuple(own)
    if missing := [str(folder) for folder in own if not folder.is_dir()]:
        yield Problem(f"{' and '.join(missing)}: missing, and we may not make them" if len(missing) > 1
                      else f"{missing[0]} is missing, and we may not make it",
                      f"as root: {making(spool, outgoing)}", code="spool.missing")  # fmt: skip
    for folder in (outgoing, *own):
        if not folder.is_dir():
            continue
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            yield Problem("it is mounted read-only", "mount it writable", str(folder), code="spool.read-only")
        elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            yield Problem("we may not write here",
                          "put our user into Asterisk's group, and let the group write: "
                          f"{making(spool, outgoing)}, then start anew",
                          str(folder), code="spool.permission")  # fmt: skip
    for folder in own[:1]:
        if folder.is_dir() and folder.stat().st_dev != outgoing.stat().st_dev:
            yield Problem("it is on another filesystem than outgoing/, so nothing can be renamed into it",
                          "have the whole spool on one filesystem", str(folder),
                          code="spool.filesystem")  # fmt: skip
    if (kind := filesystem_of(outgoing)) in NETWORK_FILESYSTEMS:
        yield Problem(f"it is on a network filesystem ({kind}): Asterisk does not see what others put there",
                      "have the spool on a local disk, and dial from Asterisk's machine", str(outgoing),
                      code="spool.network")  # fmt: skip


def making(spool: Path, outgoing: Path) -> str:
    """Return the command with which root lets us and Asterisk share the spool."""
    try:
        group = grp.getgrgid(outgoing.stat().st_gid).gr_name
    except KeyError:
        group = str(outgoing.stat().st_gid)
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    folders = f"{spool / 'outgoing_done'} {spool / 'voicebot'}"
    return f"usermod -aG {group} {user}; install -d -o {user} -g {group} -m 2770 {folders}"


def room_problems(folder: Path, reserve_mb: int) -> Iterator[Problem]:
    """Tell whether the disk is too full. Raises OSError."""
    room = os.statvfs(folder)
    free_mb = room.f_bavail * room.f_frsize // 1_000_000
    if free_mb < reserve_mb:
        yield Problem(f"only {free_mb} MB are free, and {reserve_mb} MB are kept for Asterisk", "make room",
                      str(folder), code="spool.full")  # fmt: skip
    elif room.f_files and room.f_favail < RESERVE_FILES:
        yield Problem(f"only {room.f_favail} more files fit on the disk", "make room", str(folder),
                      code="spool.full")  # fmt: skip


def filesystem_of(path: Path) -> str:
    """Return the type of the filesystem that `path` is on, such as ext4; "" where the kernel does not say."""
    device = path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        if left.split(" ")[2:3] == [number]:
            return right.split(" ")[0]
    return ""
