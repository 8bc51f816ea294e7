"""Who is in a room, and what its rules are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MutedRule = Literal["nobody", "guests", "all"]
Announcing = Literal["no", "tone", "name"]


@dataclass(frozen=True, slots=True)
class Rules:
    """A room's rules, from its [conferences.NAME].

    most:           participants at once; the bot is none
    muted:          `nobody` enters muted; `guests` do, and speak when a host lets them; `all` do, hosts too,
                    and let themselves speak
    wait_for_host:  guests hear music, and not each other, while no host is there
    ends_with_host: the last host who leaves ends the conference
    announce:       whether a tone, or a tone and a name, tells who comes and goes
    record:         from the first participant on
    """

    most: int = 20
    muted: MutedRule = "nobody"
    wait_for_host: bool = False
    ends_with_host: bool = False
    announce: Announcing = "tone"
    record: bool = False


@dataclass(frozen=True, slots=True)
class Participant:
    """One of a room. `since_at`: seconds of the epoch.

    muted:   nobody hears them, by their own wish or a host's
    allowed: a host lets this guest speak where guests are muted
    hand:    raised by key
    video:   has a picture
    talking: says something now, as Asterisk judges it
    unaware: was not told before they came whether the conference is recorded
    """

    id: str
    name: str = ""
    number: str = ""
    host: bool = False
    bot: bool = False
    video: bool = False
    muted: bool = False
    allowed: bool = False
    hand: bool = False
    talking: bool = False
    unaware: bool = False
    since_at: float = 0.0
