"""Category: integration. The gateway as a process: what it says when it cannot start, and how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from _rig import to_toml

from tests.contract.gateway import nothing_left
from tests.contract.phones import QUEUE_DIALOG, Phones, until_heard
from tests.contract.real import RealPbx
from tests.contract.talk import DATA, DIALOG, Bot
from tests.contract.test_left_talking import hear_each_other
from tests.integration.conftest import RealAsterisk
from voicebot.call.record import list_records, read_record
from voicebot.softphone.callees import Manner

pytestmark = pytest.mark.integration

START_S = 60.0
SOON_S = 5.0
UNOWNED_S = 5
"""The shortest time after which the watch-dog ends what is ours and nobody's."""
YES = DATA / "caller" / "yes.wav"


def configuration(folder: Path, asterisk: Mapping[str, Any], **changes: Any) -> Path:
    """Write a voicebot.toml with quick engines; `changes` replace whole sections."""
    settings: dict[str, Any] = {
        "asterisk": dict(asterisk),
        "media": {"first_port": 30000, "last_port": 31999},
        "limits": {"drain_s": 20},
        "stt": {"english": {"engine": "pocketsphinx"}},
        "tts": {"english": {"engine": "espeak"}},
        "routes": [{"number": "600", "dialog": str(DIALOG)}],
    }
    path = folder / "voicebot.toml"
    path.write_text(to_toml({**settings, **changes}))
    return path


