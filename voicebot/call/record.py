"""The record that every call leaves: `var/calls/YYYY-MM-DD/<id>.json`. Its schema is in docs/call-record.md.

All `*_ms` times count from the moment the call was answered; times of day are UTC.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voicebot.errors import Problem, UserError
from voicebot.files import write_whole

SCHEMA_VERSION = 1
HIDDEN = "•••"
"""Stands where words or keys of a sensitive step would stand."""


InterruptedBy = Literal["speech", "dtmf", "timeout", "hangup", "machine", "supervisor"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Party(_Part):
    """One side of the call."""

    number: str = Field("", description="As Asterisk gave it; empty when withheld.")
    name: str = Field("", description="The name shown with it.")


class DialogReference(_Part):
    """Which dialog ran."""

    name: str = Field("", description="Its `dialog:` line.")
    file: str = Field("", description="Its file.")
    version: str = Field(
        "", description="Fingerprint of the file's text: the version that this call kept to its end."
    )
    language: str = Field("", description="The language it began in.")


class BotTurnRecord(_Part):
    """What the bot said in one turn."""

    who: Literal["bot"] = Field("bot", description="Tells the two kinds of turns apart.")
    step: str = Field("", description="The dialog step that spoke last.")
    text: str = Field("", description="What it set out to say.")
    heard: str = Field(
        "", description="What the caller really heard of it; equal to `text` unless interrupted."
    )
    start_ms: int | None = Field(None, description="First audible packet sent; null if none was.")
    end_ms: int | None = Field(None, description="Last packet, or the moment of the interruption.")
    latency_ms: int | None = Field(
        None,
        description="From the end of what the caller said or keyed to the first packet, pause included.",
    )
    pause_ms: int | None = Field(None, description="How much of that was the pause that ends an answer.")
    interrupted_by: InterruptedBy | None = Field(
        None, description="What cut it short; `machine`: what answered turned out to be one."
    )
    held: int = Field(0, description="How often a noise held the prompt before it went on.")


class CallerTurnRecord(_Part):
    """What the caller did in one turn."""

    who: Literal["caller"] = Field("caller", description="Tells the two kinds of turns apart.")
    kind: Literal["speech", "dtmf", "silence", "unheard"] = Field(
        description="`unheard`: recognition failed, which is our fault."
    )
    step: str = Field("", description="The step that was asking.")
    text: str = Field("", description="The transcript, or the keys.")
    start_ms: int | None = Field(None, description="Onset of speech or the first key.")
    end_ms: int | None = Field(None, description="Last voiced frame or the last key.")
    confidence: float | None = Field(None, description="0 to 1, null where the engine has none.")
    engine: str = Field("", description="The recogniser.")
    recognition_ms: float | None = Field(None, description="From asking for the transcript to having it.")
    understood: str = Field("", description="match, nomatch, noinput, command, unheard.")
    meaning: str = Field("", description="The slot value, choice or command it was taken for.")


class WorkRecord(_Part):
    """Something that was done for the caller: a look-up, a hook, a message, a language model's reply."""

    kind: Literal["fetch", "hook", "message", "reply"] = Field(description="What was done.")
    step: str = Field("", description="The step that asked for it.")
    name: str = Field("", description="Method and host, the hook's name, the model.")
    start_ms: int = Field(0, description="When it was begun.")
    end_ms: int = Field(0, description="When the dialog had the result.")
    status: int | None = Field(None, description="HTTP status; null where there was none.")
    error: str = Field("", description="Why it failed; empty where it did not.")
    result: Any = Field(
        None,
        description="What came of it: a look-up's reply, a hook's value, the tools that a model used; null "
        "where it is sensitive or larger than 4 KiB.",
    )
    recording: str | None = Field(None, description="A message's wav beside this file.")
    ended_by: str = Field("", description="What ended a message: silence, key, longest, hangup, error.")
    length_ms: int | None = Field(None, description="How long a message is.")


TurnRecord = BotTurnRecord | CallerTurnRecord


class InterventionRecord(_Part):
    """Something that a supervisor did to the call."""

    at_ms: int = Field(0, description="When, counted from the answer.")
    by: str = Field("", description="Who.")
    what: str = Field(
        description="say, correct, jump, repeat, hold, release, end, transfer, recording, listen, whisper, "
        "barge, take_over, leave."
    )
    detail: str = Field("", description="The words, `slot = value` (`•••` where sensitive), step, telephone.")


class GapRecord(_Part):
    """A stretch of a recording that is silent, since somebody wanted it so."""

    from_ms: int = Field(description="Counted from the answer, as is the recording.")
    to_ms: int | None = Field(None, description="Null: to its end.")
    why: Literal["not_begun", "paused", "stopped"] = Field(description="Why.")


