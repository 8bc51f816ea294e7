"""All checks, at once."""

from __future__ import annotations

import asyncio
import itertools

from voicebot.config import Config
from voicebot.doctor import machine, setup, vocabulary
from voicebot.doctor.agi import Healthy, check_agi
from voicebot.doctor.ami import check_ami, check_supervision
from voicebot.doctor.ari import AriVisit, check_ari
from voicebot.doctor.finding import Finding
from voicebot.doctor.people import check_people, check_telephones
from voicebot.doctor.spool import check_spool


async def examine(config: Config, lookups: Healthy | None = None) -> tuple[Finding, ...]:
    """Check everything that `config` names; takes a second, and up to ten where nobody answers.

    `lookups` looks at those of AGI. Changes nothing, neither here nor in Asterisk, and may run beside a
    gateway that serves calls.
    """
    async with AriVisit(config.asterisk) as ari:
        groups = await asyncio.gather(
            check_ari(config, ari),
            check_ami(config),
            check_agi(config, lookups),
            check_supervision(config),
            check_telephones(config, ari),
            asyncio.to_thread(setup.check_routes, config),
            asyncio.to_thread(check_people, config),
            asyncio.to_thread(setup.check_speech, config),
            asyncio.to_thread(vocabulary.check_vocabulary, config),
            asyncio.to_thread(machine.check_media, config),
            asyncio.to_thread(machine.check_disk, config),
            asyncio.to_thread(machine.check_files, config),
            asyncio.to_thread(machine.check_packages),
            asyncio.to_thread(check_spool, config),
        )
    # Last and alone: it measures how punctual the machine is.
    return (*itertools.chain.from_iterable(groups), *await asyncio.to_thread(machine.check_clock))
