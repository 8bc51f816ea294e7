"""Category: simulator. Each role is let in where it should be, and nowhere else: all routes, all roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.house import USERS, bare_house
from tests.simulator.web.panel import Served
from voicebot.web.api.openapi import needed_by, routes_of
from voicebot.web.app import make_app
from voicebot.web.security.roles import Identity, Role

pytestmark = pytest.mark.simulator

STRANGER = "nobody"
KEEPS = ("sign_out", "own_password")
"""They would end the session that the next ask needs; test_sessions.py looks at them."""


def _routes(kind: type) -> list[Any]:
    routes = routes_of(make_app(bare_house()))
    return [
        route
        for route in routes
        if isinstance(route.original_route, kind)
        and needed_by(route) is not None
        and getattr(route.original_route, "operation_id", "") not in KEEPS
    ]


ROUTES = {f"{min(route.methods)} {route.path}": route for route in _routes(APIRoute)}
SOCKETS = {route.path: route for route in _routes(APIWebSocketRoute)}


@pytest.fixture(scope="module")
def people(panel: Served) -> Iterator[dict[str, httpx.Client]]:
    with ExitStack() as stack:
        there = {Role(role): stack.enter_context(panel.sign_in(name)) for name, role in USERS.items()}
        there[STRANGER] = stack.enter_context(httpx.Client(base_url=panel.at, headers={"origin": panel.at}))
        yield there


def _path(path: str) -> str:
    """Fill in what is not there: whoever is let in finds nothing, and breaks nothing."""
    while "{" in path:
        path = path[: path.index("{")] + "nosuchthing" + path[path.index("}") + 1 :]
    return path


@pytest.mark.parametrize("asked", ROUTES)
def test_routes_and_roles(asked: str, people: dict[str, httpx.Client]) -> None:
    method, path = asked.split(" ")
    needed = needed_by(ROUTES[asked])
    assert needed is not None
    for who, browser in people.items():
        with browser.stream(method, _path(path), follow_redirects=False) as answer:
            status, where = answer.status_code, answer.headers.get("location", "")
        if who == STRANGER:
            assert status == 401 or (status == 303 and where.startswith("/login")), (who, status)
        elif Identity("x", Role(who)).may(needed.role):
            assert status not in (401, 403, 500), (who, status)
        else:
            assert status == 403, (who, status)


@pytest.mark.parametrize("path", SOCKETS)
def test_websockets_and_roles(path: str, panel: Served, people: dict[str, httpx.Client]) -> None:
    needed = needed_by(SOCKETS[path])
    assert needed is not None
    url = panel.at.replace("http", "ws", 1) + _path(path) + "?dialog=nothing"
    for who, browser in people.items():
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        headers = {"cookie": cookie} if cookie else {}
        if who != STRANGER and Identity("x", Role(who)).may(needed.role):
            with connect(url, origin=panel.at, additional_headers=headers) as socket:  # type: ignore[arg-type]
                assert '"type": "' in str(socket.recv(5))
        else:
            with pytest.raises(InvalidStatus, match="403"):
                connect(url, origin=panel.at, additional_headers=headers)  # type: ignore[arg-type]
