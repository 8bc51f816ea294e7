"""Which voice activity detector a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable

from voicebot.config import VadConfig
from voicebot.engines.silero_vad import SileroVad
from voicebot.engines.webrtc_vad import WebrtcVad
from voicebot.speech.vad import Vad


def build_vad(config: VadConfig) -> Callable[[], Vad]:
    """Return what makes one detector a call. Raises UserError where the engine is not installed."""
    if config.engine == "silero":
        SileroVad(config.threshold)  # load the network now: the first call must not wait for it, or fail
        return lambda: SileroVad(config.threshold)
    return lambda: WebrtcVad(config.aggressiveness)
