"""Asterisk's spool folder: hand call files over, take them back, and see what became of them.

    <spool>/outgoing/            Asterisk's: what is put here is dialled when its mtime has come
    <spool>/outgoing_done/       Asterisk's: archived files with their status
    <spool>/voicebot/aside/      a file is written here, then renamed into outgoing/
    <spool>/voicebot/dialled/    the fence's journals and once-keys, by attempt (campaign/fence.py)
    <spool>/voicebot/ended/      how the dialling of each attempt ended
    <spool>/voicebot/closed/     attempts done with, whose once-key waits for the expiry; mtime = expiry

All methods block for as long as the disk does: call them in a thread. One `Spool` may be used by several.
A spool that is lost, or hidden by a mount, must not look like one in which nothing was dialled: once
`prepare()` has seen its folders, no others are believed.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from voicebot.campaign.callfile import Parsed, compose, parse
from voicebot.campaign.fence import ATTEMPT, read_ended, read_journal
from voicebot.errors import Problem, UserError
from voicebot.outbound.spool_finds import Cancelled, Entry, FileState, HandedOver, Handing, Traces
from voicebot.outbound.spool_health import SpoolUnavailable, identities, lost, problem_of, sync_folder
from voicebot.pbx.spool_folder import OWN_FOLDERS, RESERVE_MB, folder_problems, room_problems

__all__ = [
    "Cancelled",
    "Entry",
    "FileState",
    "HandedOver",
    "Handing",
    "Spool",
    "SpoolUnavailable",
    "Traces",
    "archived_status",
    "call_file_name",
    "small_text",
]

LONGEST_PATH_BYTES = 255
"""Of an archived file: Asterisk keeps paths of the spool in so much room."""
SLOW_FSYNC_S = 0.000_5
"""Where one fsync takes longer, the disk is given several at once: it writes them together."""
FSYNCS_AT_ONCE = 32
KEEP_KEY = timedelta(seconds=60)
"""A once-key outlives the expiry of its attempt by so much, for the difference of two clocks."""
REAPPEARS_WITHIN_S = 0.05
"""Within so much of reading a file Asterisk notes that it began; one taken away meanwhile reappears."""
LARGEST_FILE_BYTES = 65_536
FOLDER_MODE = 0o2770
FILE_MODE = 0o660
"""Asterisk appends to call files, so its group may write."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


def call_file_name(attempt: str) -> str:
    """Return the name of an attempt's call file."""
    return f"{attempt}.call"


