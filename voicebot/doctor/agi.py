"""Does our FastAGI server answer, do its look-ups hold together, and does the dialplan reach it?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from voicebot.agi.command import unquoted
from voicebot.agi.messages import environment, serialise_environment
from voicebot.agi.status import STATUS, UNKNOWN
from voicebot.config import Config
from voicebot.doctor.finding import Finding, fault, ok, warning
from voicebot.errors import Problem

CHECK = "AGI"
LOOKUPS = "look-ups"
ANSWER_S = 3.0
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses to listen at -> where such a server is reached from here."""


Healthy = Callable[[Config], Awaitable[tuple[list[str], list[Problem], list[Problem]]]]
"""Looks at look-ups: what is well, what is unwise, what is wrong."""


async def check_agi(config: Config, lookups: Healthy | None = None) -> list[Finding]:
    """Check what `[agi]` names; our server is asked for a script that is not there."""
    findings: list[Finding] = []
    if lookups is not None and config.agi.lookups:
        well, unwise, wrong = await lookups(config)
        findings += [ok(LOOKUPS, each) for each in well]
        findings += [warning(LOOKUPS, each.what, each.remedy) for each in unwise]
        findings += [fault(LOOKUPS, _placed(each), each.remedy or "see docs/agi.md") for each in wrong]
    if config.agi.enabled:
        findings.append(await _check_server(config))
        if config.agi.bind not in ("127.0.0.1", "::1", "localhost") and not config.agi.allow:
            what = (
                f"whoever reaches {config.agi.bind}:{config.agi.port} may run look-ups: AGI has no password"
            )
            findings.append(warning(CHECK, what, 'name Asterisk\'s address: agi.allow = ["10.0.0.5/32"]'))
    return findings


async def _check_server(config: Config) -> Finding:
    agi = config.agi
    if agi.port == 0:
        return warning(
            CHECK, "agi.port is 0: FastAGI listens at any free one", "set the one that the dialplan names"
        )
    host = ANYWHERE.get(agi.bind, agi.bind)
    where = f"agi://{host}:{agi.port}"
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, agi.port)
            try:
                asked = environment(f"{where}/doctor/visit", [("network_script", "doctor/visit")])
                writer.write(serialise_environment(asked))
                words = unquoted((await reader.readline()).decode("utf-8", "replace").rstrip("\n"))
                writer.write(b"200 result=1\n")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return warning(CHECK, f"nobody answers at {where}", "start `voicebot serve`, or `voicebot agi serve`")
    if words != ("SET", "VARIABLE", STATUS, UNKNOWN):
        remedy = "set another agi.port, or allow this machine: agi.allow"
        return fault(CHECK, f"something else answers at {where}, or we may not connect", remedy)
    return ok(CHECK, f"{where} answers")


def _placed(problem: Problem) -> str:
    return f"{problem.where}: {problem.what}" if problem.where else problem.what
