"""Simulator: the database is gone, silent, locked, full, of a later version, or opened by two at once."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from tests.postgres import fresh_database
from tests.simulator.store.making import NOW, SECOND, claim, contacts, running
from tests.simulator.store.proxy import Proxy, socket_of, through
from voicebot.config import Config, StoreConfig
from voicebot.errors import UserError
from voicebot.store import database, tables
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store, open_store

pytestmark = pytest.mark.simulator

AT_ONCE_S = 1.5  # the promise is one second; the rest is for a busy machine


@dataclass
class Far:
    """A store that reaches its database through a proxy."""

    store: Store
    proxy: Proxy


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    url = fresh_database()
    proxy = Proxy(socket_of(url))
    await proxy.start()
    async with Store.open(through(proxy, url)) as store:
        await running(store, 20)
        yield Far(store, proxy)
        proxy.there()
    await proxy.gone()


async def fails_at_once(store: Store, at: int) -> None:
    """Many ask; everybody is told in time."""

    async def told(what: object) -> None:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await what  # type: ignore[misc]
        assert time.monotonic() - began < AT_ONCE_S

    now = NOW + at * SECOND
    await asyncio.gather(
        told(claim(store, now=now)),
        told(store.status("spring", now)),
        told(store.opt_out("+12025550009", "test", now)),
        told(store.gateway_alive("g", 1, 0, now)),
    )


@pytest.mark.parametrize("how", ["gone", "silent"])
async def test_a_database_that_is_away_is_told_at_once_and_used_at_once_when_it_is_back(
    far: Far, how: str
) -> None:
    assert (await claim(far.store, most=1)).orders
    if how == "gone":
        await far.proxy.gone()
    else:
        far.proxy.silent()
    for at in range(3):
        await fails_at_once(far.store, at)
    if how == "gone":
        await far.proxy.start()
    else:
        far.proxy.there()
    async with asyncio.timeout(5):
        while True:
            try:
                assert (await claim(far.store, now=NOW + 10 * SECOND)).orders
                break
            except StoreUnavailable:  # what was cut off in mid-air may hold the gate for a moment
                await asyncio.sleep(0.05)
    assert (await far.store.audit("spring")).sound


async def test_a_silent_database_keeps_nobody_from_ending() -> None:
    url = fresh_database()
    proxy = Proxy(socket_of(url))
    await proxy.start()
    try:
        async with asyncio.timeout(5 * AT_ONCE_S), Store.open(through(proxy, url)) as store:
            await asyncio.gather(*(store.campaigns() for _ in range(3)))
            proxy.silent()
    finally:
        proxy.there()
        await proxy.gone()


async def test_connections_from_before_a_restart_are_replaced_without_a_word(far: Far) -> None:
    await far.store.status("spring", NOW)
    await far.proxy.gone()
    await far.proxy.start()
    assert (await claim(far.store, now=NOW)).orders


async def test_changes_wake_who_waits_in_another_process(url: str, store: Store) -> None:
    async with Store.open(url) as other, asyncio.timeout(10):
        changes = other.changes()
        waiting = asyncio.ensure_future(anext(changes))
        await running(store, 1)
        await waiting
        waiting = asyncio.ensure_future(anext(changes))
        while not waiting.done():
            await store.set_state("spring", CampaignState.PAUSED, str(time.monotonic()), NOW)
            await asyncio.wait((waiting,), timeout=0.2)
        await changes.aclose()  # type: ignore[attr-defined]


async def test_changes_are_told_again_after_a_restart(far: Far) -> None:
    async with asyncio.timeout(20):
        changes = far.store.changes()
        waiting = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        await far.store.set_state("spring", CampaignState.PAUSED, "before", NOW)
        await waiting
        for _ in range(3):
            await far.proxy.gone()
            with suppress(StoreUnavailable):
                await far.store.status("spring", NOW)
            await far.proxy.start()
        waiting = asyncio.ensure_future(anext(changes))
        while not waiting.done():
            with suppress(StoreUnavailable):
                await far.store.set_state("spring", CampaignState.PAUSED, str(time.monotonic()), NOW)
            await asyncio.wait((waiting,), timeout=0.2)
        await changes.aclose()  # type: ignore[attr-defined]


async def test_a_locked_sqlite_is_told_at_once(tmp_path: Path) -> None:
    async with Store.open("sqlite:///x.db", base=tmp_path) as store:
        await running(store, 3)
        other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="locked"):
            await claim(store)
        assert time.monotonic() - began < AT_ONCE_S
        assert (await store.status("spring", NOW)).name == "spring"  # who reads does not wait
        other.execute("ROLLBACK")
        other.close()
        assert (await claim(store)).orders


@pytest.mark.parametrize("copied", [False, True])
async def test_a_sqlite_file_that_is_moved_or_replaced_is_not_written_to(
    tmp_path: Path, copied: bool
) -> None:
    path, away = tmp_path / "x.db", tmp_path / "away.db"
    async with Store.open("sqlite:///x.db", base=tmp_path) as store:
        await running(store, 3)
        path.rename(away)
        if copied:  # an operator brings back a backup
            path.write_bytes(away.read_bytes())
        with pytest.raises(StoreUnavailable, match="replaced" if copied else "gone"):
            await claim(store)
        with pytest.raises(StoreUnavailable):
            await store.status("spring", NOW)
        assert path.exists() == copied
        away.rename(path)
        assert (await claim(store)).orders
        assert (await store.audit("spring")).sound


async def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    async with Store.open("sqlite:///x.db", base=tmp_path) as store:
        await running(store, 3)
        async with store._database.engine.connect() as connection:
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreUnavailable, match="full"):
            await store.add_contacts("spring", contacts(5000, "303"), NOW)
        assert (await store.status("spring", NOW)).contacts["due"] == 3  # type: ignore[index]
        assert (await store.audit("spring")).sound


async def test_a_database_that_is_damaged_is_away_until_it_is_put_back(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    async with Store.open("sqlite:///x.db", base=tmp_path) as store:
        await running(store, 3)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + os.urandom(len(whole) - 100))
    with pytest.raises(StoreUnavailable, match="malformed"):
        async with Store.open("sqlite:///x.db", base=tmp_path):
            pass
    path.write_bytes(whole)
    async with Store.open("sqlite:///x.db", base=tmp_path) as store:
        path.write_bytes(whole[:100] + bytes(len(whole) - 100))
        with pytest.raises(StoreUnavailable):
            await store.status("spring", NOW)
        with pytest.raises(StoreUnavailable):
            await store.panel.seen("x", NOW)
        assert store.trouble
    path.write_bytes(whole)
    async with Store.open("sqlite:///x.db", base=tmp_path) as store:
        assert (await store.status("spring", NOW)).contacts["due"] == 3  # type: ignore[index]
        assert store.trouble == ""


async def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    async with Store.open(url) as store, store._database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UserError, match="later version of voicebot"):
        async with Store.open(url):
            pass


async def test_two_may_open_a_new_database_at_once(url: str) -> None:
    async def once() -> bytes:
        async with Store.open(url) as store:
            return store._database.secret

    secrets = await asyncio.gather(*(once() for _ in range(4)))
    assert len(set(secrets)) == 1


async def test_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    def differences(connection: object) -> list[object]:
        # SQLite has one size of integers, and cannot rename it.
        options = {"compare_type": store._database.postgresql}
        context = MigrationContext.configure(connection, opts=options)  # type: ignore[arg-type]
        return list(compare_metadata(context, tables.metadata))

    async with store._database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_what_cannot_be_opened_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def problem(url: str) -> str:
        with pytest.raises(UserError) as told:
            async with Store.open(url, base=tmp_path):
                pass
        return str(told.value)

    assert "mysql" in await problem("mysql://u@h/d")
    (tmp_path / "no.db").write_text("this is no database at all, " * 100)
    assert "no.db" in await problem("sqlite:///no.db")
    assert "cannot be opened" in await problem("sqlite:////proc/none/x.db")
    assert "does not exist" in await problem(fresh_database().replace("/test_", "/none_"))
    monkeypatch.setattr(database, "find_spec", lambda _: None)
    assert "voicebot[postgresql]" in await problem("postgresql://u@127.0.0.1/d")


async def test_nobody_there_is_no_mistake_of_the_user(unused_tcp_port: int) -> None:
    with pytest.raises(StoreUnavailable):
        async with Store.open(f"postgresql://u@127.0.0.1:{unused_tcp_port}/d"):
            pass


async def test_the_configuration_names_the_store(tmp_path: Path) -> None:
    config = Config(base=tmp_path, store=StoreConfig(url="sqlite:///calls.db"))
    async with open_store(config) as store:
        assert await store.campaigns() == ()
    assert (tmp_path / "var" / "calls.db").exists()
