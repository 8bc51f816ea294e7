"""All callers who hung up and kept their place: their promises are kept over restarts, and written down.

What one of them does is in `promise.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from voicebot.acd.keys import forms_of
from voicebot.acd.matching import Waiter
from voicebot.call.record import folder_for, read_record
from voicebot.call.services import Services
from voicebot.config import Route
from voicebot.errors import UserError
from voicebot.switchboard.queues.hall import Hall
from voicebot.switchboard.queues.promise import CallBack, Promise
from voicebot.switchboard.queues.state import (
    CALL_BACKS_FILE,
    KeptCallBack,
    StateFile,
    call_backs_text,
    read_call_backs,
)

AFTER_START_S = 5.0
"""Before a gateway that has just started calls anybody back."""

log = structlog.get_logger(__name__)


class MayDial(Protocol):
    """The rules for calls that we place; returns why a number may not be dialled, None where it may."""

    def __call__(self, number: str) -> str | None: ...


class CallBacks:
    """All call-backs that are due: their `Keeper`. may_dial: None: nobody is called back"""

    def __init__(self, hall: Hall, may_dial: MayDial | None) -> None:
        self._hall = hall
        self._may_dial = may_dial
        self._due: set[CallBack] = set()
        self._state = StateFile(hall.config.var / CALL_BACKS_FILE)
        self._start: asyncio.TimerHandle | None = None
        self.pen = asyncio.Lock()
        self.stopping = False
        self._serving: set[asyncio.Task[None]] = set()
        self._writing: set[asyncio.Task[None]] = set()

    def number_to_call(self, queue: str, number: str) -> str:
        """Return what a number that a caller named, or called from, is dialled as.

        Raises UserError where it may not be called back.
        """
        trunk = self._hall.config.queues[queue].call_back_trunk
        if not trunk or self._may_dial is None:
            raise UserError("no calls may be placed", "set call_back_trunk, and [dialling]")
        why = "there is no number"
        for form in forms_of(number):
            refused = self._may_dial(form)
            if refused is None:
                return form
            why = refused
        raise UserError(f"{number} is not called back: {why}", "see [dialling] in docs/configuration.md")

    def serve(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return _spawn(self._serving, work)

    def write(self, work: Coroutine[Any, Any, None]) -> None:
        _spawn(self._writing, work)

    def add(self, promise: Promise) -> None:
        """Take a caller's place over."""
        promise.waiter.offered = False
        self._enter(promise)
        self._keep()

    def _enter(self, promise: Promise) -> None:
        promised = CallBack(self._hall, self, promise)
        self._due.add(promised)
        self._hall.enter(promised)

    def restore(self, services: Callable[[Route], Services]) -> None:
        """Take up what was promised before the gateway ended, once Asterisk is likely to be there."""
        routes = {route.number: route for route in self._hall.config.routes}
        for kept in read_call_backs(self._hall.config.var):
            route = routes.get(kept.route)
            if route is None or kept.queue not in self._hall.config.queues:
                log.warning("call-back forgotten: its route or queue is gone", call=kept.call_id)
                continue
            try:
                self._take_up(kept, services(route), route)
            except (UserError, StopIteration) as error:
                log.warning("call-back forgotten: its record is gone", call=kept.call_id, error=str(error))
        if self._due:
            self._start = asyncio.get_running_loop().call_later(AFTER_START_S, self._begin)

    def _take_up(self, kept: KeptCallBack, services: Services, route: Route) -> None:
        hall = self._hall
        path = folder_for(hall.config.var, kept.started_at) / f"{kept.call_id}.json"
        record = read_record(path)
        stay = next(each for each in record.people if each.call_back and not each.call_back.outcome)
        since = hall.clock() - max(0.0, hall.epoch() - kept.since_at)
        waiter = Waiter(kept.call_id, kept.queue, since, 0, kept.priority, kept.skills, offered=True)
        self._enter(
            Promise(
                waiter,
                number=kept.number,
                caller=kept.caller,
                summary=kept.summary,
                language=kept.language,
                services=services,
                route=route,
                record=record,
                stay=stay,
            )
        )

    def _begin(self) -> None:
        for promised in self._due:
            self._hall.hold(promised, False)

    def due_no_more(self, promised: CallBack) -> None:
        self._due.discard(promised)
        self._keep()

    def _keep(self) -> None:
        self._state.keep(call_backs_text(each.kept for each in self._due))

    async def quiet(self) -> None:
        """Begin no more, and return once nobody is on the line for a call-back."""
        self.stopping = True
        while self._serving:
            await asyncio.wait(set(self._serving))

    async def close(self) -> None:
        if self._start is not None:
            self._start.cancel()
        for promised in tuple(self._due):
            promised.close()
        for task in self._serving:
            task.cancel()
        for tasks in (self._serving, self._writing):
            if tasks:
                await asyncio.wait(set(tasks))
        await self._state.close()


def _spawn(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name="call-back")
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task
