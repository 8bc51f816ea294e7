"""Category: simulator. Conferences amid faults of Asterisk, and in the worst of moments."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.contract.gateway import nothing_left
from tests.contract.phones import Phones
from tests.contract.test_conferences import eventually, meeting
from tests.simulator.pbx import SimulatedPbx
from tests.simulator.test_queue_faults import asked, pbx
from voicebot.call.live import News
from voicebot.errors import UserError
from voicebot.softphone.callees import Manner

__all__ = ["pbx"]
pytestmark = pytest.mark.simulator


async def test_a_bot_that_is_removed_before_it_begins_is_gone(pbx: SimulatedPbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        anna = await of.joins("anna", host=True)
        await of.conferences.add_bot("weekly", "notes.yaml")
        await of.conferences.remove_bot("weekly")
        assert [each.bot for each in of.room.participants] == [False]
        assert of.room.dialog == ""
        await of.conferences.add_bot("weekly", "notes.yaml")
        assert of.room.dialog == "notes"
        await asyncio.sleep(0.1)
        await anna.hang_up()
        await of.bot.records(2)
        await nothing_left(pbx)


@pytest.mark.parametrize("on", [True, False])
async def test_who_asterisk_does_not_mute_at_once_is_muted_a_moment_later(
    pbx: SimulatedPbx, tmp_path: Path, on: bool
) -> None:
    async with meeting(pbx, tmp_path) as of:
        anna, ben = await of.joins("anna", host=True), await of.joins("ben")
        (channel,) = (each for each in pbx.world.channels.values() if each.number == "ben")
        if not on:
            await of.conferences.mute("weekly", of.of("ben").id)
            await eventually(lambda: channel.muted)
        asking = f"{'POST' if on else 'DELETE'} /channels/{channel.id}/mute"
        pbx.faults.refuse[asking] = 500
        await (of.conferences.mute if on else of.conferences.unmute)("weekly", of.of("ben").id)
        await asked(pbx, asking)
        assert channel.muted is not on
        del pbx.faults.refuse[asking]
        await eventually(lambda: channel.muted is on)
        await anna.hang_up()
        await ben.hang_up()
        await of.bot.records(2)
        await nothing_left(pbx)


async def test_who_enters_muted_is_so_before_anybody_could_hear_them(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with meeting(pbx, tmp_path, muted="guests") as of:
        anna, ben = await of.joins("anna", host=True), await of.joins("ben")
        (channel,) = (each for each in pbx.world.channels.values() if each.number == "ben")
        live = of.conferences.live("weekly")
        assert live is not None
        joins = f"POST /bridges/{live.media.bridge_id}/addChannel"
        seen = pbx.faults.seen
        last_join = len(seen) - 1 - seen[::-1].index(joins)
        assert seen.index(f"POST /channels/{channel.id}/mute") < last_join
        await anna.hang_up()
        await ben.hang_up()
        await of.bot.records(2)
        await nothing_left(pbx)


async def test_announcements_do_not_pile_up(pbx: SimulatedPbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        anna = await of.joins("anna", host=True)
        with pytest.raises(UserError, match="wait to be heard"):
            for _ in range(10):
                await of.conferences.announce("weekly", "Five more minutes.")
        await anna.hang_up()
        await of.bot.record()
        await nothing_left(pbx)


async def test_one_telephone_is_not_invited_twice_at_once(pbx: SimulatedPbx, tmp_path: Path) -> None:
    async with Phones(pbx, dora=Manner(ring_s=0.1)) as phones:
        agents = {"dora": {"channel": phones.channel("dora")}}
        async with meeting(pbx, tmp_path, gateway={"agents": agents}) as of:
            both = (of.conferences.invite("weekly", "dora", "anna") for _ in range(2))
            outcomes = await asyncio.gather(*both, return_exceptions=True)
            assert [isinstance(each, UserError) for each in outcomes] == [False, True]
            dora = await phones.taken("dora")
            await of.until(lambda room: len(room.participants) == 1)
            with pytest.raises(UserError, match="invited already"):
                await of.conferences.invite("weekly", phones.channel("dora"), "anna")
            await dora.hang_up()
            await of.until(lambda room: not room.participants)
            await nothing_left(pbx)
            await of.conferences.invite("weekly", "dora", "anna")
            await (await phones.taken("dora")).hang_up()
            await nothing_left(pbx)


async def test_keys_that_mean_nothing_are_no_news(pbx: SimulatedPbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        anna = await of.joins("anna", host=True)
        live = of.conferences.live("weekly")
        assert live is not None
        with of.hub.watch("changed") as watch:
            id_ = of.of("anna").id
            watch.take()
            for digit in "123456789#*1" * 10:
                live.press(id_, digit)
            assert not [each for each in watch.take() if isinstance(each, News)]
            live.press(id_, "*")
            live.press(id_, "5")
            assert [each.kind for each in watch.take() if isinstance(each, News)] == ["changed"]
        await anna.hang_up()
        await of.bot.record()
        await nothing_left(pbx)
