"""The way in: the login page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from voicebot.web.api.session import safe_next
from voicebot.web.pages.rendering import render_open
from voicebot.web.security.needs import everybody

MOST_NAME = 64
ENDED = "ended"
WORDS = {
    "wrong": "Name or password is wrong.",
    "link": "This link is no good any more: it works once, for five minutes. Make a new one.",
    "often": "Too many tries. Wait a minute, then try again.",
    ENDED: "Your session has ended. Sign in, and you are back where you were.",
}

entry = APIRouter()


@entry.get("/login", name="login_page", dependencies=[everybody])
async def login_page(request: Request, wrong: str = "", name: str = "", next: str = "/") -> HTMLResponse:
    """Name and password; `wrong`: why the last try failed, or that the session has ended."""
    problem = WORDS.get(wrong, "")
    return render_open(
        "login.html", problem=problem, ended=wrong == ENDED, name=name[:MOST_NAME], next=safe_next(next)
    )
