"""The dialplan's fence, pure: what it is told, and what it writes down. See asterisk/extensions.conf.

Per attempt the fence keeps two files in Asterisk's spool. `voicebot/dialled/<id>` is a journal, one line an
entry, only ever appended to; whose line is the first may dial, so it is the once-key as well.
`voicebot/ended/<id>` is one line, written when the dialling channel ends.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from voicebot.campaign.attempt import Order
from voicebot.campaign.callfile import CallFile
from voicebot.errors import Problem, UserError

DIAL_CONTEXT = "voicebot-dial"
ANSWERED_CONTEXT = "voicebot-answered"
ENDED_CONTEXT = "voicebot-ended"
ATTEMPT = re.compile(r"[0-9a-f]{32}")
DIALABLE = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_./@:+-]+")
"""One channel and no options: what the fence lets through."""
LONGEST_RING_S = 999
RING_AND_MORE_S = 10
"""So much longer than the dialplan rings Asterisk's spool waits, so that it is the dialplan that ends it."""
LATE_S = 30 * 86_400
"""RetryTime: Asterisk leaves a file that was in flight when it crashed alone for twice as long, far past the
expiry. Not much longer: it counts in 32 bits, and a time past 2038 is due at once."""


def channel(attempt: str) -> str:
    """Return the channel that dials an attempt through the fence; both halves stay (`/n`)."""
    return f"Local/{attempt}@{DIAL_CONTEXT}/n"


def variables(order: Order) -> Mapping[str, str]:
    """Return what the fence must be told, by channel variable. Raises UserError for what it would refuse."""
    problems = []
    if not ATTEMPT.fullmatch(order.attempt):
        problems.append(Problem(f"`{order.attempt}` is no id of an attempt", "32 lower-case hex digits"))
    if not DIALABLE.fullmatch(order.dial):
        problems.append(
            Problem(
                f"`{order.dial}` is not one channel to dial", "write PJSIP/+12025550142@trunk or the like"
            )
        )
    if not 1 <= order.ring_s <= LONGEST_RING_S:
        problems.append(Problem(f"it cannot ring for {order.ring_s} s", f"1 to {LONGEST_RING_S}"))
    if problems:
        raise UserError(problems)
    return {
        "VOICEBOT_ATTEMPT": order.attempt,
        "VOICEBOT_DIAL": order.dial,
        "VOICEBOT_EXPIRES": str(math.ceil(order.expires.timestamp()) - 1),  # the last second in which it may
        "VOICEBOT_RING": str(order.ring_s),
        "VOICEBOT_AMD": "1" if order.ask_amd else "0",
    }


def for_attempt(order: Order) -> CallFile:
    """Return the call file of an attempt. Asterisk never tries it again by itself, and archives it."""
    return CallFile(
        channel=channel(order.attempt),
        context=ANSWERED_CONTEXT,
        extension=order.attempt,
        caller_number=order.caller_number,
        caller_name=order.caller_name,
        wait_time=order.ring_s + RING_AND_MORE_S,
        max_retries=0,
        retry_time=LATE_S,
        archive=True,
        variables=tuple(variables(order).items()),
    )


@dataclass(frozen=True, slots=True)
class Journal:
    """What is known of one attempt on Asterisk's machine, from its once-key.

    word:      the first line's: `dial` (the number was called, or was about to be), `expired`, `malformed`,
               `cancelled` (by us), or `torn` (the disk was full: nobody gets past it)
    at:        when that was
    expires:   the attempt's expiry, where the fence wrote the line
    uniqueid:  of the channel that dialled
    answered_at, amd_status, amd_cause:  as far as it came
    unserved:  "" or the STASISSTATUS with which no gateway took, or kept, the answered call
    again:     how often it came to the fence after that, and was held
    """

    word: str
    at: datetime
    expires: datetime | None = None
    uniqueid: str = ""
    answered_at: datetime | None = None
    amd_status: str = ""
    amd_cause: str = ""
    unserved: str = ""
    again: int = 0

    @property
    def dialled(self) -> bool:
        """False: it is certain that nobody was called, and nobody will be under this id."""
        return self.word == "dial"


@dataclass(frozen=True, slots=True)
class Ended:
    """How the dialling of an attempt ended, told by the dialplan.

    status:      Dial's DIALSTATUS (ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL, ...; "": it ended
                 before Dial told one); or `expired`, `malformed`, `dial`, where nothing was dialled
    cause:       hangup cause (Q.850); None: none given
    sip:         SIP status of the far end, None where there was none
    tech:        the far end's own words, such as `SIP 486 Busy Here`
    dialled_ms:  from the dialling to the end, in ms; answered_ms: from the answer on
    """

    status: str
    at: datetime
    cause: int | None = None
    sip: int | None = None
    tech: str = ""
    dialled_ms: int | None = None
    answered_ms: int | None = None

    @property
    def dialled(self) -> bool:
        """False: the fence, or a hang-up before Dial, kept the number from being called."""
        return self.status not in ("expired", "malformed", "dial", "again")

    @property
    def answered(self) -> bool:
        return self.status == "ANSWER"


def read_journal(text: str) -> Journal | None:
    """Return what a journal says; None while its first line is not whole."""
    lines = [line.split(" ") for line in text.split("\n")[:-1]]
    if not lines:
        return None
    word, at, rest = _entry(lines[0]) or ("torn", _EPOCH, [])
    expires = _moment(rest[0]) if rest and rest[0] not in ("", "0") else None
    known = {"uniqueid": rest[1] if len(rest) > 1 else ""}
    answered_at = None
    again = 0
    for line in lines[1:]:
        entry = _entry(line)
        if entry is None:
            continue
        name, when, fields = entry
        fields += ["", ""]
        if name == "answered":
            answered_at = when
        elif name == "amd":
            known |= {"amd_status": fields[0], "amd_cause": fields[1]}
        elif name == "unserved":
            known["unserved"] = fields[0] or "UNKNOWN"
        else:
            again += 1
    return Journal(word, at, expires, answered_at=answered_at, again=again, **known)


_EPOCH = datetime.fromtimestamp(0, UTC)
_ENDED = re.compile(
    r"status=(?P<status>[A-Za-z]*) cause=(?P<cause>[0-9]*) dialled_ms=(?P<dialled>[0-9]*) "
    r"answered_ms=(?P<answered>[0-9]*) at=(?P<at>[0-9.]+) tech=(?P<tech>.*)\n"
)
_SIP = re.compile(r"SIP ([1-6][0-9]{2})\b")


def read_ended(text: str) -> Ended | None:
    """Return what an `ended` file says; None while it is not whole."""
    match = _ENDED.fullmatch(text)
    at = _moment(match["at"]) if match else None
    if match is None or at is None:
        return None
    sip = _SIP.match(match["tech"])
    return Ended(
        status=match["status"],
        at=at,
        cause=_number(match["cause"]) or None,
        sip=int(sip[1]) if sip else None,
        tech=match["tech"].strip(),
        dialled_ms=_number(match["dialled"]),
        answered_ms=_number(match["answered"]),
    )


def _entry(line: list[str]) -> tuple[str, datetime, list[str]] | None:
    at = _moment(line[1]) if len(line) > 1 else None
    return (line[0], at, line[2:]) if at else None


def _moment(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _number(text: str) -> int | None:
    return int(text) if text else None
