"""Pair the beats of two annotations as ANSI/AAMI EC57 does."""

import numpy as np
from numpy.typing import NDArray

NEVER = 2**62


def match(
    reference: NDArray[np.int64], test: NDArray[np.int64], window: float
) -> NDArray[np.int64]:
    """Pair beats at most `window` samples apart, going once through both in time order.

    Of the first beats that are left, the later one is the candidate of the earlier one. They are a
    pair if they are near enough, unless the beat that follows the earlier one is at least as near
    to the candidate and has no nearer candidate of its own. An earlier beat without a pair is
    extra (of the test) or missed (of the reference).

    Returns
    -------
    ``(m, 2)`` index of the reference and of the test beat of every comparison in order, -1 where
    there is none.
    """
    first, second = ([*times.tolist(), NEVER, 2 * NEVER] for times in (reference, test))
    made = []
    i = j = 0
    while i < len(reference) or j < len(test):
        swap = second[j] <= first[i]
        early, late = (second[j : j + 2], first[i : i + 2])[:: 1 if swap else -1]
        gap, rival = late[0] - early[0], abs(late[0] - early[1])
        paired = gap <= window and (gap < rival or abs(late[1] - early[1]) < rival)
        made.append((i if paired or not swap else -1, j if paired or swap else -1))
        i += paired or not swap
        j += paired or swap
    return np.array(made, np.int64).reshape(-1, 2)
