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

from voicebot.audio.frames import Samples, silence, to_samples
from voicebot.audio.playout import Playout, PromptStarted
from voicebot.media.codecs import Codec
from voicebot.media.doors import Doors, connect_door
from voicebot.rtp.concealment import CONCEALED_FRAMES, conceal
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
"""Given each tick's (caller, bot) frame as PCM: for recording."""


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


class MediaPort:
    """One call's media.

    host, port:   where the peer must send RTP to (what externalMedia's `external_host` gets)
    sample_rate:  of the PCM heard and played, in Hz: 16000 with g722, else 8000
    playout:      the queue of prompts
    tap:          set it to get both sides' frames, None to stop
    open:         False once closed
    """

    def __init__(
        self, call_id: str, host: str, port: int, door: socket.socket, codec: Codec, vad: Vad,
        listener: MediaListener, doors: Doors, closed: Callable[[MediaPort], None],
    ) -> None:  # fmt: skip
        """For MediaLoop only."""
        self.call_id = call_id
        self.host = host
        self.port = port
        self.codec = codec.name
        self.sample_rate = codec.sample_rate
        self.playout = Playout(codec.sample_rate)
        self.tap: Tap | None = None
        self.open = True
        self.coder = codec
        self._session = RtpSession(
            codec.payload_type, codec.payload_bytes,
            ssrc=secrets.randbits(32), sequence=secrets.randbits(16), timestamp=secrets.randbits(32),
        )  # fmt: skip
        self._vad = vad
        self._listener = listener
        self._closed = closed
        self._doors = doors
        self._strangers = door  # holds the port, and gets all that does not come from the peer
        self._peer: socket.socket | None = None
        self._silence = silence(codec.sample_rate)
        self._speech = False  # in the last frame
        self._gap = CONCEALED_FRAMES  # frames lost in a row
        self._frame = self._silence  # the last one heard
        self._arrived = self._silence  # the last one that really came, and the one before it
        self._arrived_before = self._silence
        self._concealed = 0
        self._forged = 0
        self._flooded = 0
        self._sent = 0
        self._unsent = 0
        doors.watch(door, self._count_stranger, self._count_flood)

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
            self._doors.watch(peer, self._session.receive, self._count_flood)

    def statistics(self) -> MediaStatistics:
        """Return the figures so far; also after `close()`."""
        session = self._session
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
            sent=self._sent,
            unsent=self._unsent,
            underruns=self.playout.underruns,
            late_chunks=self.playout.late,
        )

    def close(self) -> None:
        """Stop hearing and sending, and give the port back. Idempotent."""
        if self.open:
            self.open = False
            self._leave_peer()
            self._doors.forget(self._strangers)
            self._strangers.close()
            self._closed(self)

    # --- for the tick ----------------------------------------------------------------------------------

    def next_payload(self, behind: int) -> bytes | None:
        """Return what the caller's side has for this tick, None where nothing came."""
        return self._session.take(not self._speech, behind)

    def fill_gap(self) -> Samples | None:
        """Return a made-up frame for one that did not come; None (silence) once that goes on."""
        self._gap += 1
        if self._gap > CONCEALED_FRAMES:
            return None
        self._concealed += 1
        history = to_samples(self._arrived_before + self._arrived)
        return conceal(history, self._gap - 1, self.sample_rate)

    def hear(self, frame: bytes, level_db: float, lost: bool, at: float, behind: int) -> None:
        """Give the call its next frame."""
        if not lost:
            self._gap = 0
            self._arrived_before = self._arrived
            self._arrived = frame
        self._frame = frame
        # What nobody said needs no detector: calls on hold cost next to nothing.
        self._speech = speech = self._gap <= CONCEALED_FRAMES and self._vad.is_speech(frame, self.sample_rate)
        self._listener.heard(HeardFrame(frame, speech, level_db, lost, at))
        if self._session.keys:
            self._report_keys()
        if behind and self.tap is not None:
            self.tap(frame, self._silence)  # of the ticks that were skipped nothing is sent

    def next_frame(self, at: float) -> bytes:
        """Return the PCM to send next."""
        frame = self.playout.next_frame()
        if frame is None:
            frame = self._silence
        if self.tap is not None:
            self.tap(self._frame, frame)
        if self.playout.events:
            self._report_prompts(at)
        return frame

    def send(self, payload: bytes, skipped: int) -> None:
        """Send one frame to the peer, `skipped` frames later than it was due."""
        if self._peer is None:
            return
        if skipped:
            self._session.skip(skipped)
        try:
            self._peer.send(self._session.packet(payload))
            self._sent += 1
        except OSError:  # no room in the socket, or an ICMP message that nobody listens there (yet)
            self._unsent += 1

    def _report_keys(self) -> None:
        keys, self._session.keys = self._session.keys, []
        for key in keys:
            self._listener.keyed(key)

    def _report_prompts(self, at: float) -> None:
        events, self.playout.events = self.playout.events, []
        for event in events:
            if isinstance(event, PromptStarted):
                self._listener.prompt_started(event.prompt_id, at)
            else:
                self._listener.prompt_finished(event.prompt_id, at)

    def _leave_peer(self) -> None:
        if self._peer is not None:
            self._doors.forget(self._peer)
            self._peer.close()
            self._peer = None

    def _count_stranger(self, datagram: bytes, tick: int) -> None:
        self._forged += self._peer is not None

    def _count_flood(self, datagrams: int) -> None:
        self._flooded += datagrams
