"""RIFF WAVE: reading prompts and test audio, writing stereo recordings.

Read: PCM of 8 and 16 bits, mu-law and A-law, any number of channels (they are mixed to one).
Written: PCM of 16 bits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from voicebot.audio import g711
from voicebot.audio.frames import Samples, to_pcm, to_samples
from voicebot.errors import Problem, UserError

FORMAT_PCM = 1
FORMAT_ULAW = 7
FORMAT_EXTENSIBLE = 0xFFFE

_REMEDY = (
    "use PCM of 8 or 16 bits, mu-law or A-law, for example: sox in.wav -b 16 -c 1 -e signed-integer out.wav"
)
_HEADER_BYTES = 44
_BLOCK_BYTES = 4
"""One sample of both sides of a recording."""
_FLUSH_BYTES = 32_000
"""Recordings go to the file in pieces of about a second."""


@dataclass(frozen=True, slots=True)
class Wav:
    """Mono samples and their rate in Hz."""

    samples: Samples
    sample_rate: int


def read_wav(path: Path) -> Wav:
    """Read a file. Raises UserError if it is missing or in a format that we do not read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(Problem(f"cannot be read: {error.strerror}", "", str(path))) from error
    return parse_wav(data, str(path))


def parse_wav(data: bytes, source: str = "") -> Wav:
    """Parse a whole file. Raises UserError naming `source`."""

    def refuse(what: str) -> UserError:
        return UserError(Problem(what, _REMEDY, source))

    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise refuse("is not a wav file")
    layout: tuple[int, int, int, int] | None = None
    place = 12
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        body = data[place + 8 : place + 8 + size]
        if name == b"fmt ":
            if len(body) < 16:
                raise refuse("has a broken wav header")
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
            if kind == FORMAT_EXTENSIBLE and len(body) >= 26:
                (kind,) = struct.unpack_from("<H", body, 24)
            if not channels or not rate:
                raise refuse("has a broken wav header")
            layout = kind, channels, rate, bits
        elif name == b"data":
            if layout is None:
                raise refuse("has a broken wav header")
            kind, channels, rate, bits = layout
            samples = _decode(body, kind, bits)
            if samples is None:
                raise refuse(f"has wav format {kind} with {bits} bits, which is not read")
            return Wav(_mixed(samples, channels), rate)
        place += 8 + size + (size & 1)
    raise refuse("has no audio in it")


def _decode(body: bytes, kind: int, bits: int) -> Samples | None:
    codes = np.frombuffer(body, dtype=np.uint8)
    match kind, bits:
        case 1, 16:
            return to_samples(body[: len(body) & ~1]).astype(np.int16)
        case 1, 8:
            return ((codes.astype(np.int16) - 128) << 8).astype(np.int16)
        case 7, 8:
            return g711.decode(codes, "ulaw")
        case 6, 8:
            return g711.decode(codes, "alaw")
        case _:
            return None


def _mixed(samples: Samples, channels: int) -> Samples:
    if channels == 1:
        return samples
    frames = samples[: len(samples) // channels * channels].reshape(-1, channels)
    mixed: Samples = np.mean(frames, axis=1).astype(np.int16)
    return mixed


def serialize_wav(samples: Samples, sample_rate: int) -> bytes:
    """Return a mono file of 16-bit PCM."""
    pcm = to_pcm(samples)
    return _header(len(pcm), sample_rate, channels=1) + pcm


def _header(data_bytes: int, sample_rate: int, channels: int) -> bytes:
    block = 2 * channels
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", _HEADER_BYTES - 8 + data_bytes, b"WAVE",
        b"fmt ", 16, FORMAT_PCM, channels, sample_rate, sample_rate * block, block, 16,
        b"data", data_bytes,
    )  # fmt: skip


class StereoWriter:
    """Writes a recording frame by frame: the caller left, the bot right.

    The header is right after every flush, so that a recording survives the end of the process but for its
    last second. Raises OSError from `add` and `close` when the disk is full.
    """

    def __init__(self, path: Path, sample_rate: int, *, skip_ms: int = 0) -> None:
        """`skip_ms`: begin with so much silence, as a hole in the file."""
        self._rate = sample_rate
        self._written = skip_ms * sample_rate // 1000 * _BLOCK_BYTES
        self._pending = bytearray()
        self._file: BinaryIO = path.open("wb")
        self._file.write(_header(0, sample_rate, channels=2))
        self._file.truncate(_HEADER_BYTES + self._written)
        self._file.seek(0, 2)

    def add(self, left: bytes, right: bytes) -> None:
        """Append PCM of both sides, of one length."""
        both = np.empty((len(left) // 2, 2), dtype="<i2")
        both[:, 0] = to_samples(left)
        both[:, 1] = to_samples(right)
        self._pending += both.tobytes()
        if len(self._pending) >= _FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Bring everything so far to the file."""
        self._file.write(self._pending)
        self._written += len(self._pending)
        self._pending.clear()
        self._file.seek(0)
        self._file.write(_header(self._written, self._rate, channels=2))
        self._file.seek(0, 2)
        self._file.flush()

    def close(self) -> None:
        """Finish the file. Idempotent."""
        if not self._file.closed:
            try:
                self.flush()
            finally:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
