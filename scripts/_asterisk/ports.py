"""Free ports, and who holds a taken one (Linux: /proc)."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Protocol = Literal["tcp", "udp"]
HOST = "127.0.0.1"
RTP_BLOCK = 1000
"""UDP ports of an instance that chooses its ports itself: 250 calls to the bot, four ports each."""
FIRST_CHOSEN = 13_000
"""Below lie the defaults: Asterisk's RTP (10000 to 11999) and the gateway's (12000 to 12999)."""
LISTENING = "0A"


@dataclass(frozen=True)
class Ports:
    """The ports of one instance; `rtp_first` to `rtp_last` inclusive."""

    ari: int
    ami: int
    sip: int
    rtp_first: int
    rtp_last: int

    def single(self) -> dict[str, tuple[Protocol, int]]:
        """The ports that must be free, by the flag that sets them."""
        return {
            "--ari-port": ("tcp", self.ari),
            "--ami-port": ("tcp", self.ami),
            "--sip-port": ("udp", self.sip),
        }


def is_free(protocol: Protocol, port: int) -> bool:
    """True if Asterisk could bind the port on loopback now; closing connections do not count."""
    with _socket(protocol) as probe:
        if protocol == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


class Chooser:
    """Chooses free ports and keeps them bound until `release()`: two runs at once choose different ones.

    They lie below the range from which the kernel serves everybody's port 0.
    """

    def __init__(self) -> None:
        self._held = ExitStack()
        first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        self._last = first_ephemeral - 1 if first_ephemeral > FIRST_CHOSEN + 3 * RTP_BLOCK else 32_000

    def choose(self, protocol: Protocol) -> int:
        for _ in range(1000):
            port = random.randint(FIRST_CHOSEN, self._last)
            probe = self._held.enter_context(_socket(protocol))
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
        raise OSError("no free port found")

    def choose_rtp(self) -> tuple[int, int]:
        """Return a block of ports. A few may be taken: Asterisk tries the next one in its range then."""
        first = random.randrange(FIRST_CHOSEN, self._last - RTP_BLOCK, RTP_BLOCK)
        return first, first + RTP_BLOCK - 1

    def release(self) -> None:
        self._held.close()


def holder(protocol: Protocol, port: int) -> tuple[int, str] | None:
    """Return (pid, name) of the process that holds a port, None if it is free or not ours to see."""
    inodes = _inodes(protocol, port)
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and inodes & _sockets_of(process):
            return int(process.name), _name_of(process)
    return None


def _name_of(process: Path) -> str:
    name = (process / "comm").read_text().strip()
    arguments = (process / "cmdline").read_text(errors="replace").split("\0")
    return "asterisk" if any(argument.endswith("/asterisk") for argument in arguments) else name


def holds(pid: int, protocol: Protocol, port: int) -> bool:
    """True if process `pid` is the one that holds a port."""
    return bool(_inodes(protocol, port) & _sockets_of(Path(f"/proc/{pid}")))


def _socket(protocol: Protocol) -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)


def _inodes(protocol: Protocol, port: int) -> set[str]:
    found = set()
    for table in (protocol, f"{protocol}6"):
        path = Path(f"/proc/net/{table}")
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            local, state, inode = fields[1], fields[3], fields[9]
            if int(local.rpartition(":")[2], 16) == port and (protocol == "udp" or state == LISTENING):
                found.add(inode)
    return found


def _sockets_of(process: Path) -> set[str]:
    found = set()
    try:
        for descriptor in (process / "fd").iterdir():
            try:
                target = str(descriptor.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:  # gone, or another user's
        pass
    return found
