"""What the store tells of those who use the panel."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PanelUser:
    """A person who may sign in. password: an argon2id hash."""

    name: str
    role: str
    password: str = field(repr=False)
    created_at: datetime
    signed_in_at: datetime | None = None
    sessions: int = 0


@dataclass(frozen=True, slots=True)
class PanelSession:
    """A browser that is signed in. key: the hash of what it keeps; role: the user's as it is now."""

    key: str = field(repr=False)
    name: str
    role: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    address: str = ""
    browser: str = ""


@dataclass(frozen=True, slots=True)
class PanelToken:
    """A machine's way in."""

    name: str
    role: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PanelAction:
    """Something that somebody did, or tried to. status: as HTTP has it."""

    at: datetime
    who: str
    what: str
    target: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    address: str = ""
    status: int = 200
    id: int = 0
