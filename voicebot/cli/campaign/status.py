"""`voicebot campaign status`: how far a campaign is, once or live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from voicebot.campaign.attempt import NOT_DIALLED, REACHED
from voicebot.campaign.contact import ContactState
from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import load_config
from voicebot.store.rows import CampaignState, Status
from voicebot.store.store import Store

WATCH_S = 1.0
BAR_WIDTH = 40
_COLOURS = {
    CampaignState.RUNNING: "green",
    CampaignState.PAUSED: "yellow",
    CampaignState.HALTED: "red",
    CampaignState.STOPPED: "dim",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    statuses: tuple[Status, ...]
    diallers: tuple[str, ...]
    room: int


def status(
    name: Annotated[str | None, typer.Argument(help="A campaign; none: all of them.", metavar="NAME")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it live, until the campaign is over or Ctrl-C.")
    ] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show how far a campaign is: contacts, calls, outcomes, and what holds it up."""
    settings = load_config(config)
    out = console()
    if watch and not as_json and out.is_terminal:
        with_store(settings, lambda store: _watch(store, name, out))
        return
    seen = with_store(settings, lambda store: _look(store, name))
    if as_json:
        told = [as_plain(each) for each in seen.statuses]
        typer.echo(json.dumps(told[0] if name else told, ensure_ascii=False))
    elif not seen.statuses:
        typer.echo("no campaigns yet: `voicebot campaign create FILE`")
    elif name:
        out.print(_one(seen.statuses[0], seen))
    else:
        print_table(out, _table(seen.statuses))


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
    names = [name] if name else [row.name for row in await store.campaigns()]
    at = now()
    return _Seen(
        tuple([await store.status(each, at) for each in names]),
        tuple(f"{dialler.name} {dialler.detail}".strip() for dialler in await store.diallers(at)),
        await store.room(at),
    )


async def _watch(store: Store, name: str | None, out: Any) -> None:
    with Live(console=out, auto_refresh=False) as live:
        while True:
            seen = await _look(store, name)
            shown: list[RenderableType] = [_one(each, seen) for each in seen.statuses]
            live.update(Group(*shown) if shown else Text("no campaigns yet"), refresh=True)
            ended = (CampaignState.DONE, CampaignState.STOPPED)
            if name and seen.statuses[0].state in ended and not any(seen.statuses[0].open.values()):
                return
            await asyncio.sleep(WATCH_S)


def _table(statuses: tuple[Status, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("campaign", "state", "contacts", "over", "open", "answered", "next due"):
        table.add_column(
            title, justify="right" if title in ("contacts", "over", "open", "answered") else "left"
        )
    for each in statuses:
        table.add_row(
            each.name,
            Text(each.state, style=_COLOURS.get(each.state, "")),
            f"{total_of(each):,}",
            f"{over_of(each):,}",
            f"{sum(each.open.values()):,}",
            f"{sum(n for d, n in each.dispositions.items() if d in REACHED):,}",
            _when(each.next_due) if each.state is CampaignState.RUNNING else "",
        )
    return table


def _one(status: Status, seen: _Seen) -> RenderableType:
    total, over = total_of(status), over_of(status)
    head = Text.assemble(
        (status.name, "bold"), " ", (status.state, _COLOURS.get(status.state, "")), f"  {status.why}"
    )
    bar = Table.grid(padding=(0, 1))
    share = over / total if total else 0.0
    bar.add_row(
        ProgressBar(total=max(total, 1), completed=over, width=BAR_WIDTH),
        f"{over:,} of {total:,}",
        f"{share:.1%}",
    )
    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(style="dim")
    rows.add_column()
    dialled = sum(n for d, n in status.dispositions.items() if d not in NOT_DIALLED)
    reached = sum(n for d, n in status.dispositions.items() if d in REACHED)
    rows.add_row("contacts", _counts(status.contacts))
    rows.add_row("on the line", _counts(status.open) or "nobody")
    rows.add_row(
        "calls",
        f"{dialled:,} dialled, {reached:,} answered" + (f" ({reached / dialled:.0%})" if dialled else ""),
    )
    rows.add_row("became", _counts(status.dispositions) or "nothing yet")
    if status.outcomes:
        rows.add_row("outcomes", f"{_counts(status.outcomes)}; {status.goals:,} reached a goal")
    if status.rules:
        rows.add_row("rules", _counts(status.rules))
    left = status.abandonment_30_days
    if left.answered:
        rows.add_row(
            "abandoned",
            f"{left.abandoned:,} of {left.answered:,} ({left.share:.2%}) in 30 days",
        )
    rows.add_row("today", f"{status.today.calls:,} calls, {status.today.minutes:,.0f} minutes")
    if status.state is CampaignState.RUNNING:
        rows.add_row("next due", _when(status.next_due) if status.next_due else "nobody")
        rows.add_row(
            "diallers", ", ".join(seen.diallers) or "none: run `voicebot serve` or `voicebot campaign dial`"
        )
        rows.add_row("room", f"{seen.room:,} more calls find a gateway")
    return Group(head, bar, rows)


def _counts(counts: Mapping[Any, int]) -> str:
    shown = sorted(((str(what), n) for what, n in counts.items() if n), key=lambda pair: -pair[1])
    return ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in shown)


def _when(at: datetime | None) -> str:
    if at is None:
        return ""
    late = at <= datetime.now(UTC)
    return "now" if late else at.astimezone().strftime("%Y-%m-%d %H:%M")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
