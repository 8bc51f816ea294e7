"""Unit: prompts come back as they were put, whatever became of the disk meanwhile."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from voicebot.engines.prompt_cache import LEFTOVER_S, PromptCache, PromptKey
from voicebot.speech.tts import Samples

pytestmark = pytest.mark.unit

KEY = PromptKey("espeak", "1.52", "en-US", "", 0, "Hello.", 8000)


def sound(seed: int = 0, samples: int = 800) -> Samples:
    return np.random.default_rng(seed).integers(-9000, 9000, samples).astype(np.int16)


def opened(folder: Path, **limits: int) -> PromptCache:
    cache = PromptCache(folder, **limits)
    cache.open()
    return cache


def test_a_prompt_survives_a_restart(tmp_path: Path) -> None:
    opened(tmp_path).put(KEY, sound(), keep=True)
    found = opened(tmp_path).get(KEY)
    assert found is not None
    assert np.array_equal(found, sound())
    assert not found.flags.writeable


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, engine="piper"),
        replace(KEY, version="1.53"),
        replace(KEY, language="en-GB"),
        replace(KEY, voice="en-us+f3"),
        replace(KEY, rate=200),
        replace(KEY, text="Hello!"),
        replace(KEY, sample_rate=16000),
        replace(KEY, finish=KEY.finish + 1),
    ],
)
def test_whatever_changes_the_sound_is_another_prompt(tmp_path: Path, other: PromptKey) -> None:
    cache = opened(tmp_path)
    cache.put(KEY, sound(), keep=True)
    assert cache.get(other) is None
    assert other.file_name != KEY.file_name


def test_what_must_not_be_kept_never_reaches_the_disk(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    cache.put(replace(KEY, text="Your card is 4111 1111."), sound(), keep=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"RIFF", None])
def test_a_damaged_file_is_rendered_anew(tmp_path: Path, damage: bytes | None) -> None:
    opened(tmp_path).put(KEY, sound(), keep=True)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-100] if damage is None else damage)
    assert opened(tmp_path).get(KEY) is None
    assert not file.exists()


def test_a_full_disk_is_said_once_and_speech_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = opened(tmp_path)

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with capture_logs() as logs:
        cache.put(KEY, sound(1), keep=True)
        cache.put(replace(KEY, text="Bye."), sound(2), keep=True)
    assert [entry["error"] for entry in logs] == ["No space left on device"]
    found = cache.get(KEY)
    assert found is not None
    assert np.array_equal(found, sound(1))


def test_a_folder_that_cannot_be_made_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = PromptCache(tmp_path / "file" / "prompts")
    with capture_logs() as logs:
        cache.open()
        cache.put(KEY, sound(), keep=True)
    assert len(logs) == 1
    assert cache.get(KEY) is not None


def test_memory_has_a_cap_and_what_it_lets_go_comes_back_from_disk(tmp_path: Path) -> None:
    cache = opened(tmp_path, memory_bytes=4000)
    keys = [replace(KEY, text=str(number)) for number in range(10)]
    for number, key in enumerate(keys):
        cache.put(key, sound(number), keep=number % 2 == 0)
    assert cache.memory_held <= 4000
    assert cache.get(keys[1]) is None
    first = cache.get(keys[0])
    assert first is not None
    assert np.array_equal(first, sound(0))


def test_the_oldest_files_go_when_there_are_too_many(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    for age, text in enumerate(["new", "old", "oldest"]):
        key = replace(KEY, text=text)
        cache.put(key, sound(), keep=True)
        os.utime(tmp_path / key.file_name, (1_000_000 - age, 1_000_000 - age))
    leftover = tmp_path / "x.123-456"
    leftover.touch()
    os.utime(leftover, (LEFTOVER_S, LEFTOVER_S))
    again = opened(tmp_path, disk_bytes=2 * (44 + 1600))
    assert [again.get(replace(KEY, text=text)) is not None for text in ("new", "old", "oldest")] == [
        True,
        True,
        False,
    ]
    assert not leftover.exists()
