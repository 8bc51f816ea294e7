"""Change values in a copy of the shipped configuration files, line by line, comments kept.

The files of `asterisk/` stay valid as they are, so that they can be copied to a PBX; what differs between
instances (ports, passwords, folders) is replaced by section and key. A key that is not there is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

Values = Mapping[tuple[str, str], object]
"""New values by (section, key)."""


def change(text: str, values: Values, source: str = "") -> str:
    """Return `text` with each key of `values` set in its section; KeyError for one that is not there."""
    missing = set(values)
    section = ""
    lines = []
    for line in text.splitlines():
        if header := re.match(r"\s*\[([^\]]+)\]", line):
            section = header[1]
        elif setting := re.match(r"(\s*([A-Za-z_][\w.-]*)\s*=>?\s*)", line):
            where = (section, setting[2])
            if where in values:
                line = f"{setting[1]}{values[where]}"
                missing.discard(where)
        lines.append(line)
    if missing:
        raise KeyError(f"{source}: no such setting: {sorted(missing)}")
    return "\n".join(lines) + "\n"


def copy_changed(source: Path, target: Path, values: Mapping[str, Values]) -> None:
    """Copy the .conf files of `source` to `target`, readable by us alone, changed by `values` (by file)."""
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.glob("*.conf")):
        copy = target / file.name
        copy.touch(mode=0o600)
        copy.write_text(change(file.read_text(), values.get(file.name, {}), file.name))
