"""Unit: what a bad telephone line does to a caller's packets."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.audio import g711
from voicebot.audio.levels import level_db
from voicebot.authoring.audio.line import FRAME, LINE_NOISE_DB, PRESETS, SPEECH_DB, Impairment, Line
from voicebot.rtp.packet import parse

pytestmark = pytest.mark.unit

TICKS = 5000
LOUD = np.full(FRAME, 8000, np.int16)


def run(way: Impairment, seed: int = 1, bot: np.ndarray | None = None) -> tuple[Line, list[list[bytes]]]:
    line = Line(way, seed)
    return line, [line.tick(None, bot) for _ in range(TICKS)]


def test_a_clean_line_delivers_every_packet_in_the_tick_in_which_it_was_sent() -> None:
    _, ticks = run(PRESETS["clean"])
    numbers = [parse(packet).sequence for packets in ticks for packet in packets]
    assert [len(packets) for packets in ticks] == [1] * TICKS
    assert numbers == [(1000 + at) & 0xFFFF for at in range(TICKS)]


def test_losses_are_as_many_and_as_long_as_asked_for() -> None:
    line, ticks = run(Impairment(loss=0.05, burst=3))
    there = np.array([bool(packets) for packets in ticks])
    bursts = np.count_nonzero(np.diff(there.astype(int)) == -1)
    assert 0.035 < line.lost / line.sent < 0.065
    assert 2.4 < line.lost / bursts < 3.6


def test_jitter_delays_and_swaps_packets_but_loses_none() -> None:
    _, ticks = run(Impairment(jitter_ms=40))
    numbers = [parse(packet).sequence for packets in ticks for packet in packets]
    assert len(numbers) > TICKS - 20
    assert numbers != sorted(numbers)
    assert max(map(len, ticks)) > 1


@pytest.mark.parametrize("snr_db", [20.0, 12.0])
def test_noise_is_as_loud_as_asked_for(snr_db: float) -> None:
    _, ticks = run(Impairment(snr_db=snr_db))
    heard = np.concatenate([g711.decode(np.frombuffer(parse(p[0]).payload, np.uint8), "ulaw") for p in ticks])
    assert level_db(heard) == pytest.approx(SPEECH_DB - snr_db, abs=1)


def test_the_bot_comes_back_after_its_time_and_so_much_quieter() -> None:
    line = Line(Impairment(snr_db=80, echo_db=-30, echo_ms=100))
    levels = []
    for tick in range(20):
        (packet,) = line.tick(None, LOUD if tick == 3 else None)
        levels.append(level_db(g711.decode(np.frombuffer(parse(packet).payload, np.uint8), "ulaw")))
    assert int(np.argmax(levels)) == 3 + 5
    assert max(levels) == pytest.approx(level_db(LOUD) - 30, abs=1)
    assert levels[3] < LINE_NOISE_DB + 6


def test_the_same_seed_makes_the_same_line() -> None:
    assert run(PRESETS["bad"], 7)[1] == run(PRESETS["bad"], 7)[1]
    assert run(PRESETS["bad"], 7)[1] != run(PRESETS["bad"], 8)[1]
