"""Category: integration. From a call file in the real spool, through the fence, to the end of the talk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import RealAsterisk

from tests.contract.callee import (
    CALLER,
    DIALOG,
    NUMBER,
    VOICEMAIL,
    VOICEMAIL_WORDS,
    KnownCampaigns,
    assignment,
    new_attempt,
    scene,
)
from tests.contract.gateway import nothing_left
from tests.contract.real import RealPbx
from tests.contract.talk import DATA, Bot
from voicebot.campaign.attempt import AnsweredBy
from voicebot.softphone.recording import read_ulaw

pytestmark = pytest.mark.integration

CONTEXT = "voicebot-test-callees"


@pytest.fixture
def callees(asterisk: RealAsterisk, tmp_path: Path) -> Iterator[Path]:
    """A person who says something, and a mailbox, as extensions; returns a folder for the test."""
    (tmp_path / "person.ulaw").write_bytes(read_ulaw(DATA / "caller" / "another-day.wav"))
    (tmp_path / "mailbox.ulaw").write_bytes(scene(*VOICEMAIL, (1000, 0.4)))
    steps = {
        "person": ("Answer", "Wait(1.5)", f"Playback({tmp_path / 'person'})", "Wait(8)"),
        "mailbox": ("Answer", f"Playback({tmp_path / 'mailbox'})", "Wait(8)"),
    }
    for name, does in steps.items():
        for priority, step in enumerate(does, 1):
            asterisk.cli(f"dialplan add extension {name},{priority},{step} into {CONTEXT}")
    yield tmp_path
    asterisk.cli(f"dialplan remove context {CONTEXT}")


def call_file(
    asterisk: RealAsterisk, callee: str, folder: Path, ask_amd: bool = False
) -> tuple[str, Path, Path]:
    """Write a call file as one does by hand; return its attempt, where it is, and where it belongs."""
    attempt = new_attempt()
    base = asterisk.state / "spool"
    for below in ("voicebot/dialled", "voicebot/ended"):
        (base / below).mkdir(parents=True, exist_ok=True)
    aside = folder / f"{attempt}.call"
    aside.write_text(
        f"Channel: Local/{attempt}@voicebot-dial/n\n"
        f"Context: voicebot-answered\nExtension: {attempt}\nPriority: 1\n"
        f"CallerID: <{CALLER}>\nWaitTime: 35\nMaxRetries: 0\nRetryTime: 86400\nArchive: yes\n"
        f"Setvar: VOICEBOT_ATTEMPT={attempt}\n"
        f"Setvar: VOICEBOT_DIAL=Local/{callee}@{CONTEXT}\n"
        f"Setvar: VOICEBOT_EXPIRES={int(time.time()) + 60}\n"
        f"Setvar: VOICEBOT_RING=20\nSetvar: VOICEBOT_AMD={int(ask_amd)}\n"
    )
    return attempt, aside, base / "outgoing" / aside.name


async def test_a_call_file_becomes_a_conversation_and_an_opt_out_is_kept(
    asterisk: RealAsterisk, callees: Path
) -> None:
    attempt, aside, outgoing = call_file(asterisk, "person", callees)
    campaigns = KnownCampaigns(assignment(attempt))
    channels: list[int] = []
    campaigns.before_opt_out = lambda: channels.append(asterisk.channels())
    async with RealPbx(asterisk) as pbx, Bot(pbx, callees / "var", campaigns) as bot:
        bot.will_hear("stop calling me")
        aside.rename(outgoing)
        result = await campaigns.result()
        record = await bot.record()
        await nothing_left(pbx)
    assert campaigns.opt_outs == [(attempt, NUMBER, f"by voice in call {record.id}")]
    assert channels[0] > 0
    assert (result.outcome, result.opted_out) == ("opted_out", True)
    assert result.first_audio_ms is not None
    assert result.first_audio_ms < 1000
    assert record.dialog.file == str(DIALOG)
    assert record.channel.startswith("Local/")


async def test_a_mailbox_hears_the_message_after_its_beep(asterisk: RealAsterisk, callees: Path) -> None:
    attempt, aside, outgoing = call_file(asterisk, "mailbox", callees)
    campaigns = KnownCampaigns(
        assignment(attempt, answering={"machine": "message", "message": "outbound-message.yaml"})
    )
    async with RealPbx(asterisk) as pbx, Bot(pbx, callees / "var", campaigns) as bot:
        bot.will_hear(*VOICEMAIL_WORDS)
        aside.rename(outgoing)
        result = await campaigns.result(timeout=20)
        record = await bot.record()
        await nothing_left(pbx)
    assert (result.answered_by, result.outcome, result.message_left) == (AnsweredBy.MACHINE, "message", True)
    spoken_at = record.turns[-1].start_ms
    assert spoken_at is not None
    assert spoken_at > len(scene(*VOICEMAIL)) / 8  # ms of the greeting up to its beep


async def test_asterisks_own_judgement_comes_along(asterisk: RealAsterisk, callees: Path) -> None:
    attempt, aside, outgoing = call_file(asterisk, "mailbox", callees, ask_amd=True)
    campaigns = KnownCampaigns(assignment(attempt, answering={"detector": "asterisk"}))
    async with RealPbx(asterisk) as pbx, Bot(pbx, callees / "var", campaigns) as bot:
        aside.rename(outgoing)
        result = await campaigns.result(timeout=20)
        record = await bot.record()
        await nothing_left(pbx)
    assert (result.answered_by, result.outcome) == (AnsweredBy.MACHINE, "machine")
    assert record.outbound is not None
    assert [each.source for each in record.outbound.judgements] == ["asterisk"]
