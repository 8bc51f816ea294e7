"""May we look at the dialplan, does it lead to us, and do we hold rights that we should not?"""

from __future__ import annotations

import asyncio

from voicebot.ami.messages import Message
from voicebot.call.handover import HANDOVER_CONTEXT, QUEUE_CONTEXT
from voicebot.config import AsteriskConfig, Config
from voicebot.dialog.loading.files import load_dialog
from voicebot.doctor.dialplan import Entrance, Step, entrances, steps, variables_of_stasis
from voicebot.doctor.finding import Finding, fault, ok, warning
from voicebot.errors import PbxError, UserError
from voicebot.pbx.ami_login import AmiLogin
from voicebot.work.needs import all_steps

CHECK = "AMI"
DIALPLAN = "dialplan"
DANGEROUS = {"Command": "command", "UpdateConfig": "config", "GetConfig": "config", "ModuleLoad": "system"}
"""An action that only the named right allows; each of them lets its holder take over the PBX."""
LOOKS = "for the check of the dialplan only; calls need no AMI"


async def check_ami(config: Config) -> list[Finding]:
    """Log in to AMI, look at our rights there and at the dialplan."""
    asterisk = config.asterisk
    if not asterisk.ami_password.get_secret_value():
        return [
            warning(
                CHECK,
                "not checked, nor the dialplan: there is no ami_password",
                f"set asterisk.ami_password_file ({LOOKS})",
            )
        ]
    visit = AmiLogin(
        asterisk.ami_host, asterisk.ami_port, asterisk.ami_user, asterisk.ami_password.get_secret_value()
    )
    try:
        async with visit as ami:
            findings = [ok(CHECK, f"{asterisk.ami_host}:{asterisk.ami_port} lets {asterisk.ami_user!r} in")]
            allowed, _ = await ami.ask("ListCommands")
            findings += _check_rights(asterisk, allowed)
            if not allowed.get("ShowDialPlan"):
                return [*findings, _may_not_look(asterisk)]
            _, listed = await ami.ask("ShowDialPlan")
            dialplan = steps(listed)
            variables = {name: await _global(ami, name) for name in variables_of_stasis(dialplan)}
    except PbxError as error:
        return [_unreachable(asterisk, visit.refused, error)]
    return findings + await asyncio.to_thread(_check_dialplan, config, dialplan, variables)


async def _global(ami: AmiLogin, name: str) -> str:
    """Return the value of a global variable, "" where there is none or we may not ask."""
    try:
        return (await ami.ask("Getvar", Variable=name))[0].get("Value")
    except PbxError:
        return ""


def _unreachable(asterisk: AsteriskConfig, refused: bool, error: PbxError) -> Finding:
    if refused:
        return fault(
            CHECK,
            f"Asterisk refuses the manager user {asterisk.ami_user!r}",
            "compare asterisk.ami_user and ami_password with manager.conf, and its deny/permit with "
            "our address; then: asterisk -rx 'manager reload'",
        )
    return fault(
        CHECK,
        str(error),
        "set enabled = yes, bindaddr and port in manager.conf, or correct "
        f"asterisk.ami_host and ami_port ({LOOKS})",
    )


def _may_not_look(asterisk: AsteriskConfig) -> Finding:
    return warning(
        DIALPLAN,
        f"not checked: the manager user {asterisk.ami_user!r} may not see it",
        "grant it write = reporting in manager.conf, or see for yourself: "
        f"asterisk -rx 'dialplan show' must have Stasis({asterisk.app},...)",
    )


def _check_rights(asterisk: AsteriskConfig, allowed: Message) -> list[Finding]:
    held = sorted({right for action, right in DANGEROUS.items() if allowed.get(action)})
    if held:
        return [
            warning(
                "AMI rights",
                f"{asterisk.ami_user!r} holds {', '.join(held)}: whoever has its "
                "password can take over the PBX",
                "set read = reporting and write = reporting for it in manager.conf",
            )
        ]
    return [ok("AMI rights", f"{asterisk.ami_user!r} holds none that could harm the PBX")]


def _check_dialplan(config: Config, dialplan: list[Step], variables: dict[str, str]) -> list[Finding]:
    app = config.asterisk.app
    ways = entrances(dialplan, app, variables)
    if not ways:
        return [
            fault(
                DIALPLAN,
                f"no extension hands calls to Stasis({app})",
                "add to the context of your callers: exten => _X!,1,Stasis(" + app + ",${EXTEN}) "
                "with a fallback behind it (asterisk/extensions.conf), then: "
                "asterisk -rx 'dialplan reload'",
            )
        ]
    names = ", ".join(sorted({f"{way.extension}@{way.context}" for way in ways}))
    return [
        ok(DIALPLAN, f"{names} leads to Stasis({app})"),
        *_check_fallback(ways),
        *_check_numbers(config, ways),
        *_check_transfers(config, dialplan),
    ]


def _check_fallback(ways: list[Entrance]) -> list[Finding]:
    return [
        warning(
            DIALPLAN,
            f"nothing follows Stasis() at {way.extension}@{way.context}: when the gateway "
            "is away the caller is dropped without a word",
            "let it go on to an announcement or a queue, as asterisk/extensions.conf does",
        )
        for way in ways
        if not way.fallback
    ]


def _check_numbers(config: Config, ways: list[Entrance]) -> list[Finding]:
    if not all(way.takes_numbers for way in ways):
        return []
    lost = [
        route.number
        for route in config.routes
        if not route.number.startswith("_") and not any(way.takes(route.number) for way in ways)
    ]
    if not lost:
        return []
    return [
        warning(
            DIALPLAN,
            f"no call to {', '.join(lost)} comes to the gateway, though a route waits",
            "add the numbers to the extension that calls Stasis(), or correct the routes",
        )
    ]


def _check_transfers(config: Config, dialplan: list[Step]) -> list[Finding]:
    """Whether the places are there to which dialogs hand callers over."""
    wanted: dict[str, str] = {}
    for route in config.routes:
        try:
            dialog = load_dialog(config.resolve(route.dialog))
        except UserError:  # told elsewhere
            continue
        for name, step in all_steps(dialog):
            if step.transfer is not None:
                context = QUEUE_CONTEXT if step.transfer.queue else HANDOVER_CONTEXT
                wanted.setdefault(context, f"step `{name}` of {dialog.name}")
    there = {step.context for step in dialplan}
    return [
        warning(
            DIALPLAN,
            f"there is no context [{context}], to which {who} hands callers over: they would be cut off",
            "copy it from asterisk/extensions.conf, then: asterisk -rx 'dialplan reload'",
        )
        for context, who in wanted.items()
        if context not in there
    ]
