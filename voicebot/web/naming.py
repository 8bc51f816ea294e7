"""Names of dialogs in addresses: the stem of their file, made unique, never a path."""

from __future__ import annotations

import re
from pathlib import Path

from voicebot.web.house import DialogInService, House
from voicebot.web.problems import absent

_STRANGE = re.compile(r"[^a-z0-9_-]+")
MOST = 60


def named(house: House) -> dict[str, DialogInService]:
    """Return the dialogs in service by their names; of one file that which was loaded last."""
    found: dict[str, DialogInService] = {}
    files: dict[str, str] = {}
    for each in house.dialogs():
        stem = _STRANGE.sub("-", Path(each.file).stem.lower())[:MOST] or "dialog"
        name, n = stem, 1
        while files.get(name, each.file) != each.file:
            n += 1
            name = f"{stem}-{n}"
        files[name] = each.file
        found.setdefault(name, each)  # the routes' come first, then versions that campaigns hold
    return found


def dialog_named(house: House, name: str) -> DialogInService:
    """Raises Trouble 404."""
    there = named(house)
    if name not in there:
        raise absent(f"there is no dialog `{name}` in service", f"there are {', '.join(there) or 'none'}")
    return there[name]


def dialog_or_number(house: House, given: str) -> str:
    """Return the file of a dialog that is named, or what was given: a route's number."""
    dialog = named(house).get(given)
    return dialog.file if dialog is not None else given
