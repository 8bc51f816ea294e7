"""The reference of campaign files, made from their models: each key, its default and its meaning."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from voicebot.campaign.campaign import (
    Answering,
    Caller,
    Campaign,
    Columns,
    Limits,
    Pacing,
    Retry,
    Window,
)

TITLES: dict[str, type[BaseModel]] = {
    "The file": Campaign,
    "`caller`": Caller,
    "`columns`": Columns,
    "`windows`": Window,
    "`pacing`": Pacing,
    "`retries`": Retry,
    "`limits`": Limits,
    "`answering`": Answering,
}


def campaign_reference() -> str:
    """Return the reference as Markdown: a table for each part of a campaign file."""
    parts = []
    for title, model in TITLES.items():
        about = " ".join((model.__doc__ or "").split())
        rows = [_row(info.alias or name, info) for name, info in model.model_fields.items()]
        head = [f"### {title}", "", about, "", "| key | default | meaning |", "|---|---|---|"]
        parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts)


def _row(name: str, info: FieldInfo) -> str:
    meaning = (info.description or "").replace("|", "\\|")
    choices = [each for each in get_args(info.annotation) if isinstance(each, str)]
    if get_origin(info.annotation) is not None and choices:
        meaning = f"One of {', '.join(f'`{each}`' for each in choices)}. {meaning}"
    return f"| `{name}` | {_default(info)} | {meaning} |"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "*required*"
    shown = _shown(info.get_default(call_default_factory=True))
    return f"`{shown}`" if shown else ""


def _shown(value: Any) -> str:
    if isinstance(value, BaseModel) or value is None or (value == () or value == {}):
        return ""
    if isinstance(value, tuple):
        items = [_shown(each) for each in value]
        return f"[{', '.join(items)}]" if all(items) else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    return str(value)
