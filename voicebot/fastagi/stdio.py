"""The stdin and stdout form of AGI: a script that Asterisk starts for one call.

Commands go out by what was standard output; standard output itself becomes standard error, so that nothing
that somebody prints is read by Asterisk as a command. SIGHUP tells that the caller has hung up.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import Iterable

from voicebot.agi.command import AgiError
from voicebot.agi.messages import Environment
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.exchange import COMMAND_S
from voicebot.fastagi.scripts import Scripts


class _Pipes(asyncio.Protocol):
    """The wire of a session: pipes to Asterisk."""

    def __init__(self, output: int) -> None:
        self._output = output
        self.channel: AgiChannel | None = None

    def data_received(self, data: bytes) -> None:
        if self.channel is not None:
            self.channel.feed(data)

    def eof_received(self) -> None:
        if self.channel is not None:
            self.channel.feed_end()

    def write(self, data: bytes) -> None:
        try:
            while data:  # a command is smaller than a pipe
                data = data[os.write(self._output, data) :]
        except OSError:
            self.eof_received()

    def close(self) -> None:
        """Nothing to do: the process ends."""


async def run_stdio(
    scripts: Scripts,
    script: str,
    arguments: Iterable[str] = (),
    *,
    environment_s: float,
    command_s: float = COMMAND_S,
    permitted: Iterable[str] = (),
) -> str:
    """Run `script` ("lookup/vip", "lookup/order?number=42") for the call on standard input.

    Returns its status. arguments: what stands behind it in the dialplan; it becomes the arguments of the
    session. Raises AgiError where nobody speaks AGI there.
    """
    given = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(given) or stat.S_ISSOCK(given)):
        raise AgiError("standard input is no pipe")
    loop = asyncio.get_running_loop()
    output = os.dup(sys.stdout.fileno())
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    pipes = _Pipes(output)
    channel = pipes.channel = AgiChannel(pipes, command_s=command_s, permitted=frozenset(permitted))
    loop.add_signal_handler(signal.SIGHUP, channel.feed_hang_up)
    transport, _ = await loop.connect_read_pipe(lambda: pipes, sys.stdin)
    try:
        environment = await channel.begin(environment_s)
        channel.environment = as_network(environment, script, arguments)
        return await scripts.run(channel)
    except AgiError:
        if channel.fault:
            raise
        return ""
    finally:
        channel.close()
        transport.close()
        loop.remove_signal_handler(signal.SIGHUP)
        os.close(output)


def as_network(environment: Environment, script: str, arguments: Iterable[str]) -> Environment:
    """Return the environment as FastAGI would have it: the script as the URL's path, and its arguments."""
    fields = {name: value for name, value in environment.fields.items() if not name.startswith("agi_arg_")}
    fields["agi_network_script"] = script
    fields |= {f"agi_arg_{number}": value for number, value in enumerate(arguments, 1)}
    return Environment(fields)
