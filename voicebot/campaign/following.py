"""Each attempt on its way through Asterisk, from the events of the manager interface. Pure.

An attempt goes out through `Local/<attempt>@voicebot-dial`: its first half becomes our end of the call, its
second runs the dialplan's fence and Dial(), which makes the leg to the callee. All of them have one Linkedid.

    for progress in following.event(event, now): ...
    for progress in following.settle(now): ...       # about once a second

Nothing is guessed. What cannot be known any more, because events were missed, is `Unclear`: then the files in
the spool tell, or nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from voicebot.ami.events import (
    Channel,
    DialBegin,
    DialEnd,
    DialState,
    Event,
    Hangup,
    LiveChannels,
    Missed,
    Newchannel,
    Newstate,
    OriginateResponse,
    VarSet,
)
from voicebot.campaign.attempt import DialResult, Disposition
from voicebot.campaign.causes import disposition
from voicebot.campaign.fence import ATTEMPT, DIAL_CONTEXT

ATTEMPT_VARIABLE = "VOICEBOT_ATTEMPT"
FENCE_VARIABLE = "VOICEBOT_FENCE"
PASSED, AGAIN = "passed", "again"
"""What the fence says: this attempt is dialled now; it is not, because its once-key was taken."""
GRACE = timedelta(seconds=2)
"""A list of channels may be ahead of the events that follow it: what is missing there gets so long to end."""
LATE = timedelta(seconds=30)
"""An Originate whose answer never came may still make its channel for so long."""

_LOCAL = re.compile(rf"Local/({ATTEMPT.pattern})@{DIAL_CONTEXT}-[0-9a-f]+;([12])")


@dataclass(frozen=True, slots=True)
class Dialling:
    """The fence let it pass, and the number is being called."""

    attempt: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ringing:
    """The far side says that it rings, or sends early sound."""

    attempt: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody, or something, took the call."""

    attempt: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """All channels of the attempt are gone. `answered_at` is None where nobody answered."""

    attempt: str
    result: DialResult
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing of the attempt is left in Asterisk, and its end was not seen."""

    attempt: str
    at: datetime
    why: str


Progress = Dialling | Ringing | Answered | Ended | Unclear


@dataclass(slots=True)
class _Leg:
    """A channel that Dial() made."""

    status: str = ""
    cause: int = 0
    sip: int | None = None


@dataclass(slots=True)
class _Call:
    """All channels of one Linkedid. patchy: some of its events were missed."""

    attempt: str
    channels: set[str] = field(default_factory=set)
    legs: dict[str, _Leg] = field(default_factory=dict)
    fence: str = ""
    cause: int = 0
    dialled: bool = False
    alerted: bool = False
    answered_at: datetime | None = None
    patchy: bool = False
    missing_since: datetime | None = None


@dataclass(slots=True)
class _Expected:
    """An Originate of which no channel was seen yet. until: after this nobody waits for one."""

    action_id: str
    until: datetime | None = None


class Following:
    """All attempts that Asterisk has now."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}
        self._expected: dict[str, _Expected] = {}

    @property
    def attempts(self) -> frozenset[str]:
        """Those of which channels live, as far as we know."""
        return frozenset(call.attempt for call in self._calls.values())

    @property
    def expected(self) -> frozenset[str]:
        """Those that are to come, of which nothing was seen yet."""
        return frozenset(self._expected)

    def expect(self, attempt: str, action_id: str) -> None:
        """An Originate of this attempt is about to be sent, under an ActionID that is used only once.

        It may fail without any channel; the failure of an earlier one may still come, too.
        """
        self._expected[attempt] = _Expected(action_id)

    def refused(self, attempt: str) -> None:
        """The Originate that was expected was refused, or was never sent: nothing will come of it."""
        self._expected.pop(attempt, None)

    def unsure(self, attempt: str, now: datetime) -> None:
        """The Originate that was expected was sent, but not answered: Unclear, if nothing comes of it."""
        if expected := self._expected.get(attempt):
            expected.until = now + LATE

    def event(self, event: Event, now: datetime) -> tuple[Progress, ...]:
        """Take the next event; return what it means for attempts. `now` is aware, and goes forward."""
        match event:
            case Newchannel(channel=channel):
                self._see(channel)
            case VarSet(variable=name, value=value, channel=Channel() as channel):
                self._note(channel, name, value)
            case DialBegin(channel=Channel() as by, dest=leg) if call := self._dialling(by):
                call.legs.setdefault(leg.unique_id, _Leg())
                call.channels.add(leg.unique_id)
                return self._dialled(call, now)
            case DialState(channel=Channel() as by, status="RINGING" | "PROGRESS") if call := self._dialling(
                by
            ):
                return self._alerted(call, now)
            case Newstate(channel=Channel(state="Ringing") as leg):
                call = self._calls.get(leg.linked_id)
                if call and leg.unique_id in call.legs:
                    return self._alerted(call, now)
            case DialEnd(channel=Channel() as by, dest=leg, status=status) if call := self._dialling(by):
                call.legs.setdefault(leg.unique_id, _Leg()).status = status
                if status == "ANSWER":
                    return (*self._dialled(call, now), *self._answered(call, now))
            case Hangup(channel=channel):
                return self._hung_up(event, channel, now)
            case OriginateResponse(succeeded=False):
                self._not_originated(event, now)
            case Missed():
                for call in self._calls.values():
                    call.patchy = True
            case LiveChannels():
                return self._compare(event, now)
        return ()

    def settle(self, now: datetime) -> tuple[Progress, ...]:
        """Return what has become of attempts of which nothing came any more."""
        found: list[Progress] = []
        for link, call in list(self._calls.items()):
            if call.missing_since and now - call.missing_since >= GRACE:
                del self._calls[link]
                found += self._end(call, now)
        for attempt, expected in list(self._expected.items()):
            if expected.until and now >= expected.until:
                del self._expected[attempt]
                found.append(Unclear(attempt, now, "nothing was seen of its Originate"))
        return tuple(found)

    # --- which call -------------------------------------------------------------------------------------

    def _see(self, channel: Channel) -> _Call | None:
        """A channel is there: one of a call that we follow, or the first of another."""
        call = self._calls.get(channel.linked_id)
        if call is None:
            if not (found := _LOCAL.fullmatch(channel.name)):
                return None
            call = self._begin(channel.linked_id, found[1])
        call.channels.add(channel.unique_id)
        return call

    def _begin(self, link: str, attempt: str) -> _Call:
        self._expected.pop(attempt, None)
        return self._calls.setdefault(link, _Call(attempt))

    def _note(self, channel: Channel, name: str, value: str) -> None:
        if (
            name == ATTEMPT_VARIABLE
            and channel.linked_id not in self._calls
            and channel.unique_id == channel.linked_id
        ):
            if ATTEMPT.fullmatch(value):
                self._begin(channel.linked_id, value).channels.add(channel.unique_id)
        elif name == FENCE_VARIABLE and (call := self._calls.get(channel.linked_id)):
            call.fence = value

    def _dialling(self, by: Channel) -> _Call | None:
        """The call that dials here: what our own end may dial later, to hand over, is another matter."""
        found = _LOCAL.fullmatch(by.name)
        return self._calls.get(by.linked_id) if found and found[2] == "2" else None

    # --- what happened ----------------------------------------------------------------------------------

    def _dialled(self, call: _Call, now: datetime) -> tuple[Progress, ...]:
        if call.dialled:
            return ()
        call.dialled = True
        return (Dialling(call.attempt, now),)

    def _alerted(self, call: _Call, now: datetime) -> tuple[Progress, ...]:
        if call.alerted or call.answered_at:
            return ()
        call.alerted = True
        return (*self._dialled(call, now), Ringing(call.attempt, now))

    def _answered(self, call: _Call, now: datetime) -> tuple[Progress, ...]:
        if call.answered_at:
            return ()
        call.answered_at = now
        return (Answered(call.attempt, now),)

    def _hung_up(self, event: Hangup, channel: Channel, now: datetime) -> tuple[Progress, ...]:
        call = self._calls.get(channel.linked_id)
        if call is None:
            return ()
        if leg := call.legs.get(channel.unique_id):
            leg.cause, leg.sip = event.cause, event.sip
        elif (half := _LOCAL.fullmatch(channel.name)) and half[2] == "2":
            call.cause = event.cause
        call.channels.discard(channel.unique_id)
        if call.channels:
            return ()
        del self._calls[channel.linked_id]
        call.missing_since = None
        return self._end(call, now)

    def _not_originated(self, event: OriginateResponse, now: datetime) -> None:
        """A failure is no proof that nothing was dialled: under load it overtakes the events of channels."""
        expected = self._expected.get(event.exten)
        if expected is not None and expected.action_id == event.action_id:
            expected.until = now + LATE

    # --- the end ----------------------------------------------------------------------------------------

    def _end(self, call: _Call, now: datetime) -> tuple[Progress, ...]:
        leg = _decisive(call.legs.values())
        unseen = call.missing_since is not None
        if call.answered_at:
            cause = leg.cause if leg else 0
            detail = "its end was not seen" if unseen else ""
            return self._ended(call, Disposition.ANSWERED, now, cause or call.cause, None, detail)
        if leg and (leg.status or leg.cause or leg.sip) and not unseen:
            cause = leg.cause or call.cause
            became = disposition(leg.status, cause, leg.sip, alerted=call.alerted or call.patchy)
            return self._ended(call, became, now, cause, leg.sip, leg.status)
        if call.fence == AGAIN:
            return self._unclear(call, now, "the fence held it: it was dialled before, or taken back")
        if unseen or call.patchy:
            return self._unclear(call, now, "events were missed")
        if leg:  # dialled, and gone without a word
            return self._ended(call, disposition("CANCEL", call.cause), now, call.cause, None, "no status")
        if call.fence == PASSED:  # Dial() found nothing to dial
            return self._ended(
                call, disposition("CHANUNAVAIL", call.cause), now, call.cause, None, "no channel"
            )
        became = disposition(call.fence)
        if became is Disposition.INTERRUPTED:
            return self._unclear(call, now, f"the fence's last word was {call.fence!r}")
        return self._ended(call, became, now, call.cause, None, call.fence)

    def _ended(
        self, call: _Call, became: Disposition, now: datetime, cause: int, sip: int | None, detail: str
    ) -> tuple[Progress, ...]:
        result = DialResult(call.attempt, became, now, cause or None, sip, detail)
        return (Ended(call.attempt, result, call.answered_at),)

    def _unclear(self, call: _Call, now: datetime, why: str) -> tuple[Progress, ...]:
        """Unless another call of the same attempt still lives: it is that one's matter then."""
        return () if call.attempt in self.attempts else (Unclear(call.attempt, now, why),)

    # --- after a gap ------------------------------------------------------------------------------------

    def _compare(self, listed: LiveChannels, now: datetime) -> tuple[Progress, ...]:
        """Hold what we know against what lives."""
        found: list[Progress] = []
        live: dict[str, set[str]] = {}
        ordered = sorted(listed.channels, key=lambda each: not _LOCAL.fullmatch(each.channel.name))
        for each in ordered:
            channel = each.channel
            live.setdefault(channel.linked_id, set()).add(channel.unique_id)
            known = channel.linked_id in self._calls
            call = self._see(channel)
            if call is None:
                continue
            call.patchy = call.patchy or not known
            if each.application == "AppDial" and not _LOCAL.fullmatch(channel.name):
                call.legs.setdefault(channel.unique_id, _Leg())
                found += self._dialled(call, now)
                if channel.state == "Ringing":
                    found += self._alerted(call, now)
                elif channel.state == "Up":
                    found += self._answered(call, now)
        for link, call in self._calls.items():
            there = live.get(link, set())
            if there:
                call.channels &= there
            call.missing_since = None if there else call.missing_since or now
        for expected in self._expected.values():
            expected.until = expected.until or now + GRACE
        return tuple(found)


def _decisive(legs: Iterable[_Leg]) -> _Leg | None:
    """Of several legs the one that was answered, or else the last that said something."""
    found: _Leg | None = None
    for leg in legs:
        if (
            found is None
            or leg.status == "ANSWER"
            or (found.status != "ANSWER" and (leg.status or leg.cause))
        ):
            found = leg
    return found
