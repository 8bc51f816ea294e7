"""Category: simulator. Look-ups in real SQLite and PostgreSQL databases, and of a web service on loopback."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from tests.postgres import fresh_database, server
from voicebot.agi.messages import environment
from voicebot.fastagi.lookups.asking import Asked, DatabaseFailed, statement
from voicebot.fastagi.lookups.databases import open_database
from voicebot.fastagi.lookups.loading import parse_lookups
from voicebot.fastagi.lookups.model import Database
from voicebot.fastagi.lookups.parameters import Parameters
from voicebot.fastagi.lookups.running import Lookups, Outcome

pytestmark = pytest.mark.simulator

TABLE = "CREATE TABLE callers (number text PRIMARY KEY, tier text, language text, balance numeric, note text)"
ROW = "INSERT INTO callers VALUES ('+1202', 'gold', 'ko-KR', 12.50, 'two\nlines')"
WRITES = (
    "INSERT INTO callers (number) VALUES ('x')",
    "UPDATE callers SET tier = 'x'",
    "DELETE FROM callers",
    "DROP TABLE callers",
    "CREATE TABLE other (x integer)",
)
FILE = """\
databases: {crm: "%s"}
lookups:
  vip:
    query: SELECT tier, language, balance, note, NULL AS empty FROM callers WHERE number = :caller
    set: {VIP: tier, LANGUAGE: language, BALANCE: balance, NOTE: note, NOTHING: empty}
    otherwise: {VIP: no, NOTHING: nothing here}
  kept:
    query: SELECT tier FROM callers WHERE number = :caller
    set: {VIP: tier}
    cache: 1h
  wrong:
    query: SELECT tier FROM callers
    set: {VIP: level}
    otherwise: {VIP: unknown}
  order:
    needs: number
    query: SELECT CAST(:number AS integer) + 1 AS next
    set: {NEXT: next}
"""


def sqlite_at(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute(TABLE)
        database.execute(ROW)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        sqlite_at(tmp_path / "callers.db")
        yield "sqlite:///callers.db"
        return
    found = fresh_database()
    name = found.partition("?")[0].rpartition("/")[2]
    for sql in (TABLE, ROW):
        server().psql(f"\\c {name}\n{sql};")
    yield found


@asynccontextmanager
async def opened(url: str, base: Path) -> AsyncIterator[Asked]:
    database = open_database("crm", Database(url=url, connections=2), base, {})
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def lookups(url: str, base: Path, **settings: Any) -> AsyncIterator[Lookups]:
    async with Lookups(parse_lookups(FILE % url), base, **settings) as made:
        yield made


async def ask(found: Lookups, name: str, caller: str = "+1202", query: str = "") -> Outcome:
    fields = [("callerid", caller), ("network_script", f"lookup/{name}{query}")]
    return await found.look_up(name, Parameters(environment(f"agi://x/lookup/{name}", fields)))


async def test_what_is_found_none_and_failed(url: str, tmp_path: Path) -> None:
    async with lookups(url, tmp_path) as made:
        found = await ask(made, "vip")
        assert found.status == "found"
        assert found.variables == {
            "VIP": "gold", "LANGUAGE": "ko-KR", "BALANCE": found.variables["BALANCE"], "NOTE": "two lines",
            "NOTHING": "nothing here",
        }  # fmt: skip
        assert float(found.variables["BALANCE"]) == 12.5
        none = await ask(made, "vip", "nobody' OR '1'='1")
        assert (none.status, none.variables["VIP"], none.variables["LANGUAGE"]) == ("none", "no", "")
        wrong = await ask(made, "wrong")
        assert (wrong.status, wrong.variables) == ("failed", {"VIP": "unknown"})
        assert "no column level" in wrong.why
        assert (await ask(made, "order", query="?number=41")).variables == {"NEXT": "42"}
        assert (await ask(made, "order")).status == "failed"
        assert made.unguarded == ()


@pytest.mark.parametrize("sql", WRITES)
async def test_the_transaction_itself_refuses_to_write(url: str, tmp_path: Path, sql: str) -> None:
    """Whatever a file says and the rights allow: this user owns the tables."""
    async with opened(url, tmp_path) as database:
        with pytest.raises(DatabaseFailed, match=r"(?i)read.?only|readonly"):
            await database.first(statement(sql), {}, 2.0)
        row = await database.first(statement("SELECT count(*) AS n, max(tier) AS t FROM callers"), {}, 2.0)
    assert row == {"n": 1, "t": "gold"}


async def test_a_write_hidden_in_a_select_is_refused_too(tmp_path: Path) -> None:
    url = fresh_database()
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    await connection.execute("CREATE SEQUENCE s")
    await connection.close()
    async with opened(url, tmp_path) as database:
        for sql in (
            "WITH x AS (INSERT INTO callers (number) VALUES ('x') RETURNING number) SELECT * FROM x",
            "SELECT nextval('s')",
            "SELECT set_config('transaction_read_only', 'off', false)",
        ):
            with pytest.raises(DatabaseFailed):
                await database.first(statement(sql), {}, 2.0)


SLOW = {
    "sqlite": "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT max(n) FROM x",
    "postgresql": "SELECT 1 AS n FROM pg_sleep(30)",
}


async def test_a_slow_query_ends_in_time_and_its_connection_serves_again(url: str, tmp_path: Path) -> None:
    async with opened(url, tmp_path) as database:
        began = time.monotonic()
        slow = statement(SLOW[url.partition(":")[0]])
        results = await asyncio.gather(
            *(database.first(slow, {}, 0.2) for _ in range(4)), return_exceptions=True
        )
        assert all(isinstance(result, DatabaseFailed) for result in results)
        assert await database.first(statement("SELECT 1 AS n"), {}, 2.0) == {"n": 1}
        assert time.monotonic() - began < 3


async def test_a_database_that_is_not_there_fails_the_look_up(tmp_path: Path) -> None:
    for url in ("sqlite:///nowhere.db", "postgresql://u@127.0.0.1:1/x"):
        async with lookups(url, tmp_path) as made:
            outcome = await ask(made, "vip")
            assert (outcome.status, outcome.variables["VIP"]) == ("failed", "no")
    assert not (tmp_path / "nowhere.db").exists(), "it is not made"


async def test_a_file_that_was_replaced_is_seen(tmp_path: Path) -> None:
    sqlite_at(tmp_path / "callers.db")
    async with lookups("sqlite:///callers.db", tmp_path) as made:
        assert (await ask(made, "vip")).variables["VIP"] == "gold"
        sqlite_at(tmp_path / "new.db")
        with sqlite3.connect(tmp_path / "new.db") as database:
            database.execute("UPDATE callers SET tier = 'silver'")
        database.close()
        (tmp_path / "new.db").replace(tmp_path / "callers.db")
        assert (await ask(made, "vip")).variables["VIP"] == "silver"


async def test_an_answer_is_kept_for_its_time(tmp_path: Path) -> None:
    now = 0.0
    sqlite_at(tmp_path / "callers.db")
    async with lookups("sqlite:///callers.db", tmp_path, clock=lambda: now) as made:
        assert (await ask(made, "kept")).variables == {"VIP": "gold"}
        with sqlite3.connect(tmp_path / "callers.db") as database:
            database.execute("UPDATE callers SET tier = 'silver'")
        database.close()
        now = 3599.0
        assert (await ask(made, "kept")).variables == {"VIP": "gold"}
        assert (await ask(made, "kept", "+1303")).status == "none"
        now = 3601.0
        assert (await ask(made, "kept")).variables == {"VIP": "silver"}


WEB = """\
lookups:
  order:
    needs: number
    fetch:
      get: "http://127.0.0.1:%d/orders/{number}"
      query: {by: "{caller}"}
      headers: {X-Key: "{env.SHOP_KEY}"}
    set: {STATUS: status, ITEM: items.0.name, NOT: there.at.all}
    otherwise: {STATUS: unknown, NOT: nothing}
    timeout: 500ms
