"""Where we dial: can call files be put into Asterisk's spool, and can the fence keep its once-keys there?"""

from __future__ import annotations

from pathlib import Path

from voicebot.config import Config
from voicebot.doctor.finding import Finding, fault, ok, warning
from voicebot.pbx.spool_folder import OWN_FOLDERS, RESERVE_MB, folder_problems, room_problems

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
    findings = [fault(CHECK, f"{each.source}: {each.what}", each.remedy) for each in problems]
    if not findings and not own.is_dir():
        findings.append(
            warning(
                CHECK,
                f"{own} is not there yet; the dialler makes it if it may write to {spool}",
                "or make it as root, for Asterisk's group (docs/call-files.md)",
            )
        )
    return findings or [ok(CHECK, f"{spool} takes call files, and the fence has its folders")]


def _there(own: Path) -> list[Path]:
    """Our folders; none before the dialler has made the first of them."""
    return [own / name for name in OWN_FOLDERS] if own.is_dir() else []
