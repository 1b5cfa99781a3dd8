"""Which beat of one annotation is which beat of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def match(
    reference: NDArray[np.int64], test: NDArray[np.int64], window: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair beats at most `window` samples apart, the nearest first, never crossing in time.

    Every beat has at most one partner; of two equally near pairs the earlier is made.

    Returns
    -------
    Index of the partner in the other annotation for every beat, -1 where there is none.
    """
    first = np.searchsorted(test, reference - window, "left")
    count = np.searchsorted(test, reference + window, "right") - first
    i = np.repeat(np.arange(len(reference)), count)
    j = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - first, count)
    order = np.lexsort((j, i, np.abs(reference[i] - test[j])))
    to_test = np.full(len(reference), -1, np.int64)
    to_reference = np.full(len(test), -1, np.int64)
    for a, b in zip(i[order].tolist(), j[order].tolist(), strict=True):
        if to_test[a] < 0 and to_reference[b] < 0 and not _crosses(a, b, to_test, first, count):
            to_test[a], to_reference[b] = b, a
    return to_test, to_reference


def _crosses(
    a: int, b: int, to_test: NDArray[np.int64], first: NDArray[np.int64], count: NDArray[np.int64]
) -> bool:
    """Whether the pair (a, b) would overtake a pair already made."""
    before = a - 1
    while before >= 0 and first[before] + count[before] > b:
        if to_test[before] > b:
            return True
        before -= 1
    after = a + 1
    while after < len(to_test) and first[after] < b:
        if 0 <= to_test[after] < b:
            return True
        after += 1
    return False
