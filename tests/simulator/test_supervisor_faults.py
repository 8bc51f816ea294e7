"""Category: simulator. Supervisors on calls amid faults of Asterisk, and in the worst of moments."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.gateway import nothing_left
from tests.contract.phones import Phones, QueueBot
from tests.contract.test_supervision import VOICE_HZ, House, now, pitch, speak
from tests.contract.test_supervisors_phone import ANSWERS, SOON_S, on_line, phones_of, until
from tests.simulator.pbx import SimulatedPbx
from tests.simulator.test_queue_faults import accepting, asked, into_queue, pbx
from voicebot.errors import UserError
from voicebot.softphone.callees import Manner
from voicebot.switchboard.supervisors.supervisors import Supervisors

__all__ = ["pbx"]
pytestmark = pytest.mark.simulator


async def test_who_barges_in_by_microphone_where_a_telephone_has_taken_over_is_heard_by_both(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, boss=ANSWERS) as phones,
        House(pbx, tmp_path, supervision=phones_of(phones, "boss")) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await house.supervisors.visit(house.id, "take_over", "boss")
        boss = await phones.taken("boss")
        await on_line(house.supervisors)
        microphone = await house.supervisors.microphone(house.id, "barge", "other")
        await caller.pause(0.3)
        since = now()
        await speak(microphone, 0.8)
        await caller.pause(0.2)
        for each in (caller, boss):
            assert pitch(each.received, since) == pytest.approx(VOICE_HZ, abs=15)
        await microphone.close()
        await boss.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        await nothing_left(pbx)


async def test_who_takes_over_by_microphone_from_a_person_is_heard(pbx: SimulatedPbx, tmp_path: Path) -> None:
    async with Phones(pbx, anna=ANSWERS) as phones, QueueBot(pbx, tmp_path, phones, "anna") as bot:
        supervisors = Supervisors(lambda: bot.gateway.calls)
        caller = await into_queue(pbx)
        anna = await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        leg = bot.gateway.calls[0].stage.leg
        await asked(pbx, f"POST /bridges/{leg.bridge_id}/removeChannel")
        microphone = await supervisors.microphone(bot.gateway.calls[0].id, "take_over", "boss")
        await asyncio.wait_for(anna.ended, SOON_S)
        await caller.pause(0.3)
        since = now()
        await speak(microphone, 0.8)
        await caller.pause(0.2)
        assert pitch(caller.received, since) == pytest.approx(VOICE_HZ, abs=15)
        await microphone.close()
        await asyncio.wait_for(caller.ended, SOON_S)
        await nothing_left(pbx)


async def test_one_telephone_is_not_rung_twice_for_one_call(pbx: SimulatedPbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, boss=Manner(ring_s=None)) as phones,
        House(pbx, tmp_path, supervision=phones_of(phones, "boss")) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        visits = (house.supervisors.visit(house.id, mode, "boss") for mode in ("listen", "barge"))
        outcomes = await asyncio.gather(*visits, return_exceptions=True)
        assert [isinstance(each, UserError) for each in outcomes] == [False, True]
        assert phones.dialled == ["boss"]
        await caller.hang_up()
        await until(lambda: not house.supervisors.visits())
        await nothing_left(pbx)


@pytest.mark.parametrize("who", ["supervisor", "caller", "telephone"])
async def test_whoever_goes_while_a_barge_is_set_up_nothing_is_left_and_no_bot_stays_held(
    pbx: SimulatedPbx, tmp_path: Path, who: str
) -> None:
    async with (
        Phones(pbx, boss=ANSWERS) as phones,
        House(pbx, tmp_path, supervision=phones_of(phones, "boss")) as house,
    ):
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        (call,) = house.bot.gateway.calls
        joining = f"POST /bridges/{call.stage.leg.bridge_id}/addChannel"
        pbx.faults.seen.clear()
        gate = pbx.faults.hold[joining] = asyncio.Event()
        visit = await house.supervisors.visit(house.id, "barge", "boss")
        await asked(pbx, joining)
        boss = await phones.taken("boss")
        if who == "supervisor":
            await house.supervisors.leave(visit.id)
        elif who == "caller":
            await caller.hang_up()
        else:
            await boss.hang_up()
        await asyncio.sleep(0.05)
        gate.set()
        await until(lambda: not house.supervisors.visits())
        if who != "caller":
            assert not call.handle.live.is_held
            await caller.bot_quiet(400, SOON_S * 2)
            since = now()
            await house.supervisors.repeat(call.id, "boss")
            await caller.bot_speaks(SOON_S, since=since)
            await caller.hang_up()
        await house.bot.record()
        await nothing_left(pbx)


@pytest.mark.parametrize("status", [404, 409, 500])
@pytest.mark.parametrize("refused", ["POST /channels/{channel}/snoop", "POST /channels/externalMedia"])
async def test_a_visit_that_asterisk_refuses_leaves_nothing(
    pbx: SimulatedPbx, tmp_path: Path, refused: str, status: int
) -> None:
    async with (
        Phones(pbx, anna=ANSWERS, boss=ANSWERS) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", supervision=phones_of(phones, "boss")) as bot,
    ):
        supervisors = Supervisors(lambda: bot.gateway.calls)
        caller = await into_queue(pbx)
        await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        (call,) = bot.gateway.calls
        before = len(await pbx.left_over())
        assert call.handle.company is not None
        for channel in (call.stage.leg.channel_id, call.handle.company.channel_id):
            pbx.faults.refuse[refused.format(channel=channel)] = status
        with suppress(UserError):  # it may be known in time, or not
            await supervisors.visit(call.id, "listen", "boss")
        await until(lambda: not supervisors.visits())
        with pytest.raises(UserError):
            await supervisors.microphone(call.id, "whisper", "boss")
        await nothing_left(pbx, but=before)
        assert call.handle.live.view().supervisors == ()
        await caller.hang_up()
        await bot.record()
        await nothing_left(pbx)
