"""The way in: the login page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from voicebot.web.api.session import safe_next
from voicebot.web.pages.rendering import render_open
from voicebot.web.security.needs import everybody

MOST_NAME = 64
WORDS = {
    "wrong": "Name or password is wrong.",
    "link": "This link is no good any more: it works once, for five minutes. Make a new one.",
    "often": "Too many tries. Wait a minute, then try again.",
}

entry = APIRouter()


@entry.get("/login", name="login_page", dependencies=[everybody])
async def login_page(request: Request, wrong: str = "", name: str = "", next: str = "/") -> HTMLResponse:
    """Name and password; `wrong`: why the last try failed."""
    problem = WORDS.get(wrong, "")
    return render_open("login.html", problem=problem, name=name[:MOST_NAME], next=safe_next(next))
