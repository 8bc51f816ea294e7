"""Category: simulator. `voicebot ami` as its user runs it: a process, its output, its exit status."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.simulator.pbx.ami import HOST, SimulatedAmi

pytestmark = pytest.mark.simulator

SOON_S = 10.0


@pytest.fixture
async def ami() -> AsyncIterator[SimulatedAmi]:
    async with SimulatedAmi() as simulated:
        yield simulated


async def start(ami: SimulatedAmi, folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    config = folder / "voicebot.toml"
    config.write_text(
        f'[asterisk]\nami_host = "{HOST}"\nami_port = {ami.port}\n'
        f'[supervision]\nami_user = "{ami.user}"\nami_password = "{ami.secret}"\n'
    )
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicebot", "ami", *arguments, "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("VOICEBOT_")},
    )


async def run(ami: SimulatedAmi, folder: Path, *arguments: str) -> tuple[int | None, list[str], str]:
    """Run it to its end; return the exit status, the lines of its output, and what it complains of."""
    process = await start(ami, folder, *arguments)
    out, errors = await asyncio.wait_for(process.communicate(), SOON_S)
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode, out.decode().splitlines(), errors.decode()


async def logged_in(ami: SimulatedAmi, times: int = 1) -> None:
    async with asyncio.timeout(SOON_S):
        while ami.logins < times:  # noqa: ASYNC110 - another process logs in
            await asyncio.sleep(0.02)


async def test_an_action_with_its_reply_and_what_it_lists(ami: SimulatedAmi, tmp_path: Path) -> None:
    ami.channels = [[("Channel", "A/1"), ("Uniqueid", "1")]]
    status, lines, _ = await run(ami, tmp_path, "action", "CoreShowChannels")
    assert status == 0
    reply, channel = map(json.loads, lines)
    assert reply["Response"] == "Success"
    assert (channel["Event"], channel["Channel"]) == ("CoreShowChannel", "A/1")


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("Nonsense",), 1, ""),
        (("Ping", "Key"), 2, "Key=Value"),
        (("Ping", "Key=a\nAction: Command"), 2, "control character"),
        (("Hangup", "Channel=/.*/"), 2, "no channel"),
        (("Ping", "-v", "A=1,B=2"), 2, "A has a ,"),
        (("Command", "Command=core stop now"), 1, "warning: Command runs any command"),
        (("Ping", "--user", "other"), 2, "no secret"),
        (("Ping", "--port", "1"), 1, "cannot be reached"),
    ],
)
async def test_mistakes_and_refusals(
    ami: SimulatedAmi, tmp_path: Path, arguments: tuple[str, ...], status: int, word: str
) -> None:
    found, lines, errors = await run(ami, tmp_path, "action", *arguments)
    assert found == status
    assert word in errors
    assert all(json.loads(line)["Response"] == "Error" for line in lines)
    assert "Command" not in [each.get("Action") for each in ami.asked]


async def test_events_are_lines_and_survive_a_lost_connection(ami: SimulatedAmi, tmp_path: Path) -> None:
    process = await start(ami, tmp_path, "events", "-f", "Event=Hangup", "-f", "Channel~^A/", "--count", "2")
    await logged_in(ami)
    ami.tell("Newchannel", [("Channel", "A/1")])
    ami.tell("Hangup", [("Channel", "B/1")])
    ami.tell("Hangup", [("Channel", "A/1"), ("Cause", "16")])
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), SOON_S)
    assert json.loads(line) == {"Event": "Hangup", "Channel": "A/1", "Cause": "16"}
    ami.drop()
    await logged_in(ami, 2)
    ami.tell("Hangup", [("Channel", "A/2")])
    out, errors = await asyncio.wait_for(process.communicate(), SOON_S)
    assert json.loads(out)["Channel"] == "A/2"
    assert process.returncode == 0
    assert [word in errors.decode() for word in ("lost", "connected again", "missed")] == [True] * 3


async def test_a_reader_who_has_enough_and_ctrl_c(ami: SimulatedAmi, tmp_path: Path) -> None:
    """As `voicebot ami events | head -n1`, and Ctrl-C."""
    for how, status in (("pipe", 0), ("keys", 130)):
        before = ami.logins
        process = await start(ami, tmp_path, "events")
        await logged_in(ami, before + 1)
        if how == "pipe":
            transport = process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
            transport.close()
            for number in range(20):
                ami.tell("Newchannel", [("Channel", f"A/{number}")])
        else:
            process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        errors = await asyncio.wait_for(process.stderr.read(), SOON_S)
        assert (await asyncio.wait_for(process.wait(), SOON_S), errors) == (status, b""), how


async def test_it_ends_after_so_many_seconds(ami: SimulatedAmi, tmp_path: Path) -> None:
    status, lines, errors = await run(ami, tmp_path, "events", "--seconds", "0.1")
    assert (status, lines, errors) == (0, [], "")
