"""Unit: adding models from folders and archives, however they are built."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from voicebot.engines.models import add_model, describe, list_models
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

VOSK = {"am/final.mdl": b"m", "graph/HCLr.fst": b"g", "conf/mfcc.conf": b"--sample-frequency=8000\n"}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def vosk_in(folder: str) -> dict[str, bytes]:
    return {f"{folder}/{name}": data for name, data in VOSK.items()}


def test_an_archive_becomes_a_model_under_its_folders_name(tmp_path: Path, models: Path) -> None:
    archive = zipped(tmp_path / "download.zip", vosk_in("vosk-model-small-en-us-0.15"))
    added = add_model(archive, models)
    assert (added.name, added.engine, added.language, added.sample_rate) == (
        "vosk-model-small-en-us-0.15", "vosk", "en-us", 8000,
    )  # fmt: skip
    assert added in list_models(models)
    assert [path.name for path in models.iterdir()] == [added.name]


def test_a_folder_and_a_tar_do_as_well(tmp_path: Path, models: Path) -> None:
    archive = tarred(
        tmp_path / "m.tar.gz",
        *((tarfile.TarInfo(name), data) for name, data in vosk_in("vosk-model-de").items()),
    )
    assert add_model(archive, models).language == "de"
    again = add_model(models / "vosk-model-de", models, name="other")
    assert again.name == "other"
    with pytest.raises(UserError, match="already"):
        add_model(archive, models)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "model/../../evil"])
def test_nothing_is_written_outside(tmp_path: Path, models: Path, name: str) -> None:
    hostile = zipped(tmp_path / "z.zip", {**vosk_in("model"), name: b"x"})
    with pytest.raises(UserError, match="outside"):
        add_model(hostile, models)
    members = [(tarfile.TarInfo(n), d) for n, d in {**vosk_in("model"), name: b"x"}.items()]
    with pytest.raises(UserError, match="outside"):
        add_model(tarred(tmp_path / "t.tgz", *members), models)
    assert not list(models.iterdir())
    assert not list(tmp_path.rglob("evil"))


def test_links_out_of_an_archive_are_refused(tmp_path: Path, models: Path) -> None:
    link = tarfile.TarInfo("model/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    members = [(tarfile.TarInfo(n), d) for n, d in vosk_in("model").items()]
    with pytest.raises(UserError, match="unpacked"):
        add_model(tarred(tmp_path / "t.tgz", *members, (link, b"")), models)
    assert not list(models.iterdir())


def test_what_is_no_model_is_refused_with_a_reason(tmp_path: Path, models: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for source in (
        tmp_path / "notes.txt",
        tmp_path / "missing.zip",
        zipped(tmp_path / "e.zip", {"a.txt": b"x"}),
    ):
        with pytest.raises(UserError):
            add_model(source, models)
    with pytest.raises(UserError, match="no name"):
        add_model(zipped(tmp_path / "m.zip", vosk_in("m")), models, name="../up")
    assert describe(tmp_path) is None
