"""The worst of how the installation is: the sign beside Health on every page, and when callers feel it.

Every page asks every few seconds: the house is looked at once for all who ask within SHARED_S.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from voicebot.web.house import Condition, House, Part, PartState
from voicebot.web.parts import parts_of

SHARED_S = 2.0
MOST_TOLD = 4
"""Parts that the sign names; Health has them all."""


@dataclass(frozen=True, slots=True)
class Sign:
    """How the installation is, in short.

    state:   the worst of all parts; `down` also where no new calls may come
    why:     the parts that are not well, the worst first
    callers: what callers feel of it, "" where nothing
    """

    state: PartState
    why: tuple[str, ...] = ()
    callers: str = ""


class Signs:
    """Of one house. clock: monotonic seconds."""

    def __init__(self, house: House, clock: Callable[[], float] = time.monotonic) -> None:
        self._house, self._clock = house, clock
        self._sign = Sign("ok")
        self._looked_at = float("-inf")

    def now(self) -> Sign:
        """Return how it is, or was a moment ago. Never waits."""
        now = self._clock()
        if now - self._looked_at >= SHARED_S:
            self._looked_at = now
            condition = self._house.condition()
            stopping = self._house.stopping.is_set()
            self._sign = sign_of(condition, parts_of(self._house, condition), stopping)
        return self._sign


def sign_of(condition: Condition, parts: list[Part], stopping: bool = False) -> Sign:
    """Return the sign of these parts."""
    ill = sorted((part for part in parts if part.state != "ok"), key=lambda part: part.state != "down")
    trunks = [part for part in parts if part.name.startswith("trunk.")]
    cut_off = all(part.state != "ok" for part in trunks)
    felt = [_told(part) for part in ill if _is_felt(part) or (cut_off and part in trunks)][:MOST_TOLD]
    if stopping or not condition.ready:
        why = "it was told to stop" if stopping else condition.why_not
        felt.insert(0, f"new calls are not taken: {why}")
    down = not condition.ready or stopping or any(part.state == "down" for part in ill)
    return Sign(
        "down" if down else "degraded" if ill else "ok",
        tuple(_told(part) for part in ill[:MOST_TOLD]),
        "; ".join(felt),
    )


def _is_felt(part: Part) -> bool:
    """Whether callers notice. Without a disk or a database calls go on; an engine that lost some workers
    serves all by the others, and so do trunks; Asterisk's absence is why no calls are taken."""
    return part.state == "down" and part.name.startswith(("stt.", "tts."))


def _told(part: Part) -> str:
    return f"{part.name}: {part.why or part.state}"
