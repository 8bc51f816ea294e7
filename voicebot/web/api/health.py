"""How the installation is: for people, for load balancers, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from voicebot import __version__
from voicebot.web.aside import aside
from voicebot.web.house import Part
from voicebot.web.metrics import Metrics
from voicebot.web.naming import named
from voicebot.web.parts import parts_of
from voicebot.web.problems import absent, told
from voicebot.web.security.needs import TheHouse, Viewer, everybody

health = APIRouter(tags=["health"])
probes = APIRouter(tags=["health"])


class Ready(BaseModel):
    """Whether new calls may be sent here."""

    ready: bool
    why: str = Field("", description="Why not.")


class HealthOut(BaseModel):
    """How everything is."""

    ready: bool
    why_not: str
    version: str = Field(description="Of voicebot.")
    calls: int
    capacity: int
    lag_ms: float = Field(description="How late the event loop is.")
    parts: list[Part]
    dialogs: list[str] = Field(description="Those whose file as it is now was refused.")


@health.get("/health", operation_id="health", responses=told(401, 403, 422, 503))
async def detailed(who: Viewer, house: TheHouse) -> HealthOut:
    """How every part is."""
    condition = house.condition()
    return HealthOut(
        ready=condition.ready,
        why_not=condition.why_not,
        version=__version__,
        calls=condition.calls,
        capacity=condition.capacity,
        lag_ms=condition.lag_ms,
        parts=parts_of(house, condition),
        dialogs=[name for name, each in named(house).items() if each.problems],
    )


@probes.get("/health/live", operation_id="live", dependencies=[everybody], response_model=Ready)
async def live() -> Ready:
    """Whether the process answers at all."""
    return Ready(ready=True)


@probes.get(
    "/health/ready",
    operation_id="ready",
    dependencies=[everybody],
    responses={503: {"model": Ready, "description": "No calls may be sent here now."}},
)
async def ready(house: TheHouse, response: Response) -> Ready:
    """Whether new calls may be sent here."""
    condition = house.condition()
    fine = condition.ready and not house.stopping.is_set()
    response.status_code = 200 if fine else 503
    why = "" if fine else "it stops" if house.stopping.is_set() else condition.why_not
    return Ready(ready=fine, why=why)


@probes.get(
    "/metrics",
    operation_id="metrics",
    dependencies=[everybody],
    response_class=Response,
    responses={
        200: {"description": "Prometheus' text.", "content": {"text/plain": {}}},
        **told(404),
    },
)
async def metrics(request: Request, house: TheHouse) -> Response:
    """Figures for Prometheus; no names, no numbers."""
    if not house.config.panel.metrics:
        raise absent("there are no metrics here", "set panel.metrics = true")
    kept: Metrics = request.app.state.metrics
    kept.look(house)
    return Response(await aside(kept.text), headers={"content-type": CONTENT_TYPE_LATEST})
