"""What is to be done about an open attempt, judged by the traces it left. Pure: after a crash as always.

The fence in the dialplan keeps a journal of each attempt, and whoever writes its first line decides: `dial`
(the number is called, once), `expired`, `malformed`, or ours, `cancelled`. So an attempt without a journal
was never dialled, and can be taken back for certain by writing that line. One with `dial` and without an end
is still going on, or Asterisk died over it: then nobody knows whether a phone rang, and nothing of ours may
make it ring again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from voicebot.campaign.attempt import AttemptState, DialResult, Disposition, Order
from voicebot.campaign.causes import of_file
from voicebot.campaign.fence import Ended, Journal
from voicebot.outbound.spool import Traces
from voicebot.store.rows import AttemptRow

EXPIRY_MARGIN = timedelta(seconds=3)
"""So long after its expiry an attempt that nobody dialled is taken back."""
HAND_AGAIN_LEAST = timedelta(seconds=5)
"""An attempt that expires sooner is not handed over again."""
SEEN_SINCE = timedelta(seconds=2)
"""A channel may take so long from the journal's first line until it is in a list of live channels."""
UNANSWERED_MARGIN = timedelta(seconds=60)
"""Beyond the ring time: so long an attempt nobody answered can go on at the most."""
STUCK = timedelta(seconds=10)
"""Asterisk takes a call file within a second, and the fence is its first step."""
NO_GATEWAY = "FAILED"
"""STASISSTATUS where no gateway was there to take the call."""
CALL_RESULT_PATIENCE = timedelta(seconds=60)
"""So long a gateway may take to tell what a conversation came to, once its call has ended."""


@dataclass(frozen=True, slots=True)
class Live:
    """Which attempts had a channel, by a list that Asterisk gave at `at`."""

    at: datetime
    attempts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Open:
    """An open attempt, as far as it is committed.

    since:      when it was claimed
    ended_at:   when we learned that its dialling ended; its gateway has some time from then on
    call_known: its gateway has told what the conversation came to
    gone:       AMI told that nothing of it is left in Asterisk
    """

    order: Order
    state: AttemptState
    way: str = "callfile"
    since: datetime | None = None
    ended_at: datetime | None = None
    call_known: bool = False
    gone: bool = False

    @classmethod
    def of(cls, row: AttemptRow, way: str, now: datetime) -> Open:
        """As the store keeps it. Its end is news: a gateway may keep its word until the database is back."""
        ended_at = now if row.dial else None
        return cls(row.order, row.state, way, row.claimed_at, ended_at, row.call is not None)


class Step(StrEnum):
    """WAIT: nothing yet. HAND: hand it over, again under its id. CLOSE: keep `result`.

    TAKE_BACK: write `cancelled` at the fence; if ours is the first line, close with `disposition`.
    GIVE_UP: close with `disposition`, unless the store knows better; it was over by `at`, if that is known.
    """

    WAIT = "wait"
    HAND = "hand"
    TAKE_BACK = "take_back"
    CLOSE = "close"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Decision:
    step: Step
    disposition: Disposition | None = None
    result: DialResult | None = None
    why: str = ""
    at: datetime | None = None


WAIT = Decision(Step.WAIT)
_HELD = {
    "expired": (Disposition.EXPIRED, "Asterisk came to it after its expiry"),
    "cancelled": (Disposition.CANCELLED, "taken back before it was dialled"),
    "malformed": (Disposition.NOT_HANDED, "the dialplan's fence did not understand it"),
    "dial": (Disposition.NOT_HANDED, "it was hung up before it was dialled"),
}
"""What the fence says of an attempt that it did not dial."""
_NEVER_CAME = Decision(
    Step.TAKE_BACK,
    Disposition.NOT_HANDED,
    why="Asterisk never brought it to [voicebot-dial]: is our extensions.conf in its dialplan?",
)
_UNSEEN = (Disposition.NOT_HANDED, "the dialplan's fence could not note it, so it was not dialled")


