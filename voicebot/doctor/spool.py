"""Where we dial: can call files be put into Asterisk's spool, and can the fence keep its once-keys there?"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from voicebot.config import Config
from voicebot.doctor.finding import Finding, fault, ok, warning
from voicebot.pbx.spool_folder import OWN_FOLDERS, RESERVE_MB, folder_problems, making, room_problems

CHECK = "spool"


def check_spool(config: Config) -> list[Finding]:
    """Look at `dialling.spool` if this machine dials. Makes nothing: the dialler makes its folders itself."""
    if not config.dialling.enabled:
        return []
    spool = config.resolve(config.dialling.spool)
    outgoing = spool / "outgoing"
    own = spool / "voicebot"
    try:
        problems = list(folder_problems(spool, outgoing, _there(own)))
        if outgoing.is_dir():
            problems += room_problems(outgoing, RESERVE_MB)
    except OSError as error:
        return [fault(CHECK, f"{spool}: {error.strerror}", "see docs/call-files.md for owner and group")]
    findings = [fault(CHECK, str(replace(each, remedy="")), each.remedy) for each in problems]
    if not findings and own.is_dir() and (missing := [each for each in _wanted(own) if not each.is_dir()]):
        names = ", ".join(str(each.relative_to(spool)) for each in missing)
        what = f"{names} in {spool} is missing; a dialler makes it when it starts"
        findings.append(warning(CHECK, what, "start `voicebot serve`, or `voicebot campaign dial`"))
    if not findings and not own.is_dir():
        findings.append(
            warning(
                CHECK,
                f"{own} is not there yet; the dialler makes it if it may write to {spool}",
                f"or, as root: {making(spool, outgoing)}",
            )
        )
    return findings or [ok(CHECK, f"{spool} takes call files, and the fence has its folders")]


def _there(own: Path) -> list[Path]:
    """The folders beside outgoing/, but for those that the dialler makes when it starts."""
    if not own.is_dir():
        return []
    return [each for each in _wanted(own) if each.is_dir() or not os.access(each.parent, os.W_OK)]


def _wanted(own: Path) -> list[Path]:
    return [*(own / name for name in OWN_FOLDERS), own.with_name("outgoing_done")]
