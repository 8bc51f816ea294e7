"""What one call receives by RTP: which packets are believed, and what they carry (RFC 3550).

The shell hands in datagrams that came from the right address and the number of its tick, which is the only
clock here.
"""

from __future__ import annotations

from collections import deque

from voicebot.audio.frames import FRAME_MS
from voicebot.rtp.jitterbuffer import NO_AUDIO, JitterBuffer
from voicebot.rtp.packet import HEADER, MARKER, PLAIN, MalformedPacket, RtpPacket, parse, parse_event
from voicebot.rtp.sending import CLOCK_HZ, TIMESTAMP_STEP
from voicebot.rtp.sequence import INVALID, SequenceTracker
from voicebot.rtp.statistics import Jitter

TELEPHONE_EVENT = 101
"""Payload type of RFC 4733 events where no SDP says otherwise; Asterisk's default."""

TAKEOVER_TICKS = 3
"""Another SSRC is only believed once the locked one has been silent for so long (60 ms)."""

REMEMBERED_EVENTS = 8


class _Source:
    """A synchronisation source that may speak to us."""

    __slots__ = ("jitter", "ssrc", "tracker")

    def __init__(self, ssrc: int) -> None:
        self.ssrc = ssrc
        self.tracker = SequenceTracker()
        self.jitter = Jitter()


