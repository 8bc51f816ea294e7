"""Unit: the jitter buffer alone, packet by packet, and on simulated networks (seeded)."""

from __future__ import annotations

import random

import pytest

from voicebot.rtp.jitterbuffer import MAX_DELAY_FRAMES, NO_AUDIO, SHRINK_AFTER_TICKS, JitterBuffer
from voicebot.rtp.packet import RtpPacket
from voicebot.rtp.session import RtpSession

pytestmark = pytest.mark.unit

FRAME_MS = 20
MAX_SHIFT_MS = 100


def packet(number: int) -> bytes:
    return number.to_bytes(4, "big")


def took(buffer: JitterBuffer, *, jitter_ms: float = 0.0, quiet: bool = False) -> int | None:
    payload = buffer.take(jitter_ms, quiet)
    return None if payload is None else int.from_bytes(payload, "big")


def test_on_a_clean_network_nothing_waits() -> None:
    buffer = JitterBuffer()
    for number in range(50):
        buffer.put(number, packet(number))
        assert took(buffer) == number
        assert buffer.depth == 0


def test_a_lost_packet_costs_its_tick_and_no_more() -> None:
    buffer = JitterBuffer()
    heard = []
    for number in range(6):
        if number != 3:
            buffer.put(number, packet(number))
        heard.append(took(buffer))
    assert heard == [0, 1, 2, None, 4, 5]


def test_a_late_packet_is_still_heard_and_makes_everything_later_once() -> None:
    buffer = JitterBuffer()
    arrivals = {0: [0], 1: [1], 2: [], 3: [2, 3], 4: [4], 5: [], 6: [5, 6], 7: [7]}
    heard = []
    for tick in range(8):
        for number in arrivals[tick]:
            buffer.put(number, packet(number))
        heard.append(took(buffer))
    assert heard == [0, 1, None, 2, 3, 4, 5, 6]
    assert (buffer.late, buffer.depth) == (0, 1)


def test_order_is_restored_and_copies_are_dropped() -> None:
    buffer = JitterBuffer()
    for number in (0, 2, 1, 1, 2):
        buffer.put(number, packet(number))
    assert [took(buffer) for _ in range(3)] == [0, 1, 2]
    buffer.put(1, packet(1))
    assert (buffer.duplicates, buffer.late) == (3, 0)


def test_what_comes_after_a_later_one_was_heard_is_late() -> None:
    buffer = JitterBuffer()
    for number, expected in ((0, 0), (None, None), (2, 2)):
        if number is not None:
            buffer.put(number, packet(number))
        assert took(buffer) == expected
    buffer.put(1, packet(1))
    assert (buffer.late, buffer.duplicates) == (1, 0)


def test_where_there_is_jitter_a_missing_packet_is_waited_for() -> None:
    buffer = JitterBuffer()
    for number in (0, 2):
        buffer.put(number, packet(number))
    assert [took(buffer, jitter_ms=20), took(buffer, jitter_ms=20)] == [0, None]
    buffer.put(1, packet(1))
    assert [took(buffer, jitter_ms=20), took(buffer, jitter_ms=20)] == [1, 2]


def test_after_a_jam_the_delay_is_bounded() -> None:
    buffer = JitterBuffer()
    buffer.put(0, packet(0))
    took(buffer)
    for _ in range(10):
        assert took(buffer) is None
    for number in range(1, 12):
        buffer.put(number, packet(number))
    assert took(buffer) == 11 - MAX_DELAY_FRAMES
    assert buffer.dropped == 11 - MAX_DELAY_FRAMES - 1


def test_ticks_that_are_caught_up_with_lose_nothing() -> None:
    buffer = JitterBuffer()
    for number in range(10):
        buffer.put(number, packet(number))
    heard = [buffer.take(0.0, behind=behind) for behind in range(9, -1, -1)]
    assert heard == [packet(number) for number in range(10)]


