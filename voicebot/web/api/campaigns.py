"""Campaigns: how far they are, their figures, and holding them up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from pydantic import BaseModel, Field

from voicebot.campaign.contact import ContactState
from voicebot.campaign.single import is_single
from voicebot.config import Config
from voicebot.config.patterns import NAME
from voicebot.errors import UserError
from voicebot.outbound.reporting.run import report
from voicebot.store.rows import CampaignRow, CampaignState, Status
from voicebot.store.store import Store, open_store
from voicebot.web.api.shapes import Shape
from voicebot.web.aside import aside
from voicebot.web.patterns import LINE
from voicebot.web.problems import Trouble, told
from voicebot.web.security.needs import Supervisor, TheDoorkeeper, TheHouse, Viewer

campaigns = APIRouter(prefix="/campaigns", tags=["campaigns"])
ONE = told(401, 403, 404, 422, 503)
ACTING = told(400, 401, 403, 404, 409, 413, 422, 503)
CampaignName = Annotated[str, InPath(pattern=NAME, description="A campaign's name.")]

FRESH_S = 60.0
"""Figures so old will do: they are counted contact by contact."""
MOST_KEPT = 32


class Left(BaseModel):
    """Persons who answered, and heard nothing."""

    answered: int
    abandoned: int
    share: float


class CampaignOut(BaseModel):
    """A campaign in numbers."""

    name: str
    state: CampaignState
    why: str = Field(description="What brought it to its state.")
    dialog: str
    created_at: float
    changed_at: float
    total: int = Field(description="Contacts.")
    over: int = Field(description="Contacts who need no more calls.")
    contacts: dict[str, int] = Field(description="By state.")
    open: dict[str, int] = Field(description="Calls on their way, by state.")
    dispositions: dict[str, int] = Field(description="Calls that are over, by what became of them.")
    outcomes: dict[str, int] = Field(description="Conversations, by the dialog's word.")
    goals: int
    rules: dict[str, int] = Field(description="How often rules stood against calls, by `ruling:rule`.")
    calls: dict[str, int] = Field(description="By day (UTC).")
    minutes: dict[str, int] = Field(description="By day (UTC).")
    calls_by_hour: dict[str, int] = Field(description="By hour of the day (UTC).")
    answered_by_hour: dict[str, int] = Field(description="By hour of the day (UTC).")
    calls_today: int
    minutes_today: float
    abandonment_today: Left
    abandonment_30_days: Left
    next_due_at: float | None


class CampaignList(BaseModel):
    """All campaigns, oldest first, and who would place their calls."""

    campaigns: list[CampaignOut]
    diallers: list[str]
    room: int = Field(description="Calls that gateways could take now.")


class Why(Shape):
    """A word for the ledger."""

    why: str = Field("", max_length=200, pattern=LINE)


class Figures(BaseModel):
    """A campaign, counted contact by contact."""

    name: str
    counted_at: float
    contacts: int
    called: int
    reached: int
    goals: int
    calls: int
    talk_s: float
    median_talk_s: float | None
    states: dict[str, int]
    dispositions: dict[str, int]
    outcomes: dict[str, int]
    slots: dict[str, dict[str, int]] = Field(description="What was learnt: values and how often.")
    notices: list[str]
    tries: dict[str, int] = Field(description="Contacts by how often they were called.")
    hours: dict[str, list[int]] = Field(description="Hour of the callee's day: calls, answered.")
    over_time: list[dict[str, str | int]] = Field(description="`at`, `group`, `calls` by hour.")
    persons: dict[str, list[int]] = Field(description="By day (UTC): answered by a person, abandoned.")


@campaigns.get("", operation_id="campaigns", responses=told(401, 403, 422, 503))
async def all_campaigns(who: Viewer, doorkeeper: TheDoorkeeper) -> CampaignList:
    """All campaigns, without calls by `voicebot call` that are over."""
    store, now = doorkeeper.store, doorkeeper.now()
    over = (CampaignState.DONE, CampaignState.STOPPED)
    rows = [row for row in await store.campaigns() if not (is_single(row.name) and row.state in over)]
    return CampaignList(
        campaigns=[_out(row, await store.status(row.name, now)) for row in rows],
        diallers=[f"{each.name} {each.detail}".strip() for each in await store.diallers(now)],
        room=await store.room(now),
    )


@campaigns.get("/{name}", operation_id="campaign", responses=ONE)
async def one_campaign(who: Viewer, doorkeeper: TheDoorkeeper, name: CampaignName) -> CampaignOut:
    """One campaign in numbers, as of now."""
    row = await _row(doorkeeper.store, name)
    return _out(row, await doorkeeper.store.status(name, doorkeeper.now()))


@campaigns.get("/{name}/figures", operation_id="figures", responses=ONE)
async def figures(
    request: Request, who: Viewer, house: TheHouse, doorkeeper: TheDoorkeeper, name: CampaignName
) -> Figures:
    """A campaign counted contact by contact: durations, tries, what was learnt. Up to a minute old."""
    row = await _row(doorkeeper.store, name)
    counting: Counting = request.app.state.counting
    return await counting.of(row.name)


@campaigns.post("/{name}/pause", operation_id="pause_campaign", responses=ACTING)
async def pause(
    who: Supervisor, doorkeeper: TheDoorkeeper, name: CampaignName, given: Why, request: Request
) -> CampaignOut:
    """Place no more calls for now; those that are on go on."""
    return await _set(doorkeeper, name, CampaignState.PAUSED, given.why or "paused", who.name)


@campaigns.post("/{name}/stop", operation_id="stop_campaign", responses=ACTING)
async def stop(who: Supervisor, doorkeeper: TheDoorkeeper, name: CampaignName, given: Why) -> CampaignOut:
    """End a campaign for good."""
    return await _set(doorkeeper, name, CampaignState.STOPPED, given.why or "stopped", who.name)


@campaigns.post("/{name}/resume", operation_id="resume_campaign", responses=ACTING)
async def resume(
    who: Supervisor, doorkeeper: TheDoorkeeper, house: TheHouse, name: CampaignName, given: Why
) -> CampaignOut:
    """Go on after a pause or a halt; the campaign is looked at as at its start."""
    row = await _row(doorkeeper.store, name)
    if row.state is CampaignState.DRAFT:
        raise Trouble(409, f"the campaign `{name}` has not begun", f"`voicebot campaign start {name}`")
    if house.resume_campaign is None:
        raise Trouble(409, "this gateway resumes no campaigns", f"`voicebot campaign resume {name}`")
    if row.state is not CampaignState.RUNNING:
        await house.resume_campaign(name, f"{given.why or 'resumed'} ({who.name})")
    return await one_campaign(who, doorkeeper, name)


async def _row(store: Store, name: str) -> CampaignRow:
    try:
        return await store.campaign(name)
    except UserError as error:
        raise Trouble(404, error.problems) from None


async def _set(doorkeeper: TheDoorkeeper, name: str, state: CampaignState, why: str, by: str) -> CampaignOut:
    store, now = doorkeeper.store, doorkeeper.now()
    row = await _row(store, name)
    if row.state in (CampaignState.DONE, CampaignState.STOPPED) and row.state is not state:
        raise Trouble(409, f"the campaign `{name}` is {row.state}", "create one of another name")
    if state is CampaignState.PAUSED and row.state is CampaignState.DRAFT:
        raise Trouble(409, f"the campaign `{name}` has not begun", f"`voicebot campaign start {name}`")
    if row.state is not state:
        row = await store.set_state(name, state, f"{why} ({by})", now, was=row.state)
        if row.state is not state:
            raise Trouble(409, f"the campaign `{name}` is {row.state} by now", "look again")
    return _out(row, await store.status(name, now))


def _out(row: CampaignRow, status: Status) -> CampaignOut:
    today, month = status.abandonment_today, status.abandonment_30_days
    over = (ContactState.DONE, ContactState.REFUSED)
    return CampaignOut(
        name=row.name,
        state=status.state,
        why=status.why,
        dialog=row.settings.dialog,
        created_at=row.created_at.timestamp(),
        changed_at=row.changed_at.timestamp(),
        total=sum(status.contacts.values()),
        over=sum(status.contacts.get(each, 0) for each in over),
        contacts=_counts(status.contacts),
        open=_counts(status.open),
        dispositions=_counts(status.dispositions),
        outcomes=_counts(status.outcomes),
        goals=status.goals,
        rules=_counts(status.rules),
        calls=_counts(status.calls),
        minutes=_counts(status.minutes),
        calls_by_hour=_counts(status.calls_by_hour),
        answered_by_hour=_counts(status.answered_by_hour),
        calls_today=status.today.calls,
        minutes_today=status.today.minutes,
        abandonment_today=Left(answered=today.answered, abandoned=today.abandoned, share=today.share),
        abandonment_30_days=Left(answered=month.answered, abandoned=month.abandoned, share=month.share),
        next_due_at=status.next_due.timestamp() if status.next_due else None,
    )


def _counts(counts: Any) -> dict[str, int]:
    return {str(key): int(n) for key, n in counts.items()}


class Counting:
    """Counts campaigns contact by contact, in a thread with a connection of its own; one at a time."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._kept: dict[str, tuple[float, Figures]] = {}
        self._one = asyncio.Lock()

    async def of(self, name: str) -> Figures:
        """Return figures that are not older than FRESH_S."""
        async with self._one:
            kept = self._kept.get(name)
            if kept is None or self._clock() - kept[0] > FRESH_S:
                counted = await aside(lambda: asyncio.run(self._count(name)))
                kept = self._kept[name] = (self._clock(), counted)
                while len(self._kept) > MOST_KEPT:
                    self._kept.pop(next(iter(self._kept)))
            return kept[1]

    async def _count(self, name: str) -> Figures:
        now = datetime.now(UTC)
        async with open_store(self._config) as store:
            counted = await report(store, name, now)
        told, sums = counted.as_json(), counted.figures
        known: Any = {key: value for key, value in told.items() if key not in ("csv", "html")}
        return Figures(
            **known,
            name=name,
            counted_at=now.timestamp(),
            tries={str(n): count for n, count in sorted(sums.tries.items())},
            hours={f"{hour:02}": list(both) for hour, both in sums.hours.items()},
            over_time=[
                {"at": at.isoformat(), "group": group, "calls": n}
                for (at, group), n in sorted(sums.by_hour.items())
            ],
            persons={day.isoformat(): list(both) for day, both in sorted(sums.persons.items())},
        )
