"""Waits until a single call is over, and tells how it went."""

from __future__ import annotations

import asyncio
import json

import typer

from voicebot.campaign.attempt import REACHED, AttemptState
from voicebot.campaign.contact import ContactState
from voicebot.store.rows import AttemptRow
from voicebot.store.store import Store

POLL_S = 0.5
EXIT_NOT_REACHED = 1


async def follow_campaign(store: Store, name: str, as_json: bool) -> int:
    """Print each attempt's states until the contact is called no more; return an exit status."""
    told: dict[str, str] = {}
    while True:
        attempts = [row async for row in store.attempts(name)]
        for row in attempts:
            state = str(row.disposition or row.state)
            if told.get(row.order.attempt) != state:
                told[row.order.attempt] = state
                if not as_json:
                    typer.echo(f"  {_line(row)}")
        contacts = await store.contacts(name)
        if contacts and contacts[0].state not in (ContactState.DUE, ContactState.BUSY):
            break
        await asyncio.sleep(POLL_S)
    if not attempts and not as_json:
        known = await store.why(contacts[0].numbers[0], name)
        typer.echo("  not called: " + ", ".join(entry.rule for entry in known.entries if entry.rule))
    last = attempts[-1] if attempts else None
    if as_json:
        typer.echo(json.dumps(_plain(last) if last else {"disposition": "refused"}))
    return 0 if last and last.disposition in REACHED else EXIT_NOT_REACHED


def _line(row: AttemptRow) -> str:
    if row.state is not AttemptState.CLOSED:
        return str(row.state)
    outcome = f", outcome {row.call.outcome}" if row.call and row.call.outcome else ""
    cause = f", cause {row.dial.cause}" if row.dial and row.dial.cause else ""
    record = f"; `voicebot calls show {row.call.record}`" if row.call and row.call.record else ""
    return f"{row.disposition}{outcome}{cause}{record}"


def _plain(row: AttemptRow) -> dict[str, object]:
    return {
        "attempt": row.order.attempt,
        "disposition": row.disposition,
        "cause": row.dial.cause if row.dial else None,
        "outcome": row.call.outcome if row.call else None,
        "record": row.call.record if row.call else None,
    }
