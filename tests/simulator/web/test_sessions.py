"""Category: simulator. Sessions: signing in and out; forged, stolen and expired ones; other pages."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from tests.house import PASSWORD
from tests.simulator.web.panel import Served, served
from voicebot.store.errors import StoreUnavailable
from voicebot.store.panel_rows import PanelSession
from voicebot.web.security import secrets
from voicebot.web.security.doorkeeper import FRESH_S
from voicebot.web.security.rates import PER_PAIR

pytestmark = pytest.mark.simulator

COOKIE = "voicebot_session"
ME = "/api/v1/session"
ACT = "/api/v1/agents/dana/unpause"
EVIL = "http://evil.example"


def ask(panel: Served, secret: str, path: str = ME) -> int:
    return httpx.get(panel.at + path, headers={"cookie": f"{COOKIE}={secret}"}).status_code


def keep(panel: Served, **values: datetime) -> str:
    """Put a session of sam's into the store; return its secret."""
    secret, now = secrets.fresh(), datetime.now(UTC)
    times = {"began_at": now, "seen_at": now, "ends_at": now + timedelta(hours=1), **values}
    session = PanelSession(key=secrets.key_of(secret), name="sam", role="", **times)
    panel.do(panel.house.store.panel.begin_session(session))  # type: ignore[union-attr]
    return secret


@pytest.mark.parametrize("secret", ["", "x", "a" * 43, "..%2f", "%00", "é", "' OR 1=1 --", "a" * 8000])
def test_forged_sessions(panel: Served, secret: str) -> None:
    response = httpx.get(panel.at + ME, headers={"cookie": f"{COOKIE}={secret}".encode()})
    assert response.status_code == 401


def test_a_hash_from_the_database_is_no_session(panel: Served) -> None:
    secret = keep(panel)
    assert ask(panel, secret) == 200
    assert ask(panel, secrets.key_of(secret)) == 401


def test_a_session_ends_at_its_end_and_when_it_is_not_used(panel: Served) -> None:
    now = datetime.now(UTC)
    assert ask(panel, keep(panel, ends_at=now - timedelta(seconds=1))) == 401
    assert ask(panel, keep(panel, seen_at=now - timedelta(minutes=121))) == 401
    assert ask(panel, keep(panel, seen_at=now - timedelta(minutes=119))) == 200


def test_signing_out_makes_a_stolen_cookie_useless(panel: Served) -> None:
    with panel.sign_in("sam") as browser, panel.sign_in("sam") as other:
        stolen = browser.cookies[COOKIE]
        assert ask(panel, stolen) == 200
        assert browser.delete(ME).json() == {"sessions": 1}
        assert ask(panel, stolen) == 401
        assert other.get(ME).status_code == 200
        with panel.sign_in("sam") as third:
            third.delete(ME, params={"everywhere": True})
        assert other.get(ME).status_code == 401


def test_another_process_takes_role_and_user_away(panel: Served) -> None:
    book = panel.house.store.panel  # type: ignore[union-attr]
    panel.do(book.add_user("temp", "supervisor", "", datetime.now(UTC)))
    secret = keep(panel)
    key = secrets.key_of(secret)
    panel.do(book.end_session(key))
    now = datetime.now(UTC)
    session = PanelSession(key, "temp", "", now, now, now + timedelta(hours=1))
    panel.do(book.begin_session(session))
    assert ask(panel, secret, "/api/v1/users") == 403
    panel.do(book.change_user("temp", role="admin"))
    panel.do(asyncio.sleep(FRESH_S + 0.1))
    assert ask(panel, secret, "/api/v1/users") == 200
    panel.do(book.remove_user("temp"))
    panel.do(asyncio.sleep(FRESH_S + 0.1))
    assert ask(panel, secret) == 401


