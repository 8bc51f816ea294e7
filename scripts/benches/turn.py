"""How long a caller waits for a reply, and how soon a prompt stops for them: measured in the caller's chair.

Over real calls through a real Asterisk: from the caller's last voiced frame to our first audible RTP packet,
minus the configured pause, and from the caller's first voiced frame to the last audible packet of the prompt
they interrupt. Arrival times are the kernel's. References of the same run: a sound's way through Asterisk's
Echo(), which is what the line alone costs, and the bare recogniser on the same utterances, from their end to
the result. The ratio is reply / (echo + bare recogniser); who recognises during the pause gets below 1.

Usage: scripts/bench turn [--json] [--turns N] [--only whisper|vosk] [--folder DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _rig import PROJECT, Rig, RigFault

from voicebot.audio.frames import to_pcm
from voicebot.audio.wav import read_wav
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import Listen
from voicebot.engines.stt_vosk import VoskRecognizer
from voicebot.engines.stt_whisper import WhisperRecognizer
from voicebot.softphone import SoftphoneCall
from voicebot.softphone.hearing import percentile
from voicebot.softphone.mouth import Saying
from voicebot.softphone.recording import SAMPLE_RATE
from voicebot.speech.stt import Recognizer

CALLER = PROJECT / "tests" / "data" / "caller"
HERE = Path(__file__).resolve().parent
PAUSE_MS = 500
"""As the bench's dialogs have it."""
QUIET_MS = 400
"""The short prompts have no pauses inside: so quiet, they are over."""
LONG_PAUSE_QUIET_MS = 900
REPLY_TIMEOUT_S = 20.0
"""For what must come; a bot that is waited for so long is broken."""
PATIENCE_S = 3.0
"""A caller who hears nothing for so long was taken for a noise, and speaks again."""
INTERRUPT_AFTER_S = 1.2
SETTLE_MS = 100
"""Audible packets later than this after the caller's last word belong to the reply, not to the old prompt."""
ECHO_ROUNDS = 10
BARE_ROUNDS = 3
FRAME_BYTES = SAMPLE_RATE // 50 * 2
TARGETS_MS = {"vosk": 60.0, "whisper": 250.0, "bargein": 200.0}


@dataclass(frozen=True, slots=True)
class Line:
    """One recogniser under test: the number to dial, the dialog behind it, and what the caller says to it."""

    name: str
    number: str
    dialog: Path
    wavs: tuple[str, ...]

    @property
    def paths(self) -> list[Path]:
        return [CALLER / f"{name}.wav" for name in self.wavs]


LINES = (
    Line("vosk", "811", HERE / "turn_ko.yaml", ("ko-reservation", "ko-refund", "ko-information")),
    Line(
        "whisper",
        "810",
        HERE / "turn_en.yaml",
        ("yes-please", "thursday-at-three", "cancel-my-appointment", "that-is-right"),
    ),
)
SPEECH = {"vosk": "korean", "whisper": "english"}
"""Names of the sections of voicebot.toml."""


@dataclass(slots=True)
class Figures:
    """Milliseconds, one value a turn."""

    reply: list[float] = field(default_factory=list)
    stop: list[float] = field(default_factory=list)
    echo: list[float] = field(default_factory=list)
    send_late: list[float] = field(default_factory=list)
    unanswered: int = 0


async def measure(rig: Rig, line: Line, turns: int) -> Figures:
    """Hold one call: short prompts, then a long one that is interrupted again and again, then the echo."""
    figures = Figures()
    async with rig.phone() as phone:
        call = await phone.dial(line.number)
        try:
            await _converse(call, figures, itertools.cycle(line.paths), turns)
        finally:
            call.save_recording(rig.folder / f"{line.name}.wav")
        figures.send_late = [frame.late_ms for frame in call.sent]
        await call.hang_up()
    return figures


async def _converse(call: SoftphoneCall, figures: Figures, wavs: Iterator[Path], turns: int) -> None:
    await call.bot_speaks(REPLY_TIMEOUT_S, since=call.answered_at)
    for _ in range(turns):
        await call.bot_quiet(QUIET_MS, REPLY_TIMEOUT_S)
        _, last = _voiced(await call.say(next(wavs)))
        if (reply := await _reply_at(call, last)) is None:
            figures.unanswered += 1
        else:
            figures.reply.append((reply - last) * 1000 - PAUSE_MS)
    await call.bot_quiet(QUIET_MS, REPLY_TIMEOUT_S)
    await call.press("8")
    for _ in range(turns):
        await call.until_bot_has_spoken(INTERRUPT_AFTER_S * 1000, REPLY_TIMEOUT_S)
        first, last = _voiced(await call.say(next(wavs)))
        until = last + SETTLE_MS / 1000
        heard = max(
            (frame.at for frame in call.received if frame.audible and frame.at < until), default=first
        )
        figures.stop.append((heard - first) * 1000)
        if await _reply_at(call, last) is None:
            figures.unanswered += 1
    await call.press("9")
    await call.bot_quiet(LONG_PAUSE_QUIET_MS, REPLY_TIMEOUT_S)
    for _ in range(ECHO_ROUNDS):
        first, _ = _voiced(await call.say(CALLER / "cough.wav"))
        figures.echo.append((await call.bot_speaks(REPLY_TIMEOUT_S, since=first) - first) * 1000)
        await call.bot_quiet(QUIET_MS, REPLY_TIMEOUT_S)


