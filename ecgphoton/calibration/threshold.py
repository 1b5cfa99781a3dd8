"""The operating point of a chip: the same policy, on that chip's own scores of calibration beats.

The beats that a report shows never take part. Where a patient's scores as a whole lie higher or
lower than other patients', `centred` moves them back with beats nobody has labelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SURE = 1e-7
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""


def chip_points(
    probability: NDArray[np.float32],
    label: NDArray[np.bool_],
    policy: ThresholdPolicy | None = None,
) -> tuple[OperatingPoint, ...]:
    """Fit the operating point of every chip.

    Parameters
    ----------
    probability
        (C, B) of abnormal, of calibration beats as every chip sees them.
    label
        (B,), True for abnormal.
    policy
        How thresholds are chosen; by default as for the student. Blending is left out.

    Raises
    ------
    InputError
        If there are no beats, or labels do not fit.
    """
    if probability.ndim != 2 or probability.shape[1] != len(label):
        raise InputError(
            f"scores have shape {probability.shape}; (chips, {len(label)}) are needed, a score for "
            "every label"
        )
    chosen = (policy or ThresholdPolicy()).without_blend()
    return tuple(chosen.fit({"calibration": (row, label)}) for row in probability)


def log_odds(probability: NDArray[np.floating]) -> Floats:
    """Log-odds of probabilities, finite also at 0 and 1."""
    p = np.clip(np.asarray(probability, float), SURE, 1 - SURE)
    return np.asarray(np.log(p / (1 - p)))


def typical(probability: NDArray[np.floating], record: NDArray[np.str_]) -> float:
    """Median over records of their median log-odds: where `centred` moves records to."""
    odds = log_odds(probability)
    return float(np.median([np.median(odds[record == name]) for name in np.unique(record)]))


def centred(
    probability: NDArray[np.floating],
    record: NDArray[np.str_],
    reference: float,
    *,
    beats: int | None = None,
    strength: float = 1.0,
) -> Floats:
    """Shift the scores of every record so that their median is the usual one.

    Needs no labels. It assumes that most beats of a patient are normal; for a patient whose beats
    are mostly abnormal it does harm, which is why it is an option and never the default.

    Parameters
    ----------
    probability
        (B,) of abnormal, in order of time within a record.
    record
        (B,) names of records.
    reference
        `typical` of calibration beats.
    beats
        Take the median of the first `beats` of each record only, as a monitor would have to.
    strength
        Share of the shift that is applied, from 0 to 1.

    Returns
    -------
    (B,) probabilities.
    """
    if len(probability) != len(record) or not 0 <= strength <= 1:
        raise InputError(
            f"{len(probability)} scores, {len(record)} records, strength {strength!r}; as many "
            "records as scores and a strength from 0 to 1 are needed"
        )
    odds = log_odds(probability)
    for name in np.unique(record):
        rows = np.flatnonzero(record == name)
        odds[rows] += strength * (reference - np.median(odds[rows[:beats]]))
    return np.asarray(1 / (1 + np.exp(-odds)))
