"""Unit: prompts in files, and those that may not stay."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from voicebot.errors import UserError
from voicebot.fastagi.dialogs import files as module
from voicebot.fastagi.dialogs.files import PromptFiles

pytestmark = pytest.mark.unit

HELLO = np.arange(800, dtype=np.int16)


def test_a_prompt_is_written_once_and_can_be_read_by_others(tmp_path: Path) -> None:
    files = PromptFiles(tmp_path / "agi")
    with files.kept(HELLO, secret=False) as name:
        path = Path(f"{name}.sln")
        assert np.array_equal(np.fromfile(path, "<i2"), HELLO)
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        written = path.stat().st_mtime_ns
    with PromptFiles(tmp_path / "agi").kept(HELLO, secret=False) as again:
        assert again == name and path.stat().st_mtime_ns == written


def test_asterisk_may_see_the_folder_elsewhere(tmp_path: Path) -> None:
    files = PromptFiles(tmp_path, "/var/lib/asterisk/sounds/voicebot/")
    with files.kept(HELLO, secret=False) as name:
        assert name.startswith("/var/lib/asterisk/sounds/voicebot/")
    assert files.silence == "/var/lib/asterisk/sounds/voicebot/silence"


def test_what_is_secret_is_in_memory_only_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(module, "MEMORY", memory)
    files = PromptFiles(tmp_path / "agi")
    before = sorted((tmp_path / "agi").iterdir())
    with files.kept(HELLO, secret=True) as name:
        assert Path(f"{name}.sln").parent == memory
    assert list(memory.iterdir()) == []
    assert sorted((tmp_path / "agi").iterdir()) == before


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    files = PromptFiles(tmp_path)
    names = []
    for number in (1, 2, 1, 3):
        with files.kept(np.full(10, number, dtype=np.int16), secret=False) as name:
            names.append(name)
    there = {path.stem for path in tmp_path.glob("*.sln")} - {"silence"}
    assert there == {Path(names[0]).name, Path(names[3]).name}


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"agi\.prompts"):
        PromptFiles(tmp_path / "file" / "agi")
