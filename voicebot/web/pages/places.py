"""All places of the panel. Each is a shell; its module in `static/js` fills it over the REST interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

from voicebot.web.pages.rendering import render
from voicebot.web.security.needs import Admin, TheHouse, Viewer
from voicebot.web.sign import Sign, Signs

ID = Path(pattern=r"^[A-Za-z0-9_.-]{1,128}$")
NAME = Path(pattern=r"^[^/\x00-\x1f]{1,128}$")

places = APIRouter()


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures beside the places, and the sign beside Health."""

    calls: int
    waiting: int
    health: Sign


@places.get("/", name="live_page")
async def live(request: Request, who: Viewer, house: TheHouse) -> HTMLResponse:
    """`number`: one that can be dialled; "" without an Asterisk."""
    plain = (route.number for route in house.config.routes if route.number.isdigit())
    with_asterisk = any(part.name == "asterisk" for part in house.condition().parts)
    return render(request, "live.html", who, "live", number=next(plain, "") if with_asterisk else "")


@places.get("/calls/{call_id}", name="call_page")
async def call(request: Request, who: Viewer, call_id: Annotated[str, ID]) -> HTMLResponse:
    return render(request, "call.html", who, "live", call_id=call_id)


@places.get("/queues", name="queues_page")
async def queues(request: Request, who: Viewer, house: TheHouse) -> HTMLResponse:
    return render(request, "queues.html", who, "queues", there=house.queues is not None)


@places.get("/conferences", name="conferences_page")
async def conferences(request: Request, who: Viewer, house: TheHouse) -> HTMLResponse:
    return render(request, "conferences.html", who, "conferences", there=house.conferences is not None)


@places.get("/campaigns", name="campaigns_page")
async def campaigns(request: Request, who: Viewer) -> HTMLResponse:
    return render(request, "campaigns.html", who, "campaigns")


@places.get("/campaigns/{name}", name="campaign_page")
async def campaign(request: Request, who: Viewer, name: Annotated[str, NAME]) -> HTMLResponse:
    return render(request, "campaign.html", who, "campaigns", name=name)


@places.get("/dialogs", name="dialogs_page")
async def dialogs(request: Request, who: Viewer) -> HTMLResponse:
    return render(request, "dialogs.html", who, "dialogs")


@places.get("/dialogs/{name}", name="dialog_page")
async def dialog(request: Request, who: Viewer, name: Annotated[str, NAME]) -> HTMLResponse:
    return render(request, "dialog.html", who, "dialogs", name=name)


@places.get("/talk", name="talk_page")
async def talk(
    request: Request, who: Viewer, house: TheHouse, dialog: Annotated[str, Query(max_length=128)] = ""
) -> HTMLResponse:
    there = house.browser_calls is not None and house.config.panel.microphone
    return render(request, "talk.html", who, "talk", dialog=dialog, there=there)


@places.get("/history/{call_id}", name="record_page")
async def record(request: Request, who: Viewer, call_id: Annotated[str, ID]) -> HTMLResponse:
    return render(request, "record.html", who, "history", call_id=call_id)


@places.get("/health", name="health_page")
async def health(request: Request, who: Viewer) -> HTMLResponse:
    return render(request, "health.html", who, "health")


@places.get("/users", name="users_page")
async def users(request: Request, who: Admin) -> HTMLResponse:
    return render(request, "users.html", who, "users")


@places.get("/audit", name="audit_page")
async def audit(request: Request, who: Admin) -> HTMLResponse:
    return render(request, "audit.html", who, "audit")


@places.get("/panel/counts", name="counts")
async def counts(request: Request, who: Viewer, house: TheHouse) -> Counts:
    """What stands beside the places: live calls, callers who wait, and how the installation is."""
    queues = house.queues.queues() if house.queues is not None else ()
    waiting = sum(len(queue.waiting) for queue in queues)
    signs: Signs = request.app.state.signs
    return Counts(house.calls.count, waiting, signs.now())
