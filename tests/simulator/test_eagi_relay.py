"""Category: simulator. The program that Asterisk starts for EAGI, between a script's pipes and a gateway."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from voicebot.fastagi.dialogs import relay as module
from voicebot.fastagi.dialogs.relay import Voice

pytestmark = pytest.mark.simulator

WITHIN_S = 8.0
PROGRAM = """\
import asyncio, sys
from voicebot.fastagi.dialogs import relay
relay.END_S = 0.2
asyncio.run(relay.relay("127.0.0.1", int(sys.argv[1]), "600", ["agi_request: x", "agi_uniqueid: 1.1"], False))
"""


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """What stands for descriptor 3: write the voice there."""
    read, write = os.pipe()
    monkeypatch.setattr(module, "VOICE_DESCRIPTOR", read)
    yield write
    for each in (read, write):
        with suppress(OSError):
            os.close(each)


async def ask(port: int, line: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line)
    return reader, writer


async def test_only_who_knows_the_password_hears_the_voice(
    microphone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOKEN_S", 0.2)
    async with asyncio.timeout(WITHIN_S), Voice() as voice:
        for wrong in (b"\n", b"0" * 32 + b"\n", b"x" * 100_000, b""):  # the last one says nothing at all
            reader, writer = await ask(voice.port, wrong)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
        reader, writer = await ask(voice.port, voice.token.encode() + b"\n")
        sent = b""
        while not sent:  # what comes before the password was heard is dropped
            os.write(microphone, b"voice")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    sent = await reader.read(5)
        assert sent == b"voice"
        with pytest.raises(OSError):
            await ask(voice.port, voice.token.encode() + b"\n")
        writer.close()


async def test_the_voice_goes_on_where_nobody_listens_any_more(microphone: int) -> None:
    async with asyncio.timeout(WITHIN_S), Voice() as voice:
        _, writer = await ask(voice.port, voice.token.encode() + b"\n")
        writer.transport.abort()
        for _ in range(200):
            os.write(microphone, bytes(4000))
            await asyncio.sleep(0)
        os.close(microphone)
        await asyncio.sleep(0)


@asynccontextmanager
async def session() -> AsyncIterator[
    tuple[asyncio.subprocess.Process, asyncio.StreamReader, asyncio.StreamWriter]
]:
    """A session that the program has opened: itself, and the gateway's side."""
    came: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_server(lambda *pair: came.put_nowait(pair), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-c", PROGRAM, str(port))
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=Path.cwd())
    try:
        async with asyncio.timeout(WITHIN_S):
            reader, writer = await came.get()
            opening = await reader.readuntil(b"\n\n")
            assert b"agi_uniqueid: 1.1\nagi_request: agi://127.0.0.1/dialog/600\n" in opening
            yield process, reader, writer
            assert await process.wait() == 0, "the dialplan goes on"
    finally:
        if process.returncode is None:
            process.kill()
        writer.close()
        server.close()


async def test_commands_answers_and_a_hang_up_between_them() -> None:
    async with session() as (asterisk, reader, writer):
        assert asterisk.stdin is not None and asterisk.stdout is not None
        writer.write(b"ANSWER\n")
        assert await asterisk.stdout.readline() == b"ANSWER\n"
        asterisk.stdin.write(b"200 resu")  # half a line
        await asterisk.stdin.drain()
        asterisk.send_signal(signal.SIGHUP)
        assert await reader.readline() == b"HANGUP\n"
        asterisk.stdin.write(b"lt=0\n")
        assert await reader.readline() == b"200 result=0\n"
        writer.close()  # the gateway has done


async def test_a_gateway_that_breaks_off_ends_it() -> None:
    async with session() as (_, _, writer):
        writer.transport.abort()


async def test_a_gateway_that_hangs_does_not_keep_it_when_asterisk_has_ended() -> None:
    async with session() as (asterisk, reader, _):
        assert asterisk.stdin is not None
        asterisk.stdin.close()
        assert await reader.read() == b""


async def test_asterisk_that_reads_no_more_ends_it() -> None:
    async with session() as (asterisk, _, writer):
        transport = asterisk._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
        transport.close()
        for _ in range(10):
            writer.write(b"NOOP\n" * 1000)
            await asyncio.sleep(0.01)
