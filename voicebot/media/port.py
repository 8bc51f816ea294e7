"""One call's door to the network: its sockets, its RTP session, its jitter buffer and its playout.

A port is made by `MediaLoop.open_port`, which also drives it; the call gives it a peer with `connect()`,
prompts by `playout`, and hears through its `MediaListener`. All of it runs on the event loop's thread.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from voicebot.audio.frames import Samples, samples_per_frame, to_samples
from voicebot.audio.playout import Playout, PromptStarted
from voicebot.media.codecs import Codec
from voicebot.media.doors import MAX_DATAGRAM_BYTES, MAX_PACKETS_A_TICK, Doors, connect_door, discard
from voicebot.rtp.concealment import CONCEALED_FRAMES, conceal
from voicebot.rtp.sending import OutgoingStream
from voicebot.rtp.session import RtpSession
from voicebot.speech.vad import Vad


class HeardFrame(NamedTuple):
    """20 ms of the caller. (A named tuple: it is made 50 times a second in every call.)

    pcm:       16-bit little-endian mono at the port's `sample_rate`
    speech:    what the VAD says of it
    level_db:  RMS in dBFS (0 is a full-scale square wave), -96 for digital silence
    lost:      nothing arrived for it: it is concealment, or silence
    at:        time of the tick, on the event loop's clock, in s
    """

    pcm: bytes
    speech: bool
    level_db: float
    lost: bool
    at: float


class MediaListener(Protocol):
    """Who hears a call. Called from the tick: return at once, never wait."""

    def heard(self, frame: HeardFrame) -> None:
        """Take the next 20 ms; called once a tick from the opening of the port on, whether RTP comes or
        not.
        """
        ...

    def prompt_started(self, prompt_id: int, at: float) -> None:
        """The first packet of a prompt leaves now."""
        ...

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        """The last packet of a prompt leaves now. Not called for prompts that were cleared."""
        ...

    def keyed(self, digit: str) -> None:
        """The caller pressed a key (RFC 4733 telephone-event), once a key: 0-9, *, #, A-D."""
        ...


Tap = Callable[[bytes, bytes], None]
"""Given each tick's (caller, bot) frame as PCM: for recording, and for those who listen in."""


@dataclass(frozen=True, slots=True)
class MediaStatistics:
    """What became of a call's media, in packets where not said otherwise. Ready for JSON by `as_dict()`.

    received, lost, fraction_lost, jitter_ms:  RFC 3550, 6.4.1 and A.3
    duplicates, late, concealed:  copies dropped; came after their slot had been played; frames we made up
    forged, malformed, flooded, unexpected:  from another address, port or SSRC; not RTP; beyond what a tick
    takes;
                                             with a payload type that was not agreed
    delay_ms, longest_delay_ms:  what the jitter buffer adds, now and at most
    sent, unsent:  packets that left, and that the kernel refused
    underruns, late_chunks:  silent frames inside a prompt; samples that came for cleared prompts
    """

    received: int = 0
    lost: int = 0
    fraction_lost: float = 0.0
    jitter_ms: float = 0.0
    duplicates: int = 0
    late: int = 0
    concealed: int = 0
    forged: int = 0
    malformed: int = 0
    flooded: int = 0
    unexpected: int = 0
    delay_ms: int = 0
    longest_delay_ms: int = 0
    sent: int = 0
    unsent: int = 0
    underruns: int = 0
    late_chunks: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Step(Protocol):
    """Where a port's packets are handled together with others'."""

    def leave(self, row: int) -> None:
        """Bring the port's session and outgoing stream up to date."""
        ...


