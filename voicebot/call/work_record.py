"""What a call's record says of the work that was done in it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from voicebot.call.record import WorkRecord
from voicebot.dialog.turns import (
    AskModel,
    Fetch,
    Fetched,
    HookDone,
    MessageRecorded,
    RecordMessage,
    Replied,
    RunHook,
    Understood,
    Work,
    WorkResult,
)

LARGEST_RESULT_CHARS = 4096


def work_record(
    work: Work, result: WorkResult, understood: Understood | None, start_ms: int, end_ms: int
) -> WorkRecord:
    """Return the record of some work. Nothing that is sensitive is in it."""
    hidden = work.sensitive or (understood is not None and understood.sensitive)
    record = WorkRecord(kind=_KINDS[type(work)], step=work.step, start_ms=start_ms, end_ms=end_ms)
    match work:
        case Fetch():
            record.name = work.method.upper() if hidden else f"{work.method.upper()} {_host(work.url)}"
        case RunHook():
            record.name = work.name
        case AskModel():
            record.name = work.model
        case RecordMessage():
            pass
    match result:
        case Fetched():
            record.status, record.error = result.status, result.error
            record.result = None if hidden else _small(result.body)
        case HookDone():
            record.error = result.error
            record.result = None if hidden else _small(result.value)
        case Replied():
            record.error = result.error
            tools = [{"name": tool.name, "arguments": tool.arguments} for tool in result.tools]
            record.result = None if hidden or not tools else _small(tools)
        case MessageRecorded():
            record.recording = Path(result.path).name if result.path else None
            record.ended_by, record.length_ms = result.ended_by, result.ms
    return record


def _small(value: object) -> object:
    """Return `value` as JSON has it, None where it is large."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return json.loads(text) if len(text) <= LARGEST_RESULT_CHARS else None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


_KINDS = {Fetch: "fetch", RunHook: "hook", RecordMessage: "message", AskModel: "reply"}
