"""Unit: prompts in files, and those that may not stay."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from voicebot.errors import UserError
from voicebot.fastagi.dialogs import files as module
from voicebot.fastagi.dialogs.files import PromptFiles

pytestmark = pytest.mark.unit

HELLO = np.arange(800, dtype=np.int16)


async def test_a_prompt_is_written_once_and_can_be_read_by_others(tmp_path: Path) -> None:
    files = PromptFiles(tmp_path / "agi")
    async with files.kept(HELLO, secret=False) as name:
        path = Path(f"{name}.sln")
        assert np.array_equal(np.fromfile(path, "<i2"), HELLO)
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        written = path.stat().st_mtime_ns
    async with PromptFiles(tmp_path / "agi").kept(HELLO, secret=False) as again:
        assert again == name and path.stat().st_mtime_ns == written


async def test_asterisk_may_see_the_folder_elsewhere(tmp_path: Path) -> None:
    files = PromptFiles(tmp_path, "/var/lib/asterisk/sounds/voicebot/")
    async with files.kept(HELLO, secret=False) as name:
        assert name.startswith("/var/lib/asterisk/sounds/voicebot/")
    assert files.silence == "/var/lib/asterisk/sounds/voicebot/silence"


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(module, "MEMORY", folder)
    return folder


async def test_what_is_secret_is_in_memory_only_and_goes(tmp_path: Path, memory: Path) -> None:
    files = PromptFiles(tmp_path / "agi")
    before = sorted((tmp_path / "agi").iterdir())
    async with files.kept(HELLO, secret=True) as name:
        assert Path(f"{name}.sln").parent == memory
    assert list(memory.iterdir()) == []
    assert sorted((tmp_path / "agi").iterdir()) == before


async def test_what_is_secret_fails_where_there_is_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MEMORY", tmp_path / "nowhere")
    files = PromptFiles(tmp_path / "agi")
    before = sorted((tmp_path / "agi").iterdir())
    with pytest.raises(OSError, match="nowhere"):
        async with files.kept(HELLO, secret=True):
            pytest.fail("it was played")
    assert sorted((tmp_path / "agi").iterdir()) == before


async def test_a_prompt_is_played_from_memory_where_the_folder_takes_no_more(
    tmp_path: Path, memory: Path
) -> None:
    files = PromptFiles(tmp_path / "agi")
    (tmp_path / "agi").rename(tmp_path / "gone")
    with capture_logs() as logs:
        for _ in range(2):
            async with files.kept(HELLO, secret=False) as name:
                assert np.array_equal(np.fromfile(f"{name}.sln", "<i2"), HELLO)
                assert Path(name).parent == memory
    assert len(logs) == 1, "it is told once"
    assert list(memory.iterdir()) == []


def test_what_a_killed_gateway_left_in_memory_is_removed(tmp_path: Path, memory: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    (memory / f"voicebot-{ended.pid}-ab.sln").write_bytes(b"1")
    (memory / f"voicebot-{os.getpid()}-ab.sln").write_bytes(b"1")
    (memory / "another.sln").write_bytes(b"1")
    PromptFiles(tmp_path / "agi")
    assert {path.name for path in memory.iterdir()} == {f"voicebot-{os.getpid()}-ab.sln", "another.sln"}


async def test_the_oldest_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    files = PromptFiles(tmp_path)
    names = []
    for number in (1, 2, 1, 3):
        async with files.kept(np.full(10, number, dtype=np.int16), secret=False) as name:
            names.append(name)
    there = {path.stem for path in tmp_path.glob("*.sln")} - {"silence"}
    assert there == {Path(names[0]).name, Path(names[3]).name}


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"agi\.prompts"):
        PromptFiles(tmp_path / "file" / "agi")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
async def test_a_gateway_begins_where_the_disk_takes_nothing(
    tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It may have been started anew on a bad day: callers are served from memory."""
    write = module._write

    def full(path: Path, data: bytes) -> None:
        if path.parent != memory:
            raise OSError(number, os.strerror(number))
        write(path, data)

    monkeypatch.setattr(module, "_write", full)
    with capture_logs() as logs:
        files = PromptFiles(tmp_path / "agi", "/elsewhere")
    assert [entry["why"] for entry in logs] == [os.strerror(number)]
    assert Path(files.silence).parent == memory
    assert Path(f"{files.silence}.sln").stat().st_size == 2 * 8000 * 20
    async with files.kept(HELLO, secret=False) as name:
        assert Path(name).parent == memory


async def test_a_folder_that_was_deleted_comes_back(tmp_path: Path, memory: Path) -> None:
    """Operators may, while no call is on: docs/operations.md."""
    files = PromptFiles(tmp_path / "agi")
    shutil.rmtree(tmp_path / "agi")
    assert Path(f"{files.silence}.sln").stat().st_size == 2 * 8000 * 20
    async with files.kept(HELLO, secret=False) as name:
        assert Path(name).parent == tmp_path / "agi"
