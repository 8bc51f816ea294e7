"""A panel over a simulated house, served in a thread of its own, for tests that call it from outside."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.house import PASSWORD, FakeHouse, fake_house
from voicebot.web.security.secrets import token_file
from voicebot.web.serving import panel_beside

START_S = 20.0


class Served:
    """It runs. at: its address; token: the local one; house: touch it by `do` alone."""

    def __init__(self, at: str, token: str, house: FakeHouse, loop: asyncio.AbstractEventLoop) -> None:
        self.at, self.token, self.house, self._loop = at, token, house, loop

    def do(self, coroutine: Any) -> Any:
        """Run something in the panel's own loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(START_S)

    @contextmanager
    def sign_in(self, name: str) -> Iterator[httpx.Client]:
        """Give a browser that is signed in, and sends what pages send."""
        with httpx.Client(base_url=self.at, headers={"origin": self.at}, timeout=10) as client:
            answer = client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            client.headers["x-csrf-token"] = answer.json()["csrf"]
            yield client


@contextmanager
def served(var: Path, calls: int = 3, **flags: Any) -> Iterator[Served]:
    """Serve until the block ends."""
    found: list[Served] = []
    up, down = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    async def run() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        waiting = threading.Thread(target=lambda: (down.wait(), loop.call_soon_threadsafe(ended.set)))
        async with fake_house(var, calls, **flags) as house, panel_beside(house.config, house) as at:
            path = token_file(var)
            token = path.read_text().strip() if path.is_file() else ""
            found.append(Served(at, token, house, loop))
            waiting.start()
            up.set()
            await ended.wait()
        waiting.join()

    def serve() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failed.append(error)
            up.set()

    thread = threading.Thread(target=serve, name="panel")
    thread.start()
    try:
        assert up.wait(START_S)
        if failed:
            raise failed[0]
        yield found[0]
    finally:
        down.set()
        thread.join(START_S)
    if failed:
        raise failed[0]
