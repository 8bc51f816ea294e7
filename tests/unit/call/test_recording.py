"""unit: a recording on a disk that takes no more, and what is never in it. The disk is a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.audio.wav import StereoWriter
from voicebot.call import recording
from voicebot.call.privacy import Privacy
from voicebot.call.recording import Recording

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
