"""Asterisk, and calls between telephones."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from voicebot.supervision.state import PbxState
from voicebot.web.api.calls import phone_of
from voicebot.web.api.shapes import Dial, Done, HangUp, Leg, Monitor, QueuePause
from voicebot.web.aside import aside
from voicebot.web.house import PbxWatch
from voicebot.web.plain import encoded, plain
from voicebot.web.problems import absent, told
from voicebot.web.security.needs import Supervisor, TheHouse, Viewer

pbx = APIRouter(prefix="/pbx", tags=["pbx"])
ACTING = told(400, 401, 403, 404, 409, 413, 422, 502, 503)


def pbx_of(house: TheHouse) -> PbxWatch:
    if house.pbx is None and house.config.supervision.ami_user:
        raise absent("this gateway runs without Asterisk", "start it without --no-asterisk")
    if house.pbx is None:
        remedy = "set supervision.ami_user in voicebot.toml; see docs/pbx-watch.md"
        raise absent("nobody watches Asterisk", remedy)
    return house.pbx


ThePbx = Annotated[PbxWatch, Depends(pbx_of)]


@pbx.get("", operation_id="pbx", response_model=PbxState, responses=told(401, 403, 404, 422, 503))
async def state(who: Viewer, watch: ThePbx) -> Response:
    """Channels, bridges, telephones, Asterisk's own queues, registrations, and what is stuck."""
    seen = watch.state()  # immutable: it may be put into words elsewhere
    return Response(await aside(lambda: encoded(plain(seen))), media_type="application/json")


@pbx.post("/dial", operation_id="dial", responses=ACTING)
async def dial(who: Supervisor, watch: ThePbx, house: TheHouse, given: Dial, request: Request) -> Leg:
    """Ring a telephone, one's own if none is given; when it is answered, call the number."""
    channel = phone_of(house, who, given.channel)
    request.state.detail = {"channel": channel, "number": given.number}
    return Leg(id=str(await watch.dial(channel, given.number, who.name) or ""))


@pbx.post("/hang-up", operation_id="hang_up", responses=ACTING)
async def hang_up(who: Supervisor, watch: ThePbx, given: HangUp, request: Request) -> Done:
    """End a channel."""
    request.state.detail = {"channel": given.channel}
    await watch.hang_up(given.channel, who.name)
    return Done()


@pbx.post("/queue-pause", operation_id="pbx_queue_pause", responses=ACTING)
async def queue_pause(who: Supervisor, watch: ThePbx, given: QueuePause, request: Request) -> Done:
    """Pause a member of one of Asterisk's own queues, or let it take calls again."""
    request.state.detail = given.model_dump()
    await watch.queue_pause(given.queue, given.member, given.paused, given.reason, who.name)
    return Done()


@pbx.post("/monitor", operation_id="pbx_monitor", responses=ACTING)
async def monitor(who: Supervisor, watch: ThePbx, given: Monitor, request: Request) -> Done:
    """Asterisk's own recording of a channel."""
    request.state.detail = given.model_dump()
    await watch.monitor(given.channel, given.action, who.name)
    return Done()
