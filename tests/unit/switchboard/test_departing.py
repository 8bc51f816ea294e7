"""Category: unit. The gateway stops: who is told how urgent it is, and whose end is waited for."""

from __future__ import annotations

import asyncio

import pytest

from voicebot.switchboard.departing import Departing, Departure

pytestmark = pytest.mark.unit


async def test_talks_are_told_each_stage_and_the_last_one_is_waited_for() -> None:
    departing, told = Departing(), list[Departure]()
    over = asyncio.Event()

    async def talk() -> None:
        with departing.of(lambda: told.append(departing.stage)):
            await over.wait()

    talking = asyncio.create_task(talk())
    await asyncio.sleep(0)
    departing.begin()
    finishing = asyncio.create_task(departing.finish())
    await asyncio.sleep(0)
    assert told == [Departure.SOON, Departure.NOW]
    assert not finishing.done()
    over.set()
    await asyncio.gather(talking, finishing)
    departing.begin()  # it never becomes less urgent
    assert departing.stage is Departure.NOW


async def test_where_nobody_talks_nobody_is_waited_for() -> None:
    await asyncio.wait_for(Departing().finish(), 1.0)
