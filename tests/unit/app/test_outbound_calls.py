"""unit: which answered calls are held, which are hung up, and which the campaign must hear of."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from voicebot.app import outbound_calls as module
from voicebot.app.dialogs import DialogStore
from voicebot.app.outbound_calls import OutboundCalls, Refused, Unserved, answer_of
from voicebot.ari.events import StasisStart, parse_channel
from voicebot.call.outbound import Assignment, Campaigns
from voicebot.campaign.attempt import AnsweredBy, CallResult
from voicebot.campaign.campaign import Answering
from voicebot.config import Config, Route
from voicebot.pbx.ari_inbox import EventInbox

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 1, 15, tzinfo=UTC)
THEIRS = datetime(2027, 3, 1, 14, 59, 30, tzinfo=UTC)  # Asterisk's clock is 30 s behind
ATTEMPT = "0123456789abcdef0123456789abcdef"


def start(*args: str) -> StasisStart:
    channel = parse_channel(
        {"id": "1", "name": "Local/x", "state": "Up", "caller": {}, "connected": {}, "dialplan": {}}
    )
    return StasisStart(type="StasisStart", channel=channel, args=args, timestamp=THEIRS)


@pytest.mark.parametrize(
    ("told", "before_ms"),
    [
        (f"{(THEIRS - timedelta(seconds=2.25)).timestamp():.3f}", 2250),
        ("", 0),
        ("soon", 0),
        ("1e400", 0),
        (f"{(THEIRS + timedelta(seconds=9)).timestamp()}", 0),
        ("12", 0),
    ],
)
def test_what_asterisk_did_before_counts_by_its_own_clock(told: str, before_ms: int) -> None:
    answer = answer_of(start("campaign", ATTEMPT, "HUMAN", "HUMAN-1-1", told), 50.0, NOW)
    assert answer.before_ms == before_ms
    assert answer.at == NOW - timedelta(milliseconds=before_ms)
    assert answer.clock_at == 50.0 - before_ms / 1000
    assert (answer.amd_status, answer.amd_cause) == ("HUMAN", "HUMAN-1-1")


class FakeCampaigns:
    def __init__(self, assignment: Assignment | None = None) -> None:
        self.known = assignment
        self.results: list[CallResult] = []
        self.hangs = False

    async def assignment(self, attempt: str) -> Assignment | None:
        if self.hangs:
            await asyncio.Event().wait()
        return self.known

    async def finished(self, result: CallResult) -> None:
        self.results.append(result)


class Reception:
    def __init__(self, folder: Path, campaigns: FakeCampaigns | None) -> None:
        config = Config.model_validate(
            {"dialling": {"enabled": True}, "base": folder, "paths": {"var": str(folder)}}
        )
        self.campaigns = campaigns
        self.calls = OutboundCalls(cast(Campaigns, campaigns), DialogStore(config), cast(Any, lambda _: None))

    async def take(self, *args: str, full: bool = False) -> object:
        event = start(*args)
        return await self.calls.take(
            "c", event, cast(EventInbox, None), answer_of(event, 0.0, NOW), full=full
        )


def about(folder: Path) -> Assignment:
    route = Route(number="+12025550100", dialog=str(folder / "gone.yaml"))
    return Assignment(ATTEMPT, "reminders", "+12025550142", "+12025550100", route, Answering())


@pytest.mark.parametrize(
    "args", [("campaign",), ("campaign", "600"), ("campaign", "../x"), ("campaign", ATTEMPT)]
)
async def test_what_is_no_open_attempt_is_refused(tmp_path: Path, args: tuple[str, ...]) -> None:
    with pytest.raises(Refused):
        await Reception(tmp_path, FakeCampaigns()).take(*args)
    with pytest.raises(Refused):
        await Reception(tmp_path, None).take(*args)


async def test_nobody_waits_for_a_campaign_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASSIGNMENT_LIMIT_S", 0.01)
    campaigns = FakeCampaigns(about(tmp_path))
    campaigns.hangs = True
    with pytest.raises(Refused):
        await Reception(tmp_path, campaigns).take("campaign", ATTEMPT)


async def test_an_answered_call_that_cannot_be_held_is_told_of(tmp_path: Path) -> None:
    campaigns = FakeCampaigns(about(tmp_path))
    reception = Reception(tmp_path, campaigns)
    with pytest.raises(Unserved, match=r"gone\.yaml"):
        await reception.take("campaign", ATTEMPT)
    (result,) = campaigns.results
    assert (result.attempt, result.outcome, result.answered_by) == (ATTEMPT, "unserved", AnsweredBy.UNKNOWN)
    assert "gone.yaml" in result.detail
    with pytest.raises(Refused, match="before"):
        await reception.take("campaign", ATTEMPT)


async def test_without_room_the_campaign_is_told(tmp_path: Path) -> None:
    campaigns = FakeCampaigns(about(tmp_path))
    with pytest.raises(Unserved, match="no room"):
        await Reception(tmp_path, campaigns).take("campaign", ATTEMPT, full=True)
    assert [each.detail for each in campaigns.results] == ["no room"]
