"""What is put into Asterisk's spool, and what is found there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from voicebot.campaign.callfile import CallFile, Parsed
from voicebot.campaign.fence import Ended, Journal
from voicebot.errors import Problem


@dataclass(frozen=True, slots=True)
class Handing:
    """A call file to be handed over under `name`. due: not to be dialled before; None: at once."""

    name: str
    file: CallFile
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What became of a `Handing`. Where `handed` is False, nothing of it is in outgoing/.

    problem:  why not; or, where it is handed, why it might not outlast a power cut
    """

    name: str
    handed: bool
    problem: Problem | None = None


class FileState(StrEnum):
    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    COMPLETED = "completed"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in outgoing/ or outgoing_done/. due: its mtime; parsed: None where it cannot be read."""

    name: str
    state: FileState
    due: datetime
    parsed: Parsed | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Whether a call was taken back in time: if so, nobody is called under this name, whatever crashes.

    found:    False: there was no such file (and, for an attempt, in_time tells that it cannot be dialled now)
    journal:  of an attempt: what the fence knows
    """

    in_time: bool
    found: bool
    journal: Journal | None = None


@dataclass(frozen=True, slots=True)
class Traces:
    """All that is left of an attempt in the spool.

    done:  status of the archived file; "" while, or where, it has none; None: it is not archived
    """

    attempt: str
    aside: bool = False
    outgoing: bool = False
    in_flight: bool = False
    done: str | None = None
    journal: Journal | None = None
    ended: Ended | None = None

    @property
    def never_left(self) -> bool:
        """Asterisk never got it: to be handed over again under the same id, if it is not too late."""
        return not self.outgoing and self.done is None and self.journal is None and self.ended is None

    @property
    def dialled_at(self) -> datetime | None:
        """When the number was called; None: it was not, or not yet."""
        if self.ended is not None and not self.ended.dialled:
            return None
        return self.journal.at if self.journal is not None and self.journal.dialled else None
