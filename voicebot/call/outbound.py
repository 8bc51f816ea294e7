"""What a call that we placed is about, and whom it tells what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from voicebot.campaign.attempt import CallResult
from voicebot.campaign.campaign import Answering
from voicebot.config import Route


@dataclass(frozen=True, slots=True)
class Assignment:
    """An attempt whose call was answered, as a gateway needs it.

    route:    the dialog, who listens and speaks, and the values given: as of an inbound call
    zone:     the callee's time zone: of `now` and `today`
    """

    attempt: str
    campaign: str
    number: str
    caller_number: str
    route: Route
    answering: Answering
    zone: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)


class Campaigns(Protocol):
    """Who knows our own calls. None of these raises for a database that is away: see `finished`."""

    async def assignment(self, attempt: str) -> Assignment | None:
        """Return what an answered attempt is about; None: unknown, closed, or nobody can tell in time."""

    async def opted_out(self, attempt: str, number: str, how: str) -> None:
        """Keep a revocation, before the call is hung up. Returns once it is on a disk."""

    async def finished(self, result: CallResult) -> None:
        """Keep what the call came to. Returns once it is on a disk: the database's, or else our own."""
