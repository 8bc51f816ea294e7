"""Where we dial: can call files be put into Asterisk's spool, and can the fence keep its once-keys there?"""

from __future__ import annotations

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
    """The folders beside outgoing/; none before the dialler has made the first of them."""
    return [*(own / name for name in OWN_FOLDERS), own.with_name("outgoing_done")] if own.is_dir() else []
