"""`voicebot campaign`: outbound calls for operators. A command is a function in a module of this folder."""

from __future__ import annotations

import typer

from voicebot.cli.lazy import lazy_group

PLACES = {
    "check": "creating:check",
    "create": "creating:create",
    "import": "importing:import_table",
    "simulate": "simulating:simulate",
    "start": "states:start",
    "pause": "states:pause",
    "resume": "states:resume",
    "stop": "states:stop",
    "status": "status:status",
    "report": "reporting:report",
    "why": "why:why",
    "release": "releasing:release",
    "do-not-call": "lists:lists",
    "export": "personal:export",
    "erase": "personal:erase",
    "audit": "auditing:audit",
    "clock": "clock:clock",
    "schema": "creating:schema",
    "dial": "dialling:dial",
}
"""In the order of the help: module and function (or group) of each command."""

campaigns = typer.Typer(
    cls=lazy_group({name: f"voicebot.cli.campaign.{place}" for name, place in PLACES.items()}),
    no_args_is_help=True,
    help="Outbound campaigns: call everyone once, at legal hours.",
)


@campaigns.callback()
def _group() -> None:
    """Outbound campaigns: call everyone once, at legal hours."""
