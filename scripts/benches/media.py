"""What one call's media costs, beside a bare loop that only drains sockets and sends.

Server under test and load run in processes of their own, each on its own core where there are two. The
server is, in turn, the gateway's real MediaLoop (RTP, jitter buffer, G.711, webrtcvad, end-pointer, a
prompt always playing) and the reference: one tick, drain all sockets, send a constant packet; no parsing,
no audio. Medians of several rounds.

    scripts/bench media --calls 100          scripts/bench media --calls 10 50 100 200 400 --json

cpu_ms_per_call_s   processor time of the server process, user and kernel, per call and second (schedstat)
deviation_p99_ms    how far packets arrive from their call's own 20 ms grid (kernel's stamps at the caller)
underruns           silent frames where a prompt should have been playing, counted at both ends
kb_per_call         growth of the server's private memory from one call to all calls, for each of the others

A caller speaks for 40 % of the time, as people do (ITU-T P.59), and between that there is the noise of a
quiet line; `--talk 1` lets callers speak without a pause.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicebot.audio import g711
from voicebot.audio.wav import read_wav
from voicebot.engines.webrtc_vad import WebrtcVad
from voicebot.media.loop import MediaLoop
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.speech.endpointer import Endpointer

HERE = Path(__file__).resolve().parent
SPEECH = HERE.parents[1] / "tests" / "data" / "caller"
FIRST_PORT, LAST_PORT = 20000, 29998
WARM_UP_S = 1.5
SERVER_CORE, LOAD_CORE = 0, 1
RATE = 8000
TALK = 0.4  # ITU-T P.59: in a conversation each side speaks 38.5 % of the time
LINE_NOISE_DB = -65.0


@dataclass(frozen=True, slots=True)
class Run:
    """One server under load."""

    cpu_ms_per_call_s: float
    kb_per_call: float
    deviation_p99_ms: float
    underruns: int
    lost: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, nargs="+", default=[10, 50, 100, 200, 400])
    parser.add_argument("--seconds", type=float, default=2.5, help="measured time of a run (%(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each kind, interleaved (%(default)s)")
    parser.add_argument(
        "--json", action="store_true", help="one object for each number of calls, the last one last"
    )
    parser.add_argument("--talk", type=float, default=TALK, help="share of the time that a caller speaks")
    parser.add_argument("--serve", choices=["gateway", "reference"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.calls[0], arguments.seconds)
        return
    with tempfile.TemporaryDirectory() as folder:
        load = build_load(Path(folder), arguments.talk)
        for calls in arguments.calls:
            report(measure(calls, arguments.seconds, arguments.rounds, load), as_json=arguments.json)


def measure(calls: int, seconds: float, rounds: int, load: list[str]) -> dict[str, Any]:
    """Run gateway and reference in turn; return medians, the fields that the file's head explains."""
    runs: dict[str, list[Run]] = {"gateway": [], "reference": []}
    for _ in range(rounds):
        for kind, results in runs.items():
            results.append(run_once(kind, calls, seconds, load))

    def median(kind: str, field: str) -> float:
        return float(statistics.median(asdict(run)[field] for run in runs[kind]))

    cpu, reference = (median(kind, "cpu_ms_per_call_s") for kind in ("gateway", "reference"))
    return {
        "calls": calls,
        "cpu_ms_per_call_s": round(cpu, 3),
        "reference_cpu_ms_per_call_s": round(reference, 3),
        "ratio": round(cpu / reference, 2),
        "deviation_p99_ms": round(median("gateway", "deviation_p99_ms"), 2),
        "underruns": sum(run.underruns for run in runs["gateway"]),
        "lost": sum(run.lost for run in runs["gateway"]),
        "kb_per_call": round(median("gateway", "kb_per_call"), 1),
        "seconds": seconds,
        "rounds": rounds,
    }


def report(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result), flush=True)
        return
    print(
        f"{result['calls']:>4} calls: {result['cpu_ms_per_call_s']:.3f} ms a call and second, "
        f"reference {result['reference_cpu_ms_per_call_s']:.3f}, ratio {result['ratio']:.2f}; "
        f"p99 deviation {result['deviation_p99_ms']:.2f} ms, underruns {result['underruns']}, "
        f"{result['kb_per_call']:.0f} kB a call",
        flush=True,
    )


