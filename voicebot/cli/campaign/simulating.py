"""`voicebot campaign simulate`: when it would be over, and which rules would bite; nobody is called."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from voicebot.campaign.attempt import Disposition
from voicebot.campaign.campaign import Campaign, Pacing
from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.rules.history import History, ListState
from voicebot.campaign.rules.judge import judge
from voicebot.campaign.rules.policy import Policy
from voicebot.campaign.simulation import Assumptions, Played, play
from voicebot.campaign.verdict import Ruling, Verdict
from voicebot.cli.campaign.opened import CampaignName, now, with_store
from voicebot.cli.campaign.words import amounts
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import OF_ASTERISK, Config, load_config
from voicebot.errors import UserError
from voicebot.outbound.moments import moment
from voicebot.outbound.permits import policy_of, trunk_of
from voicebot.store.histories import OPT_OUTS
from voicebot.store.rows import Status
from voicebot.store.store import Store

PAGE = 2000
FEWEST_MEASURED = 200
"""Calls of the campaign itself from which on its own shares are used instead of the usual ones."""


@dataclass(slots=True)
class _Judged:
    """What the rules say of all contacts that are due, at the moment each would first be called."""

    callable: list[Contact]
    barred: int
    refused: Counter[str]
    deferred: Counter[str]
    halted: Counter[str]


def simulate(
    name: CampaignName,
    begin: Annotated[
        str, typer.Option("--from", help="When it starts: 09:00, 2027-03-01T09:00; now if not given.")
    ] = "",
    answered: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of calls that a person takes.")
    ] = None,
    machine: Annotated[float | None, typer.Option(min=0, max=1, help="Share that a machine takes.")] = None,
    talk_s: Annotated[
        float | None, typer.Option("--talk", min=1, max=3600, help="Mean length of a conversation, in s.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed draws other callees.")] = 1,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Play it through with a virtual clock.

    Nobody is called. Tells when it would be over, how many channels it takes, and which rules stand against
    whom. The shares are usual ones, or the campaign's own after some hundred calls, or those that you give.
    """
    settings = load_config(config, without=OF_ASTERISK)
    began = moment(begin, "UTC", now()) if begin else now()

    async def work(store: Store) -> tuple[Campaign, Status, _Judged, int]:
        row = await store.campaign(name)
        policy = policy_of(settings)
        room = await store.room(now())
        judged = await _judge_all(store, row.settings, policy, began)
        return row.settings, await store.status(name, now()), judged, room

    campaign, status, judged, room = with_store(settings, work)
    assumed = _assumed(status, answered, machine, talk_s)
    held = _within(campaign, settings)
    with Console(stderr=True).status("playing"):
        played = play(
            held,
            judged.callable,
            began,
            chance=random.Random(seed).random,
            assumptions=assumed,
            places=room or settings.limits.calls,
        )
    if as_json:
        typer.echo(json.dumps(_plain(played, judged, assumed), ensure_ascii=False))
    else:
        _show(campaign, played, judged, assumed)


async def _judge_all(store: Store, campaign: Campaign, policy: Policy, at: datetime) -> _Judged:
    judged = _Judged([], 0, Counter(), Counter(), Counter())
    lists = {row.name: ListState(row.imported_at, row.max_age_days) for row in await store.lists()}
    last = 0
    while page := await store.contacts(campaign.campaign, state=ContactState.DUE, after_id=last, most=PAGE):
        last = page[-1].id
        numbers = [contact.numbers[0] for contact in page]
        listed = await store.blocked(numbers, campaign.do_not_call)
        for contact, number in zip(page, numbers, strict=True):
            _take(judged, contact, _verdict(campaign, policy, contact, number, listed, lists, at))
    return judged


def _verdict(
    campaign: Campaign,
    policy: Policy,
    contact: Contact,
    number: str,
    listed: Mapping[str, tuple[str, ...]],
    lists: Mapping[str, ListState],
    at: datetime,
) -> Verdict:
    names = listed.get(number, ())
    history = History(
        number=number,
        opted_out=at if OPT_OUTS in names else None,
        listed=tuple(each for each in names if each != OPT_OUTS),
        lists={each: lists[each] for each in campaign.do_not_call if each in lists},
    )
    return judge(campaign, policy, contact, history, max(at, contact.due))


def _take(judged: _Judged, contact: Contact, verdict: Verdict) -> None:
    if verdict.ruling is Ruling.REFUSED:
        judged.barred += 1
        judged.refused.update(_rules(verdict, Ruling.REFUSED))
        return
    if verdict.ruling is Ruling.HALTED:
        judged.halted.update(_rules(verdict, Ruling.HALTED))
    judged.deferred.update(_rules(verdict, Ruling.DEFERRED))
    judged.callable.append(contact)


