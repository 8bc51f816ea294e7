"""A call's record, from its first line to the disk."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog

from voicebot.call.record import CallRecord, DialogReference, Party, write_record
from voicebot.config import Config, Route
from voicebot.dialog.model.dialog import Dialog

log = structlog.get_logger(__name__)

AGAIN_S = 5.0
"""Between tries to write what the disk did not take."""
MOST_WAITING = 500
"""Records that wait for the disk; of more, the oldest is lost."""


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


class RecordKeeper:
    """Writes the records of a process's calls. What the disk does not take waits in memory until it does."""

    def __init__(self, var: Path) -> None:
        self._var = var
        self._waiting: deque[CallRecord] = deque()
        self._trying: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def keep(self, record: CallRecord) -> Path | None:
        """Write a record that is complete; return its file; None: it waits, or is lost."""
        try:
            return await asyncio.to_thread(write_record, self._var, record)
        except ValueError as error:  # a text that is none
            _lost(record, error)
        except OSError as error:
            _tell("call record waits for the disk", record, error)
            self._waiting.append(record)
            if len(self._waiting) > MOST_WAITING:
                _lost(self._waiting.popleft(), error)
            if self._trying is None:
                self._trying = asyncio.create_task(self._try_on(), name="call records")
        return None

    async def close(self) -> None:
        """Try once more; what cannot be written now is lost."""
        self._closing.set()
        if self._trying is not None:
            await asyncio.wait({self._trying})

    async def _try_on(self) -> None:
        while self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._closing.wait()
            error = await self._write()
            if error is not None and self._closing.is_set():
                for record in self._waiting:
                    _lost(record, error)
                return
        self._trying = None

    async def _write(self) -> Exception | None:
        """Write what waits, the oldest first; return why that ended early."""
        while self._waiting:
            record = self._waiting[0]
            try:
                path = await asyncio.to_thread(write_record, self._var, record)
                log.info("call record written late", call=record.id, record=str(path))
            except OSError as error:
                return error
            except ValueError as error:
                _lost(record, error)
            if self._waiting and self._waiting[0] is record:  # else there were too many meanwhile
                self._waiting.popleft()
        return None


def _lost(record: CallRecord, error: Exception) -> None:
    _tell("call record lost", record, error)


def _tell(what: str, record: CallRecord, error: Exception) -> None:
    log.error(what, call=record.id, error=str(error), outcome=record.outcome)
