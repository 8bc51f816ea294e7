"""Live calls: looking at them, and acting on them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from voicebot.call.calls_live import LiveCall
from voicebot.switchboard.supervisors.supervisors import Possible, Visit
from voicebot.web.api.shapes import (
    CallDetail,
    CallId,
    CallList,
    Correct,
    Done,
    Hold,
    Jump,
    NewVisit,
    RecordingAction,
    Say,
    Transfer,
    VisitMode,
)
from voicebot.web.aside import aside
from voicebot.web.house import House, Supervisors
from voicebot.web.plain import encoded
from voicebot.web.problems import Trouble, absent, told
from voicebot.web.security.needs import Supervisor, TheHouse, Viewer
from voicebot.web.security.roles import Identity

calls = APIRouter(tags=["calls"])
LOOKING = told(401, 403, 422, 503)
ONE = told(401, 403, 404, 422, 503)
ACTING = told(400, 401, 403, 404, 409, 413, 422, 502, 503)
VisitId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,80}$", description="A visit's id.")]


def live_call(house: TheHouse, call_id: CallId) -> LiveCall:
    """The call that the path names: `Depends(live_call)`. Raises Trouble 404."""
    call = house.calls.call(call_id)
    if call is None:
        raise absent(f"there is no live call {call_id}", "it may have ended: look at the live calls")
    return call


def supervisors_of(house: TheHouse) -> Supervisors:
    """Raises Trouble 404 where nobody can act on calls."""
    if house.supervisors is None:
        raise absent("this gateway has no supervision", "see docs/supervision.md")
    return house.supervisors


Called = Annotated[LiveCall, Depends(live_call)]
Hands = Annotated[Supervisors, Depends(supervisors_of)]


def phone_of(house: House, who: Identity, given: str | None) -> str:
    """Return the telephone that is given, or one's own. Raises Trouble 422 where there is none."""
    channel = given or house.config.supervision.phones.get(who.name, "")
    if not channel:
        remedy = f'add `{who.name} = "PJSIP/..."` to [supervision.phones], or give a channel'
        raise Trouble(422, "nobody knows your telephone", remedy)
    return channel


@calls.get("/calls", operation_id="live_calls", response_model=CallList, responses=LOOKING)
async def all_calls(who: Viewer, house: TheHouse) -> Response:
    """All live calls, the oldest first, without their conversations."""
    views = house.calls.calls()
    text = await aside(lambda: encoded({"calls": [v.as_dict(turns=False) for v in views]}))
    return Response(text, media_type="application/json")


@calls.get("/calls/{call_id}", operation_id="live_call", response_model=CallDetail, responses=ONE)
async def one_call(who: Viewer, call: Called) -> Response:
    """One live call, with its conversation so far."""
    return Response(await aside(lambda: encoded(call.as_dict())), media_type="application/json")


@calls.get("/calls/{call_id}/may", operation_id="call_may", responses=told(401, 403, 404, 409, 422, 503))
async def may(who: Viewer, call: Called, hands: Hands) -> Possible:
    """The steps that the call can be sent to, and the slots that can be corrected."""
    return hands.may(call.id)


@calls.post("/calls/{call_id}/say", operation_id="say", responses=ACTING)
async def say(who: Supervisor, call: Called, hands: Hands, given: Say, request: Request) -> Done:
    """Let the bot say something, in its own voice."""
    request.state.detail = {"text": given.text}
    await hands.say(call.id, given.text, who.name)
    return Done()


@calls.post("/calls/{call_id}/correct", operation_id="correct", responses=ACTING)
async def correct(who: Supervisor, call: Called, hands: Hands, given: Correct, request: Request) -> Done:
    """Give a slot another value. The call's record keeps what it was, unless it is sensitive."""
    request.state.detail = {"slot": given.slot}
    await hands.correct(call.id, given.slot, given.value, who.name)
    return Done()


