"""Category: simulator. A panel whose folder takes nothing: it serves, says so, and recovers by itself."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.house import PASSWORD, fake_config, fake_records
from tests.simulator.web.panel import served
from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub
from voicebot.web import serving
from voicebot.web.house import House
from voicebot.web.parts import parts_of
from voicebot.web.records import keeping
from voicebot.web.security.secrets import token_file
from voicebot.web.serving import panel_beside

pytestmark = pytest.mark.simulator

SOON_S = 5.0


def test_a_panel_begins_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "AGAIN_S", 0.05)
    monkeypatch.setattr(keeping, "LOOK_EVERY_S", 0.05)
    fake_records(tmp_path, 2)
    (tmp_path / "panel").write_text("")  # in the place of its folder
    with (
        served(tmp_path, calls=0) as panel,
        httpx.Client(base_url=panel.at, headers={"origin": panel.at}) as browser,
    ):
        name = {"name": "sam", "password": PASSWORD}
        assert browser.post("/api/v1/session", json=name).status_code == 200
        assert browser.get("/api/v1/history").status_code == 503
        (tmp_path / "panel").unlink()

        until = time.monotonic() + SOON_S
        while browser.get("/api/v1/history").status_code != 200 or not token_file(tmp_path).exists():
            assert time.monotonic() < until
        token = {"authorization": f"Bearer {token_file(tmp_path).read_text().strip()}"}
        assert httpx.get(f"{panel.at}/api/v1/users", headers=token).status_code == 200
    assert not token_file(tmp_path).exists()


def test_a_database_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    with served(tmp_path, calls=0) as panel, panel.sign_in("sam") as browser:

        def store() -> dict[str, str]:
            parts = browser.get("/api/v1/health").json()["parts"]
            return next(part for part in parts if part["name"] == "store")

        name = {"name": "sam", "password": PASSWORD}
        with closing(sqlite3.connect(tmp_path / "voicebot.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # a backup, say
            refused = browser.post("/api/v1/session", json=name)
            assert (refused.status_code, store()["state"]) == (503, "degraded")
            assert "locked" in refused.json()["problems"][0]["what"] and "locked" in store()["why"]

        assert browser.post("/api/v1/session", json=name).status_code == 200
        assert (store()["state"], store()["why"]) == ("ok", "")


async def test_a_database_that_cannot_be_opened_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "voicebot.db").write_bytes(b"no database at all, only a text")
    config = fake_config(tmp_path)
    hub = Hub(time.time)
    house = House(config, hub, LiveCalls(hub))
    async with panel_beside(config, house), asyncio.timeout(SOON_S):
        while "no SQLite database" not in parts_of(house, house.condition())[-1].why:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")  # in the place of the folder
    config = fake_config(tmp_path)
    config = config.model_copy(update={"paths": config.paths.model_copy(update={"var": tmp_path / "var"})})
    hub = Hub(time.time)
    house = House(config, hub, LiveCalls(hub))
    async with panel_beside(config, house), asyncio.timeout(SOON_S):
        while "/var cannot be made" not in parts_of(house, house.condition())[-1].why:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
