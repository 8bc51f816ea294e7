"""The sockets of all calls: how they are opened, and how they are drained once a tick.

Every call has two sockets on one port. One is connected to the peer, so the kernel hands it nothing from
any other address; the other one gets everything else. A stranger's flood therefore fills a queue that no
call depends on.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable

MAX_PACKETS_A_TICK = 16
"""Datagrams that one socket may bring in one tick: 15 more than a healthy call does."""

MAX_DISCARDS_A_TICK = 64
"""Further datagrams that are read only to be counted, so that a flood does not wait for the next tick."""

RECEIVE_BUFFER_BYTES = 32_768
"""Room of a socket in the kernel: about 80 small datagrams there, so no flood gets old enough to matter."""

MAX_DATAGRAM_BYTES = 2048

Address = tuple[str, int]
Receive = Callable[[bytes, int], None]
"""Takes a datagram and the number of the tick. Must not raise, nor open or close sockets."""
Flooded = Callable[[int], None]
"""Told how many datagrams were discarded."""


def open_door(host: str, port: int) -> socket.socket | None:
    """Bind a port for a call; None if somebody has it."""
    door = socket.socket(_family(host), socket.SOCK_DGRAM)
    try:
        door.setblocking(False)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        door.bind((host, port))
        # Only now: bound without it, a port that another process holds is refused.
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError as error:
        door.close()
        if isinstance(error, PermissionError) or error.errno == errno.EADDRINUSE:
            return None
        raise
    return door


def connect_door(door: socket.socket, peer: Address) -> socket.socket:
    """Return a second socket on the port of `door` that hears and speaks to `peer` alone."""
    connected = socket.socket(door.family, socket.SOCK_DGRAM)
    try:
        connected.setblocking(False)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        connected.bind(door.getsockname())
        connected.connect(peer)
        discard(connected.recv)  # of what slipped in between the two
        discard(door.recv)  # of what came before anybody was expected
    except OSError:
        connected.close()
        raise
    return connected


class Doors:
    """Watches sockets, and drains those that have something, once a tick and bounded."""

    def __init__(self) -> None:
        self._poller = select.epoll()
        self._watched: dict[int, tuple[Callable[[int], bytes], Receive, Flooded]] = {}

    def watch(self, door: socket.socket, receive: Receive, flooded: Flooded) -> None:
        self._watched[door.fileno()] = (door.recv, receive, flooded)
        self._poller.register(door.fileno(), select.EPOLLIN)

    def forget(self, door: socket.socket) -> None:
        """Stop watching a socket, before it is closed."""
        self._poller.unregister(door.fileno())
        del self._watched[door.fileno()]

    def drain(self, tick: int) -> None:
        """Hand over all datagrams that have come, in rounds of one a socket."""
        watched = self._watched
        for _ in range(MAX_PACKETS_A_TICK):
            ready = self._poller.poll(0, len(watched) or 1)
            if not ready:
                return
            for fd, _ in ready:
                take, receive, _ = watched[fd]
                try:
                    datagram = take(MAX_DATAGRAM_BYTES)
                except OSError:  # an ICMP message (nobody listens there yet), or a checksum that failed
                    continue
                receive(datagram, tick)
        for fd, _ in self._poller.poll(0):
            take, _, flooded = watched[fd]
            flooded(discard(take))

    def close(self) -> None:
        self._poller.close()


def discard(take: Callable[[int], bytes]) -> int:
    """Read and forget what waits in a socket, up to a bound; return how many datagrams it was."""
    count = 0
    try:
        while count < MAX_DISCARDS_A_TICK:
            take(1)  # the rest of a datagram is dropped; of none (0) nothing would be read at all
            count += 1
    except OSError:
        pass
    return count


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