class JudgementRecord(_Part):
    """Who had answered, as far as could be told at that moment."""

    at_ms: int = Field(description="When it was judged so, counted from the answer.")
    by: Literal["person", "machine", "unknown"] = Field(description="Who.")
    confidence: float = Field(description="0.5 (a guess) to 1.")
    why: str = Field("", description="The strongest evidence: docs/answering.md, or Asterisk's AMDCAUSE.")
    source: Literal["voicebot", "asterisk", "dialog"] = Field(
        "voicebot", description="Whose evidence brought it about: our detector, AMD(), what the callee said."
    )


class OutboundRecord(_Part):
    """What only calls have that we placed."""

    campaign: str = Field(description="For which campaign.")
    attempt: str = Field(description="Which attempt of it.")
    answered_by: Literal["person", "machine", "unknown"] = Field(
        "unknown", description="Who took the call: the last judgement."
    )
    judgements: list[JudgementRecord] = Field(default_factory=list, description="All of them, see below.")
    before_ms: int = Field(
        0, description="From the answer until we had the call: Asterisk's AMD() listens meanwhile."
    )
    first_audio_ms: int | None = Field(
        None, description="From the answer to our first audible packet; null: they heard nothing."
    )
    callee_first_ms: int | None = Field(
        None, description="From the answer to the end of the callee's first words; null: none before ours."
    )
    abandoned: bool = Field(
        False, description="No machine answered, and nothing was heard within 2 s: it counts as abandoned."
    )
    message_left: bool = Field(False, description="The message was spoken to its end.")
    opted_out: bool = Field(False, description="The callee wants no more calls; it was kept before hangup.")
    call_back: datetime | None = Field(None, description="When the callee asked to be called again (UTC).")


class OfferRecord(_Part):
    """One agent who was asked."""

    agent: str = Field(description="Name of the [agents.NAME].")
    at_ms: int = Field(description="When their telephone was rung.")
    ended_ms: int = Field(0, description="When that was decided.")
    outcome: str = Field(
        "",
        description="accepted, declined, no_key, no_answer, busy, unreachable, hung_up, withdrawn, lost.",
    )


class TransferRecord(_Part):
    """A person gave the caller on, or tried to."""

    kind: Literal["blind", "attended"] = Field(description="At once, or after a word with the next.")
    to: str = Field(description="Extension, `queue:NAME` or `agent:NAME`.")
    by: str = Field("", description="Whose wish it was.")
    at_ms: int = Field(description="When it was asked for.")
    outcome: str = Field(
        "", description="completed, cancelled, no_answer, busy, unreachable, hung_up, failed."
    )


class CallBackRecord(_Part):
    """The caller hung up, and kept the place."""

    number: str = Field(description="Where they want to be called.")
    asked_at: datetime = Field(description="When they asked for it (UTC).")
    attempts: list[str] = Field(
        default_factory=list,
        description="How each went: answered, busy, no_answer, unreachable, forbidden, failed, hung_up (the "
        "agent).",
    )
    outcome: str = Field("", description="answered, failed; empty while it is due.")


class PeopleRecord(_Part):
    """One stay in a queue of ours, and who took the call."""

    queue: str = Field(description="Name of the [queues.NAME].")
    priority: int = Field(0, description="With what the queue's rules added.")
    skills: list[str] = Field(default_factory=list, description="What was wanted of the agent.")
    began_ms: int = Field(0, description="When the caller came to the queue.")
    waited_ms: int = Field(0, description="Until somebody had the call, or it ended otherwise.")
    offers: list[OfferRecord] = Field(default_factory=list, description="Who was asked, in order.")
    agent: str = Field("", description="Who took the call; empty: nobody.")
    accepted_ms: int | None = Field(None, description="When the two could talk; null: never.")
    talked_ms: int = Field(0, description="How long the caller was with persons.")
    left_talking: bool = Field(
        False, description="The gateway stopped and left them to Asterisk: they talked on after `talked_ms`."
    )
    outcome: str = Field(
        "",
        description="answered, abandoned, nobody, full, dropped, call_back, transferred; ended: by us, or a "
        "supervisor took the call over.",
    )
    transfers: list[TransferRecord] = Field(default_factory=list, description="To whom the agent gave it.")
    call_back: CallBackRecord | None = Field(None, description="Null where none was asked for.")


class ConferenceRecord(_Part):
    """A stay in a conference."""

    room: str = Field(description="Its name, as in [conferences.NAME].")
    joined_at: datetime = Field(description="When (UTC).")
    ms: int = Field(0, description="For how long.")
    host: bool = Field(False, description="As a host.")
    muted: bool = Field(False, description="Whether nobody could hear them at the end, by a key or a rule.")
    left: Literal["caller", "kicked", "ended", "no_host", "lost", "failed"] = Field(
        "caller",
        description="How it ended: their call did; shown the door; a host or supervisor ended it; the last "
        "host left; the room broke; they could not be joined at all.",
    )


