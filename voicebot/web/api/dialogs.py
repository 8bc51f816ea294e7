"""Dialogs in service: what they are, what is wrong with them, their pictures, and a box to try one."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel, Field, StrictBool

from voicebot.dialog.loading.files import read_text
from voicebot.errors import Problem, UserError
from voicebot.web.api.shapes import Shape, ThingName
from voicebot.web.aside import Desk, aside
from voicebot.web.chat import Chat, Chats, ChatTurn
from voicebot.web.examining import Examined, drawn, examine_file, examine_text
from voicebot.web.house import DialogInService, House
from voicebot.web.naming import dialog_named, named
from voicebot.web.problems import ProblemOut, Trouble, absent, told
from voicebot.web.security.needs import Author, TheHouse, Viewer

dialogs = APIRouter(prefix="/dialogs", tags=["dialogs"])
ONE = told(401, 403, 404, 422, 503)
ACTING = told(400, 401, 403, 404, 409, 413, 422, 503)


class DialogOut(BaseModel):
    """A dialog in service."""

    name: str = Field(description="How it is called here: its file's name.")
    file: str
    about: str = Field(description="What it is for, in its author's words.")
    version: str = Field(description="Fingerprint of what calls have that begin now.")
    since: float = Field(description="Since when, seconds of the epoch.")
    calls: int = Field(description="Live calls in it.")
    problems: list[ProblemOut] = Field(description="Why the file as it is now was refused.")


class DialogDetail(DialogOut):
    """A dialog in service, and where its calls are."""

    text: str = Field(description="The file as it is now.")
    steps: dict[str, int] = Field(description="Live calls by step.")


class FindingOut(ProblemOut):
    """Something that is wrong with a dialog."""

    line: int | None
    column: int | None
    code: str
    warning: bool = Field(description="It does not keep the dialog from running.")


class Findings(BaseModel):
    """All that is wrong."""

    runs: bool = Field(description="Calls can have it.")
    findings: list[FindingOut]


class Draft(Shape):
    """A dialog that is not saved."""

    text: str = Field(max_length=1_048_576, description="YAML, as in a file.")


def _calls_by_file(house: House) -> dict[str, Counter[str]]:
    """Return live calls by step, by the dialog's real file."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for call in house.calls.calls():
        view: Any = call
        told[view.dialog_file][str(view.step)] += 1
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for file, steps in told.items():
        found[str(house.config.resolve(file))] += steps
    return found


def _calls_in(house: House, dialog: DialogInService) -> Counter[str]:
    """Return live calls by step."""
    return _calls_by_file(house).get(dialog.file, Counter())


def _out(name: str, dialog: DialogInService, calls: int) -> dict[str, Any]:
    return {
        "name": name,
        "file": dialog.file,
        "about": dialog.about,
        "version": dialog.version,
        "since": dialog.since.timestamp(),
        "calls": calls,
        "problems": [{"what": p.what, "remedy": p.remedy, "where": p.where} for p in dialog.problems],
    }


@dialogs.get("", operation_id="dialogs", responses=told(401, 403, 422, 503))
async def all_dialogs(who: Viewer, house: TheHouse) -> list[DialogOut]:
    """The dialogs in service."""
    calls = _calls_by_file(house)
    return [
        DialogOut(**_out(name, each, calls.get(each.file, Counter()).total()))
        for name, each in named(house).items()
    ]


@dialogs.post("/check", operation_id="check_text", responses=ACTING)
async def check_text(request: Request, who: Author, given: Draft) -> Findings:
    """Find what is wrong with a dialog that is not saved. What it includes is looked for in the library."""
    return _findings(await _desk(request).do(examine_text, given.text))


@dialogs.get("/{name}", operation_id="dialog", responses=ONE)
async def one_dialog(who: Viewer, house: TheHouse, name: ThingName) -> DialogDetail:
    """One dialog: its text, and where its calls are."""
    dialog = dialog_named(house, name)
    try:
        text = await aside(read_text, dialog.file)
    except UserError:
        text = ""
    steps = _calls_in(house, dialog)
    return DialogDetail(**_out(name, dialog, steps.total()), text=text, steps=dict(steps))


@dialogs.get("/{name}/check", operation_id="check_dialog", responses=ONE)
async def check(request: Request, who: Viewer, house: TheHouse, name: ThingName) -> Findings:
    """Find what is wrong with a dialog's file as it is now."""
    dialog = dialog_named(house, name)
    return _findings(await _desk(request).do(examine_file, Path(dialog.file)))


