"""What can go wrong, told to people.

    VoicebotError
    ├── UserError          a mistake in what a person gave us: what, where, how to mend it
    ├── PbxError           Asterisk refused, is away, or answered what we do not understand
    ├── SpeechUnavailable  recognition or synthesis cannot serve this call now
    └── CallEnded          the call is over; raised inside a call's task group to undo it

A `UserError` carries all problems found at once and ends a command with exit status 2, without a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EXIT_USER_ERROR = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: what is wrong, where, and how to mend it.

    `line` and `column` count from 1; None where the source has no lines (an environment variable, a flag).
    """

    what: str
    remedy: str = ""
    source: str = ""
    line: int | None = None
    column: int | None = None
    code: str = ""

    @property
    def where(self) -> str:
        """`file:line:column`, as far as it is known."""
        parts = [self.source] if self.source else []
        parts += [str(number) for number in (self.line, self.column) if number is not None]
        return ":".join(parts)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} — {self.remedy}" if self.remedy else text


class VoicebotError(Exception):
    """Base of all errors of this project."""


class UserError(VoicebotError):
    """What a person gave us cannot be used; `problems` names every fault found, not just the first."""

    def __init__(self, problems: Iterable[Problem] | Problem | str, remedy: str = "") -> None:
        if isinstance(problems, str):
            problems = Problem(problems, remedy)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PbxError(VoicebotError):
    """Asterisk refused a request or cannot be reached. `status` is the HTTP status, if there was one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class SpeechUnavailable(VoicebotError):
    """A speech engine crashed, hangs, or is overloaded; the call goes on without this result."""


class CallEnded(VoicebotError):
    """The call is over. `reason` says who or what ended it: `caller`, `bot`, `asterisk_lost`, ..."""

    def __init__(self, reason: str, cause: int | None = None) -> None:
        self.reason = reason
        self.cause = cause
        super().__init__(reason)
