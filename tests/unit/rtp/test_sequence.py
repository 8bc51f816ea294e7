"""Unit: sequence numbers of a source (RFC 3550, A.1), losses (A.3) and jitter (A.8)."""

from __future__ import annotations

import itertools

import pytest

from voicebot.rtp.sequence import INVALID, MAX_DROPOUT, SequenceTracker
from voicebot.rtp.statistics import Jitter, LossCounter

pytestmark = pytest.mark.unit


def tracked(*sequences: int) -> tuple[SequenceTracker, list[int]]:
    tracker = SequenceTracker()
    return tracker, [tracker.update(sequence) for sequence in sequences]


def test_a_source_is_believed_after_two_packets_in_order() -> None:
    _, extended = tracked(10, 12, 13, 14)
    assert [number == INVALID for number in extended] == [True, True, False, False]
    assert extended[3] - extended[2] == 1


def test_numbers_are_extended_over_the_wrap() -> None:
    tracker, extended = tracked(65533, 65534, 65535, 0, 1)
    assert [later - sooner for sooner, later in itertools.pairwise(extended[1:])] == [1, 1, 1]
    assert (tracker.expected, tracker.received) == (4, 4)


def test_a_late_packet_keeps_its_place_even_across_the_wrap() -> None:
    tracker, extended = tracked(65534, 65535, 1, 0)
    assert extended[3] == extended[2] - 1
    assert (tracker.expected, tracker.received) == (3, 3)


def test_a_jump_is_believed_only_when_it_is_confirmed() -> None:
    tracker = SequenceTracker()
    tracker.update(1)
    before = tracker.update(2)
    assert tracker.update(30000) == INVALID
    assert tracker.update(3) == before + 1  # the stray packet changed nothing
    assert tracker.update(40000) == INVALID
    assert tracker.update(40001) != INVALID
    assert tracker.restarts == 1


def test_a_gap_short_of_a_restart_is_a_loss() -> None:
    tracker, extended = tracked(1, 2, 2 + MAX_DROPOUT - 1)
    assert extended[2] - extended[1] == MAX_DROPOUT - 1
    assert tracker.expected - tracker.received == MAX_DROPOUT - 2


def test_fraction_lost_is_that_of_the_interval() -> None:
    losses = LossCounter()
    assert losses.report(expected=100, received=90).fraction_lost == pytest.approx(0.1)
    second = losses.report(expected=200, received=190)
    assert (second.fraction_lost, second.lost) == (0.0, 10)
    assert losses.report(expected=210, received=205).fraction_lost == 0.0  # duplicates: negative loss is none


def test_jitter_follows_the_formula_and_the_timestamp_wrap() -> None:
    jitter = Jitter()
    arrivals = [0, 160, 340, 480]
    stamps = [0xFFFFFFFF - 159, 0, 160, 320]
    expected = 0.0
    for difference in (0, 20, 20):
        expected += (difference - expected) / 16
    for arrival, stamp in zip(arrivals, stamps, strict=True):
        jitter.arrived(arrival, stamp)
    assert jitter.value == pytest.approx(expected)
    jitter.step(16)
    assert jitter.value == pytest.approx(expected * (15 / 16) ** 16)