@dialogs.get("/{name}/steps", operation_id="dialog_steps", responses=ONE)
async def steps(who: Viewer, house: TheHouse, name: ThingName) -> dict[str, int]:
    """Live calls by step, for the picture."""
    return dict(_calls_in(house, dialog_named(house, name)))


@dialogs.get(
    "/{name}/picture.svg",
    operation_id="picture",
    response_class=Response,
    responses={
        **told(401, 403, 404, 409, 422, 503),
        200: {"description": "The dialog's flow; boxes have `data-step`.", "content": {"image/svg+xml": {}}},
    },
)
async def picture(
    request: Request,
    who: Viewer,
    house: TheHouse,
    name: ThingName,
    deep: Annotated[bool, Query(description="Draw included dialogs, too.")] = False,
    counts: Annotated[bool, Query(description="Write live calls into the boxes.")] = False,
) -> Response:
    """The dialog as a picture: every way that a call may take."""
    dialog = dialog_named(house, name)
    there = dict(_calls_in(house, dialog)) if counts else {}
    found = await _desk(request).do(drawn, Path(dialog.file), deep, there)
    if not isinstance(found, str):
        raise Trouble(409, found)
    return Response(found, media_type="image/svg+xml")


def _desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


def _findings(found: Examined) -> Findings:
    return Findings(
        runs=found.runs,
        findings=[_finding(p, False) for p in found.mistakes] + [_finding(p, True) for p in found.warnings],
    )


def _finding(problem: Problem, warning: bool) -> FindingOut:
    return FindingOut(
        what=problem.what,
        remedy=problem.remedy,
        where=problem.where,
        line=problem.line,
        column=problem.column,
        code=problem.code,
        warning=warning,
    )


# --- the chat box ---------------------------------------------------------------------------------------

ChatId = Annotated[str, InPath(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="A chat's id.")]


class NewChat(Shape):
    """How a chat begins."""

    given: dict[str, str | int | float | bool] = Field(
        default_factory=dict, max_length=100, description="Values that the dialog needs."
    )
    language: str = Field("", pattern=r"^[A-Za-z-]{0,20}$", description="The language that it begins in.")
    live: StrictBool = Field(False, description="Really ask services, run hooks, and ask language models.")


class Line(Shape):
    """What the caller says; as in `voicebot dialog chat`: `/dtmf 5`, `/silence`, `/hangup`, `/fetch ...`."""

    text: str = Field(max_length=2000, examples=["next Tuesday"])


class ChatOut(BaseModel):
    """A chat, and the turns that are new."""

    id: str
    dialog: str
    turns: list[ChatTurn]
    ended: bool


def _chats(request: Request) -> Chats:
    found: Chats = request.app.state.chats
    return found


def _chat(request: Request, name: str, id: str, who: str) -> Chat:
    chat = _chats(request).get(id, who)
    if chat is None or chat.dialog != name:
        raise absent("there is no such chat", "it has ended, or nobody used it for long: begin a new one")
    return chat


@dialogs.post("/{name}/chat", operation_id="begin_chat", responses=ACTING)
async def begin_chat(
    request: Request, who: Author, house: TheHouse, name: ThingName, given: NewChat
) -> ChatOut:
    """Begin to talk to a dialog in writing, as its file is now."""
    dialog = dialog_named(house, name)
    try:
        chat, turns = await _chats(request).begin(
            name, Path(dialog.file), given.given, given.language, given.live, who.name
        )
    except UserError as error:
        raise Trouble(422, error.problems) from None
    return ChatOut(id=chat.id, dialog=name, turns=turns, ended=chat.ended)


@dialogs.post("/{name}/chat/{chat_id}", operation_id="chat", responses=ACTING)
async def say(request: Request, who: Author, name: ThingName, chat_id: ChatId, given: Line) -> ChatOut:
    """Say something, or do something else that callers do."""
    chat = _chat(request, name, chat_id, who.name)
    turns = await _chats(request).say(chat, given.text)
    return ChatOut(id=chat.id, dialog=name, turns=turns, ended=chat.ended)


@dialogs.delete("/{name}/chat/{chat_id}", operation_id="end_chat", responses=ACTING)
async def end_chat(request: Request, who: Author, name: ThingName, chat_id: ChatId) -> dict[str, bool]:
    """End a chat."""
    _chats(request).end(_chat(request, name, chat_id, who.name))
    return {"done": True}
