"""Category: integration. What only a real Asterisk can show of conferences: pictures, and sounds for one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.gateway import nothing_left
from tests.contract.real import RealPbx
from tests.contract.test_conferences import SOON_S, Meeting, eventually, hears, meeting, over, speaks
from tests.integration.conftest import RealAsterisk
from voicebot.softphone.call import SoftphoneCall

pytestmark = pytest.mark.integration

MARKS = {"anna": b"picture of anna", "ben": b"picture of ben", "cleo": b"picture of cleo"}
MANY = 25
"""A second of pictures."""


@pytest.fixture
async def pbx(asterisk: RealAsterisk) -> AsyncIterator[RealPbx]:
    async with RealPbx(asterisk) as real:
        yield real


async def joins(of: Meeting, pbx: RealPbx, name: str, picture: bytes) -> SoftphoneCall:
    call = pbx.place("600", name, picture)
    await call.answered(SOON_S)
    await call.bot_speaks(SOON_S, since=0.0)
    await call.press("1")
    await of.until(lambda room: any(each.number == name for each in room.participants))
    return call


def seen(call: SoftphoneCall, marks: set[bytes]) -> bool:
    assert call.picture is not None
    return all(call.picture.received[mark] >= MANY for mark in marks)


async def test_three_telephones_see_each_other_and_not_themselves(pbx: RealPbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path, route={"video": True}, video=True) as of:
        calls = {name: await joins(of, pbx, name, mark) for name, mark in MARKS.items()}
        for name, call in calls.items():
            others = {mark for other, mark in MARKS.items() if other != name}
            await eventually(lambda call=call, others=others: seen(call, others), 10)
            assert call.picture is not None
            assert call.picture.received[MARKS[name]] == 0
        assert all(each.video for each in of.room.participants)
        for call in calls.values():
            await call.hang_up()
        await of.bot.records(3)
        await nothing_left(pbx)


async def test_a_telephone_without_pictures_talks_with_those_that_have_them(
    pbx: RealPbx, tmp_path: Path
) -> None:
    async with meeting(pbx, tmp_path, route={"video": True}, video=True) as of:
        anna = await joins(of, pbx, "anna", MARKS["anna"])
        ben = await joins(of, pbx, "ben", b"")
        cleo = await joins(of, pbx, "cleo", MARKS["cleo"])
        await eventually(lambda: seen(anna, {MARKS["cleo"]}) and seen(cleo, {MARKS["anna"]}), 10)
        await anna.bot_quiet(500, SOON_S)
        assert [each.number for each in of.room.participants if each.video] == ["anna", "cleo"]
        span = await speaks("ben", ben)
        assert hears(anna, "ben", *span) and hears(cleo, "ben", *span)
        await of.conferences.end("weekly")
        await asyncio.gather(over(anna), over(ben), over(cleo))
        await nothing_left(pbx)


async def test_the_answer_to_a_key_is_heard_by_who_pressed_it_alone(pbx: RealPbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        ben, cleo = await of.joins("ben"), await of.joins("cleo")
        await asyncio.gather(ben.bot_quiet(500, SOON_S), cleo.bot_quiet(500, SOON_S))
        at = time.monotonic()
        await ben.press("*6")
        await of.until(lambda _: of.of("ben").muted)
        await ben.bot_speaks(SOON_S, since=at)
        await ben.pause(0.5)
        assert cleo.bot_speech.first_audible(at) is None
