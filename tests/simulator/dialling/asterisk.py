"""What Asterisk's pbx_spool and our dialplan do with call files, step by step, so that it can die anywhere.

    asterisk = SpoolAsterisk(spool, rang, outcome=lambda attempt: "NOANSWER")
    asterisk.scan()         # take up what is due in outgoing/
    asterisk.advance()      # one step of every call
    SpoolAsterisk(...)      # after a crash: files in flight are dialled again, and the fence decides

Every phone that rings leaves a line in the file `rang`, which no crash of anything takes back: it is what the
tests count. As it was seen on the real one: files in flight stay in outgoing/ until the call is over; after a
crash they are dialled again, or are stuck (`stuck`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from voicebot.campaign.callfile import parse
from voicebot.errors import UserError

OWN = ("aside", "dialled", "ended", "closed")


class SpoolAsterisk:
    """One life of an Asterisk. now: s since the epoch. channels: a folder that shows who is being called."""

    def __init__(
        self,
        spool: Path,
        rang: Path,
        *,
        outcome: Callable[[str], str] = lambda attempt: "NOANSWER",
        now: Callable[[], float] = time.time,
        rings: int = 1,
        stuck: bool = False,
    ) -> None:
        self.spool, self.rang = spool, rang
        self._outgoing, self._done = spool / "outgoing", spool / "outgoing_done"
        self._outcome, self._now, self._rings = outcome, now, rings
        self._calls: dict[str, Iterator[None]] = {}
        self._stuck: set[str] = set()
        if stuck:
            self._stuck = {path.name for path in self._outgoing.iterdir() if "StartRetry" in _text(path)}
        self.channels: set[str] = set()

    @staticmethod
    def lay_out(spool: Path) -> None:
        """Make the folders of an empty spool."""
        for folder in ("outgoing", "outgoing_done", *(f"voicebot/{name}" for name in OWN)):
            (spool / folder).mkdir(parents=True, exist_ok=True)

    @property
    def busy(self) -> bool:
        return bool(self._calls)

    def scan(self) -> None:
        """Take up the files whose time has come."""
        for path in self._outgoing.iterdir():
            name = path.name
            if name in self._calls or name in self._stuck:
                continue
            try:
                if path.stat().st_mtime > self._now():
                    continue
                file = parse(path.read_text(), name).file
            except (OSError, UserError):
                continue
            self._calls[name] = self._call(path, file.variable)

    def advance(self, name: str | None = None) -> None:
        """Do one step of all calls, or of one."""
        for each in [name] if name else list(self._calls):
            try:
                next(self._calls[each])
            except StopIteration:
                del self._calls[each]

    def calls(self) -> list[str]:
        return list(self._calls)

    def _call(self, path: Path, variable: Callable[[str], str]) -> Iterator[None]:
        attempt = variable("VOICEBOT_ATTEMPT")
        try:
            _append(path, f"\nStartRetry: 1 1 ({int(self._now())})\n", make=False)
        except FileNotFoundError:  # taken away in time
            return
        yield
        self.channels.add(attempt)
        yield
        yield from self._fence(attempt, variable)
        self.channels.discard(attempt)
        yield
        try:
            _append(path, "\nStatus: Completed\n", make=False)
            path.rename(self._done / path.name)
        except FileNotFoundError:
            return

    def _fence(self, attempt: str, variable: Callable[[str], str]) -> Iterator[None]:
        journal = self.spool / "voicebot/dialled" / attempt
        expires = variable("VOICEBOT_EXPIRES")
        word = "expired" if int(self._now()) > int(expires) else "dial"
        line = f"{word} {self._now():.3f} {expires} {os.urandom(4).hex()}\n"
        _append(journal, line)
        yield
        if not _text(journal).startswith(line):
            return
        status = word
        if word == "dial":
            _append(self.rang, f"{attempt} {variable('VOICEBOT_DIAL')}\n")
            for _ in range(self._rings):
                yield
            status = self._outcome(attempt)
            if status == "ANSWER":
                _append(journal, f"answered {self._now():.3f} x\n")
                yield
        cause = {"ANSWER": 16, "BUSY": 17, "NOANSWER": 19, "CONGESTION": 34}.get(status, 0)
        tech = "" if word != "dial" else "SIP 486 Busy" if status == "BUSY" else "SIP 180 Ringing"
        text = f"status={status} cause={cause} dialled_ms=20 answered_ms=0 at={self._now():.3f} tech={tech}\n"
        _append(self.spool / "voicebot/ended" / attempt, text)
        yield


def rings(rang: Path) -> list[tuple[str, str]]:
    """Return the phones that rang: attempt and channel, in their order."""
    lines = _text(rang).splitlines()
    return [(attempt, dial) for attempt, _, dial in (line.partition(" ") for line in lines)]


def _append(path: Path, text: str, *, make: bool = True) -> None:
    flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT if make else 0)
    descriptor = os.open(path, flags, 0o660)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
