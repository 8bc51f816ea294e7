"""Category: simulator. Scripts over standard input and output: SIGHUP, the end, prints, nonsense."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.simulator

WITHIN_S = 20.0
SCRIPT = """
import asyncio, sys
from voicebot.fastagi.scripts import Scripts
from voicebot.fastagi.stdio import run_stdio

async def script(channel, name):
    print("this must not reach Asterisk")
    await channel.set_variable("ARGUMENTS", " ".join(channel.environment.arguments))
    if name == "waits":
        await channel.wait_hung_up()
        await channel.set_variable("AFTER", "1")
    if name == "plays":
        await channel.stream_file("hello")

async def main():
    scripts = Scripts()
    scripts.add("t", script)
    await run_stdio(scripts, sys.argv[1], sys.argv[2:], environment_s=5)

asyncio.run(main())
"""
ENVIRONMENT = b"agi_request: voicebot\nagi_callerid: 1\nagi_arg_1: agi\nagi_arg_2: t\n\n"
OK = b"200 result=1\n"


@asynccontextmanager
async def started(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()


async def test_sighup_is_told_and_variables_may_still_be_set() -> None:
    async with started("-c", SCRIPT, "t/waits", "one", "two") as process:
        assert process.stdin is not None
        process.stdin.write(ENVIRONMENT)
        assert await line(process) == b'SET VARIABLE ARGUMENTS "one two"\n'
        process.stdin.write(OK)
        process.send_signal(signal.SIGHUP)
        assert await line(process) == b"SET VARIABLE AFTER 1\n"
        process.stdin.write(OK)
        assert await line(process) == b"SET VARIABLE VOICEBOT_AGI_STATUS ok\n"
        process.stdin.write(OK)
        assert await line(process) == b""
        assert await process.wait() == 0


@pytest.mark.parametrize("end", [b"", b"511 Command Not Permitted on a dead channel\n"])
async def test_the_end_in_the_middle_of_a_command_ends_the_script(end: bytes) -> None:
    async with started("-c", SCRIPT, "t/plays") as process:
        assert process.stdin is not None
        process.stdin.write(ENVIRONMENT)
        await line(process)
        process.stdin.write(OK)
        assert await line(process) == b'STREAM FILE hello ""\n'
        process.stdin.write(end)
        process.stdin.close()
        assert await line(process) == b""
        assert await process.wait() == 0


async def test_the_command_never_prints_a_traceback_to_asterisk(tmp_path: Path) -> None:
    (tmp_path / "lookups.yaml").write_text("lookups: {x: {query: DELETE}}\n")
    command = ["-m", "voicebot", "agi", "lookup", "x", "--file", str(tmp_path / "lookups.yaml")]
    async with started(*command) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(ENVIRONMENT)
        assert await line(process) == b"SET VARIABLE VOICEBOT_AGI_STATUS unknown\n"
        process.stdin.write(OK)
        assert await line(process) == b""
        assert await process.wait() == 2
        told = (await process.stderr.read()).decode()
    assert "lookups.yaml:1" in told
    assert "Traceback" not in told


async def test_who_starts_it_by_hand_is_told_at_once() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicebot", "agi", "lookup", "x"),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(WITHIN_S):
        _, told = await process.communicate()
    assert process.returncode == 2
    assert b"no call of Asterisk" in told and b"agi try" in told and b"Traceback" not in told
