"""Category: simulator and integration. Two persons who talk are not cut off by a gateway that stops."""

from __future__ import annotations

import asyncio
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.gateway import Gateway, nothing_left
from tests.contract.pbx import Caller, Pbx
from tests.contract.phones import Phones, QueueBot, until_heard
from tests.contract.real import RealPbx
from tests.contract.test_supervision import House
from tests.contract.test_supervisors_phone import on_line
from tests.simulator.pbx import SimulatedPbx
from voicebot.pbx.link import Link
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.callees import Manner
from voicebot.switchboard.supervisors.modes import Mode
from voicebot.switchboard.supervisors.supervisors import Supervisors

SOON_S = 5.0
LONG_S = 60
"""So long calls may last on: nobody waits for it."""
RELOAD = "dialplan reload"


async def hear_each_other(*pair: SoftphoneCall | Caller) -> None:
    """Let each of two speak, and the other hear it."""
    for speaks, hears in (pair, pair[::-1]):
        await until_heard(speaks, hears)


async def joined(pbx: Pbx, phones: Phones, bot: QueueBot) -> tuple[Caller, SoftphoneCall]:
    """Return a caller and anna, who talk to each other."""
    caller = await pbx.dial("600")
    await caller.bot_speaks(SOON_S, since=0.0)
    await caller.press("3")
    anna = await phones.taken("anna")
    await anna.bot_speaks(SOON_S, since=0.0)
    await anna.press("1")
    await bot.agent_is("anna", "talking")
    await anna.bot_quiet(300, SOON_S)
    return caller, anna


async def only_they_are_left(pbx: Pbx) -> None:
    """Wait until the PBX has the two and what joins them, and nothing else."""
    async with asyncio.timeout(SOON_S):
        while len(await pbx.left_over()) != 3:  # noqa: ASYNC110 - the PBX tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def without_place(pbx: Pbx) -> AsyncIterator[None]:
    """Have a dialplan of another's, that lacks [voicebot-talk]."""
    if isinstance(pbx, SimulatedPbx):
        pbx.contexts.clear()
        yield
        return
    assert isinstance(pbx, RealPbx)
    pbx.cli("dialplan remove context voicebot-talk")
    try:
        yield
    finally:
        pbx.cli(RELOAD)


@pytest.mark.parametrize("first", ["caller", "anna"])
async def test_they_talk_on_and_who_stays_is_hung_up_when_the_other_hangs_up(
    pbx: Pbx, tmp_path: Path, first: str
) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1)) as phones:
        async with QueueBot(pbx, tmp_path, phones, "anna", limits={"drain_s": LONG_S}) as bot:
            caller, anna = await joined(pbx, phones, bot)
            bot.gateway.stop()
            async with asyncio.timeout(SOON_S):
                await bot.stopped()
            record = await bot.record()
        await only_they_are_left(pbx)
        await hear_each_other(caller, anna)
        following = Gateway(pbx.settings)
        async with following.ari:  # finds nobody's channels, and leaves them alone
            await following.until(Link.CONNECTED, SOON_S)
            await hear_each_other(caller, anna)
        hangs_up, other = (caller, anna) if first == "caller" else (anna, caller)
        await hangs_up.hang_up()
        await asyncio.wait_for(other.ended, SOON_S)
        await nothing_left(pbx)
    assert (record.ended_by, record.outcome) == ("left_talking", "transferred")
    (stay,) = record.people
    assert (stay.outcome, stay.agent, stay.left_talking) == ("answered", "anna", True)
    assert 0 < stay.talked_ms < record.duration_ms
    assert record.faults == []


async def test_who_is_recorded_is_recorded_while_the_gateway_may_last(pbx: Pbx, tmp_path: Path) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1)) as phones:
        changes: dict[str, Any] = {"limits": {"drain_s": 2}, "route": {"record": True}}
        async with QueueBot(pbx, tmp_path, phones, "anna", **changes) as bot:
            caller, anna = await joined(pbx, phones, bot)
            bot.gateway.stop()
            began = time.monotonic()
            await hear_each_other(caller, anna)
            await bot.stopped()
            assert time.monotonic() - began > 1.9
            record = await bot.record()
        await hear_each_other(caller, anna)
        await caller.hang_up()
        await asyncio.wait_for(anna.ended, SOON_S)
        await nothing_left(pbx)
    assert record.ended_by == "left_talking"
    assert record.recording is not None
    with wave.open(str(next(tmp_path.rglob(record.recording)))) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(record.duration_ms / 1000, abs=0.5)


