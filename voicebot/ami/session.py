"""One connection to the manager interface as the protocol sees it: greeting, login, actions, events. Pure.

After every call of `receive`, `ask`, `handle_timer` or `leave` the shell sends `data_to_send()`, reads
`next_output()` until it is None, and arms a timer for `get_timer()`. Times are seconds of any clock that only
goes forward. After `Broken` the connection is of no use: the shell closes it and makes another session.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from voicebot.ami.actions import Action, Challenge, Login, Logoff, Ping
from voicebot.ami.events import Event, UnknownEvent, parse
from voicebot.ami.messages import BANNER, Message, Splitter, login_key, message, serialise

GREETING_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 5.0
PING_AFTER_S = 5.0
"""When nothing came for so long, we ask whether somebody is there; no answer in time: the link is dead."""
LONGEST_GREETING = 200
"""Bytes before the first line break; AMI's has 27."""
MOST_LISTED = 100_000
"""Events of one list; more would be no Asterisk."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Actions may be asked from now on. `version` is AMI's, such as 11.0.0."""

    version: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The login was refused: wrong name, password or address."""

    why: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event that nobody asked for."""

    event: Event


@dataclass(frozen=True, slots=True)
class Answered:
    """An action succeeded. `listed` are the events of its list, without the one that ends it."""

    action_id: str
    response: Message
    listed: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Asterisk refused an action, or did not answer in time (`late`: then it may have been done).

    response: with which it was refused
    """

    action_id: str
    why: str
    late: bool = False
    response: Message | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection cannot be used any more. Of `unanswered` actions nobody knows whether they were done."""

    why: str
    unanswered: tuple[str, ...] = ()


Output = LoggedIn | Refused | Arrived | Answered | Failed | Broken


class State(Enum):
    GREETING = "greeting"
    LOGGING_IN = "logging in"
    READY = "ready"
    OVER = "over"


@dataclass(slots=True)
class _Pending:
    name: str
    deadline: float
    response: Message | None = None
    listed: list[Message] = field(default_factory=list)


