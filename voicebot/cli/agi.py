"""`voicebot agi`: scripts that Asterisk starts for a call, and the tools around them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from voicebot.agi.command import AgiError
from voicebot.agi.messages import environment
from voicebot.agi.status import FAILED
from voicebot.app.logs import configure_logs
from voicebot.cli.agi_dialog import dialog
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import Config, load_config
from voicebot.errors import Problem, UserError, all_there
from voicebot.fastagi.fastagi import FastAgi, open_lookups
from voicebot.fastagi.functions import Functions
from voicebot.fastagi.lookups.loading import load_lookups
from voicebot.fastagi.lookups.parameters import Parameters
from voicebot.fastagi.lookups.running import STATUS
from voicebot.fastagi.scripts import Scripts, UnknownScript
from voicebot.fastagi.stdio import run_stdio

EXIT_FAILED = 1
PRIVATE = 0o077

agi = typer.Typer(help="Look-ups and functions for the dialplan.", no_args_is_help=True)
try_ = typer.Typer(help="Try a script by hand, without Asterisk.", no_args_is_help=True)
agi.add_typer(try_, name="try")
agi.command("dialog")(dialog)

File = Annotated[Path | None, typer.Option("--file", "-f", help="File of look-ups, not agi.lookups.")]
Name = Annotated[str, typer.Argument(help="Name of the script, with parameters as in a URL: order?number=42")]
Arguments = Annotated[list[str] | None, typer.Argument(help="Arguments of the script: arg1, arg2, ...")]


@agi.command("lookup")
def lookup(name: Name, arguments: Arguments = None, file: File = None, config: ConfigFile = None) -> None:
    """Run a look-up for the call on standard input: AGI(/path/to/voicebot,agi,lookup,NAME)."""
    _for_call(f"lookup/{name}", arguments or [], config, file)


@agi.command("function")
def function(name: Name, arguments: Arguments = None, config: ConfigFile = None) -> None:
    """Run a function for the call on standard input: AGI(/path/to/voicebot,agi,function,NAME)."""
    _for_call(f"function/{name}", arguments or [], config, None)


def _for_call(script: str, arguments: list[str], config: Path | None, file: Path | None) -> None:
    """Serve the call, whatever is wrong here: the dialplan is told, and goes on."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the session heeds it
    configure_logs("warning")

    async def run() -> None:
        settings = Config()
        scripts = Scripts()
        trouble: UserError | None = None
        async with AsyncExitStack() as stack:
            try:
                settings = load_config(config, secrets=False)
                scripts.add("function", Functions(function_s=settings.agi.function_s).serve)
                if script.startswith("lookup/") and (file or settings.agi.lookups):
                    lookups = await stack.enter_async_context(await open_lookups(settings, file))
                    scripts.add("lookup", lookups.serve, tells_itself=True)
            except UserError as error:
                trouble = error
            try:
                status = await run_stdio(
                    scripts, script, arguments, environment_s=settings.agi.environment_s,
                    command_s=settings.agi.command_s, permitted=settings.agi.applications,
                )  # fmt: skip
            except AgiError as error:
                what = f"this is no call of Asterisk: {error}"
                raise UserError(
                    Problem(what, "Asterisk starts this by AGI(); by hand there is `voicebot agi try`")
                ) from error
        if trouble is not None:
            raise trouble
        raise typer.Exit(EXIT_FAILED if status == FAILED else 0)

    asyncio.run(run())


@agi.command("check")
def check(file: Annotated[Path, typer.Argument(help="A file of look-ups.")], as_json: Json = False) -> None:
    """Check a file of look-ups: every mistake, with its line. No database is asked."""
    found = load_lookups(file)
    if as_json:
        typer.echo(json.dumps({"databases": list(found.databases), "lookups": list(found.lookups)}))
        return
    many = "look-ups" if len(found.lookups) > 1 else "look-up"
    typer.echo(f"{file}: {len(found.lookups)} {many} ({', '.join(found.lookups)}), no mistakes")


@try_.command("lookup")
def try_lookup(
    name: Name,
    arguments: Arguments = None,
    caller: Annotated[str, typer.Option("--caller", help="The caller's number.")] = "",
    caller_name: Annotated[str, typer.Option("--caller-name", help="The caller's name.")] = "",
    called: Annotated[str, typer.Option("--called", help="The number dialled.")] = "",
    language: Annotated[str, typer.Option("--language", help="The channel's language.")] = "en",
    file: File = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Run a look-up and print the variables that a channel would get. Exit status 1: it failed."""
    configure_logs("warning")
    settings = load_config(config, secrets=False)
    if file is None and not settings.agi.lookups:
        raise UserError(Problem("there is no file of look-ups", "set agi.lookups, or name one: --file FILE"))
    fields = [("callerid", caller), ("calleridname", caller_name), ("dnid", called), ("extension", called)]
    fields += [("language", language), ("network_script", f"lookup/{name}")]
    given = environment(f"agi://127.0.0.1/lookup/{name}", fields, arguments or [])

    async def run() -> None:
        async with await open_lookups(settings, file) as lookups:
            try:
                outcome = await lookups.look_up(name.partition("?")[0], Parameters(given))
            except UnknownScript as error:
                remedy = all_there(lookups.names)
                raise UserError(Problem(f"there is no look-up `{name.partition('?')[0]}`", remedy)) from error
        variables = {**outcome.variables, STATUS: outcome.status}
        if as_json:
            typer.echo(json.dumps({"status": outcome.status, "variables": variables, "why": outcome.why}))
        else:
            for variable, value in variables.items():
                typer.echo(f"{variable}={value}")
        raise typer.Exit(EXIT_FAILED if outcome.status == "failed" else 0)

    asyncio.run(run())


@agi.command("serve")
def serve(
    config: ConfigFile = None,
    bind: Annotated[str | None, typer.Option("--bind", help="Overrides agi.bind.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Overrides agi.port; 0: any free one.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Overrides agi.lookups.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Serve look-ups and functions over FastAGI, without a gateway, until SIGTERM or Ctrl-C."""
    flags = {"agi.bind": bind, "agi.port": port, "log_level": log_level}
    flags["agi.lookups"] = str(file.resolve()) if file else None
    settings = load_config(config, flags=flags, secrets=False)
    os.umask(PRIVATE)
    configure_logs(settings.log_level, settings.log_format)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with FastAgi(settings) as fastagi:
            lookups = fastagi.lookups.names if fastagi.lookups else ()
            served = [f"lookup/{name}" for name in lookups]
            served += [f"function/{name}" for name in fastagi.functions.names]
            where = f"agi://{settings.agi.bind}:{fastagi.port}/"
            typer.echo(f"voicebot agi ready: {where} ({', '.join(served) or 'no scripts'})")
            await stop.wait()

    asyncio.run(run())