class RtpSession:
    """Both directions of one call.

    Give datagrams to `receive()`, take one frame a tick from `take()`, make packets by `packet()`. Keys
    that were pressed are appended to `keys`; empty it after reading.

    forged:      packets of another SSRC while the locked one lived
    malformed:   not RTP, or not a whole frame of the agreed codec
    unexpected:  of a payload type that was not agreed
    """

    __slots__ = (
        "_buffer", "_candidate", "_events", "_frame_bytes", "_last_arrival", "_locked", "_payload_type",
        "_prior_expected", "_prior_received", "_restarts", "_source",
        "forged", "keys", "malformed", "unexpected",
    )  # fmt: skip

    def __init__(self, payload_type: int, payload_bytes: int) -> None:
        """`payload_bytes` is that of a 20 ms frame of the codec with `payload_type`."""
        self._payload_type = payload_type
        self._frame_bytes = HEADER.size + payload_bytes
        self._buffer = JitterBuffer()
        self._source: _Source | None = None
        self._locked = -1  # its SSRC
        self._candidate: _Source | None = None
        self._last_arrival = -TAKEOVER_TICKS
        self._restarts = 0
        self._prior_expected = 0  # of sources before this one
        self._prior_received = 0
        self._events: deque[int] = deque(maxlen=REMEMBERED_EVENTS)
        self.keys: list[str] = []
        self.forged = 0
        self.malformed = 0
        self.unexpected = 0

    # --- what comes in ---------------------------------------------------------------------------------

    def receive(self, datagram: bytes, tick: int) -> None:
        """Take one datagram that arrived before the tick numbered `tick`. Never raises."""
        if len(datagram) == self._frame_bytes and datagram[0] == PLAIN:  # the usual case
            _, kind, sequence, timestamp, ssrc = HEADER.unpack_from(datagram)
            if ssrc == self._locked and kind & ~MARKER == self._payload_type:
                self._accept(sequence, timestamp, datagram[HEADER.size :], tick)
                return
        try:
            packet = parse(datagram)
        except MalformedPacket:
            self.malformed += 1
            return
        self._receive_unusual(packet, tick)

    def _receive_unusual(self, packet: RtpPacket, tick: int) -> None:
        """A packet of a new source, with a key, or with an uncommon header."""
        if packet.payload_type not in (self._payload_type, TELEPHONE_EVENT):
            self.unexpected += 1
        elif packet.ssrc != self._locked and not self._take_over(packet, tick):
            pass
        elif packet.payload_type == TELEPHONE_EVENT:
            self._receive_event(packet, tick)
        elif len(packet.payload) != self._frame_bytes - HEADER.size:
            self.malformed += 1
        else:
            self._accept(packet.sequence, packet.timestamp, packet.payload, tick)

    def _accept(self, sequence: int, timestamp: int, payload: bytes, tick: int) -> None:
        source = self._source
        assert source is not None
        self._last_arrival = tick
        extended = source.tracker.update(sequence)
        if extended == INVALID:
            return
        if payload:
            source.jitter.arrived(tick * TIMESTAMP_STEP, timestamp)
        if source.tracker.restarts != self._restarts:
            self._restarts = source.tracker.restarts
            self._buffer.reset()
        self._buffer.put(extended, payload)

    def _take_over(self, packet: RtpPacket, tick: int) -> bool:
        """Lock on a new source, if the old one is silent and the new one has proved itself (A.1)."""
        if self._source is not None and tick - self._last_arrival < TAKEOVER_TICKS:
            self.forged += 1
            return False
        if self._candidate is None or self._candidate.ssrc != packet.ssrc:
            self._candidate = _Source(packet.ssrc)
        candidate = self._candidate
        if candidate.tracker.update(packet.sequence) == INVALID:
            return False
        if self._source is not None:
            self._prior_expected += self._source.tracker.expected
            self._prior_received += self._source.tracker.received
        # The packet that ended the probation is numbered again, as the first of the source now locked.
        self._source = _Source(packet.ssrc)
        self._source.tracker = SequenceTracker(min_sequential=1)
        self._candidate = None
        self._locked = packet.ssrc
        self._restarts = 0
        self._buffer.reset()
        return True

    def _receive_event(self, packet: RtpPacket, tick: int) -> None:
        """Report a key at the first packet of its event; all packets of one event share its timestamp."""
        try:
            event = parse_event(packet.payload)
        except MalformedPacket:
            self.malformed += 1
            return
        self._accept(packet.sequence, packet.timestamp, NO_AUDIO, tick)
        if packet.timestamp not in self._events:
            self._events.append(packet.timestamp)
            if event.key:
                self.keys.append(event.key)

    def take(self, quiet: bool = False, behind: int = 0) -> bytes | None:
        """Return the payload to hear in this tick, None where nothing came (see JitterBuffer.take)."""
        source = self._source
        if source is None:
            return None
        return self._buffer.take(source.jitter.value * 1000 / CLOCK_HZ, quiet, behind)

    # --- many calls at once (see lockstep) -------------------------------------------------------------

    def next_header(self, tick: int) -> bytes | None:
        """Return the header of the next packet if all goes on as in this tick, None if that cannot be told.

        Packets may be `waiting()`, but none be missing.
        """
        source = self._source
        if source is None or self._last_arrival != tick or not self._buffer.in_step:
            return None
        sequence = (source.tracker.highest + 1) & 0xFFFF
        timestamp = ((tick + 1) * TIMESTAMP_STEP - source.jitter.transit) & 0xFFFFFFFF
        return HEADER.pack(PLAIN, self._payload_type, sequence, timestamp, source.ssrc)

    def waiting(self) -> list[bytes]:
        """Return the payloads that wait for their tick, the next one first."""
        return self._buffer.waiting()

    def catch_up(self, steps: int, tick: int, waiting: list[bytes]) -> None:
        """Learn that in each of `steps` ticks up to `tick` the packet arrived that `next_header` told, and
        that
        now these are `waiting`."""
        assert self._source is not None
        self._last_arrival = tick
        self._source.tracker.step(steps)
        self._source.jitter.step(steps)
        self._buffer.step(steps, waiting, self.jitter_ms)

    # --- figures ---------------------------------------------------------------------------------------

    @property
    def received(self) -> int:
        """Packets believed, of all sources so far."""
        return self._prior_received + (self._source.tracker.received if self._source else 0)

    @property
    def expected(self) -> int:
        """Packets that should have come."""
        return self._prior_expected + (self._source.tracker.expected if self._source else 0)

    @property
    def jitter_ms(self) -> float:
        return self._source.jitter.value * 1000 / CLOCK_HZ if self._source else 0.0

    @property
    def duplicates(self) -> int:
        return self._buffer.duplicates

    @property
    def late(self) -> int:
        return self._buffer.late

    @property
    def delay_ms(self) -> int:
        """What the jitter buffer adds now."""
        return self._buffer.depth * FRAME_MS

    @property
    def longest_delay_ms(self) -> int:
        return self._buffer.longest * FRAME_MS
