"""Browser tests: what runs on the audio thread, driven by hand: no device, no clock but the samples' own."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

import voicebot.web.app

pytestmark = pytest.mark.browser

SCRIPTS = voicebot.web.app.STATIC_FILES / "js"
RATE, FRAME, BLOCK = 16000, 320, 128
HARNESS = """([source, rate, options, work]) => {
    let made;
    class Processor {
        sent = [];
        port = { postMessage: (data) => this.sent.push(data) };
    }
    new Function("AudioWorkletProcessor", "registerProcessor", "sampleRate", source)(
        Processor, (name, kind) => { made = new kind({ processorOptions: options }); }, rate);
    return new Function("made", "rate", `return (${work})(made, rate)`)(made, rate);
}"""


def run(browser: Browser, script: str, rate: int, work: str) -> Any:
    """Return what `work(processor, rate)` returns of a worklet, on a page without a policy."""
    page = browser.new_page()
    try:
        source = (SCRIPTS / script).read_text()
        return page.evaluate(HARNESS, [source, rate, {"channels": 1}, work])
    finally:
        page.close()


PLAYED = """(player, rate) => {
    // Seconds of stock at the end of each second. Frames of 20 ms come; in stalls none, and then all at once.
    const out = [[new Float32Array(128)]], stocks = [];
    const [seconds, stalls, fast] = %s;
    let due = 0, played = 0, owed = 0;
    for (let now = 0; now < seconds * rate; now += 128) {
        while (due * fast <= now) { owed += 1; due += rate / 50; }
        const stalled = stalls.some(([from, to]) => now >= from * rate && now < to * rate);
        const frame = () => ({ data: new Float32Array(rate / 50).fill(0.5) });
        if (!stalled) for (; owed; owed -= 1) player.port.onmessage(frame());
        player.process([], out);
        for (const sample of out[0][0]) played += sample === 0.5;
        if (Math.floor((now + 128) / rate) > Math.floor(now / rate)) stocks.push(player.stock / rate);
        out[0][0].fill(0);
    }
    return [stocks, played / rate];
}"""


def test_after_a_stall_one_hears_what_is_said_now_again(browser: Browser) -> None:
    stocks, played = run(browser, "worklet-player.js", RATE, PLAYED % "[20, [[5, 5.4]], 1]")
    assert stocks[3] < 0.1
    assert max(stocks[9:]) < 0.15, "what was late stays late"
    assert played > 19


@pytest.mark.parametrize("fast", [0.9995, 1.0005])
def test_a_clock_that_is_not_ours_costs_hardly_anything(browser: Browser, fast: float) -> None:
    stocks, played = run(browser, "worklet-player.js", RATE, PLAYED % f"[600, [], {fast}]")
    assert max(stocks) < 0.15
    assert played > 600 * 0.998


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_the_microphone_gives_fifty_frames_a_second_whatever_the_device(browser: Browser, rate: int) -> None:
    work = """(microphone, rate) => {
        const block = Float32Array.from({ length: 128 }, (_, at) => at %% 2 ? 0.25 : -0.25);
        for (let now = 0; now < 60 * rate; now += 128) microphone.process([[block]]);
        microphone.process([[]]);
        return [microphone.sent.length, new Int16Array(microphone.sent[0]).length];
    }""".replace("%%", "%")
    frames, samples = run(browser, "worklet-microphone.js", rate, work)
    assert abs(frames - 60 * 50) <= 1 and samples == FRAME
