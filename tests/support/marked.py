"""Annotations for tests, by seconds and symbols."""

import numpy as np

from ecgphoton.ecg.annotations import Annotations

FS = 360.0


def at(seconds, symbols):
    """Annotations at these times, one symbol each."""
    return Annotations(
        np.rint(np.array(seconds) * FS).astype(np.int64), np.array(list(symbols)), FS
    )
