"""Category: unit. Who did what is kept, however often somebody tries what they may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voicebot.store.panel_rows import PanelAction
from voicebot.web.security.journal import REFUSALS_A_MINUTE, Journal
from voicebot.web.security.roles import Identity, Role

pytestmark = pytest.mark.unit

VERA, OTTO = Identity("vera", Role.VIEWER), Identity("otto", Role.SUPERVISOR)


class Door:
    """A doorkeeper, its store and the book in it, as far as a journal needs them."""

    def __init__(self) -> None:
        self.at = datetime(2027, 3, 1, 12, tzinfo=UTC)
        self.kept: list[PanelAction] = []
        self.store = self.panel = self

    def now(self) -> datetime:
        return self.at

    async def note(self, action: PanelAction) -> None:
        self.kept.append(action)


async def test_a_flood_of_refusals_neither_fills_the_disk_nor_hides_anything() -> None:
    door: Any = Door()
    journal = Journal(door)
    for _ in range(5 * REFUSALS_A_MINUTE):
        journal.note(VERA, "lock", "weekly", {}, "::1", 403)
    journal.note(VERA, "listen", "c1", {}, "::1")
    journal.note(OTTO, "lock", "weekly", {}, "::1", 409)
    door.at += timedelta(minutes=1)
    journal.note(VERA, "lock", "weekly", {}, "::1", 403)
    await journal.close()
    assert [(each.who, each.status) for each in door.kept] == [
        *[("vera", 403)] * REFUSALS_A_MINUTE,
        ("vera", 200),
        ("otto", 409),
        ("vera", 403),
    ]