def run_once(kind: str, calls: int, seconds: float, load: list[str]) -> Run:
    """Start server and load, let them meet, and gather what both saw."""
    total = seconds + WARM_UP_S + 0.5  # the load outlives the measurement a little
    arguments = [str(calls), str(total), str(WARM_UP_S)]
    # The load speaks first on its own ports; both are told the other's.
    caller = subprocess.Popen(
        [*load[:-1], *arguments, load[-1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), "--serve", kind, "--calls", str(calls), "--seconds",
        str(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert caller.stdin and caller.stdout and server.stdin and server.stdout
        pin(caller.pid, LOAD_CORE)
        pin(server.pid, SERVER_CORE)
        server.stdin.write(caller.stdout.readline())
        server.stdin.flush()
        caller.stdin.write(server.stdout.readline())
        caller.stdin.flush()
        seen = json.loads(caller.stdout.readline())
        spent = json.loads(server.stdout.readline())
    finally:
        for process in (caller, server):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate()
    heard_silence = seen["silent"] if kind == "gateway" else 0
    return Run(
        cpu_ms_per_call_s=spent["cpu_s"] * 1000 / calls / spent["seconds"],
        kb_per_call=spent["kb_per_call"],
        deviation_p99_ms=seen["deviation_p99_ms"],
        underruns=max(spent["underruns"], heard_silence),
        lost=seen["gaps"] + spent["lost"],
    )


def pin(pid: int, core: int) -> None:
    if (os.cpu_count() or 1) > max(SERVER_CORE, LOAD_CORE):
        os.sched_setaffinity(pid, {core})


def build_load(folder: Path, talk: float = TALK) -> list[str]:
    """Return the command of the load generator but for CALLS SECONDS WARM_UP, which go before its last
    argument.
    """
    codes = folder / "codes.ulaw"
    codes.write_bytes(g711.encode(conversation(talk), "ulaw").tobytes())
    compiler = shutil.which("cc")
    if compiler is None:
        return [sys.executable, str(HERE / "_rtp_load.py"), str(codes)]
    program = folder / "rtp_load"
    subprocess.run([compiler, "-O2", "-o", str(program), str(HERE / "rtp_load.c"), "-lm"], check=True)
    return [str(program), str(codes)]


def conversation(talk: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Two minutes of a caller: recorded utterances, and between them the noise of a quiet line."""
    chance = np.random.default_rng(59)
    utterances = [read_wav(path).samples for path in sorted(SPEECH.glob("*.wav"))]
    pieces: list[np.ndarray[Any, np.dtype[np.int16]]] = []
    while sum(map(len, pieces)) < 120 * RATE:
        speech = utterances[chance.integers(len(utterances))]
        pause = int(len(speech) * (1 / talk - 1))
        noise = chance.normal(0, 32768 * 10 ** (LINE_NOISE_DB / 20), pause).round().astype(np.int16)
        pieces += [speech, noise]
    return np.concatenate(pieces)


# --- the server under test ------------------------------------------------------------------------------


def serve(kind: str, calls: int, seconds: float) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    peers = [int(port) for port in sys.stdin.readline().split()]
    if kind == "gateway":
        figures = asyncio.run(serve_gateway(peers, seconds))
    else:
        figures = serve_reference(peers, seconds)
    print(json.dumps(figures), flush=True)


class Listener:
    """A call that listens to everything and never stops talking."""

    def __init__(self, prompt: np.ndarray[Any, np.dtype[np.int16]]) -> None:
        self.endpointer = Endpointer(RATE, hangover_ms=80)
        self.prompt = prompt
        self.port: MediaPort
        self.utterances = 0

    def heard(self, frame: HeardFrame) -> None:
        if self.endpointer.push(frame.speech, frame.level_db, frame.pcm):
            self.utterances += 1

    def prompt_started(self, prompt_id: int, at: float) -> None:
        self.play(prompt_id + 1)

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        pass

    def keyed(self, digit: str) -> None:
        pass

    def play(self, prompt_id: int) -> None:
        self.port.playout.add(prompt_id, self.prompt)
        self.port.playout.close(prompt_id)


async def serve_gateway(peers: list[int], seconds: float) -> dict[str, Any]:
    media = MediaLoop("127.0.0.1", FIRST_PORT, LAST_PORT)
    media.start()
    # A prompt with no silent frame in it, so that silence at the other end is an underrun.
    time_s = np.arange(3 * RATE) / RATE
    prompt = (3000 * np.sin(2 * np.pi * 300 * time_s) * (1.2 + np.sin(2 * np.pi * 3 * time_s))).astype(
        np.int16
    )
    ports: list[MediaPort] = []
    before_kb = 0
    for number, peer in enumerate(peers):
        listener = Listener(prompt)
        listener.port = media.open_port(f"call-{number}", "ulaw", vad=WebrtcVad(3), listener=listener)
        listener.port.connect("127.0.0.1", peer)
        listener.play(0)
        ports.append(listener.port)
        if not number:
            await asyncio.sleep(
                0.1
            )  # a few ticks, so that what all calls share is there before it is measured
            before_kb = private_kb()
    gc.collect()
    gc.freeze()
    print(*(port.port for port in ports), flush=True)
    await asyncio.sleep(WARM_UP_S)
    began, cpu = time.monotonic(), cpu_s()
    await asyncio.sleep(seconds)
    cpu, took = cpu_s() - cpu, time.monotonic() - began
    kb = private_kb()
    figures = [port.statistics() for port in ports]
    media.stop()
    return {
        "cpu_s": cpu,
        "seconds": took,
        "kb_per_call": (kb - before_kb) / max(1, len(ports) - 1),
        "underruns": sum(each.underruns for each in figures),
        "lost": sum(each.lost + each.late + each.flooded for each in figures),
    }


def serve_reference(peers: list[int], seconds: float) -> dict[str, Any]:
    """The least a Python loop can do: wait for the tick, drain every socket, send one packet from every
    socket.
    """
    doors = []
    for peer in peers:
        door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        door.setblocking(False)
        door.bind(("127.0.0.1", 0))
        door.connect(("127.0.0.1", peer))
        doors.append(door)
    packet = bytes(172)
    print(*(door.getsockname()[1] for door in doors), flush=True)

    def ticks(until: float) -> Iterator[None]:
        due = time.monotonic()
        while due < until:
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))
            yield

    def run(length: float) -> None:
        for _ in ticks(time.monotonic() + length):
            for door in doors:
                try:
                    while True:
                        door.recv(2048)
                except BlockingIOError:
                    pass
            for door in doors:
                door.send(packet)

    run(WARM_UP_S)
    began, cpu = time.monotonic(), cpu_s()
    run(seconds)
    cpu, took = cpu_s() - cpu, time.monotonic() - began
    return {"cpu_s": cpu, "seconds": took, "kb_per_call": 0.0, "underruns": 0, "lost": 0}


def cpu_s() -> float:
    """Processor time of this process's threads: exact, where utime and stime only sample the tick."""
    files = Path("/proc/self/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


def private_kb() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


if __name__ == "__main__":
    main()
