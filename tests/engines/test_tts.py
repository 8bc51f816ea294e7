"""Engines: real synthesis through real workers, and what callers get when a worker or a text misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from voicebot.audio.levels import PROMPT_DB, active_level_db
from voicebot.audio.wav import serialize_wav
from voicebot.config import TtsConfig
from voicebot.engines import tts_service
from voicebot.engines.prompt_cache import PromptCache
from voicebot.engines.tts_recorded import RecordedPrompts
from voicebot.engines.tts_service import TtsPool, build_tts
from voicebot.engines.wire import EngineSpec
from voicebot.errors import SpeechUnavailable, UserError
from voicebot.speech.prompts import apology
from voicebot.speech.tts import Samples, Voice

pytestmark = pytest.mark.engines

ENGINES = ("pyttsx3", "espeak", "piper")
RATE = 8000


@asynccontextmanager
async def started(folder: Path, **config: object) -> AsyncIterator[TtsPool]:
    tts = build_tts(TtsConfig.model_validate(config), folder / "models", folder / "cache")
    await tts.start()
    try:
        yield tts
    finally:
        await tts.stop()


async def spoken(tts: TtsPool, text: str, voice: Voice | None = None, rate: int = RATE) -> Samples:
    pieces = [samples async for samples in tts.speak(text, voice or Voice(), rate)]
    return np.concatenate([np.zeros(0, np.int16), *pieces])


def seconds(samples: Samples, rate: int = RATE) -> float:
    return len(samples) / rate


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_prompt_is_audible_at_once_and_as_loud_as_any_other(engine: str, tmp_path: Path) -> None:
    async with started(tmp_path, engine=engine) as tts:
        for rate in (8000, 16000):
            said = await spoken(tts, "Thank you for calling.", rate=rate)
            assert 0.7 < seconds(said, rate) < 2.5
            assert abs(active_level_db(said, rate) - PROMPT_DB) < 1.5
            first_packet = said[: rate // 50].astype(float)
            assert np.sqrt(np.mean(first_packet**2)) > 20, "the first packet is silence"


@pytest.mark.parametrize("engine", ENGINES)
async def test_odd_texts_neither_hang_nor_kill_the_worker(engine: str, tmp_path: Path) -> None:
    async with started(tmp_path, engine=engine) as tts:
        for nothing in ("", "   ", "\n", "...", "\x00\x07", "\U0001f600\u200d\U0001f44d", "\ud800"):
            assert len(await spoken(tts, nothing)) == 0, ascii(nothing)
        plain = seconds(await spoken(tts, "One two."))
        for odd in ("One \x00\x1b two.", "One \U0001f600 two.", "One\ttwo.\ufeff"):
            assert abs(seconds(await spoken(tts, odd)) - plain) < 0.5, ascii(odd)
        assert tts.pool.replaced == 0


@pytest.mark.parametrize("engine", ENGINES)
async def test_markup_is_read_as_words_not_obeyed(engine: str, tmp_path: Path) -> None:
    async with started(tmp_path, engine=engine) as tts:
        obeyed = await spoken(tts, "One two.")
        paused = await spoken(tts, '<speak>One <break time="9s"/> two.</speak>')
        assert seconds(obeyed) + 0.5 < seconds(paused) < 9


async def test_a_very_long_text_begins_early_and_is_spoken_whole(tmp_path: Path) -> None:
    async with started(tmp_path, engine="espeak") as tts:
        text = "This is a sentence of a very long prompt. " * 200
        stream = tts.speak(text, Voice(), RATE)
        first = await anext(stream)
        rest = [samples async for samples in stream]
        assert seconds(first) < 5
        assert len(rest) == 199
        whole = await spoken(tts, "word " * 1900)  # one endless sentence
        assert seconds(whole) > 300


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_unknown_voice_fails_the_call_softly_and_the_start_clearly(
    engine: str, tmp_path: Path
) -> None:
    async with started(tmp_path, engine=engine) as tts:
        with pytest.raises(SpeechUnavailable, match="nobody"):
            await spoken(tts, "Hello.", Voice(name="nobody"))
        assert len(await spoken(tts, "Hello."))
    with pytest.raises(UserError, match="nobody"):
        async with started(tmp_path, engine=engine, voice="nobody"):
            pass


async def test_two_hundred_at_once_get_each_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker holds one pyttsx3 engine: nothing may be mixed up, cut short, or lost."""
    monkeypatch.setattr(tts_service, "FIRST_AUDIO_LIMIT_S", 20)  # the last waits for 199 others
    numbers = [f"Number {hundreds} {ones}." for hundreds in range(10, 30) for ones in range(10)]
    async with started(tmp_path, engine="pyttsx3", timeout_s=20) as tts:
        together = await asyncio.gather(*(spoken(tts, text) for text in numbers))
        assert len({samples.tobytes() for samples in together}) == len(numbers)
        assert min(map(len, together)) > RATE // 2
        some = range(0, len(numbers), 25)
        for number in some:
            alone = await spoken(tts, numbers[number])
            assert max(some, key=lambda other: _alike(alone, together[other])) == number
        assert tts.pool.replaced == 0


