"""What can go wrong, told to people.

    VoicebotError
    ├── UserError          a mistake in what a person gave us: what, where, how to mend it
    ├── PbxError           Asterisk refused, is away, or answered what we do not understand
    ├── SpeechUnavailable  recognition or synthesis cannot serve this call now
    └── CallEnded          the call is over; raised inside a call's task group to undo it

A `UserError` carries all problems found at once and ends a command with exit status 2, without a traceback.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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


def said_plainly(fault: Mapping[str, Any]) -> str:
    """Return what is wrong with a value, as a sentence without its subject: "must be at least 1".

    `fault`: one of pydantic's `ValidationError.errors()`; its `type`, `msg` and `ctx` are used.
    """
    limits = fault.get("ctx", {})
    match fault["type"]:
        case "missing" | "missing_argument":
            return "must be given"
        case "extra_forbidden":
            return "is not known"
        case "json_invalid":
            return "is no JSON"
        case "literal_error" | "enum":
            return f"must be {limits['expected']}"
        case "greater_than_equal":
            return f"must be at least {limits['ge']}"
        case "greater_than":
            return f"must be above {limits['gt']}"
        case "less_than_equal":
            return f"must be at most {limits['le']}"
        case "less_than":
            return f"must be below {limits['lt']}"
        case "string_too_short" if limits["min_length"] == 1:
            return "must not be empty"
        case "string_too_short":
            return f"must have {limits['min_length']} characters or more"
        case "string_too_long":
            return f"must have {limits['max_length']} characters or fewer"
        case "string_type":
            return "must be a text"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "must hold names and values"
        case "list_type" | "tuple_type":
            return "must be a list"
        case "int_type" | "int_parsing" | "int_parsing_size" | "int_from_float":
            return "must be a whole number"
        case "float_type" | "float_parsing" | "finite_number":
            return "must be a number"
        case "bool_type" | "bool_parsing":
            return "must be true or false"
        case kind if kind.startswith(("date_", "datetime_", "time_")):
            return "must be a date and time such as 2027-03-01T10:00"
    return str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")


def all_there(names: Iterable[str]) -> str:
    """Return a remedy for a name that is not there: "there are a, b", "there is only a"."""
    there = list(names)
    return f"there {'is only' if len(there) == 1 else 'are'} {', '.join(there)}"


def told_by_system(error: OSError) -> str:
    """Return what the system says of an error, without the addresses that asyncio and aiohttp add."""
    return os.strerror(error.errno or 0) if _of_kernel(error) else error.strerror or str(error)


def _of_kernel(error: OSError) -> bool:
    return error.errno is not None and error.errno > 0  # below 0: of the resolver


def cannot_listen(who: str, bind: str, port: int, section: str, error: OSError) -> Problem:
    """Return why a server of ours has no socket, and the remedy; `section`: of voicebot.toml."""
    if error.errno == errno.EACCES:
        remedy = f"set {section}.port above 1023"
    elif error.errno == errno.EADDRNOTAVAIL or not _of_kernel(error):
        remedy = f"set {section}.bind to an address of this machine"
    else:
        remedy = f"end what listens there, or set {section}.port"
    what = f"{who} cannot listen at {bind}:{port}: {told_by_system(error)}"
    return Problem(what, remedy, code=section)
