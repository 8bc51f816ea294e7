"""Category: integration. Dialogs over AGI and EAGI, on a real Asterisk: keys, voice, hand-over, hang-up."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.talk import ScriptedSpeech
from tests.integration.conftest import RealAsterisk
from voicebot.app.gateway import Gateway
from voicebot.config import Config
from voicebot.fastagi.dialogs.dialogs import AgiDialogs
from voicebot.fastagi.scripts import Scripts
from voicebot.fastagi.server import FastAgiServer
from voicebot.softphone.phone import Softphone

pytestmark = pytest.mark.integration

SPOKEN = Path(__file__).resolve().parents[1] / "data" / "caller" / "yes-please.wav"
VOICEBOT = Path(sys.executable).with_name("voicebot")
SOON_S = 15
DIALOG = """
dialog: bakery
language: en-US
slots:
  loaves: {type: number}
  card: {type: digits, length: 4, sensitive: true}
steps:
  order:
    ask: Would you like bread or cake?
    choices:
      bread: {hear: [bread, yes please], key: 1, goto: bread}
      cake: {hear: [cake], key: 2, goto: person}
      card: {hear: [card], key: 3, goto: card}
  bread:
    ask: How many loaves?
    fill: loaves
  done:
    say: "{loaves} loaves."
    end: ordered
  card:
    ask: The four digits of your card?
    fill: card
  card_read:
    say: "You gave {card}."
    end: carded
  person:
    say: One moment.
    transfer: {queue: cakes, with: []}
"""


class Bakery:
    """A gateway without ARI that serves FastAGI, and how the dialplan's calls went."""

    def __init__(self, asterisk: RealAsterisk, folder: Path) -> None:
        self._asterisk = asterisk
        dialog = folder / "bakery.yaml"
        dialog.write_text(DIALOG)
        self.config = Config.model_validate(
            {"paths": {"var": str(folder / "var")}, "routes": [{"number": "600", "dialog": str(dialog)}]}
        )
        self.records: list[Any] = []
        self.server: FastAgiServer
        self.gateway = Gateway(self.config, speech=self._make_speech, asterisk=False)

    def _make_speech(self, *given: Any) -> ScriptedSpeech:
        self.speech = ScriptedSpeech(*given)
        return self.speech

    async def hold(self, call: Any) -> None:
        self.records.append(call.record)
        await self.gateway.hold(call)

    def door(self, extension: str) -> str:
        """The application by which an extension comes to us: FastAGI, or EAGI."""
        if extension == "700":
            return f"AGI,agi://127.0.0.1:{self.server.port}/dialog/600"
        return f"EAGI,{VOICEBOT},agi,dialog,600,--port,{self.server.port}"

    def die(self) -> None:
        """All its connections break, as when the process is killed."""
        for connection in tuple(self.server.connections):
            connection._transport.abort()

    def dialplan(self, extension: str, *lines: str, context: str = "voicebot-in") -> None:
        """Let an extension run these applications, one after another."""
        for number, line in enumerate(lines, 1):
            application, _, data = line.partition(",")
            what = f'{extension},{number},{application},"{data}"'
            self._asterisk.cli(f"dialplan add extension {what} into {context} replace")

    async def said(self, what: str) -> None:
        """Wait until the dialplan has written this to Asterisk's log."""
        log = Path(self._asterisk.facts["log"])
        async with asyncio.timeout(SOON_S):
            while what not in log.read_text(errors="replace"):  # noqa: ASYNC110  another process writes it
                await asyncio.sleep(0.01)


@pytest.fixture
async def bakery(asterisk: RealAsterisk, tmp_path: Path) -> AsyncIterator[Bakery]:
    bakery = Bakery(asterisk, tmp_path)
    await bakery.gateway.start()
    running = asyncio.create_task(bakery.gateway.run_until_stopped())
    status = "${VOICEBOT_AGI_STATUS} ${VOICEBOT_OUTCOME} ${VOICEBOT_LOAVES}"
    told = f"Log,NOTICE,${{VOICEBOT_CALL}} was {status}"
    dialogs = AgiDialogs(
        bakery.config,
        dialog=bakery.gateway.engines.dialogs.fresh,
        services=bakery.gateway.services,
        hold=bakery.hold,
        accepts=lambda: True,
    )
    scripts = Scripts()
    scripts.add("dialog", dialogs.run)
    try:
        async with FastAgiServer(scripts, port=0) as server:
            bakery.server = server
            for extension in ("700", "701"):
                bakery.dialplan(extension, bakery.door(extension), told, "Hangup,")
            yield bakery
    finally:
        bakery.gateway.stop()
        await running


@pytest.fixture
async def phone(asterisk: RealAsterisk) -> AsyncIterator[Softphone]:
    async with Softphone((asterisk.sip_host, asterisk.sip_port)) as phone:
        yield phone


