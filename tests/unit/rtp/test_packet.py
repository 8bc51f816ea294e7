"""Unit: RTP packets and telephone-events, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.rtp.packet import Extension, MalformedPacket, RtpPacket, TelephoneEvent, parse, parse_event

pytestmark = pytest.mark.unit

EXTENSIONS = st.builds(
    Extension, st.integers(0, 0xFFFF), st.binary(max_size=40).map(lambda data: data[: len(data) // 4 * 4])
)
PACKETS = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127).filter(lambda number: number not in range(72, 77)),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=400),
    marker=st.booleans(),
    csrcs=st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
    extension=st.none() | EXTENSIONS,
    padding=st.integers(0, 255),
)


@given(PACKETS)
def test_every_packet_survives_a_round_trip(packet: RtpPacket) -> None:
    assert parse(packet.serialize()) == packet


@given(st.binary(max_size=80))
def test_any_bytes_either_parse_or_are_malformed(data: bytes) -> None:
    try:
        packet = parse(data)
    except MalformedPacket:
        return
    assert len(packet.payload) <= len(data)


def test_a_packet_as_asterisk_sends_it() -> None:
    data = bytes.fromhex("8080a5c3 0000 00a0 1d2f3a4b".replace(" ", "")) + b"\xff" * 160
    packet = parse(data)
    assert (packet.payload_type, packet.marker, packet.sequence) == (0, True, 0xA5C3)
    assert (packet.timestamp, packet.ssrc, len(packet.payload)) == (160, 0x1D2F3A4B, 160)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x00" + bytes(9),  # no whole header
        b"\x40\x00" + bytes(10),  # version 1
        b"\x81\x00" + bytes(10),  # a CSRC that is not there
        b"\x90\x00" + bytes(10),  # an extension that is not there
        b"\x90\x00" + bytes(10) + b"\x00\x00\x00\x09" + bytes(8),  # ... that is cut off
        b"\xa0\x00" + bytes(10) + b"\x00",  # padding of no length
        b"\xa0\x00" + bytes(10) + b"\xff",  # padding longer than the packet
        b"\x80\xc8" + bytes(26),  # an RTCP sender report
    ],
)
def test_lengths_that_do_not_add_up_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        parse(data)


@given(st.integers(0, 255), st.booleans(), st.integers(0, 63), st.integers(0, 0xFFFF))
def test_events_survive_a_round_trip(event: int, end: bool, volume: int, duration: int) -> None:
    whole = TelephoneEvent(event, end, volume, duration)
    assert parse_event(whole.serialize()) == whole


def test_keys_are_those_of_rfc_4733() -> None:
    assert "".join(TelephoneEvent(number, False, 10, 0).key for number in range(18)) == "0123456789*#ABCD"
    with pytest.raises(MalformedPacket):
        parse_event(b"\x01\x8a\x03")
