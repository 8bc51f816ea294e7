"""Asterisk's call files, pure: what one says, to and from its text.

Every key that Asterisk's pbx_spool reads is a field of `CallFile`. Asterisk trusts a call file: it cuts lines
at `;` and at ` #`, skips or splits those over 255 bytes, takes every newline for another key, and would write
any file for `Setvar: FILE(/path)=x`. So what it would misread is refused here, before it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from voicebot.errors import Problem, UserError

LONGEST_LINE_BYTES = 254
"""Without its newline. Older Asterisks read a line into 256 bytes, the newline and an end mark among them."""
LONGEST_NAME_BYTES = 79
"""Of a caller's name or number: Asterisk keeps 80 bytes of each, an end mark among them."""
LONGEST_EXTENSION_BYTES = 79
GREATEST_NUMBER = 2**31 - 1

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CHANNEL = re.compile(r"[A-Za-z0-9_-]+/\S.*")
_CODEC = re.compile(r"!?[a-z0-9]{1,32}")
_CALLER = re.compile(r"\+?[0-9*#]{1,40}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CUT = re.compile(r";|(^| )#")
_NUMBER = re.compile(r"-?[0-9]{1,11}")
_CALLER_ID = re.compile(r"(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^<\"]*?))\s*<(?P<number>[^<>]*)>")
_LOG = re.compile(r"(?P<pid>[0-9]+)\s+(?P<retry>[0-9]+)\s+\((?P<at>[0-9]+)\)")
_YES = ("yes", "true", "y", "t", "1", "on")
FORBIDDEN_APPLICATIONS = ("system", "trysystem")
"""They run programs on the PBX; no call needs that."""


@dataclass(frozen=True, slots=True)
class CallFile:
    """What Asterisk is asked to do: call `channel`, and then run an application or go to an extension.

    channel:        technology and resource, such as PJSIP/+12025550142@trunk
    application:    what to run when answered, with `data`; or else
    context, extension, priority:  where in the dialplan to go when answered
    caller_number:  shown to the callee; empty: Asterisk's own
    caller_name:    shown where the network carries names
    max_retries:    how often Asterisk tries again by itself after the first time
    retry_time:     s between two tries, at least 1
    wait_time:      s that it may ring, at least 1
    codecs:         such as ("ulaw", "alaw"); empty: Asterisk's choice
    variables:      channel variables, in this order
    account:        account code for call detail records
    always_delete:  False: Asterisk keeps the file in outgoing/ if its time was set to the future meanwhile
    archive:        the file ends in outgoing_done/ with its status, instead of being removed
    early_media:    go to the extension at the first audio, before the answer

    Raises UserError with everything that Asterisk would misread.
    Source: pbx_spool.c of Asterisk 22.
    """

    channel: str
    application: str = ""
    data: str = ""
    context: str = ""
    extension: str = ""
    priority: int = 1
    caller_number: str = ""
    caller_name: str = ""
    max_retries: int = 0
    retry_time: int = 300
    wait_time: int = 45
    codecs: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    account: str = ""
    always_delete: bool = True
    archive: bool = False
    early_media: bool = False

    def __post_init__(self) -> None:
        if problems := tuple(_problems(self)):
            raise UserError(problems)

    def variable(self, name: str) -> str:
        """Return the value of a channel variable, the last one set; "" where there is none."""
        return next((value for key, value in reversed(self.variables) if key == name), "")


@dataclass(frozen=True, slots=True)
class Note:
    """A line that Asterisk appended: StartRetry, EndRetry, AbortRetry or DelayedRetry.

    at: for StartRetry this is when it will be tried again, else when it was written
    """

    kind: str
    pid: int
    retry: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Parsed:
    """A call file as it is found in the spool: what we wrote, and what Asterisk added.

    status: Completed, Expired or Failed once it is archived; "" before
    """

    file: CallFile
    notes: tuple[Note, ...] = ()
    status: str = ""

    @property
    def in_flight(self) -> bool:
        """Whether Asterisk began a call for it and has not noted its end."""
        return not self.status and bool(self.notes) and self.notes[-1].kind in ("StartRetry", "DelayedRetry")


def compose(file: CallFile) -> str:
    """Return the text of a call file, one `Key: value` a line."""
    return "".join(f"{line}\n" for line in _lines(file))


def parse(text: str, source: str = "") -> Parsed:
    """Read a call file as Asterisk would. Raises UserError with every problem and its line."""
    problems: list[Problem] = []
    found: dict[str, str] = {}
    at_line: dict[str, int] = {}
    variables: list[tuple[str, str]] = []
    notes: list[Note] = []
    status = ""

    def complain(what: str, remedy: str, code: str) -> None:
        problems.append(Problem(what, remedy, source, number, None, f"callfile.{code}"))

    for number, raw in enumerate(text.split("\n"), 1):
        line = _without_comment(raw).rstrip()
        if not line:
            continue
        key, colon, value = line.partition(":")
        name, value = key.lower(), value.lstrip()
        if not colon:
            complain(f"`{_short(line)}` has no colon", "write `Key: value`", "syntax")
        elif _size(raw) > LONGEST_LINE_BYTES:
            problems.append(_located(_too_long(key), source, {key.lower(): number}))
        elif name in ("setvar", "set"):
            variable, equals, content = value.partition("=")
            if equals:
                variables.append((variable, content))
                at_line[_setvar(variable).lower()] = number
            else:
                complain(f"`{_short(value)}` sets nothing", "write `Setvar: NAME=value`", "syntax")
        elif name in _NOTES:
            if log := _LOG.search(value):
                notes.append(Note(_NOTES[name], int(log["pid"]), int(log["retry"]), _moment(log["at"])))
        elif name == "status":
            status = value
        elif name in _NUMBER_KEYS and not _NUMBER.fullmatch(value):
            complain(f"{key}: `{_short(value)}` is no number", "write a whole number", "number")
        elif name in _KEYS or name == "callerid":
            found[name] = value  # as in Asterisk, the last one counts
            at_line[name] = number
        else:
            known = ", ".join(written for _, written in _KEYS.values())
            complain(
                f"Asterisk knows no key `{_short(key)}`", f"known: {known}, CallerID, Setvar", "unknown-key"
            )
    if "channel" not in found:
        problems.append(
            Problem("there is no Channel", "add `Channel: PJSIP/...`", source, code="callfile.channel")
        )
        found["channel"] = "none/none"
    try:
        file = CallFile(**_values(found), variables=tuple(variables))
    except UserError as error:
        problems += (_located(problem, source, at_line) for problem in error.problems)
    if problems:
        raise UserError(sorted(problems, key=lambda problem: problem.line or 0))
    return Parsed(file, tuple(notes), status)


_KEYS = {
    "channel": ("channel", "Channel"),
    "application": ("application", "Application"),
    "data": ("data", "Data"),
    "context": ("context", "Context"),
    "extension": ("extension", "Extension"),
    "priority": ("priority", "Priority"),
    "maxretries": ("max_retries", "MaxRetries"),
    "retrytime": ("retry_time", "RetryTime"),
    "waittime": ("wait_time", "WaitTime"),
    "codecs": ("codecs", "Codecs"),
    "account": ("account", "Account"),
    "alwaysdelete": ("always_delete", "AlwaysDelete"),
    "archive": ("archive", "Archive"),
    "early_media": ("early_media", "Early_media"),
}
"""Key in lower case -> our field, and the key as Asterisk's documentation writes it."""
_NOTES = {
    "startretry": "StartRetry",
    "endretry": "EndRetry",
    "abortretry": "AbortRetry",
    "delayedretry": "DelayedRetry",
    "retry": "Retry",
}
_NUMBERS = {"priority": 1, "max_retries": 0, "retry_time": 1, "wait_time": 1}
_NUMBER_KEYS = tuple(key for key, (name, _) in _KEYS.items() if name in _NUMBERS)
_BOOLEANS = ("always_delete", "archive", "early_media")


def _lines(file: CallFile) -> Iterator[str]:
    yield f"Channel: {file.channel}"
    if file.caller_name:
        yield f'CallerID: "{file.caller_name}" <{file.caller_number}>'
    elif file.caller_number:
        yield f"CallerID: <{file.caller_number}>"
    defaults = {each.name: each.default for each in fields(file)}
    for name, key in _KEYS.values():
        value = getattr(file, name)
        if name == "channel" or (value == defaults[name] and name not in _NUMBERS):
            continue
        if name == "priority" and not file.extension:
            continue
        if name in _BOOLEANS:
            value = "yes" if value else "no"
        elif name == "codecs":
            value = ",".join(value)
        yield f"{key}: {value}"
    for name, content in file.variables:
        yield f"Setvar: {name}={content}"


def _problems(file: CallFile) -> Iterator[Problem]:
    """Everything wrong with a call file; each problem's `source` is the key that it is about."""
    if not _CHANNEL.fullmatch(file.channel):
        yield Problem(f"`{_short(file.channel)}` is not technology/resource", "write PJSIP/100 or the like",
                      "Channel", code="callfile.channel")  # fmt: skip
    yield from _wrong_actions(file)
    if file.caller_number and not _CALLER.fullmatch(file.caller_number):
        yield Problem(f"`{_short(file.caller_number)}` is no number", "digits, with + in front or not",
                      "CallerID", code="callfile.callerid")  # fmt: skip
    if re.search(r"[\"<>\\]", file.caller_name) or _size(file.caller_name) > LONGEST_NAME_BYTES:
        yield Problem(f'a name holds no ", <, > or \\, and {LONGEST_NAME_BYTES} bytes at the most',
                      "shorten it, or leave them out", "CallerID", code="callfile.callerid")  # fmt: skip
    for name, least in _NUMBERS.items():
        value = getattr(file, name)
        if not isinstance(value, int) or not least <= value <= GREATEST_NUMBER:
            yield Problem(f"{value} cannot be", f"write a whole number from {least} on", _key_of(name),
                          code="callfile.number")  # fmt: skip
    for codec in file.codecs:
        if not _CODEC.fullmatch(codec):
            yield Problem(f"`{_short(codec)}` is no codec", "write ulaw, alaw, g722 ...", "Codecs",
                          code="callfile.codecs")  # fmt: skip
    for name, _ in file.variables:
        if not _VARIABLE.fullmatch(name):
            yield Problem("this is no name of a variable",
                          "letters, digits and _; Asterisk would run a function such as FILE()",
                          _setvar(name), code="callfile.setvar")  # fmt: skip
    yield from _misread(file)


def _wrong_actions(file: CallFile) -> Iterator[Problem]:
    if not file.application and not file.extension:
        yield Problem("nothing to do when it is answered", "give an application, or context and extension",
                      "Application", code="callfile.action")  # fmt: skip
    if file.application and (file.extension or file.context):
        yield Problem("two things to do when it is answered", "give an application, or context and extension",
                      "Application", code="callfile.action")  # fmt: skip
    if file.application.lower() in FORBIDDEN_APPLICATIONS:
        yield Problem(f"{file.application} runs programs on the PBX", "no call needs it", "Application",
                      code="callfile.application")  # fmt: skip
    if file.data and not file.application:
        yield Problem("data without an application", "name the application", "Data", code="callfile.action")
    if file.extension and not file.context:
        yield Problem("an extension without a context", "name the context", "Extension",
                      code="callfile.action")  # fmt: skip
    if file.context and not file.extension and not file.application:
        yield Problem("a context without an extension", "name the extension", "Context",
                      code="callfile.action")  # fmt: skip
    if _size(file.extension) > LONGEST_EXTENSION_BYTES:
        yield Problem(f"it is longer than {LONGEST_EXTENSION_BYTES} bytes", "shorten it", "Extension",
                      code="callfile.extension")  # fmt: skip


def _misread(file: CallFile) -> Iterator[Problem]:
    """What Asterisk would cut, split or skip."""
    for key, value in _texts(file):
        if _CONTROL.search(value) or any("\ud800" <= each <= "\udfff" for each in value):
            yield Problem("there is a control character, or what is no character at all",
                          "a line of a call file is plain text", key, code="callfile.control")  # fmt: skip
            continue
        if _CUT.search(value):
            yield Problem(f"Asterisk cuts `{_short(value)}` at `;` or ` #`", "leave them out", key,
                          code="callfile.comment")  # fmt: skip
        if value != value.rstrip() or (value != value.lstrip() and not key.startswith("Setvar")):
            yield Problem(f"Asterisk cuts spaces off `{_short(value)}`", "leave them out", key,
                          code="callfile.spaces")  # fmt: skip
    for line in _lines(file):
        if _size(line) > LONGEST_LINE_BYTES:
            key, _, value = line.partition(": ")
            yield _too_long(_setvar(value.partition("=")[0]) if key == "Setvar" else key)


def _texts(file: CallFile) -> Iterator[tuple[str, str]]:
    for name in ("channel", "application", "data", "context", "extension", "account"):
        yield _key_of(name), getattr(file, name)
    yield "CallerID", file.caller_name
    for name, content in file.variables:
        yield _setvar(name), content


def _values(found: dict[str, str]) -> dict[str, Any]:
    """Turn what the keys say into the fields of a CallFile."""
    values: dict[str, Any] = {}
    for key, value in found.items():
        if key == "callerid":
            values["caller_name"], values["caller_number"] = _split_caller(value)
            continue
        name, _ = _KEYS[key]
        if name in _NUMBERS:
            values[name] = int(value)
        elif name in _BOOLEANS:
            values[name] = value.lower() in _YES
        elif name == "codecs":
            values[name] = tuple(each.strip() for each in value.split(",") if each.strip())
        else:
            values[name] = value
    return values


def _split_caller(value: str) -> tuple[str, str]:
    """Return name and number of `"Name" <number>`, `Name <number>` or `number`."""
    if match := _CALLER_ID.fullmatch(value):
        return (match["quoted"] or match["bare"] or "").strip(), match["number"].strip()
    bare = value.strip('" ')
    return ("", bare) if _CALLER.fullmatch(bare) else (bare, "")


def _without_comment(line: str) -> str:
    cut = re.search(r"(^|[ \t])#", line)
    line = line[: cut.end() - 1] if cut else line
    semicolon = re.search(r"(?<!\\);", line)
    return (line[: semicolon.start()] if semicolon else line).replace("\\;", ";")


def _located(problem: Problem, source: str, at_line: dict[str, int]) -> Problem:
    """Put file and line where a CallFile's problem has its key."""
    what = f"{problem.source}: {problem.what}"
    return replace(problem, what=what, source=source, line=at_line.get(problem.source.lower()))


def _too_long(key: str) -> Problem:
    return Problem(
        f"the line is longer than {LONGEST_LINE_BYTES} bytes, so Asterisk would skip or split it",
        "shorten it; keep long texts where the dialplan can look them up", key, code="callfile.long-line",
    )  # fmt: skip


def _size(text: str) -> int:
    """In bytes, as it would be written."""
    return len(text.encode("utf-8", "replace"))


def _setvar(name: str) -> str:
    return f"Setvar {_short(name)}"


def _key_of(name: str) -> str:
    return next(key for ours, key in _KEYS.values() if ours == name)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _moment(seconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)
