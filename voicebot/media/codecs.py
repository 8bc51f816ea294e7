"""The codecs of the frame path: payloads of many calls to PCM and back, in one go.

Only payload types that Asterisk takes statically (RFC 3551): ulaw 0, alaw 8, slin 10 (8 kHz here), g722 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from voicebot.audio import g711
from voicebot.audio.frames import FrameBatch, to_samples
from voicebot.errors import UserError


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

    def decode(self, payloads: Sequence[bytes]) -> FrameBatch:
        """Return one frame a payload, shape (n_payloads, samples_per_frame); it may be written to."""
        ...

    def encode(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return one payload a frame of PCM."""
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

    def decode(self, payloads: Sequence[bytes]) -> FrameBatch:
        codes = np.frombuffer(b"".join(payloads), dtype=np.uint8)
        return g711.decode(codes, self._law).reshape(len(payloads), -1)

    def encode(self, frames: Sequence[bytes]) -> list[bytes]:
        codes = g711.encode(to_samples(b"".join(frames)), self._law).tobytes()
        return _cut(codes, self.payload_bytes)


class LinearCodec:
    """L16 at 8 kHz, big-endian on the wire: what Asterisk calls slin and sends as payload type 10."""

    name = "slin"
    payload_type = 10
    sample_rate = 8000
    payload_bytes = 320
    silence = bytes(payload_bytes)

    def decode(self, payloads: Sequence[bytes]) -> FrameBatch:
        samples = np.frombuffer(b"".join(payloads), dtype=">i2").astype("<i2")
        return samples.reshape(len(payloads), -1)

    def encode(self, frames: Sequence[bytes]) -> list[bytes]:
        payloads = to_samples(b"".join(frames)).astype(">i2").tobytes()
        return _cut(payloads, self.payload_bytes)


class G722Codec:
    """G.722 at 64 kbit/s: it has a memory, so every call needs its own."""

    name = "g722"
    payload_type = 9
    sample_rate = 16000
    payload_bytes = 160

    def __init__(self) -> None:
        try:
            from G722 import G722
        except ImportError as error:
            raise UserError("codec g722 needs the library G722", "pip install 'voicebot[g722]'") from error
        self._encoder: Any = G722(self.sample_rate, 64000)
        self._decoder: Any = G722(self.sample_rate, 64000)
        self.silence: bytes = G722(self.sample_rate, 64000).encode(np.zeros(320, dtype=np.int16).tobytes())

    def decode(self, payloads: Sequence[bytes]) -> FrameBatch:
        frames = [np.asarray(self._decoder.decode(payload), dtype=np.int16) for payload in payloads]
        return np.stack(frames)

    def encode(self, frames: Sequence[bytes]) -> list[bytes]:
        return [bytes(self._encoder.encode(to_samples(frame))) for frame in frames]


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


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]
