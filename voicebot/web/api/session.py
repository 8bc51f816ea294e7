"""Signing in and out, and who one is."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from voicebot.web.problems import Trouble, told
from voicebot.web.security.needs import TheDoorkeeper, Viewer, everybody
from voicebot.web.security.roles import Identity, Role

session = APIRouter(prefix="/session", tags=["session"])
door = APIRouter(include_in_schema=False)
"""What browsers without a script use: the login form, and links for signing in."""


class SignIn(BaseModel):
    """A name and a password."""

    name: str = Field(max_length=64, examples=["anna"])
    password: str = Field(max_length=1024, examples=["a long sentence"])


class SessionOut(BaseModel):
    """Who is signed in."""

    name: str = Field(examples=["anna"])
    role: Role = Field(description="What they may do.")
    csrf: str = Field(description="Send it as `X-CSRF-Token` with every change; empty for tokens.")
    ends_at: float | None = Field(description="When the login ends, seconds of the epoch; null for tokens.")


class Ended(BaseModel):
    """How many sessions were ended."""

    sessions: int


@session.post(
    "",
    operation_id="sign_in",
    dependencies=[everybody],
    responses=told(400, 401, 403, 413, 422, 429, 503),
)
async def sign_in(
    request: Request, response: Response, given: SignIn, doorkeeper: TheDoorkeeper
) -> SessionOut:
    """Sign in: the answer sets the session's cookie."""
    secret, who = await doorkeeper.sign_in(request, given.name, given.password)
    doorkeeper.give_cookie(request, response, secret)
    request.state.who = who
    return _out(who)


@session.get("", operation_id="session", responses=told(401, 403, 422, 503))
async def me(who: Viewer) -> SessionOut:
    """Who I am."""
    return _out(who)


@session.delete("", operation_id="sign_out", responses=told(401, 403, 422, 503))
async def sign_out(
    request: Request,
    response: Response,
    who: Viewer,
    doorkeeper: TheDoorkeeper,
    everywhere: bool = False,
) -> Ended:
    """Sign out; `everywhere`: in all other browsers, too."""
    ended = 1 if who.session else 0
    if everywhere:
        ended = await doorkeeper.sign_out_everywhere(who.name)
    await doorkeeper.sign_out(who)
    doorkeeper.take_cookie(request, response)
    return Ended(sessions=ended)


def _out(who: Identity) -> SessionOut:
    return SessionOut(name=who.name, role=who.role, csrf=who.csrf, ends_at=who.sessions_end_at or None)


@door.post("/login", name="login", dependencies=[everybody])
async def login(request: Request, doorkeeper: TheDoorkeeper) -> Response:
    """The login form: fields `name`, `password`, `next`. Goes on to `next`, or back with `?wrong=...`."""
    fields = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=10)
    name, password = _one(fields, "name"), _one(fields, "password")
    onward = safe_next(_one(fields, "next"))
    try:
        secret, who = await doorkeeper.sign_in(request, name, password)
    except Trouble as trouble:
        if trouble.status not in (401, 429):
            raise
        wrong = "often" if trouble.status == 429 else "wrong"
        back = request.url_for("login_page").include_query_params(wrong=wrong, name=name, next=onward)
        return RedirectResponse(_path(str(back)), 303)
    request.state.who = who
    response = RedirectResponse(onward, 303)
    doorkeeper.give_cookie(request, response, secret)
    return response


@door.get("/link/{secret}", name="link", dependencies=[everybody])
async def link(request: Request, secret: Annotated[str, "one-time"], doorkeeper: TheDoorkeeper) -> Response:
    """Sign in by a link, once."""
    try:
        session_secret, who = await doorkeeper.use_link(request, secret)
    except Trouble as trouble:
        if trouble.status != 404 or "text/html" not in request.headers.get("accept", ""):
            raise
        return RedirectResponse(
            _path(str(request.url_for("login_page").include_query_params(wrong="link"))), 303
        )
    request.app.state.journal.note(who, "link", "", {}, doorkeeper.address(request))  # a GET that changes
    response = RedirectResponse("/", 303)
    doorkeeper.give_cookie(request, response, session_secret)
    return response


def safe_next(where: str) -> str:
    """Return a path on this panel alone; anything else is `/`."""
    plain = where.startswith("/") and not where.startswith(("//", "/\\"))
    return where if plain and where.isprintable() and "\\" not in where else "/"


def _one(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def _path(url: str) -> str:
    """Return path and query of a url: a redirect stays on the host that the browser knows."""
    return "/" + url.partition("://")[2].partition("/")[2]