async def _reply_at(call: SoftphoneCall, last: float) -> float | None:
    """Wait for the bot to speak after the caller's `last` voiced frame; None where it stays silent."""
    try:
        return await call.bot_speaks(PATIENCE_S, since=last)
    except TimeoutError:
        return None


def _voiced(saying: Saying) -> tuple[float, float]:
    assert saying.voiced_from_at is not None
    assert saying.voiced_to_at is not None
    return saying.voiced_from_at, saying.voiced_to_at


def bare_recogniser_ms(line: Line) -> list[float]:
    """Return how long the engine alone needs for each utterance, from its end to the result."""
    then = Interpreter(load_dialog(line.dialog)).begin(0.0).then
    assert isinstance(then, Listen)
    recogniser: Recognizer = VoskRecognizer() if line.name == "vosk" else WhisperRecognizer()
    took = []
    for path in line.paths * BARE_ROUNDS:
        recognition = recogniser.open(then.expect, SAMPLE_RATE)
        pcm = to_pcm(read_wav(path).samples) + bytes(PAUSE_MS * SAMPLE_RATE // 1000 * 2)
        for start in range(0, len(pcm), FRAME_BYTES):
            recognition.accept(pcm[start : start + FRAME_BYTES])
        began = time.perf_counter()
        recognition.finish()
        took.append((time.perf_counter() - began) * 1000)
    return took[len(line.paths) :]  # the first round warms up


def summary(values: list[float]) -> dict[str, float | int]:
    return {
        "p50_ms": round(percentile(values, 0.5), 1),
        "p95_ms": round(percentile(values, 0.95), 1),
        "n": len(values),
    }


def understood(record: dict[str, Any]) -> dict[str, float]:
    """Tell from the call record how much was understood and what recognition took."""
    said = [turn for turn in record["turns"] if turn["who"] == "caller" and turn["kind"] == "speech"]
    took = [turn["recognition_ms"] for turn in said if turn.get("recognition_ms") is not None]
    return {
        "understood": round(sum(turn["understood"] == "match" for turn in said) / max(len(said), 1), 3),
        "recognition_p50_ms": round(statistics.median(took), 1) if took else 0.0,
    }


async def bench(turns: int, only: str | None, folder: Path | None) -> dict[str, Any]:
    lines = [line for line in LINES if only in (None, line.name)]
    routes = [
        {
            "number": line.number,
            "dialog": str(line.dialog),
            "stt": SPEECH[line.name],
            "tts": SPEECH[line.name],
        }
        for line in lines
    ]
    result: dict[str, Any] = {"bench": "turn", "pause_ms": PAUSE_MS}
    stops: list[float] = []
    echoes: list[float] = []
    late: list[float] = []
    async with Rig(routes=routes, folder=folder, tell=lambda text: print(text, file=sys.stderr)) as rig:
        for line in lines:
            print(f"· {line.name}: {turns} replies, {turns} interruptions", file=sys.stderr)
            figures = await measure(rig, line, turns)
            result[line.name] = summary(figures.reply) | {"unanswered": figures.unanswered}
            stops += figures.stop
            echoes += figures.echo
            late += figures.send_late
        await rig.stop_gateway()  # so that the records are complete
        for line, record in zip(lines, rig.records(), strict=True):
            result[line.name] |= understood(record)
    result["bargein"] = summary(stops)
    result["reference_echo"] = summary(echoes)
    for line in lines:
        bare = statistics.median(bare_recogniser_ms(line))
        reference = bare + result["reference_echo"]["p50_ms"]
        result[line.name] |= {
            "reference_p50_ms": round(reference, 1),
            "ratio": round(result[line.name]["p50_ms"] / reference, 2),
        }
    for name in (*(line.name for line in lines), "bargein"):
        result[name] |= {
            "target_p95_ms": TARGETS_MS[name],
            "reached": result[name]["p95_ms"] <= TARGETS_MS[name],
        }
    result["caller_send_late_p99_ms"] = round(percentile(late, 0.99), 3)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench turn", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object as last line")
    parser.add_argument("--turns", type=int, default=20, help="replies and interruptions a recogniser")
    parser.add_argument("--only", choices=[line.name for line in LINES])
    parser.add_argument("--folder", type=Path, help="keep records, log and recordings of the calls here")
    options = parser.parse_args()
    try:
        result = asyncio.run(bench(options.turns, options.only, options.folder))
    except RigFault as fault:
        print(f"bench: {fault}", file=sys.stderr)
        return 2
    for name in ("vosk", "whisper", "bargein", "reference_echo"):
        if name in result:
            row = result[name]
            goal = f"  (p95 ≤ {row['target_p95_ms']:.0f} ms)" if "target_p95_ms" in row else ""
            print(
                f"{name:<15} p50 {row['p50_ms']:7.1f} ms   p95 {row['p95_ms']:7.1f} ms   n {row['n']}{goal}"
            )
    if options.json:
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
