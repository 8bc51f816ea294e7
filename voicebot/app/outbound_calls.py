"""Takes in the calls that we placed, once somebody answered: which attempt it is, and what it is about."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from voicebot.app.dialogs import DialogStore
from voicebot.ari.events import StasisStart
from voicebot.call.outbound import Answer, Assignment, Campaigns
from voicebot.call.outbound_call import OutboundCall
from voicebot.call.people import People
from voicebot.call.services import Services
from voicebot.campaign.attempt import AnsweredBy, CallResult
from voicebot.config import Route
from voicebot.pbx.ari_inbox import EventInbox

log = structlog.get_logger(__name__)

CAMPAIGN = "campaign"
"""First argument of `Stasis()` for a call that we placed; then come attempt, AMDSTATUS, AMDCAUSE, and when it
was answered (Unix time in s), where the dialplan tells."""
ASSIGNMENT_LIMIT_S = 2.0
"""Whoever answered waits so long at the most until we know what we want of them."""
LONGEST_BEFORE = timedelta(minutes=1)
"""More than this between answer and `Stasis()` is no time that a dialplan told."""
REMEMBERED = 100_000
"""So many attempts are remembered, so that none is taken twice."""


_ATTEMPT = re.compile(r"[0-9a-f]{32}")


class Refused(Exception):
    """This call is not ours to hold: it is hung up."""


class Unserved(Exception):
    """We should hold this call and cannot: the dialplan speaks to the callee, and the campaign is told."""


class OutboundCalls:
    """Makes calls of what `Stasis(app,campaign,...)` brings.

    `services(route)`: of a call on a route; `people()`: queues and conferences of our own, None where there
    are none.
    """

    def __init__(
        self,
        campaigns: Campaigns | None,
        dialogs: DialogStore,
        services: Callable[[Route], Services],
        people: Callable[[], People | None] = lambda: None,
    ) -> None:
        self._campaigns = campaigns
        self._dialogs = dialogs
        self._services = services
        self._people = people
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def take(
        self, call_id: str, start: StasisStart, inbox: EventInbox, answer: Answer, full: bool = False
    ) -> OutboundCall:
        """Return the call, not yet run. Raises Refused or Unserved, which say why.

        `full`: there is no room for it.
        """
        attempt = attempt_of(start)
        if self._campaigns is None:
            raise Refused("this gateway knows no campaigns")
        if not _ATTEMPT.fullmatch(attempt):
            raise Refused("no id of an attempt")
        if attempt in self._seen:
            raise Refused("this attempt was taken before")
        self._seen[attempt] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if full:
            await self._tell_unserved(attempt, answer, "no room")
            raise Unserved("no room")
        try:
            async with asyncio.timeout(ASSIGNMENT_LIMIT_S):
                assignment = await self._campaigns.assignment(attempt)
        except TimeoutError:
            assignment = None
        if assignment is None:
            raise Refused("unknown, closed, or nobody could tell in time")
        try:
            return await self._call(call_id, start, inbox, answer, assignment, self._campaigns)
        except Exception as error:  # a dialog with faults, or a mistake of ours
            await self._tell_unserved(attempt, answer, str(error))
            raise Unserved(str(error)) from error

    async def _call(
        self,
        call_id: str,
        start: StasisStart,
        inbox: EventInbox,
        answer: Answer,
        assignment: Assignment,
        campaigns: Campaigns,
    ) -> OutboundCall:
        dialog = await self._dialogs.fresh(assignment.route, assignment.given, assignment.proven)
        message = None
        if assignment.message is not None:
            message = await self._dialogs.fresh(
                assignment.message, assignment.given, assignment.message_proven
            )
        return OutboundCall(
            call_id,
            start.channel,
            inbox,
            dialog,
            self._services(assignment.route),
            assignment=assignment,
            campaigns=campaigns,
            answer=answer,
            message=message,
            people=self._people(),
        )

    async def _tell_unserved(self, attempt: str, answer: Answer, why: str) -> None:
        """The campaign must know that somebody answered and did not hear us."""
        assert self._campaigns is not None
        await self._campaigns.finished(
            CallResult(
                attempt=attempt,
                answered_at=answer.at,
                ended_at=datetime.now(UTC),
                answered_by=AnsweredBy.UNKNOWN,
                outcome="unserved",
                detail=why,
            )
        )


def attempt_of(start: StasisStart) -> str:
    return start.args[1] if len(start.args) > 1 else ""


def answer_of(start: StasisStart, clock_at: float, now: datetime) -> Answer:
    """Return when a call was answered that came to us just now.

    Times that Asterisk tells are compared with each other only: its clock may not be ours.
    """
    args = (*start.args, "", "", "", "", "")
    before = timedelta()
    if args[4] and start.timestamp is not None:
        try:
            before = start.timestamp - datetime.fromtimestamp(float(args[4]), UTC)
        except (ValueError, OverflowError, OSError):
            log.warning("the dialplan tells no time of the answer", told=args[4])
    if not timedelta() <= before <= LONGEST_BEFORE:
        before = timedelta()
    return Answer(
        at=now - before,
        clock_at=clock_at - before.total_seconds(),
        before_ms=round(before.total_seconds() * 1000),
        amd_status=args[2],
        amd_cause=args[3],
    )
