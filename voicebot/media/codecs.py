"""The codecs of the frame path: payloads of many calls to PCM and back, in one go.

Only payload types that Asterisk takes statically (RFC 3551): ulaw 0, alaw 8, slin 10 (8 kHz here), g722 9.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from voicebot.audio import g711
from voicebot.audio.frames import FrameBatch
from voicebot.errors import UserError
from voicebot.rtp.sending import Payloads

_G722_BITS_A_SECOND = 64_000


class Codec(Protocol):
    """Ports that hold the same codec object are decoded and encoded together.

    sample_rate:    of the PCM, in Hz
    payload_bytes:  of one frame
    silence:        a payload that decodes to silence (nearly, where the codec has a memory)
    """

    name: str
    payload_type: int
    sample_rate: int
    payload_bytes: int
    silence: bytes

    def decode(self, payloads: Payloads) -> FrameBatch:
        """Return one frame a payload, shape (n_calls, samples_per_frame); it may be written to."""
        ...

    def encode(self, frames: FrameBatch) -> Payloads:
        """Return one payload a frame, shape (n_calls, payload_bytes)."""
        ...


class G711Codec:
    """mu-law or A-law: without memory, so one object serves all calls."""

    sample_rate = 8000
    payload_bytes = 160

    def __init__(self, law: g711.Law) -> None:
        self.name: str = law
        self.payload_type = {"ulaw": 0, "alaw": 8}[law]
        self.silence = bytes([g711.SILENCE[law]]) * self.payload_bytes
        self._law: g711.Law = law

    def decode(self, payloads: Payloads) -> FrameBatch:
        return g711.decode(payloads, self._law)

    def encode(self, frames: FrameBatch) -> Payloads:
        return g711.encode(frames, self._law)


class LinearCodec:
    """L16 at 8 kHz, big-endian on the wire: what Asterisk calls slin and sends as payload type 10."""

    name = "slin"
    payload_type = 10
    sample_rate = 8000
    payload_bytes = 320
    silence = bytes(payload_bytes)

    def decode(self, payloads: Payloads) -> FrameBatch:
        return np.ascontiguousarray(payloads).view(">i2").astype("<i2")

    def encode(self, frames: FrameBatch) -> Payloads:
        return frames.astype(">i2").view(np.uint8)


class G722Codec:
    """G.722 at 64 kbit/s: it has a memory, so every call needs its own."""

    name = "g722"
    payload_type = 9
    sample_rate = 16000
    payload_bytes = 160
    silence = b"\xff" * payload_bytes  # the smallest steps: they calm a decoder down

    def __init__(self) -> None:
        try:
            from G722 import G722
        except ImportError as error:
            raise UserError("codec g722 needs the library G722", "pip install 'voicebot[g722]'") from error
        self._encoder: Any = G722(self.sample_rate, _G722_BITS_A_SECOND)
        self._decoder: Any = G722(self.sample_rate, _G722_BITS_A_SECOND)

    def decode(self, payloads: Payloads) -> FrameBatch:
        return np.stack([np.array(self._decoder.decode(row.tobytes()), dtype="<i2") for row in payloads])

    def encode(self, frames: FrameBatch) -> Payloads:
        return np.stack([np.frombuffer(self._encoder.encode(row), dtype=np.uint8) for row in frames])


_SHARED: dict[str, Codec] = {"ulaw": G711Codec("ulaw"), "alaw": G711Codec("alaw"), "slin": LinearCodec()}


def open_codec(name: str) -> Codec:
    """Return the codec for a new call. Raises UserError if there is none of this name, or its library is
    missing.
    """
    if name == G722Codec.name:
        return G722Codec()
    if name not in _SHARED:
        raise UserError(f"codec {name} does not exist", "use ulaw, alaw, slin or g722")
    return _SHARED[name]