def test_a_frame_to_spare_is_left_out_when_nobody_speaks() -> None:
    buffer = JitterBuffer()
    buffer.put(0, packet(0))
    spoken = True
    for number in range(1, SHRINK_AFTER_TICKS + 20):
        buffer.put(number, packet(number))
        took(buffer, quiet=not spoken)
        spoken = number < SHRINK_AFTER_TICKS + 10
    assert (buffer.depth, buffer.dropped) == (0, 1)


def test_packets_without_audio_take_no_time() -> None:
    buffer = JitterBuffer()
    buffer.put(0, packet(0))
    buffer.put(1, NO_AUDIO)
    buffer.put(2, NO_AUDIO)
    assert took(buffer) == 0
    buffer.put(3, packet(3))
    assert took(buffer) == 3


# --- simulated networks ---------------------------------------------------------------------------------


def heard_frames(
    arrivals: list[tuple[float, bytes]], ticks: int, *, tick_ms: float = 20.0
) -> list[int | None]:
    """Drive a session with (time in ms, datagram); return the number in the payload heard at each tick."""
    session = RtpSession(0, 160)
    pending = sorted(arrivals, key=lambda arrival: arrival[0])
    heard: list[int | None] = []
    place = 0
    for tick in range(ticks):
        while place < len(pending) and pending[place][0] <= tick * tick_ms:
            session.receive(pending[place][1], tick)
            place += 1
        payload = session.take(quiet=(tick // 50) % 2 == 1)  # the caller speaks every other second
        heard.append(None if payload is None else int.from_bytes(payload[:4], "big"))
    return heard


def datagram(number: int, sequence: int, ssrc: int = 7) -> bytes:
    return RtpPacket(0, sequence & 0xFFFF, number * 160, ssrc, packet(number) + bytes(156)).serialize()


@pytest.mark.parametrize("seed", range(8))
def test_on_a_bad_network_nothing_is_heard_more_than_100_ms_late(seed: int) -> None:
    """5 % loss, 200 ms bursts, 2 % duplicates, 5 % reordered, 60 ms jitter, sequence wrap, a new SSRC."""
    chance = random.Random(seed)
    count = 3000
    first = 0xFFFF - 700
    lost = {number for number in range(count) if chance.random() < 0.05}
    for start in range(200, count, 400):
        lost |= set(range(start, start + 10))
    arrivals = []
    sent = 0
    for number in range(count):
        if number in lost:
            continue
        sent += 1
        ssrc = 7 if number < 1800 else 8
        sequence = first + number if ssrc == 7 else 50_000 + number
        delay = chance.uniform(0, 60) + (20 if chance.random() < 0.05 else 0)
        arrivals.append((number * 20 + delay, datagram(number, sequence, ssrc)))
        if chance.random() < 0.02:
            arrivals.append((number * 20 + delay + chance.uniform(0, 30), datagram(number, sequence, ssrc)))
    heard = heard_frames(arrivals, count + 10)
    shifts = [(tick - number) * FRAME_MS for tick, number in enumerate(heard) if number is not None]
    numbers = [number for number in heard if number is not None]
    assert max(shifts) <= MAX_SHIFT_MS
    assert numbers == sorted(set(numbers))  # in order, none twice
    assert len(numbers) > 0.9 * sent


@pytest.mark.parametrize("drift", [200e-6, -200e-6])
def test_clock_drift_never_adds_up(drift: float) -> None:
    """A sender 200 ppm too fast or too slow, for 30 minutes, with a millisecond of jitter."""
    chance = random.Random(1)
    ticks = 30 * 60 * 50
    interval = 20 / (1 + drift)
    arrivals = [
        (number * interval + 5 + chance.uniform(0, 1), datagram(number, number))
        for number in range(int(ticks * 20 / interval) - 10)
    ]
    heard = heard_frames(arrivals, ticks)
    # When a frame is heard, less when its sender had it: the delay on the sender's own clock.
    delays = [tick * 20 - number * interval for tick, number in enumerate(heard) if number is not None]
    assert max(delays) - min(delays) <= 60 + FRAME_MS  # 60 ms and the tick's own grain
    assert sum(number is None for number in heard) < 80
