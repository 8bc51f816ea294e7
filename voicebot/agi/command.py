"""What a command of AGI is: a line that Asterisk reads, and the meaning of what it answers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import ClassVar, Generic, TypeVar

from voicebot.agi.messages import CALLER_IS_GONE, OK, Malformed, Reply
from voicebot.errors import VoicebotError

Result_co = TypeVar("Result_co", covariant=True)

LONGEST_LINE = 2047
"""Bytes of a command with its line's end: what Asterisk reads (newer ones read 8191)."""
FAILED = -1
"""The result of a command that failed, or whose caller hung up meanwhile."""
_REFUSED = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BARE = re.compile(r"[A-Za-z0-9_./:+*#@,=-]+")


class AgiError(VoicebotError):
    """The session cannot go on, or the command cannot be: refused by us or by Asterisk, unanswered."""


class CommandFailed(AgiError):
    """Asterisk did not do what it was asked for; the call goes on. `reply` is what it answered, if it did."""

    def __init__(self, message: str, reply: Reply | None = None) -> None:
        self.reply = reply
        super().__init__(message)


class Refused(AgiError, ValueError):
    """We do not send this: a control character, a line that is too long, something that is not permitted."""


class CallerHungUp(VoicebotError):
    """The caller is gone, or the connection to Asterisk. Nothing can be played, asked or said any more."""


class Command(Generic[Result_co]):
    """One command. Its fields are checked when its line is made.

    name:   how it begins
    after:  whether Asterisk does it after the caller has hung up as well
    """

    name: ClassVar[str]
    after: ClassVar[bool] = False

    def words(self) -> tuple[str | int, ...]:
        """Return what follows the name, one word each. Raises Refused for what Asterisk would misread."""
        return ()

    def read(self, reply: Reply) -> Result_co:
        """Return what a reply with code 200 means. Raises CommandFailed, Malformed."""
        raise NotImplementedError

    def takes_ms(self) -> int | None:
        """Return how long Asterisk may take for it by its nature; None: as long as what it plays."""
        return 0


def line_of(command: Command[object]) -> bytes:
    """Return the command as it goes on the wire. Raises Refused."""
    return _line(command.name, command.words())


@lru_cache(1024)
def _line(name: str, words: tuple[str | int, ...]) -> bytes:
    """Return the line of these words; the same few variables get the same few values all day."""
    line = " ".join([name, *map(quoted, words)]).encode() + b"\n"
    if len(line) > LONGEST_LINE:
        raise Refused(f"{name} is longer than {LONGEST_LINE} bytes, which is what Asterisk reads")
    return line


def quoted(word: str | int) -> str:
    """Return a word so that Asterisk reads exactly it. Raises Refused for a control character."""
    if isinstance(word, int):
        return str(word)
    if _BARE.fullmatch(word):
        return word
    if _REFUSED.search(word):
        raise Refused("a line break or another control character cannot be in a command")
    if not word.isprintable() and any("\ud800" <= each <= "\udfff" for each in word):
        raise Refused("half of a character cannot be in a command")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquoted(line: str) -> tuple[str, ...]:
    """Return the words of a line as Asterisk reads them: the other way round, for simulators and tests."""
    words: list[str] = []
    inside = escaped = False
    between = True
    for each in line:
        if not escaped and each == '"':
            inside = not inside
            if inside and between:
                words.append("")
                between = False
        elif not escaped and not inside and each in " \t":
            between = True
        elif not escaped and each == "\\":
            escaped = True
        else:
            if between:
                words.append("")
                between = False
            words[-1] += each
            escaped = False
    return tuple(words)


def outcome(command: Command[Result_co], reply: Reply) -> Result_co:
    """Return what `reply` means to `command`. Raises CallerHungUp, CommandFailed, Malformed."""
    if reply.code == OK:
        return command.read(reply)
    if reply.code == CALLER_IS_GONE:
        raise CallerHungUp("the caller has hung up")
    first = reply.text.partition("\n")[0][:200]
    raise CommandFailed(f"{command.name}: Asterisk answers {reply.code} {first}", reply)


def succeeded(command: Command[object], reply: Reply) -> None:
    """Raise CommandFailed for the result -1."""
    if reply.result == str(FAILED):
        raise CommandFailed(f"{command.name} failed", reply)


def digit_of(command: Command[object], reply: Reply) -> str:
    """Return the key that a result stands for, "" for none. Raises CommandFailed."""
    succeeded(command, reply)
    code = reply.number
    if not 0 <= code < 0x110000:
        raise Malformed("the result is no key")
    return chr(code) if code else ""
