"""Category: simulator. Dialogs over AGI with a PBX that does what tests tell it: keys, hang-ups, faults."""

from __future__ import annotations

import asyncio
import contextlib
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contract.talk import ScriptedSpeech
from voicebot.agi.command import unquoted
from voicebot.app.gateway import Gateway
from voicebot.audio.frames import Samples
from voicebot.call.call import Call
from voicebot.call.record import CallRecord
from voicebot.config import Config
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.dialogs import files
from voicebot.fastagi.dialogs.dialogs import AgiDialogs
from voicebot.fastagi.dialogs.playout import FilePlayout
from voicebot.fastagi.scripts import Scripts
from voicebot.fastagi.server import FastAgiServer
from voicebot.speech.tts import Voice

pytestmark = pytest.mark.simulator

WITHIN_S = 8.0
VOICE = (np.sin(np.arange(160) / 3) * 3000).astype("<i2")
DIALOG = """
dialog: bakery
language: en-US
slots:
  card: {type: digits, length: 4, sensitive: true}
steps:
  order:
    ask: Would you like bread or cake?
    choices:
      bread: {hear: [bread], key: 1, goto: bread}
      card: {hear: [card], key: 3, goto: card}
  bread:
    say: Bread it is.
    end: ordered
  card:
    ask: The four digits of your card?
    fill: card
  card_read:
    say: "You gave {card}."
    end: carded
"""


