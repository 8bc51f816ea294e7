"""The program that Asterisk starts for EAGI: hands a session and its voice on to the gateway.

Standard input and output carry AGI, descriptor 3 the voice (16-bit signed linear, 8 kHz). It knows nothing of
dialogs, and loads no engine: the gateway has them ready. It ends when either side does, and the dialplan goes
on.
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
TOKEN_S = 3.0
"""Who connects for the voice has so long to say the password."""
END_S = 5.0
"""Asterisk has ended the session: so long the gateway may take to end it as well."""
MOST_ENVIRONMENT = 64 * 1024
BLOCK = 4096
MOST_UNSENT = 64_000
"""Bytes of voice (four seconds) that may wait for the gateway; what is more is dropped."""


class GatewayAway(Exception):
    """The gateway cannot be reached: the dialplan goes on."""


class Voice:
    """The caller's voice, for the one who knows the password. An async context manager."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self.port = 0
        self._server: asyncio.Server
        self._sender: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Voice:
        self._server = await asyncio.start_server(self._wanted, "127.0.0.1", 0, limit=256)
        self.port = self._server.sockets[0].getsockname()[1]
        os.set_blocking(VOICE_DESCRIPTOR, False)
        asyncio.get_running_loop().add_reader(VOICE_DESCRIPTOR, self._hear)
        return self

    async def __aexit__(self, *error: object) -> None:
        asyncio.get_running_loop().remove_reader(VOICE_DESCRIPTOR)
        self._server.close()
        if self._sender is not None:
            self._sender.close()

    async def _wanted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = b""
        with suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(TOKEN_S):
                line = await reader.readline()
        if secrets.compare_digest(line.strip(), self.token.encode()) and self._sender is None:
            self._sender = writer
            self._server.close()  # nobody else is to come
        else:
            writer.close()

    def _hear(self) -> None:
        try:
            pcm = os.read(VOICE_DESCRIPTOR, BLOCK)
        except BlockingIOError:
            return
        except OSError:
            pcm = b""
        if not pcm:
            asyncio.get_running_loop().remove_reader(VOICE_DESCRIPTOR)
        elif self._sender is not None and self._sender.transport.get_write_buffer_size() < MOST_UNSENT:
            self._sender.write(pcm)


async def relay(host: str, port: int, name: str, environment: Iterable[str], voice: bool) -> None:
    """Hand on one session, whose environment was read already, to its end. Raises GatewayAway."""
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        raise GatewayAway(str(error) or "time-out") from error
    try:
        if not voice:
            await _hand_on(reader, writer, _opening(host, name, "", environment))
            return
        async with Voice() as heard:
            query = f"?voice={heard.port}:{heard.token}"
            await _hand_on(reader, writer, _opening(host, name, query, environment))
    finally:
        writer.close()


def _opening(host: str, name: str, query: str, environment: Iterable[str]) -> bytes:
    """Return the environment as FastAGI would have it."""
    ours = ("agi_request", "agi_network", "agi_network_script")
    lines = [line for line in environment if line.partition(":")[0] not in ours]
    lines += [f"agi_request: agi://{host}/dialog/{name}{query}", "agi_network: yes"]
    lines.append(f"agi_network_script: dialog/{name}{query}")
    return "\n".join([*lines, "", ""]).encode()


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opening: bytes) -> None:
    """Carry commands and answers until one side ends."""
    loop = asyncio.get_running_loop()
    writer.write(opening)
    loop.add_signal_handler(signal.SIGHUP, lambda: writer.write(b"HANGUP\n"))
    answers = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(answers), os.fdopen(0, "rb", 0))
    there = asyncio.create_task(_to_gateway(answers, writer))
    back = asyncio.create_task(_to_asterisk(reader))
    try:
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        if not back.done():
            await asyncio.wait({back}, timeout=END_S)
    finally:
        there.cancel()
        back.cancel()
        await asyncio.wait({there, back})
        loop.remove_signal_handler(signal.SIGHUP)


async def _to_gateway(answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on whole lines, so that a HANGUP of ours stands between them."""
    with suppress(OSError, ValueError):  # it is gone; a line that has no end
        while line := await answers.readline():
            writer.write(line)
            await writer.drain()
        writer.write_eof()


async def _to_asterisk(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):  # one side is gone: so is the session
        while data := await reader.read(BLOCK):
            while data:
                data = data[os.write(1, data) :]
