"""Sample-rate conversion of whole utterances and prompts.

In one go and of high quality. There is deliberately no streaming: a good streaming filter lags by up to 100
ms, so the frame path keeps the rate of the line, and engines convert whole pieces.
"""

from __future__ import annotations

import numpy as np
import soxr

from voicebot.audio.frames import Samples


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Return `samples` at `to_rate` Hz; the same array if the rate does not change."""
    if from_rate == to_rate or not len(samples):
        return samples
    converted: Samples = np.ascontiguousarray(soxr.resample(samples, from_rate, to_rate, quality="HQ"))
    return converted
