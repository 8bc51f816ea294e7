"""Category: simulator. Users, sessions, tokens, links and the journal of the panel, in both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from voicebot.errors import UserError
from voicebot.store.panel import MOST_SESSIONS
from voicebot.store.panel_rows import PanelAction, PanelSession
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def session(key: str, name: str = "anna", role: str = "", began: datetime = NOW) -> PanelSession:
    return PanelSession(key, name, role, began, began, began + HOUR, "192.0.2.1", "a browser")


async def test_a_user_comes_changes_and_goes(store: Store) -> None:
    book = store.panel
    await book.add_user("anna", "viewer", "hash", NOW)
    with pytest.raises(UserError, match="already"):
        await book.add_user("anna", "admin", "other", NOW)
    await book.begin_session(session("k1"))
    await book.change_user("anna", role="supervisor")

    found = await book.session("k1")
    user = await book.user("anna")
    assert found is not None
    assert found.role == "supervisor"  # as it is now, not as it was
    assert user is not None
    assert (user.password, user.signed_in_at, user.sessions) == ("hash", NOW, 1)

    await book.change_user("anna", password="new")
    assert await book.session("k1") is None
    await book.begin_session(session("k2"))
    await book.remove_user("anna")
    assert await book.session("k2") is None
    assert await book.users() == ()
    for doing in (book.remove_user("anna"), book.change_user("anna", role="admin")):
        with pytest.raises(UserError, match="no user"):
            await doing


async def test_a_session_of_nobody_is_none_unless_it_has_a_role_of_its_own(store: Store) -> None:
    await store.panel.begin_session(session("k1", "ghost"))
    await store.panel.begin_session(session("k2", "operator", "admin"))

    assert await store.panel.session("k1") is None
    found = await store.panel.session("k2")
    assert found is not None
    assert found.role == "admin"


async def test_old_sessions_are_swept_out_and_one_has_not_too_many(store: Store) -> None:
    book = store.panel
    await book.add_user("anna", "viewer", "hash", NOW)
    await book.begin_session(session("old", began=NOW - 2 * HOUR))
    for n in range(MOST_SESSIONS + 3):
        await book.begin_session(session(f"k{n}", began=NOW + timedelta(seconds=n)))

    keys = [each.key for each in await book.sessions("anna")]
    assert len(keys) == MOST_SESSIONS
    assert keys[0] == f"k{MOST_SESSIONS + 2}"
    assert "old" not in keys
    assert await book.end_sessions("anna") == MOST_SESSIONS


async def test_a_link_is_taken_once_however_many_try(store: Store) -> None:
    await store.panel.add_link("good", "anna", "", NOW + HOUR)
    await store.panel.add_link("late", "anna", "", NOW)

    taken = await asyncio.gather(*(store.panel.take_link("good", NOW) for _ in range(5)))

    assert sorted(taken, key=str) == sorted([("anna", ""), None, None, None, None], key=str)
    assert await store.panel.take_link("late", NOW) is None


async def test_tokens(store: Store) -> None:
    await store.panel.add_token("probe", "key", "viewer", NOW)
    with pytest.raises(UserError, match="already"):
        await store.panel.add_token("probe", "other", "viewer", NOW)

    found = await store.panel.token("key")
    assert found is not None
    assert (found.name, found.role) == ("probe", "viewer")
    await store.panel.remove_token("probe")
    assert await store.panel.token("key") is None
    with pytest.raises(UserError, match="no token"):
        await store.panel.remove_token("probe")


async def test_the_journal_is_read_in_pages(store: Store) -> None:
    for n in range(5):
        who = "anna" if n % 2 else "ben"
        await store.panel.note(PanelAction(NOW + n * HOUR, who, "say", str(n), {"text": "é\n"}))

    first = await store.panel.actions(most=3)
    rest = await store.panel.actions(most=3, before=first[-1].id)

    assert [each.target for each in (*first, *rest)] == ["4", "3", "2", "1", "0"]
    assert first[0].detail == {"text": "é\n"}
    assert [each.target for each in await store.panel.actions(who="anna")] == ["3", "1"]
