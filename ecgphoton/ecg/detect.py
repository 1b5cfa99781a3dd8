"""R peaks of a signal of any length, found block by block with XQRS of the wfdb package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.resample import nearest_filled

BLOCK, OVERLAP = 300 * 360, 20 * 360
"""Samples of which each search keeps the peaks, and that it sees on both sides of them.

XQRS learns the height of a QRS from the first beats it sees, so the searches lie on a grid of
their own and their answer does not depend on how the signal was read.
"""
REFRACTORY = 72
"""Samples (0.2 s): two searches that meet may both report a beat there."""


def detect_peaks(
    blocks: Iterable[tuple[int, NDArray[np.float32]]], length: int, gain: float
) -> NDArray[np.int64]:
    """Find the R peaks of a signal at 360 Hz.

    Parameters
    ----------
    blocks
        Consecutive pieces with the first sample of each, as `Signal.blocks` yields them.
    length
        Samples in all.
    gain
        Units of the signal per mV; XQRS has thresholds in mV.

    Returns
    -------
    ``(n,)`` samples, in order.
    """
    found: list[NDArray[np.int64]] = []
    last = -REFRACTORY
    for first, piece, low, high in _searches(blocks, length):
        peaks = _xqrs(piece / np.float32(gain)) + first
        kept = []
        for peak in peaks[(peaks >= low) & (peaks < high)].tolist():
            if peak - last >= REFRACTORY:
                kept.append(peak)
                last = peak
        found.append(np.array(kept, np.int64))
    return np.concatenate([*found, np.empty(0, np.int64)])


def _searches(
    blocks: Iterable[tuple[int, NDArray[np.float32]]], length: int
) -> Iterator[tuple[int, NDArray[np.float32], int, int]]:
    """First sample, samples, and the part whose peaks count, of every search."""
    held, held_first, low = np.empty(0, np.float32), 0, 0
    for start, piece in blocks:
        held = np.concatenate([held, piece])
        end = start + len(piece)
        while low < length and (end >= min(low + BLOCK + OVERLAP, length)):
            high = min(low + BLOCK, length)
            first, stop = max(low - OVERLAP, 0), min(high + OVERLAP, length)
            yield first, held[first - held_first : stop - held_first], low, high
            low = high
            keep = max(low - OVERLAP, held_first)
            held, held_first = held[keep - held_first :], keep


def _xqrs(signal: NDArray[np.float32]) -> NDArray[np.int64]:
    """Peaks XQRS finds, none in a signal that is flat, missing or too short."""
    known = np.isfinite(signal)
    if known.sum() < SAMPLING_RATE or np.ptp(signal[known]) == 0:
        return np.empty(0, np.int64)
    detector = faster_xqrs()(sig=nearest_filled(signal).astype(np.float64), fs=SAMPLING_RATE)
    detector.detect(verbose=False)
    peaks = np.asarray(detector.qrs_inds, np.int64)
    return peaks[known[peaks]] if len(peaks) else peaks


@cache
def faster_xqrs() -> Callable[..., Any]:
    """XQRS with `local_peaks` where its methods call wfdb's ``find_local_peaks``.

    That loop over samples is nine tenths of its time. The methods run as wfdb wrote them, only
    that name means another function in them; wfdb itself is not changed.
    """
    from wfdb.processing import XQRS, qrs

    names = {**vars(qrs), "find_local_peaks": local_peaks}
    searching = {
        name: FunctionType(method.__code__, names, name, method.__defaults__, method.__closure__)
        for name, method in vars(XQRS).items()
        if isinstance(method, FunctionType) and "find_local_peaks" in method.__code__.co_names
    }
    return type("XQRS", (XQRS,), searching)


def local_peaks(signal: NDArray[np.float64], radius: int) -> NDArray[np.int64]:
    """Find the samples that are the largest within `radius` samples, as XQRS counts them.

    From the left, a peak is the first sample that equals the maximum of the `radius` samples
    before it, itself and the ``radius - 1`` after it, and no other follows within `radius`.

    Parameters
    ----------
    signal
        ``(n,)``, finite.
    radius
        Samples, 1 or more.

    Returns
    -------
    ``(m,)`` samples, those of ``wfdb.processing.find_local_peaks``; none in a flat signal.
    """
    from scipy.ndimage import maximum_filter1d

    if signal.min() == signal.max():
        return np.empty(0, np.int64)
    largest = maximum_filter1d(signal, 2 * radius, mode="constant", cval=-np.inf)
    found = []
    free = 0
    for sample in np.flatnonzero(signal == largest).tolist():
        if sample >= free:
            found.append(sample)
            free = sample + radius
    return np.array(found, np.int64)