class CallRecord(_Part):
    """One call from answer to hangup."""

    schema_version: int = Field(SCHEMA_VERSION, description="Grows when a reader must change.")
    id: str = Field(description="The call's id, also in every log line.")
    direction: Literal["inbound", "outbound", "browser"] = Field(
        "inbound", description="Who called whom; `browser`: somebody spoke by a browser's microphone."
    )
    outbound: OutboundRecord | None = Field(None, description="Null for calls that came in, see below.")
    started_at: datetime = Field(description="Answered (UTC).")
    ended_at: datetime | None = Field(None, description="Everything undone (UTC).")
    duration_ms: int = Field(0, description="From answer to end.")
    caller: Party = Field(Party(), description="Who called.")
    called: Party = Field(Party(), description="What was dialled.")
    channel: str = Field("", description="Asterisk's channel name.")
    dialog: DialogReference = Field(DialogReference(), description="Which dialog ran.")
    stt: str = Field("", description="Name of the [stt.NAME] that listened.")
    tts: str = Field("", description="Name of the [tts.NAME] that spoke.")
    codec: str = Field("", description="Between Asterisk and us.")
    outcome: str = Field(
        "", description="The dialog's own word for how it went; `hangup`, `error`, ... where it had none."
    )
    goal: bool = Field(False, description="True when the dialog reached one of its goals.")
    ended_by: str = Field(
        "",
        description="caller (the other side), bot, handover, supervisor, machine, asterisk_lost, limit, "
        "shutdown, error; left_talking: the gateway stopped, and left caller and person to Asterisk.",
    )
    hangup_cause: int | None = Field(None, description="ITU-T Q.850 cause.")
    hangup_cause_text: str = Field("", description="Asterisk's words for it.")
    slots: dict[str, Any] = Field(
        default_factory=dict, description="What was learned; sensitive slots are not kept."
    )
    turns: list[TurnRecord] = Field(default_factory=list, description="The conversation, see below.")
    work: list[WorkRecord] = Field(default_factory=list, description="What was done meanwhile, see below.")
    people: list[PeopleRecord] = Field(
        default_factory=list, description="Queues of our own and the persons in them, see below."
    )
    conferences: list[ConferenceRecord] = Field(
        default_factory=list, description="Conferences that the caller was in, see below."
    )
    noises: int = Field(0, description="Sounds after prompts that were taken for noise, not for an answer.")
    rtp: dict[str, Any] = Field(
        default_factory=dict, description="Statistics per RFC 3550 and our own counters."
    )
    recording: str | None = Field(None, description="Stereo wav beside this file: caller left, bot right.")
    recording_gaps: list[GapRecord] = Field(
        default_factory=list, description="Where supervisors had it silent, see below."
    )
    interventions: list[InterventionRecord] = Field(
        default_factory=list, description="What supervisors did, see below."
    )
    faults: list[str] = Field(
        default_factory=list, description="What went wrong on our side during the call."
    )

    @property
    def person(self) -> Party:
        """Whom we talk to: who called us, or whom we called."""
        return self.called if self.direction == "outbound" else self.caller

    @property
    def median_latency_ms(self) -> int | None:
        """Median of the bot's reply latencies, None without any."""
        waits = sorted(
            t.latency_ms for t in self.turns if isinstance(t, BotTurnRecord) and t.latency_ms is not None
        )
        return waits[len(waits) // 2] if waits else None


def folder_for(var: Path, started_at: datetime) -> Path:
    """Return the folder that holds the records of calls started on that day (UTC)."""
    return var / "calls" / started_at.astimezone(UTC).strftime("%Y-%m-%d")


def write_record(var: Path, record: CallRecord) -> Path:
    """Write the record whole or not at all. Raises OSError, for instance on a full disk."""
    folder = folder_for(var, record.started_at)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.id}.json"
    text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"
    write_whole(path, text.encode(errors="backslashreplace"), lasting=True)  # as JSON escapes it
    return path


def list_records(var: Path, limit: int | None = None) -> list[Path]:
    """Return the paths of all records, newest first."""
    paths = sorted(
        (var / "calls").glob("????-??-??/*.json"),
        key=lambda p: (p.parent.name, p.stat().st_mtime),
        reverse=True,
    )
    return paths[:limit]


def read_record(path: Path) -> CallRecord:
    """Read one record. Raises UserError when it is not one."""
    try:
        return CallRecord.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(Problem(f"cannot be read: {error.strerror or error}", "", str(path))) from error
    except ValidationError as error:
        first = error.errors()[0]
        what = ": ".join(filter(None, ("not a call record", ".".join(map(str, first["loc"])), first["msg"])))
        raise UserError(Problem(what, "move it away", str(path))) from error


def find_record(var: Path, call_id: str) -> CallRecord:
    """Find a record by its id or the beginning of it; `last` is the newest. Raises UserError."""
    paths = list_records(var)
    found = paths[:1] if call_id == "last" else [p for p in paths if p.stem.startswith(call_id)]
    if len(found) != 1:
        if not paths:
            raise UserError(Problem("there are no calls yet", "", str(var / "calls")))
        what = "no such call" if not found else f"{len(found)} calls begin with that id"
        raise UserError(Problem(f"{call_id}: {what}", "see `voicebot calls list`", str(var / "calls")))
    return read_record(found[0])
