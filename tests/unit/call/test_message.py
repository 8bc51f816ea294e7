"""unit: messages of callers, frame by frame, into wav files of a temporary folder."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest

from voicebot.audio.wav import read_wav
from voicebot.call import message as module
from voicebot.call.message import EndedBy, MessageRecorder
from voicebot.dialog.turns import MessageRecorded, RecordMessage
from voicebot.media.port import HeardFrame
from voicebot.speech.endpointer import Endpointer

pytestmark = pytest.mark.unit

RATE = 8000
CHANCE = np.random.default_rng(7)
WORK = RecordMessage("message", longest_ms=20_000, shortest_ms=1000, silence_ms=2000, noinput_ms=4000)


class Box:
    """A recorder and what it told."""

    def __init__(self, folder: Path, work: RecordMessage = WORK, reserve_bytes: int = 0) -> None:
        self.path = folder / "day" / "a-message-1.wav"
        self.ended: list[EndedBy] = []
        self.faults: list[str] = []
        self.recorder = MessageRecorder(
            self.path,
            work,
            RATE,
            Endpointer(RATE),
            reserve_bytes=reserve_bytes,
            ended=self.ended.append,
            on_fault=self.faults.append,
        )

    async def hear(self, seconds: float, *, voice: bool) -> None:
        for _ in range(round(seconds * 50)):
            noise = CHANCE.normal(0, 3000 if voice else 3, 160).astype(np.int16)
            level = 20 * np.log10(float(np.sqrt(np.mean(noise.astype(float) ** 2))) / 32768)
            self.recorder.take(HeardFrame(noise.tobytes(), voice, level, False, 0.0))
        for _ in range(3):
            await asyncio.sleep(0)

    async def finish(self, by: EndedBy | None = None) -> MessageRecorded:
        return await self.recorder.finish(by or self.ended[0])

    @property
    def files(self) -> list[str]:
        return [path.name for path in self.path.parent.iterdir()] if self.path.parent.exists() else []


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


async def test_a_message_ends_by_silence_which_is_not_kept(box: Box) -> None:
    await box.hear(1, voice=False)
    await box.hear(3, voice=True)
    await box.hear(1, voice=False)  # a pause for thought
    await box.hear(3, voice=True)
    assert box.ended == []
    await box.hear(5, voice=False)
    assert box.ended == ["silence"]
    result = await box.finish()
    assert result.path == str(box.path)
    assert result.ms == pytest.approx(7000, abs=700)
    wav = read_wav(box.path)
    assert (wav.sample_rate, len(wav.samples) * 1000 // RATE) == (RATE, result.ms)
    assert np.abs(wav.samples[RATE : 2 * RATE]).mean() > 1000
    with wave.open(str(box.path)) as file:
        assert (file.getsampwidth(), file.getnchannels()) == (2, 1)
    assert box.files == [box.path.name]


async def test_keys_and_hang_ups_end_it_too(box: Box) -> None:
    await box.hear(3, voice=True)
    box.recorder.press("5")
    assert box.ended == []
    box.recorder.press("#")
    box.recorder.press("#")
    assert box.ended == ["key"]
    await box.hear(3, voice=True)
    assert (await box.finish("hangup")).ms == pytest.approx(3000, abs=300)


async def test_a_message_is_cut_at_its_longest(box: Box) -> None:
    await box.hear(30, voice=True)
    assert box.ended == ["longest"]
    assert (await box.finish()).ms == pytest.approx(20_000, abs=700)


@pytest.mark.parametrize("seconds", [0.0, 0.5])
async def test_silence_and_a_word_are_no_message(box: Box, seconds: float) -> None:
    await box.hear(seconds, voice=True)
    await box.hear(5, voice=False)
    assert box.ended == ["silence"]
    assert await box.finish() == MessageRecorded("", 0, "silence")
    assert box.files == []


async def test_memory_is_bounded(box: Box) -> None:
    for _ in range(15):
        await box.hear(1, voice=True)
        if box.recorder._pending is not None:
            await box.recorder._pending
    assert len(box.recorder._audio) <= 5 * 2 * RATE
    assert (await box.finish("key")).ms == pytest.approx(15_000, abs=300)


async def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    box = Box(tmp_path, reserve_bytes=1 << 62)
    await box.hear(6, voice=True)
    assert box.recorder._pending is not None
    await box.recorder._pending
    assert box.ended == ["error"]
    assert await box.finish() == MessageRecorded("", 0, "error")
    assert box.faults == ["message lost: free disk space is below limits.reserve_mb"]
    assert box.files == []


async def test_a_disk_that_fills_up_at_the_very_end(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> object:
        raise OSError(28, "No space left on device")

    await box.hear(2, voice=True)
    monkeypatch.setattr(module.shutil, "disk_usage", full)
    assert (await box.finish("key")).ended_by == "error"
    assert box.faults == ["message lost: No space left on device"]
    assert box.files == []
