"""The panel as one ASGI application: guard, API, pages."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from voicebot import __version__
from voicebot.web.api.calls import calls
from voicebot.web.api.events import events
from voicebot.web.api.pbx import pbx
from voicebot.web.api.people import conferences, queues
from voicebot.web.api.session import door, session
from voicebot.web.api.sockets import sockets
from voicebot.web.house import House
from voicebot.web.live.feed import Feed
from voicebot.web.live.snapshots import Snapshots
from voicebot.web.pages import pages
from voicebot.web.problems import API, install
from voicebot.web.security.doorkeeper import Doorkeeper
from voicebot.web.security.guard import Guard
from voicebot.web.security.journal import Journal
from voicebot.web.security.places import Places

STATIC_FILES = Path(__file__).parent / "static"
ABOUT = """
Everything that the panel shows and does. Sign in by `POST /api/v1/session` (a cookie, and a token for every
change), or send `Authorization: Bearer TOKEN`. What cannot be done is told as `{"problems": [...]}`, each
with what is wrong, and how to mend it.
"""


def make_app(house: House, *, port: int | None = None, local_token: str = "") -> FastAPI:
    """Return the application.

    port: where it really listens, if not at [panel] port
    local_token: who sends it from this machine is admin; "": nobody
    """
    panel = house.config.panel
    places = Places(panel.bind, panel.port if port is None else port, panel.origins)
    doorkeeper = Doorkeeper(house, places, local_token)
    journal = Journal(doorkeeper)
    app = FastAPI(
        title="voicebot",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        separate_input_output_schemas=False,
    )
    app.state.house, app.state.doorkeeper, app.state.journal = house, doorkeeper, journal
    app.state.closing = asyncio.Event()  # streams end when it is set
    app.state.feed, app.state.snapshots = Feed(house.hub), Snapshots(house)
    api = APIRouter(prefix=f"{API}v1")
    for router in (session, events, calls, queues, conferences, pbx, sockets):
        api.include_router(router)
    app.include_router(api)
    app.include_router(door)
    app.include_router(pages)
    app.mount("/static", StaticFiles(directory=STATIC_FILES), name="static")
    install(app)
    app.add_middleware(Guard, doorkeeper=doorkeeper, journal=journal)
    return app