class Spool:
    """The spool at `folder`, which is on Asterisk's machine and on a local disk.

    Call `prepare()` once before anything else.
    """

    def __init__(self, folder: Path, reserve_mb: int = RESERVE_MB) -> None:
        self.folder = folder
        self.outgoing = folder / "outgoing"
        self.done = folder / "outgoing_done"
        own = folder / "voicebot"
        self.aside, self.dialled, self.ended, self.closed = (own / name for name in OWN_FOLDERS)
        self._reserve_mb = reserve_mb
        self._known: tuple[tuple[int, int], ...] = ()

    def prepare(self) -> None:
        """Make our folders where they are missing. Raises SpoolUnavailable with every problem there is."""
        self.check_same()
        if self.outgoing.is_dir():
            for folder in (self.aside.parent, self.aside, self.dialled, self.ended, self.closed, self.done):
                with contextlib.suppress(OSError):  # told by `problems`
                    self._make(folder)
        if problems := self.problems():
            raise SpoolUnavailable(problems)
        self._known = self._known or identities(*self._telling)

    @property
    def _telling(self) -> tuple[Path, ...]:
        """The folders by which one tells what became of an attempt."""
        return self.outgoing, self.dialled, self.ended

    def check_same(self) -> None:
        """Raise SpoolUnavailable where the folders are not those that `prepare` saw."""
        if self._known and identities(*self._telling) != self._known:
            raise SpoolUnavailable([lost(self.folder)])

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir()
            with contextlib.suppress(PermissionError):  # not of Asterisk's group: an administrator must do it
                os.chown(folder, -1, self.outgoing.stat().st_gid)
            folder.chmod(FOLDER_MODE)

    def problems(self) -> tuple[Problem, ...]:
        """Return why nothing can be handed over now; empty: all is well. Changes nothing."""
        own = (self.aside, self.dialled, self.ended, self.closed, self.done)
        found = list(folder_problems(self.folder, self.outgoing, own))
        if self.outgoing.is_dir():
            found += room_problems(self.outgoing, self._reserve_mb)
        return tuple(found)

    def hand_over(self, handings: Iterable[Handing]) -> tuple[HandedOver, ...]:
        """Put call files into outgoing/: written aside, on the disk, and only then renamed.

        One result each, in their order: where one fails, the others go on. Raises SpoolUnavailable, with
        nothing handed over, where the spool cannot take any.
        """
        wanted = tuple(handings)
        if problems := tuple(self._unusable()):
            raise SpoolUnavailable(problems)
        failed: dict[str, Problem] = {}
        written = self._write_aside(wanted, failed)
        self._settle(written, failed)
        for name in written:
            if name not in failed:
                self._rename(name, failed)
        doubt = None
        if len(failed) < len(wanted):
            try:
                sync_folder(self.outgoing)
            except OSError as error:  # Asterisk has them all the same
                doubt = problem_of(error, self.outgoing)
        return tuple(
            HandedOver(each.name, each.name not in failed, failed.get(each.name, doubt)) for each in wanted
        )

    def _unusable(self) -> Iterator[Problem]:
        self.check_same()
        try:
            yield from room_problems(self.outgoing, self._reserve_mb)
        except OSError as error:
            yield problem_of(error, self.outgoing)

    def _write_aside(self, handings: Sequence[Handing], failed: dict[str, Problem]) -> dict[str, int]:
        """Write the files and return their descriptors, by name."""
        written: dict[str, int] = {}
        group = self.outgoing.stat().st_gid
        for each in handings:
            path = self.aside / each.name
            try:
                self._check_name(each.name)
                if each.name in written or (self.outgoing / each.name).exists():
                    raise FileExistsError(errno.EEXIST, "is handed over already")
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(path, flags, FILE_MODE)
            except OSError as error:
                failed[each.name] = problem_of(error, path)
                continue
            except UserError as error:
                failed[each.name] = error.problems[0]
                continue
            written[each.name] = descriptor
            try:
                os.fchmod(descriptor, FILE_MODE)
                with contextlib.suppress(PermissionError):
                    os.fchown(descriptor, -1, group)
                text = compose(each.file).encode()
                if os.write(descriptor, text) != len(text):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if each.due is not None and each.due.timestamp() > time.time():
                    due = math.ceil(each.due.timestamp())  # Asterisk looks at whole seconds
                    os.utime(descriptor, (due, due))
            except OSError as error:
                failed[each.name] = problem_of(error, path)
        return written

    def _settle(self, written: dict[str, int], failed: dict[str, Problem]) -> None:
        """Bring the files to the disk, and close them; what could not be is removed."""

        def settle(name: str) -> None:
            try:
                os.fsync(written[name])
            except OSError as error:
                failed[name] = problem_of(error, self.aside / name)
            finally:
                os.close(written[name])
            if name in failed:
                with contextlib.suppress(OSError):
                    (self.aside / name).unlink()

        names = iter(written)
        for name in names:
            began = time.monotonic()
            settle(name)
            if time.monotonic() - began > SLOW_FSYNC_S:
                break
        if rest := list(names):
            with ThreadPoolExecutor(min(len(rest), FSYNCS_AT_ONCE)) as threads:
                list(threads.map(settle, rest))

    def _rename(self, name: str, failed: dict[str, Problem]) -> None:
        try:
            (self.aside / name).rename(self.outgoing / name)
        except OSError as error:
            failed[name] = problem_of(error, self.aside / name)
            with contextlib.suppress(OSError):
                (self.aside / name).unlink()

    def _check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise UserError(
                Problem(f"`{name[:60]}` is no name for a call file", "letters, digits, `.`, `_`, `-`")
            )
        if len(os.fsencode(self.done / name)) > LONGEST_PATH_BYTES:
            raise UserError(
                Problem(f"the path of `{name}` is longer than {LONGEST_PATH_BYTES} bytes", "shorten the name")
            )

    def cancel_attempt(self, attempt: str, now: datetime) -> Cancelled:
        """Take an attempt back, or learn that it is too late.

        Our line goes into its journal: if it is the first, the fence holds whatever Asterisk does later. So
        this also settles what becomes of an attempt that hangs. Raises SpoolUnavailable.
        """
        self.check_same()
        line = f"cancelled {now.timestamp():.3f} 0 dialler\n"
        path = self.dialled / _attempt(attempt)
        try:
            with contextlib.suppress(PermissionError):  # Asterisk's own file: it was here first
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
                try:
                    os.write(descriptor, line.encode())
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                sync_folder(self.dialled)
            journal = read_journal(small_text(path))
            if journal is None:
                raise OSError(errno.EIO, "the journal cannot be read")
            found = (self.outgoing / call_file_name(attempt)).exists()
            if not journal.dialled:
                self._remove(self.outgoing / call_file_name(attempt), self.aside / call_file_name(attempt))
        except OSError as error:
            raise SpoolUnavailable([problem_of(error, path)]) from error
        return Cancelled(not journal.dialled, found, journal)

    def cancel(self, name: str) -> Cancelled:
        """Take back a call file that has no fence. In time: it was removed before Asterisk began with it."""
        self._check_name(name)
        path, away = self.outgoing / name, self.aside / name
        try:
            entry = self._entry(path)
            if entry is None or entry.state is FileState.IN_FLIGHT:
                return Cancelled(in_time=False, found=entry is not None)
            path.rename(away)
            sync_folder(self.outgoing)
            time.sleep(REAPPEARS_WITHIN_S)
            begun = path.exists() or "StartRetry" in small_text(away)
            away.unlink()
        except FileNotFoundError:
            return Cancelled(in_time=False, found=False)
        except OSError as error:
            raise SpoolUnavailable([problem_of(error, path)]) from error
        return Cancelled(in_time=not begun, found=True)

    def entries(self, *, archived: bool = False) -> Iterator[Entry]:
        """Return what is in outgoing/ (or outgoing_done/), by the time it is due. Raises SpoolUnavailable."""
        folder = self.done if archived else self.outgoing
        try:
            names = [path.name for path in folder.iterdir()] if folder.is_dir() or not archived else []
        except OSError as error:
            raise SpoolUnavailable([problem_of(error, folder)]) from error
        found = [entry for name in names if (entry := self._entry(folder / name)) is not None]
        return iter(sorted(found, key=lambda entry: entry.due))

    def find(self, name: str) -> Entry | None:
        """Return a file of outgoing/ or, if it is not there, of outgoing_done/."""
        self._check_name(name)
        return self._entry(self.outgoing / name) or self._entry(self.done / name)

    def _entry(self, path: Path) -> Entry | None:
        try:
            due = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            if not path.is_file():
                return None
            text = small_text(path)
        except OSError:
            return None
        try:
            parsed = parse(text, str(path))
        except UserError as error:
            return Entry(path.name, FileState.UNKNOWN, due, None, error.problems)
        return Entry(path.name, _state_of(parsed), due, parsed)

    def traces(self, attempt: str) -> Traces:
        """Return all that is left of an attempt. Raises SpoolUnavailable."""
        name = call_file_name(_attempt(attempt))
        try:
            # In the order in which a file travels, so that one on its way is seen at least once.
            aside = (self.aside / name).exists()
            waiting = small_text(self.outgoing / name)
            archived = small_text(self.done / name)
            journal = small_text(self.dialled / attempt)
            ended = small_text(self.ended / attempt)
        except OSError as error:
            raise SpoolUnavailable([problem_of(error, self.folder)]) from error
        self.check_same()  # after reading: nothing was read that is not ours
        return Traces(
            attempt,
            aside=aside,
            outgoing=bool(waiting),
            in_flight="StartRetry" in waiting,
            done=archived_status(archived) if archived else None,
            journal=read_journal(journal),
            ended=read_ended(ended),
        )

    def clean(self, attempts: Iterable[str]) -> None:
        """Remove what is left of attempts whose closing was committed. Raises SpoolUnavailable.

        The once-key stays until the attempt is expired, so that nothing that Asterisk still holds is dialled;
        `sweep` removes it then.
        """
        self.check_same()
        try:
            for attempt in attempts:
                name = call_file_name(_attempt(attempt))
                key = self.dialled / attempt
                journal = read_journal(small_text(key))
                expires = journal.expires if journal is not None else None
                self._remove(self.outgoing / name, self.aside / name)
                if journal is not None:
                    mark = self.closed / attempt
                    mark.touch(FILE_MODE)
                    due = (expires or journal.at + timedelta(days=1)).timestamp()
                    os.utime(mark, (due, due))
                for path in (self.done / name, self.ended / attempt):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise SpoolUnavailable([problem_of(error, self.folder)]) from error

    def sweep(self, now: datetime) -> int:
        """Remove the once-keys of cleaned attempts that are past their expiry; return how many."""
        latest = (now - KEEP_KEY).timestamp()
        swept = 0
        try:
            with os.scandir(self.closed) as marks:
                for mark in marks:
                    if ATTEMPT.fullmatch(mark.name) and mark.stat().st_mtime < latest:
                        (self.dialled / mark.name).unlink(missing_ok=True)
                        Path(mark.path).unlink(missing_ok=True)
                        swept += 1
        except OSError as error:
            raise SpoolUnavailable([problem_of(error, self.closed)]) from error
        return swept

    def _remove(self, *paths: Path) -> None:
        for path in paths:
            try:
                path.unlink()
            except FileNotFoundError:
                continue
            sync_folder(path.parent)


def _state_of(parsed: Parsed) -> FileState:
    if parsed.status:
        known = {state.value: state for state in FileState}
        return known.get(parsed.status.lower(), FileState.UNKNOWN)
    return FileState.IN_FLIGHT if parsed.in_flight else FileState.WAITING


def archived_status(text: str) -> str:
    """Return the status that Asterisk added to an archived call file; "" where there is none."""
    found = re.findall(r"^Status: (\w+)$", text, re.MULTILINE)
    return str(found[-1]) if found else ""


def _attempt(attempt: str) -> str:
    if not ATTEMPT.fullmatch(attempt):
        raise ValueError(f"{attempt!r} is no id of an attempt")
    return attempt


def small_text(path: Path) -> str:
    """Return what a small file says; "" where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