"""


@pytest.mark.parametrize(
    ("number", "allow", "status", "variables"),
    [
        ("4/../2", ("127.0.0.0/8",), "found", {"STATUS": "sent", "ITEM": "bicycle", "NOT": "nothing"}),
        ("404", ("127.0.0.0/8",), "none", {"STATUS": "unknown", "ITEM": "", "NOT": "nothing"}),
        ("500", ("127.0.0.0/8",), "failed", {"STATUS": "unknown", "ITEM": "", "NOT": "nothing"}),
        ("text", ("127.0.0.0/8",), "failed", {"STATUS": "unknown", "ITEM": "", "NOT": "nothing"}),
        ("slow", ("127.0.0.0/8",), "failed", {"STATUS": "unknown", "ITEM": "", "NOT": "nothing"}),
        ("42", (), "failed", {"STATUS": "unknown", "ITEM": "", "NOT": "nothing"}),
    ],
)
async def test_a_web_service(
    number: str, allow: tuple[str, ...], status: str, variables: dict[str, str], tmp_path: Path
) -> None:
    asked: list[tuple[str, str, str]] = []

    async def order(request: web.Request) -> web.Response:
        asked.append((request.raw_path, request.query["by"], request.headers["X-Key"]))
        number = request.match_info["number"]
        if number == "slow":
            await asyncio.sleep(5)
        if number.isdecimal() and number != "42":
            return web.Response(status=int(number))
        if number == "text":
            return web.Response(text="no JSON")
        return web.json_response({"status": "sent", "items": [{"name": "bicycle"}]})

    app = web.Application()
    app.router.add_get("/orders/{number}", order)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        secrets = {"SHOP_KEY": "k"}
        file = parse_lookups(WEB % port, environment=secrets)
        async with Lookups(file, tmp_path, environment=secrets, allow=allow) as made:
            fields = [("callerid", "+1202 & x")]
            given = {"number": number, **Parameters(environment("agi://x/lookup/order", fields))}
            outcome = await made.look_up("order", given)
        assert (outcome.status, outcome.variables) == (status, variables), json.dumps(outcome.why)
        if allow:
            assert asked[0][1:] == ("+1202 & x", "k")
            assert "/../" not in asked[0][0]
        else:
            assert not asked
    finally:
        await runner.cleanup()
