"""Category: unit. Requests that come together begin one after the other; the loop's ticks come between."""

from __future__ import annotations

import asyncio

import pytest

from voicebot.web.security.guard import Turns

pytestmark = pytest.mark.unit


async def test_one_begins_in_each_round_and_in_order() -> None:
    turns, rounds = Turns(), 0
    begun: list[tuple[int, int]] = []
    loop = asyncio.get_running_loop()

    def count() -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 100:
            loop.call_soon(count)

    async def ask(number: int) -> None:
        await turns.mine()
        begun.append((number, rounds))

    loop.call_soon(count)
    await asyncio.gather(*(ask(number) for number in range(20)))
    assert [number for number, _ in begun] == list(range(20))
    assert len({round_ for _, round_ in begun}) == 20


async def test_who_has_gone_keeps_nobody_waiting() -> None:
    turns = Turns()
    await turns.mine()
    gone = asyncio.create_task(turns.mine())
    after = asyncio.create_task(turns.mine())
    loop = asyncio.get_running_loop()
    loop.call_soon(gone.cancel)
    await asyncio.wait_for(after, 1)
    await asyncio.wait_for(turns.mine(), 1)
