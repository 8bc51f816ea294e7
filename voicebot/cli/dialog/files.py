"""Which dialogs a command line names: files, and folders of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from voicebot.dialog.loading.files import read_bytes
from voicebot.errors import Problem, UserError


def dialogs_in(paths: Iterable[Path]) -> Iterable[Path]:
    """Yield the files, and of folders the dialogs in them: not their tests, campaigns, or translations."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = [file for file in sorted(path.rglob("*.yaml")) if _is_dialog(file, path)]
        if not inside:
            raise UserError(Problem("there are no dialogs here", "name a folder with .yaml files", str(path)))
        yield from inside


def _is_dialog(file: Path, folder: Path) -> bool:
    if any(part.startswith(".") for part in file.relative_to(folder).parts):
        return False
    if file.name.endswith((".test.yaml", ".campaign.yaml")) or file.is_dir():
        return False
    try:
        return any(line.startswith((b"dialog:", b"steps:")) for line in read_bytes(str(file)).splitlines())
    except UserError:
        return True  # told when it is read
