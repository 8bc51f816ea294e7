"""`voicebot call`: one call, now or at a time, such as a wake-up call."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from voicebot.app.clearance import UNNEEDED, clearance
from voicebot.campaign.campaign import Campaign, Window
from voicebot.campaign.contact import Consent
from voicebot.campaign.single import single_name
from voicebot.campaign.zones import WrongZone, candidate_zones
from voicebot.cli.campaign.following import follow_campaign
from voicebot.cli.campaign.numbers import number_of
from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.campaign.words import counted, moment_of
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import Config, load_config
from voicebot.errors import Problem, UserError, said_plainly
from voicebot.outbound.moments import moment
from voicebot.store.rows import CampaignState, NewContact
from voicebot.store.store import Store

E164 = re.compile(r"\+[0-9]{3,15}")


def call(
    number: Annotated[str, typer.Argument(help="With +, or as written in its country.", metavar="NUMBER")],
    dialog: Annotated[Path, typer.Option("--dialog", "-d", help="The dialog file.")],
    at: Annotated[
        str,
        typer.Option("--at", help="When: 07:30, 2027-03-01T07:30, +10m; callee's clock. Now if not given."),
    ] = "",
    asked: Annotated[
        str,
        typer.Option("--asked", help="They asked for this call: who, when, how. Lets it come at any hour."),
    ] = "",
    consent: Annotated[
        str, typer.Option("--consent", help="They agreed to be called: who, when, how it is known.")
    ] = "",
    given: Annotated[
        list[str] | None, typer.Option("--given", help="A value the dialog needs, as name=value.")
    ] = None,
    trunk: Annotated[str, typer.Option("--trunk", help="A [trunks.NAME], or PJSIP/{number}@trunk.")] = "",
    caller: Annotated[str, typer.Option("--caller", help="Caller id, E.164; else dialling.caller.")] = "",
    business: Annotated[
        str, typer.Option("--business", help="Whose call it is; else dialling.business.")
    ] = "",
    region: Annotated[str, typer.Option("--region", help="Country of a number without +.")] = "US",
    zone: Annotated[
        str, typer.Option("--zone", help="The callee's time zone, such as America/Denver; else by number.")
    ] = "",
    ring_s: Annotated[int, typer.Option("--ring", min=15, max=120, help="How long it rings, in s.")] = 30,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait until it is over; tell how it went.")
    ] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Call one number and hold a dialog there.

    All rules of campaigns hold: consent, quiet hours, opt-outs. The call is placed by whoever dials:
    `voicebot serve` with `[dialling] enabled = true`, or `voicebot campaign dial`. With --follow the exit
    status is 1 where nobody was reached.
    """
    settings = load_config(config)
    if not (asked or consent):
        remedy = '--asked "the guest, at the desk, today", or --consent "..."; the ledger keeps it'
        raise UserError(Problem("nobody may be called without their consent", remedy))
    e164 = number_of(number, region)
    zones = _zones(e164, zone, region)
    due = _due(at, zones) if at else now()
    campaign = _campaign(
        settings, dialog, trunk, caller, business, asked or consent, ring_s, region, _values(given)
    )
    folder = dialog.resolve().parent
    cleared = clearance(campaign, folder / "voicebot call", settings)
    unneeded = [problem for problem in cleared.warnings if problem.code == UNNEEDED]
    if problems := [*cleared.problems, *unneeded]:
        raise UserError(problems)
    contact = NewContact(
        key=e164,
        numbers=(e164,),
        zones=zones,
        due=due,
        consent=Consent(now(), asked or consent, source="voicebot call"),
        asked=bool(asked),
    )

    async def work(store: Store) -> bool:
        at_once = now()
        await store.create_campaign(campaign, folder, at_once, proof=json.dumps(cleared.evidence))
        await store.add_contacts(campaign.campaign, [contact], at_once)
        await store.set_state(campaign.campaign, CampaignState.RUNNING, asked or consent, at_once)
        return bool(await store.diallers(at_once))

    dialled = with_store(settings, work)
    if not as_json:
        typer.echo(f"{campaign.campaign}: {e164} is to be called {_when(due, zones) if at else 'now'}")
    if not dialled:
        typer.secho(
            "nobody dials yet: run `voicebot serve` with `[dialling] enabled = true`", fg="yellow", err=True
        )
    if follow:
        raise typer.Exit(
            with_store(settings, lambda store: follow_campaign(store, campaign.campaign, as_json))
        )
    if as_json:
        typer.echo(json.dumps({"campaign": campaign.campaign, "number": e164, "due": due.isoformat()}))


