"""What a check found, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """`ok`: as it should be; `warning`: unwise or unknown, but calls work; `fault`: calls fail."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of one check.

    check:   what was looked at, in a word or two ("ARI", "media ports")
    what:    what was found, in a sentence
    remedy:  how to mend it; never empty for a fault
    """

    check: str
    status: Status
    what: str
    remedy: str = ""


def ok(check: str, what: str) -> Finding:
    return Finding(check, Status.OK, what)


def warning(check: str, what: str, remedy: str) -> Finding:
    return Finding(check, Status.WARNING, what, remedy)


def fault(check: str, what: str, remedy: str) -> Finding:
    return Finding(check, Status.FAULT, what, remedy)
