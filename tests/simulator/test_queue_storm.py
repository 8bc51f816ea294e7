"""Category: simulator. Some seconds of everything at once in a queue: then all are free, and nothing is left.

Callers come and go, agents do what they like, an operator presses every button, and Asterisk refuses, delays
and loses things. What happens is drawn from a seed; in which order it meets, nobody knows.
"""

from __future__ import annotations

import asyncio
import random
from functools import partial
from pathlib import Path

import pytest

from tests.contract.gateway import nothing_left
from tests.contract.phones import Phones, QueueBot
from tests.simulator.pbx import SimulatedPbx
from tests.simulator.test_queue_faults import ANSWERS, RINGS, SOON_S, pbx
from voicebot.acd import agents as day
from voicebot.errors import CallEnded, UserError
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.callees import Manner
from voicebot.softphone.uac import CallFailed
from voicebot.switchboard.queues import hall, promise, talk

__all__ = ["pbx"]
pytestmark = pytest.mark.simulator

STORM_S = 4.0
AFTER_S = 15.0
CALLERS = 4
AGENTS = ("anna", "bert", "cleo")
NUMBER = "+12025550142"
MANNERS = (ANSWERS, ANSWERS, RINGS, Manner(ring_s=0.3), Manner(refuse=486), Manner(refuse=603))
REFUSED = ("POST /bridges/", "POST /channels/")  # what is to be deleted and is not stays: see `reconcile`


class Storm:
    def __init__(self, pbx: SimulatedPbx, bot: QueueBot, seed: int) -> None:
        self.pbx, self.bot = pbx, bot
        self.chance = random.Random(seed)
        self.over = asyncio.Event()
        self._answered = 0
        self._persons: list[asyncio.Task[None]] = []

    async def blow(self) -> None:
        works = (
            self.callers,
            self.callers,
            self.callers,
            self.callers,
            self.phones,
            self.operator,
            self.faults,
        )
        tasks = [asyncio.create_task(work()) for work in works]
        await asyncio.sleep(STORM_S)
        self.over.set()
        await asyncio.gather(*tasks)
        self.pbx.faults.refuse.clear()
        self.pbx.telephones.manners = dict.fromkeys(self.pbx.telephones.manners, RINGS)
        for person in self._persons:
            person.cancel()
        await asyncio.gather(*self._persons, return_exceptions=True)
        for call in (*self.pbx._calls, *self.pbx.telephones.calls):
            if not call.ended.done():
                await call.hang_up()

    async def pause(self, most_s: float) -> None:
        await asyncio.sleep(self.chance.uniform(0, most_s))

    async def callers(self) -> None:
        while not self.over.is_set():
            caller = self.pbx.place("600", caller=NUMBER)
            try:
                await caller.answered(SOON_S)
                await caller.bot_speaks(SOON_S, since=0.0)
                await caller.press("3")
                for _ in range(self.chance.randint(0, 3)):
                    await self.pause(0.8)
                    await caller.press(self.chance.choice("2#*9"))
            except (CallEnded, CallFailed, TimeoutError):
                pass
            if not caller.ended.done():
                await caller.hang_up()

    async def phones(self) -> None:
        telephones = self.pbx.telephones
        while not self.over.is_set():
            for name in telephones.manners:
                telephones.manners[name] = self.chance.choice(MANNERS)
            for call in telephones.calls[self._answered :]:
                self._persons.append(asyncio.create_task(self.person(call)))
            self._answered = len(telephones.calls)
            await asyncio.sleep(0.02)

    async def person(self, call: SoftphoneCall) -> None:
        try:
            await self.pause(0.3)
            for keys in ("1", *self.chance.choices(("*1742#", "*2742#", "*3", "*4", "*5", "5"), k=3)):
                if self.chance.random() < 0.15:
                    break
                await call.press(keys)
                await self.pause(0.4)
            await call.hang_up()
        except CallEnded:
            return

    async def operator(self) -> None:
        house, chance = self.bot.house, self.chance
        while not self.over.is_set():
            await self.pause(0.1)
            waiting = [each.call_id for queue in house.queues() for each in queue.waiting]
            id_ = chance.choice([*waiting, *(call.id for call in self.bot.gateway.calls), "nobody"])
            agent = chance.choice(AGENTS)
            acts = (
                partial(house.transfer, id_, "queue:support"),
                partial(house.transfer, id_, f"agent:{agent}", "attended"),
                partial(house.complete, id_),
                partial(house.cancel, id_),
                partial(house.give, id_, agent),
                partial(house.move, id_, 1),
                partial(house.drop, id_),
                partial(house.pause, agent),
                partial(house.sign_out, agent),
                partial(house.sign_in, agent),
            )
            try:
                await chance.choice(acts)()
            except UserError:
                continue

    async def faults(self) -> None:
        world, faults, chance = self.pbx.world, self.pbx.faults, self.chance
        while not self.over.is_set():
            await self.pause(0.4)
            match chance.randint(0, 3):
                case 0:
                    start = chance.choice(REFUSED)
                    faults.refuse[start] = chance.choice((404, 409, 422, 500))
                    await self.pause(0.1)
                    faults.refuse.pop(start)
                case 1:
                    faults.delay_s = 0.1
                    await self.pause(0.3)
                    faults.delay_s = 0.0
                case 2 if world.bridges:
                    await self.pbx.delete_bridge(chance.choice(list(world.bridges)))
                case 3 if world.channels:
                    await self.pbx.hang_up_channel(chance.choice(list(world.channels)))


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_a_storm_all_are_free_and_nothing_is_left(
    pbx: SimulatedPbx, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promise, "AGAIN_AFTER_S", 0.3)
    monkeypatch.setattr(promise, "RING_S", 1.0)
    monkeypatch.setattr(talk, "SECOND_RING_S", 1.0)
    monkeypatch.setattr(day, "AWAY_RETRY_S", 0.3)
    monkeypatch.setattr(hall, "REST_S", dict.fromkeys(hall.REST_S, 0.2))
    async with (
        Phones(pbx, **dict.fromkeys((*AGENTS, NUMBER, "742"), ANSWERS)) as phones,
        QueueBot(
            pbx,
            tmp_path,
            phones,
            *AGENTS,
            queue={"call_back": True, "call_back_trunk": "out"},
            trunks={"out": {"dial": phones.channel("{number}")}},
            may_dial=lambda number: None if number.startswith("+") else "not allowed",
        ) as bot,
    ):
        await Storm(pbx, bot, seed).blow()
        async with asyncio.timeout(AFTER_S):
            while bot.gateway.calls or bot.house.queues()[0].waiting or bot.gateway._ari.held():
                for each in bot.house.queues()[0].waiting:
                    await bot.house.drop(each.call_id)
                await asyncio.sleep(0.05)
        for name in AGENTS:
            await bot.house.sign_in(name)
            await bot.house.unpause(name)
            await bot.agent_is(name, "ready")
        house = bot.house._hall
        assert not (house.members or house.talks or house._with or house._seconds)
        await nothing_left(pbx)