def test_a_change_needs_the_token_of_the_page(panel: Served) -> None:
    with panel.sign_in("sam") as browser, panel.sign_in("sam") as other:
        others = other.headers["x-csrf-token"]
        assert browser.post(ACT).status_code == 200
        for token in ("", "x", others):
            assert browser.post(ACT, headers={"x-csrf-token": token}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_pages_ask_in_vain(panel: Served, headers: dict[str, str]) -> None:
    with panel.sign_in("sam") as browser:
        assert browser.post(ACT, headers=headers).status_code == 403
        assert browser.get("/api/v1/calls", headers=headers).status_code == 403
        assert browser.post("/login", headers=headers, data={"name": "sam"}).status_code == 403


def test_a_browser_that_hides_its_origin_changes_nothing(panel: Served) -> None:
    with panel.sign_in("sam") as browser:
        del browser.headers["origin"]
        assert browser.post(ACT).status_code == 403
        assert browser.get("/api/v1/calls").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1"])
def test_a_name_that_was_let_point_to_us_is_refused(panel: Served, host: str) -> None:
    assert httpx.get(panel.at + "/login", headers={"host": host}).status_code == 421


def test_websockets_of_other_pages(panel: Served) -> None:
    with panel.sign_in("anna") as browser:
        headers = {"cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
        url = panel.at.replace("http", "ws", 1) + "/api/v1/calls/0000000000000000/listen"
        for origin in (EVIL, "null"):
            with pytest.raises(InvalidStatus, match="403"):
                connect(url, origin=origin, additional_headers=headers)  # type: ignore[arg-type]


def test_a_socket_ends_with_its_session(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.web.api.sockets.STILL_EVERY_S", 0.1)
    with panel.sign_in("sam") as browser:
        headers = {"cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
        url = panel.at.replace("http", "ws", 1) + "/api/v1/calls/0000000000000000/listen"
        with connect(url, origin=panel.at, additional_headers=headers) as socket:  # type: ignore[arg-type]
            assert browser.delete(ME).status_code == 200
            texts = []
            with pytest.raises(ConnectionClosedError, match="4401"):
                while True:
                    texts.append(socket.recv(5))
    assert texts[-1] == '{"type": "signed_out"}'


def test_a_socket_ends_when_its_user_may_less(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.web.api.sockets.STILL_EVERY_S", 0.05)
    monkeypatch.setattr("voicebot.web.security.doorkeeper.FRESH_S", 0.01)
    book, now, secret = panel.house.store.panel, datetime.now(UTC), secrets.fresh()  # type: ignore[union-attr]
    panel.do(book.add_user("former", "supervisor", "", now))
    session = PanelSession(secrets.key_of(secret), "former", "", now, now, now + timedelta(hours=1))
    panel.do(book.begin_session(session))
    url = panel.at.replace("http", "ws", 1) + "/api/v1/calls/0000000000000000/microphone"
    headers = {"cookie": f"{COOKIE}={secret}"}
    with connect(url, origin=panel.at, additional_headers=headers) as socket:  # type: ignore[arg-type]
        assert '"ready"' in str(socket.recv(5))
        panel.do(book.change_user("former", role="viewer"))
        with pytest.raises(ConnectionClosedError, match="4401"):
            while True:
                socket.recv(5)


def test_nobody_says_themselves_where_they_come_from(panel: Served) -> None:
    with httpx.Client(base_url=panel.at, headers={"origin": panel.at}) as stranger:
        given = {"name": "vera", "password": PASSWORD}
        assert stranger.post(ME, json=given, headers={"x-forwarded-for": "192.0.2.7"}).status_code == 200
    with panel.sign_in("anna") as admin:
        path, wanted = "/api/v1/audit", {"who": "vera", "what": "sign_in", "most": 1}
        assert [admin.get(ME).status_code for _ in range(3)] == [200] * 3
        assert admin.post("/api/v1/conferences/lobby/unlock").status_code == 200
        while not admin.get(path, params={"who": "anna", "what": "unlock"}).json()["actions"]:
            time.sleep(0.01)  # it is written in the background, and in order
        until = time.monotonic() + 10
        while not (told := admin.get(path, params=wanted).json()["actions"]):
            assert time.monotonic() < until
        assert [each["address"] for each in told] == ["127.0.0.1"]
        assert admin.get(path, params={"what": "session"}).json()["actions"] == [], "who looks is not kept"


def test_a_cookie_is_out_of_reach_and_answers_are_armoured(panel: Served) -> None:
    answer = httpx.post(
        panel.at + "/login",
        data={"name": "vera", "password": PASSWORD, "next": "//evil.example"},
        headers={"origin": panel.at},
    )
    cookie = answer.headers["set-cookie"]
    assert answer.headers["location"] == "/"
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    with served(tmp_path, 0, **{"panel.origins": ["https://bot.example"]}) as panel:
        headers = {"host": "bot.example", "origin": "https://bot.example"}
        given = {"name": "vera", "password": PASSWORD}
        answer = httpx.post(f"{panel.at}/api/v1/session", json=given, headers=headers)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-voicebot_session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        secret = cookie.split(";")[0]
        assert httpx.get(panel.at + ME, headers={**headers, "cookie": secret}).status_code == 200
        token = {"authorization": f"Bearer {panel.token}"}  # from this machine, but by the proxy
        assert httpx.get(panel.at + ME, headers={**token, "host": "bot.example"}).status_code == 401
        assert httpx.get(panel.at + ME, headers={**token, "x-forwarded-for": "192.0.2.1"}).status_code == 401
        assert httpx.get(panel.at + ME, headers=token).status_code == 200


def test_guessing_passwords_is_slow_and_tells_nothing(tmp_path: Path) -> None:
    with (
        served(tmp_path, 0) as panel,
        httpx.Client(base_url=panel.at, headers={"origin": panel.at}) as client,
    ):

        def guess(name: str) -> httpx.Response:
            return client.post(ME, json={"name": name, "password": "wrong password"})

        known, unknown = guess("vera"), guess("nobody-here")
        assert known.status_code == unknown.status_code == 401
        assert known.json() == unknown.json()
        statuses = [guess("vera").status_code for _ in range(PER_PAIR)]
        assert statuses == [401] * (PER_PAIR - 1) + [429]
        assert int(guess("vera").headers["retry-after"]) > 0
        right = client.post(ME, json={"name": "vera", "password": PASSWORD})
        assert right.status_code == 429
        assert client.post(ME, json={"name": "sam", "password": PASSWORD}).status_code == 200


def test_a_link_signs_in_once(panel: Served) -> None:
    book = panel.house.store.panel  # type: ignore[union-attr]
    now, links = datetime.now(UTC), [secrets.fresh() for _ in range(2)]
    panel.do(book.add_link(secrets.key_of(links[0]), "operator", "admin", now + timedelta(minutes=5)))
    panel.do(book.add_link(secrets.key_of(links[1]), "operator", "admin", now - timedelta(seconds=1)))
    with httpx.Client(base_url=panel.at) as browser:
        assert browser.get(f"/link/{links[0]}").status_code == 303
        assert browser.get(ME).json()["role"] == "admin"
        until = time.monotonic() + 10
        while not (told := browser.get("/api/v1/audit", params={"what": "link"}).json()["actions"]):
            assert time.monotonic() < until, "nobody knows that somebody came by a link"
        assert [(each["who"], each["target"]) for each in told] == [("operator", "")]
        assert httpx.get(f"{panel.at}/link/{links[0]}").status_code == 404
        assert httpx.get(f"{panel.at}/link/{links[1]}").status_code == 404
        asked_by_a_person = {"Accept": "text/html"}
        page = httpx.get(f"{panel.at}/link/{links[1]}", headers=asked_by_a_person, follow_redirects=True)
        assert "no good any more" in page.text
        assert "voicebot panel link" in page.text


def test_tokens_of_machines(panel: Served) -> None:
    with panel.sign_in("anna") as admin:
        made = admin.post("/api/v1/tokens", json={"name": "probe", "role": "viewer"}).json()
        headers = {"authorization": f"Bearer {made['token']}"}
        assert httpx.get(f"{panel.at}/api/v1/calls", headers=headers).status_code == 200
        assert httpx.post(panel.at + ACT, headers=headers).status_code == 403
        assert admin.delete("/api/v1/tokens/probe").status_code == 200
        assert httpx.get(f"{panel.at}/api/v1/calls", headers=headers).status_code == 401


def test_everything_that_was_done_or_tried_is_kept(panel: Served) -> None:
    with panel.sign_in("anna") as admin, panel.sign_in("vera") as viewer:
        path = "/api/v1/conferences/lobby/lock"
        statuses = [viewer.post(path).status_code, admin.post(path).status_code]
        told: list[tuple[str, str, int]] = []
        until = time.monotonic() + 10
        while time.monotonic() < until:  # it is written in the background
            done = admin.get("/api/v1/audit", params={"what": "lock", "most": 2}).json()["actions"]
            told = sorted((each["who"], each["target"], each["status"]) for each in done)
            if len(told) == 2:
                break
    assert statuses == [403, 200]
    assert told == [("anna", "lobby", 200), ("vera", "lobby", 403)]


def test_a_stream_ends_with_its_token(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.web.api.sockets.STILL_EVERY_S", 0.1)
    with panel.sign_in("anna") as admin:
        made = admin.post("/api/v1/tokens", json={"name": "ear", "role": "viewer"}).json()
        headers = {"authorization": f"Bearer {made['token']}"}
        url = panel.at.replace("http", "ws", 1) + "/api/v1/calls/0000000000000000/listen"
        with connect(url, additional_headers=headers) as socket:
            socket.recv(5)
            assert admin.delete("/api/v1/tokens/ear").status_code == 200
            with pytest.raises(ConnectionClosedError, match="4401"):
                while True:
                    socket.recv(5)


def test_while_the_database_is_away_streams_go_on(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.web.api.sockets.STILL_EVERY_S", 0.05)
    monkeypatch.setattr("voicebot.web.security.doorkeeper.FRESH_S", 0.0)
    monkeypatch.setattr("voicebot.web.security.doorkeeper.STALE_S", 0.0)
    asked = 0

    async def away(key: str) -> None:
        nonlocal asked
        asked += 1
        raise StoreUnavailable("the database is away")

    with panel.sign_in("sam") as browser:
        headers = {"cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
        url = panel.at.replace("http", "ws", 1) + "/api/v1/calls/0000000000000000/listen"
        with connect(url, origin=panel.at, additional_headers=headers) as socket:  # type: ignore[arg-type]
            monkeypatch.setattr(panel.house.store.panel, "session", away)  # type: ignore[union-attr]
            until = time.monotonic() + 10
            while asked < 3 and time.monotonic() < until:
                socket.recv(5)
    assert asked >= 3


def test_nobody_is_called_as_who_comes_from_this_machine(panel: Served) -> None:
    with panel.sign_in("anna") as admin:
        for name in ("local", "operator"):
            given = {"name": name, "role": "viewer", "password": PASSWORD}
            assert admin.post("/api/v1/users", json=given).status_code == 409
