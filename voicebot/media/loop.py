"""The one 20 ms tick that serves every call of the process.

Being woken costs more than all the work on a frame. So nothing wakes us but the clock: a tick takes what all
calls say, encodes it in one look-up and sends it; then it drains the sockets of all calls, decodes all frames
in one look-up, and lets each call hear.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from voicebot.audio.frames import FRAME_MS, FRAMES_PER_SECOND
from voicebot.errors import Problem, UserError
from voicebot.media.clock import TickClock
from voicebot.media.codecs import open_codec
from voicebot.media.doors import Doors, open_door
from voicebot.media.group import CodecGroup
from voicebot.media.port import MediaListener, MediaPort
from voicebot.speech.vad import Vad

MAX_CATCH_UP_TICKS = 15
"""After a delay as long as this (300 ms) calls hear all of it; what waited longer is lost."""

REMEMBERED_TICKS = 60 * FRAMES_PER_SECOND
"""Lateness is known for the last minute."""

REVIEW_TICKS = 50
"""So often everything that peers sent is read; else only what a call out of step got, and one datagram of
others.
"""

MAX_GROUP = 128
"""Calls handled together. More are not cheaper, and a call that comes or goes makes its group start anew."""

Failed = Callable[[str, Exception], None]


class PortsExhausted(UserError):
    """Every even port of the configured range is taken."""


@dataclass(frozen=True, slots=True)
class LoopStatistics:
    """How punctual the tick is. Lateness and busy time a tick in ms over the last minute.

    lateness:  from the deadline of a tick to its beginning (something else held the event loop)
    busy:      from its beginning to its end
    skipped:   ticks since the start that never were, because one before them was too late
    """

    ticks: int = 0
    skipped: int = 0
    lateness_p50_ms: float = 0.0
    lateness_p99_ms: float = 0.0
    busy_p50_ms: float = 0.0
    busy_p99_ms: float = 0.0
    ports: int = 0


class MediaLoop:
    """Drives all ports of this process from one timer.

    `failed` is told of an exception in a call's listener, VAD or tap: (call_id, error); that port is
    closed, all others go on. `stopped` is done when the loop stops, with the exception if it broke.
    """

    stopped: asyncio.Future[None]

    def __init__(self, host: str, first_port: int, last_port: int, failed: Failed | None = None) -> None:
        """`host` is the address to bind to; of the ports only even ones are used (RFC 3550, section 11)."""
        self._host = host
        self._candidates = deque(range(first_port + first_port % 2, last_port + 1, 2))
        self._failed = failed
        self._clock = TickClock(self._tick)
        self._peers = Doors()
        self._strangers = Doors()
        self._review_at = 0  # tick
        self._ports: dict[MediaPort, None] = {}
        self._groups: list[CodecGroup] = []
        self._running = False
        self._ticks = 0  # since the start, the skipped ones too
        self._skipped = 0
        self._lateness: deque[float] = deque(maxlen=REMEMBERED_TICKS)
        self._busy: deque[float] = deque(maxlen=REMEMBERED_TICKS)

    # --- for the application ---------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to tick on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.stopped = self._loop.create_future()
        self._clock.start()
        self._running = True

    def stop(self) -> None:
        """Stop the tick and close every port. Idempotent."""
        self._end(None)

    def open_port(self, call_id: str, codec: str, *, vad: Vad, listener: MediaListener) -> MediaPort:
        """Bind a free even port of the range for a call.

        `codec` is `ulaw`, `alaw`, `slin` or `g722`. Raises PortsExhausted when none is free, UserError when
        the codec's library is missing or the address cannot be bound.
        """
        coder = open_codec(codec)
        for _ in range(len(self._candidates)):
            number = self._candidates[0]
            self._candidates.rotate(-1)  # a port just given back rests: packets of its last call die out
            try:
                door = open_door(self._host, number)
            except OSError as error:
                what = f"media address {self._host} cannot be bound: {error.strerror}"
                raise UserError(what, "set [media] bind to an address of this machine") from error
            if door is not None:
                port = MediaPort(
                    call_id,
                    (self._host, number),
                    door,
                    coder,
                    vad,
                    listener,
                    (self._peers, self._strangers),
                    self._changed,
                )
                self._ports[port] = None
                self._changed(port)
                return port
        raise PortsExhausted(
            Problem(f"all media ports on {self._host} are taken", "widen first_port to last_port in [media]")
        )

    def statistics(self) -> LoopStatistics:
        """Return how punctual the tick has been."""
        return LoopStatistics(
            ticks=self._ticks,
            skipped=self._skipped,
            lateness_p50_ms=_percentile_ms(self._lateness, 0.5),
            lateness_p99_ms=_percentile_ms(self._lateness, 0.99),
            busy_p50_ms=_percentile_ms(self._busy, 0.5),
            busy_p99_ms=_percentile_ms(self._busy, 0.99),
            ports=len(self._ports),
        )

    # --- the tick --------------------------------------------------------------------------------------

    def _tick(self, skipped: int, lateness: float) -> None:
        began = self._loop.time()
        self._ticks += 1 + skipped
        self._skipped += skipped
        try:
            groups = tuple(self._groups)  # calls may come and go while others hear
            # Speaking comes first: what is said was decided between the ticks, and so it leaves on time
            # however long hearing takes.
            for group in groups:
                group.speak(began, skipped)
            for group in groups:
                group.read()
            self._strangers.drain(self._ticks)
            if self._ticks >= self._review_at:
                self._review_at = self._ticks + REVIEW_TICKS
                self._peers.drain(self._ticks)
            for group in groups:
                group.sort(self._ticks)
            for behind in range(min(skipped, MAX_CATCH_UP_TICKS), -1, -1):
                for group in groups:
                    group.hear(began - behind * FRAME_MS / 1000, behind)
        except Exception as error:  # a fault of ours, not of a call: who waits for `stopped` must know
            self._end(error)
            return
        self._lateness.append(lateness)
        self._busy.append(self._loop.time() - began)

    # --- keeping house ---------------------------------------------------------------------------------

    def _close_failed(self, port: MediaPort, error: Exception) -> None:
        port.close()
        if self._failed is not None:
            self._failed(port.call_id, error)

    def _changed(self, port: MediaPort) -> None:
        """Put a port that has changed into a new group, with those of its old one that are still open."""
        members: list[MediaPort] = [port]
        place = self._place_of(port)
        if place < len(self._groups):
            old = self._groups.pop(place)
            old.dissolve()
            members = [*(each for each in old.ports if each is not port), port]
        if still_open := [each for each in members if each.open]:
            self._groups.insert(place, CodecGroup(port.coder, still_open, self._close_failed))
        if not port.open:
            self._ports.pop(port, None)

    def _place_of(self, port: MediaPort) -> int:
        """Where the port's group is, or one with room for it, or one to be made."""
        room = len(self._groups)
        for place, group in enumerate(self._groups):
            if port in group.ports:
                return place
            if group.codec is port.coder and len(group.ports) < MAX_GROUP:
                room = place
        return room

    def _end(self, error: Exception | None) -> None:
        for port in tuple(self._ports):
            port.close()
        if self._running:
            self._running = False
            self._clock.stop()
            self._peers.close()
            self._strangers.close()
            if not self.stopped.done():
                if error is None:
                    self.stopped.set_result(None)
                else:
                    self.stopped.set_exception(error)


def _percentile_ms(seconds: deque[float], share: float) -> float:
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 3) if ordered else 0.0
