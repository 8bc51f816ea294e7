"""The description of the API for machines: OpenAPI, at `/api/v1/openapi.json`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts

from voicebot.web.aside import aside
from voicebot.web.problems import WORDS, Problems, told
from voicebot.web.security.needs import Needs, Viewer

document = APIRouter(tags=["api"])

ABOUT = """\
Everything that the panel shows and does. Sign in by `POST /api/v1/session` (a cookie, and a token that goes
with every change as `X-CSRF-Token`), or send `Authorization: Bearer TOKEN`. What cannot be done is told as
`{"problems": [{"what", "remedy", "where"}]}`. News come by `GET /api/v1/events`, sound by websockets:
docs/api.md tells of both.
"""
MACHINES, BROWSERS = "token", "session"


@document.get("/openapi.json", operation_id="openapi", responses=told(401, 403, 422, 503))
async def openapi(request: Request, who: Viewer) -> dict[str, Any]:
    """This document."""
    found: dict[str, Any] = await aside(request.app.openapi)  # put together once
    return found


def described(app: FastAPI) -> None:
    """Let `app.openapi()` return the description, with the role that each operation takes, and what the guard
    before all of them may answer."""

    def make() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
            schema.setdefault("components", {})["securitySchemes"] = {
                MACHINES: {"type": "http", "scheme": "bearer"},
                BROWSERS: {"type": "apiKey", "in": "cookie", "name": "voicebot_session"},
            }
            for path in schema["paths"].values():
                for operation in path.values():
                    for status in (421, 408) if "requestBody" in operation else (421,):
                        operation["responses"].setdefault(str(status), _refused(status))
                    role = roles.get(operation.get("operationId", ""))
                    if role:
                        operation["x-role"] = role
                        operation["security"] = [{MACHINES: []}, {BROWSERS: []}]
            app.openapi_schema = schema
        return app.openapi_schema

    roles = {
        operation: str(needed.role)
        for route in routes_of(app)
        if (operation := getattr(route.original_route, "operation_id", None))
        and (needed := needed_by(route)) is not None
    }
    app.openapi = make  # type: ignore[method-assign]


def _refused(status: int) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{Problems.__name__}"}
    return {"description": WORDS[status], "content": {"application/json": {"schema": schema}}}


def routes_of(app: FastAPI) -> Iterator[RouteContext]:
    """Yield all routes as they are served, also those of routers within routers."""
    return iter_route_contexts(app.routes)


def needed_by(route: Any) -> Needs | None:
    """Return what a route needs; None: nothing."""
    todo = [route.dependant]
    while todo:
        dependant = todo.pop()
        if isinstance(dependant.call, Needs):
            return dependant.call
        todo += dependant.dependencies
    return None
