"""Calls that are over."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from voicebot.call.record import CallRecord
from voicebot.errors import Problem
from voicebot.web.api.shapes import CallId
from voicebot.web.aside import aside
from voicebot.web.plain import encoded
from voicebot.web.problems import Trouble, absent, told
from voicebot.web.records.index import RecordIndex, Wanted
from voicebot.web.records.paths import read_json, record_path, recording_path
from voicebot.web.records.peaks import Peaks, peaks_of
from voicebot.web.security.needs import TheHouse, Viewer

history = APIRouter(prefix="/history", tags=["history"])
_AFTER = re.compile(r"^-?\d{1,12}(\.\d{1,9})?(e[+-]?\d{1,2})?_[a-z0-9_-]{1,64}$")


class PastCall(BaseModel):
    """A call that is over, in a line."""

    id: str
    started_at: float = Field(description="Seconds of the epoch.")
    direction: str
    caller: str
    caller_name: str
    called: str
    dialog: str
    outcome: str
    goal: bool
    ended_by: str
    duration_ms: int
    campaign: str
    recorded: bool = Field(description="There is a recording.")
    turns: int
    latency_ms: int | None = Field(description="Median of the bot's replies.")
    faults: int


class PastCalls(BaseModel):
    """A page of calls, newest first."""

    calls: list[PastCall]
    after: str = Field(description="Send it as `after` for the next page; empty: this was the last.")
    complete: bool = Field(description="False while old records are still being read for the first time.")


class Choices(BaseModel):
    """What one may look for."""

    dialogs: list[str]
    outcomes: list[str]
    campaigns: list[str]


def index_of(request: Request) -> RecordIndex:
    found: RecordIndex = request.app.state.records
    return found


@history.get("", operation_id="history", responses=told(401, 403, 422, 503))
async def search(
    request: Request,
    who: Viewer,
    text: Annotated[str, Query(max_length=200, description="Words that were said; beginnings will do.")] = "",
    number: Annotated[str, Query(max_length=40, description="Digits of either side's number.")] = "",
    dialog: Annotated[str, Query(max_length=200)] = "",
    outcome: Annotated[str, Query(max_length=200)] = "",
    campaign: Annotated[str, Query(max_length=200)] = "",
    direction: Literal["", "inbound", "outbound", "browser"] = "",
    goal: Annotated[bool | None, Query(description="Whether a goal was reached.")] = None,
    since: Annotated[float | None, Query(ge=0, le=1e11, description="Seconds of the epoch.")] = None,
    until: Annotated[float | None, Query(ge=0, le=1e11, description="Seconds of the epoch.")] = None,
    after: Annotated[str, Query(max_length=120, description="Where the page before ended.")] = "",
    most: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PastCalls:
    """Look for calls, newest first."""
    if after and not _AFTER.match(after):
        raise Trouble(422, [Problem("no page ended there", "send `after` of the page before", "query.after")])
    index = index_of(request)
    wanted = Wanted(text, number, dialog, outcome, direction, campaign, goal, since, until)
    try:
        found = await aside(index.find, wanted, after, most)
    except sqlite3.Error as error:
        raise Trouble(503, f"the index of records cannot be read: {error}", "try again in a moment") from None
    calls = [PastCall.model_validate(each) for each in found.calls]
    return PastCalls(calls=calls, after=found.after, complete=index.ready)


@history.get("/choices", operation_id="history_choices", responses=told(401, 403, 422, 503))
async def choices(request: Request, who: Viewer) -> Choices:
    """The dialogs, outcomes and campaigns that past calls had, the most frequent first."""
    try:
        return Choices.model_validate(await aside(index_of(request).choices))
    except sqlite3.Error as error:
        raise Trouble(503, f"the index of records cannot be read: {error}", "try again in a moment") from None


@history.get(
    "/{call_id}",
    operation_id="record",
    response_model=CallRecord,
    responses=told(401, 403, 404, 422, 503),
)
async def record(who: Viewer, house: TheHouse, call_id: CallId, request: Request) -> Response:
    """A call's record: docs/call-record.md."""
    path = await _record(house.config.var, request, call_id)
    text = await aside(_as_record, path)
    if text is None:
        raise absent(f"the record of call {call_id} cannot be read", "see `voicebot calls show`")
    return Response(text, media_type="application/json")


@history.get(
    "/{call_id}/recording",
    operation_id="recording",
    response_class=FileResponse,
    responses={
        **told(401, 403, 404, 422, 503),
        200: {"description": "The wav: caller left, bot right.", "content": {"audio/wav": {}}},
        206: {"description": "The range of it that was asked for.", "content": {"audio/wav": {}}},
        400: {"description": "The range is none.", "content": {"text/plain": {}}},
        416: {"description": "The range is not in it.", "content": {"text/plain": {}}},
    },
)
async def recording(who: Viewer, house: TheHouse, call_id: CallId, request: Request) -> Response:
    """A call's recording; takes `Range`."""
    path = await _wav(house.config.var, request, call_id)
    return FileResponse(path, media_type="audio/wav", headers={"cache-control": "private, no-cache"})


@history.get("/{call_id}/peaks", operation_id="peaks", responses=told(401, 403, 404, 409, 422, 503))
async def peaks(who: Viewer, house: TheHouse, call_id: CallId, request: Request) -> Peaks:
    """The shape of a recording: the loudest sample of each moment, of both sides."""
    path = await _wav(house.config.var, request, call_id)
    return await aside(peaks_of, path)


async def _record(var: Path, request: Request, id: str) -> Path:
    def find() -> Path | None:
        try:
            day = index_of(request).day_of(id)
        except sqlite3.Error:
            day = ""
        return record_path(var, id, day)

    path = await aside(find)
    if path is None:
        raise absent(f"there is no record of call {id}", "it may be live still, or was erased")
    return path


async def _wav(var: Path, request: Request, id: str) -> Path:
    path = await _record(var, request, id)

    def find() -> Path | None:
        record = read_json(path)
        return None if record is None else recording_path(path, record.get("recording"), var)

    found = await aside(find)
    if found is None:
        raise absent(f"call {id} has no recording", "routes and campaigns say whether they record")
    return found


def _as_record(path: Path) -> bytes | None:
    """Return a record as this version writes it; one that is none, never."""
    try:
        return encoded(CallRecord.model_validate_json(path.read_bytes()).model_dump(mode="json"))
    except (OSError, ValueError):
        return None
