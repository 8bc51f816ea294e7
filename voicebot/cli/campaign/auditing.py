"""`voicebot campaign audit`: whether the ledger is whole and was never rewritten."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from voicebot.cli.campaign.opened import with_store
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import load_config
from voicebot.errors import Problem, UserError
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
    """Verify the ledger's hash chain, and every attempt against it. Exit status 1: something was changed."""
    known = _read(anchors) if anchors else {}

    async def work(store: Store) -> list[Audit]:
        names = [name] if name else ["", *(row.name for row in await store.campaigns())]
        if name:
            await store.campaign(name)
        audits = [await store.audit(each, known.get(each)) for each in names]
        if save:
            _write(save, await store.heads())
        return audits

    audits = with_store(load_config(config), work)
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
            typer.echo(
                f"{title}: {verdict}, {each.entries} entries, {each.attempts} attempts, {each.erased} erased"
            )
            typer.echo(f"  head {each.head.seq} {each.head.hash}")
            for problem in each.problems:
                typer.echo(f"  {problem}")
    if not all(each.sound for each in audits):
        raise typer.Exit(EXIT_UNSOUND)


def _write(path: Path, heads: tuple[Anchor, ...]) -> None:
    path.write_text(json.dumps([asdict(head) for head in heads], indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Anchor]:
    try:
        return {each["campaign"]: Anchor(**each) for each in json.loads(path.read_text(encoding="utf-8"))}
    except OSError as error:
        raise UserError(Problem(f"cannot be read: {error.strerror}", "", str(path))) from error
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            Problem("holds no heads", "write it with `campaign audit --save`", str(path))
        ) from error
