"""Unit: bursts by another clock become a frame a tick by ours."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.audio.pacing import MOST_FRAMES, READY_FRAMES, Pacer

pytestmark = pytest.mark.unit

SIZE = 640
QUIET = bytes(SIZE)


def loud(number: int) -> bytes:
    return np.full(SIZE // 2, 4000 + number, dtype="<i2").tobytes()


def number_of(frame: bytes | None) -> int | None:
    return None if frame is None else int(np.frombuffer(frame, "<i2")[0]) - 4000


def test_pieces_of_any_length_come_out_as_the_frames_they_were() -> None:
    pacer = Pacer(SIZE)
    whole = b"".join(loud(n) for n in range(6))
    for at in range(0, len(whole), 250):
        pacer.put(whole[at : at + 250])
    assert [number_of(pacer.take()) for _ in range(6)] == [0, 1, 2, 3, 4, 5]


def test_some_frames_gather_first_and_again_after_a_drought() -> None:
    pacer = Pacer(SIZE)
    pacer.put(loud(0))
    assert pacer.take() is None
    for n in range(1, READY_FRAMES):
        pacer.put(loud(n))
    assert [number_of(pacer.take()) for _ in range(READY_FRAMES)] == list(range(READY_FRAMES))
    assert pacer.take() is None and pacer.dry == 1
    pacer.put(loud(9))
    assert pacer.take() is None, "one late frame is not played alone"


def test_bursts_of_sixty_milliseconds_do_not_show() -> None:
    pacer = Pacer(SIZE)
    taken = []
    for tick in range(300):
        if tick % 3 == 0:
            for n in range(tick, tick + 3):
                pacer.put(loud(n))
        taken.append(number_of(pacer.take()))
    assert taken == list(range(300))


def test_a_flood_costs_no_memory_and_the_latest_is_kept() -> None:
    pacer = Pacer(SIZE)
    pacer.put(b"".join(loud(n) for n in range(1000)))
    assert pacer.waiting == MOST_FRAMES
    assert number_of(pacer.take()) == 1000 - MOST_FRAMES


@pytest.mark.parametrize("pause_every", [50, 0])
def test_a_fast_clock_loses_quiet_frames_and_words_only_when_it_must(pause_every: int) -> None:
    """1 % fast: as much in a minute as a bad crystal drifts in hours."""
    pacer = Pacer(SIZE)
    sent = heard = 0
    most = 0
    for tick in range(6000):
        for _ in range(2 if tick % 100 == 99 else 1):
            quiet = pause_every and tick % pause_every < 5
            pacer.put(QUIET if quiet else loud(1))
            sent += 1
        heard += pacer.take() is not None
        most = max(most, pacer.waiting)
    assert sent == heard + pacer.dropped + pacer.waiting
    assert pacer.dropped >= 35
    assert most <= (READY_FRAMES + 4 if pause_every else MOST_FRAMES)
    assert pacer.dry == 0


def test_a_slow_clock_is_silent_for_a_moment_at_times_and_never_piles_up() -> None:
    pacer = Pacer(SIZE)
    silent = 0
    for tick in range(6000):
        if tick % 100 != 99:
            pacer.put(loud(1))
        silent += pacer.take() is None
    assert pacer.dropped == 0
    assert silent == pytest.approx(60 + READY_FRAMES, abs=READY_FRAMES)
    assert pacer.waiting <= READY_FRAMES


def test_what_piled_up_at_once_is_gone_with_the_first_pause() -> None:
    pacer = Pacer(SIZE)
    pacer.put(b"".join(loud(n) for n in range(MOST_FRAMES)))
    for tick in range(200):
        pacer.put(QUIET if tick > 60 else loud(1))
        pacer.take()
    assert pacer.waiting <= READY_FRAMES + 1


def test_half_a_sample_does_not_turn_all_that_follows_into_noise() -> None:
    pacer = Pacer(SIZE)
    for n in range(4):
        pacer.put(loud(n) + b"x")
    assert [number_of(pacer.take()) for _ in range(4)] == [0, 1, 2, 3]
