"""Intervals: of a share, of a mean over few chips, and of a rate over records.

Each is over what is drawn independently: chips, or records (patients). Beats of one patient are
alike, so an interval over beats would be far too narrow.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.metrics import Confusion

Interval = tuple[float, float]
GROUPS = 16
"""Groups of draws that a jackknife leaves out in turn."""
DRAWS = 2000
"""Times that records are drawn anew for an interval over patients."""


def resampled(records: int, *, seed: int) -> NDArray[np.float64]:
    """Draw as many records as there are, with replacement, again and again.

    Returns
    -------
    ``(draws, records)`` how often each was drawn.
    """
    picks = np.random.default_rng(seed).integers(records, size=(DRAWS, records))
    places = picks + records * np.arange(DRAWS)[:, None]
    times = np.bincount(places.ravel(), minlength=DRAWS * records)
    return times.reshape(DRAWS, records).astype(float)


def record_bootstrap(
    per_record: Sequence[Confusion],
    statistic: Callable[[Confusion], float | None],
    *,
    seed: int,
) -> Interval | None:
    """95 % percentile interval of a rate when whole records (patients) are resampled.

    None where fewer than two records have the rate.
    """
    if sum(statistic(one) is not None for one in per_record) < 2:
        return None
    counts = np.array([(c.tp, c.fn, c.fp, c.tn) for c in per_record])
    totals = resampled(len(counts), seed=seed) @ counts
    values = [v for row in totals.tolist() if (v := statistic(Confusion(*row))) is not None]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def proportion_interval(successes: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Return the Clopper-Pearson interval of a proportion; (0, 1) without trials."""
    if trials == 0:
        return (0.0, 1.0)
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(confidence)
    return float(interval.low), float(interval.high)


def mean_interval(values: NDArray[Any], *, confidence: float = 0.95) -> Interval | None:
    """Student's t interval of the mean of values, None of fewer than two.

    Exact for normal values however few there are, where resampling two or three of them gives an
    interval far too narrow; Biometrika 6, 1 (1908), doi:10.1093/biomet/6.1.1. Of values that are
    all alike its width is 0.
    """
    if len(values) < 2:
        return None
    from scipy.stats import t

    half = float(t.ppf((1 + confidence) / 2, len(values) - 1) * np.std(values, ddof=1))
    middle, half = float(np.mean(values)), half / len(values) ** 0.5
    return middle - half, middle + half


def jackknifed(
    statistic: Callable[[NDArray[Any]], NDArray[np.float64]], draws: NDArray[Any]
) -> tuple[NDArray[np.float64], list[Interval]]:
    """Values (n,) of a statistic of independent draws, and an interval of each of them.

    The statistic is taken again without each of 16 groups of draws, and what that changes gives its
    standard error: Tukey, Ann. Math. Stat. 29, 614 (1958).

    Parameters
    ----------
    statistic
        Gives (n,) values of any number of draws.
    draws
        (draws, ...), at least 16; a whole number of groups.
    """
    whole = statistic(draws)
    others = [statistic(np.delete(draws, np.s_[at::GROUPS], 0)) for at in range(GROUPS)]
    moved = (GROUPS - 1) * (np.mean(others, 0) - others)
    found = (mean_interval(value + change) for value, change in zip(whole, moved.T, strict=True))
    return whole, [pair for pair in found if pair is not None]


def with_interval(
    name: str, successes: int, trials: int, confidence: float = 0.95
) -> dict[str, float]:
    """Row of a table: a share and the ends of its exact interval, ``name_low``, ``name_high``."""
    low, high = proportion_interval(successes, trials, confidence=confidence)
    return {name: successes / trials, f"{name}_low": low, f"{name}_high": high}


def joined(value: float, *parts: Interval) -> Interval:
    """Interval of a value that several causes move, from one interval for each of them.

    Distances from the value add as squares: Zou and Donner, Stat. Med. 27, 1693 (2008),
    doi:10.1002/sim.3095. It is never narrower than any of the parts.
    """
    low, high = (sum((value - part[end]) ** 2 for part in parts) ** 0.5 for end in (0, 1))
    return value - low, value + high
