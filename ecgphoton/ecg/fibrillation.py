"""Made-up atrial fibrillation: normal beats of patients come in, copies in its rhythm go out.

In atrial fibrillation the intervals between beats are irregular, with a coefficient of variation of
about 0.2 to 0.3 and next to no memory (Tateno & Glass 2001, doi:10.1007/BF02345439), but the beats
themselves are normal. Few patients of a database have it, so that a student takes each early beat
for an ectopic one. Here the beats of a patient keep their shape and get such intervals.
"""

from dataclasses import replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.rhythm import Rhythm
from ecgphoton.ecg.windows import describe

PACE = (0.7, 1.05)
"""Median interval of a copy, as a share of the patient's own: fibrillation is seldom slower."""
SCATTER = (0.2, 0.3)
"""Standard deviation of the ln of the intervals."""
INTERVALS = (0.3, 2.0)
"""Seconds; shorter and longer intervals are clipped: the atrioventricular node is refractory."""
TIMED = ("A", "a", "J", "S", "e", "j", "n")
"""Symbols that say when a beat came; in a made-up rhythm they would be wrong."""
HISTORY = 40
"""First beats of a copy, which have too few before them to be compared with."""


def fibrillating(beats: BeatSet, share: float, seed: int) -> BeatSet:
    """Return normal beats of each record again, as if its patient had atrial fibrillation.

    Ventricular and fusion beats keep their places among them, so that they are compared with such
    beats; they are not returned.

    Parameters
    ----------
    beats
        Of one or several records, in order, with labels.
    share
        Of a record that is copied, from 0 (nothing) to 1.
    seed
        Of the intervals, which depend on nothing else but the record's name and beats.

    Returns
    -------
    Copies with the names of their records, whose `patient`, `residual` and `sample` are new.
    """
    return BeatSet.concat(
        [
            _copy(beats.take(beats.record == name), share, np.random.default_rng(
                [seed, crc32(name.encode())]
            ))
            for name in np.unique(beats.record).tolist()
        ]
    )  # fmt: skip


def _copy(beats: BeatSet, share: float, rng: np.random.Generator) -> BeatSet:
    beats = beats.take(~np.isin(beats.symbol, TIMED))
    beats = beats.take(slice(HISTORY + int(share * max(len(beats) - HISTORY, 0)) + 1))
    usual = np.median(np.diff(beats.sample)) if len(beats) > 1 else beats.fs
    scatter = rng.uniform(*SCATTER) * rng.standard_normal(len(beats))
    interval = rng.uniform(*PACE) * usual / beats.fs * np.exp(scatter)
    sample = np.cumsum(np.round(np.clip(interval, *INTERVALS) * beats.fs)).astype(np.int64)
    rhythm = Rhythm.of(sample, beats.fs)
    columns, _ = describe(beats.windows * beats.size[:, None], rhythm, np.arange(len(beats)))
    placed = replace(beats, patient=columns["patient"], residual=columns["residual"], sample=sample)
    rows: NDArray[np.bool_] = placed.label == 0
    rows[:HISTORY], rows[-1:] = False, False  # the last has no next one
    return placed.take(rows)
