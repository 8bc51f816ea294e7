"""Category: simulator. News in browsers: snapshots, heart-beats, slow readers, how streams end."""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulator.web.panel import Served, served

pytestmark = pytest.mark.simulator

EVENTS = "/api/v1/events"
SHOWN_MS = 300
"""From the recogniser having a word to a browser having it."""


def told(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, json.loads(line[6:])
        elif line.startswith(": "):
            yield "heart", None


def test_first_how_things_stand_then_every_change(panel: Served) -> None:
    with (
        panel.sign_in("vera") as browser,
        browser.stream("GET", EVENTS, params={"topics": "call,queue"}) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        news = told(answer.iter_lines())
        name, snapshot = next(news)
        assert name == "snapshot"
        assert len(snapshot["calls"]) == len(panel.house.talks)
        assert "turns" not in snapshot["calls"][0]
        assert [queue["name"] for queue in snapshot["queues"]] == ["support", "sales"]
        assert "agents" not in snapshot

        async def change() -> None:
            panel.house.hub.publish("agent", "changed", "anna", {})
            panel.house.hub.publish("call", "step", "x", {"step": "day"})

        panel.do(change())
        name, change_ = next(news)
        assert (name, change_["id"], change_["data"]) == ("call.step", "x", {"step": "day"})


def test_the_figures_beside_the_places_are_those_of_the_house(panel: Served) -> None:
    with panel.sign_in("vera") as browser:
        counts = browser.get("/panel/counts").json()
        waiting = [len(queue["waiting"]) for queue in browser.get("/api/v1/queues").json()]
    assert (counts["calls"], counts["waiting"]) == (len(panel.house.talks), sum(waiting))
    assert counts["health"]["state"] in ("ok", "degraded", "down")
    assert counts["calls"] and counts["waiting"]


def test_one_call_with_all_that_was_said(panel: Served) -> None:
    id = panel.house.talks[0].feed.record.id
    with panel.sign_in("vera") as browser, browser.stream("GET", EVENTS, params={"id": id}) as answer:
        _, snapshot = next(told(answer.iter_lines()))
    assert [call["id"] for call in snapshot["calls"]] == [id]
    assert "turns" in snapshot["calls"][0]


def test_unknown_topics_are_told(panel: Served) -> None:
    with panel.sign_in("vera") as browser:
        answer = browser.get(EVENTS, params={"topics": "call,nothing"})
    assert answer.status_code == 422
    assert "nothing" in answer.json()["problems"][0]["what"]


def test_a_stream_ends_with_its_session(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.web.live.stream.HEART_S", 0.05)
    with (
        panel.sign_in("sam") as browser,
        panel.sign_in("sam") as other,
        browser.stream("GET", EVENTS, params={"topics": "health"}) as answer,
    ):
        news = told(answer.iter_lines())
        assert [next(news)[0], next(news)[0]] == ["snapshot", "heart"]
        other.delete("/api/v1/session", params={"everywhere": True})
        assert [name for name, _ in news][-1] == "signed_out"


def test_a_browser_that_takes_nothing_is_dropped_and_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicebot.web.live.feed.MOST_WAITING_BYTES", 1_000_000)
    monkeypatch.setattr("voicebot.web.live.stream.SLOW_S", 1.0)
    with served(tmp_path, 1) as panel, panel.sign_in("vera") as browser:
        cookie = browser.cookies["voicebot_session"]
        host = panel.at.removeprefix("http://")
        address, port = host.split(":")
        slow = socket.create_connection((address, int(port)))  # and nothing is ever read from it
        request = f"GET {EVENTS} HTTP/1.1\r\nHost: {host}\r\nCookie: voicebot_session={cookie}\r\n\r\n"
        slow.sendall(request.encode())

        async def flood() -> None:
            for n in range(400):
                panel.house.hub.publish("call", "saying", str(n), {"text": "x" * 20_000})
                if n % 10 == 9:
                    await asyncio.sleep(0.03)

        with browser.stream("GET", EVENTS, params={"topics": "call"}) as quick:
            news = told(quick.iter_lines())
            next(news)
            doing = asyncio.run_coroutine_threadsafe(flood(), panel._loop)
            got = [next(news)[0] for _ in range(400)]
            doing.result(20)
            until = time.monotonic() + 5
            while _streams(panel) > 1:
                assert time.monotonic() < until, "the slow one has its place still"
        assert got == ["call.saying"] * 400
        slow.close()


def _streams(panel: Served) -> float:
    text = httpx.get(f"{panel.at}/metrics").text
    return float(
        next(line for line in text.splitlines() if line.startswith("voicebot_panel_streams ")).split()[1]
    )


def test_the_panel_stops_at_once_with_streams_open(tmp_path: Path) -> None:
    with served(tmp_path, 1) as panel, panel.sign_in("vera") as browser:
        answer = browser.send(browser.build_request("GET", EVENTS), stream=True)
        next(told(answer.iter_lines()))
        began = time.monotonic()
    assert time.monotonic() - began < 2.0


def test_a_word_is_in_the_browser_soon(tmp_path: Path) -> None:
    with (
        served(tmp_path, 200) as panel,
        panel.sign_in("vera") as browser,
        browser.stream("GET", EVENTS, params={"topics": "call"}) as answer,
    ):
        news = told(answer.iter_lines())
        next(news)
        doing = asyncio.run_coroutine_threadsafe(panel.house.go_on(share=0.2), panel._loop)
        late = []
        while len(late) < 200:
            name, each = next(news)
            if name == "call.words":
                late.append((time.time() - each["data"]["had_at"]) * 1000)
        doing.cancel()
    assert statistics.quantiles(late, n=20)[-1] < SHOWN_MS


def test_machines_follow_with_a_token(panel: Served) -> None:
    headers = {"authorization": f"Bearer {panel.token}"}
    with httpx.stream("GET", panel.at + EVENTS, params={"topics": "pbx"}, headers=headers) as answer:
        assert next(told(answer.iter_lines()))[1]["pbx"]["version"] == "22.10.1"


def test_one_user_does_not_keep_the_others_out(panel: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.web.api.events.MOST_OF_ONE", 2)
    with panel.sign_in("vera") as vera, panel.sign_in("sam") as sam, ExitStack() as open_:
        lines: list[Iterator[str]] = []

        def follow(browser: httpx.Client) -> int:
            answer = open_.enter_context(browser.stream("GET", EVENTS))
            if answer.status_code == 200:
                lines.append(answer.iter_lines())  # one that is thrown away ends the stream
                assert next(told(lines[-1]))[0] == "snapshot"
            return answer.status_code

        assert [follow(vera), follow(vera), follow(vera), follow(sam)] == [200, 200, 429, 200]
