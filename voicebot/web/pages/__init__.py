"""The pages: what people see. Their data comes from the API."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from voicebot.web.security.needs import Viewer, everybody

pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@pages.get("/login", name="login_page", dependencies=[everybody])
async def login_page(next: str = "/", wrong: str = "", name: str = "") -> str:
    """The login form; it posts to `login`."""
    return (
        '<form method="post" action="/login"><input name="name"><input name="password" type="password">'
        f'<input type="hidden" name="next" value="{escape(next)}"><button>Sign in</button></form>'
    )


@pages.get("/", name="home")
async def home(who: Viewer) -> str:
    """The live calls."""
    return f"<h1>voicebot</h1><p>{escape(who.name)}, {who.role}</p>"