class MediaPort:
    """One call's media.

    host, port:   where the peer must send RTP to (what externalMedia's `external_host` gets)
    sample_rate:  of the PCM heard and played, in Hz: 16000 with g722, else 8000
    playout:      the queue of prompts
    open:         False once closed
    """

    def __init__(
        self, call_id: str, address: tuple[str, int], door: socket.socket, codec: Codec, vad: Vad,
        listener: MediaListener, doors: tuple[Doors, Doors], changed: Callable[[MediaPort], None],
    ) -> None:  # fmt: skip
        """For MediaLoop only. `doors` are those of peers and of strangers; `changed` is told when the
        port has got a peer or its first tap, has lost its last one, or is closed.
        """
        self.call_id = call_id
        self.host, self.port = address
        self.codec = codec.name
        self.sample_rate = codec.sample_rate
        self.playout = Playout(codec.sample_rate)
        self.open = True
        # For the tick:
        self.coder = codec
        self.vad = vad
        self.listener = listener
        self.session = RtpSession(codec.payload_type, codec.payload_bytes)
        self.outgoing = OutgoingStream(
            codec.payload_type,
            ssrc=secrets.randbits(32), sequence=secrets.randbits(16), timestamp=secrets.randbits(32),
        )  # fmt: skip
        self.read: Callable[[int], bytes] = _read_nothing  # the next datagram of the peer
        self.write: Callable[[bytes], int] = len
        self._changed = changed
        self.taps: tuple[Tap, ...] = ()  # see add_tap
        self._step: Step | None = None
        self._row = 0  # in it
        self._more: list[bytes] = []  # datagrams that came in this tick after the first one
        self._peers, self._others = doors
        self._strangers = door  # holds the port, and gets all that does not come from the peer
        self._peer: socket.socket | None = None
        self._gap = CONCEALED_FRAMES  # frames lost in a row
        self._past = np.zeros(0, dtype=np.int16)  # the last two frames before the gap
        self._concealed = 0
        self._forged = 0
        self._flooded = 0
        self._unsent = 0
        self._others.watch(door, self._count_stranger, self._count_flood)

    # --- for the call ----------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        return self._peer is not None

    def connect(self, host: str, port: int) -> None:
        """Name the only peer whose packets are taken; silence is sent to it from the next tick on.

        May be called again when the peer moves. Raises OSError where the address cannot be reached.
        """
        if self.open:
            peer = connect_door(self._strangers, (host, port))
            self._leave_peer()
            self._peer = peer
            self.read, self.write = peer.recv, peer.send
            self._peers.watch(peer, self._receive_more, self._count_flood)
            self._changed(self)

    def add_tap(self, tap: Tap) -> None:
        """Give both sides' frames of every tick to `tap` as well; it may come and go within a tick."""
        self.taps = (*self.taps, tap)
        if len(self.taps) == 1:
            self._changed(self)

    def remove_tap(self, tap: Tap) -> None:
        """Stop it. Nothing happens where it is not there (any more)."""
        if tap in self.taps:
            self.taps = tuple(each for each in self.taps if each != tap)
            if not self.taps and self.open:
                self._changed(self)

    def statistics(self) -> MediaStatistics:
        """Return the figures so far; also after `close()`."""
        self._leave_step()
        session = self.session
        lost = max(0, session.expected - session.received)
        return MediaStatistics(
            received=session.received,
            lost=lost,
            fraction_lost=round(lost / session.expected, 4) if session.expected else 0.0,
            jitter_ms=round(session.jitter_ms, 2),
            duplicates=session.duplicates,
            late=session.late,
            concealed=self._concealed,
            forged=self._forged + session.forged,
            malformed=session.malformed,
            flooded=self._flooded,
            unexpected=session.unexpected,
            delay_ms=session.delay_ms,
            longest_delay_ms=session.longest_delay_ms,
            sent=self.outgoing.packets - self._unsent,
            unsent=self._unsent,
            underruns=self.playout.underruns,
            late_chunks=self.playout.late,
        )

    def close(self) -> None:
        """Stop hearing and sending, and give the port back. Idempotent."""
        if self.open:
            self.open = False
            self._leave_peer()
            self._others.forget(self._strangers)
            self._strangers.close()
            self._changed(self)

    # --- for the tick ----------------------------------------------------------------------------------

    def joined(self, step: Step, row: int) -> None:
        """Know where the session is kept in step with others."""
        self._step = step
        self._row = row

    def receive(self, datagram: bytes, tick: int) -> None:
        """Take all that the peer has sent for this tick: `datagram` first (b"" for nothing), then the
        rest.
        """
        if datagram:
            self.session.receive(datagram, tick)
            self._read_more()
        if self._more:
            for more in self._more:
                self.session.receive(more, tick)
            self._more.clear()
        if self.session.keys:
            keys, self.session.keys = self.session.keys, []
            for key in keys:
                self.listener.keyed(key)

    def _read_more(self) -> None:
        try:
            while len(self._more) < MAX_PACKETS_A_TICK:
                self._more.append(self.read(MAX_DATAGRAM_BYTES))
            self._flooded += discard(self.read)
        except OSError:  # nothing more
            pass

    def take(self, quiet: bool, behind: int) -> bytes | None:
        """Return the payload to hear in this tick, None where nothing came (see JitterBuffer.take)."""
        payload = self.session.take(quiet, behind)
        if payload is not None:
            self._gap = 0
        return payload

    def fill_gap(self, history: bytes) -> Samples:
        """Return a made-up frame for one that did not come, given the last two frames heard; at last
        silence.
        """
        if self._gap == 0:
            self._past = to_samples(history)
        self._gap += 1
        if self._gap > CONCEALED_FRAMES:
            return np.zeros(samples_per_frame(self.sample_rate), dtype=np.int16)
        self._concealed += 1
        return conceal(self._past, self._gap - 1, self.sample_rate)

    def report_prompts(self, at: float) -> None:
        """Tell the call which prompts began or ended with the packet just sent."""
        events, self.playout.events = self.playout.events, []
        for event in events:
            if isinstance(event, PromptStarted):
                self.listener.prompt_started(event.prompt_id, at)
            else:
                self.listener.prompt_finished(event.prompt_id, at)

    def count_unsent(self) -> None:
        self._unsent += 1

    def _receive_more(self, datagram: bytes, tick: int) -> None:
        self._leave_step()
        self._more.append(datagram)

    def _leave_step(self) -> None:
        if self._step is not None:
            self._step.leave(self._row)

    def _leave_peer(self) -> None:
        if self._peer is not None:
            self._peers.forget(self._peer)
            self._peer.close()
            self._peer = None
            self.read, self.write = _read_nothing, len
            self._more.clear()

    def _count_stranger(self, datagram: bytes, tick: int) -> None:
        self._forged += self._peer is not None

    def _count_flood(self, datagrams: int) -> None:
        self._flooded += datagrams


def _read_nothing(size: int) -> bytes:
    """The datagram of a port without a peer."""
    return b""
