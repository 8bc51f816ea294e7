"""Templates, and what all of them know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from voicebot.web.security.roles import Identity

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


def clock(ms: float | None) -> str:
    """65,000 → `1:05`; 3,725,000 → `1:02:05`."""
    seconds = int((ms or 0) / 1000)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def latency(ms: float | None) -> str:
    """640 → `640 ms`; 1840 → `1.8 s`."""
    return "" if ms is None else f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def pace(ms: float | None) -> str:
    """Return the class that a reply of this latency is shown in, as `pace` in static/js/dom.js."""
    return "slower" if (ms or 0) >= SLOWER_MS else "slow" if (ms or 0) >= SLOW_MS else ""


SLOW_MS, SLOWER_MS = 1500, 3000

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.filters |= {"clock": clock, "latency": latency, "pace": pace}


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
