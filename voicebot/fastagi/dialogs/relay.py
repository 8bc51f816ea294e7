"""The program that Asterisk starts for EAGI: hands a session and its voice on to the gateway.

Standard input and output carry AGI, descriptor 3 the voice (16-bit signed linear, 8 kHz). It knows nothing of
dialogs, and loads no engine: the gateway has them ready.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import Iterable
from contextlib import suppress

VOICE_DESCRIPTOR = 3
CONNECT_S = 3.0
MOST_ENVIRONMENT = 64 * 1024
BLOCK = 4096
MOST_UNSENT = 64_000
"""Bytes of voice (four seconds) that may wait for the gateway; what is more is dropped."""


class GatewayAway(Exception):
    """The gateway cannot be reached: the dialplan goes on."""


async def relay(host: str, port: int, name: str, environment: Iterable[str], voice: bool) -> None:
    """Hand on one session, whose environment was read already, to its end. Raises GatewayAway."""
    loop = asyncio.get_running_loop()
    token = secrets.token_hex(16)
    sender: asyncio.StreamWriter | None = None

    async def voice_wanted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sender
        line = await reader.readline()
        if secrets.compare_digest(line.strip(), token.encode()) and sender is None:
            sender = writer
        else:
            writer.close()

    server = await asyncio.start_server(voice_wanted, "127.0.0.1", 0, limit=256) if voice else None
    query = f"?voice={server.sockets[0].getsockname()[1]}:{token}" if server is not None else ""
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        raise GatewayAway(str(error) or "time-out") from error

    def hang_up() -> None:
        writer.write(b"HANGUP\n")

    loop.add_signal_handler(signal.SIGHUP, hang_up)
    for line in environment:
        field = line.partition(":")[0]
        if field not in ("agi_request", "agi_network", "agi_network_script"):
            writer.write(line.encode() + b"\n")
    writer.write(f"agi_request: agi://{host}/dialog/{name}{query}\nagi_network: yes\n".encode())
    writer.write(f"agi_network_script: dialog/{name}{query}\n\n".encode())

    def hear() -> None:
        try:
            pcm = os.read(VOICE_DESCRIPTOR, BLOCK)
        except BlockingIOError:
            return
        except OSError:
            pcm = b""
        if not pcm:
            loop.remove_reader(VOICE_DESCRIPTOR)
        elif sender is not None and sender.transport.get_write_buffer_size() < MOST_UNSENT:
            sender.write(pcm)

    if voice:
        os.set_blocking(VOICE_DESCRIPTOR, False)
        loop.add_reader(VOICE_DESCRIPTOR, hear)
    answers = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(answers), os.fdopen(0, "rb", 0))
    there = asyncio.create_task(_copy(answers, writer))
    try:
        while data := await reader.read(BLOCK):
            _write_all(1, data)
    except OSError:
        pass  # one side is gone: so is the session
    finally:
        there.cancel()
        with suppress(asyncio.CancelledError):
            await there
        writer.close()
        if server is not None:
            server.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(BLOCK):
        sink.write(data)
        await sink.drain()
    sink.write_eof()


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