async def test_a_dialog_by_keys_and_the_dialplan_goes_on_with_what_it_learnt(
    bakery: Bakery, phone: Softphone
) -> None:
    call = await phone.dial("700")
    await call.bot_speaks(SOON_S, since=0.0)
    pressed = await call.press("1")  # over the question: it stops
    await call.bot_speaks(SOON_S, since=pressed)
    await call.press("12#")
    await call.over(SOON_S)
    (record,) = bakery.records
    assert (record.outcome, record.slots["loaves"], record.ended_by) == ("ordered", 12, "bot")
    first = record.turns[0]
    assert first.interrupted_by == "dtmf" and first.heard != first.text
    assert [turn.text for turn in record.turns if turn.who == "bot"][-1] == "twelve loaves."
    await bakery.said(f"{record.id} was ok ordered 12")


async def test_the_callers_voice_answers_and_interrupts(bakery: Bakery, phone: Softphone) -> None:
    bakery.speech.will_hear += ["yes please", "seven"]
    call = await phone.dial("701")
    await call.bot_speaks(SOON_S, since=0.0)
    await call.say(SPOKEN)
    await call.until_bot_has_spoken(1500, SOON_S)
    await call.say(SPOKEN)
    await call.over(SOON_S)
    (record,) = bakery.records
    assert (record.outcome, record.slots["loaves"]) == ("ordered", 7)
    assert record.turns[0].interrupted_by == "speech", record.turns
    answer = next(turn for turn in record.turns if turn.who == "caller")
    assert (answer.kind, answer.meaning) == ("speech", "bread")
    assert record.rtp["received"] > 50, "frames of the caller's voice"
    await bakery.said(f"{record.id} was ok ordered 7")


async def test_a_caller_who_hangs_up_ends_the_dialog(bakery: Bakery, phone: Softphone) -> None:
    call = await phone.dial("700")
    await call.bot_speaks(SOON_S, since=0.0)
    await call.hang_up()
    async with asyncio.timeout(SOON_S):
        while not bakery.records or bakery.records[0].ended_at is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert bakery.records[0].ended_by == "caller"


@pytest.mark.parametrize("extension", ["700", "701"])
async def test_the_dialplan_goes_on_when_the_gateway_dies_in_mid_call(
    bakery: Bakery, phone: Softphone, extension: str
) -> None:
    application = bakery.door(extension)
    bakery.dialplan(
        "703", application, f"Log,NOTICE,{extension} was left ${{VOICEBOT_AGI_STATUS}}", "Hangup,"
    )
    call = await phone.dial("703")
    await call.bot_speaks(SOON_S, since=0.0)
    bakery.die()
    await call.over(SOON_S)
    await bakery.said(f"{extension} was left failed")


async def test_the_dialplan_goes_on_where_there_is_no_gateway(bakery: Bakery, phone: Softphone) -> None:
    eagi = ",".join(("EAGI", str(VOICEBOT), "agi", "dialog", "600", "--port", "1"))
    bakery.dialplan("702", "Answer,", eagi, "Log,NOTICE,nobody there: ${VOICEBOT_AGI_STATUS}", "Hangup,")
    call = await phone.dial("702")
    await call.over(SOON_S)
    await bakery.said("nobody there: failed")


async def test_a_hang_up_while_a_prompt_plays_under_eagi(bakery: Bakery, phone: Softphone) -> None:
    call = await phone.dial("701")
    await call.bot_speaks(SOON_S, since=0.0)
    await call.hang_up()
    async with asyncio.timeout(SOON_S):
        while not bakery.records or bakery.records[0].ended_at is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert bakery.records[0].ended_by == "caller"
    async with asyncio.timeout(SOON_S):
        while relays():  # noqa: ASYNC110  the program that Asterisk started ends by itself
            await asyncio.sleep(0.05)


def relays() -> list[str]:
    """The programs of ours that Asterisk runs for calls."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if str(VOICEBOT) in words and "dialog" in words and "--port" in words:
                found.append(" ".join(words))
    return found


async def test_a_hand_over_goes_to_the_dialplans_queue(bakery: Bakery, phone: Softphone) -> None:
    told = "Log,NOTICE,${VOICEBOT_CALL} waits for cakes"
    bakery.dialplan("cakes", told, "Hangup,", context="voicebot-queue")
    call = await phone.dial("700")
    await call.bot_speaks(SOON_S, since=0.0)
    await call.press("2")
    await call.over(SOON_S)
    (record,) = bakery.records
    assert (record.outcome, record.ended_by) == ("transferred", "handover")
    await bakery.said(f"{record.id} waits for cakes")


async def test_what_is_secret_stays_in_no_file(bakery: Bakery, phone: Softphone) -> None:
    call = await phone.dial("700")
    await call.bot_speaks(SOON_S, since=0.0)
    pressed = await call.press("3")
    await call.bot_speaks(SOON_S, since=pressed)
    before = set((bakery.config.var / "agi").glob("*"))
    await call.press("4711")
    await call.over(SOON_S)
    (record,) = bakery.records
    assert record.outcome == "carded"
    assert "4711" not in record.model_dump_json()
    assert set((bakery.config.var / "agi").glob("*")) == before, "the prompt with the number was not kept"
    assert not list(Path("/dev/shm").glob("voicebot-*.sln"))
