"""Commands of AGI that play, say, ask and record (res_agi of Asterisk 22).

Files are named without their ending, as Asterisk has them: below its folder of sounds, or by absolute path.
`escape` are the keys that end what is played: "" for none, or such as "0123456789*#".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from voicebot.agi.command import Command, Refused, digit_of, succeeded
from voicebot.agi.messages import Malformed, Reply

KEYS = "0123456789*#"
_KEYS = re.compile(r"[0-9A-D*#]*")
_FILE = re.compile(r"[A-Za-z0-9_./:@%+=-][A-Za-z0-9_./:@%+= -]{0,500}")
_FORMAT = re.compile(r"[a-z0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a prompt. digit: the key that ended it, or "". position: where it ended, in samples.

    Of ControlStreamFile the position is in ms.
    """

    digit: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the caller pressed. timed_out: they stopped before it was complete."""

    digits: str = ""
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording is done. ended_by: `key`, `timeout` (or silence) or `hangup`. position: its samples."""

    ended_by: str
    digit: str = ""
    position: int = 0


def escape_keys(keys: str) -> str:
    """Return keys that are some. Raises Refused."""
    if not _KEYS.fullmatch(keys):
        raise Refused("keys are 0 to 9, A to D, * and #")
    return keys


def sound(name: str) -> str:
    """Return the name of a sound file. Raises Refused for what is none, and for a way up (`..`)."""
    if not _FILE.fullmatch(name) or ".." in name.split("/") or name.startswith(("-", "|")):
        raise Refused("not the name of a sound file")
    return name


def _played(command: Command[Played], reply: Reply) -> Played:
    digit = digit_of(command, reply)
    position = reply["endpos"]
    return Played(digit, int(position) if position.lstrip("-").isdecimal() else 0)


def _ms(value: int, *, endless: bool = False) -> int:
    if value < (-1 if endless else 0) or value > 86_400_000:
        raise Refused("a time is between 0 and a day")
    return value


