"""What passes between the gateway and a speech worker: small binary frames over a stream socket.

A frame is a fixed header (kind, id, length of the metadata, length of the payload), JSON metadata, and raw
PCM. The id names one exchange: an utterance being recognised, a sentence being spoken, or a single call.
There is no pickle: a worker that went mad can at worst send us wrong words.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

from voicebot.errors import VoicebotError

_HEADER = struct.Struct(">BIII")
MAX_FRAME_BYTES = 16 * 1024 * 1024
NO_EXCHANGE = 0
"""The id of frames about the worker itself."""


class Kind(IntEnum):
    """What a frame says. Below 32: gateway to worker; from 32 on: worker to gateway."""

    LOAD = 1  # meta: an EngineSpec; the first frame of a connection
    PING = 2
    CLOSE = 3  # forget this exchange, whatever its state
    CALL = 4  # meta: {method, args}; answered by RESULT
    OPEN = 5  # meta: {expectation, sample_rate, partial}; begins an utterance
    AUDIO = 6  # payload: PCM of the utterance
    GUESS = 7  # answered by RESULT, unless audio follows first
    FINISH = 8  # answered by RESULT
    SPEAK = 9  # meta: {text, voice}; answered by CHUNK ... DONE

    READY = 32  # the engine is loaded; meta: {load_ms}
    PONG = 33  # meta: {busy_ms, busy_id, waiting, waiting_ms}
    RESULT = 34
    CHUNK = 35  # meta: {sample_rate}; payload: PCM
    DONE = 36
    FAILED = 37  # meta: {error, problems}
    PARTIAL = 38  # meta: {text, at}: words so far of an utterance whose OPEN asked for them; any number


class WireError(VoicebotError):
    """The other side sent what is no frame; the connection is of no further use."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of an exchange. `meta` is anything JSON can carry."""

    kind: Kind
    id: int = NO_EXCHANGE
    meta: dict[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes of this frame; the inverse of `Decoder.feed`."""
        meta = json.dumps(self.meta, ensure_ascii=False, separators=(",", ":")).encode() if self.meta else b""
        return _HEADER.pack(self.kind, self.id, len(meta), len(self.payload)) + meta + self.payload


class Decoder:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames completed by `data`. Raises WireError on nonsense."""
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        at = 0
        while len(buffer) - at >= _HEADER.size:
            kind, id_, meta_bytes, payload_bytes = _HEADER.unpack_from(buffer, at)
            if meta_bytes + payload_bytes > MAX_FRAME_BYTES:
                raise WireError(f"a frame of {meta_bytes + payload_bytes} bytes")
            start = at + _HEADER.size
            middle, end = start + meta_bytes, start + meta_bytes + payload_bytes
            if len(buffer) < end:
                break
            try:
                meta = json.loads(buffer[start:middle]) if meta_bytes else {}
                frames.append(Frame(Kind(kind), id_, meta, bytes(buffer[middle:end])))
            except ValueError as error:
                raise WireError(f"not a frame: {error}") from error
            at = end
        del buffer[:at]
        return frames


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine a worker loads: `factory` is `module:callable`, called with `options` as keywords.

    `threads`: how many exchanges it may work on at once, for engines that release the interpreter lock.
    """

    factory: str
    options: dict[str, Any] = field(default_factory=dict)
    threads: int = 1

    def as_meta(self) -> dict[str, Any]:
        return asdict(self)
