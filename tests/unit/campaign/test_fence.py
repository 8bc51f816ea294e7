"""Unit: what the fence is told, and what is read from the two files that it writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from voicebot.campaign.attempt import Order
from voicebot.campaign.callfile import compose, parse
from voicebot.campaign.fence import for_attempt, read_ended, read_journal, variables
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

ID = "0123456789abcdef" * 2
AT = datetime(2027, 3, 1, 10, tzinfo=UTC)
ORDER = Order(ID, "c", "+12025550142", "PJSIP/+12025550142@trunk", "+12025550100", "Us", AT, AT, 25, True)


def test_an_attempt_is_never_tried_again_by_asterisk_and_is_archived() -> None:
    file = parse(compose(for_attempt(ORDER))).file
    assert (file.channel, file.extension, file.context) == (
        f"Local/{ID}@voicebot-dial/n",
        ID,
        "voicebot-answered",
    )
    assert (file.max_retries, file.archive, file.wait_time) == (0, True, 35)
    assert AT.timestamp() + 2 * file.retry_time < 2**31, "Asterisk counts in 32 bits"
    assert file.retry_time > 86_400
    assert file.variable("VOICEBOT_DIAL") == ORDER.dial
    assert file.variable("VOICEBOT_EXPIRES") == str(int(AT.timestamp()) - 1), "never in its last second"
    assert (file.variable("VOICEBOT_RING"), file.variable("VOICEBOT_AMD")) == ("25", "1")


@pytest.mark.parametrize(
    "change",
    [
        {"dial": "PJSIP/1@a,60,M(x)"}, {"dial": "PJSIP/1@a&PJSIP/2@a"}, {"dial": "PJSIP/${SHELL(id)}"},
        {"dial": "PJSIP/1@a\nSetvar: B=1"}, {"dial": "PJSIP"}, {"attempt": "../../etc/passwd"},
        {"attempt": ID.upper()},
        {"ring_s": 0}, {"ring_s": 1000}, {"caller_name": "a\nChannel: x"}, {"caller_number": "1;2"},
    ],
)  # fmt: skip
def test_more_than_a_number_to_dial_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UserError):
        for_attempt(replace(ORDER, **change))  # type: ignore[arg-type]


def test_originate_is_told_the_same() -> None:
    assert dict(for_attempt(ORDER).variables) == variables(ORDER)


def test_a_journal_tells_how_far_it_came() -> None:
    journal = read_journal(
        "dial 1795318300.417 1795318330 1795318300.35\nanswered 1795318301.500 1795318300.34\n"
        "amd 1795318303.1 MACHINE TOOLONG-5000\nunserved 1795318303.200 FAILED\n"
        "expired 1795318400.000 1795318330 1795318400.1\n"
    )
    assert journal is not None and journal.dialled
    assert journal.at == datetime.fromtimestamp(1795318300.417, UTC)
    assert journal.expires == datetime.fromtimestamp(1795318330, UTC)
    assert journal.answered_at == datetime.fromtimestamp(1795318301.5, UTC)
    assert (journal.amd_status, journal.amd_cause, journal.unserved) == ("MACHINE", "TOOLONG-5000", "FAILED")
    assert journal.again == 1, "the redial that was held"


@pytest.mark.parametrize("word", ["expired", "malformed", "cancelled"])
def test_only_the_first_line_counts(word: str) -> None:
    journal = read_journal(f"{word} 1795318300.417 0 x\ndial 1795318300.5 1795318330 1795318300.35\n")
    assert journal is not None and not journal.dialled


@pytest.mark.parametrize("text", ["", "dial 179531", "dial 1795318300.417 1795318330 1795318300.35"])
def test_a_line_counts_when_it_is_whole(text: str) -> None:
    assert read_journal(text) is None


def test_a_torn_first_line_lets_nobody_through() -> None:
    journal = read_journal("dicancelled 1795318300.417 0 dialler\ndial 1795318301.5 1795318330 1.2\n")
    assert journal is not None and not journal.dialled


def test_the_end_is_read() -> None:
    ended = read_ended(
        "status=BUSY cause=17 dialled_ms= answered_ms= at=1795318300.418 tech=SIP 486 Busy Here\n"
    )
    assert ended is not None
    assert (ended.status, ended.cause, ended.sip, ended.tech) == ("BUSY", 17, 486, "SIP 486 Busy Here")
    assert ended.dialled and not ended.answered and ended.answered_ms is None
    answered = read_ended("status=ANSWER cause=16 dialled_ms=403 answered_ms=402 at=1795318300.418 tech=\n")
    assert answered is not None and answered.answered and answered.answered_ms == 402
    held = read_ended("status=expired cause=127 dialled_ms= answered_ms= at=1795318300.418 tech=\n")
    assert held is not None and not held.dialled
    assert read_ended("status=BUSY cause=17 dialled_ms= answered_ms= at=1795318300.418 tech=SIP 486") is None
    assert read_ended("") is None
