"""A process that claims and ends calls until none is due, and prints whom it claimed."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from datetime import timedelta

from tests.simulator.store.making import NOW, claim
from voicebot.campaign.attempt import DialResult, Disposition
from voicebot.store.errors import StoreUnavailable
from voicebot.store.store import Store


async def main(url: str, name: str, began: float) -> None:
    chance = random.Random(name)
    mine: list[int] = []
    most = 0
    async with Store.open(url, patience_s=10) as store:
        while True:
            now = NOW + timedelta(seconds=(time.time() - began) * 4)
            try:
                claimed = await claim(store, most=7, now=now, dialler=name)
            except StoreUnavailable:
                continue
            most = max(most, len(await store.open_attempts()))
            for order in claimed.orders:
                row = await store.attempt(order.attempt)
                assert row is not None
                mine.append(row.contact)
            ends = [DialResult(order.attempt, Disposition.REJECTED, now) for order in claimed.orders]
            chance.shuffle(ends)
            await asyncio.gather(*(store.close_dial(end) for end in ends))
            if not claimed.orders and not claimed.limit:
                break
    print(json.dumps({"contacts": mine, "most": most}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
