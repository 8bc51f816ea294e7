"""What AMI tells a dialler: sooner where to look, and which calls go on. The files tell all else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime

import structlog

from voicebot.ami.actions import CoreShowChannels
from voicebot.ami.events import CoreShowChannel, parse
from voicebot.campaign.fence import DIAL_CONTEXT
from voicebot.campaign.following import Answered, Ended, Following, Progress, Unclear
from voicebot.errors import PbxError
from voicebot.outbound.dialler_book import Book
from voicebot.outbound.dialler_pursuit import Pursuit
from voicebot.outbound.recovery import Live
from voicebot.pbx.ami_client import AmiClient

SETTLE_S = 1.0
_LOCAL = re.compile(rf"Local/([0-9a-f]{{32}})@{DIAL_CONTEXT}-[0-9a-f]+;[12]")

log = structlog.get_logger(__name__)


class AmiWatch:
    """One AMI connection, for one dialler."""

    def __init__(self, ami: AmiClient, now: Callable[[], datetime]) -> None:
        self._ami, self._now = ami, now
        self.following = Following()

    async def live(self) -> Live | None:
        """Return which attempts have channels; None where Asterisk cannot be asked."""
        at = self._now()  # before it is asked: what begins meanwhile is not missing
        try:
            answer = await self._ami.action(CoreShowChannels())
        except PbxError:
            return None
        channels = (event for each in answer.listed if isinstance(event := parse(each), CoreShowChannel))
        found = (_LOCAL.fullmatch(each.channel.name) for each in channels)
        return Live(at, frozenset(match[1] for match in found if match))

    async def run(self, book: Book, pursuit: Pursuit) -> None:
        """Follow events for ever."""
        ticking = asyncio.create_task(self._tick(book, pursuit), name="ami settle")
        try:
            with self._ami.subscribe() as events:
                async for event in events:
                    for progress in self.following.event(event, self._now()):
                        self._tell(progress, book, pursuit)
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)

    async def _tick(self, book: Book, pursuit: Pursuit) -> None:
        while True:
            await asyncio.sleep(SETTLE_S)
            for progress in self.following.settle(self._now()):
                self._tell(progress, book, pursuit)
            for attempt in self.following.expected:
                if book.get(attempt) is None:  # closed, and its events never came
                    self.following.refused(attempt)

    def _tell(self, progress: Progress, book: Book, pursuit: Pursuit) -> None:
        entry = book.get(progress.attempt)
        if entry is None:
            return
        if isinstance(progress, Answered):
            book.answered(entry, progress.at)
        elif isinstance(progress, Ended | Unclear):
            book.note(entry, gone=True)
        pursuit.hint(progress.attempt)