class Speech(ScriptedSpeech):
    """Synthesises what tests call late only when it is asked to speak."""

    late = False

    def cached(self, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        return None if self.late else super().cached(text, voice, sample_rate)


class Pbx:
    """Plays a prompt until a key, a hang-up or the next command; `prompt_s` is how long each is."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._lines: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()
        self._next: tuple[str, ...] | None = None
        self._changed = asyncio.Event()
        self._keys: list[str] = []
        self.prompt_s: float | None = 0.0
        self.gone = False
        self.mute = False
        self.played: list[Path] = []
        self.set: list[tuple[str, str]] = []
        self.hung_up = False

    def press(self, keys: str) -> None:
        self._keys += keys
        self._changed.set()

    def hang_up(self) -> None:
        self.gone = True
        self._writer.write(b"HANGUP\n")
        self._changed.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not is_so():  # noqa: ASYNC110 (what is awaited tells nobody)
                await asyncio.sleep(0.001)

    async def plays(self, number: int) -> None:
        """Wait for so many prompts."""
        await self.until(lambda: len(self.played) >= number)

    async def read(self) -> None:
        while line := await self._reader.readline():
            self._lines.put_nowait(unquoted(line.decode().rstrip("\n")))
            self._changed.set()
        self._lines.put_nowait(())
        self._changed.set()

    async def serve(self) -> None:
        reading = asyncio.create_task(self.read())
        try:
            while words := await self._lines.get():
                if not self.mute:
                    await self._do(words)
        finally:
            reading.cancel()

    async def _do(self, words: tuple[str, ...]) -> None:
        if words[0] == "SET":
            self.set.append((words[2], words[3] if len(words) > 3 else ""))
            self._answer("result=1")
        elif self.gone:
            self._writer.write(b"511 Command Not Permitted on a dead channel or intercept routine\n")
        elif words[0] == "STREAM":
            await self._stream(Path(f"{words[2]}.sln"))
        elif words[:2] == ("GET", "FULL"):
            self._answer(f"result=1 ({words[3]})")
        else:
            self.hung_up |= words[0] == "HANGUP"
            self._answer("result=1" if words[0] == "HANGUP" else "result=0")

    async def _stream(self, file: Path) -> None:
        silence = file.stem == files.SILENCE
        samples = file.stat().st_size // 2
        if not silence:
            self.played.append(file)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if silence else self.prompt_s):
                while not (self._keys or self.gone or not self._lines.empty() or self.mute):
                    self._changed.clear()
                    await self._changed.wait()
        if self.mute:
            return
        if self.gone:
            self._answer("result=-1 endpos=80")
        elif self._keys:
            self._answer(f"result={ord(self._keys.pop(0))} endpos=80")
        elif self._lines.empty():
            self._answer(f"result=0 endpos={samples}")

    def _answer(self, text: str) -> None:
        self._writer.write(f"200 {text}\n".encode())

    @property
    def statuses(self) -> list[str]:
        return [value for name, value in self.set if name == "VOICEBOT_AGI_STATUS"]


class House:
    """A gateway without Asterisk that serves dialogs over AGI."""

    def __init__(self, gateway: Gateway, speech: list[Speech], server: FastAgiServer) -> None:
        self.gateway, self._speech, self.server = gateway, speech, server
        self.records: list[CallRecord] = []
        self.calls: list[Call] = []

    @property
    def speech(self) -> Speech:
        return self._speech[0]

    @asynccontextmanager
    async def call(self, query: str = "") -> AsyncIterator[Pbx]:
        """A call, which has ended when the block is left."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        script = f"dialog/600{query}"
        request = f"agi_network_script: {script}\nagi_request: agi://x/{script}\nagi_uniqueid: 1.1\n"
        writer.write(f"agi_network: yes\n{request}agi_callerid: 1\n\n".encode())
        pbx = Pbx(reader, writer)
        serving = asyncio.create_task(pbx.serve())
        try:
            yield pbx
            async with asyncio.timeout(WITHIN_S):
                await serving
            await pbx.until(lambda: not self.server.connections)
        finally:
            serving.cancel()
            writer.close()


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(files, "MEMORY", folder)
    return folder


@pytest.fixture
async def house(tmp_path: Path, memory: Path) -> AsyncIterator[House]:
    dialog = tmp_path / "bakery.yaml"
    dialog.write_text(DIALOG)
    config = Config.model_validate(
        {
            "paths": {"var": str(tmp_path / "var")},
            "limits": {"reserve_mb": 0},
            "routes": [{"number": "600", "dialog": str(dialog), "record": True}],
        }
    )
    made: list[Speech] = []

    def make(*given: Any) -> Speech:
        made.append(Speech(*given))
        return made[0]

    gateway = Gateway(config, speech=make, asterisk=False)
    await gateway.start()
    running = asyncio.create_task(gateway.run_until_stopped())

    async def hold(call: Call) -> None:
        found.records.append(call.record)
        found.calls.append(call)
        await gateway.hold(call)

    dialogs = AgiDialogs(
        config,
        dialog=gateway.engines.dialogs.fresh,
        services=gateway.services,
        hold=hold,
        accepts=lambda: True,
    )
    scripts = Scripts()
    scripts.add("dialog", dialogs.run)
    try:
        async with FastAgiServer(scripts, port=0) as server:
            found = House(gateway, made, server)
            yield found
    finally:
        gateway.stop()
        await running


async def test_the_dialplan_finds_ok_at_the_end_and_failed_before(house: House) -> None:
    async with house.call() as pbx:
        await pbx.plays(1)
        assert pbx.statuses == ["failed"], "what it finds should the gateway die"
        pbx.press("1")
    assert pbx.statuses == ["failed", "ok"]
    assert dict(pbx.set)["VOICEBOT_OUTCOME"] == "ordered"


@pytest.mark.parametrize("late", [False, True])
async def test_a_sensitive_prompt_is_never_on_the_disk(
    house: House, memory: Path, tmp_path: Path, late: bool
) -> None:
    house.speech.late = late
    async with house.call() as pbx:
        await pbx.plays(1)
        pbx.press("3")
        await pbx.plays(2)
        pbx.press("4711")
    assert [file.parent for file in pbx.played] == [tmp_path / "var" / "agi", memory, memory]
    assert len(list((tmp_path / "var" / "agi").glob("*.sln"))) == 2, "the first question, and silence"
    assert list(memory.iterdir()) == []
    assert house.records[0].outcome == "carded"


async def test_a_hang_up_while_a_prompt_plays_ends_the_call(house: House, memory: Path) -> None:
    async with house.call() as pbx:
        pbx.prompt_s = None
        await pbx.plays(1)
        pbx.hang_up()
    assert house.records[0].ended_by == "caller"
    assert dict(pbx.set)["VOICEBOT_OUTCOME"] == "hangup", "variables are set after a hang-up as well"


@pytest.mark.parametrize(("reason", "hung_up"), [("supervisor", True), ("limit", False)])
async def test_who_ends_a_call_from_outside(house: House, reason: str, hung_up: bool) -> None:
    async with house.call() as pbx:
        pbx.prompt_s = None
        await pbx.plays(1)
        house.calls[0].end(reason)
    assert (house.records[0].ended_by, pbx.hung_up) == (reason, hung_up)
    assert dict(pbx.set)["VOICEBOT_CALL"] == house.records[0].id


async def test_with_the_callers_voice_a_call_is_recorded_and_can_be_listened_to(
    house: House, tmp_path: Path
) -> None:
    token = "0123456789abcdef" * 2
    asked: list[bytes] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(VOICE.tobytes())
                await writer.drain()
                await asyncio.sleep(0.005)

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with house.call(f"?voice={port}:{token}") as pbx:
            pbx.prompt_s = 0.2
            await pbx.plays(1)
            ear = house.calls[0].stage.live.listen()
            both = [frames async for _, frames in _first(ear, 5)]
            pbx.press("1")
    assert asked == [f"{token}\n".encode()]
    assert any(np.frombuffer(caller, "<i2").any() for caller, _ in both)
    record = house.records[0]
    assert (record.outcome, record.rtp["received"] > 10) == ("ordered", True)
    (recording,) = (tmp_path / "var").rglob(record.recording or "none")
    with wave.open(str(recording)) as wav:
        assert wav.getparams()[:3] == (2, 2, 8000)
        samples = np.frombuffer(wav.readframes(wav.getnframes()), "<i2").reshape(-1, 2)
    assert samples[:, 0].any(), "the caller"
    assert samples[:, 1].any(), "the bot"


async def _first(ear: Any, count: int) -> AsyncIterator[tuple[int, tuple[bytes, bytes]]]:
    number = 0
    async for frames in ear:
        yield number, frames
        number += 1
        if number == count:
            ear.close()
            return


async def test_a_voice_that_does_not_come_leaves_the_keys(house: House) -> None:
    async with house.call(f"?voice=1:{'0' * 32}") as pbx:
        await pbx.plays(1)
        pbx.press("1")
    assert (house.records[0].outcome, pbx.statuses[-1]) == ("ordered", "ok")


async def test_keys_over_every_prompt_interrupt_each_of_them(house: House) -> None:
    async with house.call() as pbx:
        pbx.prompt_s = None  # none ends by itself
        for number in range(1, 3):
            await pbx.plays(number)
            pbx.press("9")  # means nothing here: it is asked again
        await pbx.plays(3)
        pbx.prompt_s = 0.0
        pbx.press("1")
    assert (house.records[0].outcome, pbx.statuses[-1]) == ("ordered", "ok")


async def test_a_full_disk_is_played_over(house: House, memory: Path) -> None:
    write = files._write

    def full(path: Path, data: bytes) -> None:
        if path.parent != memory:
            raise OSError(28, "No space left on device")
        write(path, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_write", full)
        async with house.call() as pbx:
            await pbx.plays(1)
            pbx.press("1")
    assert {file.parent for file in pbx.played} == {memory}
    assert (house.records[0].outcome, pbx.statuses[-1]) == ("ordered", "ok")


async def test_where_nothing_can_be_written_the_dialplan_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_write", full)
    async with house.call() as pbx:
        pass
    assert (house.records[0].ended_by, pbx.statuses) == ("media_lost", ["failed", "failed"])


async def test_a_mistake_of_ours_on_the_line_ends_the_call_in_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(playout: FilePlayout) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(FilePlayout, "next_piece", broken)
    async with house.call() as pbx:
        pass
    assert (house.records[0].ended_by, pbx.statuses[-1]) == ("media_lost", "failed")


async def test_who_answers_to_no_interruption_is_given_up() -> None:
    async def interrupts(channel: AgiChannel, name: str) -> None:
        playing = asyncio.create_task(channel.stream_file("hello"))
        await asyncio.sleep(0)
        assert channel.interrupt()
        await playing

    scripts = Scripts()
    scripts.add("x", interrupts)
    async with FastAgiServer(scripts, port=0, command_s=0.5) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"agi_network_script: x/x\nagi_request: agi://x/x/x\n\n")
        async with asyncio.timeout(3):  # each repetition would give it another half second
            with contextlib.suppress(ConnectionError):
                while await reader.read(4096):
                    pass
        writer.close()
        assert server.counts["faults"] == 1