async def test_an_attended_transfer_that_is_not_complete_is_taken_back(pbx: Pbx, tmp_path: Path) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1), bert=Manner(ring_s=0.1)) as phones:
        changes: dict[str, Any] = {"limits": {"drain_s": 1}, "agents": {"bert": {"queues": []}}}
        async with QueueBot(pbx, tmp_path, phones, "anna", "bert", **changes) as bot:
            caller, anna = await joined(pbx, phones, bot)
            call = bot.gateway.calls[0].id
            await bot.house.transfer(call, "agent:bert", "attended")
            bert = await phones.taken("bert")
            await hear_each_other(anna, bert)
            bot.gateway.stop()
            await bot.stopped()
            record = await bot.record()
        await asyncio.wait_for(bert.ended, SOON_S)
        await hear_each_other(caller, anna)
        await anna.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        await nothing_left(pbx)
    assert record.ended_by == "left_talking"
    assert [each.outcome for each in record.people[0].transfers] == ["cancelled"]


async def test_a_gateway_whose_media_fail_cuts_nobody_off_who_does_not_need_them(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1)) as phones:
        with pytest.raises(RuntimeError, match="the tick"):
            async with QueueBot(pbx, tmp_path, phones, "anna", route={"record": True}) as bot:
                caller, anna = await joined(pbx, phones, bot)
                bot.gateway.engines.media.stopped.set_exception(RuntimeError("the tick"))
                await bot.stopped()
        record = await bot.record()
        await hear_each_other(caller, anna)
        await anna.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        await nothing_left(pbx)
    assert record.ended_by == "left_talking"


async def test_who_is_promised_somebody_who_still_rings_is_told_by_the_dialplan(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=0.1), bert=Manner(ring_s=None)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", "bert", limits={"drain_s": 1}) as bot,
    ):
        caller, anna = await joined(pbx, phones, bot)
        await bot.house.transfer(bot.gateway.calls[0].id, "agent:bert", "attended")
        await phones.rung("bert")
        await anna.hang_up()
        bot.gateway.stop()
        await bot.stopped()
        stopped = time.monotonic()
        record = await bot.record()
        if isinstance(pbx, SimulatedPbx):
            assert [each[1:3] for each in pbx.handed_over] == [("voicebot-unavailable", "s")]
            await caller.hang_up()
        else:
            await caller.bot_speaks(SOON_S, since=stopped)  # the dialplan's apology
            await asyncio.wait_for(caller.ended, 10.0)
        await nothing_left(pbx)
    assert record.ended_by == "shutdown"


async def test_the_caller_goes_on_afterwards_as_the_queue_wants_it(pbx: Pbx, tmp_path: Path) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1)) as phones:
        changes: dict[str, Any] = {"queue": {"afterwards": "sur-vey_1"}, "limits": {"drain_s": LONG_S}}
        async with QueueBot(pbx, tmp_path, phones, "anna", **changes) as bot:
            caller, anna = await joined(pbx, phones, bot)
            bot.gateway.stop()
            await bot.stopped()
        await hear_each_other(caller, anna)
        await caller.bot_quiet(400, SOON_S)
        since = time.monotonic()
        await anna.hang_up()
        if isinstance(pbx, SimulatedPbx):
            assert pbx.handed_over[-1][1:3] == ("voicebot-handover", "sur-vey_1")
        else:
            assert isinstance(pbx, RealPbx)
            await caller.bot_speaks(SOON_S, since=since)  # nobody is there: a sentence
            assert "!voicebot-handover!sur-vey_1!" in pbx.cli("core show channels concise")
        await caller.hang_up()
        await nothing_left(pbx)


@pytest.mark.parametrize("mode", ["listen", "whisper"])
async def test_a_supervisor_who_is_not_heard_by_both_goes_and_they_talk_on(
    pbx: Pbx, tmp_path: Path, mode: Mode
) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1), boss=Manner(ring_s=0.1)) as phones:
        settings: dict[str, Any] = {"supervision": {"phones": {"boss": phones.channel("boss")}}}
        async with QueueBot(pbx, tmp_path, phones, "anna", **settings) as bot:
            supervisors = Supervisors(lambda: bot.gateway.calls)
            bot.gateway.look_after(supervisors.close, supervisors.quiet, supervisors.depart)
            caller, anna = await joined(pbx, phones, bot)
            await supervisors.visit(bot.gateway.calls[0].id, mode, "boss")
            boss = await phones.taken("boss")
            await on_line(supervisors)
            bot.gateway.stop()
            await bot.stopped()
        await asyncio.wait_for(boss.ended, SOON_S)
        await only_they_are_left(pbx)
        await hear_each_other(caller, anna)
        await caller.hang_up()
        await asyncio.wait_for(anna.ended, SOON_S)
        await nothing_left(pbx)


