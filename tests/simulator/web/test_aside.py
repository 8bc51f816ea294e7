"""Category: simulator. Authors' work is done in a process of its own: what it takes, and when it is ended."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from voicebot.web import aside
from voicebot.web.aside import Desk
from voicebot.web.problems import Trouble

pytestmark = pytest.mark.simulator


def where() -> int:
    return os.getpid()


def forever() -> None:
    while True:
        pass


def die() -> None:
    os._exit(1)


async def test_it_is_another_process_and_goes_when_it_is_closed() -> None:
    desk = Desk()
    first = await desk.do(where)
    assert first != os.getpid()
    assert await desk.do(where) == first
    desk.close()
    second = await desk.do(where)
    assert second not in (first, os.getpid())
    desk.close()


async def test_what_takes_too_long_or_dies_is_told_and_the_next_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    with pytest.raises(Trouble, match="could not be looked at"):
        await desk.do(die)
    await desk.do(where)
    with monkeypatch.context() as patched:
        patched.setattr(aside, "LONGEST_S", 0.2)
        with pytest.raises(Trouble, match="too long"):
            await desk.do(forever)
    assert await desk.do(where)
    desk.close()


async def test_no_more_wait_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "MOST_WAITING", 3)
    desk = Desk()
    told = await asyncio.gather(*(desk.do(where) for _ in range(5)), return_exceptions=True)
    assert [isinstance(each, Trouble) for each in told] == [False] * 3 + [True] * 2
    desk.close()


async def test_the_loops_own_threads_are_left_to_calls() -> None:
    """However many of the panel's threads are busy."""
    ended = threading.Event()
    busy = [asyncio.create_task(aside.aside(ended.wait)) for _ in range(50)]
    await asyncio.sleep(0)
    began = time.monotonic()
    assert await asyncio.to_thread(threading.current_thread)
    assert time.monotonic() - began < 1
    ended.set()
    await asyncio.gather(*busy)
