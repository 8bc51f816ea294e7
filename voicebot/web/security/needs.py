"""What a route needs: a role, or nothing. Every route says one of the two.

@api.get("/calls")
async def calls(who: Annotated[Identity, Depends(needs(Role.VIEWER))]) -> ...
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from voicebot.web.house import House
from voicebot.web.problems import Forbidden, NotSignedIn, Trouble
from voicebot.web.security import secrets
from voicebot.web.security.doorkeeper import Doorkeeper
from voicebot.web.security.guard import SAFE
from voicebot.web.security.roles import Identity, Role

CSRF_HEADER = "x-csrf-token"


class Needs:
    """A dependency: lets nobody by who may not do what `role` is needed for."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, connection: HTTPConnection) -> Identity:
        who = await doorkeeper_of(connection).who(connection)
        if who is None:
            raise NotSignedIn
        connection.state.who = who
        if connection.scope["type"] == "http" and connection.scope["method"] not in SAFE and who.csrf:
            given = connection.headers.get(CSRF_HEADER, "")
            if not secrets.same(given, who.csrf):
                what = "the request lacks the page's token"
                raise Trouble(403, what, "load the page anew, or send `X-CSRF-Token` of /api/v1/session")
        if not who.may(self.role):
            raise Forbidden(who.role, self.role)
        return who


class Open:
    """A dependency that says: everybody may."""

    async def __call__(self) -> None:
        return


_needs = {role: Needs(role) for role in Role}
everybody = Depends(Open())


def needs(role: Role) -> Needs:
    """Return the dependency for a role."""
    return _needs[role]


def doorkeeper_of(connection: HTTPConnection) -> Doorkeeper:
    found: Doorkeeper = connection.app.state.doorkeeper
    return found


def house_of(connection: HTTPConnection) -> House:
    """The house that the application shows: `Depends(house_of)`."""
    found: House = connection.app.state.house
    return found


TheHouse = Annotated[House, Depends(house_of)]
TheDoorkeeper = Annotated[Doorkeeper, Depends(doorkeeper_of)]
Viewer = Annotated[Identity, Depends(needs(Role.VIEWER))]
Supervisor = Annotated[Identity, Depends(needs(Role.SUPERVISOR))]
Author = Annotated[Identity, Depends(needs(Role.AUTHOR))]
Admin = Annotated[Identity, Depends(needs(Role.ADMIN))]
