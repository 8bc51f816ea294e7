"""What a session may do to Asterisk: applications to run, variables to read and to set.

A look-up sets values that a database holds, a function does what somebody wrote: neither may reach what runs
commands of the machine, reads or writes its files, or dials.
"""

from __future__ import annotations

import re
from functools import lru_cache

from voicebot.agi.command import Refused


def _words(text: str) -> list[str]:
    return text.split()


APPLICATIONS = frozenset(
    _words(
        """
    answer background busy congestion controlplayback echo log milliwatt morsecode musiconhold noop
    playback playtones proceeding progress read readexten record ringing sayalpha saydigits
    saynumber sayphonetic sayunixtime sendtext senddtmf startmusiconhold stopmusiconhold
    stopplaytones verbose wait waitdigit waitexten waitforsilence waitfornoise backgrounddetect
    """
    )
)
"""Applications that play, ask, wait or log: what EXEC runs without a permission."""
NEVER = frozenset(
    _words(
        """
    system trysystem externalivr agi eagi deadagi exec tryexec execif execiftime set mset macro
    originate stackpop adsiprog mysql dumpchan sms unloadmodule
    """
    )
)
"""Run commands of the machine, other applications by name, or functions: never, whoever permits it."""
READABLE = frozenset(
    _words(
        """
    ARRAY BASE64_DECODE BASE64_ENCODE CALLERID CDR CHANNEL CONNECTEDLINE CUT DIALPLAN_EXISTS EPOCH
    FIELDQTY FILTER GLOBAL GROUP GROUP_COUNT HANGUPCAUSE HASH HASHKEYS IF IFTIME ISNULL LEN MATH MD5
    PJSIP_HEADER PJSIP_HEADERS QUEUE_EXISTS QUEUE_WAITING_COUNT QUOTE RAND REDIRECTING REGEX SHA1
    STRFTIME STRPTIME TIMEOUT TOLOWER TOUPPER URIDECODE URIENCODE VERSION DEVICE_STATE
    EXTENSION_STATE EXISTS DB DB_EXISTS LANGUAGE
    """
    )
)
"""Functions that may be read: no file, no shell, no network, no other channel."""
SETTABLE = frozenset(("CALLERID", "CONNECTEDLINE", "CDR", "HASH", "GROUP", "TIMEOUT", "REDIRECTING"))
"""Functions that may be set, whatever they are given."""
SETTABLE_FIELDS = frozenset(
    (
        "CHANNEL(language)",
        "CHANNEL(musicclass)",
        "CHANNEL(accountcode)",
        "CHANNEL(amaflags)",
        "CHANNEL(tonezone)",
    )
)
"""Parts of functions that may be set; others of CHANNEL run the dialplan."""

_VARIABLE = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,77}|[A-Za-z_][A-Za-z0-9_]{0,79}")
_FUNCTION = re.compile(r"([A-Z][A-Z0-9_]{0,40})\(([A-Za-z0-9_ .,:@/+*#-]{0,200})\)")
_OPENS = re.compile(r"\$\{")
_READS = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)\s*(\()|[A-Za-z_][A-Za-z0-9_]*(?::-?[0-9]+){0,2}\})")


def check_application(name: str, permitted: frozenset[str] = frozenset()) -> None:
    """Raise Refused for an application that may not be run; those `permitted` may be, besides ours."""
    known = name.lower()
    if known in NEVER or not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", known):
        raise Refused(f"the application {name[:40]!r} is never run through AGI")
    if known not in APPLICATIONS and known not in {each.lower() for each in permitted}:
        raise Refused(f"the application {name[:40]!r} needs a permission")


@lru_cache(1024)
def check_settable(variable: str) -> None:
    """Raise Refused for what is no plain variable, nor a function that may be set."""
    if _VARIABLE.fullmatch(variable):
        return
    found = _FUNCTION.fullmatch(variable)
    if found is None or (found[1] not in SETTABLE and variable not in SETTABLE_FIELDS):
        raise Refused(f"{variable[:40]!r} is no variable that may be set")


def check_readable(variable: str) -> None:
    """Raise Refused for what is no plain variable, nor a function that may be read."""
    if _VARIABLE.fullmatch(variable):
        return
    found = _FUNCTION.fullmatch(variable)
    if found is None or found[1] not in READABLE:
        raise Refused(f"{variable[:40]!r} is no variable that may be read")


def check_expression(text: str) -> None:
    """Raise Refused for an expression that reads what may not be read, or computes which variable to read."""
    for opened in _OPENS.finditer(text):
        found = _READS.match(text, opened.end())
        if found is None or (found[2] and found[1] not in READABLE):
            raise Refused("the expression reads what may not be read")
