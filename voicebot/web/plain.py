"""Views of the house as plain data for JSON, encoded once however many look."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_json


def plain(view: Any) -> Any:
    """Return a view as a dict; lists of views as lists."""
    if isinstance(view, list | tuple):
        return [plain(each) for each in view]
    if hasattr(view, "as_dict"):
        return view.as_dict()
    return asdict(view) if is_dataclass(view) and not isinstance(view, type) else view


def encoded(value: Any) -> bytes:
    """Return JSON. What JSON does not know becomes a text.

    A text may hold half a character, which no UTF-8 has: that becomes `?`, for all who watch need the rest.
    """
    try:
        return to_json(value, fallback=str, inf_nan_mode="null")
    except PydanticSerializationError:
        text = json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="replace")
