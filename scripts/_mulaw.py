"""Mono mu-law wav files at 8 kHz, as bytes: the form of the recorded callers and of the corpus."""

from __future__ import annotations

import struct

from voicebot.audio import g711
from voicebot.audio.frames import Samples
from voicebot.audio.wav import FORMAT_ULAW

RATE = 8000


def mulaw_wav(samples: Samples) -> bytes:
    """Return a file of `samples`; formats other than PCM need a fact chunk."""
    codes = g711.encode(samples).tobytes()
    chunks = [
        (b"fmt ", struct.pack("<HHIIHHH", FORMAT_ULAW, 1, RATE, RATE, 1, 8, 0)),
        (b"fact", struct.pack("<I", len(codes))),
        (b"data", codes),
    ]
    body = b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body