def _rules(verdict: Verdict, ruling: Ruling) -> list[str]:
    return [check.rule for check in verdict.checks if check.ruling is ruling]


def _within(campaign: Campaign, config: Config) -> Campaign:
    """Return the campaign with the limits of its trunk and of [dialling], whichever is smaller."""
    rates = [campaign.pacing.calls_per_second, config.dialling.calls_per_second]
    calls = [campaign.pacing.concurrent, config.dialling.concurrent]
    try:
        trunk = trunk_of(config, campaign)
    except UserError:
        pass
    else:
        rates.append(trunk.calls_per_second)
        calls.append(trunk.concurrent)
    pacing: Pacing = campaign.pacing.model_copy(
        update={"calls_per_second": min(rates), "concurrent": min(calls)}
    )
    return campaign.model_copy(update={"pacing": pacing})


def _assumed(
    status: Status, answered: float | None, machine: float | None, talk_s: float | None
) -> Assumptions:
    assumed = Assumptions()
    counts = status.dispositions
    calls = sum(counts.values())
    if calls >= FEWEST_MEASURED:
        persons = sum(
            counts.get(each, 0)
            for each in (Disposition.ANSWERED, Disposition.OPTED_OUT, Disposition.ABANDONED)
        )
        assumed = replace(
            assumed,
            answered=persons / calls,
            machine=counts.get(Disposition.MACHINE, 0) / calls,
            busy=counts.get(Disposition.BUSY, 0) / calls,
            invalid=counts.get(Disposition.INVALID, 0) / calls,
            talk_s=max(2.0, 60 * sum(status.minutes.values()) / max(persons, 1)),
        )
    given = {"answered": answered, "machine": machine, "talk_s": talk_s}
    assumed = replace(assumed, **{name: value for name, value in given.items() if value is not None})
    if assumed.answered + assumed.machine + assumed.busy + assumed.invalid > 1:
        raise UserError("the shares of answers make more than all calls", "give smaller ones")
    return assumed


def _show(campaign: Campaign, played: Played, judged: _Judged, assumed: Assumptions) -> None:
    out = console()
    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(style="dim")
    rows.add_column()
    rows.add_row("begins", _at(played.began))
    if judged.halted:
        rules = ", ".join(sorted(judged.halted)).replace("_", " ")
        rows.add_row("halted", f"by {rules}: nobody is called until that is mended, what follows is for then")
    if played.finished:
        hours = (played.finished - played.began).total_seconds() / 3600
        rows.add_row("over", f"{_at(played.finished)}, after {hours:,.1f} h")
    else:
        rows.add_row("over", f"not within 60 days: {played.left:,} are left")
    rows.add_row("contacts", f"{played.contacts:,} may be called, {judged.barred:,} may not")
    rows.add_row("calls", f"{played.calls:,}, {played.minutes:,.0f} minutes of conversation")
    rows.add_row("at once", f"{played.peak:,} calls at the most, {played.talking:,} of them conversations")
    rows.add_row("become", amounts(played.dispositions))
    if judged.refused:
        rows.add_row("barred by", amounts(judged.refused))
    if judged.deferred:
        rows.add_row("put off by", amounts(judged.deferred))
    if played.never:
        rows.add_row("never", f"{played.never:,} have no legal hour")
    if played.hindrances:
        rows.add_row("held up by", ", ".join(each for each, _ in played.hindrances.most_common(3)))
    rows.add_row(
        "assumed",
        f"{assumed.answered:.0%} answered by people, {assumed.machine:.0%} by machines, "
        f"{assumed.talk_s:.0f} s of talk",
    )
    print_table(out, rows)


def _plain(played: Played, judged: _Judged, assumed: Assumptions) -> dict[str, Any]:
    return {
        "begins": played.began.isoformat(),
        "over": played.finished.isoformat() if played.finished else None,
        "contacts": played.contacts,
        "barred": judged.barred,
        "left": played.left,
        "never_legal": played.never,
        "calls": played.calls,
        "minutes": round(played.minutes, 1),
        "peak_calls": played.peak,
        "peak_conversations": played.talking,
        "dispositions": {str(each): n for each, n in played.dispositions.items()},
        "by_hour": {each.isoformat(): n for each, n in sorted(played.by_hour.items())},
        "refused": dict(judged.refused),
        "deferred": dict(judged.deferred),
        "halted": dict(judged.halted),
        "assumed": asdict(assumed),
    }


def _at(at: datetime) -> str:
    return at.astimezone().strftime("%a %Y-%m-%d %H:%M %Z")
