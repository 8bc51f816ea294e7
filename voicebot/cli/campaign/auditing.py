"""`voicebot campaign audit`: whether the ledger is whole and was never rewritten."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from voicebot.cli.campaign.opened import with_store
from voicebot.cli.campaign.words import counted
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import OF_ASTERISK, load_config
from voicebot.errors import Problem, UserError
from voicebot.outbound.reporting.run import written
from voicebot.store.rows import Anchor, Audit
from voicebot.store.store import Store

EXIT_UNSOUND = 1


def audit(
    name: Annotated[str | None, typer.Argument(help="A campaign; none: all of them.", metavar="NAME")] = None,
    anchors: Annotated[
        Path | None,
        typer.Option("--anchors", help="Heads that were saved earlier: nothing before them may differ."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write today's heads there; keep them on another machine.")
    ] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Verify the ledger's hash chain.

    Each campaign's own, and every attempt against it. Exit status 1: something was changed.
    """
    known = _read(anchors) if anchors else {}

    async def work(store: Store) -> list[Audit]:
        here = ["", *(row.name for row in await store.campaigns())]
        if name:
            await store.campaign(name)
        audits = [await store.audit(each, known.get(each)) for each in ([name] if name else here)]
        audits += [_gone(anchor) for each, anchor in known.items() if each not in here and not name]
        if save and all(each.sound for each in audits):  # never over heads that prove what was changed
            _write(save, await store.heads())
        return audits

    audits = with_store(load_config(config, without=OF_ASTERISK), work)
    if as_json:
        typer.echo(json.dumps([{**asdict(each), "sound": each.sound} for each in audits], default=str))
    else:
        for each in audits:
            verdict = (
                typer.style("sound", fg="green")
                if each.sound
                else typer.style("NOT SOUND", fg="red", bold=True)
            )
            title = each.campaign or "(what concerns no campaign)"
            entries, attempts = counted(each.entries, "entry", "entries"), counted(each.attempts, "attempt")
            erased = f", {each.erased:,} of them erased" if each.erased else ""
            typer.echo(f"{title}: {verdict}, {entries}{erased}, {attempts}")
            typer.echo(f"  head {each.head.seq} {each.head.hash}")
            for problem in each.problems:
                typer.echo(f"  {problem}")
    if not all(each.sound for each in audits):
        if save:
            typer.echo(f"no heads were written to {save}: keep the earlier ones", err=True)
        raise typer.Exit(EXIT_UNSOUND)


def _gone(anchor: Anchor) -> Audit:
    """Return what is to be said of a campaign that had a ledger once, and is not there."""
    return Audit(anchor.campaign, 0, 0, 0, anchor, ("the campaign and its ledger are gone",))


def _write(path: Path, heads: tuple[Anchor, ...]) -> None:
    with written(path, "utf-8") as file:
        file.write(json.dumps([asdict(head) for head in heads], indent=1) + "\n")


def _read(path: Path) -> dict[str, Anchor]:
    try:
        return {each["campaign"]: Anchor(**each) for each in json.loads(path.read_text(encoding="utf-8"))}
    except OSError as error:
        raise UserError(
            Problem(f"cannot be read: {error.strerror}", "name the file that `--save` wrote", str(path))
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            Problem("holds no heads", "write it with `campaign audit --save`", str(path))
        ) from error
