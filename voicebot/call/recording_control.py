"""Starts, pauses, resumes and stops the recording of a call, from outside and at any time.

The file always keeps step with the record: what was not recorded is silence in it. Whatever is asked for
here, nothing sensitive is recorded: the recording looks at the call's `Privacy` itself, frame by frame.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from voicebot.call.calls_live import CallFeed, RecordingState
from voicebot.call.record import CallRecord, GapRecord
from voicebot.call.recording import Recording
from voicebot.errors import UserError
from voicebot.media.port import MediaPort

RecordingAction = Literal["start", "pause", "resume", "stop"]


class RecordingControl:
    """The recording of one call.

    make:    what records, to a new file
    ms:      time since the answer
    changed: is told when it begins, pauses, goes on or stops
    """

    def __init__(
        self,
        *,
        record: CallRecord,
        port: MediaPort,
        live: CallFeed,
        make: Callable[[], Recording],
        ms: Callable[[], int],
        wanted: bool,
        changed: Callable[[], None],
    ) -> None:
        self._record = record
        self._port = port
        self._live = live
        self._make = make
        self._ms = ms
        self._changed = changed
        self._recording: Recording | None = None
        self._gap: GapRecord | None = None
        self.state: RecordingState = "off"
        if wanted:
            self._begin()

    def do(self, action: RecordingAction) -> None:
        """Do it now. Raises UserError where it is not possible as things stand."""
        match action, self.state:
            case "start", "off":
                self._begin()
            case "pause", "on":
                self._pause("paused", "paused")
            case "resume", "paused":
                self._go_on()
            case "stop", "on" | "paused":
                self._close_gap()
                self._pause("stopped", "off")
            case _:
                raise UserError(f"the recording is {self.state}", _REMEDIES[self.state])

    def _begin(self) -> None:
        if self._recording is not None:
            if self._recording.failed:
                raise UserError(
                    "the recording has failed", "see the call's faults: is there room on the disk?"
                )
            self._go_on()
            return
        self._recording = self._make()
        self._recording.on_failed = lambda: self._stand("off")
        if (late := self._ms()) > 0:
            self._recording.skip(late)
            self._record.recording_gaps.append(GapRecord(from_ms=0, to_ms=late, why="not_begun"))
        self._port.add_tap(self._recording.take)
        self._stand("on")

    def _pause(self, why: Literal["paused", "stopped"], state: RecordingState) -> None:
        assert self._recording is not None
        self._recording.paused = True
        self._gap = GapRecord(from_ms=self._ms(), to_ms=None, why=why)
        self._record.recording_gaps.append(self._gap)
        self._stand(state)

    def _go_on(self) -> None:
        assert self._recording is not None
        self._recording.paused = False
        self._close_gap()
        self._stand("on")

    def _close_gap(self) -> None:
        if self._gap is not None:
            self._gap.to_ms = self._ms()
            self._gap = None

    def _stand(self, state: RecordingState) -> None:
        self.state = state
        self._live.recording(state)
        self._changed()

    async def close(self) -> Path | None:
        """The call is over. Returns the file, None where nothing was recorded."""
        if self._recording is None:
            return None
        self._port.remove_tap(self._recording.take)
        self._recording.on_failed = lambda: None
        return await self._recording.close()


_REMEDIES = {
    "off": "start it first",
    "on": "it can be paused or stopped",
    "paused": "it can be resumed or stopped",
}
