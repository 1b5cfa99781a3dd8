"""The operating point on a chip: fitted anew on that chip's scores of calibration beats.

The beats a chip is reported on never take part. Calibration beats are the validation beats of the
student's protocol, replayed through the chip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.decision import OperatingPoint, ThresholdPolicy

SET = "chip calibration"
"""Name under which calibration beats are recorded in an operating point."""
FEWEST = 20
"""Beats of a record from which its centre is trusted."""


def refit(
    probability: NDArray[Any],
    label: NDArray[Any],
    policy: ThresholdPolicy,
    *,
    name: str = SET,
) -> list[OperatingPoint]:
    """Fit the operating point of every chip by the same policy that fitted the student's.

    Parameters
    ----------
    probability
        (C, B) probability of abnormal of calibration beats on C chips.
    label
        (B,), nonzero means abnormal.
    policy
        A blend with a second set is left out: there is none on a chip.

    Raises
    ------
    InputError
        If there are no beats, or shapes do not fit.
    """
    scores = np.asarray(probability)
    truth = np.asarray(label)
    if scores.ndim != 2 or scores.shape[1:] != truth.shape:
        raise InputError(
            f"calibration scores have shape {scores.shape} and labels {truth.shape}; (chips, "
            "beats) and (beats,) are needed"
        )
    single = policy.without_blend()
    return [single.fit({name: (row, truth)}) for row in scores]


def centre(
    probability: NDArray[Any],
    record: NDArray[Any],
    reference: float | None = None,
    *,
    quantile: float = 0.5,
) -> NDArray[np.float64]:
    """Shift the log-odds of every record so that their quantile is the same in all records.

    Uses no label: most beats of most people are normal, so the median of a record says where this
    patient's normal beats lie. A patient whose beats are mostly abnormal is shifted the wrong way;
    a lower quantile is safer there.

    Parameters
    ----------
    probability
        (..., B) probability of abnormal.
    record
        (B,) record of every beat.
    reference
        Log-odds the quantile is moved to, for example that of the calibration beats (see
        `reference_of`); default: the mean over the records given.
    quantile
        In (0, 1).

    Returns
    -------
    ndarray of shape (..., B)
        Probabilities; records with fewer than 20 beats keep theirs.

    Raises
    ------
    InputError
        If shapes do not fit or the quantile is outside (0, 1).
    """
    scores, names = np.asarray(probability, float), np.asarray(record)
    if scores.shape[-1:] != names.shape or not 0 < quantile < 1:
        raise InputError(
            f"scores of shape {scores.shape}, records of shape {names.shape}, quantile "
            f"{quantile}: as many records as beats and a quantile in (0, 1) are needed"
        )
    odds = _log_odds(scores)
    groups = [names == name for name in np.unique(names)]
    levels = [np.quantile(odds[..., rows], quantile, axis=-1, keepdims=True) for rows in groups]
    goal = np.mean(levels, 0) if reference is None else reference
    for rows, level in zip(groups, levels, strict=True):
        if rows.sum() >= FEWEST:
            odds[..., rows] += goal - level
    return np.asarray(1 / (1 + np.exp(-odds)))


def reference_of(
    probability: NDArray[Any], record: NDArray[Any], *, quantile: float = 0.5
) -> float:
    """Mean over records of the quantile of their log-odds: what `centre` moves records to."""
    odds, names = _log_odds(np.asarray(probability, float)), np.asarray(record)
    levels = [np.quantile(odds[..., names == name], quantile) for name in np.unique(names)]
    return float(np.mean(levels))


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = probability.clip(1e-7, 1 - 1e-7)
    return np.asarray(np.log(inside / (1 - inside)))
