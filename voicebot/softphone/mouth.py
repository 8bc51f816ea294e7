"""What a caller sends, 20 ms at a time: speech, keys (RFC 4733), or silence. Pure: `now` is passed in.

Silence is sent whenever there is nothing to say, because some peers send nothing until they receive.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from voicebot.rtp.packet import TelephoneEvent
from voicebot.softphone.hearing import AUDIBLE_DBFS, level_dbfs
from voicebot.softphone.sdp import ULAW

FRAME_SAMPLES = 160
"""Samples in one frame: 20 ms at 8000 Hz; with mu-law also its bytes."""
SILENCE = b"\xff" * FRAME_SAMPLES
KEY_MS = 100
"""How long a key is held; RFC 4733 receivers want at least 40 ms."""
KEY_GAP_MS = 100
END_PACKETS = 3
"""The last packet of an event is sent so often (RFC 4733, 2.5.1.4)."""
KEY_VOLUME = 10
"""In -dBm0."""
KEYS = "0123456789*#ABCD"


@dataclass(frozen=True, slots=True)
class Payload:
    """One packet to be sent, but for its sequence number."""

    payload_type: int
    marker: bool
    timestamp: int
    data: bytes


@dataclass(slots=True)
class Saying:
    """Speech on its way out; times are of the sender's clock, None until it happened.

    began_at:        the first frame left
    voiced_from_at:  the first frame that can be heard left
    voiced_to_at:    the last frame that can be heard left
    ended_at:        the last frame left
    """

    frames: list[bytes]
    first_voiced: int
    last_voiced: int
    began_at: float | None = None
    voiced_from_at: float | None = None
    voiced_to_at: float | None = None
    ended_at: float | None = None
    position: int = 0


@dataclass(slots=True)
class Pressing:
    """Keys on their way out; `ended_at` is when the last one was released."""

    keys: str
    ended_at: float | None = None
    ticks: int = field(default=0)


def speech(ulaw: bytes) -> Saying:
    """Cut mu-law speech into frames and find the first and last that can be heard.

    Raises ValueError where nothing can be heard: a measurement on it would mean nothing.
    """
    padded = ulaw + b"\xff" * (-len(ulaw) % FRAME_SAMPLES)
    frames = [padded[at : at + FRAME_SAMPLES] for at in range(0, len(padded), FRAME_SAMPLES)]
    voiced = [number for number, frame in enumerate(frames) if level_dbfs(frame) > AUDIBLE_DBFS]
    if not voiced:
        raise ValueError("nothing can be heard in this audio")
    return Saying(frames, voiced[0], voiced[-1])


class Mouth:
    """The queue of what is to be sent. `timestamp` is the RTP timestamp of the first frame."""

    def __init__(self, timestamp: int, telephone_event: int | None) -> None:
        self.telephone_event = telephone_event
        self._timestamp = timestamp
        self._jobs: deque[Saying | Pressing] = deque()
        self._first = True

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def say(self, saying: Saying) -> None:
        self._jobs.append(saying)

    def press(self, keys: str) -> Pressing:
        """Queue keys. Raises ValueError for what is no key, or where the far side takes no events."""
        if unknown := set(keys.upper()) - set(KEYS):
            raise ValueError(f"no such key: {''.join(sorted(unknown))}")
        if not keys:
            raise ValueError("no keys to press")
        if self.telephone_event is None:
            raise ValueError("the far side takes no telephone events")
        pressing = Pressing(keys.upper())
        self._jobs.append(pressing)
        return pressing

    def hush(self, saying: Saying) -> None:
        """Forget what is still to be sent of this, if anything is; keys and words after it are sent."""
        self._jobs = deque(job for job in self._jobs if job is not saying)

    def tick(self, now: float) -> list[Payload]:
        """Return the packets of this 20 ms; `now` is noted as the time at which they leave."""
        job = self._jobs[0] if self._jobs else None
        if isinstance(job, Pressing):
            packets = self._key_packets(job, now)
        else:
            data = SILENCE if job is None else self._speech_frame(job, now)
            packets = [Payload(ULAW, self._first, self._timestamp, data)]
        self._first = False
        self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
        return packets

    def _speech_frame(self, saying: Saying, now: float) -> bytes:
        number = saying.position
        saying.position += 1
        if number == 0:
            saying.began_at = now
        if number == saying.first_voiced:
            saying.voiced_from_at = now
        if number == saying.last_voiced:
            saying.voiced_to_at = now
        if number == len(saying.frames) - 1:
            saying.ended_at = now
            self._jobs.popleft()
        return saying.frames[number]

    def _key_packets(self, pressing: Pressing, now: float) -> list[Payload]:
        held, gap = KEY_MS // 20, KEY_GAP_MS // 20
        number, tick = divmod(pressing.ticks, held + gap)
        pressing.ticks += 1
        last_key = number == len(pressing.keys) - 1
        if tick >= held:
            if last_key and tick == held + gap - 1:
                pressing.ended_at = now
                self._jobs.popleft()
            return [Payload(ULAW, False, self._timestamp, SILENCE)]
        # All packets of an event carry the timestamp of its beginning; only the duration grows (2.5.1.2).
        began = (self._timestamp - tick * FRAME_SAMPLES) & 0xFFFFFFFF
        end = tick == held - 1
        event = TelephoneEvent(
            KEYS.index(pressing.keys[number]), end, KEY_VOLUME, duration=(tick + 1) * FRAME_SAMPLES
        )
        packet = Payload(self.telephone_event or 0, tick == 0, began, event.serialize())
        return [packet] * (END_PACKETS if end else 1)
