"""A session of AGI on an event loop: whose turn it is to ask, what was answered, and who waits too long.

It has no wire of its own: `feed()` takes what comes, and what goes out is given to `Wire`. So it serves
FastAGI, where that is a connection, and scripts that Asterisk starts, where it is stdin and stdout.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from voicebot.agi.command import AgiError, CallerHungUp, Command, CommandFailed, outcome
from voicebot.agi.commands import ChannelStatus, Hangup
from voicebot.agi.messages import Environment, Malformed, Reply
from voicebot.agi.session import Answered, Began, CallerGone, Closed, Event, Interrupted, Session
from voicebot.fastagi.deadlines import Deadlines

Result = TypeVar("Result")

COMMAND_S = 10.0
"""Longest wait for the answer to a command, beside the time that it takes by its nature."""
LONGEST_MEDIUM_S = 4 * 3600.0
"""Longest wait where that time is not known: a prompt, an application."""


SETTLE_S = 0.02
"""So long after a command it may be interrupted: before, Asterisk may read both at once (agi/session.py)."""
NUDGE_S = 0.2
"""Then an interruption that was overlooked all the same is repeated."""


class Wire(Protocol):
    """Where commands go. Neither method waits, or raises for a peer that is gone."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Series:
    """Commands that are sent one after another, the next one last; and why they ended early."""

    rest: list[Command[None]]
    error: Exception | None = None


