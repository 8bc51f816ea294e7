"""What the API takes and tells of live calls and of people; more of it are views of the parts themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from voicebot.call.lines import LineKind
from voicebot.config.patterns import CHANNEL, NAME
from voicebot.switchboard.conferences.views import RoomView
from voicebot.switchboard.supervisors.modes import Mode
from voicebot.web import patterns

CallId = Annotated[str, Path(pattern=NAME, description="A call's id.", examples=["4f1c09aa51d2be77"])]
ThingName = Annotated[str, Path(pattern=NAME, description="Its name.")]
Words = Annotated[str, Field(min_length=1, max_length=1000, pattern=patterns.WORDS)]
Number = Annotated[str, Field(pattern=patterns.NUMBER, examples=["+12025550142"])]
Telephone = Annotated[str, Field(pattern=CHANNEL, max_length=160, examples=["PJSIP/anna"])]
Target = Annotated[
    str,
    Field(
        pattern=patterns.TARGET,
        description="`queue:NAME`, `conference:NAME`, `agent:NAME`, or an extension.",
        examples=["queue:support"],
    ),
]


class Shape(BaseModel):
    """What a request brings: nothing that is not known."""

    model_config = ConfigDict(extra="forbid")


class Done(BaseModel):
    """It was done."""

    done: Literal[True] = True


class CallSummary(BaseModel):
    """A live call, without its conversation."""

    id: str
    direction: Literal["inbound", "outbound", "browser"]
    caller: str = Field(description="The other side's number.")
    caller_name: str
    called: str
    dialog: str
    dialog_file: str
    dialog_version: str
    route: str
    language: str
    step: str
    state: Literal["talking", "waiting", "with_person", "conference", "taken_over"]
    floor: Literal["bot", "caller", "nobody"] = Field(description="Who talks now.")
    partial: str = Field(description="The words that are being recognised.")
    slots: dict[str, Any] = Field(description="What was learnt; nothing sensitive.")
    started_at: float = Field(description="Seconds of the epoch.")
    latency_ms: int | None = Field(description="Of the last reply.")
    recording: Literal["off", "on", "paused"]
    supervisors: list[str]
    person: str = Field(description="The agent who has the call.")
    queue: str
    summary: str
    campaign: str
    faults: list[str]
    held: bool = Field(description="The bot is silent and deaf, since a supervisor wants it so.")


class LineOut(BaseModel):
    """What happened between two turns. Each kind has its own fields; the others are left out."""

    index: int = Field(
        description="Counted over the whole call: news and snapshots tell the same line by it."
    )
    kind: LineKind
    at_ms: int = Field(description="Counted from the answer, as turns are.")
    by: str = Field("", description="Of an intervention: who.")
    what: str = Field("", description="Of an intervention: what was done, as in the call's record.")
    detail: str = Field("", description="Of an intervention: the words, slot, step, telephone.")
    text: str = Field("", description="Of a fault: what went wrong on our side.")
    language: str = Field("", description="Of a change of language: the new one.")


class CallDetail(CallSummary):
    """A live call with its conversation so far."""

    turns: list[dict[str, Any]] = Field(description="As in the call's record: docs/call-record.md.")
    lines: list[LineOut] = Field(description="What happened between the turns, the latest 100.")


class CallList(BaseModel):
    """The live calls, the oldest first."""

    calls: list[CallSummary]


class Say(Shape):
    """Something for the bot to say in its own voice."""

    text: Words = Field(examples=["One moment please, I am looking."])


class Hold(Shape):
    """What the bot says before it falls silent; null: nothing."""

    text: Words | None = Field(None, examples=["One moment, please."])


class Correct(Shape):
    """Another value for a slot; null forgets what was learnt."""

    slot: str = Field(min_length=1, max_length=64, examples=["day"])
    value: StrictStr | StrictInt | StrictFloat | StrictBool | None = Field(examples=["2026-11-24"])


class Jump(Shape):
    """A step to go to."""

    step: str = Field(min_length=1, max_length=64, examples=["confirm"])


class RecordingAction(Shape):
    """What to do with the recording."""

    action: Literal["start", "pause", "resume", "stop"]


class Transfer(Shape):
    """Where the caller goes."""

    to: Target
    kind: Literal["blind", "attended"] = "blind"


class NewVisit(Shape):
    """A telephone to ring, and what it is for."""

    mode: Mode = "listen"
    channel: Telephone | None = Field(
        None, description="The supervisor's telephone; null: that of [supervision.phones]."
    )


class VisitMode(Shape):
    """What the visit is for from now on."""

    mode: Mode


class Pause(Shape):
    """Why an agent takes no calls."""

    reason: str = Field("", max_length=80, examples=["lunch"])


class Move(Shape):
    """A place in the queue, from 1."""

    position: StrictInt = Field(ge=1, le=10_000)


class Give(Shape):
    """Who gets the caller."""

    agent: str = Field(pattern=NAME, examples=["anna"])


class On(Shape):
    """Whether it is on."""

    on: StrictBool


class Invite(Shape):
    """Whom to call into a room: an agent's or supervisor's name, a telephone, or a number."""

    to: str = Field(pattern=patterns.WHOM, max_length=160, examples=["anna", "PJSIP/anna"])


class DialogName(Shape):
    """A dialog in service."""

    dialog: str = Field(pattern=NAME, examples=["meeting"])


class RoomList(BaseModel):
    """All conferences."""

    rooms: list[RoomView]


class Dial(Shape):
    """Ring a telephone; when it is answered, call the number."""

    number: Number
    channel: Telephone | None = Field(
        None, description="The telephone; null: one's own of [supervision.phones]."
    )


class HangUp(Shape):
    """A channel to end."""

    channel: str = Field(
        min_length=1, max_length=160, pattern=patterns.LEG, examples=["PJSIP/carrier-0000002a"]
    )


class QueuePause(Shape):
    """A member of one of Asterisk's own queues."""

    queue: str = Field("", max_length=80, pattern=r"^[A-Za-z0-9_.-]*$", description="Empty: all queues.")
    member: Telephone
    paused: StrictBool
    reason: str = Field("", max_length=80, pattern=patterns.LINE)


class Monitor(Shape):
    """What to do with Asterisk's own recording of a channel."""

    channel: str = Field(min_length=1, max_length=160, pattern=patterns.LEG)
    action: Literal["start", "stop", "pause", "resume"]


class Leg(BaseModel):
    """What was begun."""

    id: str = Field(description="The leg's channel id.")
