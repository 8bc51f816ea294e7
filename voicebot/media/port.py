"""One call's door to the network: its sockets, its RTP session, its jitter buffer and its playout.

A port is made by `MediaLoop.open_port`, which also drives it; the call gives it a peer with `connect()`, prompts by
`playout`, and hears through its `MediaListener`. All of it runs on the event loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

from voicebot.audio.playout import Playout


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
        """Take the next 20 ms; called once a tick from the opening of the port on, whether RTP comes or not."""
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
    forged, malformed, flooded, unexpected:  from another address, port or SSRC; not RTP; beyond what a tick takes;
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
    """

    call_id: str
    codec: str
    host: str
    port: int
    sample_rate: int
    playout: Playout
    tap: Tap | None

    def connect(self, host: str, port: int) -> None:
        """Name the only peer whose packets are taken; silence is sent to it from the next tick on."""
        raise NotImplementedError

    def statistics(self) -> MediaStatistics:
        """Return the figures so far; also after `close()`."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop hearing and sending, and give the port back. Idempotent."""
        raise NotImplementedError
