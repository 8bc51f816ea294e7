"""Category: unit. From SIP status, hangup cause and Dial()'s status to a disposition."""

from __future__ import annotations

import pytest

from voicebot.campaign.attempt import Disposition
from voicebot.campaign.causes import disposition, of_file, sip_status

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("tech", "cause", "status", "expected"),
    [  # as the dialplan of a real Asterisk 22 wrote them
        ("SIP 404 Not Found", 1, "CHANUNAVAIL", Disposition.INVALID),
        ("SIP 484 Address Incomplete", 28, "CHANUNAVAIL", Disposition.INVALID),
        ("SIP 486 Busy Here", 17, "BUSY", Disposition.BUSY),
        ("SIP 600 Busy Everywhere", 17, "BUSY", Disposition.BUSY),
        ("SIP 480 Temporarily Unavailable", 19, "NOANSWER", Disposition.NO_ANSWER),
        ("SIP 408 Request Timeout", 18, "CHANUNAVAIL", Disposition.NO_ANSWER),
        ("SIP 180 Ringing", 0, "NOANSWER", Disposition.NO_ANSWER),
        ("", 0, "NOANSWER", Disposition.TRUNK_FAILURE),
        ("SIP 302 Moved Temporarily", 23, "CHANUNAVAIL", Disposition.NO_ANSWER),
        ("", 1, "CHANUNAVAIL", Disposition.INVALID),  # a trunk that is no SIP
        ("", 20, "CHANUNAVAIL", Disposition.TRUNK_FAILURE),
        ("SIP 403 Forbidden", 21, "CHANUNAVAIL", Disposition.REJECTED),
        ("SIP 603 Decline", 21, "CHANUNAVAIL", Disposition.REJECTED),
        ("SIP 503 Service Unavailable", 34, "CONGESTION", Disposition.CONGESTION),
        ("SIP 500 Server Internal Error", 38, "CHANUNAVAIL", Disposition.TRUNK_FAILURE),
        ("SIP 502 Bad Gateway", 27, "CHANUNAVAIL", Disposition.TRUNK_FAILURE),
        ("SIP 401 Unauthorized", 21, "CHANUNAVAIL", Disposition.TRUNK_FAILURE),
        ("SIP 488 Not Acceptable Here", 58, "CHANUNAVAIL", Disposition.CODEC_ERROR),
        ("SIP 200 OK", 16, "ANSWER", Disposition.ANSWERED),
        ("", 3, "CHANUNAVAIL", Disposition.TRUNK_FAILURE),
        ("", None, "expired", Disposition.EXPIRED),
        ("", None, "malformed", Disposition.NOT_HANDED),
        ("SIP 180 Ringing", 0, "CANCEL", Disposition.NO_ANSWER),
        ("", None, "", Disposition.INTERRUPTED),
    ],
)
def test_what_the_dialplan_wrote(tech: str, cause: int | None, status: str, expected: Disposition) -> None:
    assert of_file(status, cause, tech) is expected


def test_the_sip_status_is_more_than_the_cause_and_the_cause_more_than_the_status() -> None:
    assert disposition("BUSY", 17, 404) is Disposition.INVALID
    assert disposition("NOANSWER", 1) is Disposition.INVALID
    assert disposition("NOANSWER", 99) is Disposition.NO_ANSWER
    assert disposition("", 99) is Disposition.TRUNK_FAILURE


def test_an_answer_is_one_whatever_ended_it() -> None:
    assert disposition("ANSWER", 38, 503) is Disposition.ANSWERED


@pytest.mark.parametrize(
    ("sip", "expected"), [(499, "trunk_failure"), (599, "trunk_failure"), (699, "rejected")]
)
def test_a_status_that_nobody_wrote_down_goes_by_its_class(sip: int, expected: str) -> None:
    assert disposition("NOANSWER", 0, sip) == expected


def test_every_end_has_a_disposition_and_none_is_answered_by_mistake() -> None:
    for sip in (None, *range(100, 700, 3)):
        for cause in (None, *range(128)):
            found = disposition("NOANSWER", cause, sip)
            assert found not in (Disposition.ANSWERED, Disposition.EXPIRED, Disposition.NOT_HANDED)


def test_only_final_refusals_are_a_status() -> None:
    assert sip_status("SIP 486 Busy Here") == 486
    assert [sip_status(text) for text in ("SIP 180 Ringing", "SIP 200 OK", "", "IAX2 486", "SIP 4867")] == [
        None
    ] * 5
