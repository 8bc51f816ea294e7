"""What a call that was dialled came to, from what Asterisk says about its end.

Three things are said, by AMI's events and by the file that the dialplan leaves: the SIP status, where the far
side sent one; the hangup cause (ITU-T Q.850); and Dial()'s status. They are asked in this order, because each
is coarser than the one before: 404, 486, 480 and 503 may all be NOANSWER to Dial(). The table was seen on
Asterisk 22 (tests/integration/test_ami_causes.py).
"""

from __future__ import annotations

import re

from voicebot.campaign.attempt import Disposition

_SIP = {
    401: Disposition.TRUNK_FAILURE,  # our password is wrong: nothing that the callee did
    402: Disposition.TRUNK_FAILURE,
    403: Disposition.REJECTED,
    404: Disposition.INVALID,
    407: Disposition.TRUNK_FAILURE,
    408: Disposition.NO_ANSWER,
    410: Disposition.INVALID,
    415: Disposition.CODEC_ERROR,
    433: Disposition.REJECTED,
    480: Disposition.NO_ANSWER,
    484: Disposition.INVALID,
    485: Disposition.INVALID,
    486: Disposition.BUSY,
    487: Disposition.NO_ANSWER,
    488: Disposition.CODEC_ERROR,
    503: Disposition.CONGESTION,
    600: Disposition.BUSY,
    603: Disposition.REJECTED,
    604: Disposition.INVALID,
    606: Disposition.CODEC_ERROR,
    607: Disposition.REJECTED,
    608: Disposition.REJECTED,
}
_CAUSE = {
    1: Disposition.INVALID,  # unallocated number
    2: Disposition.TRUNK_FAILURE,  # no route to the network
    3: Disposition.TRUNK_FAILURE,  # no route to the destination; Asterisk's word for a peer that is away
    16: Disposition.NO_ANSWER,  # normal clearing, before anybody answered
    17: Disposition.BUSY,
    18: Disposition.NO_ANSWER,  # no user responding
    19: Disposition.NO_ANSWER,  # alerting, no answer
    20: Disposition.NO_ANSWER,  # subscriber absent
    21: Disposition.REJECTED,
    22: Disposition.INVALID,  # number changed
    27: Disposition.TRUNK_FAILURE,  # destination out of order
    28: Disposition.INVALID,  # invalid number format
    31: Disposition.NO_ANSWER,  # normal, unspecified
    34: Disposition.CONGESTION,  # no circuit available
    38: Disposition.TRUNK_FAILURE,  # network out of order
    41: Disposition.TRUNK_FAILURE,  # temporary failure
    42: Disposition.CONGESTION,  # switching equipment congestion
    44: Disposition.CONGESTION,  # requested circuit not available
    47: Disposition.CONGESTION,  # resource unavailable
    58: Disposition.CODEC_ERROR,  # bearer capability not available
    65: Disposition.CODEC_ERROR,  # bearer capability not implemented
    88: Disposition.CODEC_ERROR,  # incompatible destination
    102: Disposition.TRUNK_FAILURE,  # recovery on timer expiry
    111: Disposition.TRUNK_FAILURE,  # protocol error
}
_STATUS = {
    "BUSY": Disposition.BUSY,
    "NOANSWER": Disposition.NO_ANSWER,
    "CANCEL": Disposition.NO_ANSWER,  # we gave up; it may have rung
    "CONGESTION": Disposition.CONGESTION,
    "CHANUNAVAIL": Disposition.TRUNK_FAILURE,
    "INVALIDARGS": Disposition.TRUNK_FAILURE,
    "DONTCALL": Disposition.REJECTED,
    "TORTURE": Disposition.REJECTED,
    "expired": Disposition.EXPIRED,
    "malformed": Disposition.NOT_HANDED,
}
"""Dial()'s words in capitals; in small letters those of the dialplan's fence, which did not dial at all."""
_NO_WORD = (0, 16, 19)
"""Causes of a call that Dial() itself gave up."""


def disposition(
    status: str, cause: int | None = None, sip: int | None = None, *, alerted: bool = True
) -> Disposition:
    """Return what a call came to that is over.

    status:  DIALSTATUS, or the word of a fence that held
    cause:   Q.850, None or 0 where nobody named one
    sip:     the final SIP status of the far side, None where it sent none
    alerted: whether it rang, as far as the far side said; a trunk that never said anything has failed

    Without any of them it is INTERRUPTED: it was dialled, and nobody knows more.
    """
    if status == "ANSWER":
        return Disposition.ANSWERED
    if status in ("expired", "malformed"):
        return _STATUS[status]
    if sip is not None and (found := _by_sip(sip)):
        return found
    if not alerted and status == "NOANSWER" and (cause or 0) in _NO_WORD:
        return Disposition.TRUNK_FAILURE
    by_cause = _CAUSE.get(cause) if cause else None
    if status == "CHANUNAVAIL" and by_cause is Disposition.NO_ANSWER:  # nobody was asked
        return Disposition.TRUNK_FAILURE
    if by_cause:
        return by_cause
    return _STATUS.get(status, Disposition.TRUNK_FAILURE if cause else Disposition.INTERRUPTED)


def sip_status(tech: str) -> int | None:
    """Return the status in what HANGUPCAUSE(channel,tech) says, such as `SIP 486 Busy Here`."""
    found = re.match(r"SIP ([3-6][0-9]{2})\b", tech)
    return int(found[1]) if found else None


def of_file(status: str, cause: int | None, tech: str) -> Disposition:
    """Return the disposition by what the dialplan wrote into the file of an ended attempt.

    tech: `SIP 486 Busy Here`; `SIP 180 Ringing` where it rang in vain; empty where the far side said nothing
    """
    return disposition(status, cause, sip_status(tech), alerted=bool(tech))


def _by_sip(status: int) -> Disposition | None:
    """The table, and for the rest of a class: 4xx and 5xx are faults between the servers, 6xx a refusal.

    3xx would have us dial another number, which the dialplan does not do: we did not reach them.
    """
    if status < 300:
        return None
    if status < 400:
        return Disposition.NO_ANSWER
    return _SIP.get(status, Disposition.REJECTED if status >= 600 else Disposition.TRUNK_FAILURE)
