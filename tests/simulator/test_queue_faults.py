"""Category: simulator. Queues of our own amid faults of Asterisk, and in the worst of moments.

Whatever happens: no caller in silence, no agent who is never asked again, no telephone left over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Caller
from tests.contract.phones import Phones, QueueBot, until_heard
from tests.contract.talk import DATA
from tests.simulator.pbx import SimulatedPbx
from voicebot.errors import UserError
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.callees import Manner

pytestmark = pytest.mark.simulator

WORDS = DATA / "caller" / "another-day.wav"
SOON_S = 5.0
RINGS, ANSWERS = Manner(ring_s=None), Manner(ring_s=0.05)


@pytest.fixture
async def pbx() -> AsyncIterator[SimulatedPbx]:
    async with SimulatedPbx() as simulated:
        yield simulated


async def into_queue(pbx: SimulatedPbx) -> Caller:
    """Return a caller who has just been put into the queue."""
    caller = await pbx.dial("600")
    await caller.bot_speaks(SOON_S, since=0.0)
    await caller.press("3")
    return caller


async def accepting(phones: Phones, name: str) -> SoftphoneCall:
    call = await phones.taken(name)
    await call.bot_speaks(SOON_S, since=0.0)
    await call.press("1")
    return call


async def asked(pbx: SimulatedPbx, start: str, times: int = 1) -> None:
    """Wait until Asterisk was asked this."""
    async with asyncio.timeout(SOON_S):
        while sum(line.startswith(start) for line in pbx.faults.seen) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def hears(caller: Caller, seconds: float = 0.5) -> None:
    """Wait until the caller has heard something for some time, from now on."""
    since = time.monotonic()
    async with asyncio.timeout(SOON_S):
        while (caller.bot_speech.last_audible() or 0.0) < since + seconds:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("status", [404, 422, 500])
async def test_music_that_asterisk_refuses_once_is_heard_all_the_same(
    pbx: SimulatedPbx, tmp_path: Path, status: int
) -> None:
    async with Phones(pbx, anna=ANSWERS) as phones, QueueBot(pbx, tmp_path, phones, "anna") as bot:
        caller = await into_queue(pbx)
        await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        leg = bot.gateway.calls[0].stage.leg
        await asked(pbx, f"POST /bridges/{leg.bridge_id}/removeChannel")
        await bot.house.sign_out("anna")
        adding = f"POST /bridges/{leg.bridge_id}/addChannel"
        pbx.faults.seen.clear()
        pbx.faults.refuse[adding] = status
        await bot.house.transfer(leg_call(bot), "queue:support")
        await asked(pbx, adding)
        del pbx.faults.refuse[adding]
        await hears(caller)
        await caller.hang_up()
        await nothing_left(pbx)


async def test_media_lost_in_the_moment_when_they_are_wanted_again_are_heard(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with Phones(pbx, anna=ANSWERS) as phones, QueueBot(pbx, tmp_path, phones, "anna") as bot:
        caller = await into_queue(pbx)
        await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        leg = bot.gateway.calls[0].stage.leg
        await asked(pbx, f"POST /bridges/{leg.bridge_id}/removeChannel")
        await bot.house.sign_out("anna")
        adding = f"POST /bridges/{leg.bridge_id}/addChannel"
        pbx.faults.seen.clear()
        gate = pbx.faults.hold[adding] = asyncio.Event()
        await bot.house.transfer(leg_call(bot), "queue:support")
        await asked(pbx, adding)
        media = leg.media_id
        await pbx.hang_up_channel(media)
        async with asyncio.timeout(SOON_S):
            while leg.media_id == media:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        gate.set()
        await hears(caller)
        await caller.hang_up()
        await nothing_left(pbx)


def leg_call(bot: QueueBot) -> str:
    return bot.gateway.calls[0].id


async def test_an_agent_is_free_whose_caller_goes_while_their_telephone_is_being_hung_up(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with Phones(pbx, anna=RINGS) as phones, QueueBot(pbx, tmp_path, phones, "anna") as bot:
        caller = await into_queue(pbx)
        await phones.rung("anna")
        await bot.agent_is("anna", "ringing")
        gate = pbx.faults.hold["DELETE /channels/"] = asyncio.Event()
        await bot.house.transfer(leg_call(bot), "742")
        await asked(pbx, "DELETE /channels/")
        await caller.hang_up()
        await asyncio.sleep(0.1)
        gate.set()
        await bot.agent_is("anna", "ready")
        await nothing_left(pbx)


async def test_an_agent_whose_own_bridge_is_lost_stays_with_the_caller(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with Phones(pbx, anna=ANSWERS) as phones, QueueBot(pbx, tmp_path, phones, "anna") as bot:
        caller = await into_queue(pbx)
        anna = await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        await caller.bot_quiet(300, SOON_S)
        leg = bot.gateway.calls[0].stage.leg
        (home,) = (each for each in pbx.world.bridges if each != leg.bridge_id)
        await pbx.delete_bridge(home)
        await asyncio.sleep(0.2)
        said = time.monotonic()
        await anna.say(WORDS)
        assert caller.bot_speech.first_audible(said) is not None
        await caller.hang_up()
        await nothing_left(pbx)


async def consulting(bot: QueueBot, phones: Phones) -> tuple[SoftphoneCall, SoftphoneCall]:
    """Let anna ask bert while the caller hears music; return the two when they talk to each other."""
    anna = await accepting(phones, "anna")
    await bot.agent_is("anna", "talking")
    await bot.house.transfer(leg_call(bot), "agent:bert", "attended", by="panel")
    bert = await phones.taken("bert")
    await bot.agent_is("bert", "talking")
    await until_heard(anna, bert)
    return anna, bert


async def test_whom_a_caller_was_to_be_put_through_to_goes_in_that_moment_and_the_first_one_has_them_again(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=ANSWERS, bert=ANSWERS) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", agents={"bert": {"queues": []}}) as bot,
    ):
        caller = await into_queue(pbx)
        anna, bert = await consulting(bot, phones)
        adding = f"POST /bridges/{bot.gateway.calls[0].stage.leg.bridge_id}/addChannel"
        gate = pbx.faults.hold[adding] = asyncio.Event()
        pbx.faults.seen.clear()
        await bot.house.complete(leg_call(bot))
        await asked(pbx, adding)
        await bert.hang_up()
        gate.set()
        await bot.agent_is("bert", "ready")
        await until_heard(anna, caller)
        await caller.hang_up()
        record = await bot.record()
        await nothing_left(pbx)
    assert [each.outcome for each in record.people[0].transfers] == ["hung_up"]
    assert len(record.people) == 1


async def test_who_cannot_come_back_to_the_caller_gives_them_back_to_the_queue(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=ANSWERS, bert=ANSWERS) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", agents={"bert": {"queues": []}}) as bot,
    ):
        caller = await into_queue(pbx)
        anna, _ = await consulting(bot, phones)
        pbx.faults.refuse[f"POST /bridges/{bot.gateway.calls[0].stage.leg.bridge_id}/addChannel"] = 500
        await bot.house.cancel(leg_call(bot))
        await asyncio.wait_for(anna.ended, SOON_S)
        await phones.rung("anna", 2)
        await hears(caller)
        pbx.faults.refuse.clear()
        again = await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        await until_heard(again, caller)
        await caller.hang_up()
        record = await bot.record()
        await nothing_left(pbx)
    assert [each.outcome for each in record.people] == ["answered", "answered"]


@pytest.mark.parametrize("key", ["2", ""])
async def test_an_agent_who_is_to_be_asked_in_the_moment_when_nobody_is_asked_more_is_free_at_once(
    pbx: SimulatedPbx, tmp_path: Path, key: str
) -> None:
    """The caller wants to be called back, or is dropped, as the queue has just chosen an agent."""
    async with (
        Phones(pbx, anna=RINGS) as phones,
        QueueBot(
            pbx,
            tmp_path,
            phones,
            agents={"anna": {"signed_in": False}},
            queue={"call_back": True, "call_back_trunk": "out"},
            trunks={"out": {"dial": phones.channel("{number}")}},
            may_dial=lambda number: None,
        ) as bot,
    ):
        caller = await into_queue(pbx)
        await bot.waiting(1)
        waiting = bot.gateway.calls[0]._attendant
        assert waiting is not None
        if key:
            waiting.press(key)
        else:
            await bot.house.drop(leg_call(bot))
        await bot.house.sign_in("anna")  # the queue chooses before the caller's task has its turn
        bot.house._hall._match()
        await asyncio.sleep(0.1)
        assert phones.dialled == []
        await bot.agent_is("anna", "ready", timeout=1.0)
        await caller.hang_up()
        await nothing_left(pbx)


async def test_no_music_goes_on_under_a_supervisor_who_takes_over_whom_a_full_queue_refuses(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=RINGS) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", queue={"capacity": 1}) as bot,
    ):
        first = await into_queue(pbx)
        await bot.waiting(1)
        second = await into_queue(pbx)
        call = bot.gateway.calls[-1]
        await hears(second, 0.3)
        call.handle.take_over("boss")
        await second.bot_quiet(500, 2.0)
        for caller in (first, second):
            await caller.hang_up()
        records = await bot.records(2)
        await nothing_left(pbx)
    assert sorted(record.people[0].outcome for record in records) == ["abandoned", "full"]


async def test_who_hears_that_nobody_takes_them_waits_no_more(pbx: SimulatedPbx, tmp_path: Path) -> None:
    async with Phones(pbx, anna=RINGS) as phones, QueueBot(pbx, tmp_path, phones, "anna") as bot:
        caller = await into_queue(pbx)
        await bot.agent_is("anna", "ringing")
        call_id = leg_call(bot)
        await bot.house.drop(call_id)
        await bot.agent_is("anna", "ready", timeout=1.0)
        with pytest.raises(UserError, match="does not wait"):  # or it would be said to be done, and is not
            await bot.house.transfer(call_id, "742")
        assert not bot.house.queues()[0].waiting
        await asyncio.wait_for(caller.ended, 10)
        await nothing_left(pbx)
