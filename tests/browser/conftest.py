"""Browser tests: Debian's Chromium on a panel whose house is made up (fake_house.py)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.fake_house import PASSWORD, Stage, staged
from voicebot.audio.wav import read_wav

CHROMIUM = Path(__file__).resolve().parents[2] / "scripts" / "chromium"
SPEECH = Path(__file__).resolve().parents[1] / "data" / "caller" / "an-agent-please.wav"
START_S = 30
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
EXPECTED = ("status of 401", "status of 403", "status of 404", "status of 409", "ERR_INTERNET_DISCONNECTED")
"""Refusals and breaks that a test brings about; Chromium writes each to the console."""


def chromium() -> str:
    """Return its path: the machine's, else one that is unpacked first."""
    found = subprocess.run([sys.executable, CHROMIUM], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.fail(found.stderr.strip())
    return found.stdout.strip()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A panel with 40 calls that stand still: a test moves them. Its event loop runs in a thread."""
    ready, done = threading.Event(), asyncio.Event()
    found: list[Stage] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        async with staged(tmp_path_factory.mktemp("panel"), 40, lively=False, past=60) as stage:
            found.append(stage)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="panel")
    thread.start()
    try:
        assert ready.wait(START_S), "the panel did not start"
        yield found[0]
    finally:
        loops[0].call_soon_threadsafe(done.set)
        thread.join(START_S)
    assert not thread.is_alive()


def speech(folder: Path) -> Path:
    """Write what the fake microphone hears, as Chromium wants it: linear, 48 kHz."""
    heard = read_wav(SPEECH)
    path = folder / "speech.wav"
    samples = soxr.resample(heard.samples.astype(np.float32), heard.sample_rate, 48_000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(
    scope="module"
)  # while it lives, its event loop runs: other modules' tests could not have theirs
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    heard = f"--use-file-for-fake-audio-capture={speech(tmp_path_factory.mktemp('speech'))}"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, heard])
        yield opened
        opened.close()


Open = Callable[..., Page]


@pytest.fixture
def enter(browser: Browser, stage: Stage) -> Iterator[Open]:
    """enter(user, path, **context): a page on which the user is signed in. At the end no page may have had an
    error on its console, nor a violation of its content security policy."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def go(user: str = "otto", path: str = "/", **context: object) -> Page:
        contexts.append(browser.new_context(base_url=stage.url, **context))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.on(
            "console",
            lambda message: (
                wrong.append(f"{path}: {message.text}")
                if message.type in ("error", "warning") and not any(each in message.text for each in EXPECTED)
                else None
            ),
        )
        page.on("pageerror", lambda error: wrong.append(f"{path}: {error}"))
        if user:
            answer = contexts[-1].request.post(
                "/api/v1/session", data={"name": user, "password": PASSWORD}, headers={"Origin": stage.url}
            )
            assert answer.ok, answer.text()
        page.goto(path)
        return page

    yield go
    for context in contexts:
        context.close()
    assert not wrong, wrong