class Exchange:
    """Commands out, one at a time, and answers in. `AgiChannel` says what it raises."""

    def __init__(
        self,
        wire: Wire,
        *,
        command_s: float = COMMAND_S,
        began: Callable[[], None] | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        """began: called once the environment is complete. deadlines: those of all sessions of a server."""
        self._wire = wire
        self._command_s = command_s
        self._call_when_begun = began
        self._session = Session()
        self._environment: Environment | None = None
        self._loop = asyncio.get_running_loop()
        self._began: asyncio.Future[Environment] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._queue: list[asyncio.Future[None]] = []
        self._deadlines = deadlines or Deadlines(self._loop)
        self._interruption: asyncio.TimerHandle | None = None
        self._sent_at = 0.0
        self._series: _Series | None = None
        self.local = True
        """Whether who speaks AGI here is on this machine."""
        self.fault = ""
        """What the peer did wrong, for which the session was closed."""

    # The session

    @property
    def environment(self) -> Environment:
        """What Asterisk tells of the call. Only after `begin()`. Who knows better may set it."""
        found = self._environment or self._session.environment
        assert found is not None, "the session has not begun"
        return found

    @environment.setter
    def environment(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def hung_up(self) -> bool:
        """Whether the caller has hung up, as far as Asterisk has told."""
        return self._session.gone

    @property
    def closed(self) -> bool:
        return self._session.closed

    async def begin(self, timeout_s: float) -> Environment:
        """Wait for the environment. Raises AgiError where it does not come in time or is none."""
        if self._session.environment is not None:
            return self._session.environment
        if self._session.closed:
            raise AgiError(self.fault or "the session is over")
        self.watch(timeout_s)
        self._began = self._loop.create_future()
        return await self._began

    async def wait_hung_up(self) -> None:
        """Return once the caller has hung up, or the connection is gone."""
        if self.hung_up:
            return
        if self._gone is None:
            self._gone = self._loop.create_future()
        await asyncio.shield(self._gone)

    def interrupt(self) -> bool:
        """End the prompt that plays, or the wait for keys, now; whoever awaits it gets what there is.

        The result is as if it had ended by itself: Played(), Pressed(timed_out=True), "". Returns False where
        nothing plays that can be ended: saying, recording and applications cannot.
        """
        if not self._session.interruptible:
            return False
        if self._interruption is None:
            after = max(0.0, self._sent_at + SETTLE_S - self._loop.time())
            self._interruption = self._loop.call_later(after, self._interrupt)
        return True

    def _interrupt(self) -> None:
        first = not self._session.interrupting
        data = self._session.interrupt()
        if data:
            self._interruption = self._loop.call_later(NUDGE_S, self._interrupt)
            self._wire.write(data)
            if first:  # who answers to none of them is not waited for any longer
                self.watch(self._command_s)

    def close(self) -> None:
        """End the session: the dialplan goes on."""
        if not self._session.closed:
            self._take(self._session.end())

    # For who has the wire

    def feed(self, data: bytes) -> None:
        """Take what came from Asterisk."""
        self._take(self._session.receive(data))

    def feed_end(self) -> None:
        """Asterisk has closed the session, or is gone."""
        self._take(self._session.end())

    def feed_hang_up(self) -> None:
        """Asterisk has sent SIGHUP."""
        self._take(self._session.hang_up())

    def fail(self, fault: str) -> None:
        """Close the session for what the peer did wrong."""
        if not self._session.closed:
            self.fault = fault
            self._take(self._session.end())

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Answered):
                if self._series is None or not self._go_on(self._series, event.command, event.reply):
                    self._settle(event.reply)
                continue
            match event:
                case Interrupted(_, reply):
                    self._settle(reply)
                case Began(environment):
                    self._stop_watching()
                    if self._began is not None and not self._began.done():
                        self._began.set_result(environment)
                    if self._call_when_begun is not None:
                        self._call_when_begun()
                case CallerGone():
                    if self._gone is not None and not self._gone.done():
                        self._gone.set_result(None)
                case Closed(fault):
                    self._over(fault)

    def _go_on(self, series: _Series, command: Command[Any], reply: Reply) -> bool:
        """Send the next command of `ask_all`, without waking who waits; False where there is none."""
        try:
            outcome(command, reply)
            if not series.rest:
                return False
            line = self._session.send(series.rest.pop())
        except (AgiError, CallerHungUp, Malformed) as error:
            series.error = error
            return False
        self.watch(self._command_s)
        self._wire.write(line)
        return True

    def _settle(self, reply: Reply) -> None:
        self._stop_watching()
        self._stop_interrupting()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(reply)
        self._next()

    def _next(self) -> None:
        while self._queue:
            turn = self._queue.pop(0)
            if not turn.done():
                turn.set_result(None)
                return

    def _over(self, fault: str) -> None:
        self._stop_watching()
        self._stop_interrupting()
        self.fault = self.fault or fault
        error: Exception = AgiError(self.fault) if self.fault else CallerHungUp("the session is over")
        if self._began is not None and not self._began.done():
            self._began.set_exception(AgiError(self.fault or "the session is over"))
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
            answer.exception()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        waiting, self._queue = self._queue, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)  # each finds for itself that it is over
        self._wire.close()

    def watch(self, seconds: float) -> None:
        """Close the session unless what is awaited comes within that time: the environment, an answer."""
        self._deadlines.set(self, self._loop.time() + seconds)

    def _stop_watching(self) -> None:
        self._deadlines.drop(self)

    def _stop_interrupting(self) -> None:
        if self._interruption is not None:
            self._interruption.cancel()
            self._interruption = None

    def overdue(self) -> None:
        """What was awaited did not come in time."""
        if self._session.environment is None:
            self.fail("no environment in time")
            return
        waiting = self._session.waiting
        self.fail(f"no answer to {waiting.name if waiting else 'a command'} in time")

    # Commands

    async def ask(self, command: Command[Result]) -> Result:
        """Send a command and return what came of it."""
        try:
            reply = await self._exchange(command)
            return self._meaning(command, reply)
        except CommandFailed as error:
            # -1 is what a prompt is answered with whose file is missing, and one whose caller hung up.
            # Asterisk knows which once it has looked at the channel: before it takes the next command.
            if error.reply is None or error.reply.result != "-1" or self.hung_up:
                if self.hung_up and not command.after:
                    raise CallerHungUp("the caller has hung up") from error
                raise
            if not isinstance(command, ChannelStatus | Hangup):
                self._meaning(ChannelStatus(), await self._exchange(ChannelStatus()))
            raise

    async def ask_all(self, commands: Sequence[Command[None]]) -> None:
        """Send commands that take no time, one after another; the first that fails is the last.

        It costs half of what asking for each does: who waits is woken once.
        """
        if not commands:
            return
        series = _Series(list(reversed(commands)))
        await self._exchange(series.rest.pop(), series)
        if isinstance(series.error, Malformed):
            self.fail(str(series.error))
            raise AgiError(str(series.error)) from series.error
        if series.error is not None:
            raise series.error

    async def _exchange(self, command: Command[Any], series: _Series | None = None) -> Reply:
        while self._session.waiting is not None:
            turn: asyncio.Future[None] = self._loop.create_future()
            self._queue.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._next()  # the turn was ours: give it on
                raise
        if self._session.closed:
            raise AgiError(self.fault) if self.fault else CallerHungUp("the session is over")
        try:
            line = self._session.send(command)
        except Exception:
            self._next()
            raise
        self._series = series
        answer: asyncio.Future[Reply] = self._loop.create_future()
        self._answer = answer
        takes_ms = command.takes_ms()
        self.watch(self._command_s + (LONGEST_MEDIUM_S if takes_ms is None else takes_ms / 1000))
        self._wire.write(line)
        self._sent_at = self._loop.time()
        try:
            return await answer
        except asyncio.CancelledError:
            self._series = None
            if self._session.waiting is command:
                self.interrupt()
            raise

    def _meaning(self, command: Command[Result], reply: Reply) -> Result:
        try:
            return outcome(command, reply)
        except Malformed as error:
            self.fail(str(error))
            raise AgiError(str(error)) from error
