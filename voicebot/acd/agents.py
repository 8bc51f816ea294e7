"""One agent's working day: signed out, paused, ready, ringing, talking, resting, or not to be reached.

Pure: `handle(event, now)` changes the state as `TRANSITIONS` says and is False where an event means nothing
now; `deadline` is when `TimeUp` is due. Times in seconds of any clock that does not jump.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar, cast

AWAY_RETRY_S = 30.0
"""A telephone that could not be reached is tried again after so long."""
UNANSWERED_MOST = 3
"""Calls in a row that an agent lets ring; then they are paused, or the callers wait for nobody."""
NOBODY_ANSWERS = "does not answer"
"""Why we pause an agent."""
NOT_REGISTERED = "not registered"
"""Why an agent is away whose telephone Asterisk does not know the place of."""
NO_ASTERISK = "no Asterisk that could ring it"
"""Why all are away of a gateway that runs without Asterisk, or has lost it."""


class AgentState(StrEnum):
    SIGNED_OUT = "signed_out"
    PAUSED = "paused"
    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    AWAY = "away"  # the telephone is busy, not registered, or its network is gone


ON_DUTY = frozenset(
    (AgentState.READY, AgentState.RINGING, AgentState.TALKING, AgentState.WRAP_UP, AgentState.AWAY)
)


@dataclass(frozen=True, slots=True)
class SignIn:
    pass


@dataclass(frozen=True, slots=True)
class SignOut:
    pass


@dataclass(frozen=True, slots=True)
class Pause:
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unpause:
    pass


@dataclass(frozen=True, slots=True)
class Ring:
    """They are offered a call."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """It rang, and nobody took it."""


@dataclass(frozen=True, slots=True)
class Declined:
    """They do not want this call: they are there all the same."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The caller has gone, or somebody else has them: nobody knows whether the agent is there."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The telephone was not reached this time."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Unregistered:
    """There is no use in trying the telephone: Asterisk does not know where it is, or is not there."""

    why: str = NOT_REGISTERED


@dataclass(frozen=True, slots=True)
class Registered:
    """Asterisk knows again."""


@dataclass(frozen=True, slots=True)
class Accepted:
    pass


