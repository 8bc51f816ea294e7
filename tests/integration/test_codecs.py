"""Category: integration. Every codec that Asterisk takes over RTP carries a whole call."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.contract.real import RealPbx
from tests.contract.talk import DATA, Bot
from tests.integration.conftest import RealAsterisk

pytestmark = pytest.mark.integration

YES = DATA / "caller" / "yes.wav"
QUIET_MS = 500
TURN_S = 8.0


@pytest.mark.parametrize("codec", ["ulaw", "alaw", "slin", "g722"])
async def test_every_codec_carries_a_call(asterisk: RealAsterisk, tmp_path: Path, codec: str) -> None:
    async with RealPbx(asterisk) as pbx, Bot(pbx, tmp_path, media={"codec": codec}) as bot:
        bot.will_hear("yes")
        caller = await pbx.dial("600")
        await caller.bot_speaks(TURN_S, since=0.0)
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.say(YES)
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        assert (record.codec, record.goal, record.rtp["unexpected"]) == (codec, True, 0)
