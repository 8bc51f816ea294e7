"""Handing attempts over to Asterisk: as call files in its spool, or by AMI's Originate.

Either way the attempt goes through the fence in the dialplan, whose files tell what became of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from voicebot.ami.actions import Originate
from voicebot.campaign.attempt import Order
from voicebot.campaign.fence import ANSWERED_CONTEXT, RING_AND_MORE_S, channel, for_attempt, variables
from voicebot.errors import PbxError, UserError
from voicebot.outbound.spool import Handing, Spool, call_file_name
from voicebot.pbx.ami_client import AmiClient, AmiUnsure

ALREADY = "spool.exists"


@dataclass(frozen=True, slots=True)
class Given:
    """What became of one order. handed: Asterisk has it, or may have it.

    never:   it is wrong in itself, and will not be taken another time either
    certain: it did not leave us, and may be taken another time
    """

    order: Order
    handed: bool
    never: bool = False
    certain: bool = False
    why: str = ""


class Hands(Protocol):
    """A way to hand over.

    `hand` raises SpoolUnavailable or PbxError where nothing can be handed over now; then nothing was.
    """

    way: str

    def hindrance(self) -> str:
        """Return why nothing can be handed over now; "" where it can, as far as one knows."""

    async def hand(self, orders: Sequence[Order], now: datetime) -> list[Given]: ...


class CallFileHands:
    """Through Asterisk's spool."""

    way = "callfile"

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def hindrance(self) -> str:
        return ""

    async def hand(self, orders: Sequence[Order], now: datetime) -> list[Given]:
        """Raises SpoolUnavailable."""
        given, handings = _checked(orders, now)
        results = await asyncio.to_thread(self._spool.hand_over, handings.values()) if handings else ()
        for order, result in zip([each for each in orders if each.attempt in handings], results, strict=True):
            problem = result.problem
            handed = result.handed or (problem is not None and problem.code == ALREADY)
            given.append(Given(order, handed, why=str(problem or "")))
        return given


class Expecting(Protocol):
    """Who follows AMI's events, and tells of an Originate that came to nothing: `campaign.following`."""

    def expect(self, attempt: str, action_id: str) -> None: ...

    def refused(self, attempt: str) -> None: ...

    def unsure(self, attempt: str, now: datetime) -> None: ...


class OriginateHands:
    """By AMI. Asterisk says at once that it queued the call; what came of it is in the fence's files."""

    way = "originate"

    def __init__(self, ami: AmiClient, following: Expecting) -> None:
        self._ami, self._following = ami, following

    def hindrance(self) -> str:
        return "" if self._ami.connected else "AMI is away"

    async def hand(self, orders: Sequence[Order], now: datetime) -> list[Given]:
        """Raises PbxError where AMI is away."""
        if why := self.hindrance():
            raise PbxError(why)
        return list(await asyncio.gather(*(self._one(order, now) for order in orders)))

    async def _one(self, order: Order, now: datetime) -> Given:
        self._following.expect(
            order.attempt, order.attempt
        )  # each is sent once, so its id is the action's, too
        try:
            action = Originate(
                channel(order.attempt),
                ANSWERED_CONTEXT,
                order.attempt,
                timeout_ms=(order.ring_s + RING_AND_MORE_S) * 1000,
                caller_number=order.caller_number,
                caller_name=order.caller_name,
                variables=variables(order),
            )
            await self._ami.action(action, action_id=order.attempt)
        except AmiUnsure as error:
            self._following.unsure(order.attempt, now)
            return Given(order, handed=True, why=str(error))
        except (PbxError, UserError, ValueError) as error:  # it was not done
            self._following.refused(order.attempt)
            away = isinstance(error, PbxError) and not self._ami.connected
            return Given(order, handed=False, never=not away, certain=away, why=str(error))
        return Given(order, handed=True)


def _checked(orders: Sequence[Order], now: datetime) -> tuple[list[Given], dict[str, Handing]]:
    """Compose the call files; those that cannot be composed will not be another time either."""
    refused, handings = [], {}
    for order in orders:
        try:
            file = for_attempt(order)
        except UserError as error:
            refused.append(Given(order, handed=False, never=True, why=str(error)))
        else:
            handings[order.attempt] = Handing(
                call_file_name(order.attempt), file, order.due if order.due > now else None
            )
    return refused, handings
