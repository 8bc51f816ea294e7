"""One session of AGI, without its wire: bytes in, events out; commands in, bytes out.

Asterisk takes one command at a time and answers it. It must not be sent two at once: it reads them as a
buffered stream but waits on the descriptor, so that the second would lie there unseen. There is one
exception: what plays or waits for keys (`INTERRUPTIBLE`) ends when the next command comes. What was ended so
has no answer of its own, or has one if it was just over. So an interruption is a command whose answer cannot
be mistaken for another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voicebot.agi.command import CallerHungUp, Command, line_of
from voicebot.agi.commands import GetFullVariable
from voicebot.agi.media import GetData, GetOption, StreamFile, WaitForDigit
from voicebot.agi.messages import (
    CALLER_IS_GONE,
    HANGUP,
    PLAIN_LINES,
    Environment,
    Malformed,
    Reply,
    parse_environment,
    parse_reply,
    provisional,
    unfinished,
)

LONGEST_ENVIRONMENT = 64 * 1024
"""Bytes of all its lines together."""
LONGEST_LINE = 4 * 1024
"""Bytes of one line of the environment."""
LONGEST_REPLY = 64 * 1024
"""Bytes of one reply: a variable may be long, and may have line breaks."""
MOST_LINES = 200
"""Lines of one reply."""
INTERRUPTIBLE = (StreamFile, GetOption, GetData, WaitForDigit)
MARK = "voicebot-stop-"


@dataclass(frozen=True, slots=True)
class Began:
    """The environment is complete; commands may be sent."""

    environment: Environment


@dataclass(frozen=True, slots=True)
class Answered:
    """Asterisk has answered a command."""

    command: Command[Any]
    reply: Reply


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An interruption is through, commands may be sent again. reply: as if it had ended by itself."""

    command: Command[Any]
    reply: Reply


@dataclass(frozen=True, slots=True)
class CallerGone:
    """The caller has hung up. Told once. Commands with `after` may still be sent."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over, nothing can be sent. fault: what the peer did wrong; "" where it just ended."""

    fault: str = ""


Event = Began | Answered | Interrupted | CallerGone | Closed


