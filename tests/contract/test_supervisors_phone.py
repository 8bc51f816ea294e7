"""Category: simulator and integration. Supervisors on calls by telephone: who hears whom, what is left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Pbx
from tests.contract.phones import Phones, QueueBot
from tests.contract.test_supervision import BOT_HZ, VOICE_HZ, House, now, pitch, speak
from voicebot.audio import g711
from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub, News
from voicebot.errors import UserError
from voicebot.softphone.callees import Manner
from voicebot.switchboard.supervisors import phone
from voicebot.switchboard.supervisors.supervisors import Supervisors

SOON_S = 5.0
CALLER_HZ, BOSS_HZ, AGENT_HZ = 500, 1100, 1700
ANSWERS = Manner(ring_s=0.1)


def hum(hz: int, seconds: float = 1.2) -> bytes:
    at = np.arange(int(8000 * seconds)) / 8000
    return g711.encode((7000 * np.sin(2 * np.pi * hz * at)).astype(np.int16)).tobytes()


def pitches(frames: object, since: float, *sought: int) -> set[int]:
    """Return which of the frequencies were heard since then, alone or together with others."""
    audible = [each for each in frames if each.at > since and each.audible]  # type: ignore[attr-defined]
    if len(audible) < 5:
        return set()
    pcm = g711.decode(np.frombuffer(b"".join(each.payload for each in audible), np.uint8)).astype(float)
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    per_bin = 8000 / len(pcm)

    def around(hz: int) -> float:
        return float(spectrum[round((hz - 12) / per_bin) : round((hz + 12) / per_bin) + 1].max())

    floor = 40 * float(np.median(spectrum))
    loudest = max(around(hz) for hz in sought)
    return {hz for hz in sought if around(hz) > max(floor, loudest / 15)}


def phones_of(phones: Phones, *names: str) -> dict[str, object]:
    return {"phones": {name: phones.channel(name) for name in names}}


async def until(holds: Callable[[], bool], timeout: float = SOON_S) -> None:
    async with asyncio.timeout(timeout):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def on_line(supervisors: Supervisors, count: int = 1) -> None:
    await until(lambda: [visit.state for visit in supervisors.visits()].count("on_line") >= count)


async def test_who_listens_hears_both_and_is_not_heard_and_keys_change_that(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, boss=ANSWERS) as phones,
        House(pbx, tmp_path, supervision=phones_of(phones, "boss")) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        visit = await house.supervisors.visit(house.id, "listen", "boss")
        boss = await phones.taken("boss")
        await on_line(house.supervisors)
        (call,) = house.bot.gateway.calls
        assert call.handle.live.view().supervisors == ("boss",)
        await caller.bot_quiet(400, SOON_S * 2)
        since = now()
        await house.supervisors.repeat(call.id, "boss")
        await asyncio.gather(boss.say(hum(BOSS_HZ)), asyncio.wait_for(caller.say(hum(CALLER_HZ)), SOON_S))
        heard = {BOT_HZ, CALLER_HZ, BOSS_HZ}
        assert pitches(boss.received, since, *heard) >= {BOT_HZ, CALLER_HZ} and BOSS_HZ not in pitches(
            boss.received, since, *heard
        )
        assert BOSS_HZ not in pitches(caller.received, since, *heard)
        # --- barge in by key
        await boss.press("3")
        await until(lambda: call.handle.live.is_held)
        await caller.pause(0.3)
        since = now()
        await asyncio.gather(boss.say(hum(BOSS_HZ)), caller.say(hum(CALLER_HZ)))
        assert pitches(caller.received, since, *heard) == {BOSS_HZ}
        assert pitches(boss.received, since, *heard) == {CALLER_HZ}
        # --- and back: the bot asks again
        await caller.pause(0.5)  # longer than what parts two stretches of speech
        since = now()
        await boss.press("1")
        await caller.bot_speaks(SOON_S, since=since)
        assert house.supervisors.visits()[0].mode == "listen"
        with pytest.raises(UserError, match="a bot has this call"):
            await house.supervisors.change(visit.id, "whisper")
        await boss.hang_up()
        await caller.hang_up()
        record = await house.bot.record()
        assert [(i.by, i.what) for i in record.interventions][:4] == [
            ("boss", "listen"),
            ("boss", "repeat"),
            ("boss", "barge"),
            ("boss", "listen"),
        ]
        assert record.faults == []
        await nothing_left(pbx)


async def test_a_telephone_takes_a_call_over_and_its_end_is_the_calls(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, boss=ANSWERS, other=ANSWERS) as phones,
        House(pbx, tmp_path, supervision=phones_of(phones, "boss", "other")) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        visit = await house.supervisors.visit(house.id, "take_over", "boss")
        boss = await phones.taken("boss")
        await on_line(house.supervisors)
        await caller.pause(0.4)
        since = now()
        await asyncio.gather(boss.say(hum(BOSS_HZ)), caller.say(hum(CALLER_HZ)))
        heard = (BOT_HZ, CALLER_HZ, BOSS_HZ)
        assert pitches(caller.received, since, *heard) == {BOSS_HZ}
        assert pitches(boss.received, since, *heard) == {CALLER_HZ}
        with pytest.raises(UserError, match="hang up"):
            await house.supervisors.change(visit.id, "listen")
        with pytest.raises(UserError, match="boss has taken"):
            await house.supervisors.visit(house.id, "take_over", "other")
        await boss.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        record = await house.bot.record()
        assert (record.outcome, record.ended_by) == ("taken_over", "supervisor")
        await nothing_left(pbx)


async def test_the_callers_end_is_the_supervisors(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, boss=ANSWERS, other=ANSWERS, rings=Manner(ring_s=None)) as phones,
        House(pbx, tmp_path, supervision=phones_of(phones, "boss", "other", "rings")) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await house.supervisors.visit(house.id, "listen", "boss")
        both = [await phones.taken("boss")]
        await house.supervisors.visit(house.id, "barge", "other")
        both.append(await phones.taken("other"))
        await house.supervisors.visit(house.id, "listen", "rings")
        await on_line(house.supervisors, 2)
        await caller.hang_up()
        for boss in both:
            await asyncio.wait_for(boss.ended, SOON_S)
        await house.bot.record()
        await nothing_left(pbx)
        assert house.supervisors.visits() == ()


async def test_only_our_telephones_are_rung_and_who_is_not_reached_is_told_why(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, busy=Manner(refuse=486)) as phones,
        House(
            pbx,
            tmp_path,
            supervision={
                "phones": {"busy": phones.channel("busy"), "away": "PJSIP/person", "old": "SIP/old"}
            },
        ) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        with pytest.raises(UserError, match="no telephone of ours"):
            await house.supervisors.visit(house.id, "listen", "busy", "PJSIP/19005550100@trunk")
        with pytest.raises(UserError, match="no telephone of anna"):
            await house.supervisors.visit(house.id, "listen", "anna")
        with pytest.raises(UserError, match="was not reached: it is busy"):
            await house.supervisors.visit(house.id, "listen", "busy")
        with pytest.raises(UserError, match=r"PJSIP/person is not registered — .* register with Asterisk"):
            await house.supervisors.visit(house.id, "listen", "away")
        with pytest.raises(UserError, match=r"knows no SIP/old — .* as Asterisk does"):
            await house.supervisors.visit(house.id, "listen", "old")
        await caller.hang_up()
        await house.bot.record()
        await nothing_left(pbx)


async def test_who_watches_is_told_when_nobody_answers_the_telephone(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "RING_S", 0.8)
    live = LiveCalls(Hub(time.time))
    async with (
        Phones(pbx, out=Manner(ring_s=None)) as phones,
        House(pbx, tmp_path, supervision=phones_of(phones, "out"), live=live) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        with live.hub.watch("visit_failed") as watch:
            visit = await house.supervisors.visit(house.id, "listen", "out")
            assert visit.state == "ringing"
            await asyncio.wait_for(watch.wait(), SOON_S)
            (news,) = watch.take()
        assert isinstance(news, News)
        assert (news.id, news.data["visit"], news.data["what"]) == (house.id, visit.id, "nobody answered")
        await caller.hang_up()
        await house.bot.record()
        await nothing_left(pbx)


async def test_ten_supervisors_listen_when_the_pbx_dies_and_all_is_well_again(
    pbx: Pbx, tmp_path: Path
) -> None:
    names = [f"boss{number}" for number in range(10)]
    async with (
        Phones(pbx, **dict.fromkeys(names, ANSWERS)) as phones,
        House(pbx, tmp_path, supervision=phones_of(phones, *names)) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        for name in names:
            await house.supervisors.visit(house.id, "barge" if name == "boss0" else "listen", name)
        await on_line(house.supervisors, 10)
        await pbx.crash()
        record = await house.bot.record()
        assert record.ended_by == "asterisk_lost"
        await until(lambda: not house.supervisors.visits())
        await pbx.start()
        await until(lambda: house.bot.gateway.ready, 15)
        await nothing_left(pbx)
        again = await pbx.dial("600")
        await again.bot_speaks(SOON_S, since=0.0)
        await house.supervisors.say(house.id, "We are back.", "boss1")
        await again.hang_up()
        await house.bot.records(2)
        await nothing_left(pbx)


async def test_on_a_persons_call_a_supervisor_listens_whispers_and_barges_in(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=ANSWERS, boss=ANSWERS) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", supervision=phones_of(phones, "boss")) as bot,
    ):
        supervisors = Supervisors(lambda: bot.gateway.calls)
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press("3")
        anna = await phones.taken("anna")
        await anna.bot_speaks(SOON_S, since=0.0)
        await anna.bot_quiet(400, SOON_S * 2)
        await anna.press("1")
        await bot.agent_is("anna", "talking")
        (call,) = bot.gateway.calls
        assert call.handle.company is not None and call.handle.mind is None
        everyone = (CALLER_HZ, AGENT_HZ, BOSS_HZ)

        visit = await supervisors.visit(call.id, "listen", "boss")
        boss = await phones.taken("boss")
        await on_line(supervisors)
        await caller.pause(0.5)

        async def talk() -> list[set[int]]:
            since = now()
            await asyncio.gather(caller.say(hum(CALLER_HZ)), anna.say(hum(AGENT_HZ)), boss.say(hum(BOSS_HZ)))
            await caller.pause(0.2)
            return [pitches(each.received, since, *everyone) for each in (caller, anna, boss)]

        assert await talk() == [{AGENT_HZ}, {CALLER_HZ}, {CALLER_HZ, AGENT_HZ}]
        await supervisors.change(visit.id, "whisper")
        await caller.pause(0.3)
        hears = await talk()
        assert hears[:2] == [{AGENT_HZ}, {CALLER_HZ, BOSS_HZ}] and hears[2] >= {CALLER_HZ, AGENT_HZ}
        await supervisors.change(visit.id, "barge")
        await caller.pause(0.3)
        assert await talk() == [{AGENT_HZ, BOSS_HZ}, {CALLER_HZ, BOSS_HZ}, {CALLER_HZ, AGENT_HZ}]
        with pytest.raises(UserError, match="no bot has this call"):
            await supervisors.say(call.id, "Hello?", "boss")
        await supervisors.leave(visit.id)
        await asyncio.wait_for(boss.ended, SOON_S)
        microphone = await supervisors.microphone(call.id, "whisper", "boss")
        since = now()
        await speak(microphone, 0.8)
        await caller.pause(0.3)
        assert pitch(anna.received, since) == pytest.approx(VOICE_HZ, abs=15)
        assert pitch(caller.received, since) == 0.0
        await microphone.close()
        await caller.hang_up()
        record = await bot.record()
        assert [i.what for i in record.interventions] == [
            "listen", "whisper", "barge", "leave", "whisper", "leave",
        ]  # fmt: skip
        await nothing_left(pbx)


async def test_a_caller_goes_from_the_bot_to_a_queue_and_from_there_to_a_supervisor(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=None)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna") as bot,
    ):
        supervisors = Supervisors(lambda: bot.gateway.calls)
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        (call,) = bot.gateway.calls
        with pytest.raises(UserError, match="queues: support"):
            await supervisors.transfer(call.id, "queue:sales", "blind", "boss")
        await supervisors.transfer(call.id, "queue:support", "blind", "boss")
        await bot.waiting(1)
        await phones.rung("anna")
        microphone = await supervisors.microphone(call.id, "take_over", "boss")
        await until(lambda: not bot.house.queues()[0].waiting)
        await caller.pause(0.5)
        since = now()
        await speak(microphone, 0.8)
        await caller.pause(0.2)
        assert pitch(caller.received, since) == pytest.approx(VOICE_HZ, abs=15), "and no music"
        await microphone.close()
        await asyncio.wait_for(caller.ended, SOON_S)
        record = await bot.record()
        assert [i.what for i in record.interventions] == ["transfer", "take_over", "leave"]
        assert record.ended_by == "supervisor" and record.people[0].outcome == "ended"
        await nothing_left(pbx)


async def test_who_speaks_to_a_waiting_caller_is_heard_by_the_agent_who_comes_and_whispers_end_with_them(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=1.0)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", queue={"whisper": False}) as bot,
    ):
        supervisors = Supervisors(lambda: bot.gateway.calls)
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press("3")
        await bot.waiting(1)
        (call,) = bot.gateway.calls
        barging = await supervisors.microphone(call.id, "barge", "boss")
        anna = await phones.taken("anna")
        await bot.agent_is("anna", "talking")
        whispering = await supervisors.microphone(call.id, "whisper", "other")
        await caller.pause(0.5)
        since = now()
        await speak(barging, 0.8)
        await caller.pause(0.3)
        for each in (caller, anna):
            assert pitch(each.received, since) == pytest.approx(VOICE_HZ, abs=15)
        await barging.close()
        await anna.hang_up()
        await until(lambda: whispering.closed)
        await caller.hang_up()
        await bot.record()
        await nothing_left(pbx)


async def test_nobody_hears_a_sensitive_answer_by_telephone(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, boss=ANSWERS) as phones,
        House(pbx, tmp_path, supervision=phones_of(phones, "boss")) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await house.supervisors.visit(house.id, "listen", "boss")
        boss = await phones.taken("boss")
        await boss.bot_speaks(SOON_S, since=0.0)
        await house.supervisors.jump(house.id, "pin", "boss")
        await caller.bot_quiet(400, SOON_S)
        since = now() - 0.4
        await caller.say(hum(CALLER_HZ))
        await caller.pause(0.3)
        assert pitches(boss.received, since, CALLER_HZ, BOT_HZ) == set()
        await caller.hang_up()
        await house.bot.record()
        await nothing_left(pbx)
