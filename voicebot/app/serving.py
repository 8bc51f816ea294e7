"""`voicebot serve`: the gateway, and beside it campaigns and a dialler, where calls are placed."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import structlog

from voicebot.app.assignments import Assignments, journal_of
from voicebot.app.campaigns import dial, patient_store, spool_of
from voicebot.app.gateway import Gateway
from voicebot.app.presence import Presence
from voicebot.call.outbound import Assignment
from voicebot.campaign.attempt import CallResult
from voicebot.config import Config
from voicebot.errors import UserError
from voicebot.store.store import Store

AGAIN_S = 10.0
"""After a dialler ended that should not have, until the next one."""

CLOSE_S = 5.0
"""After the gateway has ended, until campaigns are given up that do not end."""

log = structlog.get_logger(__name__)


class Desk:
    """Implements `Campaigns` for a gateway whose database may come later than it does."""

    def __init__(self) -> None:
        self.assignments: Assignments | None = None

    async def assignment(self, attempt: str) -> Assignment | None:
        return await self.assignments.assignment(attempt) if self.assignments else None

    async def opted_out(self, attempt: str, number: str, how: str) -> None:
        if self.assignments:
            await self.assignments.opted_out(attempt, number, how)

    async def finished(self, result: CallResult) -> None:
        if self.assignments:
            await self.assignments.finished(result)

    async def quiet(self) -> None:
        if self.assignments:
            await self.assignments.quiet()


def places_calls(config: Config) -> bool:
    """Whether calls of campaigns may come to this gateway: it dials itself, or is allowed to."""
    return config.dialling.enabled or bool(config.dialling.prefixes)


def desk_for(config: Config) -> Desk | None:
    """Return what the gateway asks about our own calls. Raises UserError where it shall dial and cannot."""
    if config.dialling.enabled:
        spool_of(config)
    return Desk() if places_calls(config) else None


@asynccontextmanager
async def campaigns_beside(config: Config, gateway: Gateway, desk: Desk | None) -> AsyncIterator[None]:
    """Know the calls of campaigns, and dial if this installation does, while the block runs.

    What fails here is told and tried again: callers are served all the same.
    """
    if desk is None:
        yield
        return
    ended = asyncio.Event()
    task = asyncio.create_task(_campaigns_on(config, gateway, desk, ended), name="campaigns")
    try:
        yield
    finally:
        ended.set()
        await asyncio.wait({task}, timeout=CLOSE_S)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _campaigns_on(config: Config, gateway: Gateway, desk: Desk, ended: asyncio.Event) -> None:
    """Do it until the gateway is told to stop, whatever fails; callers are served all the same."""
    told = ""
    while not gateway.stopping.is_set():
        try:
            await _campaigns(config, gateway, desk, ended)
        except UserError as error:
            if str(error) != told:
                log.error("no campaigns", why=str(error))
            told = str(error)
        except Exception:  # a mistake of ours
            log.exception("campaigns failed")
        with suppress(TimeoutError):
            async with asyncio.timeout(AGAIN_S):
                await gateway.stopping.wait()


async def _campaigns(config: Config, gateway: Gateway, desk: Desk, ended: asyncio.Event) -> None:
    """Do it until the gateway has `ended`: its last calls are told of, and closed."""
    async with AsyncExitStack() as stack:
        store = await patient_store(config, stack, gateway.stopping)
        if store is None:
            return
        assignments = Assignments(store, journal_of(config))
        desk.assignments = assignments
        stack.push_async_callback(assignments.close)
        name = f"{socket.gethostname()}/{config.asterisk.app}/{os.getpid()}"
        presence = Presence(gateway, store, name)

        def holds_back(campaign: str) -> str:
            """Why nobody is called yet who would find this gateway unprepared."""
            if not gateway.ready:
                return "the gateway is not connected to Asterisk"
            if assignments.pending:
                return "results of earlier calls are not in the database yet"
            return "" if campaign in presence.prepared else "its dialog is being prepared"

        async with asyncio.TaskGroup() as group:
            beside = (
                group.create_task(assignments.run(), name="calls on their way"),
                group.create_task(presence.run(), name="presence"),
            )
            if config.dialling.enabled:
                await _dial_on(config, store, gateway.stopping, ended, holds_back)
            await ended.wait()
            for task in beside:
                task.cancel()


async def _dial_on(
    config: Config,
    store: Store,
    stopping: asyncio.Event,
    ended: asyncio.Event,
    holds_back: Callable[[str], str],
) -> None:
    """Dial until told to stop, whatever happens to a dialler."""
    while not stopping.is_set():
        try:
            await dial(config, store, stopping, holds_back=holds_back, linger=ended)
        except UserError as error:
            log.error("nothing is dialled", why=str(error))
        except Exception:  # a mistake of ours must not end the gateway
            log.exception("the dialler failed")
        with suppress(TimeoutError):
            async with asyncio.timeout(AGAIN_S):
                await stopping.wait()
