"""Waits until a single call is over, and tells how it went."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import typer

from voicebot.campaign.attempt import REACHED, AttemptState
from voicebot.campaign.contact import Contact, ContactState
from voicebot.cli.campaign.explaining import BECAME, explain
from voicebot.cli.campaign.opened import now
from voicebot.cli.campaign.words import moment_of
from voicebot.store.rows import AttemptRow
from voicebot.store.store import Store

POLL_S = 0.5
EXIT_NOT_REACHED = 1


async def follow_campaign(store: Store, name: str, as_json: bool) -> int:
    """Print each attempt's states until the contact is called no more; return an exit status."""
    told: set[str] = set()
    seen_seq = 0
    due: datetime | None = None
    while True:
        attempts = [row async for row in store.attempts(name)]
        contact: Contact = (await store.contacts(name))[0]
        if not as_json:
            seen_seq = await _tell_rules(store, name, seen_seq)
            for row in attempts:
                if (line := f"  {_line(row)}") not in told:
                    told.add(line)
                    typer.echo(line)
            if contact.state is ContactState.DUE and contact.due > now() and contact.due != due:
                due = contact.due
                typer.echo(f"  due {moment_of(due)}; Ctrl-C leaves, the call stays as it is")
        if contact.state not in (ContactState.DUE, ContactState.BUSY):
            break
        await asyncio.sleep(POLL_S)
    last = attempts[-1] if attempts else None
    if as_json:
        typer.echo(json.dumps({"campaign": name, "number": contact.numbers[0], **_plain(last)}))
    return 0 if last and last.disposition in REACHED else EXIT_NOT_REACHED


async def _tell_rules(store: Store, name: str, after_seq: int) -> int:
    """Print which rules stand against the call; return how far the ledger was read."""
    async for entry in store.entries(name, after_seq=after_seq):
        after_seq = entry.seq
        if entry.kind in ("refused", "deferred", "halted"):
            for line in explain(entry):
                if line.against:
                    typer.echo(f"  {line.text}")
    return after_seq


def _line(row: AttemptRow) -> str:
    if row.state is not AttemptState.CLOSED:
        return str(row.state)
    outcome = f", outcome {row.call.outcome}" if row.call and row.call.outcome else ""
    cause = f", cause {row.dial.cause}" if row.dial and row.dial.cause else ""
    record = f"; `voicebot calls show {row.call.record}`" if row.call and row.call.record else ""
    return f"over: {BECAME[str(row.disposition)]}{outcome}{cause}{record}"


def _plain(row: AttemptRow | None) -> dict[str, object]:
    if row is None:
        return {"disposition": "refused"}
    return {
        "attempt": row.order.attempt,
        "disposition": row.disposition,
        "cause": row.dial.cause if row.dial else None,
        "outcome": row.call.outcome if row.call else None,
        "record": row.call.record if row.call else None,
    }
