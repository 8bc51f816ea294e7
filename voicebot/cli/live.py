"""`voicebot live`: the calls that live now: see them, and act on them."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from voicebot.cli.harmless import harmless, json_line
from voicebot.cli.house import RunningHouse
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import load_config
from voicebot.errors import UserError

live = typer.Typer(no_args_is_help=True, help="Look at live calls, and act on them.")

CallId = Annotated[str, typer.Argument(help="A call's id, the beginning of it, or `last`.", metavar="CALL")]
_COLOURS = {"bot": "cyan", "caller": "green"}


def _house(config: Any) -> RunningHouse:
    return RunningHouse(load_config(config, secrets=False))


def _id(house: RunningHouse, given: str) -> str:
    """Return the id that is meant. Raises UserError."""
    ids = [call["id"] for call in house.get("/calls")["calls"]]
    found = ids[-1:] if given == "last" else [id for id in ids if id.startswith(given)]
    if given in found:
        return given
    if len(found) != 1:
        what = (
            f"{len(found)} live calls begin with `{given}`" if found else f"there is no live call `{given}`"
        )
        if not ids:
            raise UserError("there are no live calls", "`voicebot calls list` shows those that have ended")
        raise UserError(what, "see `voicebot live list`")
    return str(found[0])


@live.command("list")
def list_calls(config: ConfigFile = None, as_json: Json = False) -> None:
    """List the live calls, the oldest first."""
    with _house(config) as house:
        calls = house.get("/calls")["calls"]
    if as_json:
        typer.echo(json_line(calls))
        return
    if not calls:
        typer.echo("no live calls")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("call", "caller", "called", "dialog", "step", "for", "state", "reply", "words"):
        table.add_column(title, no_wrap=True, justify="right" if title in ("for", "reply") else "left")
    for call in calls:
        reply = call["latency_ms"]
        words = call["partial"] or call["person"] or call["queue"]
        table.add_row(
            call["id"],
            harmless(" ".join(filter(None, (call["caller"], call["caller_name"])))),
            harmless(call["called"]),
            harmless(call["dialog"]),
            harmless(call["step"]),
            _lasts(time.time() - call["started_at"]),
            call["state"].replace("_", " "),
            f"{reply} ms" if reply is not None else "",
            harmless(words),
        )
    print_table(console(), table)


@live.command("show")
def show(call: CallId = "last", config: ConfigFile = None, as_json: Json = False) -> None:
    """Show one live call, and what was said in it."""
    with _house(config) as house:
        found = house.get(f"/calls/{_id(house, call)}")
    if as_json:
        typer.echo(json_line(found))
        return
    _show(found)


@live.command("watch")
def watch(call: CallId = "last", config: ConfigFile = None, as_json: Json = False) -> None:
    """Follow one call as it goes on, until it ends or Ctrl-C."""
    with _house(config) as house:
        id = _id(house, call)
        try:
            for name, news in house.events("call", id):
                if as_json:
                    typer.echo(json_line({"event": name, **news}))
                elif name == "snapshot":
                    for found in news["calls"]:
                        _show(found)
                else:
                    _follow(name, news["data"])
                if name == "call.ended" or (name == "snapshot" and not news["calls"]):
                    return
            raise UserError("the gateway has ended", "start it again: `voicebot serve`")
        except KeyboardInterrupt:
            return


def _show(call: dict[str, Any]) -> None:
    out = console()
    who = " ".join(filter(None, (call["caller"], call["caller_name"]))) or "withheld"
    out.print(Text(harmless(f"{call['id']}  {who} → {call['called']}  {call['dialog']}:{call['step']}")))
    for turn in call["turns"]:
        _turn(turn)
    if call["slots"]:
        learnt = "  ".join(f"{name}={value}" for name, value in call["slots"].items())
        out.print(Text(harmless(f"learnt: {learnt}"), style="dim"))


def _turn(turn: dict[str, Any]) -> None:
    who = turn["who"]
    text = turn.get("text") or f"({turn.get('kind', '')})"
    late = f"  [{turn['latency_ms']} ms]" if turn.get("latency_ms") is not None else ""
    line = Text.assemble((f"{who:>7}> ", _COLOURS.get(who, "")), harmless(text), (late, "dim"))
    console().print(line, soft_wrap=True)


def _follow(name: str, data: dict[str, Any]) -> None:
    if name == "call.turn":
        _turn(data["turn"])
    elif name in (
        "call.step",
        "call.state",
        "call.recording",
        "call.supervisors",
        "call.visit_failed",
        "call.fault",
    ):
        told = " ".join(str(value) for value in data.values() if value)
        console().print(Text(harmless(f"        {name[5:]}: {told}"), style="dim"), soft_wrap=True)
    elif name == "call.ended":
        told = f"ended by {data['ended_by']}, outcome {data['outcome']}"
        console().print(Text(harmless(told), style="bold"))


def _lasts(seconds: float) -> str:
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    return f"{minutes}:{rest:02}"


def _act(config: Any, call: str, what: str, body: dict[str, Any] | None, told: str) -> None:
    with _house(config) as house:
        id = _id(house, call)
        house.post(f"/calls/{id}/{what}", body)
    typer.echo(f"{id}: {told}")


@live.command("say")
def say(call: CallId, text: Annotated[str, typer.Argument(help="What.")], config: ConfigFile = None) -> None:
    """Let the bot say something in its own voice."""
    _act(config, call, "say", {"text": text}, "it is said")


@live.command("correct")
def correct(
    call: CallId,
    slot: Annotated[str, typer.Argument(help="Its name.")],
    value: Annotated[str | None, typer.Argument(help="The right value; none: forget it.")] = None,
    config: ConfigFile = None,
) -> None:
    """Correct what the bot has understood."""
    _act(config, call, "correct", {"slot": slot, "value": value}, f"{slot} is corrected")


@live.command("jump")
def jump(
    call: CallId, step: Annotated[str, typer.Argument(help="Its name.")], config: ConfigFile = None
) -> None:
    """Let the dialog go on at another step."""
    _act(config, call, "jump", {"step": step}, f"it goes on at {step}")


@live.command("hold")
def hold(
    call: CallId,
    text: Annotated[str | None, typer.Argument(help="What it says before; none: nothing.")] = None,
    config: ConfigFile = None,
) -> None:
    """Let the bot fall silent and wait."""
    _act(config, call, "hold", {"text": text}, "the bot waits")


@live.command("release")
def release(call: CallId, config: ConfigFile = None) -> None:
    """Let the bot go on."""
    _act(config, call, "release", None, "the bot goes on")


@live.command("end")
def end(call: CallId, config: ConfigFile = None) -> None:
    """Hang up."""
    _act(config, call, "end", None, "it is ended")


@live.command("recording")
def recording(
    call: CallId,
    action: Annotated[str, typer.Argument(help="start, pause, resume or stop.")],
    config: ConfigFile = None,
) -> None:
    """Start, pause, resume or stop a recording."""
    if action not in ("start", "pause", "resume", "stop"):
        raise UserError(f"`{action}` is nothing that a recording does", "start, pause, resume or stop")
    _act(config, call, "recording", {"action": action}, f"recording: {action}")


@live.command("transfer")
def transfer(
    call: CallId,
    to: Annotated[str, typer.Argument(help="queue:NAME, conference:NAME, or an extension.")],
    config: ConfigFile = None,
) -> None:
    """Give the caller to a queue, a conference, or an extension."""
    _act(config, call, "transfer", {"to": to, "kind": "blind"}, f"transferred to {to}")


@live.command("visit")
def visit(
    call: CallId,
    channel: Annotated[str, typer.Argument(help="Your telephone, such as PJSIP/anna.")],
    mode: Annotated[str, typer.Option("--mode", help="listen, whisper, barge or take_over.")] = "listen",
    config: ConfigFile = None,
) -> None:
    """Ring a telephone; who answers is on the call."""
    _act(config, call, "visits", {"mode": mode, "channel": channel}, f"{channel} rings")


@live.command("dial")
def dial(
    channel: Annotated[str, typer.Argument(help="A telephone, such as PJSIP/anna.")],
    number: Annotated[str, typer.Argument(help="The number to call.")],
    config: ConfigFile = None,
) -> None:
    """Ring a telephone; when it is answered, call the number."""
    with _house(config) as house:
        house.post("/pbx/dial", {"channel": channel, "number": number})
    typer.echo(f"{channel} rings")
