"""Engines: a whole call by a browser's microphone, with the real recogniser and the real voice."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.simulator.test_browser_call import Browser, told_in, until_asked
from voicebot.app.engine_room import EngineRoom, Watchers
from voicebot.call.browser_call import BrowserCalls
from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub, News
from voicebot.call.record import BotTurnRecord
from voicebot.config import Config
from voicebot.pbx.no_asterisk import NoAsterisk

pytestmark = pytest.mark.engines

DIALOG = """\
dialog: account
goals: [booked]
slots:
  right_person: yes_no
  pin: {type: digits, length: 4, sensitive: true}
  day: {type: weekday}
steps:
  greet: {say: Hello., ask: Am I speaking with Sara?, fill: right_person}
  pin: {ask: What is your pin?, fill: pin}
  back: {say: "Your pin is {pin|digits}."}
  day: {ask: Which weekday suits you?, fill: day}
  bye: {say: "{day} it is. Goodbye.", end: booked, goal: true}
"""


async def test_a_recorded_caller_reaches_the_goal_and_is_read_and_heard_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "account.yaml").write_text(DIALOG)
    config = Config.model_validate(
        {
            "media": {"first_port": 33000, "last_port": 33998},
            "paths": {"var": str(tmp_path)},
            "stt": {"english": {"engine": "whisper", "workers": 1}},
            "tts": {"english": {"engine": "piper", "workers": 1}},
            "routes": [{"number": "600", "dialog": str(tmp_path / "account.yaml")}],
        }
    )
    live = LiveCalls(Hub(time.time))
    faults: list[Exception] = []
    async with EngineRoom(
        config, Watchers(live=live), media_failed=lambda id, error: faults.append(error)
    ) as room:
        calls = BrowserCalls(
            config, dialog=room.dialogs.fresh, services=lambda route: room.services(route, NoAsterisk())
        )
        with live.hub.watch() as watch, live.hub.watch() as lazy:
            browser = Browser(await calls.open("account", "Sara"))
            deaf = live.listen(browser.line.call.id)
            heard: list[tuple[bytes, bytes]] = []

            async def listen() -> None:
                with live.listen(browser.line.call.id) as ear:
                    while some := await ear.some():
                        heard.extend(some)

            listening = asyncio.create_task(listen())
            news: list[News] = []
            for step, answer in (
                ("greet", "yes-this-is-she"), ("pin", "four-two-seven-one"), ("day", "thursday"),
            ):  # fmt: skip
                news += await until_asked(watch, step)
                browser.say(answer)
            record = await browser.ended()
            await listening
            news += [each for each in watch.take() if isinstance(each, News)]
            assert len(lazy.take()) == len(news), "who never reads sees it all the same, later"
    assert (record.outcome, record.goal, record.slots["day"]) == ("booked", True, "thursday")
    assert record.faults == faults == []
    words = [each for each in news if each.kind == "words" and each.data["text"]]
    assert words[-1].data["text"] == "yes this is she", "those after the pin might repeat it"
    assert max(each.at - each.data["had_at"] for each in words) < 0.1
    told = told_in(news)
    assert "which weekday" in told
    assert "seven" not in told and "4271" not in told.replace(" ", "").replace(",", "")
    bot = [turn for turn in record.turns if isinstance(turn, BotTurnRecord)]
    assert [turn.latency_ms is not None for turn in bot] == [False, True, True, True]
    assert any(any(caller) for caller, _ in heard) and any(any(bot) for _, bot in heard)
    assert deaf.dropped > 100
    assert record.rtp["lost"] == 0
