"""Templates, and what all of them know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from voicebot.web.security.roles import Identity

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def render(
    request: Request, template: str, who: Identity, active: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """Return a page for who is signed in.

    active: the place that the navigation marks, such as `live`
    values: what the template needs besides

    A shell of some kilobytes: it takes well under a millisecond, so it is done on the event loop.
    """
    text = _environment.get_template(template).render(
        me=who, csrf=who.csrf, active=active, theme="", page=template.removesuffix(".html"), **values
    )
    return HTMLResponse(text, status)


def render_open(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page for whoever comes."""
    return HTMLResponse(_environment.get_template(template).render(theme="", **values), status)
