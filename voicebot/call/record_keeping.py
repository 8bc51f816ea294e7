"""A call's record, from its first line to the disk."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import structlog

from voicebot.call.record import CallRecord, DialogReference, Party, write_record
from voicebot.config import Config, Route
from voicebot.dialog.model.dialog import Dialog

log = structlog.get_logger(__name__)


def record_for(
    call_id: str, config: Config, route: Route, dialog: Dialog, *, caller: Party, called: Party, channel: str
) -> CallRecord:
    """Return the record of a call that begins now, and is held with this dialog on this route."""
    return CallRecord(
        id=call_id,
        started_at=datetime.now(UTC),
        caller=caller,
        called=called,
        channel=channel,
        dialog=DialogReference(
            name=dialog.name,
            file=route.dialog,
            version=dialog.version,
            language=route.language or dialog.language,
        ),
        stt=route.stt,
        tts=route.tts,
        codec=config.media.codec,
    )


def outcome_without_dialog(ended_by: str) -> str:
    """Return the outcome of a call whose dialog did not come to an end."""
    return {"caller": "hangup", "": "error"}.get(ended_by, ended_by)


async def keep(var: Path, record: CallRecord) -> Path | None:
    """Write a record that is complete; return its file, None where it is lost: the log says why."""
    try:
        return await asyncio.to_thread(write_record, var, record)
    except (OSError, ValueError) as error:  # a full disk; a text that is none
        log.error("call record lost", call=record.id, error=str(error), outcome=record.outcome)
        return None
