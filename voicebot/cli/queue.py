"""`voicebot queue`: who waits for a person, and the persons."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from voicebot.cli.harmless import harmless, json_line
from voicebot.cli.house import RunningHouse, segment
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import load_config

queue = typer.Typer(no_args_is_help=True, help="Look at queues and agents, and act on them.")
Agent = Annotated[str, typer.Argument(help="An agent's name.")]
CallId = Annotated[str, typer.Argument(help="A call's id, as `queue list` shows it.", metavar="CALL")]


def _house(config: Any) -> RunningHouse:
    return RunningHouse(load_config(config, secrets=False))


@queue.command("list")
def list_queues(config: ConfigFile = None, as_json: Json = False) -> None:
    """Show all queues, and who waits in them."""
    with _house(config) as house:
        queues = house.get("/queues")
    if as_json:
        typer.echo(json_line(queues))
        return
    for each in queues:
        expected = each["expected_wait_ms"]
        wait = f", about {_minutes(expected)} to wait" if expected is not None else ""
        counts = (
            f"{each['answered']} answered, {each['abandoned']} hung up, {each['called_back']} called back"
        )
        agents = ", ".join(each["agents"]) or "nobody"
        typer.echo(harmless(f"{each['name']}: {len(each['waiting'])} wait{wait}; {counts}; agents: {agents}"))
        if not each["waiting"]:
            continue
        table = Table(box=None, pad_edge=False)
        for title in ("", "call", "caller", "priority", "skills", "waits", "state", "wants"):
            table.add_column(title, justify="right" if title in ("priority", "waits") else "left")
        for waiting in each["waiting"]:
            table.add_row(
                str(waiting["position"]),
                waiting["call_id"],
                harmless(waiting["caller"]),
                str(waiting["priority"]),
                " ".join(waiting["skills"]),
                _minutes(waiting["waited_ms"]),
                waiting["state"].replace("_", " "),
                harmless(waiting["summary"]),
            )
        print_table(console(), table)


@queue.command("agents")
def agents(config: ConfigFile = None, as_json: Json = False) -> None:
    """Show all agents, and what each does."""
    with _house(config) as house:
        found = house.get("/agents")
    if as_json:
        typer.echo(json_line(found))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("agent", "name", "telephone", "state", "queues", "skills"):
        table.add_column(title)
    for each in found:
        skills = " ".join(f"{name}:{level}" for name, level in each["skills"].items())
        queues = " ".join(each["queues"])
        table.add_row(each["name"], harmless(each["title"]), each["channel"], _state(each), queues, skills)
    print_table(console(), table)


def _agent(config: Any, name: str, what: str, body: dict[str, Any] | None = None) -> None:
    with _house(config) as house:
        found = house.post(f"/agents/{segment(name)}/{what}", body)
    typer.echo(f"{name}: {_state(found)}")


def _state(agent: dict[str, Any]) -> str:
    reason = f" ({agent['reason']})" if agent["reason"] else ""
    return harmless(agent["state"].replace("_", " ") + reason)


@queue.command("sign-in")
def sign_in(agent: Agent, config: ConfigFile = None) -> None:
    """The agent takes calls."""
    _agent(config, agent, "sign-in")


@queue.command("sign-out")
def sign_out(agent: Agent, config: ConfigFile = None) -> None:
    """The agent goes off duty."""
    _agent(config, agent, "sign-out")


@queue.command("pause")
def pause(
    agent: Agent,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    config: ConfigFile = None,
) -> None:
    """The agent gets no calls for a while."""
    _agent(config, agent, "pause", {"reason": reason})


@queue.command("unpause")
def unpause(agent: Agent, config: ConfigFile = None) -> None:
    """The agent gets calls again."""
    _agent(config, agent, "unpause")


def _call(config: Any, call: str, what: str, body: dict[str, Any] | None, told: str) -> None:
    with _house(config) as house:
        house.post(f"/queues/calls/{segment(call)}/{what}", body)
    typer.echo(f"{call}: {told}")


@queue.command("move")
def move(
    call: CallId,
    position: Annotated[int, typer.Argument(min=1, help="The place, from 1.")],
    config: ConfigFile = None,
) -> None:
    """Give a caller another place."""
    _call(config, call, "move", {"position": position}, f"at place {position}")


@queue.command("give")
def give(call: CallId, agent: Agent, config: ConfigFile = None) -> None:
    """Give a caller to an agent."""
    _call(config, call, "give", {"agent": agent}, f"for {agent}")


@queue.command("drop")
def drop(call: CallId, config: ConfigFile = None) -> None:
    """Let a caller wait no more: they go on to the queue's `otherwise`."""
    _call(config, call, "drop", None, "waits no more")


@queue.command("transfer")
def transfer(
    call: CallId,
    to: Annotated[str, typer.Argument(help="queue:NAME, agent:NAME, or an extension.")],
    attended: Annotated[bool, typer.Option("--attended", help="The agent talks to them first.")] = False,
    config: ConfigFile = None,
) -> None:
    """Give a caller who is with a person to somebody else."""
    kind = "attended" if attended else "blind"
    _call(config, call, "transfer", {"to": to, "kind": kind}, f"transferred to {to}")


def _minutes(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02}"