async def start(config: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicebot", "serve", "--config", str(config)),
        cwd=config.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def serving(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A gateway that takes calls; ended by force if the test leaves it running."""
    process = await start(config)
    assert process.stdout is not None
    assert process.stderr is not None
    drain = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        assert line.startswith(b"voicebot ready"), line
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await drain


async def complaint(config: Path) -> list[str]:
    """Run a gateway that cannot start; return the lines in which it says why."""
    process = await start(config)
    async with asyncio.timeout(START_S):
        _, errors = await process.communicate()
    text = re.sub(r"\x1b\[[0-9;]*m", "", errors.decode())
    assert process.returncode == 2, text
    assert "Traceback" not in text
    return [line for line in text.splitlines() if line.startswith("error:")]


async def test_asterisk_is_down(tmp_path: Path) -> None:
    (line,) = await complaint(configuration(tmp_path, {"ari_url": "http://127.0.0.1:9", "ari_password": "x"}))
    assert "cannot be reached" in line
    assert "asterisk.ari_url" in line


async def test_the_password_is_wrong(asterisk: RealAsterisk, tmp_path: Path) -> None:
    (line,) = await complaint(configuration(tmp_path, {**asterisk.settings, "ari_password": "wrong"}))
    assert "ari.conf" in line


async def test_the_application_name_is_taken(asterisk: RealAsterisk, tmp_path: Path) -> None:
    async with RealPbx(asterisk) as pbx, Bot(pbx, tmp_path / "var"):
        (line,) = await complaint(configuration(tmp_path, asterisk.settings))
    assert "taken" in line
    assert "asterisk.app" in line


async def test_a_model_is_missing(asterisk: RealAsterisk, tmp_path: Path) -> None:
    stt = {"english": {"engine": "vosk", "model": "vosk-model-nowhere"}}
    (line,) = await complaint(configuration(tmp_path, asterisk.settings, stt=stt))
    assert "voicebot models add" in line


async def test_a_dialog_is_broken_in_two_places(asterisk: RealAsterisk, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "dialog: bad\nsteps:\n  one:\n    say: Hello {nobody}.\n    goto: tow\n"
        "  two:\n    say: Bye.\n    end: done\n"
    )
    routes = [{"number": "600", "dialog": "bad.yaml"}]
    lines = await complaint(configuration(tmp_path, asterisk.settings, routes=routes))
    assert any("bad.yaml:4" in line for line in lines)
    assert any("bad.yaml:5" in line and "`two`" in line for line in lines)


async def test_nothing_is_routed(asterisk: RealAsterisk, tmp_path: Path) -> None:
    (line,) = await complaint(configuration(tmp_path, asterisk.settings, routes=[]))
    assert "[[routes]]" in line


async def test_sigterm_lets_the_live_call_finish_and_exits_0(asterisk: RealAsterisk, tmp_path: Path) -> None:
    async with serving(configuration(tmp_path, asterisk.settings)) as gateway, RealPbx(asterisk) as pbx:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        gateway.send_signal(signal.SIGTERM)
        await caller.press("1")
        ended = await asyncio.wait_for(caller.ended, 10)
        assert ended.by == "them"
        assert await asyncio.wait_for(gateway.wait(), 10) == 0
        await nothing_left(pbx)


async def test_a_killed_gateway_leaves_a_caller_who_is_told_by_the_next_one(
    asterisk: RealAsterisk, tmp_path: Path
) -> None:
    config = configuration(tmp_path, asterisk.settings)
    async with RealPbx(asterisk) as pbx:
        async with serving(config) as gateway:
            caller = await pbx.dial("600")
            await caller.bot_speaks(SOON_S, since=0.0)
            os.kill(gateway.pid, signal.SIGKILL)
            await gateway.wait()
        before = caller.bot_speech.last_audible()
        async with serving(config):
            assert before is not None
            await caller.bot_speaks(SOON_S, since=before)  # the announcement of the dialplan's fallback
            ended = await asyncio.wait_for(caller.ended, 20)
            assert ended.by == "them"
            await nothing_left(pbx)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
async def test_two_who_talk_never_notice_that_the_gateway_is_another_one(
    asterisk: RealAsterisk, tmp_path: Path, sign: signal.Signals
) -> None:
    facts = asterisk.facts
    async with RealPbx(asterisk) as pbx, Phones(pbx, anna=Manner(ring_s=0.1)) as phones:
        config = configuration(
            tmp_path,
            asterisk.settings,
            routes=[{"number": "600", "dialog": str(QUEUE_DIALOG)}],
            queues={"support": {"whisper": False}},
            agents={"anna": {"channel": phones.channel("anna"), "queues": ["support"]}},
            panel={"enabled": False},
            supervision={
                "ami_user": facts["panel_user"],
                "ami_password": facts["panel_password"],
                "unowned_after_s": UNOWNED_S,
            },
        )
        async with serving(config) as gateway:
            caller = await pbx.dial("600")
            await caller.bot_speaks(SOON_S, since=0.0)
            await caller.press("3")
            anna = await phones.taken("anna")
            await until_heard(caller, anna)
            os.kill(gateway.pid, sign)
            status = await asyncio.wait_for(gateway.wait(), SOON_S)
        assert status == (0 if sign is signal.SIGTERM else -sign)
        await hear_each_other(caller, anna)
        async with serving(config):
            await caller.pause(UNOWNED_S + 3)  # its watch-dog has looked at them
            await hear_each_other(caller, anna)
            await anna.hang_up()
            await asyncio.wait_for(caller.ended, SOON_S)
            await nothing_left(pbx)
    outcomes = [read_record(path).ended_by for path in list_records(tmp_path / "var")]
    assert outcomes == (["left_talking"] if sign is signal.SIGTERM else [])


async def test_no_worker_outlives_a_killed_gateway(asterisk: RealAsterisk, tmp_path: Path) -> None:
    async with serving(configuration(tmp_path, asterisk.settings)) as gateway:
        children = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()
        watches = [os.pidfd_open(int(child)) for child in children]
        assert watches
        gateway.kill()
        await gateway.wait()
        loop = asyncio.get_running_loop()
        for watch in watches:
            gone = asyncio.Event()
            loop.add_reader(watch, gone.set)
            await asyncio.wait_for(gone.wait(), SOON_S)
            loop.remove_reader(watch)
            os.close(watch)
