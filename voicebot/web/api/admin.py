"""Users, tokens of machines, and the journal of what was done: for admins."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from voicebot.config.patterns import NAME
from voicebot.errors import UserError
from voicebot.store.panel_rows import PanelUser
from voicebot.web.api.shapes import Done, Shape, ThingName
from voicebot.web.problems import Trouble, absent, told
from voicebot.web.security import secrets
from voicebot.web.security.doorkeeper import Doorkeeper
from voicebot.web.security.needs import Admin, TheDoorkeeper, Viewer
from voicebot.web.security.passwords import MOST_BYTES
from voicebot.web.security.roles import LOCAL, OPERATOR, Role

admin = APIRouter(tags=["admin"])
LOOKING = told(401, 403, 422, 503)
ACTING = told(400, 401, 403, 404, 409, 413, 422, 503)


class UserOut(BaseModel):
    """Somebody who may sign in."""

    name: str
    role: Role
    created_at: float
    signed_in_at: float | None
    sessions: int = Field(description="Browsers that are signed in.")


class NewUser(Shape):
    """Somebody new."""

    name: str = Field(pattern=NAME, examples=["anna"])
    role: Role
    password: str = Field(max_length=MOST_BYTES, examples=["a quiet harbour"])


class ChangedUser(Shape):
    """What is to be changed."""

    role: Role | None = None
    password: str | None = Field(None, max_length=MOST_BYTES)


class OwnPassword(Shape):
    """A new password for oneself."""

    old: str = Field(max_length=MOST_BYTES)
    new: str = Field(max_length=MOST_BYTES)


class TokenOut(BaseModel):
    """A machine's way in."""

    name: str
    role: Role
    created_at: float


class NewToken(Shape):
    """A way in for a machine."""

    name: str = Field(pattern=NAME, examples=["dashboard"])
    role: Role = Role.VIEWER


class TokenMade(TokenOut):
    """A new token: it is shown this once."""

    token: str


class ActionOut(BaseModel):
    """Something that somebody did, or tried to."""

    id: int
    at: float
    who: str
    what: str = Field(description="The operation's id in this document; `login`, `listen`, ...")
    target: str
    detail: dict[str, Any]
    address: str
    status: int = Field(description="As HTTP has it: 200 it was done, 403 it was refused.")


class Actions(BaseModel):
    """A page of the journal, newest first."""

    actions: list[ActionOut]
    before: int | None = Field(description="Send it for the next page; null: this was the last.")


def _user_out(user: PanelUser) -> UserOut:
    at = user.signed_in_at
    return UserOut(
        name=user.name,
        role=Role(user.role),
        created_at=user.created_at.timestamp(),
        signed_in_at=at.timestamp() if at else None,
        sessions=user.sessions,
    )


async def _user(doorkeeper: Doorkeeper, name: str) -> PanelUser:
    user = await doorkeeper.store.panel.user(name)
    if user is None:
        raise absent(f"there is no user `{name}`", "look at the users")
    return user


async def _hashed(doorkeeper: Doorkeeper, password: str) -> str:
    try:
        return await doorkeeper.passwords.hash(password)
    except UserError as error:
        raise Trouble(422, error.problems) from None


async def _keep_an_admin(doorkeeper: Doorkeeper, without: str) -> None:
    """Raises Trouble where nobody would be left who may do everything."""
    others = [u for u in await doorkeeper.store.panel.users() if u.role == Role.ADMIN and u.name != without]
    if not others:
        raise Trouble(409, "nobody else is an admin", "make somebody else one first")


@admin.get("/users", operation_id="users", responses=LOOKING)
async def users(who: Admin, doorkeeper: TheDoorkeeper) -> list[UserOut]:
    """All who may sign in."""
    return [_user_out(user) for user in await doorkeeper.store.panel.users()]


@admin.post("/users", operation_id="add_user", responses=ACTING)
async def add_user(who: Admin, doorkeeper: TheDoorkeeper, given: NewUser, request: Request) -> UserOut:
    """Add somebody."""
    request.state.detail = {"name": given.name, "role": given.role}
    if given.name in (LOCAL, OPERATOR):
        raise Trouble(409, f"`{given.name}` is whoever comes from this machine itself", "choose another")
    hashed = await _hashed(doorkeeper, given.password)
    await doorkeeper.store.panel.add_user(given.name, given.role, hashed, doorkeeper.now())
    return _user_out(await _user(doorkeeper, given.name))