def _alike(one: Samples, other: Samples) -> float:
    """Correlation of two short-time spectra, 1 for the same words at the same time."""
    length = min(len(one), len(other)) // 256 * 256
    spectra = [np.abs(np.fft.rfft(x[:length].reshape(-1, 256).astype(float))).ravel() for x in (one, other)]
    return float(np.corrcoef(*spectra)[0, 1])


async def test_a_killed_worker_costs_one_prompt_at_most(tmp_path: Path) -> None:
    async with started(tmp_path, engine="espeak") as tts:
        stream = tts.speak("One. " * 50, Voice(), RATE)
        await anext(stream)
        pid = tts.pool.links[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        try:
            async with asyncio.timeout(2):
                _ = [samples async for samples in stream]
        except SpeechUnavailable:
            pass  # nothing was promised about this prompt but that it ends
        async with asyncio.timeout(3):
            assert len(await spoken(tts, "Hello again."))
        assert tts.pool.replaced == 1


async def test_a_hanging_worker_is_given_up_in_time(tmp_path: Path) -> None:
    async with started(tmp_path, engine="espeak", timeout_s=1.0) as tts:
        pid = tts.pool.links[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        loop = asyncio.get_running_loop()
        asked = loop.time()
        with pytest.raises(SpeechUnavailable):
            await spoken(tts, "Hello.")
        assert loop.time() - asked < 2.0
        assert seconds(tts.fallback_prompt("en-GB", RATE)) > 1
        replaced = asyncio.Event()
        tts.pool.when_ready(replaced.set)
        async with asyncio.timeout(5):
            await replaced.wait()
        assert len(await spoken(tts, "Hello."))


FAULTY = """
import os, time
import numpy as np
from voicebot.speech.tts import AudioChunk

class Faulty:
    def describe(self):
        return {"engine": "faulty", "version": "1"}

    def synthesize(self, text, voice):
        if "hang" in text:
            time.sleep(60)
        if "crash" in text:
            os._exit(3)
        if "fail" in text:
            raise RuntimeError("no")
        yield AudioChunk((np.sin(np.arange(4000)) * 5000).astype(np.int16), 8000)
"""


@pytest.mark.parametrize("fault", ["hang", "crash", "fail"])
async def test_a_faulty_engine_hurts_only_whom_it_serves(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faulty_engine.py").write_text(FAULTY)
    monkeypatch.syspath_prepend(tmp_path)
    config = TtsConfig(engine="espeak", workers=2, timeout_s=1.0)
    tts = TtsPool("faulty", config, EngineSpec("faulty_engine:Faulty"), PromptCache(tmp_path / "cache"))
    await tts.start()
    loop = asyncio.get_running_loop()
    try:
        asked = loop.time()
        unlucky = asyncio.create_task(spoken(tts, f"Please {fault}."))
        await asyncio.sleep(0)
        assert len(await spoken(tts, "Hello.")), "another caller, meanwhile"
        with pytest.raises(SpeechUnavailable):
            await unlucky
        assert loop.time() - asked < config.timeout_s + 1
        assert seconds(tts.fallback_prompt("en", RATE)) > 0.1
        async with asyncio.timeout(5):
            while True:
                with contextlib.suppress(SpeechUnavailable):
                    assert len(await spoken(tts, "Hello again."))
                    break
    finally:
        await tts.stop()


async def test_no_caller_waits_in_silence_as_long_as_a_timeout_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tts_service, "FIRST_AUDIO_LIMIT_S", 0.3)
    (tmp_path / "faulty_engine.py").write_text(FAULTY)
    monkeypatch.syspath_prepend(tmp_path)
    config = TtsConfig(engine="espeak", timeout_s=30)
    tts = TtsPool("faulty", config, EngineSpec("faulty_engine:Faulty"), PromptCache(tmp_path / "cache"))
    await tts.start()
    try:
        async with asyncio.timeout(2):
            with pytest.raises(SpeechUnavailable, match=r"within 0\.3 s"):
                await spoken(tts, "Please hang.")
    finally:
        await tts.stop()


async def test_a_caller_who_interrupts_leaves_no_work_behind(tmp_path: Path) -> None:
    async with started(tmp_path, engine="piper") as tts:
        stream = tts.speak("This is the first sentence. " * 30, Voice(), RATE)
        await anext(stream)
        await stream.aclose()
        assert not [task for task in asyncio.all_tasks() if "sentence" in task.get_name()]
        assert tts.pool.links[0].load == 0


async def test_prompts_are_rendered_ahead_once_and_only_they_are_stored(tmp_path: Path) -> None:
    prompts = [(f"Prompt {number}. It has two sentences.", Voice()) for number in range(5)]
    async with started(tmp_path, engine="espeak") as tts:
        seen: list[tuple[int, int]] = []
        failed = await tts.render_ahead(
            [*prompts, prompts[0]], [8000, 16000], lambda *done: seen.append(done)
        )
        assert (failed, seen[-1], len(seen)) == (0, (5, 5), 5)
        stored = {path.name for path in (tmp_path / "cache" / "prompts").iterdir()}
        cached = tts.cached(*prompts[0], 8000)
        assert cached is not None
        assert abs(seconds(cached) - seconds(await spoken(tts, prompts[0][0]))) < 0.1
        await spoken(tts, "Your card number is 4 1 1 1.")
        assert tts.cached("Your card number is 4 1 1 1.", Voice(), 8000) is None
        assert {path.name for path in (tmp_path / "cache" / "prompts").iterdir()} == stored
    async with started(tmp_path, engine="espeak") as again:
        assert again.cached(*prompts[4], 16000) is not None
        assert again.cached(*prompts[4], 22050) is None


async def test_one_prompt_that_cannot_be_rendered_does_not_stop_the_others(tmp_path: Path) -> None:
    async with started(tmp_path, engine="espeak") as tts:
        bad, good = ("Hello.", Voice(name="nobody")), ("Hello.", Voice())
        assert await tts.render_ahead([bad, good], [8000]) == 1
        assert tts.cached(*good, 8000) is not None


async def test_korean_is_spoken_where_the_engine_can_and_refused_where_not(tmp_path: Path) -> None:
    async with started(tmp_path, engine="pyttsx3") as tts:
        assert seconds(await spoken(tts, "예약은 세 시입니다.", Voice("ko-KR"))) > 1
    async with started(tmp_path, engine="piper") as tts:
        with pytest.raises(SpeechUnavailable, match="not 'ko-KR'"):
            await spoken(tts, "예약은 세 시입니다.", Voice("ko-KR"))


@pytest.mark.parametrize("model", ["missing", "broken"])
async def test_a_piper_voice_that_is_none_is_told_by_name(model: str, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "broken.onnx").write_bytes(b"not a network")
    with pytest.raises(UserError, match=f"{model}"):
        async with started(tmp_path, engine="piper", model=model):
            pass


async def test_in_a_thread_it_is_the_same_engine(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Tests before this one may have pronounced words in this process; they are done with the library.
    monkeypatch.setattr("voicebot.engines.tts_espeak._users", set())
    async with started(tmp_path, engine="pyttsx3", workers=0) as tts:
        assert seconds(await spoken(tts, "Good morning. How are you?")) > 1
    assert capfd.readouterr().out == "", "pyttsx3 printed"


def test_recorded_prompts_are_served_from_memory_and_lost_ones_are_told(tmp_path: Path) -> None:
    tone = (np.sin(np.arange(16000) / 10) * 400).astype(np.int16)
    path = tmp_path / "hello.wav"
    path.write_bytes(serialize_wav(tone, 16000))
    prompts = RecordedPrompts(lambda language, rate: np.ones(1, np.int16))
    with pytest.raises(UserError) as found:
        prompts.load_ahead([path, tmp_path / "a.wav", tmp_path / "b.wav"], [8000])
    assert [Path(problem.source).name for problem in found.value.problems] == ["a.wav", "b.wav"]
    said = prompts.load(path, 8000)
    assert len(said) == 8000
    assert abs(active_level_db(said, 8000) - PROMPT_DB) < 1
    path.unlink()
    assert prompts.load(path, 8000) is said
    with pytest.raises(UserError, match="cannot be read"):
        prompts.load(path, 16000)


def test_every_apology_is_one_that_the_default_engine_can_say(tmp_path: Path) -> None:
    async def check() -> None:
        tts = build_tts(
            TtsConfig(engine="espeak"), tmp_path, tmp_path, languages=("en", "ko", "de", "es", "fr")
        )
        await tts.start()
        try:
            lengths = {seconds(tts.fallback_prompt(language, RATE)) for language in ("en", "ko", "de-AT")}
            assert len(lengths) == 3
            assert min(lengths) > 2
            assert tts.cached(apology("ko"), Voice("ko"), 16000) is not None
        finally:
            await tts.stop()

    asyncio.run(check())
