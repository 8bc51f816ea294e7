"""Are the queues, rooms and telephones there to which dialogs and agents lead?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from urllib.parse import quote

import aiohttp
from rapidfuzz import process

from voicebot.config import Config
from voicebot.config.people import ConferenceConfig, QueueConfig
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.actions import Transfer
from voicebot.doctor.ari import AriVisit
from voicebot.doctor.finding import Finding, fault, warning
from voicebot.errors import UserError
from voicebot.work.needs import all_steps

CHECK = "people"
LIKE = 60
"""Names that are as close as this are taken for one that was mistyped (of 100)."""


def check_people(config: Config) -> list[Finding]:
    """Transfers to queues and conferences that voicebot.toml lacks; music that is not there."""
    findings: list[Finding] = []
    ours: dict[str, Mapping[str, QueueConfig | ConferenceConfig]] = {
        "queues": config.queues,
        "conferences": config.conferences,
    }
    for file, kind, name in sorted(set(_transfers(config))):
        if ours[kind] and name not in ours[kind]:  # who has none leaves all to the dialplan
            findings.append(_elsewhere(file, kind, name, ours[kind]))
    for kind, tables in ours.items():
        for name, table in tables.items():
            if table.music and not config.resolve(table.music).exists():
                where = config.resolve(table.music)
                findings.append(fault(CHECK, f"{kind}.{name}.music: {where} is not there", "name a wav"))
    return findings


async def check_telephones(config: Config, ari: AriVisit) -> list[Finding]:
    """Agents whose telephone Asterisk does not know. What ARI says to all else, others tell."""
    findings: list[Finding] = []
    for name, agent in config.agents.items():
        technology, resource = agent.channel.split("/", 1)
        try:
            reply = await ari.ask(f"/endpoints/{quote(technology)}/{quote(resource, safe='')}")
        except (aiohttp.ClientError, TimeoutError):
            return findings
        # of what is dialled through a trunk (PJSIP/100@trunk) and of Local channels there is no endpoint
        if reply.status == 404 and "@" not in resource and technology.lower() in ("pjsip", "sip", "iax2"):
            what = f"agents.{name}.channel: Asterisk has no endpoint {agent.channel}"
            findings.append(warning(CHECK, what, "add it to pjsip.conf, or correct the channel"))
    return findings


def _transfers(config: Config) -> Iterator[tuple[str, str, str]]:
    """Yield each file with the kind and name of a target of its transfers."""
    for route in config.routes:
        try:
            dialog = load_dialog(config.resolve(route.dialog))
        except UserError:  # that is told elsewhere
            continue
        for _, step in all_steps(dialog):
            target = step.transfer
            if isinstance(target, Transfer) and target.queue:
                yield route.dialog, "queues", target.queue
            elif isinstance(target, Transfer) and target.conference:
                yield route.dialog, "conferences", target.conference


def _elsewhere(file: str, kind: str, name: str, there: Collection[str]) -> Finding:
    context = "voicebot-queue" if kind == "queues" else "voicebot-handover"
    what = f"{file}: there is no [{kind}.{name}], so callers go on at `{name}` of [{context}] in the dialplan"
    near = process.extractOne(name, list(there), score_cutoff=LIKE)
    remedy = f"did you mean `{near[0]}`?" if near else f"add [{kind}.{name}], unless that is meant"
    return warning(CHECK, what, remedy)
