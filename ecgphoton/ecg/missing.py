"""Samples that were not measured: found where a recording does not mark them, counted, bridged."""

import numpy as np
from numpy.typing import NDArray

STILL = 1.0
"""Seconds; samples on a straight line for as long were not measured: the amplifier is saturated or
off, or a gap was interpolated. In all leads of MIT-BIH and of 39 records of SVDB the longest line
has 0.79 s (record 859, saturated), and four more of 0.25 s and longer."""
STEP = 0.05
"""mV; the coarsest step to which the samples of a line may be rounded."""
BRIDGED = 11
"""Samples at 360 Hz (0.03 s); a gap up to this long is bridged by a straight line to find beats. On
1,476 beats of DS1 with a gap on the R peak, 99.8 % are found across 0.03 s, 93 % across 0.04 s."""
_ROUNDING = 2.0**-22
"""Share of a sample up to which single precision may change a difference."""
_POINTS = 16
"""Places between the ends of a line that are compared with it."""
_AT_ONCE = 90
"""Seconds that are looked at together: what is computed of them fits into a processor's cache."""


class Moving:
    """Marks samples on a straight line as missing, in a signal that comes piece by piece.

    A sample is missing if it lies in a run of a second whose differences are one number, or two
    neighbouring multiples of a step up to `STEP`, and that nowhere leaves the line between its ends
    by more than that step: a line that was rounded. A level line is one.
    """

    def __init__(self, fs: float, gain: float = 1.0) -> None:
        """Begin a signal of `fs` samples a second, `gain` units per mV."""
        self._least, self._step = round(STILL * fs), STEP * gain
        self._held = np.empty(0, np.float32)  # the last samples, on which others may depend
        self._out = 0  # how many of them have been returned

    def push(self, piece: NDArray[np.float32], *, last: bool = False) -> NDArray[np.float32]:
        """Take the next samples and return those that are certain, NaN where they are missing."""
        step = _AT_ONCE * self._least
        *parts, rest = np.split(piece, range(step, len(piece), step))
        return np.concatenate([*map(self._next, parts), self._next(rest, last=last)])

    def _next(self, piece: NDArray[np.float32], *, last: bool = False) -> NDArray[np.float32]:
        samples = np.concatenate([self._held, piece])
        straight, open_ = _straight(samples, self._least, self._step)
        ready = max(self._out, len(samples) - (0 if last else open_))
        found = np.where(straight, np.float32(np.nan), samples)[self._out : ready]
        keep = max(0, ready - self._least + 1)
        self._held, self._out = samples[keep:], ready - keep
        return found


class Gaps:
    """Collects the gaps of a signal that comes piece by piece."""

    def __init__(self) -> None:
        """Begin a signal."""
        self._edges = [np.empty(0, np.int64)]  # first samples of a gap, and first ones after it
        self._end, self._open = 0, False

    def push(self, piece: NDArray[np.float32]) -> None:
        """Take the next samples, NaN where they are missing."""
        missing = np.isnan(piece)
        self._edges.append(self._end + _edges(missing, self._open))
        self._end += len(piece)
        self._open = bool(missing[-1]) if len(piece) else self._open

    @property
    def spans(self) -> NDArray[np.int64]:
        """``(n, 2)`` first sample of every gap so far, and the sample after its end."""
        return _spans(np.concatenate(self._edges), self._end)


def bridged(piece: NDArray[np.float32], before: float) -> NDArray[np.float32]:
    """Put a straight line in place of gaps of up to `BRIDGED` samples between measured ones.

    Parameters
    ----------
    piece
        ``(n,)`` at 360 Hz, NaN where nothing was measured.
    before
        Sample before the first one, NaN where it is missing or there is none.
    """
    signal = np.append(np.float32(before), piece)
    missing = np.isnan(signal)
    first, last = _spans(_edges(missing, False), len(signal)).T
    short = (last - first <= BRIDGED) & (first > 0) & (last < len(signal))
    if not short.any():
        return piece
    change = np.zeros(len(signal), np.int64)
    change[first[short]], change[last[short]] = 1, -1
    at, known = np.flatnonzero(np.cumsum(change)), np.flatnonzero(~missing)
    signal[at] = np.interp(at, known, signal[known])
    return signal[1:]


def _edges(missing: NDArray[np.bool_], before: bool) -> NDArray[np.int64]:
    """Return where gaps begin and where they have ended, in turn."""
    return np.flatnonzero(np.diff(missing, prepend=before))


def _spans(edges: NDArray[np.int64], end: int) -> NDArray[np.int64]:
    """Return ``(n, 2)`` beginnings and ends; the last gap may last to the end of the signal."""
    return np.append(edges, np.full(len(edges) % 2, end)).reshape(-1, 2)


def _straight(
    samples: NDArray[np.float32], least: int, step: float
) -> tuple[NDArray[np.bool_], int]:
    """Return which samples lie on a line of `least` samples, and how many at the end may do so."""
    value, count = samples.astype(np.float64), len(samples)
    change = np.zeros(count + 1, np.int64)  # of how many lines a sample lies on
    first, last, apart = _runs(value, step)
    for at in np.flatnonzero(last - first >= least - 1).tolist():
        begin = slice(first[at], last[at] - least + 2)
        end = slice(first[at] + least - 1, last[at] + 1)
        rise = (value[end] - value[begin]) / (least - 1)
        most = apart[at] + 4 * _ROUNDING * np.maximum(np.abs(value[begin]), np.abs(value[end]))
        near = np.ones(len(rise), np.int64)
        for place in np.linspace(0, least - 1, _POINTS + 2)[1:-1].astype(int).tolist():
            between = value[first[at] + place : last[at] - least + 2 + place]
            near &= np.abs(between - value[begin] - place * rise) <= most
        change[begin] += near
        change[end.start + 1 : end.stop + 1] -= near
    straight = np.cumsum(change[:-1]) > 0
    if count >= least and straight[-least:].all():
        return straight, 0
    open_ = count - first[last == count - 1].min(initial=count)
    return straight, min(int(open_), least - 1)


def _runs(
    value: NDArray[np.float64], step: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return first and last samples of the longest runs of such differences, and their steps.

    The step of a run whose differences are one number is 0. The runs overlap.
    """
    size = np.abs(value)
    rounding = _ROUNDING * np.maximum(np.maximum(size[:-2], size[1:-1]), size[2:])
    bend = np.diff(value, 2)
    at = np.flatnonzero(~(np.abs(bend) <= rounding))  # where a sample is missing, too
    bend, rounding = bend[at], rounding[at]
    before, apart = value[at + 1] - value[at], np.abs(bend)
    steps = np.rint(before / np.where(apart > 0, apart, 1.0))
    multiple = np.abs(before - steps * apart) <= 2 * rounding * (1 + np.abs(steps))
    small = (apart <= step + rounding) & multiple
    undone = small[1:] & small[:-1] & (np.abs(bend[1:] + bend[:-1]) <= 2 * rounding[1:])
    begins = np.flatnonzero(np.append(True, ~undone)[: len(at)])
    ends = np.append(begins[1:], len(at)) - 1
    edges = np.concatenate([[0], at + 1, [max(len(value) - 1, 0)]])
    two = small[begins]
    return (
        np.concatenate([edges[:-1], edges[begins[two]]]),
        np.concatenate([edges[1:], edges[ends[two] + 2]]),
        np.concatenate([np.zeros(len(edges) - 1), apart[begins[two]]]),
    )
