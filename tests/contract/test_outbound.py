"""Category: simulator and integration. Calls that we placed, from the answer on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.contract.callee import CALLER, NUMBER, KnownCampaigns, assignment, new_attempt, ring_up
from tests.contract.gateway import nothing_left
from tests.contract.pbx import Pbx
from tests.contract.talk import DATA, Bot
from voicebot.campaign.attempt import AnsweredBy

YES = DATA / "caller" / "yes.wav"
SOON_S = 3.0
TURN_S = 8.0
QUIET_MS = 500


async def test_whoever_answers_hears_the_dialog_with_their_values(pbx: Pbx, tmp_path: Path) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt))
    async with Bot(pbx, tmp_path, campaigns) as bot:
        bot.will_hear("yes")
        callee = await ring_up(pbx, attempt)
        await callee.bot_speaks(SOON_S, since=0.0)
        await callee.bot_quiet(QUIET_MS, TURN_S)
        await callee.say(YES)
        await asyncio.wait_for(callee.ended, TURN_S)
        record = await bot.record()
        result = await campaigns.result()
    assert record.direction == "outbound"
    assert (record.caller.number, record.called.number) == (CALLER, NUMBER)
    assert "Hello Sara" in record.turns[0].text
    assert record.outbound is not None
    assert record.outbound.attempt == attempt
    assert (result.attempt, result.outcome, result.goal) == (attempt, "confirmed", True)
    assert result.answered_by is not AnsweredBy.MACHINE
    assert result.first_audio_ms is not None
    assert result.first_audio_ms < 1000
    assert result.slots == {"attending": True}
    assert result.record == record.id
    await nothing_left(pbx)
