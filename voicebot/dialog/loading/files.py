"""The one place where dialogs are read from disk."""

from __future__ import annotations

import wave
from pathlib import Path

from voicebot.dialog.checking.check import wav_files
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.loading.yamlfile import LARGEST_BYTES
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import Problem, UserError


def load_dialog(path: Path) -> Dialog:
    """Read and check a dialog file and the wav files that it plays. Raises UserError with all problems."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(Problem(f"cannot be read: {reason}", "is the path right?", str(path))) from error
    except UnicodeDecodeError as error:
        remedy = "save the file as UTF-8"
        raise UserError(Problem("is not UTF-8 text", remedy, str(path), code="encoding")) from error
    folder = path.resolve().parent
    dialog = parse_dialog(text, str(path), str(folder))
    problems = [
        problem for wav in wav_files(dialog.file) if (problem := _wav_problem(folder / wav, wav, path))
    ]
    if problems:
        raise UserError(problems)
    return dialog


def _wav_problem(path: Path, name: str, source: Path) -> Problem | None:
    try:
        with wave.open(str(path), "rb") as sound:
            if sound.getsampwidth() != 2 or sound.getnchannels() != 1:
                return Problem(f"{name} is not 16-bit mono", "convert it", str(source), code="wav")
    except FileNotFoundError:
        return Problem(f"there is no {name}", "it is looked for beside the dialog", str(source), code="wav")
    except (OSError, EOFError, wave.Error) as error:
        return Problem(f"{name} cannot be played: {error}", "save it as PCM wav", str(source), code="wav")
    return None
