"""`voicebot conference`: rooms in which many talk."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from voicebot.cli.harmless import harmless, json_line
from voicebot.cli.house import RunningHouse, segment
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import load_config
from voicebot.errors import UserError

conference = typer.Typer(no_args_is_help=True, help="Look at conferences, and act on them.")
Room = Annotated[str, typer.Argument(help="A room's name.")]
Who = Annotated[str, typer.Argument(help="A participant's id, as `conference list` shows it.")]


def _do(config: Any, path: str, body: dict[str, Any] | None, told: str) -> None:
    with RunningHouse(load_config(config, secrets=False)) as house:
        house.post(f"/conferences/{path}", body)
    typer.echo(told)


@conference.command("list")
def list_rooms(config: ConfigFile = None, as_json: Json = False) -> None:
    """Show all rooms, and who is in them."""
    with RunningHouse(load_config(config, secrets=False)) as house:
        rooms = house.get("/conferences")["rooms"]
    if as_json:
        typer.echo(json_line(rooms))
        return
    for room in rooms:
        marks = [word for word in ("locked", "recording", "video") if room[word]]
        marks.insert(0, f"{len(room['participants'])} there")
        if room["invitations"]:
            marks.insert(1, f"{len(room['invitations'])} rung")
        typer.echo(harmless(f"{room['name']}: {', '.join(marks)}"))
        table = Table(box=None, pad_edge=False, show_header=False)
        for each in room["participants"]:
            states = [word for word in ("host", "muted", "bot", "talking") if each[word]]
            who = harmless(" ".join(filter(None, (each["number"], each["name"]))))
            table.add_row(" ", each["id"], who, ", ".join(states))
        if room["participants"]:
            print_table(console(), table)


@conference.command("mute")
def mute(
    room: Room,
    who: Annotated[str | None, typer.Argument(help="A participant's id; none: all but hosts.")] = None,
    config: ConfigFile = None,
) -> None:
    """Let nobody hear a participant, or all but hosts."""
    path = f"participants/{segment(who)}/mute" if who else "mute-all"
    _do(config, f"{segment(room)}/{path}", None, f"{who or 'all but hosts'}: muted")


@conference.command("unmute")
def unmute(room: Room, who: Who, config: ConfigFile = None) -> None:
    """Let a participant be heard again."""
    _do(config, f"{segment(room)}/participants/{segment(who)}/unmute", None, f"{who}: heard")


@conference.command("kick")
def kick(room: Room, who: Who, config: ConfigFile = None) -> None:
    """Put a participant out of the room."""
    _do(config, f"{segment(room)}/participants/{segment(who)}/kick", None, f"{who}: gone")


@conference.command("lock")
def lock(room: Room, config: ConfigFile = None) -> None:
    """Let nobody else in."""
    _do(config, f"{segment(room)}/lock", None, f"{room}: locked")


@conference.command("unlock")
def unlock(room: Room, config: ConfigFile = None) -> None:
    """Let others in again."""
    _do(config, f"{segment(room)}/unlock", None, f"{room}: open")


@conference.command("announce")
def announce(
    room: Room, text: Annotated[str, typer.Argument(help="What.")], config: ConfigFile = None
) -> None:
    """Say something to everybody in the room."""
    _do(config, f"{segment(room)}/announce", {"text": text}, f"{room}: it is said")


@conference.command("record")
def record(
    room: Room,
    state: Annotated[str, typer.Argument(help="on or off.")] = "on",
    config: ConfigFile = None,
) -> None:
    """Record the room, or stop."""
    if state not in ("on", "off"):
        raise UserError(f"`{state}` is neither on nor off", "voicebot conference record ROOM on")
    _do(config, f"{segment(room)}/record", {"on": state == "on"}, f"{room}: recording {state}")


@conference.command("invite")
def invite(
    room: Room,
    to: Annotated[str, typer.Argument(help="A telephone (PJSIP/anna) or a number.")],
    config: ConfigFile = None,
) -> None:
    """Call somebody into the room."""
    _do(config, f"{segment(room)}/invite", {"to": to}, f"{to} rings")


@conference.command("end")
def end(room: Room, config: ConfigFile = None) -> None:
    """Put everybody out."""
    _do(config, f"{segment(room)}/end", None, f"{room}: ended")
