"""Shape features: comparison of a beat with its patient's usual beat, a running median.

Causal: each beat is compared with itself and the 32 before it, so a stream that keeps a
`History` gives the same numbers as a whole record.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecgphoton.ecg.features import QRS, FloatArray

TEMPLATE_BEATS = 33
"""Beats whose median is the running template, the current one included."""
DEVIATION_FLOOR = 0.03
"""Added to both terms of a ratio of deviations: the deviation that noise alone causes."""
P_PART, T_PART = slice(60, 140), slice(220, 340)
"""Samples of a window where P and T waves are looked for."""
STEP = 5
"""P and T parts are compared in means of five samples (14 ms)."""
SHAPE = (
    "QRS deviation",
    "amplitude/usual",
    "width/usual",
    "interval",
    "QRS largest deviation",
    "T deviation/usual",
    "P deviation",
    "unlikeness",
)
"""Columns of the shape features; the first four make one token, the last four another."""


@dataclass(frozen=True, eq=False)
class History:
    """Values of the previous beats, at most 32, that the running medians need."""

    waves: FloatArray
    """``(m, 160)`` QRS samples, then P and T parts in means of `STEP` samples."""
    sizes: FloatArray
    """``(m, 4)`` QRS deviation, T deviation, log amplitude, width."""

    @classmethod
    def empty(cls) -> History:
        """Return the history before the first beat."""
        return cls(np.empty((0, _WAVES), np.float32), np.empty((0, 4), np.float32))


@dataclass(frozen=True, eq=False)
class Shape:
    """Beats compared with their patient's usual one."""

    residual: FloatArray
    """``(n, 120)`` QRS part of each beat minus the running template, clipped to [-1, 1]."""
    deviation: FloatArray
    """``(n,)`` fourth rhythm value: how unusual the QRS is for this patient, in [-1, 1]."""
    features: FloatArray
    """``(n, 8)`` columns `SHAPE`, in [-1, 1]."""
    history: History
    """History for the next beats."""


_LENGTH = QRS.stop - QRS.start
_P, _T = ((part.stop - part.start) // STEP for part in (P_PART, T_PART))
_WAVES = _LENGTH + _P + _T


def compare(
    windows: FloatArray,
    magnitude: FloatArray,
    interval: FloatArray,
    history: History | None = None,
) -> Shape:
    """Compare each beat of one patient with the running median of the last 33.

    With `d` the mean magnitude of a beat's QRS residual and "usual" the median over the beat
    itself and the 32 before it (or as many as there are):

    - deviation: ``tanh(ln((d + 0.03) / (usual d + 0.03)))``; a noisy lead raises both, so that
      only an unusual beat has a large value
    - QRS deviation ``tanh(8 d - 1)``
    - amplitude ``tanh(3 ln(magnitude / usual magnitude))``
    - width ``tanh(2 ln((w + 0.02) / (usual w + 0.02)))``, `w` the mean distance of the QRS part
      from the window's median
    - interval, as given
    - QRS largest deviation ``tanh(ln(largest residual + 0.05) + 1)``
    - T deviation ``tanh(ln((t + 0.03) / (usual t + 0.03)))``, `t` like `d` over the T part
    - P deviation ``tanh(8 p - 1)``, `p` like `d` over the P part
    - unlikeness ``tanh(2 ln(1.02 - c) + 4)``, `c` the cosine between QRS part and template

    Parameters
    ----------
    windows
        ``(n, 360)`` normalised beats of one patient in order.
    magnitude
        ``(n,)`` largest magnitude of each beat before normalisation, any unit.
    interval
        ``(n,)`` from `features.interval_feature`.
    history
        Of the beats before, for a stream.
    """
    past = history or History.empty()
    seen = len(past.waves)
    waves = np.concatenate([past.waves, _waves(windows)])
    usual = _sliding_median(waves)[seen:]
    apart = waves[seen:] - usual
    residual = np.clip(apart[:, :_LENGTH], -1.0, 1.0)
    distance = np.abs(residual)
    d = distance.mean(axis=1)
    p, t = (np.abs(part).mean(axis=1) for part in np.split(apart[:, _LENGTH:], [_P], axis=1))
    qrs = windows[:, QRS]
    w = np.abs(qrs - np.median(windows, axis=1, keepdims=True)).mean(axis=1)
    sizes = np.column_stack([d, t, np.log(np.maximum(magnitude, 1e-9)), w]).astype(np.float32)
    sizes = np.concatenate([past.sizes, sizes])
    now, typical = sizes[seen:].T, _sliding_median(sizes)[seen:].T
    deviation, t_deviation = (
        np.tanh(np.log(now[i] + DEVIATION_FLOOR) - np.log(typical[i] + DEVIATION_FLOOR))
        for i in (0, 1)
    )
    template = usual[:, :_LENGTH]
    lengths = np.sqrt((qrs**2).sum(axis=1) * (template**2).sum(axis=1))
    cosine = (qrs * template).sum(axis=1) / np.maximum(lengths, 1e-9)
    columns = (
        np.tanh(8 * d - 1),
        np.tanh(3 * (now[2] - typical[2])),
        np.tanh(2 * (np.log(now[3] + 0.02) - np.log(typical[3] + 0.02))),
        interval,
        np.tanh(np.log(distance.max(axis=1, initial=0.0) + 0.05) + 1),
        t_deviation,
        np.tanh(8 * p - 1),
        np.tanh(2 * np.log(1.02 - np.minimum(cosine, 1.0)) + 4),
    )
    keep = slice(-(TEMPLATE_BEATS - 1), None)
    return Shape(
        residual,
        np.asarray(deviation, np.float32),
        np.column_stack(columns).astype(np.float32),
        History(waves[keep], sizes[keep]),
    )


def _waves(windows: FloatArray) -> FloatArray:
    """(n, 160): QRS samples, then P and T parts in means of `STEP` samples."""
    parts = [
        windows[:, part].reshape(len(windows), width, STEP).mean(axis=2)
        for part, width in ((P_PART, _P), (T_PART, _T))
    ]
    return np.concatenate([windows[:, QRS], *parts], axis=1)


def _sliding_median(rows: FloatArray) -> FloatArray:
    """Median of each row and the 32 before it (or as many as there are), column by column."""
    from scipy.ndimage import rank_filter

    count, columns = rows.shape
    out = np.empty_like(rows)
    start = min(count, TEMPLATE_BEATS - 1)
    for row in range(start):
        out[row] = np.median(rows[: row + 1], axis=0)
    if count > start:
        # One line per column; 33 is odd, so the median is the 17th smallest. Windows that
        # straddle two columns fall on rows already done above.
        line = np.ascontiguousarray(rows.T).ravel()
        half = TEMPLATE_BEATS // 2
        ranked = rank_filter(line, rank=half, size=TEMPLATE_BEATS, origin=half)
        out[start:] = ranked.reshape(columns, count).T[start:]
    return out
