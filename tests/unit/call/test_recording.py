"""unit: a recording on a disk that takes no more, and what is never in it. The disk is a temporary folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from voicebot.audio.wav import StereoWriter
from voicebot.call import recording
from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub
from voicebot.call.privacy import Privacy
from voicebot.call.record import CallRecord
from voicebot.call.recording import FLUSH_FRAMES, Recording
from voicebot.call.recording_control import RecordingControl
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

FRAME = b"\x01\x02" * 160


class FullDisk(StereoWriter):
    """Takes the header and nothing after it."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


async def test_a_disk_that_fills_up_at_the_very_end_is_a_fault_and_not_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "StereoWriter", FullDisk)
    faults: list[str] = []
    taken = Recording(tmp_path / "a.wav", 8000, privacy=Privacy(), reserve_bytes=0, on_fault=faults.append)
    for _ in range(10):
        taken.take(FRAME, FRAME)
    await taken.close()
    assert faults == ["recording stopped: No space left on device"]


async def test_a_recording_that_never_began_is_none(tmp_path: Path) -> None:
    faults: list[str] = []
    file = tmp_path / "day" / "a.wav"
    taken = Recording(file, 8000, privacy=Privacy(), reserve_bytes=1 << 62, on_fault=faults.append)
    with capture_logs() as logs:
        for _ in range(10):
            taken.take(FRAME, FRAME)
        assert await taken.close() is None
    assert not file.exists()
    assert faults == ["recording stopped: free disk space is below limits.reserve_mb"]
    assert [entry["error"] for entry in logs] == ["free disk space is below limits.reserve_mb"]


class Port:
    """A media port, as far as a recording needs one."""

    def __init__(self) -> None:
        self.taps: list[Any] = []
        self.add_tap, self.remove_tap = self.taps.append, self.taps.remove


async def test_who_watches_is_told_that_nothing_is_recorded_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "StereoWriter", FullDisk)
    faults: list[str] = []
    feed = LiveCalls(Hub(lambda: 0.0)).begin(CallRecord(id="a", started_at=datetime.now(UTC)))
    port: Any = Port()
    made = Recording(tmp_path / "a.wav", 8000, privacy=Privacy(), reserve_bytes=0, on_fault=faults.append)
    control = RecordingControl(
        record=feed.record,
        port=port,
        live=feed,
        make=lambda: made,
        ms=lambda: 0,
        wanted=True,
        changed=lambda: None,
    )
    for _ in range(FLUSH_FRAMES):
        port.taps[0](FRAME, FRAME)
    assert made._pending is not None
    await made._pending
    assert faults and control.state == feed.view().recording == "off"
    with pytest.raises(UserError, match="the recording has failed"):
        control.do("start")
    await control.close()
