"""Voice activity by WebRTC's detector (Gaussian mixtures over six bands): 2 µs a frame, the default.

It mistakes tones (ringback, DTMF) for speech and gives way in loud noise; `silero_vad` does neither.
"""

from __future__ import annotations

import _webrtcvad  # the wheel's C module: its Python wrapper costs as much again as the detector

from voicebot.errors import UserError

HANGOVER_MS = {0: 180, 1: 180, 2: 130, 3: 100}
"""Speech goes on being reported this long after its end, by mode: medians, see docs/speaking.md."""

_BYTES_A_FRAME = {8000: 320, 16000: 640}


class WebrtcVad:
    """One caller's detector. `aggressiveness` 0 (hears everything) to 3 (doubts most)."""

    def __init__(self, aggressiveness: int = 3) -> None:
        if aggressiveness not in HANGOVER_MS:
            raise UserError(f"vad aggressiveness {aggressiveness} does not exist", "use 0, 1, 2 or 3")
        self.hangover_ms = HANGOVER_MS[aggressiveness]
        self._state = _webrtcvad.create()
        _webrtcvad.init(self._state)
        _webrtcvad.set_mode(self._state, aggressiveness)

    def is_speech(self, frame: bytes, sample_rate: int) -> bool:
        """Judge one 20 ms frame of 16-bit little-endian mono PCM at 8000 or 16000 Hz.

        Raises ValueError for any other length or rate.
        """
        if len(frame) != _BYTES_A_FRAME.get(sample_rate):
            raise ValueError(f"{len(frame)} bytes at {sample_rate} Hz are not a 20 ms frame")
        return bool(_webrtcvad.process(self._state, sample_rate, frame, sample_rate // 50))
