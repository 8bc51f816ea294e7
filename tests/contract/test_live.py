"""Category: simulator and integration. A telephone call as others see and hear it meanwhile."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Pbx
from tests.contract.talk import DATA, Bot
from voicebot.audio.frames import to_samples
from voicebot.audio.levels import level_db
from voicebot.call.calls_live import LiveCalls
from voicebot.call.listening import Ear, Frames
from voicebot.call.live import Hub, News

YES = DATA / "caller" / "yes.wav"
SOON_S = 3.0
TURN_S = 8.0
QUIET_MS = 500
LOUD_DB = -35.0
LISTENERS = 10


async def all_of(ear: Ear) -> list[Frames]:
    """Listen to the end."""
    heard: list[Frames] = []
    with ear:
        while some := await ear.some():
            heard.extend(some)
    return heard


async def test_a_call_is_followed_and_heard_from_its_first_word_to_its_last(pbx: Pbx, tmp_path: Path) -> None:
    live = LiveCalls(Hub(time.time))
    async with Bot(pbx, tmp_path, live=live) as bot:
        bot.will_hear("yes")
        with live.hub.watch() as watch:
            caller = await pbx.dial("600", caller="+12025550142")
            await caller.bot_speaks(SOON_S, since=0.0)
            (call,) = live.calls()
            assert (call.direction, call.caller, call.called, call.state) == (
                "inbound",
                "+12025550142",
                "600",
                "talking",
            )
            assert (call.floor, call.step) == ("bot", "ask")
            listening = [asyncio.create_task(all_of(live.listen(call.id))) for _ in range(LISTENERS)]
            await caller.bot_quiet(QUIET_MS, TURN_S)
            await caller.say(YES)
            await asyncio.wait_for(caller.ended, TURN_S)
            record = await bot.record()
            sounds = await asyncio.wait_for(asyncio.gather(*listening), SOON_S)
            while live.calls():
                await watch.wait()
                await asyncio.sleep(0)
            news = [each for each in watch.take() if isinstance(each, News)]
    assert {each.id for each in news} == {record.id}
    kinds = [each.kind for each in news]
    assert kinds[0] == "began" and kinds[-1] == "ended"
    floors = [each.data["floor"] for each in news if each.kind == "floor"]
    assert floors == ["bot", "nobody", "caller", "nobody", "bot", "nobody"]
    assert [each.data["turn"] for each in news if each.kind == "turn"] == [
        turn.model_dump(mode="json") for turn in record.turns
    ]
    assert news[-1].data == {"outcome": "agreed", "goal": True, "ended_by": "bot", "record": record.id}
    first = sounds[0]
    assert all(sound == first for sound in sounds), "all hear the same"
    for side in (0, 1):
        assert any(level_db(to_samples(frames[side])) > LOUD_DB for frames in first)
    await nothing_left(pbx)


async def test_those_who_listen_when_asterisk_dies_are_told_and_hear_the_next_call(
    pbx: Pbx, tmp_path: Path
) -> None:
    live = LiveCalls(Hub(time.time))
    async with Bot(pbx, tmp_path, live=live) as bot:
        with live.hub.watch() as watch:
            caller = await pbx.dial("600")
            await caller.bot_speaks(SOON_S, since=0.0)
            (call,) = live.calls()
            listening = [asyncio.create_task(all_of(live.listen(call.id))) for _ in range(LISTENERS)]
            await pbx.crash()
            sounds = await asyncio.wait_for(asyncio.gather(*listening), TURN_S)
            record = await bot.record()
            assert all(sounds) and record.ended_by == "asterisk_lost"
            while live.calls():
                await watch.wait()
                await asyncio.sleep(0)
            ended = [each for each in watch.take() if isinstance(each, News)][-1]
            assert (ended.kind, ended.data["ended_by"]) == ("ended", "asterisk_lost")
            await pbx.start()
            async with asyncio.timeout(15):
                while not bot.gateway.ready:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.02)
            again = await pbx.dial("600")
            await again.bot_speaks(SOON_S, since=0.0)
            (call,) = live.calls()
            with live.listen(call.id) as ear:
                assert await asyncio.wait_for(ear.some(), SOON_S)
            await again.hang_up()
            await bot.records(2)
