"""How many short look-ups a FastAGI server does on one core, beside a bare line protocol of the same bytes.

A look-up is a whole connection: connect, the environment (22 lines), SET VARIABLE four times, each answered,
and the end. The client is another process on another core; the server's process is held to one. Measured are
look-ups a second, and what one costs the server in CPU. `cached` answers from memory, as for a caller who
calls again within `cache`; `sqlite` asks a database of 10,000 callers each time, in a thread. Both count. The
reference is an asyncio protocol that sends the same four lines, one after each line that comes, and knows
nothing of what they mean.

Usage: scripts/bench agi [--json] [--seconds S] [--rounds N] [--clients N]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import select
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from voicebot.app.logs import configure_logs
from voicebot.fastagi.lookups.live import LiveLookups
from voicebot.fastagi.scripts import Scripts
from voicebot.fastagi.server import FastAgiServer

TARGETS = {"lookups_per_s": 2000, "ratio": 3.0}
CALLERS = 10_000
SETS = 4
KINDS = ("cached", "sqlite", "echo")
FILE = """\
databases: {crm: "sqlite:///callers.db"}
lookups:
  cached:
    query: SELECT tier, language, dialog FROM callers WHERE number = :caller
    set: {VOICEBOT_VIP: tier, VOICEBOT_LANGUAGE: language, VOICEBOT_DIALOG: dialog}
    cache: 1h
  sqlite:
    query: SELECT tier, language, dialog FROM callers WHERE number = :caller
    set: {VOICEBOT_VIP: tier, VOICEBOT_LANGUAGE: language, VOICEBOT_DIALOG: dialog}
"""
ENVIRONMENT = (
    "agi_network: yes\nagi_network_script: lookup/{kind}\nagi_request: agi://127.0.0.1:{port}/lookup/{kind}\n"
    "agi_channel: PJSIP/trunk-{number}\nagi_language: en\nagi_type: PJSIP\nagi_uniqueid: 179.{number}\n"
    "agi_version: 22.10.1\nagi_callerid: +1202555{number:04}\nagi_calleridname: Caller {number}\n"
    "agi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: 4000\n"
    "agi_rdnis: unknown\nagi_context: voicebot-in\nagi_extension: 4000\nagi_priority: 2\nagi_enhanced: 0.0\n"
    "agi_accountcode: \nagi_threadid: 140000000000000\n\n"
)
REPLY = b"200 result=1\n"
ECHOED = (
    b"SET VARIABLE VOICEBOT_VIP gold\n", b"SET VARIABLE VOICEBOT_LANGUAGE en-US\n",
    b"SET VARIABLE VOICEBOT_DIALOG clinic\n", b"SET VARIABLE VOICEBOT_LOOKUP found\n",
)  # fmt: skip


class Bare(asyncio.Protocol):
    """The reference: a line out for what comes in, and the end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""
        self.sent = 0

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = b"\n" if self.sent else b"\n\n"
        if not self.buffer.endswith(end):
            return
        self.buffer = b""
        if self.sent == SETS:
            self.transport.close()
            return
        self.transport.write(ECHOED[self.sent])
        self.sent += 1


