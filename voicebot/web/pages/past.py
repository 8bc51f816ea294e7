"""Past calls: a search that answers with rows, on a page of its own or, asked by htmx, alone."""

from __future__ import annotations

import re
import sqlite3
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from voicebot.web.api.history import index_of
from voicebot.web.aside import aside
from voicebot.web.pages.rendering import render
from voicebot.web.records.index import Wanted
from voicebot.web.security.needs import Viewer

MOST = 50
"""Rows at once."""
_NUMBER = re.compile(r"^\+?[\d\s()/-]{3,}$")
_AFTER = re.compile(r"^-?\d{1,12}(\.\d{1,9})?(e[+-]?\d{1,2})?_[a-z0-9_-]{1,64}$")

past = APIRouter()


@past.get("/history", name="history_page")
async def history(
    request: Request,
    who: Viewer,
    q: Annotated[str, Query(max_length=200)] = "",
    direction: Literal["", "inbound", "outbound", "browser"] = "",
    goal: Literal["", "true", "false"] = "",
    after: Annotated[str, Query(max_length=120)] = "",
) -> HTMLResponse:
    """q: words that were said, or digits of a number; after: where the rows before ended."""
    number = re.sub(r"\D", "", q) if _NUMBER.match(q) else ""
    text = "" if number else q
    reached = {"true": True, "false": False}.get(goal)
    wanted = Wanted(text=text, number=number, direction=direction, goal=reached)
    calls: list[dict[str, Any]] = []
    onward, problem = "", ""
    try:
        place = after if _AFTER.match(after) else ""
        found = await aside(index_of(request).find, wanted, place, MOST)
        calls, onward = found.calls, found.after
    except sqlite3.Error:
        problem = "The index of records cannot be read. Try again in a moment."
    values: dict[str, Any] = {
        "calls": calls,
        "after": onward,
        "problem": problem,
        "q": q,
        "direction": direction,
        "goal": goal,
        "narrowed": bool(q or direction or goal),
        "reading": not index_of(request).ready,
    }
    asked = request.headers.get("hx-request") == "true" and not request.headers.get(
        "hx-history-restore-request"
    )
    template = ("rows.html" if after else "results.html") if asked else "history.html"
    return render(request, template, who, "history", **values)
