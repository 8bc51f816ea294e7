"""Category: unit. No route without a word on who may use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import Mount

from tests.house import bare_house
from voicebot.web.api.openapi import needed_by, routes_of
from voicebot.web.app import make_app
from voicebot.web.security.needs import Open
from voicebot.web.security.roles import Role

pytestmark = pytest.mark.unit

OPEN = {
    "/api/v1/session",
    "/health/live",
    "/health/ready",
    "/login",
    "/link/{secret}",
    "/metrics",
}
"""What everybody may ask for, beside the files under /static."""


def _open(route: Any) -> bool:
    return any(isinstance(each.call, Open) for each in route.dependant.dependencies)


def _routes() -> Iterator[Any]:
    for route in routes_of(make_app(bare_house())):
        if not isinstance(route.original_route, Mount):
            yield route


def test_every_route_takes_a_role_or_is_open_on_purpose() -> None:
    routes = list(_routes())

    assert len(routes) > 80
    for route in routes:
        assert isinstance(route.original_route, APIRoute | APIWebSocketRoute), route.path
        assert (needed_by(route) is None) == _open(route), f"{route.path} does not say who may"


def test_only_these_are_open() -> None:
    found = {route.path for route in _routes() if _open(route)}

    assert found == OPEN


def test_a_viewer_changes_nothing_but_their_own_session() -> None:
    changing = {
        route.path
        for route in _routes()
        if isinstance(route.original_route, APIRoute)
        and not route.methods <= {"GET", "HEAD"}
        and (need := needed_by(route)) is not None
        and need.role is Role.VIEWER
    }

    assert changing <= {"/api/v1/session", "/api/v1/session/password"}
