"""The RTP packet (RFC 3550, section 5.1) and the telephone-event payload (RFC 4733, section 2.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from voicebot.errors import VoicebotError

VERSION = 2
HEADER = struct.Struct("!BBHII")
"""First byte (V, P, X, CC), second byte (M, PT), sequence number, timestamp, SSRC."""

PLAIN = VERSION << 6
"""First byte of a packet without padding, extension and CSRCs: what everybody sends."""

MARKER = 0x80
_PADDING = 0x20
_EXTENSION = 0x10
_EXTENSION_HEADER = struct.Struct("!HH")
_RTCP_TYPES = range(72, 77)
"""Payload types that would be mistaken for RTCP's SR to APP with the marker set (section 5.1)."""


class MalformedPacket(VoicebotError):
    """Not an RTP packet."""


@dataclass(frozen=True, slots=True)
class Extension:
    """A header extension (section 5.3.1); `data` is a multiple of 4 bytes."""

    profile: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet.

    payload_type: 7 bits     sequence: 16 bits     timestamp: 32 bits, in units of the payload's RTP clock
    ssrc: 32 bits            csrcs: at most 15     padding: bytes of padding behind the payload, with the last
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extension: Extension | None = None
    padding: int = 0

    def serialize(self) -> bytes:
        """Return the packet's bytes."""
        first = PLAIN | len(self.csrcs)
        parts = [b"", struct.pack(f"!{len(self.csrcs)}I", *self.csrcs)]
        if self.extension is not None:
            first |= _EXTENSION
            words = len(self.extension.data) // 4
            parts += [_EXTENSION_HEADER.pack(self.extension.profile, words), self.extension.data]
        parts.append(self.payload)
        if self.padding:
            first |= _PADDING
            parts.append(bytes(self.padding - 1) + bytes([self.padding]))
        second = self.payload_type | (MARKER if self.marker else 0)
        parts[0] = HEADER.pack(first, second, self.sequence, self.timestamp, self.ssrc)
        return b"".join(parts)


def parse(data: bytes) -> RtpPacket:
    """Parse one datagram. Raises MalformedPacket where it is not RTP version 2 or its lengths do not add
    up.
    """
    if len(data) < HEADER.size:
        raise MalformedPacket(f"{len(data)} bytes are too few for a header")
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first >> 6 != VERSION:
        raise MalformedPacket(f"version {first >> 6}")
    payload_type = second & ~MARKER
    if payload_type in _RTCP_TYPES:
        raise MalformedPacket("RTCP on the RTP port")
    start = HEADER.size + 4 * (first & 0x0F)
    extension = None
    if first & _EXTENSION:
        if len(data) < start + _EXTENSION_HEADER.size:
            raise MalformedPacket("cut off before its extension")
        profile, words = _EXTENSION_HEADER.unpack_from(data, start)
        start += _EXTENSION_HEADER.size
        extension = Extension(profile, data[start : start + 4 * words])
        start += 4 * words
    padding = data[-1] if first & _PADDING else 0
    if first & _PADDING and not padding:
        raise MalformedPacket("padding of no length")
    end = len(data) - padding
    if end < start:
        raise MalformedPacket("longer header, extension and padding than the packet")
    csrcs = struct.unpack_from(f"!{first & 0x0F}I", data, HEADER.size)
    return RtpPacket(
        payload_type,
        sequence,
        timestamp,
        ssrc,
        data[start:end],
        bool(second & MARKER),
        csrcs,
        extension,
        padding,
    )


_EVENT = struct.Struct("!BBH")
_KEYS = "0123456789*#ABCD"
_END = 0x80


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """One packet's view of a named event (RFC 4733, 2.3): `event` 0 to 15 are the DTMF keys (3.2).

    volume: 0 to 63, in -dBm0     duration: so far, in units of the RTP clock     end: the event is over
    """

    event: int
    end: bool
    volume: int
    duration: int

    @property
    def key(self) -> str:
        """The key 0-9, *, #, A-D, or "" if the event is none."""
        return _KEYS[self.event] if self.event < len(_KEYS) else ""

    def serialize(self) -> bytes:
        return _EVENT.pack(self.event, (_END if self.end else 0) | self.volume, self.duration)


def parse_event(payload: bytes) -> TelephoneEvent:
    """Parse the payload of a telephone-event packet. Raises MalformedPacket if it is too short."""
    if len(payload) < _EVENT.size:
        raise MalformedPacket("a telephone-event of less than 4 bytes")
    event, flags, duration = _EVENT.unpack_from(payload)
    return TelephoneEvent(event, bool(flags & _END), flags & 0x3F, duration)
