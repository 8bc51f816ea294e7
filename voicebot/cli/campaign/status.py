"""`voicebot campaign status`: how far a campaign is, once or live."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from voicebot.campaign.attempt import NOT_DIALLED, REACHED
from voicebot.campaign.contact import ContactState
from voicebot.campaign.single import is_single
from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.campaign.words import amounts, counted
from voicebot.cli.harmless import harmless
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import OF_ASTERISK, load_config
from voicebot.store.rows import CampaignState, Status
from voicebot.store.store import Store

WATCH_S = 1.0
BAR_WIDTH = 40
SHORT_BAR_WIDTH = 16
TITLE_WIDTH = 11
_SILENT = ("started", "paused", "stopped", "resumed")
"""What the commands say themselves where nobody says why: the state tells it."""
_OVER = (CampaignState.DONE, CampaignState.STOPPED)
_CONTACTS = {ContactState.BUSY: "being called", ContactState.DONE: "over"}
_RULINGS = {"deferred": "put off by", "refused": "refused by", "halted": "halted by"}
_NEXT = {
    CampaignState.DRAFT: "`voicebot campaign simulate {name}`, then `start {name}`",
    CampaignState.PAUSED: "`voicebot campaign resume {name}`",
    CampaignState.HALTED: "mend what the rule names, then `voicebot campaign resume {name}`",
}
_COLOURS = {
    CampaignState.RUNNING: "green",
    CampaignState.PAUSED: "yellow",
    CampaignState.HALTED: "red",
    CampaignState.STOPPED: "dim",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """singles: calls by `voicebot call` that are over, which are counted alone."""

    statuses: tuple[Status, ...]
    diallers: tuple[str, ...]
    room: int
    singles: int


def status(
    name: Annotated[str | None, typer.Argument(help="A campaign; none: all of them.", metavar="NAME")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it live, until the campaign is over or Ctrl-C.")
    ] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show how far campaigns are.

    Contacts, calls, outcomes, and what holds it up. --watch is for terminals; elsewhere it shows it once.
    """
    settings = load_config(config, without=OF_ASTERISK)
    out = console()
    if watch and not as_json and out.is_terminal:
        with_store(settings, lambda store: _watch(store, name, out))
        return
    seen = with_store(settings, lambda store: _look(store, name))
    if as_json:
        told = [as_plain(each) for each in seen.statuses]
        typer.echo(json.dumps(told[0] if name else told, ensure_ascii=False))
    elif name:
        print_table(out, Group(_one(seen.statuses[0]), _hands(seen)))
    else:
        print_table(out, Group(_table(seen.statuses), _hands(seen)))


