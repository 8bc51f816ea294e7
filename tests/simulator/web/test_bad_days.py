"""Category: simulator. A panel whose folder takes nothing: it serves, says so, and recovers by itself."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from tests.house import PASSWORD, fake_records
from tests.simulator.web.panel import served
from voicebot.web import serving
from voicebot.web.records import keeping
from voicebot.web.security.secrets import token_file

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