class Session:
    """The state of one session. Methods return what has happened, in its order."""

    def __init__(self) -> None:
        self.environment: Environment | None = None
        self.gone = False
        """Whether the caller has hung up."""
        self.closed = False
        self._waiting: Command[Any] | None = None
        self._marks_out: list[str] = []
        self._marks = 0
        self._reply_before_mark: Reply | None = None
        self._buffer = b""
        self._lines: list[str] = []
        self._size = 0

    @property
    def waiting(self) -> Command[Any] | None:
        """The command that has no answer yet."""
        return self._waiting

    @property
    def interrupting(self) -> bool:
        return bool(self._marks_out)

    @property
    def interruptible(self) -> bool:
        """Whether something plays or waits that can be ended."""
        return not self.closed and not self.gone and isinstance(self._waiting, INTERRUPTIBLE)

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes as they come."""
        events: list[Event] = []
        if self.closed:
            return events
        if (reply := PLAIN_LINES.get(data)) and self._waits_for_a_line():
            command, self._waiting = self._waiting, None
            assert command is not None
            return [Answered(command, reply)]
        searched = max(0, len(self._buffer) - len(b"\r\n\r"))
        self._buffer = self._buffer + data if self._buffer else data
        try:
            if self.environment is None and not self._begin(events, searched):
                return events
            self._take_lines(events)
        except Malformed as error:
            self._close(events, str(error))
        return events

    def end(self) -> list[Event]:
        """The peer has closed its side, or the connection is lost."""
        events: list[Event] = []
        if not self.closed:
            unfinished_environment = self.environment is None and bool(self._buffer)
            self._hang_up(events)
            self._close(events, "it ended within the environment" if unfinished_environment else "")
        return events

    def hang_up(self) -> list[Event]:
        """The caller has hung up, as SIGHUP tells who is started by Asterisk."""
        events: list[Event] = []
        if not self.closed:
            self._hang_up(events)
        return events

    def send(self, command: Command[Any]) -> bytes:
        """Return the line of a command.

        Raises Refused for what may not be sent, CallerHungUp where it is too late, and RuntimeError where
        another command waits for its answer.
        """
        if self.environment is None or self._waiting is not None:
            raise RuntimeError("not the time for a command")
        if self.closed:
            raise CallerHungUp("the session is over")
        line = line_of(command)
        if self.gone and not command.after:
            raise CallerHungUp("the caller has hung up")
        self._waiting = command
        return line

    def interrupt(self) -> bytes:
        """Return what ends the command that plays or waits; b"" where there is nothing to end.

        Once more while it does not end: Asterisk overlooks an interruption that it read together with the
        command, until something else comes.
        """
        if not self.interruptible:
            return b""
        if not self._marks_out:
            self._reply_before_mark = None
        self._marks += 1
        self._marks_out.append(f"{MARK}{self._marks}")
        return line_of(GetFullVariable(self._marks_out[-1]))

    def _waits_for_a_line(self) -> bool:
        """Whether a command has no answer yet, and nothing of one has come."""
        return self._waiting is not None and not (self._buffer or self._lines or self._marks_out)

    def _begin(self, events: list[Event], searched: int) -> bool:
        """Look for the end of the environment; return whether it is complete. searched: bytes without one."""
        for ending in (b"\n\n", b"\r\n\r\n"):
            if (end := self._buffer.find(ending, searched)) >= 0:
                block, rest = self._buffer[:end], self._buffer[end + len(ending) :]
                _check_size(block)
                self.environment = parse_environment(block)
                self._buffer = rest
                events.append(Began(self.environment))
                return True
        if len(self._buffer) - self._buffer.rfind(b"\n") > LONGEST_LINE:
            _check_size(self._buffer)
        if len(self._buffer) > LONGEST_ENVIRONMENT:
            _check_size(self._buffer)
        return False

    def _take_lines(self, events: list[Event]) -> None:
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._take_line(line.decode("utf-8", "replace"), events)
        if len(self._buffer) > LONGEST_REPLY:
            raise Malformed(f"a line of more than {LONGEST_REPLY // 1024} KiB")

    def _take_line(self, text: str, events: list[Event]) -> None:
        if not self._lines and text == HANGUP:
            self._hang_up(events)
            return
        self._lines.append(text)
        self._size += len(text)
        if self._size > LONGEST_REPLY or len(self._lines) > MOST_LINES:
            raise Malformed(f"a reply of more than {LONGEST_REPLY // 1024} KiB, or {MOST_LINES} lines")
        whole = "\n".join(self._lines) if len(self._lines) > 1 else text
        if not unfinished(whole):
            self._lines.clear()
            self._size = 0
            self._take_reply(whole, events)

    def _take_reply(self, text: str, events: list[Event]) -> None:
        if provisional(text):
            return
        reply = parse_reply(text)
        command = self._waiting
        if command is None:
            raise Malformed("an answer to nothing")
        if reply.code == CALLER_IS_GONE:
            self._hang_up(events)
        if self._marks_out:
            self._take_marked(command, reply, events)
            return
        self._waiting = None
        events.append(Answered(command, reply))

    def _take_marked(self, command: Command[Any], reply: Reply, events: list[Event]) -> None:
        """An answer during an interruption: to the mark, or to what was over before Asterisk saw the mark."""
        if reply.value == self._marks_out[0]:
            del self._marks_out[0]
            if not self._marks_out:
                self._waiting = None
                events.append(Interrupted(command, _as_ended(command, self._reply_before_mark)))
        elif self._reply_before_mark is not None:
            raise Malformed("an answer to nothing")
        else:
            self._reply_before_mark = reply

    def _hang_up(self, events: list[Event]) -> None:
        if not self.gone:
            self.gone = True
            events.append(CallerGone())

    def _close(self, events: list[Event], fault: str) -> None:
        self.closed = True
        self._buffer = b""
        self._waiting = None
        events.append(Closed(fault))


def _check_size(block: bytes) -> None:
    if len(block) > LONGEST_ENVIRONMENT:
        raise Malformed(f"an environment of more than {LONGEST_ENVIRONMENT // 1024} KiB")
    if len(block) > LONGEST_LINE and max(map(len, block.split(b"\n"))) > LONGEST_LINE:
        raise Malformed(f"a line of more than {LONGEST_LINE // 1024} KiB")


def _as_ended(command: Command[Any], reply: Reply | None) -> Reply:
    """Return what stands for the reply of what was interrupted."""
    stopped_waiting = isinstance(command, WaitForDigit) and reply is not None and reply.result == "1"
    if reply is not None and not stopped_waiting:
        return reply
    return Reply(result="" if isinstance(command, GetData) else "0", value="timeout")
