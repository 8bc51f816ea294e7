"""Category: unit. How long a call may last: a dialog has an end, persons are not cut off."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from voicebot.call.call import Call
from voicebot.errors import CallEnded

pytestmark = pytest.mark.unit


class Timed(Call):
    """A call of which only its time is there."""

    def __init__(self, call_s: float) -> None:
        services: Any = SimpleNamespace(config=SimpleNamespace(limits=SimpleNamespace(call_s=call_s)))
        self._services = services
        self._ending = asyncio.get_running_loop().create_future()
        self._with_persons = False

    async def lasts(self) -> str:
        with pytest.raises(CallEnded) as ended:
            await self._until_told()
        return ended.value.reason


async def test_a_dialog_ends_at_the_longest_duration_of_a_call() -> None:
    assert await asyncio.wait_for(Timed(0.001).lasts(), 1) == "limit"


async def test_persons_are_not_cut_off_and_a_supervisor_ends_their_call_all_the_same() -> None:
    call = Timed(0.001)
    lasts = asyncio.create_task(call.lasts())
    await asyncio.sleep(0)
    call._with_persons = True
    done, _ = await asyncio.wait({lasts}, timeout=0.02)
    assert not done
    call.end("supervisor")
    assert await asyncio.wait_for(lasts, 1) == "supervisor"
