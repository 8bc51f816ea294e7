"""Texts of others, on their way to a terminal."""

from __future__ import annotations

import json
import re
from typing import Any

_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    """Return what files, services and callers said, with a blank for whatever would steer a terminal."""
    return text if text.isprintable() else _STEERS.sub(" ", text)


def json_line(value: Any) -> str:
    """Return JSON on one line. What would steer a terminal is escaped: programs read the same."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
