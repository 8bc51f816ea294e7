"""News as server-sent events."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from voicebot.call.live import TOPICS
from voicebot.errors import Problem
from voicebot.web.live.feed import Filter
from voicebot.web.live.stream import EventStream
from voicebot.web.problems import Trouble, told
from voicebot.web.security.needs import TheDoorkeeper, Viewer

events = APIRouter(tags=["events"])

MOST_READERS, MOST_OF_ONE = 500, 100
"""Streams of all, and of one user: nobody keeps the others out."""


class _Stream(Response):
    media_type = "text/event-stream"


@events.get(
    "/events",
    operation_id="events",
    response_class=_Stream,
    responses={
        **told(401, 403, 422, 429, 503),
        200: {
            "description": "`snapshot`, then news named `topic.kind`.",
            "content": {"text/event-stream": {}},
        },
    },
)
async def follow(
    request: Request,
    who: Viewer,
    doorkeeper: TheDoorkeeper,
    topics: Annotated[
        str,
        Query(
            max_length=200,
            description=f"Of {', '.join(sorted(TOPICS))}; separated by commas, empty: all.",
            examples=["call,queue"],
        ),
    ] = "",
    id: Annotated[
        str, Query(pattern=r"^[A-Za-z0-9_./-]{0,80}$", description="Only news of this call, queue, ...")
    ] = "",
) -> Response:
    """Follow what happens.

    First comes `snapshot` with `calls`, `queues`, `agents`, `rooms`, `pbx`, `health`, as far as their topics
    are asked for (with `id`: one call, and all that was said in it). Then each change, as
    `{topic, kind, id, at, data}`. After `signed_out` the stream ends. Who is too slow loses the connection,
    and gets a new snapshot by connecting again.
    """
    wanted = {each.strip() for each in topics.split(",") if each.strip()} or TOPICS
    if unknown := wanted - TOPICS:
        what = f"there is no topic `{min(unknown)}`"
        raise Trouble(422, [Problem(what, f"there are {', '.join(sorted(TOPICS))}", "query.topics")])
    state = request.app.state
    if state.feed.readers >= MOST_READERS:
        raise Trouble(503, "too many browsers follow already", "close some", {"Retry-After": "10"})
    if state.feed.readers_of(who.name) >= MOST_OF_ONE:
        raise Trouble(429, "you follow in too many windows already", "close some", {"Retry-After": "10"})
    return EventStream(
        state.feed,
        state.snapshots,
        Filter(frozenset(wanted), id),
        who.name,
        partial(doorkeeper.still, who),
        state.closing,
    )
