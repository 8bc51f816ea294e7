"""What tests of the store are made of: a campaign, contacts, and judges that need no law."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from voicebot.campaign.attempt import AnsweredBy, CallResult
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Consent, Contact
from voicebot.campaign.rules.history import History
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.campaign.verdict import Check, Ruling, Verdict
from voicebot.store.rows import CampaignState, Claimed, Judge, NewContact
from voicebot.store.store import Store

NOW = datetime(2027, 3, 1, 15, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POLICY = Policy(("+1",), calls_per_second=1e6, concurrent=1_000_000)
TRUNK = Trunk("main", "PJSIP/{digits}@trunk", 1e6, 1_000_000)


def campaign(name: str = "spring", **changes: Any) -> Campaign:
    settings: dict[str, Any] = {
        "campaign": name,
        "dialog": "reminder.yaml",
        "profile": "us",
        "caller": {"number": "+12025550100", "business": "Example Clinic"},
        "trunk": "main",
        "pacing": {"concurrent": 10_000, "calls_per_second": 200},
        "retries": {
            "busy": {"after": "10m", "at_most": 5},
            "no_answer": {"after": "1h", "next_number": True},
        },
        "limits": {"attempts": 5},
    }
    return Campaign.model_validate(settings | changes)


def contacts(n: int, area: str = "202", **changes: Any) -> list[NewContact]:
    consent = Consent(NOW - timedelta(days=3), "web form")
    given = {"name": "Ana", "at": "2027-03-02T10:00"}
    fields: dict[str, Any] = {"zones": ("America/New_York",), "due": NOW, "given": given, "consent": consent}
    return [
        NewContact(f"row {at}", (f"+1{area}555{at:04}", f"+1{area}666{at:04}"), **fields | changes)
        for at in range(n)
    ]


def always(
    ruling: Ruling, rule: str = "test", until: datetime | None = None
) -> Callable[[Campaign, Policy, Contact, History, datetime], Verdict]:
    def judge(_c: Campaign, _p: Policy, _contact: Contact, history: History, _now: datetime) -> Verdict:
        return Verdict(ruling, history.number, (Check(rule, ruling, "as the test says", until),), until)

    return judge


ALLOW = always(Ruling.ALLOWED)


async def running(store: Store, n: int, settings: Campaign | None = None, **changes: Any) -> str:
    """Make a campaign that runs, with n contacts, and full buckets."""
    settings = settings or campaign()
    name = settings.campaign
    await store.create_campaign(settings, "/srv", NOW)
    await store.add_contacts(name, contacts(n, **changes), NOW)
    await store.set_state(name, CampaignState.RUNNING, "go", NOW)
    return name


async def claim(
    store: Store,
    name: str = "spring",
    most: int = 100,
    now: datetime = NOW,
    judge: Judge = ALLOW,
    policy: Policy = POLICY,
    trunk: Trunk = TRUNK,
    dialler: str = "d1",
) -> Claimed:
    return await store.claim(
        name, dialler=dialler, most=most, now=now, policy=policy, trunk=trunk, judge=judge
    )


async def claim_many(store: Store, n: int, name: str = "spring", now: datetime = NOW) -> list[str]:
    """Claim n, past the bucket of a campaign that has just begun, which holds one call."""
    ids: list[str] = []
    while len(ids) < n:
        claimed = await claim(store, name, n - len(ids), now)
        assert claimed.orders or claimed.limit == "rate", claimed
        ids += [order.attempt for order in claimed.orders]
        now += SECOND / 2
    return ids


def call(attempt: str, at: datetime = NOW, **changes: Any) -> CallResult:
    fields: dict[str, Any] = {
        "answered_at": at,
        "ended_at": at + timedelta(seconds=70),
        "answered_by": AnsweredBy.PERSON,
        "outcome": "confirmed",
        "first_audio_ms": 300,
        "slots": {"when": "2027-03-02"},
    }
    return CallResult(attempt, **fields | changes)
