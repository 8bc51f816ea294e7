"""The gateway as a house: everything around it that people see and use, opened with it and closed with it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from voicebot.app.condition import condition_of
from voicebot.app.gateway import Gateway
from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub
from voicebot.config import Config
from voicebot.web.house import House
from voicebot.web.serving import panel_beside


def live_calls() -> LiveCalls:
    """Return the view of live calls of a gateway that is to be made."""
    return LiveCalls(Hub(time.time))


@asynccontextmanager
async def house_around(config: Config, gateway: Gateway, live: LiveCalls) -> AsyncIterator[str]:
    """Open panel and supervision around a gateway that was started; gives the panel's address, "" for none.

    Raises UserError where a port is taken.
    """
    async with AsyncExitStack() as stack:
        if not config.panel.enabled:
            yield ""
            return
        house = House(
            config=config,
            hub=live.hub,
            calls=live,
            condition=lambda: condition_of(gateway, config, None),
            dialogs=lambda: gateway.dialogs,
            stopping=gateway.stopping,
        )
        yield await stack.enter_async_context(panel_beside(config, house))
