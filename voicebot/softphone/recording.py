"""Sound of a caller: what is to be said, and both directions of a call as one stereo wav."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from voicebot.audio import g711
from voicebot.audio.frames import Samples, to_pcm
from voicebot.audio.resample import resample
from voicebot.audio.wav import StereoWriter, read_wav

SAMPLE_RATE = 8000
REALIGN_MS = 60
"""A packet that is this far from where its RTP timestamp puts it is placed by its arrival instead."""


class _Frame(Protocol):
    @property
    def at(self) -> float: ...
    @property
    def payload(self) -> bytes: ...


class _Stamped(_Frame, Protocol):
    @property
    def timestamp(self) -> int: ...


def read_ulaw(path: Path) -> bytes:
    """Return a wav file as mu-law samples at 8 kHz. Raises UserError for what cannot be read."""
    wav = read_wav(path)
    return g711.encode(resample(wav.samples, wav.sample_rate, SAMPLE_RATE)).tobytes()


def write_stereo(path: Path, sent: Sequence[_Frame], received: Sequence[_Stamped]) -> None:
    """Write a 16-bit stereo wav: left what was sent, right what was received, both on one time axis."""
    zero = min((frames[0].at for frames in (sent, received) if frames), default=0.0)
    left = _lay([(each.at, each.payload) for each in sent if each.payload], zero)
    right = _lay(list(zip(_times(received), (each.payload for each in received), strict=True)), zero)
    length = max(len(left), len(right))
    with StereoWriter(path, SAMPLE_RATE) as file:
        file.add(*(to_pcm(np.pad(track, (0, length - len(track)))) for track in (left, right)))


def _times(received: Sequence[_Stamped]) -> list[float]:
    """Place packets by timestamps, which do not jitter; anchored anew where they leave the arrivals."""
    times: list[float] = []
    anchor: tuple[float, int] | None = None
    for each in received:
        if anchor is None:
            anchor = (each.at, each.timestamp)
        at = anchor[0] + ((each.timestamp - anchor[1] + 2**31) % 2**32 - 2**31) / SAMPLE_RATE
        if abs(at - each.at) * 1000 > REALIGN_MS:
            anchor, at = (each.at, each.timestamp), each.at
        times.append(at)
    return times


def _lay(frames: list[tuple[float, bytes]], zero: float) -> Samples:
    placed = [
        (max(0, round((at - zero) * SAMPLE_RATE)), g711.decode(np.frombuffer(payload, np.uint8)))
        for at, payload in frames
    ]
    track = np.zeros(max((start + len(pcm) for start, pcm in placed), default=0), np.int16)
    for start, pcm in placed:
        track[start : start + len(pcm)] = pcm
    return track
