"""Category: unit. What the caller sends every 20 ms, what it hears, and the recording of both."""

from __future__ import annotations

import math
import wave
from pathlib import Path

import numpy as np
import pytest

from voicebot.audio import g711
from voicebot.softphone.hearing import BotSpeech, level_dbfs, percentile
from voicebot.softphone.line import ReceivedFrame, SentFrame
from voicebot.softphone.mouth import SILENCE, Mouth, Payload, speech
from voicebot.softphone.recording import write_stereo

pytestmark = pytest.mark.unit


def tone(ms: int, level: float = 8000) -> bytes:
    time = np.arange(ms * 8) / 8000
    return g711.encode((level * np.sin(2 * np.pi * 440 * time)).astype(np.int16)).tobytes()


def ticks(mouth: Mouth, count: int, start: float = 0.0) -> list[list[Payload]]:
    return [mouth.tick(start + number * 0.02) for number in range(count)]


def test_silence_is_sent_when_there_is_nothing_to_say() -> None:
    sent = [packet for packets in ticks(Mouth(2**32 - 160, 101), 3) for packet in packets]
    assert [packet.data for packet in sent] == [SILENCE] * 3
    assert [packet.timestamp for packet in sent] == [2**32 - 160, 0, 160], "the timestamp wraps"
    assert [packet.marker for packet in sent] == [True, False, False]


def test_speech_knows_its_audible_part_and_when_it_left() -> None:
    saying = speech(SILENCE * 2 + tone(50) + SILENCE * 3)
    mouth = Mouth(0, 101)
    mouth.say(saying)
    ticks(mouth, 10, start=7.0)
    assert (saying.began_at, saying.ended_at) == (7.0, pytest.approx(7.14))
    assert saying.voiced_from_at == pytest.approx(7.04)
    assert saying.voiced_to_at == pytest.approx(7.08), "50 ms of tone reach into a third frame"
    assert not mouth.busy


def test_what_cannot_be_heard_is_no_speech() -> None:
    with pytest.raises(ValueError, match="nothing can be heard"):
        speech(tone(100, level=20))


def test_keys_are_sent_as_rfc_4733_wants_them() -> None:
    mouth = Mouth(8000, 96)
    pressing = mouth.press("1#")
    sent = ticks(mouth, 20)
    first_key = [packet for packets in sent[:5] for packet in packets]
    assert {packet.timestamp for packet in first_key} == {8000}, (
        "an event keeps the timestamp of its beginning"
    )
    assert [int.from_bytes(packet.data[2:]) for packet in first_key] == [160, 320, 480, 640, 800, 800, 800]
    assert [packet.data[1] >> 7 for packet in first_key] == [0, 0, 0, 0, 1, 1, 1], (
        "the end is told three times"
    )
    assert [packet.marker for packet in first_key] == [True] + [False] * 6
    gap = [packet for packets in sent[5:10] for packet in packets]
    assert [packet.payload_type for packet in gap] == [0] * 5
    assert gap[0].timestamp == 8000 + 5 * 160
    second = sent[10][0]
    assert (second.payload_type, second.data[0], second.timestamp) == (96, 11, 8000 + 10 * 160)
    assert pressing.ended_at == pytest.approx(19 * 0.02)


def test_no_such_key() -> None:
    with pytest.raises(ValueError, match="no such key: X"):
        Mouth(0, 101).press("1x")
    with pytest.raises(ValueError, match="no telephone events"):
        Mouth(0, None).press("1")


def test_hush_stops_at_once_and_keys_after_it_are_pressed() -> None:
    mouth = Mouth(0, 101)
    saying = speech(tone(200))
    mouth.say(saying)
    ticks(mouth, 2)
    mouth.press("1")
    mouth.hush(saying)
    assert mouth.tick(1.0)[0].payload_type == 101
    ticks(mouth, 9)
    mouth.hush(saying)
    assert mouth.tick(2.0)[0].data == SILENCE


def test_levels() -> None:
    assert level_dbfs(SILENCE) < -90
    assert level_dbfs(tone(20, level=32000)) == pytest.approx(
        20 * math.log10(32000 / 32768 / math.sqrt(2)), abs=0.3
    )


def test_the_bots_speech_falls_into_segments() -> None:
    bot = BotSpeech()
    audible = [(0.0, 0.4), (0.6, 1.0), (1.6, 1.8)]  # a pause between words, then one between prompts
    for number in range(120):
        at = number * 0.02
        bot.frame(at, -20.0 if any(start <= at <= end for start, end in audible) else -90.0)
    assert [(round(part.start, 2), round(part.end, 2)) for part in bot.segments] == [(0.0, 1.0), (1.6, 1.8)]
    assert bot.first_audible(after=0.5) == pytest.approx(1.6), "speech that is going on is no new beginning"
    assert bot.first_audible(after=2.0) is None
    assert bot.quiet_ms(2.3) == pytest.approx(500)
    assert bot.speaking(1.9)
    assert not bot.speaking(2.3)


def test_before_the_first_word_all_is_quiet() -> None:
    assert BotSpeech().quiet_ms(5.0) == math.inf


def test_percentiles() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([0, 10], 0.95) == pytest.approx(9.5)


def test_the_recording_holds_both_sides_on_one_time_axis(tmp_path: Path) -> None:
    loud = tone(20)
    sent = [SentFrame(10.0 + 0.02 * n, 0.0, loud if n == 5 else SILENCE) for n in range(50)]
    # Packets of the bot that jitter by 15 ms but whose timestamps are even; the stream begins 100 ms late.
    jitter = [0.0, 0.015, 0.005]
    received = [
        ReceivedFrame(
            10.1 + 0.02 * n + jitter[n % 3], n, (2**32 - 160 * 3 + 160 * n) % 2**32, False, -20.0, loud
        )
        for n in range(10)
    ]
    write_stereo(tmp_path / "call.wav", sent, received)
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        both = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    caller, bot = (np.flatnonzero(np.abs(both[:, side].astype(int)) > 500) for side in (0, 1))
    assert (caller[0], caller[-1]) == (pytest.approx(800, abs=8), pytest.approx(960, abs=8))
    assert (bot[0], bot[-1]) == (pytest.approx(800, abs=8), pytest.approx(800 + 1600, abs=8))
    assert np.max(np.diff(bot)) < 20, "no holes where packets jittered"