@calls.post("/calls/{call_id}/jump", operation_id="jump", responses=ACTING)
async def jump(who: Supervisor, call: Called, hands: Hands, given: Jump, request: Request) -> Done:
    """Let the dialog go on at another step."""
    request.state.detail = {"step": given.step}
    await hands.jump(call.id, given.step, who.name)
    return Done()


@calls.post("/calls/{call_id}/repeat", operation_id="repeat", responses=ACTING)
async def repeat(who: Supervisor, call: Called, hands: Hands) -> Done:
    """Let the bot say its last words again."""
    await hands.repeat(call.id, who.name)
    return Done()


@calls.post("/calls/{call_id}/hold", operation_id="hold", responses=ACTING)
async def hold(
    who: Supervisor, call: Called, hands: Hands, request: Request, given: Hold | None = None
) -> Done:
    """Let the bot fall silent and wait, after a word if you like."""
    words = (given.text if given is not None else None) or ""
    request.state.detail = {"text": words} if words else {}
    await hands.hold(call.id, who.name, words=words)
    return Done()


@calls.post("/calls/{call_id}/release", operation_id="release", responses=ACTING)
async def release(who: Supervisor, call: Called, hands: Hands) -> Done:
    """Let the bot go on."""
    await hands.release(call.id, who.name)
    return Done()


@calls.post("/calls/{call_id}/end", operation_id="end_call", responses=ACTING)
async def end(who: Supervisor, call: Called, hands: Hands) -> Done:
    """Hang up."""
    await hands.end(call.id, who.name)
    return Done()


@calls.post("/calls/{call_id}/recording", operation_id="record_call", responses=ACTING)
async def recording(
    who: Supervisor, call: Called, hands: Hands, given: RecordingAction, request: Request
) -> Done:
    """Start, pause, resume or stop the recording."""
    request.state.detail = {"action": given.action}
    await hands.recording(call.id, given.action, who.name)
    return Done()


@calls.post("/calls/{call_id}/transfer", operation_id="transfer_call", responses=ACTING)
async def transfer(who: Supervisor, call: Called, hands: Hands, given: Transfer, request: Request) -> Done:
    """Give the caller to a queue, a conference, or an extension."""
    request.state.detail = {"to": given.to, "kind": given.kind}
    await hands.transfer(call.id, given.to, given.kind, who.name)
    return Done()


@calls.get("/visits", operation_id="visits", responses=told(401, 403, 404, 422, 503))
async def visits(who: Viewer, hands: Hands) -> list[Visit]:
    """All supervisors who are on calls by telephone."""
    return list(hands.visits())


@calls.post("/calls/{call_id}/visits", operation_id="visit", responses=ACTING)
async def visit(
    who: Supervisor, call: Called, hands: Hands, house: TheHouse, given: NewVisit, request: Request
) -> Visit:
    """Ring a telephone; who answers is on the call."""
    channel = phone_of(house, who, given.channel)
    request.state.detail = {"mode": given.mode, "channel": channel}
    return await hands.visit(call.id, given.mode, who.name, channel)


def _known_visit(hands: Supervisors, id: str) -> None:
    if id not in {each.id for each in hands.visits()}:
        raise absent(f"there is no visit {id}", "it may be over")


@calls.post("/visits/{visit_id}", operation_id="change_visit", responses=ACTING)
async def change_visit(who: Supervisor, visit_id: VisitId, hands: Hands, given: VisitMode) -> Visit:
    """Listen, whisper, barge in or take over from now on."""
    _known_visit(hands, visit_id)
    return await hands.change(visit_id, given.mode)


@calls.delete("/visits/{visit_id}", operation_id="end_visit", responses=ACTING)
async def end_visit(who: Supervisor, visit_id: VisitId, hands: Hands) -> Done:
    """Leave the call; its telephone is hung up."""
    _known_visit(hands, visit_id)
    await hands.leave(visit_id)
    return Done()
