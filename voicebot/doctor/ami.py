"""May we look at the dialplan, does it lead to us, and do we hold rights that we should not?"""

from __future__ import annotations

import asyncio

from voicebot.ami.actions import Getvar, ListCommands, ShowDialPlan
from voicebot.ami.messages import Message
from voicebot.call.handover import HANDOVER_CONTEXT, QUEUE_CONTEXT, TALK_CONTEXT
from voicebot.campaign.fence import ANSWERED_CONTEXT, DIAL_CONTEXT, ENDED_CONTEXT
from voicebot.config import Config
from voicebot.dialog.loading.files import load_dialog
from voicebot.doctor.dialplan import Entrance, Step, entrances, steps, variables_of_stasis
from voicebot.doctor.finding import Finding, fault, ok, warning
from voicebot.errors import PbxError, UserError
from voicebot.pbx.ami_client import AmiClient
from voicebot.work.needs import all_steps

CHECK = "AMI"
DIALPLAN = "dialplan"
DANGEROUS = {"Command": "command", "UpdateConfig": "config", "GetConfig": "config", "ModuleLoad": "system"}
"""An action that only the named right allows; each of them lets its holder take over the PBX."""
SUPERVISION = "supervision"
WATCHES = {
    "CoreShowChannels": "reporting",
    "Hangup": "call",
    "Originate": "originate",
    "QueuePause": "agent",
}
"""What supervision does, and the right for it. QueuePause is there only with Asterisk's own queues."""
SO_THAT = {"call": "hang up", "originate": "dial", "agent": "pause members of queues"}
LOOKS = "for the check of the dialplan only; inbound calls need no AMI"


async def check_ami(config: Config) -> list[Finding]:
    """Log in to AMI, look at our rights there and at the dialplan."""
    asterisk = config.asterisk
    if not asterisk.ami_password.get_secret_value():
        return [
            warning(
                CHECK,
                "not checked, nor the dialplan: there is no ami_password",
                f"set asterisk.ami_password_file ({_what_for(config)})",
            )
        ]
    user, secret = asterisk.ami_user, asterisk.ami_password.get_secret_value()
    try:
        async with AmiClient(asterisk.ami_host, asterisk.ami_port, user, secret, events=False) as ami:
            findings = [ok(CHECK, f"{asterisk.ami_host}:{asterisk.ami_port} lets {user!r} in")]
            allowed = (await ami.action(ListCommands())).response
            findings += _check_rights(config, allowed)
            if not allowed.get("ShowDialPlan"):
                return [*findings, _may_not_look(config)]
            dialplan = steps(list((await ami.action(ShowDialPlan())).listed))
            variables = {name: await _global(ami, name) for name in variables_of_stasis(dialplan)}
    except UserError as error:
        return [fault(CHECK, problem.what, problem.remedy) for problem in error.problems]
    except PbxError as error:
        return [_unreachable(config, error)]
    findings += await asyncio.to_thread(_check_dialplan, config, dialplan, variables)
    return findings + (_check_fence(dialplan) if config.dialling.enabled else [])


async def check_supervision(config: Config) -> list[Finding]:
    """Log in to AMI as the user of supervision, and look at its rights."""
    settings, asterisk = config.supervision, config.asterisk
    if not settings.ami_user:
        return []
    user, secret = settings.ami_user, settings.ami_password.get_secret_value()
    try:
        async with AmiClient(asterisk.ami_host, asterisk.ami_port, user, secret, events=False) as ami:
            allowed = (await ami.action(ListCommands())).response
            contexts = await _contexts(ami, settings.dial_context) if allowed.get("ShowDialPlan") else None
    except UserError as error:
        remedy = "copy [voicebot-panel] from asterisk/manager.conf, and set supervision.ami_password_file"
        return [fault(SUPERVISION, problem.what, remedy) for problem in error.problems]
    except PbxError as error:
        return [fault(SUPERVISION, str(error), "correct asterisk.ami_host and ami_port, or manager.conf")]
    return [*_check_supervisor(user, allowed), *_check_click(settings.dial_context, contexts)]


async def _contexts(ami: AmiClient, context: str) -> bool:
    """Tell whether the context is there."""
    try:
        return bool((await ami.action(ShowDialPlan(context))).listed)
    except PbxError:
        return False


def _check_supervisor(user: str, allowed: Message) -> list[Finding]:
    held = sorted({right for action, right in DANGEROUS.items() if allowed.get(action)})
    if held:
        return [
            warning(
                SUPERVISION,
                f"{user!r} holds {', '.join(held)}: whoever has its password can take over the PBX",
                "set read = call,agent,system and write = call,agent,originate,reporting for it, as "
                "[voicebot-panel] of asterisk/manager.conf has",
            )
        ]
    missing = [right for action, right in WATCHES.items() if not allowed.get(action)]
    if "reporting" in missing:
        return [
            fault(
                SUPERVISION,
                f"{user!r} may not list channels: the state of Asterisk cannot be shown",
                "grant it write = reporting, as [voicebot-panel] of asterisk/manager.conf has",
            )
        ]
    if missing:
        return [
            ok(SUPERVISION, f"{user!r} may look, but not {', '.join(SO_THAT[right] for right in missing)}")
        ]
    return [ok(SUPERVISION, f"{user!r} may look, hang up, dial and pause, and nothing else")]


