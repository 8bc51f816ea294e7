"""Which keys a file held already, and in which line: 12 bytes a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_Run = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]


class Seen:
    """64-bit hashes with the line each was first seen in, in sorted runs whose sizes double."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def add(self, hashes: Sequence[int], lines: Sequence[int]) -> npt.NDArray[np.uint32]:
        """Return for each hash the line it was seen in before; 0: it is new, and remembered from now on."""
        keys = np.asarray(hashes, np.uint64)
        at = np.asarray(lines, np.uint32)
        earlier = np.zeros(len(keys), np.uint32)
        for known, known_lines in self._runs:
            found = np.searchsorted(known, keys).clip(max=len(known) - 1)
            hit = known[found] == keys
            earlier[hit] = known_lines[found[hit]]
        unique, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        repeated = first[inverse] != np.arange(len(keys))
        here = repeated & (earlier == 0)
        earlier[here] = at[first[inverse[here]]]
        fresh = earlier[first] == 0
        if fresh.any():
            self._runs.append((unique[fresh], at[first[fresh]]))
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            (one, one_lines), (two, two_lines) = self._runs.pop(), self._runs.pop()
            keys_of_both = np.concatenate((one, two))
            order = np.argsort(keys_of_both)
            self._runs.append((keys_of_both[order], np.concatenate((one_lines, two_lines))[order]))
        return earlier
