"""What a room wants done: its shell carries it out, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Refusal = Literal["full", "locked", "over"]
"""Why somebody may not join."""
Removal = Literal["kicked", "ended", "no_host", "lost"]
"""Why somebody is out: shown the door; ended by a host or supervisor; the last host has left; room broken."""
Hint = Literal["muted", "unmuted", "hand_up", "hand_down", "not_allowed", "locked", "unlocked"]
"""What one participant is told of the key they pressed."""


@dataclass(frozen=True, slots=True)
class Hush:
    """Let others not hear a participant (`on`), or hear them again."""

    participant: str
    on: bool


@dataclass(frozen=True, slots=True)
class Tell:
    """Answer a participant's key with a sound that only they hear."""

    participant: str
    hint: Hint


@dataclass(frozen=True, slots=True)
class Announce:
    """Let all hear that somebody comes or goes, or that recording has begun or ended.

    `name` is said as well, where it is not empty.
    """

    what: Literal["comes", "goes", "recorded", "not_recorded"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Music:
    """Play music to the room, or stop it."""

    on: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Begin or end a recording."""

    on: bool


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a participant out of the room."""

    participant: str
    why: Removal


@dataclass(frozen=True, slots=True)
class Close:
    """Nobody is left: undo all that the room has."""


Command = Hush | Tell | Announce | Music | Record | Remove | Close
