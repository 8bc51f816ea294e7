"""Category: unit. An offer at work: whoever calls it off is obeyed, also in the moment when it rings out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voicebot.acd.offer import Offer
from voicebot.switchboard.queues.offering import Offering

pytestmark = pytest.mark.unit


class SlowPhone:
    """Takes its time to stop ringing."""

    def __init__(self) -> None:
        self.stops, self.stopped = asyncio.Event(), asyncio.Event()

    async def ring(self) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.stops.set()
            await self.stopped.wait()
            raise


async def _nothing() -> None:
    return None


async def test_who_calls_it_off_while_it_rings_out_is_obeyed() -> None:
    phone: Any = SlowPhone()
    offer = Offer(0.0, ring_s=0.0)
    running = asyncio.create_task(Offering(phone, offer, _nothing, lambda: 1.0).run())
    await asyncio.wait_for(phone.stops.wait(), 1)
    running.cancel()
    await asyncio.sleep(0)
    phone.stopped.set()
    await asyncio.wait({running}, timeout=1)
    assert running.cancelled()
    assert offer.outcome == "withdrawn"
