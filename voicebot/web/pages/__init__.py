"""The panel's pages: templates, which modules in `static/js` fill and keep right over the REST interface."""

from __future__ import annotations

from fastapi import APIRouter

from voicebot.web.pages.entry import entry
from voicebot.web.pages.past import past
from voicebot.web.pages.places import places

pages = APIRouter(include_in_schema=False)
pages.include_router(entry)
pages.include_router(past)
pages.include_router(places)

__all__ = ["pages"]
