"""Voice activity: is there speech in this frame?"""

from __future__ import annotations

from typing import Protocol


class Vad(Protocol):
    """One caller's detector; it may keep state from frame to frame.

    `hangover_ms`: how long the detector goes on saying "speech" after speech ended, on average;
    the end-pointer takes it off the pause that it waits for.
    """

    hangover_ms: int

    def is_speech(self, frame: bytes, sample_rate: int) -> bool:
        """Judge one 20 ms frame of 16-bit little-endian mono PCM at 8000 or 16000 Hz."""
        ...