def _zones(number: str, zone: str, region: str) -> tuple[str, ...]:
    """Return the zones the callee may be in. Raises UserError for a zone that does not exist."""
    try:
        return candidate_zones(number, zone=zone, region=region)
    except WrongZone as error:
        raise UserError(Problem(f"--zone: {error}")) from error


def _due(at: str, zones: tuple[str, ...]) -> datetime:
    """Return when the call is due. Raises UserError where the callee's clock is needed and not known."""
    moments = {moment(at, zone, now()).replace(microsecond=0) for zone in zones}
    if len(moments) > 1 and not at.strip().startswith("+"):
        what = f"{at} is not one moment: the callee may be in {counted(len(zones), 'time zone')}"
        raise UserError(
            Problem(what, "say which, such as --zone America/Denver, or write 2027-03-01T07:30-07:00")
        )
    return moment(at, zones[0], now())


def _when(due: datetime, zones: tuple[str, ...]) -> str:
    if len(zones) > 1:
        return f"at {moment_of(due)}"
    there = due.astimezone(ZoneInfo(zones[0]))
    return f"at {there:%Y-%m-%d %H:%M} on their clock ({zones[0]}), {moment_of(due)}"


def _campaign(
    config: Config,
    dialog: Path,
    trunk: str,
    caller: str,
    business: str,
    note: str,
    ring_s: int,
    region: str,
    given: dict[str, str],
) -> Campaign:
    """Return the campaign of one call. Raises UserError for all that nobody has told."""
    wanted = {
        "caller": (caller or config.dialling.caller, "--caller, or `caller` under [dialling]"),
        "business": (business or config.dialling.business, "--business, or `business` under [dialling]"),
        "trunk": (trunk or config.dialling.trunk, "--trunk, or `trunk` under [dialling]"),
    }
    if missing := [
        Problem(f"no {name} is known", remedy) for name, (value, remedy) in wanted.items() if not value
    ]:
        raise UserError(missing)
    wrong = []
    if not E164.fullmatch(wanted["caller"][0]):
        wrong.append(Problem(f"`{wanted['caller'][0]}` is no caller id", "write it like +12025550100"))
    if "/" in wanted["trunk"][0] and not re.search(r"\{(number|digits)\}", wanted["trunk"][0]):
        what = f"the trunk `{wanted['trunk'][0]}` has no place for the number"
        wrong.append(Problem(what, "write it like PJSIP/{number}@trunk, or name a [trunks.NAME]"))
    if wrong:
        raise UserError(wrong)
    try:
        return Campaign.model_validate(
            {
                "campaign": single_name(now(), os.urandom(3).hex()),
                "dialog": dialog.name,
                "profile": config.dialling.profile,
                "caller": {"number": wanted["caller"][0], "business": wanted["business"][0]},
                "trunk": wanted["trunk"][0],
                "windows": [Window.model_validate({"from": "00:00", "to": "23:59"})],
                "consent": "all",
                "consent_note": note,
                "ring_s": ring_s,
                "region": region,
                "given": given,
                "retries": {},
            }
        )
    except ValidationError as error:
        raise UserError(
            Problem(f"`{'.'.join(map(str, each['loc']))}` {said_plainly(each)}", "see `voicebot call -h`")
            for each in error.errors()
        ) from error


def _values(given: list[str] | None) -> dict[str, str]:
    pairs = [each.partition("=") for each in given or ()]
    if wrong := [pair for pair in pairs if not (pair[0] and pair[1])]:
        raise UserError(
            Problem(f"`--given {''.join(pair)}` has no name", "write it as name=value") for pair in wrong
        )
    return {name: value for name, _, value in pairs}
