"""The panel as one ASGI application: guard, API, pages."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles

from voicebot import __version__
from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub
from voicebot.config import Config
from voicebot.web.api.admin import admin
from voicebot.web.api.calls import calls
from voicebot.web.api.campaigns import Counting, campaigns
from voicebot.web.api.dialogs import dialogs
from voicebot.web.api.events import events
from voicebot.web.api.health import health, probes
from voicebot.web.api.history import history
from voicebot.web.api.openapi import described, document
from voicebot.web.api.pbx import pbx
from voicebot.web.api.people import conferences, queues
from voicebot.web.api.session import door, session
from voicebot.web.api.sockets import sockets
from voicebot.web.aside import Desk
from voicebot.web.chat import Chats
from voicebot.web.house import House
from voicebot.web.live.feed import Feed
from voicebot.web.live.snapshots import Snapshots
from voicebot.web.metrics import Metrics
from voicebot.web.pages import pages
from voicebot.web.problems import API, install
from voicebot.web.records.index import RecordIndex
from voicebot.web.security.doorkeeper import Doorkeeper
from voicebot.web.security.guard import Guard
from voicebot.web.security.journal import Journal
from voicebot.web.security.places import Places
from voicebot.web.sign import Signs

STATIC_FILES = Path(__file__).parent / "static"
ROUTERS = (
    session,
    events,
    calls,
    queues,
    conferences,
    pbx,
    campaigns,
    dialogs,
    history,
    health,
    admin,
    sockets,
    document,
)


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
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    state = app.state
    state.house, state.doorkeeper, state.journal = house, doorkeeper, journal
    state.closing = asyncio.Event()  # streams end when it is set
    state.feed, state.snapshots = Feed(house.hub), Snapshots(house)
    state.ears = Counter[str]()  # who listens to calls, how often
    state.records = RecordIndex(house.config.var)
    state.chats, state.counting = Chats(house.config), Counting(house.config)
    state.metrics, state.desk, state.signs = Metrics(), Desk(), Signs(house)
    state.metrics.browsers(lambda: state.feed.readers)
    api = APIRouter(prefix=f"{API}v1")
    for router in ROUTERS:
        api.include_router(router)
    for router in (api, probes, door, pages):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC_FILES), name="static")
    install(app)
    described(app)
    app.add_middleware(Guard, doorkeeper=doorkeeper, journal=journal)
    return app


def api_text() -> str:
    """Return the description of the API as a file: docs/openapi.json."""
    hub = Hub(time.time)
    app = make_app(House(Config(base=Path()), hub, LiveCalls(hub)))
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"