class Session:
    """The protocol from the first byte to the last.

    secret:  never sent; only the MD5 of challenge and secret is
    events:  whether Asterisk shall send events at all
    prefix:  of our ActionIDs, different from that of other sessions: their OriginateResponses come to us, too
    typed:   False: every event stays an UnknownEvent, with all its headers
    """

    def __init__(
        self,
        user: str,
        secret: str,
        now: float,
        *,
        events: bool = True,
        prefix: str = "",
        typed: bool = True,
    ) -> None:
        self.state = State.GREETING
        self.version = ""
        self._user, self._secret, self._events = user, secret, events
        self._prefix = prefix
        self._typed = typed
        self._splitter = Splitter()
        self._greeting = b""
        self._pending: dict[str, _Pending] = {}
        self._asked = 0
        self._out = bytearray()
        self._outputs: deque[Output] = deque()
        self._heard = now
        self._greeted_by = now + GREETING_TIMEOUT_S
        self._own = ""  # id of the action by which we log in, or of the ping under way

    # --- what the shell does ----------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from Asterisk, cut anywhere."""
        if self.state is State.OVER:
            return
        self._heard = now
        if self.state is State.GREETING:
            rest = self._greet(data, now)
            if rest is None:
                return
            data = rest
        try:
            arrived = self._splitter.feed(data)
        except ValueError as error:
            self._break(f"Asterisk sends what is no AMI: {error}")
            return
        for each in arrived:
            self._take(each, now)

    def ask(
        self, action: Action, now: float, timeout_s: float = ANSWER_TIMEOUT_S, action_id: str = ""
    ) -> str:
        """Send an action and return its ActionID, under which `Answered` or `Failed` comes, once.

        Give an `action_id` of your own, never used before, where you must know it beforehand.
        Raises ValueError for what must not reach the wire (see `actions`), RuntimeError before the login.
        """
        if self.state is not State.READY:
            raise RuntimeError(f"no action while {self.state.value}")
        return self._send(action, now, timeout_s, action_id)

    def forget(self, action_id: str) -> None:
        """Nobody waits for this answer any more."""
        self._pending.pop(action_id, None)

    def leave(self, now: float) -> None:
        """Say good-bye; the shell closes the connection after it has sent that."""
        if self.state is State.READY:
            self._send(Logoff(), now, ANSWER_TIMEOUT_S)
        self.state = State.OVER

    def lost(self, why: str) -> None:
        """Take note that the connection is gone."""
        self._break(why)

    def data_to_send(self) -> bytes:
        """Return what is to be written now, once."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def next_output(self) -> Output | None:
        """Return what happened, in order; None when that was all."""
        return self._outputs.popleft() if self._outputs else None

    # --- time -------------------------------------------------------------------------------------------

    def get_timer(self) -> float | None:
        """When `handle_timer` is due; None: never."""
        match self.state:
            case State.GREETING:
                return self._greeted_by
            case State.OVER:
                return None
        due = [each.deadline for each in self._pending.values()]
        if self.state is State.READY and self._own not in self._pending:
            due.append(self._heard + PING_AFTER_S)
        return min(due, default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due at `now`."""
        if self.state is State.GREETING and now >= self._greeted_by:
            self._break(f"there is no AMI: no greeting within {GREETING_TIMEOUT_S:g} s")
        if self.state in (State.GREETING, State.OVER):
            return
        late = [id_ for id_, each in self._pending.items() if now >= each.deadline]
        if self._own in late:
            self._break(f"Asterisk does not answer {self._pending[self._own].name}")
            return
        for id_ in late:
            name = self._pending.pop(id_).name
            self._outputs.append(Failed(id_, f"AMI does not answer {name} in time", late=True))
        if self.state is State.READY and self._own not in self._pending and now >= self._heard + PING_AFTER_S:
            self._own = self._send(Ping(), now, ANSWER_TIMEOUT_S)

    # --- from the greeting to the login -----------------------------------------------------------------

    def _greet(self, data: bytes, now: float) -> bytes | None:
        """Read the greeting; return what came behind it, None while it is not whole (or is none)."""
        self._greeting += data
        line, end, rest = self._greeting.partition(b"\r\n")
        ours = line.startswith(BANNER) if end else BANNER.startswith(line[: len(BANNER)])
        if not ours or len(line) > LONGEST_GREETING:
            self._break("there is no AMI: another service greets us")
            return None
        if not end:
            return None
        self.version = line.removeprefix(BANNER).decode(errors="replace").strip()
        self.state = State.LOGGING_IN
        self._own = self._send(Challenge(), now, ANSWER_TIMEOUT_S)
        return rest

    def _log_in(self, answer: Message, now: float) -> None:
        """The answers to Challenge and to Login."""
        name = self._pending.pop(self._own).name
        if not answer.succeeded:
            self._outputs.append(Refused(answer.get("Message") or "no reason given"))
            self._break("Asterisk refuses the login")
        elif name == Challenge.name:
            key = login_key(answer.get("Challenge"), self._secret)
            self._own = self._send(Login(self._user, key, self._events), now, ANSWER_TIMEOUT_S)
        else:
            self._own = ""
            self.state = State.READY
            self._outputs.append(LoggedIn(self.version))

    # --- messages ---------------------------------------------------------------------------------------

    def _take(self, arrived: Message, now: float) -> None:
        if self.state is State.OVER:
            return
        id_ = arrived.get("ActionID")
        pending = self._pending.get(id_)
        if arrived.is_event:
            # An OriginateResponse has an ActionID, too; it is no part of a list.
            if pending is not None and pending.response is not None:
                self._list(id_, pending, arrived)
            else:
                self._outputs.append(Arrived(parse(arrived) if self._typed else UnknownEvent(arrived)))
        elif pending is None:
            return  # the answer to what was given up, or text without form
        elif self.state is State.LOGGING_IN:
            self._log_in(arrived, now)
        elif not arrived.succeeded:
            del self._pending[id_]
            why = arrived.get("Message") or "no reason given"
            self._outputs.append(Failed(id_, f"AMI refuses {pending.name}: {why}", response=arrived))
        elif arrived.get("EventList").lower() == "start":
            pending.response = arrived
        else:
            del self._pending[id_]
            if id_ != self._own:
                self._outputs.append(Answered(id_, arrived))

    def _list(self, id_: str, pending: _Pending, listed: Message) -> None:
        ends = listed.get("EventList").lower()
        if not ends:
            pending.listed.append(listed)
            if len(pending.listed) > MOST_LISTED:
                self._break(f"{pending.name} lists more than {MOST_LISTED} things")
            return
        del self._pending[id_]
        assert pending.response is not None
        if ends == "complete":
            self._outputs.append(Answered(id_, pending.response, tuple(pending.listed)))
        else:
            self._outputs.append(Failed(id_, f"AMI gives up the list of {pending.name}: {ends}"))

    def _send(self, action: Action, now: float, timeout_s: float, action_id: str = "") -> str:
        id_ = action_id or f"{self._prefix}{self._asked + 1}"
        self._out += serialise(message("Action", action.name, [("ActionID", id_), *action.headers()]))
        self._asked += 1
        self._pending[id_] = _Pending(action.name, now + timeout_s)
        return id_

    def _break(self, why: str) -> None:
        if self.state is not State.OVER:
            self.state = State.OVER
            unanswered = tuple(id_ for id_ in self._pending if id_ != self._own)
            self._pending.clear()
            self._outputs.append(Broken(why, unanswered))
