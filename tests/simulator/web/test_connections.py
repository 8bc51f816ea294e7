"""Category: simulator. Connections that dawdle or flood: cut, while others are served."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.simulator.web.panel import Served, served
from voicebot.web import connections, serving
from voicebot.web.api import sockets
from voicebot.web.security import guard

pytestmark = pytest.mark.simulator

PATIENCE_S = 10.0


def opened(panel: Served, sent: bytes = b"") -> socket.socket:
    """Return a connection that has sent something. HOST in it is our name."""
    place = urlsplit(panel.at)
    found = socket.create_connection((place.hostname, place.port), PATIENCE_S)
    found.sendall(sent.replace(b"HOST", place.netloc.encode()))
    return found


def read(connection: socket.socket) -> bytes:
    """Return what is answered until the other side ends it, by whatever means."""
    told = b""
    try:
        while some := connection.recv(65536):
            told += some
    except ConnectionResetError:
        pass
    return told


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: HOST\r\nx-a: ",
        b"GET /api/v1/calls/0/listen HTTP/1.1\r\nHost: HOST\r\nUpgrade: websocket\r\n",
    ],
)
def test_a_head_that_does_not_end(panel: Served, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)
    with opened(panel, sent) as connection:
        read(connection)  # ends, or times out


def test_a_second_head_that_does_not_end(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(panel, b"GET /health/live HTTP/1.1\r\nHost: HOST\r\n\r\n") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(connections, "HEAD_S", 0.2)
        connection.sendall(b"GET / HT")
        read(connection)


def test_a_body_that_does_not_end(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_S", 0.2)
    head = b"POST /api/v1/session HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n"
    with opened(panel, head + b"Content-Length: 100\r\n\r\n{") as connection:
        assert read(connection).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("many", [b"x-a: " + b"a" * 200_000, b"x-a: b\r\n" * 30_000])
def test_a_head_that_is_too_large(panel: Served, many: bytes) -> None:
    with opened(panel) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\n" + many)
        except OSError:
            return
        assert b"200" not in read(connection)


def test_who_asks_nothing_makes_room_for_others(panel: Served) -> None:
    quiet = [opened(panel) for _ in range(connections.MOST_WAITING + 20)]
    try:
        assert httpx.get(f"{panel.at}/health/live").status_code == 200
        assert read(quiet[0]) == b""
    finally:
        for each in quiet:
            each.close()


def test_requests_far_ahead_of_their_answers(panel: Served) -> None:
    one = b"GET /health/live HTTP/1.1\r\nHost: HOST\r\n\r\n"
    with opened(panel, one * 3) as connection:
        told = b""
        while told.count(b"HTTP/1.1 200") < 3:
            told += connection.recv(65536)
    with opened(panel) as connection:
        try:
            connection.sendall(one.replace(b"HOST", urlsplit(panel.at).netloc.encode()) * 20_000)
        except OSError:
            return
        assert read(connection).count(b"HTTP/1.1") < 1000


@pytest.mark.parametrize("message", ["{}", b"\0\0"])
def test_a_flood_of_frames_ends_a_websocket(panel: Served, message: str | bytes) -> None:
    url = panel.at.replace("http", "ws", 1) + "/api/v1/calls/0000000000000000/listen"
    headers = {"authorization": f"Bearer {panel.token}"}
    with connect(url, additional_headers=headers) as socket_:
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(100 * connections.FRAMES_AT_ONCE):
                socket_.send(message)
        assert closed.value.rcvd is None or closed.value.rcvd.code == connections.POLICY_VIOLATION


def test_keys_are_texts(panel: Served) -> None:
    url = panel.at.replace("http", "ws", 1) + "/api/v1/browser-call"
    headers = {"authorization": f"Bearer {panel.token}"}
    with connect(url, additional_headers=headers) as socket_:
        told = socket_.recv(PATIENCE_S)
        assert '"ready"' in str(told)
        socket_.send('{"type": "key", "digit": ["1"]}')
        socket_.send('{"type": "key", "digit": "1"}')
        socket_.send('{"type": "hangup"}')
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket_.recv(PATIENCE_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000


UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Authorization: Bearer {token}\r\n\r\n"
)
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: a reset, as of a computer whose network is gone."""


@pytest.mark.parametrize("path", ["calls/{0:016}/listen", "calls/{0:016}/microphone", "browser-call"])
def test_who_is_cut_off_leaves_the_call(panel: Served, path: str) -> None:
    house: Any = panel.house
    sent = UPGRADE.format(path=f"/api/v1/{path.format(0)}", token=panel.token)
    with opened(panel, sent.encode()) as connection:
        assert connection.recv(64).startswith(b"HTTP/1.1 101")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    until = time.monotonic() + PATIENCE_S
    gone = {
        "listen": lambda: not house.calls.ears[-1].open,
        "microphone": lambda: house.supervisors.microphones[-1].closed,
        "browser-call": lambda: house.browser_calls.opened[-1].hung_up,
    }[path.rpartition("/")[2]]
    while not gone():
        assert time.monotonic() < until, "still on the call"
        time.sleep(0.01)


def test_an_answer_that_is_not_taken(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STUCK_S", 0.2)
    cut, give_up = threading.Event(), connections.PatientHttp.give_up
    monkeypatch.setattr(connections.PatientHttp, "give_up", lambda self: (give_up(self), cut.set()))
    recording = next(panel.house.config.var.glob("calls/*/*.wav"))
    size = recording.stat().st_size
    os.truncate(recording, 50_000_000)
    asked = f"GET /api/v1/history/{recording.stem}/recording HTTP/1.1\r\nHost: HOST\r\n"
    try:
        with opened(panel, f"{asked}Authorization: Bearer {panel.token}\r\n\r\n".encode()) as connection:
            assert cut.wait(PATIENCE_S)
            assert 0 < len(read(connection)) < 50_000_000
    finally:
        os.truncate(recording, size)


def test_who_is_gone_without_a_word_does_not_hold_a_bot_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert serving.PING_EVERY_S + serving.PING_LIMIT_S <= 15
    monkeypatch.setattr(serving, "PING_EVERY_S", 0.1)
    monkeypatch.setattr(serving, "PING_LIMIT_S", 0.1)
    with served(tmp_path, 1) as panel:
        house: Any = panel.house
        sent = UPGRADE.format(path="/api/v1/calls/0000000000000000/microphone", token=panel.token)
        with opened(panel, sent.encode()) as connection:  # which answers no ping, and is not closed
            assert connection.recv(64).startswith(b"HTTP/1.1 101")
            until = time.monotonic() + PATIENCE_S
            while not house.supervisors.microphones[-1].closed:
                assert time.monotonic() < until, "still on the call"
                time.sleep(0.01)


def test_who_listens_in_hundreds_is_turned_away(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each listener costs the loop of all calls: five hundred made them stutter."""
    monkeypatch.setattr(sockets, "MOST_EARS_OF_ONE", 2)
    monkeypatch.setattr(sockets, "MOST_EARS", 3)
    url = panel.at.replace("http", "ws", 1) + "/api/v1/calls/0000000000000000/listen"

    with panel.sign_in("vera") as vera, panel.sign_in("sam") as sam, ExitStack() as open_:

        def first(browser: httpx.Client) -> Any:
            cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            origin, headers = Origin(panel.at), {"cookie": cookies}
            socket = open_.enter_context(connect(url, origin=origin, additional_headers=headers))
            return json.loads(socket.recv(PATIENCE_S))["type"]

        assert [first(vera), first(vera), first(vera)] == ["ready", "ready", "error"]
        assert [first(sam), first(sam)] == ["ready", "error"]
