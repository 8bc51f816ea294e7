"""A recorded caller talks to the bot behind a real Asterisk. Run through `scripts/demo`.

Exit status: 0 the dialog reached its goal, 1 it did not, 2 the set-up failed (one line says why).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from _demo_campaign import demonstrate as call_people
from _rig import PROJECT, Rig, RigFault
from rich.console import Console
from rich.markup import escape

from voicebot.call.record import CallRecord
from voicebot.cli.conversation import show_record
from voicebot.errors import CallEnded, UserError
from voicebot.softphone import CallFailed
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.script import Happened, Interrupt, Say, Step, WaitForBot, WaitForEnd, play

CALLER = PROJECT / "tests" / "data" / "caller"
RECORD_TIMEOUT_S = 10.0
LOOK_S = 0.05


def says(name: str, text: str) -> Say:
    return Say(CALLER / f"{name}.wav", text)


def interrupts(name: str, text: str, after_ms: int) -> Interrupt:
    return Interrupt(CALLER / f"{name}.wav", after_ms, text)


ENGLISH: tuple[Step, ...] = (
    WaitForBot(),
    says("sara-miller", "My name is Sara Miller."),
    WaitForBot(),
    says("weather-on-mars", "What is the weather on Mars?"),  # a misunderstanding
    WaitForBot(),
    says("four-two-seven-one", "Four, two, seven, one."),
    interrupts("cough", "(coughs)", after_ms=900),  # the prompt goes on
    WaitForBot(),
    says("another-day-please", "No, another day please."),
    interrupts("thursday", "Thursday.", after_ms=700),  # an interruption
    WaitForEnd(),
)
KOREAN: tuple[Step, ...] = (
    WaitForBot(),
    says("ko-reservation", "예약"),
    WaitForBot(),
    says("ko-no", "아니요"),
    WaitForEnd(),
)


def main(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave all running, and print the address for a softphone.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
    korean: Annotated[bool, typer.Option("--korean", help="Call 601, the Korean menu.")] = False,
    campaign: Annotated[
        bool, typer.Option("--campaign", help="The bot calls: a campaign of six people.")
    ] = False,
) -> None:
    """Set everything up, start Asterisk and the gateway, and let a recorded caller talk to the bot."""
    number, script = ("601", KOREAN) if korean else ("600", ENGLISH)
    try:
        if campaign:
            sys.exit(asyncio.run(call_people(Console(), _progress(), as_json=as_json)))
        sys.exit(asyncio.run(demonstrate(number, script, keep=keep, as_json=as_json)))
    except (RigFault, UserError, CallFailed) as fault:
        Console(stderr=True).print(f"[red]the demo cannot run:[/] {escape(str(fault))}", highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _progress() -> Callable[[str], None]:
    """Return what tells of progress, on standard error."""
    progress = Console(stderr=True)
    return lambda line: progress.print(line, style="dim", highlight=False, markup=False)


async def demonstrate(number: str, script: tuple[Step, ...], *, keep: bool, as_json: bool) -> int:
    """Run the whole demo; return the exit status."""
    out, tell = Console(), _progress()
    began = time.monotonic()
    folder = PROJECT / "var" / "demo" if keep else None
    rig = Rig(
        folder=folder,
        arguments=["--talk"],
        tell=tell,
        heard=lambda line: out.print(line, highlight=False, markup=False, soft_wrap=True),
    )
    async with rig:
        set_up_s = time.monotonic() - began
        tell(f"· set-up took {set_up_s:.1f} s; calling {number} at {rig.sip[0]}:{rig.sip[1]}")
        async with rig.phone() as phone:
            call = await phone.dial(number)
            story = await _talk(call, script, tell)
            await call.hang_up()
        record = await _record(rig)
        out.rule("call record", style="dim")
        show_record(out, record)
        if keep:
            rig.keep()
            out.print(_how_to_dial(rig, await rig.panel_link()), highlight=False, soft_wrap=True)
        if as_json:
            print(json.dumps(_result(number, record, set_up_s, story), ensure_ascii=False))
        return 0 if record.goal else 1


async def _talk(call: SoftphoneCall, script: tuple[Step, ...], tell: Any) -> list[Happened]:
    try:
        return await play(call, script)
    except TimeoutError as late:
        tell(f"· {late}")
    except CallEnded as ended:
        tell(f"· the call ended: {ended}")
    return []


async def _record(rig: Rig) -> CallRecord:
    try:
        async with asyncio.timeout(RECORD_TIMEOUT_S):
            while not (records := rig.records()):  # noqa: ASYNC110  another process writes it
                await asyncio.sleep(LOOK_S)
    except TimeoutError as late:
        raise RigFault("the gateway wrote no call record") from late
    return CallRecord.model_validate(records[-1])


def _how_to_dial(rig: Rig, link: str) -> str:
    host, port = rig.sip
    return (
        f"\nAll is running. Point a softphone at [bold]{host}:{port}[/] (UDP, no registration) "
        f"and dial 600 to 604 (its PIN is 2580), for example sip:600@{host}:{port}\n"
        f"panel:   [bold]{link or rig.panel}[/] (signs in once, within five minutes)\n"
        f"shell:   export VOICEBOT_CONFIG={rig.config_file}\n"
        "         .venv/bin/voicebot panel link (another one), live list, queue list, doctor\n"
        f"gateway: pid {rig.gateway_pid}, log {rig.gateway_log}\n"
        f"stop:    kill {rig.gateway_pid}; scripts/asterisk down --state {rig.folder / 'asterisk'}"
    )


def _result(number: str, record: CallRecord, set_up_s: float, story: list[Happened]) -> dict[str, Any]:
    return {
        "number": number,
        "goal": record.goal,
        "outcome": record.outcome,
        "set_up_s": round(set_up_s, 2),
        "median_latency_ms": record.median_latency_ms,
        "steps_played": len(story),
        "record": record.model_dump(mode="json"),
    }


if __name__ == "__main__":
    demo = typer.Typer(add_completion=False, rich_markup_mode=None)
    demo.command()(main)
    demo(prog_name="scripts/demo")
