"""G.711 (ITU-T, 11/1988): mu-law and A-law by look-up, many frames at once.

The recommendation is defined on uniform PCM of 14 bits (mu-law) and 13 bits (A-law). 16-bit samples are
brought to that width by dropping their lowest bits (an arithmetic shift), then coded by the decision values
of tables 1a to 2b. All uniform values and all 256 codes are in tables that are built once, on import.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Law = Literal["ulaw", "alaw"]
Codes = npt.NDArray[np.uint8]

_ULAW_BIAS = 33  # moves segment ends to powers of two, in 14-bit steps
_ULAW_CLIP = 8158  # largest 14-bit magnitude below the virtual decision value 8159
_ALAW_INVERSION = 0x55  # even bits are inverted (note 1 of table 1a)


def _all_of_bits(bits: int) -> npt.NDArray[np.int32]:
    """All uniform values of this width, the negative ones last: the order in which they index a table."""
    return np.concatenate([np.arange(1 << bits - 1), np.arange(-1 << bits - 1, 0)]).astype(np.int32)


def _ulaw_encoder() -> Codes:
    uniform = _all_of_bits(14)
    biased = np.minimum(np.abs(uniform), _ULAW_CLIP) + _ULAW_BIAS
    segment = np.floor(np.log2(biased)).astype(np.int32) - 5
    step = (biased >> (segment + 1)) & 0x0F
    sign = np.where(uniform < 0, 0x80, 0)
    codes: Codes = (~(sign | segment << 4 | step) & 0xFF).astype(np.uint8)
    return codes


def _ulaw_decoder() -> npt.NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    segment, step = code >> 4 & 7, code & 0x0F
    magnitude = ((2 * step + _ULAW_BIAS) << segment) - _ULAW_BIAS
    return (np.where(code & 0x80, -magnitude, magnitude) * 4).astype(np.int16)


def _alaw_encoder() -> Codes:
    uniform = _all_of_bits(13)
    # In two's complement the interval below zero begins at -1: fold it on the first positive one.
    magnitude = np.where(uniform < 0, ~uniform, uniform)
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    step = magnitude >> np.maximum(segment, 1) & 0x0F
    sign = np.where(uniform >= 0, 0x80, 0)
    codes: Codes = ((sign | segment << 4 | step) ^ _ALAW_INVERSION).astype(np.uint8)
    return codes


def _alaw_decoder() -> npt.NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ _ALAW_INVERSION
    segment, step = code >> 4 & 7, code & 0x0F
    magnitude = np.where(segment == 0, 2 * step + 1, (2 * step + 33) << np.maximum(segment - 1, 0))
    return (np.where(code & 0x80, magnitude, -magnitude) * 8).astype(np.int16)


_ENCODERS: dict[Law, Codes] = {"ulaw": _ulaw_encoder(), "alaw": _alaw_encoder()}
_DECODERS: dict[Law, npt.NDArray[np.int16]] = {"ulaw": _ulaw_decoder(), "alaw": _alaw_decoder()}

_DROPPED_BITS: dict[Law, int] = {"ulaw": 2, "alaw": 3}
"""The tables have the recommendation's width, not 16 bits: so they stay in the processor's first cache."""

SILENCE: dict[Law, int] = {law: int(table[0]) for law, table in _ENCODERS.items()}
"""The code of sample 0 under each law."""


def encode(samples: npt.NDArray[np.int16], law: Law = "ulaw") -> Codes:
    """Return the codes of 16-bit samples, in the same shape: one frame, an utterance, or a batch of
    frames.
    """
    return _ENCODERS[law].take(samples.view(np.uint16) >> _DROPPED_BITS[law])


def decode(codes: Codes, law: Law = "ulaw") -> npt.NDArray[np.int16]:
    """Return the 16-bit samples of codes, in the same shape."""
    return _DECODERS[law].take(codes)
