"""Category: simulator and integration. Callers wait in queues of our own, and talk to agents."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Pbx
from tests.contract.phones import Phones, QueueBot, longest_silence
from tests.contract.talk import DATA
from voicebot.softphone.callees import Manner

WORDS = DATA / "caller" / "another-day.wav"
SOON_S = 5.0


async def test_an_agent_hears_the_whisper_accepts_and_both_talk(pbx: Pbx, tmp_path: Path) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.5)) as phones, QueueBot(pbx, tmp_path, phones, "anna") as bot:
        caller = await pbx.dial("600")
        began = time.monotonic()
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press("3")
        anna = await phones.taken("anna")
        await anna.bot_speaks(SOON_S, since=0.0)  # the whisper
        await anna.press("1")
        await bot.agent_is("anna", "talking")
        spoken = asyncio.create_task(anna.say(WORDS))
        joined = time.monotonic()
        await caller.bot_speaks(SOON_S, since=joined - 0.5)
        await spoken
        heard_before = len(anna.bot_speech.segments)
        await caller.say(WORDS)
        assert len(anna.bot_speech.segments) > heard_before  # the agent hears the caller
        assert len(await pbx.left_over()) == 6
        await anna.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        record = await bot.record()
        await nothing_left(pbx)
    stay = record.people[0]
    assert longest_silence(caller, began + 1.0, joined) < 1.0
    assert [(each.agent, each.outcome) for each in stay.offers] == [("anna", "accepted")]
    assert (stay.queue, stay.agent, stay.outcome) == ("support", "anna", "answered")
    assert stay.talked_ms > 1000
    assert record.outcome == "transferred"