def serve(kind: str, folder: Path, pipe: Connection, core: int | None) -> None:
    """The server's process: tells its port, then its CPU time whenever it is asked."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    configure_logs("error")
    gc.collect()
    gc.freeze()  # as `voicebot serve` does
    asyncio.run(_serve(kind, folder, pipe))


async def _serve(kind: str, folder: Path, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    if kind == "echo":
        server = await loop.create_server(Bare, "127.0.0.1", 0, backlog=512)
        async with server:
            await _answer(pipe, server.sockets[0].getsockname()[1])
        return
    async with LiveLookups(folder / "lookups.yaml") as lookups:
        scripts = Scripts()
        scripts.add("lookup", lookups.serve, tells_itself=True)
        async with FastAgiServer(scripts, port=0, sessions=1000) as fast:
            await _answer(pipe, fast.port)


async def _answer(pipe: Connection, port: int) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    loop.add_reader(pipe.fileno(), asked.set)
    pipe.send(port)
    while True:
        await asked.wait()
        asked.clear()
        if not pipe.poll():
            continue
        if pipe.recv() == "end":
            loop.remove_reader(pipe.fileno())
            return
        pipe.send(time.process_time())


class Client:
    """Many sessions at once over epoll, each anew when it is over."""

    def __init__(self, port: int, kind: str, clients: int) -> None:
        self.port, self.clients = port, clients
        self.done = self.broken = 0
        self._number = 0
        self._blocks = [
            ENVIRONMENT.format(kind=kind, port=port, number=number).encode() for number in range(1000)
        ]
        self._poll = select.epoll()
        self._open: dict[int, tuple[socket.socket, int]] = {}

    def run(self, seconds: float) -> float:
        """Return the seconds that it took."""
        began = time.perf_counter()
        for _ in range(self.clients):
            self._begin()
        while self._open:
            going_on = time.perf_counter() - began < seconds
            for number, _ in self._poll.poll(5):
                self._step(number, going_on)
        return time.perf_counter() - began

    def _begin(self) -> None:
        self._number += 1
        one = socket.create_connection(("127.0.0.1", self.port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.send(self._blocks[self._number % len(self._blocks)])
        self._poll.register(one, select.EPOLLIN)
        self._open[one.fileno()] = (one, 0)

    def _step(self, number: int, going_on: bool) -> None:
        one, count = self._open[number]
        data = one.recv(4096)
        if data:
            self._open[number] = (one, count + 1)
            one.send(REPLY)
            return
        self._poll.unregister(one)
        del self._open[number]
        one.close()
        self.done += 1
        self.broken += count != SETS
        if going_on:
            self._begin()


def measure(
    kind: str, folder: Path, seconds: float, clients: int, cores: tuple[int, ...]
) -> dict[str, float]:
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    server = context.Process(target=serve, args=(kind, folder, theirs, cores[0] if len(cores) > 1 else None))
    server.start()
    try:
        port = ours.recv()
        if len(cores) > 1:
            os.sched_setaffinity(0, set(cores[1:]))
        warm = Client(port, kind, clients)
        warm.run(0.3)
        ours.send("cpu")
        before = ours.recv()
        client = Client(port, kind, clients)
        took = client.run(seconds)
        ours.send("cpu")
        cpu = ours.recv() - before
        assert client.broken == 0, f"{client.broken} of {client.done} sessions of {kind} broke off"
        ours.send("end")
        server.join(5)
    finally:
        server.kill()
        server.join()
    return {"per_s": client.done / took, "cpu_us": cpu / client.done * 1e6, "share": cpu / took}


def make_callers(folder: Path) -> None:
    (folder / "lookups.yaml").write_text(FILE)
    with sqlite3.connect(folder / "callers.db") as database:
        database.execute(
            "CREATE TABLE callers (number TEXT PRIMARY KEY, tier TEXT, language TEXT, dialog TEXT)"
        )
        rows = ((f"+1202555{number:04}", "gold", "en-US", "clinic") for number in range(CALLERS))
        database.executemany("INSERT INTO callers VALUES (?, ?, ?, ?)", rows)
    database.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\nUsage")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts (default 3)")
    parser.add_argument("--clients", type=int, default=16, help="sessions at once (default 16)")
    options = parser.parse_args()
    cores = tuple(sorted(os.sched_getaffinity(0)))
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory(prefix="voicebot-agi-") as name:
        make_callers(Path(name))
        for _ in range(options.rounds):
            for kind in KINDS:
                runs[kind].append(measure(kind, Path(name), options.seconds, options.clients, cores))
    median = {
        kind: {key: statistics.median(run[key] for run in found) for key in found[0]}
        for kind, found in runs.items()
    }
    ratios = {kind: median[kind]["cpu_us"] / median["echo"]["cpu_us"] for kind in ("cached", "sqlite")}
    met = all(
        median[kind]["per_s"] >= TARGETS["lookups_per_s"] and ratio <= TARGETS["ratio"]
        for kind, ratio in ratios.items()
    )
    result = {
        "lookups_per_s": round(median["cached"]["per_s"]),
        "ratio": round(ratios["cached"], 2),
        "sqlite_per_s": round(median["sqlite"]["per_s"]),
        "sqlite_ratio": round(ratios["sqlite"], 2),
        "echo_per_s": round(median["echo"]["per_s"]),
        "cpu_us": {kind: round(found["cpu_us"]) for kind, found in median.items()},
        "per_cpu_s": {kind: round(1e6 / found["cpu_us"]) for kind, found in median.items()},
        "targets": TARGETS,
        "met": met,
    }
    if options.json:
        print(json.dumps(result))
    else:
        for kind in KINDS:
            found = median[kind]
            print(
                f"{kind:8} {found['per_s']:7.0f} a second, {found['cpu_us']:5.0f} us CPU each, "
                f"core busy {found['share']:.0%}"
            )
        for kind, ratio in ratios.items():
            print(f"{kind} / echo: {ratio:.2f} of the CPU")
        print(f"{'met' if met else 'missed'}: >= {TARGETS['lookups_per_s']}/s, ratio <= {TARGETS['ratio']}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
