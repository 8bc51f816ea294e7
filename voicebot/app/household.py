"""The gateway as a house: all that stands around it, opened with it and closed with it.

    house = Household(config)
    gateway = Gateway(config, live=house.live, people=house.people_for)
    await gateway.start()
    async with house.open(gateway) as panel: ...

People of ours (queues, conferences), supervisors, FastAGI, the watch over Asterisk, and the panel for it all.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import PurePath

from voicebot.app.condition import condition_of
from voicebot.app.disk import Disk
from voicebot.app.gateway import Gateway
from voicebot.app.outside_line import OutsideLine
from voicebot.app.starting import start_campaign
from voicebot.app.tracing import traces_beside
from voicebot.call.browser_call import BrowserCalls
from voicebot.call.call import Call
from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub
from voicebot.call.routing import find_route
from voicebot.config import Config, Route
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import Problem, UserError
from voicebot.fastagi.dialogs.dialogs import AgiDialogs
from voicebot.fastagi.fastagi import FastAgi
from voicebot.switchboard.conferences.conferences import Conferences, ConferenceTaker
from voicebot.switchboard.people import PeopleOfOurs, build_people
from voicebot.switchboard.supervisors.supervisors import Supervisors
from voicebot.switchboard.watch.pbx_watch import PbxWatch
from voicebot.web.house import House
from voicebot.web.serving import panel_beside


class Household:
    """Made before the gateway, which it is told of by `people_for` and `open`."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.live = LiveCalls(Hub(time.time))
        self._gateway: Gateway
        self._opened = False  # the gateway has been connected to Asterisk, if it ever will be
        self._browsers: BrowserCalls | None = None
        self._people: PeopleOfOurs | None = None
        self._conferences: Conferences | None = None
        self._pbx: PbxWatch | None = None
        if config.supervision.ami_user:
            self._pbx = PbxWatch(config, self.live.hub, self._held)

    def people_for(self, gateway: Gateway) -> PeopleOfOurs:
        """Make the queues and conferences of a gateway whose engines are ready. Raises UserError."""
        config, hub, outside = self._config, self.live.hub, OutsideLine(self._config)
        self._gateway = gateway
        takers = []
        if config.conferences:
            self._conferences = Conferences(
                config, gateway.services, hub, dialog_of=self._dialog_named, phonebook=outside
            )
            takers.append(ConferenceTaker(self._conferences))
        self._people = build_people(
            config,
            hub,
            may_dial=outside.refuses,
            presence=self._presence,
            services=gateway.services,
            others=takers,
        )
        return self._people

    @asynccontextmanager
    async def open(self, gateway: Gateway) -> AsyncIterator[str]:
        """Open everything around a gateway that was started; gives the panel's address, "" for none.

        Raises UserError where a port is taken, or a file that the configuration names cannot be used.
        """
        config = self._config
        self._opened = True
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(traces_beside(config.tracing, self.live.hub))
            if self._people is not None:
                gateway.look_after(self._people.close, self._people.quiet, self._people.depart)
            if self._conferences is not None:
                gateway.look_after(self._conferences.close, self._conferences.quiet)
            if self._pbx is not None and gateway.with_asterisk:
                await stack.enter_async_context(self._pbx)
            if config.agi.enabled:
                await stack.enter_async_context(self._fastagi(gateway))
            panel = ""
            if config.panel.enabled:
                house = await self._panel(gateway, stack)
                panel = await stack.enter_async_context(panel_beside(config, house))
            yield panel

    def _fastagi(self, gateway: Gateway) -> FastAgi:
        fastagi = FastAgi(self._config)
        dialogs = AgiDialogs(
            self._config,
            dialog=gateway.engines.dialogs.fresh,
            services=gateway.services,
            hold=gateway.hold,
            accepts=lambda: gateway.accepts,
        )
        fastagi.add("dialog", dialogs.run)
        return fastagi

    async def _panel(self, gateway: Gateway, stack: AsyncExitStack) -> House:
        config, queues = self._config, self._people.queues if self._people is not None else None
        if config.panel.microphone:
            self._browsers = BrowserCalls(
                config,
                dialog=gateway.engines.dialogs.fresh,
                services=gateway.services,
                people=self._people,
                accepts=lambda: gateway.accepts,
                hold=gateway.hold,
            )
            stack.push_async_callback(self._browsers.close)
        supervisors = Supervisors(self._calls, lambda: queues)
        gateway.look_after(supervisors.close, supervisors.quiet, supervisors.depart)
        pbx = self._pbx if gateway.with_asterisk else None
        disk = Disk(config)
        disk.part()  # the first look, so that who asks finds something
        house = House(
            config=config,
            hub=self.live.hub,
            calls=self.live,
            supervisors=supervisors,
            queues=queues if config.queues else None,
            conferences=self._conferences,
            pbx=pbx,
            browser_calls=self._browsers,
            condition=lambda: condition_of(gateway, config, disk),
            dialogs=lambda: gateway.dialogs,
            stopping=gateway.stopping,
        )

        async def resume(name: str, why: str) -> None:
            if house.store is None:
                raise UserError("the database is away", "try again in a moment")
            await start_campaign(house.store, config, name, why, datetime.now(UTC))

        house.resume_campaign = resume
        return house

    def _calls(self) -> tuple[Call, ...]:
        """All calls, however they came."""
        return self._gateway.calls

    def _presence(self, channel: str) -> str:
        """Return the state of a telephone, for those who would ring it."""
        started = self._opened or not self._gateway.with_asterisk
        if started and not self._gateway.linked:
            return "no_asterisk"
        return self._pbx.presence(channel) if self._pbx is not None else "unknown"

    def _held(self) -> frozenset[str]:
        """What of Asterisk's is somebody's; the watch ends the rest."""
        return self._gateway.held

    async def _dialog_named(self, name: str) -> tuple[Route, Dialog]:
        """Find a dialog by its number, or by its file's name. Raises UserError."""
        routes = self._config.routes
        route = find_route(routes, name) or next(
            (each for each in routes if name in (each.dialog, PurePath(each.dialog).stem)), None
        )
        if route is None:
            known = ", ".join(sorted({PurePath(each.dialog).stem for each in routes})) or "none"
            raise UserError(Problem(f"there is no dialog {name!r}", f"there are: {known}"))
        return route, await self._gateway.engines.dialogs.fresh(route)
