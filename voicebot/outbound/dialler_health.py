"""What keeps a dialler from dialling, told once when it begins and once when it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)


TELL_AGAIN_S = 30.0
"""Another word about what does not work already is told so often at the most."""


@dataclass(frozen=True, slots=True)
class _Bad:
    why: str
    since: float
    told: float


class Health:
    """Hindrances by name: `database`, `spool`, `clock`, ... While there is one, nothing is dialled."""

    def __init__(self, mono: Callable[[], float]) -> None:
        self._mono = mono
        self._why: dict[str, _Bad] = {}

    def bad(self, what: str, why: str) -> None:
        """`what` does not work now."""
        known, now = self._why.get(what), self._mono()
        if known is None:
            log.error("nothing is dialled", because=what, why=why)
        elif known.why != why and now - known.told >= TELL_AGAIN_S:
            log.warning("nothing is dialled still", because=what, why=why)
        else:
            return
        self._why[what] = _Bad(why, known.since if known else now, now)

    def good(self, what: str) -> None:
        """`what` works."""
        if (known := self._why.pop(what, None)) is not None:
            log.info("works again", what=what, after_s=round(self._mono() - known.since, 1))

    def why(self, *besides: str) -> str:
        """Return what hinders, for people; "" where nothing does. besides: names that do not count."""
        return "; ".join(f"{what}: {bad.why}" for what, bad in self._why.items() if what not in besides)

    def is_bad(self, what: str) -> bool:
        return what in self._why