def settle(
    attempt: Open, traces: Traces, now: datetime, *, longest_call: timedelta, live: Live | None
) -> Decision:
    """Return what is to be done about an attempt of ours.

    longest_call: so long a conversation may last
    live:         None where nobody could ask Asterisk; then what may be going on is waited for
    """
    if attempt.ended_at is not None:
        return _await_call(attempt, attempt.ended_at, now)
    if traces.ended is not None:
        return Decision(Step.CLOSE, result=dial_result(attempt.order.attempt, traces, traces.ended))
    if traces.journal is None:
        return _not_dialled(attempt, traces, now, live)
    if traces.journal.dialled:
        return _dialled(attempt, traces.journal, now, longest_call, live)
    disposition, why = _HELD.get(traces.journal.word, _UNSEEN)
    result = DialResult(
        attempt.order.attempt, disposition, max(traces.journal.at, attempt.order.due), detail=why
    )
    return Decision(Step.CLOSE, result=result)


def dial_result(attempt: str, traces: Traces, ended: Ended) -> DialResult:
    """Return how the dialling ended, from what the dialplan left of it."""
    if not ended.dialled:
        disposition, why = _HELD.get(ended.status, _UNSEEN)
        return DialResult(attempt, disposition, ended.at, ended.cause, ended.sip, why)
    disposition, detail = of_file(ended.status, ended.cause, ended.tech), ended.tech or ended.status
    unserved = traces.journal.unserved if traces.journal is not None else ""
    if disposition is Disposition.ANSWERED and unserved == NO_GATEWAY:
        disposition, detail = Disposition.ABANDONED, "no gateway took the answered call"
    return DialResult(attempt, disposition, ended.at, ended.cause, ended.sip, detail)


def _await_call(attempt: Open, ended_at: datetime, now: datetime) -> Decision:
    if attempt.call_known or now >= ended_at + CALL_RESULT_PATIENCE:
        # Somebody answered. Whether they heard us, or wanted no more calls, nobody knows: a person decides.
        why = "no gateway told what the conversation came to"
        return Decision(Step.GIVE_UP, Disposition.INTERRUPTED, why=why)
    return WAIT


def _dialled(
    attempt: Open, journal: Journal, now: datetime, longest_call: timedelta, live: Live | None
) -> Decision:
    """It is being dialled, or talked to; or Asterisk died over it."""
    began = journal.answered_at or journal.at
    lives = live is not None and attempt.order.attempt in live.attempts
    latest = min(now, began + longest_call)  # a night in which nobody looked is not the call's
    if live is not None and not lives and live.at >= began + SEEN_SINCE:
        why = "Asterisk ended in the middle of the call"
        return Decision(Step.GIVE_UP, Disposition.INTERRUPTED, why=why, at=latest)
    ring = timedelta(0) if journal.answered_at else timedelta(seconds=attempt.order.ring_s)
    if not lives and now >= began + ring + longest_call + UNANSWERED_MARGIN:
        why = "nobody told how the call ended"
        return Decision(Step.GIVE_UP, Disposition.INTERRUPTED, why=why, at=latest)
    return WAIT


def _stuck(attempt: Open, traces: Traces, live: Live | None) -> bool:
    """Whether Asterisk began with its file and died: after that it may keep the file and never touch it."""
    if live is None or attempt.since is None or not traces.in_flight:
        return False
    return attempt.order.attempt not in live.attempts and live.at >= attempt.since + STUCK


def _not_dialled(attempt: Open, traces: Traces, now: datetime, live: Live | None) -> Decision:
    """Nobody came to the fence. What may still come there is left alone, or taken back at the fence."""
    order = attempt.order
    expired = now >= order.expires + EXPIRY_MARGIN
    if attempt.gone and attempt.way == "originate":
        return _NEVER_CAME
    if traces.outgoing or attempt.way == "originate":
        late = Decision(Step.TAKE_BACK, Disposition.EXPIRED, why="Asterisk did not come to it in time")
        return late if expired or _stuck(attempt, traces, live) else WAIT
    if traces.done is not None:
        return _NEVER_CAME
    if attempt.state is AttemptState.CLAIMED:
        if now + HAND_AGAIN_LEAST < order.expires and order.dial:
            return Decision(Step.HAND)
        return Decision(Step.TAKE_BACK, Disposition.NOT_HANDED, why="it could not be handed over in time")
    if now < order.due + EXPIRY_MARGIN:
        return WAIT  # Asterisk may move the file while we look
    return Decision(Step.GIVE_UP, Disposition.INTERRUPTED, why="its files are gone from Asterisk's spool")
