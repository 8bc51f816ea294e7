"""What keeps a dialler from dialling, told once when it begins and once when it is over."""

from __future__ import annotations

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Health:
    """Hindrances by name: `database`, `spool`, `clock`, ... While there is one, nothing is dialled."""

    def __init__(self, mono: Callable[[], float]) -> None:
        self._mono = mono
        self._why: dict[str, tuple[str, float]] = {}

    def bad(self, what: str, why: str) -> None:
        """`what` does not work now."""
        known = self._why.get(what)
        if known is None:
            log.error("nothing is dialled", because=what, why=why)
        elif known[0] != why:
            log.warning("nothing is dialled still", because=what, why=why)
        self._why[what] = (why, known[1] if known else self._mono())

    def good(self, what: str) -> None:
        """`what` works."""
        if (known := self._why.pop(what, None)) is not None:
            log.info("works again", what=what, after_s=round(self._mono() - known[1], 1))

    def why(self, *besides: str) -> str:
        """Return what hinders, for people; "" where nothing does. besides: names that do not count."""
        return "; ".join(f"{what}: {why}" for what, (why, _) in self._why.items() if what not in besides)

    def is_bad(self, what: str) -> bool:
        return what in self._why
