"""What rtp_load.c does, for machines without a C compiler: good for a few dozen calls, and less exact.

Same arguments, input and output. Arrivals are stamped when this process reads them, a millisecond apart.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import statistics
import struct
import sys
import time
from pathlib import Path

FRAME, SLOTS, SILENCE = 160, 20, b"\xff" * 160


class Caller:
    def __init__(self, number: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.ssrc = 0x10000 + number
        self.offset = number * 37
        self.sent = 0
        self.arrivals: list[tuple[float, int, int, bool]] = []  # time in ms, sequence, timestamp, silent

    def send(self, codes: bytes) -> None:
        frame = (self.offset + self.sent) % (len(codes) // FRAME) * FRAME
        header = struct.pack("!BBHII", 0x80, 0, self.sent & 0xFFFF, self.sent * FRAME, self.ssrc)
        with contextlib.suppress(ConnectionRefusedError):
            self.socket.send(header + codes[frame : frame + FRAME])
        self.sent += 1

    def receive(self, measuring: bool) -> None:
        try:
            while True:
                data = self.socket.recv(2048)
                if measuring:
                    _, _, sequence, timestamp, _ = struct.unpack_from("!BBHII", data)
                    self.arrivals.append((time.monotonic() * 1000, sequence, timestamp, data[12:] == SILENCE))
        except OSError:  # nothing more; or the server is not there yet, or no more
            pass

    def deviations(self) -> list[float]:
        if not self.arrivals:
            return []
        first = self.arrivals[0][2]
        times = [at - ((stamp - first) & 0xFFFFFFFF) / FRAME * 20 for at, _, stamp, _ in self.arrivals]
        middle = statistics.median(times)
        return [abs(at - middle) for at in times]

    def gaps(self) -> int:
        numbers = [sequence for _, sequence, _, _ in self.arrivals]
        return sum((later - sooner) & 0xFFFF != 1 for sooner, later in itertools.pairwise(numbers))


def main() -> None:
    calls, seconds, warm_up = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    codes = Path(sys.argv[4]).read_bytes()
    callers = [Caller(number) for number in range(calls)]
    print(*(caller.socket.getsockname()[1] for caller in callers), flush=True)
    for caller, port in zip(callers, sys.stdin.readline().split(), strict=True):
        caller.socket.connect(("127.0.0.1", int(port)))
    began = time.monotonic()
    for step in range(int(seconds * 50) * SLOTS):
        time.sleep(max(0.0, began + step / 1000 - time.monotonic()))
        for caller in callers[step % SLOTS :: SLOTS]:
            caller.send(codes)
        for caller in callers[(step + SLOTS // 2) % SLOTS :: SLOTS]:
            caller.receive(measuring=step >= warm_up * 1000)
    deviations = sorted(deviation for caller in callers for deviation in caller.deviations())
    seen = {
        "sent": sum(caller.sent for caller in callers),
        "received": len(deviations),
        "gaps": sum(caller.gaps() for caller in callers),
        "silent": sum(silent for caller in callers for _, _, _, silent in caller.arrivals),
        "deviation_p50_ms": round(statistics.median(deviations), 3) if deviations else 0.0,
        "deviation_p99_ms": round(deviations[int(0.99 * len(deviations))], 3) if deviations else 0.0,
        "deviation_max_ms": round(deviations[-1], 3) if deviations else 0.0,
    }
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