async def test_who_waits_is_served_while_it_drains_and_then_they_talk_on(pbx: Pbx, tmp_path: Path) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1)) as phones:
        async with QueueBot(
            pbx, tmp_path, phones, "anna", limits={"drain_s": LONG_S}, agents={"anna": {"signed_in": False}}
        ) as bot:
            caller = await pbx.dial("600")
            await caller.bot_speaks(SOON_S, since=0.0)
            await caller.press("3")
            await bot.waiting(1)
            bot.gateway.stop()
            await bot.house.sign_in("anna")
            anna = await phones.taken("anna")
            await anna.bot_speaks(SOON_S, since=0.0)
            await anna.press("1")
            async with asyncio.timeout(SOON_S):
                await bot.stopped()
            record = await bot.record()
        await hear_each_other(caller, anna)
        await anna.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        await nothing_left(pbx)
    assert record.people[0].left_talking


async def test_who_was_called_back_talks_on_too(pbx: Pbx, tmp_path: Path) -> None:
    number = "+12025550142"
    manners = {"anna": Manner(ring_s=0.1), number: Manner(ring_s=0.3)}
    async with Phones(pbx, **manners) as phones:
        async with QueueBot(
            pbx,
            tmp_path,
            phones,
            "anna",
            agents={"anna": {"signed_in": False}},
            queue={"call_back": True, "call_back_trunk": "out"},
            trunks={"out": {"dial": phones.channel("{number}")}},
            may_dial=lambda number: None,
            limits={"drain_s": LONG_S},
        ) as bot:
            caller = await pbx.dial("600", caller=number)
            await caller.bot_speaks(SOON_S, since=0.0)
            await caller.press("3")
            await bot.waiting(1)
            await caller.press("2")
            await caller.press("#")
            await asyncio.wait_for(caller.ended, 10)
            await bot.house.sign_in("anna")
            anna = await phones.taken("anna")
            await anna.bot_speaks(SOON_S, since=0.0)
            await anna.press("1")
            called = await phones.taken(number)
            await called.answered(SOON_S)
            bot.gateway.stop()
            async with asyncio.timeout(SOON_S):
                await bot.stopped()
            record = await bot.record()
        await hear_each_other(called, anna)
        following = Gateway(pbx.settings)
        async with following.ari:
            await following.until(Link.CONNECTED, SOON_S)
            await hear_each_other(called, anna)
        await called.hang_up()
        await asyncio.wait_for(anna.ended, SOON_S)
        await nothing_left(pbx)
    assert record.people[0].left_talking
    assert record.people[0].call_back is not None
    assert record.people[0].call_back.outcome == "answered"


async def test_where_the_dialplan_lacks_the_place_they_talk_on_in_our_bridge(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1)) as phones, without_place(pbx):
        async with QueueBot(pbx, tmp_path, phones, "anna", limits={"drain_s": 1}) as bot:
            caller, anna = await joined(pbx, phones, bot)
            bot.gateway.stop()
            await bot.stopped()
            record = await bot.record()
        await only_they_are_left(pbx)
        await hear_each_other(caller, anna)
        following = Gateway(pbx.settings)
        async with following.ari:
            await following.until(Link.CONNECTED, SOON_S)
            await hear_each_other(caller, anna)
            await caller.hang_up()
            await asyncio.wait_for(anna.ended, SOON_S)
            await nothing_left(pbx)
    assert record.ended_by == "left_talking"


@pytest.mark.parametrize(("mode", "drain_s"), [("take_over", LONG_S), ("barge", 1)])
async def test_who_has_come_in_between_by_telephone_talks_on_too(
    pbx: Pbx, tmp_path: Path, mode: Mode, drain_s: int
) -> None:
    async with Phones(pbx, boss=Manner(ring_s=0.1)) as phones:
        settings: dict[str, Any] = {"supervision": {"phones": {"boss": phones.channel("boss")}}}
        async with House(pbx, tmp_path, limits={"drain_s": drain_s}, **settings) as house:
            caller = await pbx.dial("600")
            await caller.bot_speaks(SOON_S, since=0.0)
            await house.supervisors.visit(house.id, mode, "boss")
            boss = await phones.taken("boss")
            await on_line(house.supervisors)
            await hear_each_other(caller, boss)
            house.bot.gateway.stop()
            async with asyncio.timeout(SOON_S):
                await house.bot.stopped()
            record = await house.bot.record()
        await only_they_are_left(pbx)
        await hear_each_other(caller, boss)
        await boss.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        await nothing_left(pbx)
    assert record.ended_by == "left_talking"
