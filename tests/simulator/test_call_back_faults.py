"""Category: simulator. Callers who are called back, amid faults: no promise is lost, no agent is held."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.contract.gateway import nothing_left
from tests.contract.phones import Phones, QueueBot, until_heard
from tests.simulator.pbx import SimulatedPbx
from tests.simulator.test_queue_faults import SOON_S, accepting, asked, pbx
from voicebot.call import record as call_record
from voicebot.call import record_keeping
from voicebot.call.record import list_records
from voicebot.errors import PbxError
from voicebot.softphone.callees import Manner
from voicebot.switchboard.queues import promise
from voicebot.switchboard.queues.hall import REST_S
from voicebot.switchboard.queues.side import Side
from voicebot.switchboard.telephone import Telephone

__all__ = ["pbx"]
pytestmark = pytest.mark.simulator

NUMBER = "+12025550142"
ANSWERS, RINGS, BUSY = Manner(ring_s=0.05), Manner(ring_s=None), Manner(refuse=486)


@asynccontextmanager
async def promised(
    pbx: SimulatedPbx, folder: Path, caller: Manner, *, gone: bool = True
) -> AsyncIterator[tuple[QueueBot, Phones]]:
    """A gateway that owes a caller a call, who is gone, or hears so just now; nobody is signed in."""
    async with (
        Phones(pbx, **{"anna": ANSWERS, NUMBER: caller}) as phones,
        QueueBot(
            pbx,
            folder,
            phones,
            agents={"anna": {"signed_in": False}},
            queue={"call_back": True, "call_back_trunk": "out"},
            trunks={"out": {"dial": phones.channel("{number}")}},
            may_dial=lambda number: None if number.startswith("+") else "not allowed",
        ) as bot,
    ):
        call = await pbx.dial("600", caller=NUMBER)
        await call.bot_speaks(SOON_S, since=0.0)
        await call.press("3")
        await bot.waiting(1)
        waiting = bot.gateway.calls[0]._attendant
        assert waiting is not None
        waiting.press("2")
        await asyncio.sleep(0.1)
        waiting.press("#")
        if gone:
            await asyncio.wait_for(call.ended, 10)
            await bot.record()
        yield bot, phones


async def attempts(bot: QueueBot, *wanted: str) -> str:
    """Wait until the record tells of these attempts; return how the promise ended."""
    async with asyncio.timeout(SOON_S):
        while True:
            kept = (await bot.record()).people[0].call_back
            assert kept is not None
            if kept.attempts == list(wanted):
                return kept.outcome
            await asyncio.sleep(0.02)


async def test_who_answers_and_cannot_be_joined_is_called_again(
    pbx: SimulatedPbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promise, "AGAIN_AFTER_S", 0.1)
    monkeypatch.setitem(REST_S, "lost", 0.05)

    async def refused(self: Side, phone: Telephone) -> None:
        raise PbxError("refused by the test", 500)

    async with promised(pbx, tmp_path, ANSWERS) as (bot, phones):
        await bot.house.sign_in("anna")
        with monkeypatch.context() as once:
            once.setattr(Side, "admit", refused)
            anna = await accepting(phones, "anna")
            called = await phones.taken(NUMBER)
            await asyncio.wait_for(called.ended, SOON_S)
        assert await attempts(bot, "failed") == ""
        await asyncio.wait_for(anna.ended, SOON_S)
        anna = await accepting(phones, "anna")
        await until_heard(anna, await phones.taken(NUMBER))
        assert await attempts(bot, "failed", "answered") == "answered"
        await anna.hang_up()
        await bot.agent_is("anna", "ready")
        await nothing_left(pbx)


async def test_the_talk_goes_on_when_the_bridge_of_who_was_called_back_is_lost(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with promised(pbx, tmp_path, ANSWERS) as (bot, phones):
        await bot.house.sign_in("anna")
        anna = await accepting(phones, "anna")
        called = await phones.taken(NUMBER)
        await until_heard(anna, called)
        (bridge,) = (each for each in pbx.world.bridges.values() if len(each.channels) == 2)
        await pbx.delete_bridge(bridge.id)
        await until_heard(anna, called)
        await anna.hang_up()
        await bot.agent_is("anna", "ready")
        await nothing_left(pbx)


async def test_an_agent_is_free_once_their_telephone_is_and_not_before(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with promised(pbx, tmp_path, BUSY) as (bot, phones):
        await bot.house.sign_in("anna")
        anna = await accepting(phones, "anna")
        await asyncio.wait_for(anna.ended, SOON_S)
        assert bot.house.agents()[0].state == "talking"  # a new call would find the telephone busy
        await bot.agent_is("anna", "ready")
        assert await attempts(bot, "busy") == ""
        await nothing_left(pbx)


async def test_an_agent_is_free_when_the_promise_is_dropped_in_the_moment_after_the_attempt(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with promised(pbx, tmp_path, BUSY) as (bot, phones):
        await bot.house.sign_in("anna")
        gate = pbx.faults.hold["DELETE /channels/"] = asyncio.Event()
        pbx.faults.seen.clear()
        await accepting(phones, "anna")
        await asked(pbx, "DELETE /channels/")
        await bot.house.drop(bot.house.queues()[0].waiting[0].call_id)
        await asyncio.sleep(0)
        gate.set()
        await bot.agent_is("anna", "ready")
        await nothing_left(pbx)
        assert await attempts(bot, "busy") == "dropped"


async def test_an_agent_is_free_when_the_promise_is_dropped_as_they_are_chosen(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with promised(pbx, tmp_path, ANSWERS) as (bot, phones):
        id_ = bot.house.queues()[0].waiting[0].call_id
        await bot.house.sign_in("anna")
        bot.house._hall._match()
        await bot.house.drop(id_)
        await bot.agent_is("anna", "ready")
        assert phones.dialled == []


async def test_a_caller_whom_agents_never_wait_for_is_not_rung_for_ever(
    pbx: SimulatedPbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promise, "AGAIN_AFTER_S", 0.01)
    monkeypatch.setattr(promise, "MOST_ATTEMPTS", 2)
    monkeypatch.setitem(REST_S, "lost", 0.05)
    async with promised(pbx, tmp_path, RINGS) as (bot, phones):
        await bot.house.sign_in("anna")
        for times in (1, 2):
            anna = await accepting(phones, "anna")
            await phones.rung(NUMBER, times)
            await anna.hang_up()
        assert await attempts(bot, "hung_up", "hung_up") == "failed"
        await bot.waiting(0)
        await nothing_left(pbx)


async def test_the_record_is_the_calls_to_write_as_long_as_it_lives(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    """Two who write it at once could leave the older one, or none."""
    async with promised(pbx, tmp_path, BUSY, gone=False) as (bot, phones):
        await bot.house.sign_in("anna")
        anna = await accepting(phones, "anna")
        await phones.rung(NUMBER)
        assert bot.gateway.calls
        await asyncio.sleep(0.2)
        assert not list_records(tmp_path)
        await asyncio.wait_for(anna.ended, SOON_S)
        record = await bot.record()
        assert record.ended_at is not None
        assert await attempts(bot, "busy") == ""


async def test_what_a_full_disk_does_not_take_of_an_attempt_is_in_the_record_later(
    pbx: SimulatedPbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_keeping, "AGAIN_S", 0.05)
    loop, tried = asyncio.get_running_loop(), asyncio.Event()

    def full(path: Path, data: bytes, **how: object) -> NoReturn:
        loop.call_soon_threadsafe(tried.set)
        raise OSError(errno.ENOSPC, "No space left on device")

    async with promised(pbx, tmp_path, BUSY) as (bot, phones):
        await bot.house.sign_in("anna")
        with monkeypatch.context() as once:
            once.setattr(call_record, "write_whole", full)
            await accepting(phones, "anna")
            await asyncio.wait_for(tried.wait(), SOON_S)
        assert await attempts(bot, "busy") == ""
