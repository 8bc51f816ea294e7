"""How well and how fast callers are understood: `scripts/bench stt [--json]`.

Accuracy: every utterance goes through the gateway's own workers as a call sends it (20 ms frames, what the
step expects), and the dialog's grammar decides what it means. Reported for each engine and noise level: word
error rate, share of meanings taken rightly of what the step expects, share of rejections of what it does not
expect, latency after the last frame.
Streams: how many seconds of speech a second the workers recognise, against the bare engine in as many threads
in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _corpus import RATE, Spoken, SpokenKorean, korean_corpus, load_corpus

from voicebot.config import SttConfig
from voicebot.engines.host import load
from voicebot.engines.service import FACTORIES, THREADS, StreamingStt, build_stt
from voicebot.engines.wire import EngineSpec
from voicebot.speech.stt import Recognizer, Transcript

MODELS = Path(__file__).resolve().parents[2] / "models"
FRAME_BYTES = RATE * 2 * 20 // 1000
NOISES: tuple[float | None, ...] = (None, 20.0, 10.0)
STREAMS = 8
"""Utterances in flight at once when streams are measured."""
ROUNDS = 3
Utterance = Spoken | SpokenKorean


@dataclass(frozen=True)
class Accuracy:
    """One engine at one noise level; shares are 0 to 1, latency in ms from the last frame to the result."""

    engine: str
    snr_db: float | None
    word_error_rate: float
    meaning_right: float
    meaning_wrong: float
    rejected: float
    latency_p50_ms: float
    latency_p95_ms: float


@dataclass(frozen=True)
class Streams:
    """Seconds of speech recognised a second; `streams_real_time` is the same as streams kept in real time."""

    engine: str
    threads: int
    streams_real_time: float
    reference_streams_real_time: float
    ratio: float


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Return the edit distance in words and the number of words said."""
    want, got = said.split(), heard.split()
    row = list(range(len(got) + 1))
    for at, word in enumerate(want, 1):
        before, row[0] = row[0], at
        for other, found in enumerate(got, 1):
            before, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, before + (word != found))
    return row[-1], len(want)


async def hear(service: StreamingStt, spoken: Utterance, pcm: bytes) -> tuple[Transcript, float]:
    """Feed an utterance as a call does; return the transcript and its latency in ms."""
    stream = service.open_stream("bench", spoken.expectation, RATE)
    try:
        for at in range(0, len(pcm), FRAME_BYTES):
            stream.feed(pcm[at : at + FRAME_BYTES])
        started = time.perf_counter()
        return await stream.finish(), (time.perf_counter() - started) * 1000
    finally:
        stream.close()


async def accuracy(
    engine: str, service: StreamingStt, corpus: Sequence[Utterance], wrong: bool
) -> list[Accuracy]:
    """Measure one engine at every noise level."""
    rows = []
    for snr in NOISES:
        errors = words = right = mistaken = rejected = 0
        latencies = []
        expected = sum(spoken.meaning is not None for spoken in corpus)
        for spoken in corpus:
            transcript, ms = await hear(service, spoken, spoken.samples(snr).tobytes())
            latencies.append(ms)
            match = spoken.grammar.match_transcript(transcript)
            meaning = match.meaning if match else None
            if spoken.meaning is None:
                rejected += meaning is None
            else:
                missed, said = word_errors(spoken.words, transcript.text)
                errors, words = errors + missed, words + said
                right += meaning == spoken.meaning
                mistaken += meaning not in (None, spoken.meaning)
            if wrong and meaning != spoken.meaning:
                print(
                    f"  {engine} {snr} dB, {spoken.step}: {spoken.text!r} -> {transcript.text!r}, {meaning}",
                    file=sys.stderr,
                )
        latencies.sort()
        rows.append(
            Accuracy(
                engine,
                snr,
                round(errors / words, 3),
                round(right / expected, 3),
                round(mistaken / expected, 3),
                round(rejected / (len(corpus) - expected), 3),
                round(statistics.median(latencies), 1),
                round(latencies[int(len(latencies) * 0.95)], 1),
            )
        )
    return rows


async def through_workers(service: StreamingStt, corpus: Sequence[Utterance]) -> float:
    """Return seconds of speech a second with STREAMS utterances in flight."""
    waiting = [(spoken, spoken.samples().tobytes()) for spoken in corpus]
    seconds = sum(len(pcm) for _, pcm in waiting) / 2 / RATE

    async def one_line() -> None:
        while waiting:
            spoken, pcm = waiting.pop()
            await hear(service, spoken, pcm)

    started = time.perf_counter()
    await asyncio.gather(*(one_line() for _ in range(STREAMS)))
    return seconds / (time.perf_counter() - started)


def bare(engine: Recognizer, threads: int, corpus: Sequence[Utterance]) -> float:
    """Return the same of the engine alone, called from `threads` threads."""
    waiting = [(spoken, spoken.samples().tobytes()) for spoken in corpus]
    seconds = sum(len(pcm) for _, pcm in waiting) / 2 / RATE
    expectations = {spoken.step: spoken.expectation for spoken in corpus}

    def one_line() -> None:
        while True:
            try:
                spoken, pcm = waiting.pop()
            except IndexError:
                return
            recognition = engine.open(expectations[spoken.step], RATE)
            recognition.accept(pcm)
            recognition.finish()

    started = time.perf_counter()
    lines = [threading.Thread(target=one_line) for _ in range(threads)]
    for line in lines:
        line.start()
    for line in lines:
        line.join()
    return seconds / (time.perf_counter() - started)


async def streams(name: str, service: StreamingStt, corpus: Sequence[Utterance]) -> Streams:
    """Compare the workers with the bare engine, in turns; medians of ROUNDS."""
    threads = THREADS[name]
    engine: Any = load(EngineSpec(FACTORIES[name], {}, threads))
    ours, reference = [], []
    for _ in range(ROUNDS):
        ours.append(await through_workers(service, corpus))
        reference.append(await asyncio.to_thread(bare, engine, threads, corpus))
    mine, base = statistics.median(ours), statistics.median(reference)
    return Streams(name, threads, round(mine, 1), round(base, 1), round(mine / base, 3))


async def measure(names: Sequence[str], wrong: bool) -> dict[str, Any]:
    english = load_corpus()
    found: dict[str, Any] = {"utterances": len(english), "accuracy": [], "streams": []}
    for name in names:
        config = SttConfig.model_validate({"engine": name, "workers": 1, "timeout_s": 30})
        service = build_stt("bench", config, MODELS)
        await service.start()
        try:
            corpus: Sequence[Utterance] = korean_corpus() if name == "vosk" else english
            for row in await accuracy(name, service, corpus, wrong):
                found["accuracy"].append(asdict(row))
                print(row, file=sys.stderr)
            line = await streams(name, service, corpus)
            found["streams"].append(asdict(line))
            print(line, file=sys.stderr)
        finally:
            await service.stop()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench stt", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    parser.add_argument("--engines", default="whisper,pocketsphinx,vosk", help="default: %(default)s")
    parser.add_argument("--wrong", action="store_true", help="show what was not taken rightly")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    found = asyncio.run(measure(arguments.engines.split(","), arguments.wrong))
    if arguments.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
