"""Starting a campaign, or letting it go on: it is looked at before anybody is called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from voicebot.app.clearance import Clearance, clearance
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.rules.law import PROFILES
from voicebot.config import Config
from voicebot.errors import Problem, UserError
from voicebot.store.rows import CampaignRow, CampaignState, ListRow
from voicebot.store.store import Store


@dataclass(frozen=True, slots=True)
class Started:
    """A campaign that calls now. diallers: who does it; contacts: how many it has."""

    row: CampaignRow
    cleared: Clearance
    diallers: int
    contacts: int


async def start_campaign(store: Store, config: Config, name: str, why: str, now: datetime) -> Started:
    """Prove its dialog, look at its lists, and let it run. Raises UserError with all that stands against it.

    The proof may take seconds; it runs in a thread.
    """
    row = await store.campaign(name)
    if row.state is CampaignState.STOPPED:
        what = f"the campaign `{name}` was stopped for good"
        raise UserError(Problem(what, "create one of another name for those who are left"))
    file = Path(row.folder) / f"{name}.campaign.yaml"
    cleared = await asyncio.to_thread(clearance, row.settings, file, config)
    if problems := [*cleared.problems, *_list_problems(row.settings, await store.lists(), now)]:
        raise UserError(problems)
    await store.set_proof(name, json.dumps(cleared.evidence, ensure_ascii=False), now)
    if row.state is not CampaignState.RUNNING:
        row = await store.set_state(name, CampaignState.RUNNING, why, now)
    contacts = (await store.status(name, now)).contacts
    return Started(row, cleared, len(await store.diallers(now)), sum(contacts.values()))


def _list_problems(campaign: Campaign, lists: tuple[ListRow, ...], now: datetime) -> Iterator[Problem]:
    """Yield what would halt the campaign at its first call: do-not-call lists that are missing or stale."""
    known = {row.name: row for row in lists}
    by_law = PROFILES[campaign.profile].list_days if campaign.purpose == "telemarketing" else None
    for name in campaign.do_not_call:
        row = known.get(name)
        remedy = f"voicebot campaign do-not-call import {name} FILE"
        if row is None:
            yield Problem(f"the do-not-call list `{name}` was never imported", remedy)
            continue
        limits = [days for days in (row.max_age_days, by_law) if days is not None]
        if limits and now - row.imported_at > timedelta(days=min(limits)):
            days = f"{min(limits):,} day{'' if min(limits) == 1 else 's'}"
            of = row.imported_at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
            yield Problem(f"the do-not-call list `{name}` of {of} is older than {days}", remedy)
