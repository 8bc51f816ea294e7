"""Category: simulator and integration. What a call came to reaches a real store, also one that was away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.contract.callee import CALLER, DIALOG, NUMBER, ring_up
from tests.contract.pbx import Pbx
from tests.contract.talk import Bot
from voicebot.app.assignments import Assignments
from voicebot.app.journal import Journal
from voicebot.campaign.attempt import Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact
from voicebot.campaign.rules.history import History
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.campaign.verdict import Ruling, Verdict
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import CampaignState, NewContact
from voicebot.store.store import Store

SOON_S = 3.0
TURN_S = 8.0
SETTINGS = Campaign.model_validate(
    {
        "campaign": "reminders",
        "dialog": DIALOG.name,
        "profile": "us",
        "caller": {"number": CALLER, "business": "Green Street Clinic"},
        "trunk": "main",
    }
)
TRUNK = Trunk("main", "PJSIP/{number}@trunk", 100.0, 100)


def allowed(campaign: Campaign, policy: Policy, contact: Contact, history: History, now: datetime) -> Verdict:
    return Verdict(Ruling.ALLOWED, contact.numbers[0], ())


async def begun(store: Store) -> str:
    """Return an attempt that was handed over."""
    now = datetime.now(UTC)
    await store.create_campaign(SETTINGS, DIALOG.parent, now)
    row = NewContact("7", (NUMBER,), ("America/New_York",), now, given={"first_name": "Sara"})
    await store.add_contacts("reminders", [row], now)
    await store.set_state("reminders", CampaignState.RUNNING, "test", now)
    policy = Policy(("+1",))
    claimed = await store.claim(
        "reminders", dialler="d", most=1, now=now, policy=policy, trunk=TRUNK, judge=allowed
    )
    (order,) = claimed.orders
    await store.handed([order.attempt], now)
    return order.attempt


async def test_a_database_that_is_away_costs_neither_the_call_nor_the_opt_out(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        attempt = await begun(store)
        journal = Journal(tmp_path / "journal")
        campaigns = Assignments(store, journal)
        await campaigns.look_ahead()
        async with Bot(pbx, tmp_path, campaigns) as bot:
            with monkeypatch.context() as away:

                async def gone(*_: object, **__: object) -> None:
                    raise StoreUnavailable("gone")

                for method in ("attempt", "contact", "campaign", "answered", "opt_out", "finish_call"):
                    away.setattr(store, method, gone)
                callee = await ring_up(pbx, attempt)
                await callee.bot_speaks(SOON_S, since=0.0)
                await callee.press("9")
                async with asyncio.timeout(SOON_S):
                    while journal.names() != [f"1-opt-out-{attempt}"]:  # noqa: ASYNC110 - files tell nobody
                        await asyncio.sleep(0.01)
                assert not callee.ended.done()
                await asyncio.wait_for(callee.ended, TURN_S)
                record = await bot.record()
                async with asyncio.timeout(SOON_S):
                    while len(journal.names()) < 2:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                assert not await campaigns.replay()
            assert await campaigns.replay()
            assert journal.names() == []
        assert record.outbound is not None
        assert record.outbound.opted_out
        assert await store.blocked([NUMBER]) == {NUMBER: ("opt-outs",)}
        row = await store.attempt(attempt)
        assert row is not None
        assert row.call is not None
        assert (row.call.outcome, row.call.opted_out, row.call.record) == ("opted_out", True, record.id)
        closed = await store.give_up(attempt, Disposition.INTERRUPTED, datetime.now(UTC))
        assert closed.disposition is Disposition.OPTED_OUT
        assert (await store.audit("reminders")).sound
