"""What this installation may dial, whatever a campaign says: [dialling] of voicebot.toml."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way out. name: of [trunks.NAME], or the channel itself where a campaign gives one."""

    name: str
    dial: str
    calls_per_second: float
    concurrent: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits over all campaigns. prefixes: nothing else may be dialled; empty: nothing at all."""

    prefixes: tuple[str, ...]
    denied_prefixes: tuple[str, ...] = ()
    calls_per_second: float = 10.0
    concurrent: int = 100
    calls_a_day: int = 100_000
    minutes_a_day: int = 100_000