@dataclass(frozen=True, slots=True)
class TalkEnded:
    wrap_up_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The rest is over, or it is time to try the telephone again."""


Event = (
    SignIn
    | SignOut
    | Pause
    | Unpause
    | Ring
    | Unanswered
    | Declined
    | Withdrawn
    | Unreachable
    | Unregistered
    | Registered
    | Accepted
    | TalkEnded
    | TimeUp
)
E = TypeVar("E")


@dataclass(slots=True)
class Agent:
    """An agent of some queues. `skills`: name to level, 1 to 10. `since`: when the state began.

    `call_id`: the call that is offered or talked to; `reason`: why they are paused or away; `idle_since`:
    when their last call ended; `unanswered`: calls in a row that they let ring.
    """

    name: str
    queues: tuple[str, ...] = ()
    skills: Mapping[str, int] = field(default_factory=dict)
    state: AgentState = AgentState.READY
    since: float = 0.0
    idle_since: float = 0.0
    call_id: str = ""
    reason: str = ""
    unanswered: int = 0
    deadline: float | None = None
    _afterwards: AgentState | None = None  # where they go once the call is over

    def handle(self, event: Event, now: float) -> bool:
        """Take `event` in; False where it means nothing now."""
        if isinstance(event, TimeUp) and (self.deadline is None or now < self.deadline):
            return False
        change = TRANSITIONS.get((self.state, type(event)))
        if change is None:
            return False
        if isinstance(event, Registered) and self.registered:
            return False
        if isinstance(event, Unregistered) and not self.registered and self.reason == event.why:
            return False
        change(self, event, now)
        return True

    @property
    def ready(self) -> bool:
        return self.state is AgentState.READY

    @property
    def registered(self) -> bool:
        """False of who is away for want of a registered telephone."""
        return not (self.state is AgentState.AWAY and self.reason in (NOT_REGISTERED, NO_ASTERISK))

    @property
    def on_duty(self) -> bool:
        """Whether they take calls now, or will when they are free again."""
        return self.state in ON_DUTY and self._afterwards is None and self.registered

    @property
    def leaves(self) -> bool:
        """Whether they will be signed out after the call."""
        return self._afterwards is AgentState.SIGNED_OUT

    @property
    def pauses(self) -> bool:
        """Whether they will be paused after the call."""
        return self._afterwards is AgentState.PAUSED

    # --- what events do ---------------------------------------------------------------------------------

    def _go(self, state: AgentState, now: float, deadline: float | None = None) -> None:
        if state is not self.state:
            self.since = now
        self.state = state
        self.deadline = deadline
        if state is not AgentState.PAUSED:
            self.reason = ""
        if state not in (AgentState.RINGING, AgentState.TALKING):
            self.call_id = ""

    def _sign_in(self, _event: SignIn, now: float) -> None:
        self.unanswered = 0
        self._go(AgentState.READY, now)

    def _sign_out(self, _event: SignOut, now: float) -> None:
        self._go(AgentState.SIGNED_OUT, now)

    def _sign_out_later(self, _event: SignOut, now: float) -> None:
        self._afterwards = AgentState.SIGNED_OUT

    def _pause(self, event: Pause, now: float) -> None:
        self._go(AgentState.PAUSED, now)
        self.reason = event.reason

    def _pause_later(self, event: Pause, now: float) -> None:
        self._afterwards = AgentState.PAUSED
        self.reason = event.reason

    def _stay(self, _event: Unpause | SignIn, now: float) -> None:
        """Who wanted to go after the call stays."""
        self._afterwards = None
        self.reason = ""

    def _unpause(self, _event: Unpause, now: float) -> None:
        self.unanswered = 0
        self._go(AgentState.READY, now)

    def _ring(self, event: Ring, now: float) -> None:
        self._go(AgentState.RINGING, now)
        self.call_id = event.call_id

    def _accepted(self, _event: Accepted, now: float) -> None:
        reason = self.reason
        self.unanswered = 0
        self._go(AgentState.TALKING, now)
        self.reason = reason

    def _declined(self, _event: Declined, now: float) -> None:
        self.unanswered = 0
        self._free(now)

    def _withdrawn(self, _event: Withdrawn, now: float) -> None:
        self._free(now)

    def _unanswered(self, _event: Unanswered, now: float) -> None:
        self.unanswered += 1
        if self.unanswered >= UNANSWERED_MOST and self._afterwards is None:
            self._afterwards = AgentState.PAUSED
            self.reason = NOBODY_ANSWERS
        self._free(now)

    def _unreachable(self, event: Unreachable, now: float) -> None:
        if self._afterwards is not None:
            self._free(now)
        else:
            self._go(AgentState.AWAY, now, now + AWAY_RETRY_S)
            self.reason = event.why

    def _unregistered(self, event: Unregistered, now: float) -> None:
        self._go(AgentState.AWAY, now)
        self.reason = event.why

    def _registered(self, _event: Registered, now: float) -> None:
        self._go(AgentState.READY, now)

    def _talk_ended(self, event: TalkEnded, now: float) -> None:
        self.idle_since = now + event.wrap_up_s
        if self._afterwards is None and event.wrap_up_s > 0:
            self._go(AgentState.WRAP_UP, now, now + event.wrap_up_s)
        else:
            self._free(now)

    def _free(self, now: float) -> None:
        """The call is over: go where the agent wanted to go meanwhile."""
        state, self._afterwards = self._afterwards or AgentState.READY, None
        self._go(state, now)

    def _time_up(self, _event: TimeUp, now: float) -> None:
        self._go(AgentState.READY, now)


def _row(change: Callable[[Agent, E, float], None]) -> Callable[[Agent, Event, float], None]:
    return cast("Callable[[Agent, Event, float], None]", change)


S = AgentState
TRANSITIONS: dict[tuple[AgentState, type[Event]], Callable[[Agent, Event, float], None]] = {
    (S.SIGNED_OUT, SignIn): _row(Agent._sign_in),
    (S.PAUSED, Unpause): _row(Agent._unpause),
    (S.PAUSED, SignIn): _row(Agent._sign_in),
    (S.PAUSED, SignOut): _row(Agent._sign_out),
    (S.PAUSED, Pause): _row(Agent._pause),  # another reason
    (S.READY, SignOut): _row(Agent._sign_out),
    (S.READY, Pause): _row(Agent._pause),
    (S.READY, Ring): _row(Agent._ring),
    (S.READY, Unreachable): _row(Agent._unreachable),
    (S.READY, Unregistered): _row(Agent._unregistered),
    (S.RINGING, Accepted): _row(Agent._accepted),
    (S.RINGING, Unanswered): _row(Agent._unanswered),
    (S.RINGING, Declined): _row(Agent._declined),
    (S.RINGING, Withdrawn): _row(Agent._withdrawn),
    (S.RINGING, Unreachable): _row(Agent._unreachable),
    (S.RINGING, Pause): _row(Agent._pause_later),
    (S.RINGING, SignOut): _row(Agent._sign_out_later),
    (S.RINGING, Unpause): _row(Agent._stay),
    (S.RINGING, SignIn): _row(Agent._stay),
    (S.TALKING, TalkEnded): _row(Agent._talk_ended),
    (S.TALKING, Pause): _row(Agent._pause_later),
    (S.TALKING, SignOut): _row(Agent._sign_out_later),
    (S.TALKING, Unpause): _row(Agent._stay),
    (S.TALKING, SignIn): _row(Agent._stay),
    (S.WRAP_UP, TimeUp): _row(Agent._time_up),
    (S.WRAP_UP, Unpause): _row(Agent._unpause),
    (S.WRAP_UP, SignIn): _row(Agent._sign_in),
    (S.WRAP_UP, Pause): _row(Agent._pause),
    (S.WRAP_UP, SignOut): _row(Agent._sign_out),
    (S.AWAY, Unregistered): _row(Agent._unregistered),
    (S.AWAY, Registered): _row(Agent._registered),
    (S.AWAY, TimeUp): _row(Agent._time_up),
    (S.AWAY, Unpause): _row(Agent._unpause),
    (S.AWAY, SignIn): _row(Agent._sign_in),
    (S.AWAY, Pause): _row(Agent._pause),
    (S.AWAY, SignOut): _row(Agent._sign_out),
}