def _check_click(context: str, there: bool | None) -> list[Finding]:
    if there is not False:
        return []
    return [
        warning(
            SUPERVISION,
            f"there is no context [{context}]: click-to-dial rings a telephone and then fails",
            "copy [voicebot-click] from asterisk/extensions.conf, then: asterisk -rx 'dialplan reload'",
        )
    ]


async def _global(ami: AmiClient, name: str) -> str:
    """Return the value of a global variable, "" where there is none or we may not ask."""
    try:
        return (await ami.action(Getvar(name))).response.get("Value")
    except PbxError:
        return ""


def _what_for(config: Config) -> str:
    return "campaigns follow their calls by it" if config.dialling.enabled else LOOKS


def _unreachable(config: Config, error: PbxError) -> Finding:
    return fault(
        CHECK,
        str(error),
        "set enabled = yes, bindaddr and port in manager.conf, or correct "
        f"asterisk.ami_host and ami_port ({_what_for(config)})",
    )


def _may_not_look(config: Config) -> Finding:
    asterisk = config.asterisk
    return warning(
        DIALPLAN,
        f"not checked: the manager user {asterisk.ami_user!r} may not see it",
        "grant it write = reporting in manager.conf, or see for yourself: "
        f"asterisk -rx 'dialplan show' must have Stasis({asterisk.app},...)",
    )


def _check_rights(config: Config, allowed: Message) -> list[Finding]:
    """Too many, and where we dial too few."""
    asterisk = config.asterisk
    dials = config.dialling.enabled
    held = sorted({right for action, right in DANGEROUS.items() if allowed.get(action)})
    if held:
        return [
            warning(
                "AMI rights",
                f"{asterisk.ami_user!r} holds {', '.join(held)}: whoever has its "
                "password can take over the PBX",
                "set read = call,dialplan and write = originate,reporting for it in manager.conf"
                if dials
                else "set read = reporting and write = reporting for it in manager.conf",
            )
        ]
    if dials and not allowed.get("CoreShowChannels"):
        return [
            warning(
                "AMI rights",
                f"{asterisk.ami_user!r} may not list channels: after a lost connection nobody knows which "
                "calls still live",
                "grant it write = reporting, as [voicebot-dialler] of asterisk/manager.conf has",
            )
        ]
    if dials and not allowed.get("Originate"):
        return [
            warning(
                "AMI rights",
                f"{asterisk.ami_user!r} may not place calls: campaigns with `way: originate` will not dial",
                "set asterisk.ami_user to a user such as [voicebot-dialler] of asterisk/manager.conf",
            )
        ]
    if dials:
        return [ok("AMI rights", f"{asterisk.ami_user!r} may place calls, look, and nothing else")]
    if allowed.get("Originate"):
        return [
            warning(
                "AMI rights",
                f"{asterisk.ami_user!r} holds originate, but dialling.enabled is false: whoever has its "
                "password can place calls and write files on the PBX",
                "set asterisk.ami_user to a user with read = reporting and write = reporting",
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
    names = sorted({f"{way.extension}@{way.context}" for way in ways})
    lead = "leads" if len(names) == 1 else "lead"
    return [
        ok(DIALPLAN, f"{', '.join(names)} {lead} to Stasis({app})"),
        *_check_fallback(ways),
        *_check_numbers(config, ways),
        *_check_transfers(config, dialplan),
        *_check_talks(config, dialplan),
    ]


def _check_fence(dialplan: list[Step]) -> list[Finding]:
    """Whether the dialplan keeps an attempt from being dialled twice, and knows where answered calls go."""
    there = {step.context for step in dialplan}
    missing = [
        f"[{context}]" for context in (DIAL_CONTEXT, ENDED_CONTEXT, ANSWERED_CONTEXT) if context not in there
    ]
    if missing:
        return [
            fault(
                DIALPLAN,
                f"there is no {' nor '.join(missing)}: no campaign can dial through this Asterisk",
                "copy them from asterisk/extensions.conf, then: asterisk -rx 'dialplan reload'",
            )
        ]
    return [ok(DIALPLAN, f"campaigns dial through the fence in [{DIAL_CONTEXT}]")]


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


def _check_talks(config: Config, dialplan: list[Step]) -> list[Finding]:
    """Whether persons who talk can be left to the dialplan when the gateway stops."""
    if not config.queues or any(step.context == TALK_CONTEXT for step in dialplan):
        return []
    what = f"there is no context [{TALK_CONTEXT}] for callers and agents who talk when the gateway stops"
    remedy = "copy it from asterisk/extensions.conf, or who is left waits for the next gateway to hang up"
    return [warning(DIALPLAN, what, remedy)]


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
