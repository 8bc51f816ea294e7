"""Requests that must be done to their end, come what may: how legs, telephones and rooms are undone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Protocol, TypeVar

import structlog

from voicebot.ari.requests import Request
from voicebot.errors import PbxError

UNDO_TIMEOUT_S = 5.0
"""What stays because Asterisk did not answer in time is removed once it does: see `reconcile`."""

log = structlog.get_logger(__name__)
T = TypeVar("T")


class Asked(Protocol):
    """Who sends requests: the ARI client."""

    async def request(self, request: Request) -> Any: ...


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """Do the work to its end even if we are cancelled meanwhile; the cancellation is raised after it.

    Raises what the work raises, unless we were cancelled.
    """
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled() and (failure := task.exception()):
            log.info("failed while cancelled", error=str(failure))
        raise cancelled
    return task.result()


async def do_all(*work: Awaitable[Any]) -> None:
    """Do all of it at once, to the end; then raise the first error, if there was one."""
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def tolerant(ari: Asked, request: Request, by: float | None = None) -> bool:
    """Send a request whose failure changes nothing: what it would end is gone, or Asterisk is.

    by: when to give it up, on the event loop's clock; None: UNDO_TIMEOUT_S from now. Returns whether it was
    done. That something is gone already is not told; all else is, as a warning.
    """
    if by is None:
        by = asyncio.get_running_loop().time() + UNDO_TIMEOUT_S
    try:
        async with asyncio.timeout_at(by):
            await ari.request(request)
    except (PbxError, TimeoutError) as error:
        if getattr(error, "status", None) != 404:
            log.warning("request not done", request=str(request), error=str(error) or "time-out")
        return False
    return True