@dataclass(frozen=True)
class StreamFile(Command[Played]):
    """Play a file until it ends or a key of `escape` is pressed. offset: samples to leave out.

    CommandFailed: there is no such file.
    """

    name: ClassVar[str] = "STREAM FILE"
    file: str
    escape: str = ""
    offset: int = 0

    def words(self) -> tuple[str | int, ...]:
        return (sound(self.file), escape_keys(self.escape), *((self.offset,) if self.offset else ()))

    def read(self, reply: Reply) -> Played:
        return _played(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class ControlStreamFile(Command[Played]):
    """Play a file in which the caller moves by keys: forward, back, pause, and ends it by one of `escape`."""

    name: ClassVar[str] = "CONTROL STREAM FILE"
    file: str
    escape: str = ""
    skip_ms: int = 3000
    forward: str = "#"
    back: str = "*"
    pause: str = ""
    offset_ms: int = 0

    def words(self) -> tuple[str | int, ...]:
        keys = [escape_keys(each) for each in (self.forward, self.back, self.pause)]
        return (sound(self.file), escape_keys(self.escape), _ms(self.skip_ms), *keys, _ms(self.offset_ms))

    def read(self, reply: Reply) -> Played:
        return _played(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class GetOption(Command[Played]):
    """Play a file, and wait afterwards for a key of `escape`; timeout_ms None: as the channel has it."""

    name: ClassVar[str] = "GET OPTION"
    file: str
    escape: str = KEYS
    timeout_ms: int | None = None

    def words(self) -> tuple[str | int, ...]:
        time = () if self.timeout_ms is None else (_ms(self.timeout_ms),)
        return (sound(self.file), escape_keys(self.escape), *time)

    def read(self, reply: Reply) -> Played:
        return _played(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class GetData(Command[Pressed]):
    """Play a file and take keys, up to `most` of them or until `#`. timeout_ms: between two keys."""

    name: ClassVar[str] = "GET DATA"
    file: str
    timeout_ms: int = 5000
    most: int = 1023

    def words(self) -> tuple[str | int, ...]:
        if not 1 <= self.most <= 1023:
            raise Refused("1 to 1023 keys can be asked for")
        return sound(self.file), _ms(self.timeout_ms), self.most

    def read(self, reply: Reply) -> Pressed:
        succeeded(self, reply)
        if not _KEYS.fullmatch(reply.result):
            raise Malformed("the result is no keys")
        return Pressed(reply.result, reply.value == "timeout")

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class WaitForDigit(Command[str]):
    """Wait for one key; "" where none came in time. timeout_ms -1: for ever."""

    name: ClassVar[str] = "WAIT FOR DIGIT"
    timeout_ms: int = 5000

    def words(self) -> tuple[str | int, ...]:
        return (_ms(self.timeout_ms, endless=True),)

    def read(self, reply: Reply) -> str:
        return digit_of(self, reply)

    def takes_ms(self) -> int | None:
        return None if self.timeout_ms < 0 else self.timeout_ms


@dataclass(frozen=True)
class RecordFile(Command[Recorded]):
    """Record the caller to a file, such as RecordFile("/var/spool/voicebot/note", "wav").

    escape: keys that end it. timeout_ms -1: as long as the caller talks. silence_s: so much of it ends it.
    """

    name: ClassVar[str] = "RECORD FILE"
    file: str
    format: str = "wav"
    escape: str = "#"
    timeout_ms: int = 60_000
    offset: int = 0
    beep: bool = False
    silence_s: int = 0

    def words(self) -> tuple[str | int, ...]:
        if not _FORMAT.fullmatch(self.format):
            raise Refused("not a format of sound files")
        more = (*(("beep",) if self.beep else ()), *((f"s={self.silence_s}",) if self.silence_s > 0 else ()))
        begin = (sound(self.file), self.format, escape_keys(self.escape), _ms(self.timeout_ms, endless=True))
        return (*begin, max(0, self.offset), *more)

    def read(self, reply: Reply) -> Recorded:
        position = int(reply["endpos"]) if reply["endpos"].isdecimal() else 0
        if reply.value == "hangup":
            return Recorded("hangup", "", position)
        digit = digit_of(self, reply)
        return Recorded("key" if reply.value == "dtmf" else reply.value or "timeout", digit, position)

    def takes_ms(self) -> int | None:
        return None if self.timeout_ms < 0 else self.timeout_ms


@dataclass(frozen=True)
class SayAlpha(Command[str]):
    """Spell a text. case: n none, a all, l lower, u upper: which letters are told by their case."""

    name: ClassVar[str] = "SAY ALPHA"
    text: str
    escape: str = ""
    case: str = ""

    def words(self) -> tuple[str | int, ...]:
        if self.case not in ("", "n", "a", "l", "u"):
            raise Refused("the case is n, a, l or u")
        return (self.text, escape_keys(self.escape), *((self.case,) if self.case else ()))

    def read(self, reply: Reply) -> str:
        return digit_of(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class SayDigits(Command[str]):
    """Say digits one by one."""

    name: ClassVar[str] = "SAY DIGITS"
    digits: str
    escape: str = ""

    def words(self) -> tuple[str | int, ...]:
        return _digits(self.digits), escape_keys(self.escape)

    def read(self, reply: Reply) -> str:
        return digit_of(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class SayNumber(Command[str]):
    """Say a whole number. gender: as the language has it (f, m, n, c)."""

    name: ClassVar[str] = "SAY NUMBER"
    number: int
    escape: str = ""
    gender: str = ""

    def words(self) -> tuple[str | int, ...]:
        return (_number(self.number), escape_keys(self.escape), *_gender(self.gender))

    def read(self, reply: Reply) -> str:
        return digit_of(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class SayPhonetic(Command[str]):
    """Spell a text as radio operators do: alpha, bravo."""

    name: ClassVar[str] = "SAY PHONETIC"
    text: str
    escape: str = ""

    def words(self) -> tuple[str | int, ...]:
        return self.text, escape_keys(self.escape)

    def read(self, reply: Reply) -> str:
        return digit_of(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class SayDate(Command[str]):
    """Say the date of a moment. at: seconds since the epoch."""

    name: ClassVar[str] = "SAY DATE"
    at: int
    escape: str = ""

    def words(self) -> tuple[str | int, ...]:
        return self.at, escape_keys(self.escape)

    def read(self, reply: Reply) -> str:
        return digit_of(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class SayTime(Command[str]):
    """Say the time of day of a moment. at: seconds since the epoch."""

    name: ClassVar[str] = "SAY TIME"
    at: int
    escape: str = ""

    def words(self) -> tuple[str | int, ...]:
        return self.at, escape_keys(self.escape)

    def read(self, reply: Reply) -> str:
        return digit_of(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class SayDateTime(Command[str]):
    """Say a moment as `format` of voicemail.conf has it. at: seconds since the epoch; zone: Europe/Berlin."""

    name: ClassVar[str] = "SAY DATETIME"
    at: int
    escape: str = ""
    format: str = "ABdY 'digits/at' IMp"
    zone: str = ""

    def words(self) -> tuple[str | int, ...]:
        return (self.at, escape_keys(self.escape), self.format, *((self.zone,) if self.zone else ()))

    def read(self, reply: Reply) -> str:
        return digit_of(self, reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class ReceiveChar(Command[str]):
    """One character of text from a channel that has text; "" where none came. timeout_ms 0: for ever."""

    name: ClassVar[str] = "RECEIVE CHAR"
    timeout_ms: int = 5000

    def words(self) -> tuple[str | int, ...]:
        return (_ms(self.timeout_ms),)

    def read(self, reply: Reply) -> str:
        return digit_of(self, reply)

    def takes_ms(self) -> int | None:
        return self.timeout_ms or None


@dataclass(frozen=True)
class ReceiveText(Command[str | None]):
    """A text from a channel that has text; None where none came in time."""

    name: ClassVar[str] = "RECEIVE TEXT"
    timeout_ms: int = 5000

    def words(self) -> tuple[str | int, ...]:
        return (_ms(self.timeout_ms),)

    def read(self, reply: Reply) -> str | None:
        return (reply.value or "") if reply.result == "1" else None

    def takes_ms(self) -> int | None:
        return self.timeout_ms or None


@dataclass(frozen=True)
class SendText(Command[None]):
    """Send a text to the caller's telephone. CommandFailed: it takes none."""

    name: ClassVar[str] = "SEND TEXT"
    text: str

    def words(self) -> tuple[str | int, ...]:
        return (self.text,)

    def read(self, reply: Reply) -> None:
        succeeded(self, reply)


@dataclass(frozen=True)
class SendImage(Command[None]):
    """Send a picture to the caller's telephone. That it takes none, Asterisk does not tell."""

    name: ClassVar[str] = "SEND IMAGE"
    image: str

    def words(self) -> tuple[str | int, ...]:
        return (sound(self.image),)

    def read(self, reply: Reply) -> None:
        succeeded(self, reply)


def _digits(text: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,500}", text):  # Asterisk takes nothing that does not begin as a number
        raise Refused("digits are 0 to 9")
    return text


def _number(value: int) -> int:
    if not -(1 << 31) <= value < 1 << 31:
        raise Refused("a number of more than 32 bits cannot be said")
    return value


def _gender(gender: str) -> tuple[str, ...]:
    if not re.fullmatch(r"[a-z]{0,10}", gender):
        raise Refused("the gender is a letter such as f or m")
    return (gender,) if gender else ()