def as_plain(status: Status) -> dict[str, Any]:
    """Return a status as JSON holds it."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(status), default=_plain))
    plain["total"], plain["over"] = total_of(status), over_of(status)
    return plain


def total_of(status: Status) -> int:
    """Return how many contacts there are."""
    return sum(status.contacts.values())


def over_of(status: Status) -> int:
    """Return how many contacts need no more calls."""
    return status.contacts.get(ContactState.DONE, 0) + status.contacts.get(ContactState.REFUSED, 0)


async def _look(store: Store, name: str | None) -> _Seen:
    names, singles = [name] if name else [], 0
    for row in () if name else await store.campaigns():
        if is_single(row.name) and row.state in _OVER:
            singles += 1
        else:
            names.append(row.name)
    at = now()
    return _Seen(
        tuple([await store.status(each, at) for each in names]),
        tuple(f"{dialler.name} {dialler.detail}".strip() for dialler in await store.diallers(at)),
        await store.room(at),
        singles,
    )


async def _watch(store: Store, name: str | None, out: Any) -> None:
    with Live(console=out, auto_refresh=False) as live:
        while True:
            seen = await _look(store, name)
            body = _one(seen.statuses[0]) if name else _table(seen.statuses)
            hint = Text("Ctrl-C leaves; the campaign goes on", style="dim")
            live.update(Group(body, _hands(seen), hint), refresh=True)
            if name and seen.statuses[0].state in _OVER and not any(seen.statuses[0].open.values()):
                return
            await asyncio.sleep(WATCH_S)


def _table(statuses: tuple[Status, ...]) -> RenderableType:
    if not statuses:
        return Text("no campaigns yet: `voicebot campaign create FILE`")
    table = Table(box=None, pad_edge=False)
    for title in ("campaign", "state", "", "over", "open", "reached", "next due"):
        table.add_column(title, justify="right" if title in ("over", "open", "reached") else "left")
    for each in statuses:
        total, over = total_of(each), over_of(each)
        table.add_row(
            each.name,
            Text(each.state, style=_COLOURS.get(each.state, "")),
            ProgressBar(total=max(total, 1), completed=over, width=SHORT_BAR_WIDTH),
            f"{over:,} of {total:,}",
            f"{sum(each.open.values()):,}",
            f"{_reached(each):,}",
            _when(each.next_due) if each.state is CampaignState.RUNNING else harmless(each.why),
        )
    return table


def _one(status: Status) -> RenderableType:
    total, over = total_of(status), over_of(status)
    head = Text.assemble(
        (status.name, "bold"),
        " ",
        (status.state, _COLOURS.get(status.state, "")),
        "" if status.why in _SILENT else f"  {harmless(status.why)}",
    )
    bar = Table.grid(padding=(0, 1))
    share = over / total if total else 0.0
    bar.add_row(
        ProgressBar(total=max(total, 1), completed=over, width=BAR_WIDTH),
        f"{over:,} of {total:,}",
        f"{share:.1%}",
    )
    rows = _rows()
    ended = sum(n for d, n in status.dispositions.items() if d not in NOT_DIALLED)
    reached = _reached(status)
    contacts = {_CONTACTS.get(state, str(state)): n for state, n in status.contacts.items()}
    nobody = f"none: `voicebot campaign import {status.name} FILE`"
    rows.add_row("contacts", amounts(contacts) or nobody)
    if status.contacts.get(ContactState.HELD):
        rows.add_row(
            "held", f"a crash hides whether they were called: `voicebot campaign release {status.name}`"
        )
    rows.add_row("on the line", amounts(status.open) or "nobody")
    rows.add_row(
        "calls",
        f"{counted(ended, 'call')} ended, {reached:,} reached somebody or something"
        + (f" ({reached / ended:.0%})" if ended else ""),
    )
    rows.add_row("became", amounts(status.dispositions) or "nothing yet")
    if status.outcomes:
        rows.add_row("outcomes", f"{amounts(status.outcomes)}; {status.goals:,} reached a goal")
    for ruling, title in _RULINGS.items():
        if rules := _ruled(status, ruling):
            rows.add_row(title, amounts(rules))
    left = status.abandonment_30_days
    if left.answered:
        rows.add_row("abandoned", f"{left.abandoned:,} of {left.answered:,} ({left.share:.2%}) in 30 days")
    rows.add_row("today", f"{counted(status.today.calls, 'call')} begun, {status.today.minutes:,.0f} minutes")
    if status.state is CampaignState.RUNNING:
        rows.add_row("next due", _when(status.next_due))
    elif next_step := _NEXT.get(status.state):
        rows.add_row("next", next_step.format(name=status.name))
    return Group(head, bar, rows)


def _hands(seen: _Seen) -> RenderableType:
    """Tell who would place the calls, where there are any to place."""
    rows = _rows()
    if seen.singles:
        rows.add_row("besides", f"{counted(seen.singles, 'single call')} by `voicebot call`, over")
    if any(each.state is CampaignState.RUNNING for each in seen.statuses):
        none = "none: run `voicebot serve` with `[dialling] enabled = true`, or `voicebot campaign dial`"
        rows.add_row("diallers", harmless(", ".join(seen.diallers)) or none)
        full = "no gateway has room for a call: is `voicebot serve` running?"
        rows.add_row("room", f"for {counted(seen.room, 'more call')}" if seen.room else full)
    return rows


def _rows() -> Table:
    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(style="dim", min_width=TITLE_WIDTH)
    rows.add_column()
    return rows


def _reached(status: Status) -> int:
    return sum(n for d, n in status.dispositions.items() if d in REACHED)


def _ruled(status: Status, ruling: str) -> dict[str, int]:
    """Return how often each rule ruled so."""
    return {
        rule: n for each, n in status.rules.items() for was, _, rule in [each.partition(":")] if was == ruling
    }


def _when(at: datetime | None) -> str:
    if at is None:
        return "nobody"
    return "now" if at <= now() else at.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
