"""Where the files of a past call are. Ids come from outside: they never lead out of the folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from voicebot.config.patterns import NAME

_ID = re.compile(NAME)
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
MOST_RECORD_BYTES = 8_000_000


def days(root: Path) -> list[Path]:
    """Return the folders of days, newest first."""
    try:
        found = [path for path in root.iterdir() if _DAY.match(path.name) and path.is_dir()]
    except OSError:
        return []
    return sorted(found, reverse=True)


def record_path(var: Path, id: str, day: str = "") -> Path | None:
    """Return where the record of a call is, None where there is none. day: where it was last seen."""
    if not _ID.match(id):
        return None
    root = var / "calls"
    for folder in ([root / day] if day and _DAY.match(day) else []) + days(root):
        path = folder / f"{id}.json"
        if path.is_file() and inside(path, root):
            return path
    return None


def recording_path(record: Path, name: object, var: Path) -> Path | None:
    """Return the wav that a record names beside it, None where there is none."""
    if not isinstance(name, str) or not name.endswith(".wav") or Path(name).name != name:
        return None
    path = record.parent / name
    return path if path.is_file() and inside(path, var / "calls") else None


def inside(path: Path, root: Path) -> bool:
    """Whether a path really is below a folder: no link leads elsewhere."""
    try:
        return path.resolve(strict=True).is_relative_to(root.resolve())
    except OSError:
        return False


def read_json(path: Path) -> dict[str, Any] | None:
    """Return a record as it is; None where it is gone, or is none."""
    try:
        if path.stat().st_size > MOST_RECORD_BYTES:
            return None
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
