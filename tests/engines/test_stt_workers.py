"""Engines: speech workers that crash, hang or are overloaded, as real processes; other calls go on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from voicebot.engines import pool as pools
from voicebot.engines.pool import WorkerPool
from voicebot.engines.service import StreamingStt
from voicebot.engines.wire import EngineSpec
from voicebot.errors import SpeechUnavailable, UserError
from voicebot.speech.stt import Expectation, SttStream

pytestmark = pytest.mark.engines

FAKE = "tests.engines.stt_fakes:FakeRecognizer"
FRAME = bytes(320)
NOTICED_S = 2.0
"""Within this a crash or a hang must be noticed."""


@contextlib.asynccontextmanager
async def service(
    workers: int = 1, timeout_s: float = 2.0, threads: int = 1, marker: str = ""
) -> AsyncIterator[StreamingStt]:
    pool = WorkerPool("test", EngineSpec(FAKE, {"marker": marker}, threads), workers, timeout_s)
    stt = StreamingStt(pool)
    await stt.start()
    try:
        yield stt
    finally:
        await stt.stop()


def utterance(stt: StreamingStt, manner: str = "well", frames: int = 50) -> SttStream:
    stream = stt.open_stream("call", Expectation(phrases=(manner,)), 8000)
    for _ in range(frames):
        stream.feed(FRAME)
    return stream


async def replaced(stt: StreamingStt, times: int = 1) -> None:
    async with asyncio.timeout(10):
        while stt.pool.replaced < times:
            ready = asyncio.Event()
            stt.pool.when_ready(ready.set)
            await ready.wait()


@pytest.mark.parametrize("workers", [0, 1, 2])
async def test_utterances_at_once_get_each_their_own_result(workers: int) -> None:
    async with service(workers, threads=2) as stt:
        streams = [utterance(stt, frames=n) for n in range(1, 40)]
        texts = [(await stream.finish()).text for stream in streams]
        assert texts == [f"{n * 320} bytes" for n in range(1, 40)]
        assert isinstance(await stt.pool.call("describe"), int)  # what it prints does not disturb the wire


async def test_a_guess_makes_the_result_immediate_and_audio_makes_it_void() -> None:
    async with service() as stt:
        stream = utterance(stt, "slow")
        stream.guess()
        await asyncio.sleep(0.6)  # the pause of a caller
        result = stream.finish()
        assert isinstance(result, asyncio.Future)
        assert result.done()
        again = utterance(stt, "slow", frames=10)
        again.guess()
        again.feed(FRAME)
        assert (await again.finish()).text == f"{11 * 320} bytes"


async def test_an_utterance_outlives_its_worker_and_others_do_not_notice() -> None:
    async with service(workers=2) as stt:
        first, second = utterance(stt), utterance(stt)
        victim = stt.pool.links[0]
        assert {link.load for link in stt.pool.links} == {1}
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        for stream in (first, second):
            stream.feed(FRAME)
            assert (await stream.finish()).text == f"{51 * 320} bytes"
        await replaced(stt)
        assert len(stt.pool.links) == 2


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_who_tells_all_processes_to_end_does_not_take_the_ears_from_the_last_calls(told: int) -> None:
    async with service() as stt:
        stream = utterance(stt)
        (link,) = stt.pool.links
        assert link.pid is not None
        os.kill(link.pid, told)
        assert (await stream.finish()).text == f"{50 * 320} bytes"
        assert (stt.pool.replaced, stt.pool.links) == (0, [link])


async def test_a_stopped_worker_is_noticed_and_its_utterance_told_to_another(tmp_path: Path) -> None:
    async with service(workers=2) as stt:
        first, second = utterance(stt), utterance(stt)
        victim = stt.pool.links[0]
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGSTOP)
        started = time.monotonic()
        assert (await second.finish()).text == f"{50 * 320} bytes"
        assert time.monotonic() - started < 0.5
        assert (await first.finish()).text == f"{50 * 320} bytes"
        assert time.monotonic() - started < NOTICED_S
        await replaced(stt)


async def test_an_engine_that_never_returns_is_killed_in_time() -> None:
    async with service() as stt:
        hanging = utterance(stt, "hang")
        gone = stt.pool.links[0].gone
        started = time.monotonic()
        with pytest.raises(SpeechUnavailable):
            await hanging.finish()
        assert time.monotonic() - started < 2.5
        await gone.wait()
        assert time.monotonic() - started < 2.5
        await replaced(stt)
        assert (await utterance(stt).finish()).text == f"{50 * 320} bytes"


async def test_a_crash_in_the_middle_of_the_result_is_made_good(tmp_path: Path) -> None:
    async with service(workers=2, marker=str(tmp_path / "crashed")) as stt:
        assert (await utterance(stt, "crash once").finish()).text == f"{50 * 320} bytes"


async def test_an_utterance_that_kills_workers_kills_no_more_than_two() -> None:
    async with service(workers=2) as stt:
        with pytest.raises(SpeechUnavailable):
            await utterance(stt, "crash").finish()
        await replaced(stt, 2)
        assert stt.pool.replaced == 2
        assert (await utterance(stt).finish()).text == f"{50 * 320} bytes"


async def test_an_engines_error_fails_its_utterance_only() -> None:
    async with service() as stt:
        well = utterance(stt)
        with pytest.raises(SpeechUnavailable, match="no such thing"):
            await utterance(stt, "raise").finish()
        assert (await well.finish()).text == f"{50 * 320} bytes"
        assert stt.pool.replaced == 0


async def test_overload_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "EXCHANGES_PER_WORKER", 2)
    async with service() as stt:
        kept = [utterance(stt, "slow") for _ in range(2)]
        started = time.monotonic()
        with pytest.raises(SpeechUnavailable, match="overloaded"):
            await utterance(stt).finish()
        assert time.monotonic() - started < 0.1
        assert [(await stream.finish()).text for stream in kept] == [f"{50 * 320} bytes"] * 2


async def test_a_late_result_fails_its_call_but_does_not_kill_a_busy_worker() -> None:
    async with service(timeout_s=1.0) as stt:
        streams = [utterance(stt, "slow") for _ in range(6)]
        results = await asyncio.gather(*(s.finish() for s in streams), return_exceptions=True)
        late = [r for r in results if isinstance(r, SpeechUnavailable)]
        assert 2 <= len(late) < 6
        assert stt.pool.replaced == 0


async def test_closed_streams_leave_nothing_behind() -> None:
    async with service() as stt:
        for _ in range(20):
            stream = utterance(stt)
            stream.guess()
            stream.close()
            stream.close()
        assert stt.pool.links[0].load == 0
        with pytest.raises(SpeechUnavailable):
            await stream.finish()


async def test_a_wrong_set_up_is_told_at_start_and_leaves_no_process() -> None:
    with pytest.raises(UserError, match="get one"):
        await WorkerPool("test", EngineSpec("tests.engines.stt_fakes:broken_setup"), workers=2).start()
    crashing = WorkerPool("test", EngineSpec("tests.engines.stt_fakes:crashing_setup"), workers=1)
    with pytest.raises(SpeechUnavailable, match="crashed"):
        await crashing.start()


def test_no_worker_outlives_a_gateway_that_was_killed() -> None:
    gateway = subprocess.Popen(
        [sys.executable, "-c", GATEWAY],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert gateway.stdout is not None
    worker = int(gateway.stdout.readline())
    watch = os.pidfd_open(worker)
    try:
        gateway.kill()
        gateway.wait()
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        assert poll.poll(5000), "the worker is still there"
    finally:
        os.close(watch)
        gateway.stdout.close()


GATEWAY = f"""
import asyncio
import logging

import structlog

from voicebot.engines.pool import WorkerPool
from voicebot.engines.wire import EngineSpec

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

async def main():
    pool = WorkerPool("test", EngineSpec({FAKE!r}))
    await pool.start()
    print(await pool.call("describe"), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