@admin.patch("/users/{name}", operation_id="change_user", responses=ACTING)
async def change_user(
    who: Admin, doorkeeper: TheDoorkeeper, name: ThingName, given: ChangedUser, request: Request
) -> UserOut:
    """Give somebody another role or password; another password signs them out everywhere."""
    request.state.detail = {"role": given.role, "password": given.password is not None}
    user = await _user(doorkeeper, name)
    if given.role is not None and given.role is not Role.ADMIN and user.role == Role.ADMIN:
        await _keep_an_admin(doorkeeper, name)
    hashed = await _hashed(doorkeeper, given.password) if given.password is not None else ""
    if given.role is not None or hashed:
        await doorkeeper.store.panel.change_user(name, role=given.role or "", password=hashed)
    doorkeeper.forget()
    return _user_out(await _user(doorkeeper, name))


@admin.delete("/users/{name}", operation_id="remove_user", responses=ACTING)
async def remove_user(who: Admin, doorkeeper: TheDoorkeeper, name: ThingName) -> Done:
    """Remove somebody; they are signed out."""
    if (await _user(doorkeeper, name)).role == Role.ADMIN:
        await _keep_an_admin(doorkeeper, name)
    await doorkeeper.store.panel.remove_user(name)
    doorkeeper.forget()
    return Done()


@admin.post("/users/{name}/sign-out", operation_id="sign_user_out", responses=ACTING)
async def sign_out(who: Admin, doorkeeper: TheDoorkeeper, name: ThingName) -> Done:
    """Sign somebody out everywhere."""
    await _user(doorkeeper, name)
    await doorkeeper.sign_out_everywhere(name)
    return Done()


@admin.post("/session/password", operation_id="own_password", responses={**ACTING, **told(429)})
async def own_password(request: Request, who: Viewer, doorkeeper: TheDoorkeeper, given: OwnPassword) -> Done:
    """Give oneself another password; all one's sessions end, this one, too."""
    if not who.session:
        raise Trouble(409, "a token has no password", "sign in")
    await doorkeeper.check(request, who.name, given.old)
    hashed = await _hashed(doorkeeper, given.new)
    await doorkeeper.store.panel.change_user(who.name, password=hashed)
    doorkeeper.forget()
    return Done()


@admin.get("/tokens", operation_id="tokens", responses=LOOKING)
async def tokens(who: Admin, doorkeeper: TheDoorkeeper) -> list[TokenOut]:
    """The machines that may come in."""
    return [
        TokenOut(name=each.name, role=Role(each.role), created_at=each.created_at.timestamp())
        for each in await doorkeeper.store.panel.tokens()
    ]


@admin.post("/tokens", operation_id="add_token", responses=ACTING)
async def add_token(who: Admin, doorkeeper: TheDoorkeeper, given: NewToken, request: Request) -> TokenMade:
    """Let a machine in. Its token is shown this once."""
    request.state.detail = {"name": given.name, "role": given.role}
    token, now = secrets.fresh(), doorkeeper.now()
    await doorkeeper.store.panel.add_token(given.name, secrets.key_of(token), given.role, now)
    return TokenMade(name=given.name, role=given.role, created_at=now.timestamp(), token=token)


@admin.delete("/tokens/{name}", operation_id="remove_token", responses=ACTING)
async def remove_token(who: Admin, doorkeeper: TheDoorkeeper, name: ThingName) -> Done:
    """Let a machine in no more."""
    if name not in {each.name for each in await doorkeeper.store.panel.tokens()}:
        raise absent(f"there is no token `{name}`", "look at the tokens")
    await doorkeeper.store.panel.remove_token(name)
    doorkeeper.forget()
    return Done()


@admin.get("/audit", operation_id="audit", responses=LOOKING)
async def audit(
    _who: Admin,
    doorkeeper: TheDoorkeeper,
    who: Annotated[str, Query(max_length=80, pattern=r"^[a-z0-9:_-]*$")] = "",
    what: Annotated[str, Query(max_length=64, pattern=r"^[a-z0-9_-]*$")] = "",
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    most: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Actions:
    """Who did what, newest first."""
    found = await doorkeeper.store.panel.actions(who=who, what=what, before=before, most=most + 1)
    page = found[:most]
    return Actions(
        actions=[
            ActionOut(
                id=each.id,
                at=each.at.timestamp(),
                who=each.who,
                what=each.what,
                target=each.target,
                detail=each.detail,
                address=each.address,
                status=each.status,
            )
            for each in page
        ],
        before=page[-1].id if len(found) > most else None,
    )
